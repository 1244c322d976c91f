"""Writes a point: RTL, wrapper, file list, netlist, constraints, reports and how to go on."""

from __future__ import annotations

import json
import math
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

from archgym.core import OK
from archgym.errors import InvalidInput
from archgym.rtl.emit.check import Checked, check
from archgym.rtl.emit.find import Found
from archgym.rtl.emit.reports import metrics_csv, readme, report_text, sdc
from archgym.rtl.emit.sources import compilation_order, copy_sources
from archgym.rtl.emit.wrapper import wrapped, wrapper_text
from archgym.rtl.flow.candidates import Candidate
from archgym.rtl.flow.flat import Netlist
from archgym.rtl.flow.measure import mapped, measure_one, search_of
from archgym.rtl.flow.parse import parse
from archgym.rtl.flow.point import Measured, Point
from archgym.rtl.flow.safety import ALLOWANCES
from archgym.rtl.flow.verilog_out import write_verilog
from archgym.rtl.tech.technology import technology

__all__ = ["Emitted", "emit"]


@final
@dataclass(frozen=True)
class Emitted:
    """What was written and what was checked."""

    folder: Path
    files: tuple[str, ...]
    measured: Measured
    checked: Checked


def emit(found: Found, folder: Path, *, force: bool = False) -> Emitted:
    """Write a point into a folder, and check what was written.

    Args:
        found: the point.
        folder: new or empty.
        force: write into a folder that holds files.

    Raises:
        InvalidInput: the folder holds files, the point cannot be measured, or a check fails.
        MissingDependency: a tool is not installed.
    """
    if folder.exists() and not folder.is_dir():
        raise InvalidInput(f"{folder} is a file; --out names a folder")
    if folder.is_dir() and any(folder.iterdir()) and not force:
        raise InvalidInput(f"{folder} is not empty; choose another folder with --out, or add --force")
    point = found.point
    include = tuple(Path(each) for each in point.block.include)
    order = compilation_order(point.block.paths(), include)
    name = f"{point.block.top}_point"
    # Before the work of measuring, as it may be refused; what the RTL reaches was judged when it became a point.
    ports = parse(order, point.block.top, point.parameters, include=include, allow=ALLOWANCES).ports
    wrapper = wrapper_text(name, point.block, point.parameters, ports)
    measured = measure_one(point)
    if measured.status != OK:
        raise InvalidInput(f"{point.block.name} is {measured.status}: {measured.reason}")
    netlist, critical = _netlist(point, measured)
    near = next(each for each in (folder, *folder.absolute().parents) if each.is_dir())
    with tempfile.TemporaryDirectory(prefix=".archgym-", dir=near) as scratch:
        written = Path(scratch) / "design"  # moved once it is whole and checked
        copied = copy_sources(order, include, written / "rtl")
        top_file = written / "rtl" / f"{name}.sv"
        top_file.write_text(wrapper, encoding="utf-8")
        sources = (*copied.sources, top_file)
        checked = check(wrapped(point.block, point.parameters, name, sources, copied.include), point)
        listed = [f"+incdir+{path.relative_to(written).as_posix()}" for path in copied.include]
        listed += [path.relative_to(written).as_posix() for path in sources]
        for file, text in _texts(found, name, measured, netlist, critical, checked, listed).items():
            (written / file).write_text(text, encoding="utf-8")
        files = sorted(path.relative_to(written).as_posix() for path in written.rglob("*") if path.is_file())
        for file in files:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.move(written / file, folder / file)
    return Emitted(folder, tuple(files), measured, checked)


def _texts(
    found: Found,
    name: str,
    measured: Measured,
    netlist: Netlist,
    critical: str,
    checked: Checked,
    listed: Sequence[str],
) -> dict[str, str]:
    """What lies beside the RTL, by file."""
    point = found.point
    tech = technology(point.technology)
    return {
        "filelist.f": "".join(f"{line}\n" for line in listed),
        "synthesise.ys": f"read_slang --top {name} -F filelist.f\nsynth -flatten -top {name}\n",
        "netlist.v": write_verilog(replace(netlist, name=name)),
        "constraints.sdc": sdc(point, measured, tech),
        "metrics.csv": metrics_csv(measured),
        "report.txt": report_text(found, measured, netlist, tech, critical),
        "point.json": _json(found, measured),
        "README.md": readme(found, name, measured, checked, tech),
    }


def _netlist(point: Point, measured: Measured) -> tuple[Netlist, str]:
    """The netlist that was measured, made again, and its critical path."""
    chosen = mapped(point, search_of(point))
    if not isinstance(chosen, Candidate):
        raise InvalidInput(f"{point.block.name} is {chosen.status}: {chosen.reason}")
    area = measured.metrics["area_um2"]
    if abs(chosen.area_um2 - area) > 1e-6 * area:
        raise InvalidInput(
            f"{point.block.name} maps to {chosen.area_um2:.6g} um2 now and to {area:.6g} um2 when it was measured: "
            "results are kept from other tools; remove them with archgym rtl cache --clear"
        )
    return chosen.netlist, chosen.timing.report()


def _json(found: Found, measured: Measured) -> str:
    point = found.point
    content: Mapping[str, Any] = {
        "origin": found.origin,
        "design": dict(found.design),
        "block": point.block.name,
        "parameters": dict(point.parameters),
        "technology": Path(point.technology).name,
        "clock_ns": measured.metrics["clock_ns"],
        "workload": point.workload.name,
        "metrics": {name: value for name, value in measured.metrics.items() if math.isfinite(value)},
    }
    return json.dumps(content, indent=2, default=_plain) + "\n"


def _plain(value: Any) -> Any:
    return value.item()  # NumPy's scalars
