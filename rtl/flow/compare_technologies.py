"""Ratios between designs in one technology beside those in others: do they carry over?

    python -m archgym.rtl.flow.compare_technologies [--effort quick] [--without-wires] TECHNOLOGY ...

measures the same designs in generic45 and in each TECHNOLOGY (a name or the path of a Liberty file; a library
of several files gets a name by `archgym tech add`), at the shortest clock of each and at one that leaves them all time,
and prints the tables of VALIDATION.md. `--without-wires` reads the libraries without their wire-load models.
"""

from __future__ import annotations

import argparse
import gzip
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import numpy as np

from archgym.core import OK
from archgym.errors import InvalidInput
from archgym.rtl.flow.measure import measure_one
from archgym.rtl.flow.point import Measured, Point, Workload
from archgym.rtl.flow.technology_ratios import (
    DESIGNS,
    PAIRS,
    REFERENCE,
    Agreement,
    Floats,
    agreement,
    among,
    energy_pj,
)
from archgym.rtl.library import block
from archgym.rtl.tech.technology import DEFAULT, technology

__all__ = ["Figures", "figures", "main", "report", "without_wires"]

_RELAXED = 1.5  # times the clock of the slowest design: none is sized for speed
_BEATS = 64
_FIGURES = ("area", "clock", "energy", "leakage")

Figures: TypeAlias = Mapping[str, Floats]
"""By what was measured, float64[designs]; NaN where a design failed."""


def without_wires(name: str, folder: Path) -> str:
    """A copy of a technology that has no default wire load, in a folder; itself if it never had one.

    Raises:
        InvalidInput: for a library of several files.
    """
    found = technology(name)
    if found.library.default_wire_load is None:
        return name
    if len(found.paths) > 1:
        raise InvalidInput(f"{name} has {len(found.paths)} files and a wire load; give one of a single file")
    path = found.paths[0]
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    copy = folder / path.name.removesuffix(".gz")
    copy.write_bytes(re.sub(rb"(?m)^\s*default_wire_load\s*:[^;]*;", b"", raw))
    return str(copy)


def figures(name: str, designs: Mapping[str, tuple[str, Mapping[str, int]]], effort: str) -> Figures:
    """Measure designs in a technology.

    Raises:
        InvalidInput: the first design, to which ratios refer, cannot be measured.
    """
    fast = [_measured(title, *of, name, None, effort) for title, of in designs.items()]
    slowest = max((each.metrics["critical_path_ns"] for each in fast if each.status == OK), default=float("nan"))
    if fast[0].status != OK:
        raise InvalidInput(f"{next(iter(designs))} in {name}: {fast[0].status}: {fast[0].reason}")
    slow = [_measured(title, *of, name, _RELAXED * slowest, effort) for title, of in designs.items()]
    found = {f"fastest, {kind}": np.array([_figure(each, kind) for each in fast]) for kind in _FIGURES}
    relaxed = [kind for kind in _FIGURES if kind != "clock"]
    return {**found, **{f"relaxed, {kind}": np.array([_figure(each, kind) for each in slow]) for kind in relaxed}}


def _measured(
    title: str, name: str, parameters: Mapping[str, int], tech: str, clock_ns: float | None, effort: str
) -> Measured:
    point = Point(block(name), parameters, tech, clock_ns, Workload(beats=_BEATS), effort=effort)
    found = measure_one(point)
    clock = f"at {clock_ns:.4g} ns" if clock_ns else "fastest"
    said = " ".join(f"{kind} {_figure(found, kind):.4g}" for kind in _FIGURES) if found.status == OK else found.reason
    sys.stderr.write(f"{Path(tech).name}, {title}, {clock}: {found.status} {said}\n")
    return found


def _figure(found: Measured, kind: str) -> float:
    if found.status != OK:
        return float("nan")
    metrics = found.metrics
    if kind == "energy":
        return energy_pj(metrics, found.details)
    return float(metrics[{"area": "area_um2", "clock": "critical_path_ns", "leakage": "leakage_mw"}[kind]])


def report(found: Mapping[str, Figures], titles: Sequence[str]) -> str:
    """The tables; the first technology is compared with the others, the first design is what ratios refer to."""
    ours, *others = found
    first = titles[0]
    lines = [
        f"Spearman, Kendall; error of ratios to {first}: typical, largest; of any two designs: typical. {ours} beside",
        *_head(["", *others, "these beside each other"]),
    ]
    worst = []
    for kind, values in found[ours].items():
        beside = {name: agreement(values, found[name][kind]) for name in others}
        middle = among([found[name][kind] for name in others])
        lines.append(_row([kind, *map(str, beside.values()), "-" if middle is None else str(middle)]))
        worst.append(_row([kind, *(titles[each.worst] + _side(each, values, found[name][kind])
                                   for name, each in beside.items())]))  # fmt: skip
    lines += ["", f"Largest error: {ours} over the other.", *_head(["", *others]), *worst]
    for clock, kinds in (("fastest", ("area", "clock", "energy")), ("relaxed", ("area", "energy"))):
        lines += ["", f"Ratios, {clock} clock: {', '.join(kinds)}.", *_head(["", *found])]
        for name, (top, bottom) in PAIRS.items():
            if top in titles and bottom in titles:
                at = titles.index(top), titles.index(bottom)
                cells = (_ratios(each, [f"{clock}, {kind}" for kind in kinds], at) for each in found.values())
                lines.append(_row([name, *cells]))
    return "\n".join(lines)


def _side(each: Agreement, ours: Floats, theirs: Floats) -> str:
    error = ours[each.worst] / theirs[each.worst] * theirs[0] / ours[0]
    return f" {error:.2f}"


def _ratios(values: Figures, kinds: Iterable[str], at: tuple[int, int]) -> str:
    return ", ".join(f"{values[kind][at[0]] / values[kind][at[1]]:.2f}" for kind in kinds)


def _head(cells: Sequence[str]) -> list[str]:
    return [_row(cells), "|---" + "|--:" * (len(cells) - 1) + "|"]


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def main(arguments: Sequence[str]) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m archgym.rtl.flow.compare_technologies")
    parser.add_argument("technologies", nargs="+", help="names, or paths of Liberty files")
    parser.add_argument("--effort", default="normal", help="of synthesis: quick, normal, high")
    parser.add_argument("--without-wires", action="store_true", help="leave wire-load models out")
    given = parser.parse_args(arguments)
    with TemporaryDirectory() as folder:
        found = {}
        for name in (DEFAULT, *given.technologies):
            used = without_wires(name, Path(folder)) if given.without_wires else name
            found[Path(name).name] = figures(used, DESIGNS, given.effort)
    assert next(iter(DESIGNS)) == REFERENCE
    sys.stdout.write(report(found, list(DESIGNS)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
