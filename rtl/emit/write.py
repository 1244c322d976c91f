"""Writes a point: RTL, wrapper, file list, netlist, constraints, reports and how to go on."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

from archgym.core import OK
from archgym.errors import InvalidInput
from archgym.rtl.emit.check import Checked, check
from archgym.rtl.emit.find import Found
from archgym.rtl.emit.reports import metrics_csv, readme, report_text, sdc
from archgym.rtl.emit.wrapper import wrapped, wrapper_text
from archgym.rtl.flow.candidates import Candidate
from archgym.rtl.flow.flat import Netlist
from archgym.rtl.flow.measure import mapped, measure_one, search_of
from archgym.rtl.flow.parse import parse
from archgym.rtl.flow.point import Measured, Point
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
    measured = measure_one(point)
    if measured.status != OK:
        raise InvalidInput(f"{point.block.name} is {measured.status}: {measured.reason}")
    netlist, critical = _netlist(point, measured)
    (folder / "rtl").mkdir(parents=True, exist_ok=True)
    sources = _copy(point, folder / "rtl")
    name = f"{point.block.top}_point"
    ports = parse(sources, point.block.top, point.parameters, include=_include(point), allow=_ALLOW).ports
    wrapper = folder / "rtl" / f"{name}.sv"
    wrapper.write_text(wrapper_text(name, point.block, point.parameters, ports), encoding="utf-8")
    top = wrapped(point.block, point.parameters, name, [*sources, wrapper])
    checked = check(top, point, _include(point))
    tech = technology(point.technology)
    texts = {
        "filelist.f": "".join(f"rtl/{path.name}\n" for path in (*sources, wrapper)),
        "synthesise.ys": f"read_slang --top {name} -F filelist.f\nsynth -flatten -top {name}\n",
        "netlist.v": write_verilog(replace(netlist, name=name)),
        "constraints.sdc": sdc(point, measured, tech),
        "metrics.csv": metrics_csv(measured),
        "report.txt": report_text(found, measured, netlist, tech, critical),
        "point.json": _json(found, measured),
        "README.md": readme(found, name, measured, checked, tech),
    }
    for file, text in texts.items():
        (folder / file).write_text(text, encoding="utf-8")
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return Emitted(folder, tuple(files), measured, checked)


_ALLOW = ("dpi", "files", "pli", "system")  # what the point was measured from was judged before


def _include(point: Point) -> tuple[Path, ...]:
    return tuple(Path(folder) for folder in point.block.include)


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


def _copy(point: Point, folder: Path) -> list[Path]:
    """The sources under names of their own."""
    found, names = [], set[str]()
    for index, path in enumerate(point.block.paths()):
        name = path.name if path.name not in names else f"{path.stem}_{index}{path.suffix}"
        names.add(name)
        found.append(Path(shutil.copyfile(path, folder / name)))
    return found


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
