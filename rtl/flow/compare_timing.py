"""Our static timing beside OpenSTA's on the same netlists: `python -m archgym.rtl.flow.compare_timing [LIBERTY ...]`.

Each argument is the name of a technology or the path of a Liberty file (several files of one library: joined by
commas). Prints the table of VALIDATION.md.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from archgym.core import OK
from archgym.errors import InvalidInput
from archgym.rtl.flow import opensta
from archgym.rtl.flow.design import Design
from archgym.rtl.flow.netlist import Netlist, flatten, read_yosys_json
from archgym.rtl.flow.synth import synthesise
from archgym.rtl.flow.target import target
from archgym.rtl.flow.timing import Constraints, analyse
from archgym.rtl.library import block
from archgym.rtl.tech.technology import Technology, technology

__all__ = ["DESIGNS", "Row", "compare", "mapped", "surroundings"]

DESIGNS: tuple[tuple[str, str, Mapping[str, int]], ...] = (
    ("MAC INT8, behavioural", "mac_unit", {"Width": 8, "AccWidth": 32, "Multiplier": 0, "CarrySave": 0}),
    ("MAC INT8, Booth", "mac_unit", {"Width": 8, "AccWidth": 32, "Multiplier": 1, "CarrySave": 0}),
    ("MAC INT8, Booth, carry-save", "mac_unit", {"Width": 8, "AccWidth": 32, "Multiplier": 1, "CarrySave": 1}),
    ("MAC INT16, EN-T at the edge", "mac_unit", {"Width": 16, "AccWidth": 48, "Multiplier": 3, "CarrySave": 0}),
    ("Adder tree 4x4 INT4", "adder_tree", {"Cols": 4, "Depth": 4, "Width": 4, "AccWidth": 16}),
    ("Systolic 4x4 INT4", "systolic_os", {"Rows": 4, "Cols": 4, "Width": 4, "AccWidth": 16}),
    ("LUT precompute, 4 activations", "lut_precompute", {"Tables": 1, "Group": 4, "ActWidth": 8, "Symmetric": 1}),
    ("Multiplier BF16", "fp_mul", {"ExpWidth": 8, "ManWidth": 7, "OutExpWidth": 8, "OutManWidth": 7, "Pipeline": 1}),
    ("Adder BF16", "fp_add", {"ExpWidth": 8, "ManWidth": 7, "Pipeline": 1}),
    ("L-Mul BF16", "l_mul", {"ExpWidth": 8, "ManWidth": 7, "Pipeline": 1}),
)

_SLEWS_PER_CLOCK = 80  # a slew is about a gate's delay; longer than any path of these designs


@final
@dataclass(frozen=True)
class Row:
    """Both tools on one netlist; errors are ours / theirs - 1."""

    cells: int
    ours_ns: float
    theirs_ns: float
    wired_ns: float
    """OpenSTA with the resistance of the library's wire-load model."""
    worst_group_error: float
    """The largest error of a group of paths."""

    @property
    def error(self) -> float:
        """Of the worst path."""
        return self.ours_ns / self.theirs_ns - 1

    @property
    def wired_error(self) -> float:
        """Of the worst path, OpenSTA with wire resistance."""
        return self.ours_ns / self.wired_ns - 1


def surroundings(tech: Technology, netlist: Netlist) -> Constraints:
    """Constraints that scale with the technology: slews and loads of an inverter that drives four."""
    cell = tech.library.cells[tech.inverter]
    tables = [arc.rise_slew for arc in cell.arcs if arc.rise_slew is not None]
    slew = float(np.interp(tech.load_ff, tables[0].index_2, tables[0].values[0]))
    clock_ns = _SLEWS_PER_CLOCK * slew
    clock = "clk_i" if "clk_i" in netlist.inputs else "none"
    return Constraints(clock_ns, clock, slew, tech.load_ff, 0.05 * clock_ns, 0.1 * clock_ns, slew / 2)


def compare(tech: Technology, netlist: Netlist) -> Row:
    """Time one netlist with both.

    Raises:
        InvalidInput: OpenSTA is not installed.
    """
    constraints = surroundings(tech, netlist)
    ours = analyse(netlist, tech.library, constraints)
    theirs = opensta.worst_path(netlist, tech.library, constraints)
    wired = theirs
    if tech.library.default_wire_load is not None:
        wired = opensta.worst_path(netlist, tech.library, constraints, wire_resistance=True)
    groups = [ours.groups[name] / value - 1 for name, value in theirs.groups.items() if value]
    return Row(netlist.cells, ours.critical_ns, theirs.critical_ns, wired.critical_ns, max(groups, key=abs))


def mapped(tech: Technology, name: str, parameters: Mapping[str, int]) -> Netlist:
    """Synthesise a block.

    Raises:
        InvalidInput: it cannot be synthesised.
    """
    cells = target(tech.library, tech.driver, tech.load_ff)
    found = synthesise(Design.of(block(name), parameters), cells)
    if found.status != OK:
        raise InvalidInput(f"{name} with {dict(parameters)} in {tech.name}: {found.status}: {found.reason}")
    return flatten(read_yosys_json(found.netlist), found.top, tech.library)


def main(names: list[str]) -> None:
    """Print a table for each technology."""
    for name in names or ["generic45"]:
        paths = tuple(map(Path, name.split(",")))
        tech = Technology(paths[0].name, paths, "file") if len(paths) > 1 else technology(name)
        lines = [
            f"\n### {Path(tech.name).name}\n",
            "| design | cells | ours ns | OpenSTA ns | error | any group | with R |",
        ]
        lines.append("|---|--:|--:|--:|--:|--:|--:|")
        for title, which, parameters in DESIGNS:
            row = compare(tech, mapped(tech, which, parameters))
            errors = (row.error, row.worst_group_error, row.wired_error)
            figures = " | ".join(f"{100 * error:+.4f} %" for error in errors)
            lines.append(f"| {title} | {row.cells} | {row.ours_ns:.4f} | {row.theirs_ns:.4f} | {figures} |")
        sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
