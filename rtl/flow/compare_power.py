"""Our power beside OpenSTA's, cell by cell: `python -m archgym.rtl.flow.compare_power [LIBERTY ...]`.

Arguments as those of `compare_timing`. Every design is simulated with its own random stimulus; both tools get the same
activity of every pin. Prints the table of VALIDATION.md. Needs `sta` 2.3 or later on PATH.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from archgym.rtl.flow.compare_timing import mapped, surroundings
from archgym.rtl.flow.gatesim import build_model
from archgym.rtl.flow.gatesim_check import simulate, stimuli
from archgym.rtl.flow.opensta_power import as_opensta, cell_powers, untied
from archgym.rtl.flow.power import power
from archgym.rtl.flow.timing import analyse
from archgym.rtl.library import block
from archgym.rtl.tech.technology import Technology, technology

__all__ = ["DESIGNS", "Row", "compare"]

DESIGNS: tuple[tuple[str, str, Mapping[str, int]], ...] = (
    ("MAC INT8, behavioural", "mac_unit", {"Width": 8, "AccWidth": 32, "Multiplier": 0, "CarrySave": 0}),
    ("MAC INT8, Booth, carry-save", "mac_unit", {"Width": 8, "AccWidth": 32, "Multiplier": 1, "CarrySave": 1}),
    ("Adder tree 4x4 INT4", "adder_tree", {"Cols": 4, "Depth": 4, "Width": 4, "AccWidth": 16}),
    ("Systolic 4x4 INT4", "systolic_os", {"Rows": 4, "Cols": 4, "Width": 4, "AccWidth": 16}),
    ("LUT precompute, 4 activations", "lut_precompute", {"Tables": 1, "Group": 4, "ActWidth": 8, "Symmetric": 1}),
    ("Multiplier BF16", "fp_mul", {"ExpWidth": 8, "ManWidth": 7, "OutExpWidth": 8, "OutManWidth": 7, "Pipeline": 1}),
)

_BEATS = 64  # a lane, 64 lanes


@final
@dataclass(frozen=True)
class Row:
    """Both tools on one netlist, at one activity."""

    cells: int
    ours_mw: float
    """By the rules that `power` follows by default."""
    theirs_mw: float
    worst_cell: float
    """Under OpenSTA's rules: the largest difference of a cell, internal, switching or leakage, over its total."""
    rules: tuple[float, float, float]
    """Under OpenSTA's rules: errors of internal, switching and leakage power, ours / theirs - 1."""
    states: tuple[float, float, float]
    """The same under the default rules: loads are the mean of both edges, impossible states have no weight."""


def compare(tech: Technology, name: str, settings: Mapping[str, int]) -> Row:
    """Synthesise, simulate and ask both.

    Raises:
        InvalidInput: OpenSTA is missing or too old, or the design cannot be synthesised.
    """
    library, which = tech.library, block(name)
    parameters = {each.name: int(each.choices[0]) for each in which.parameters} | dict(settings)
    netlist = mapped(tech, name, parameters)
    run, _ = simulate(build_model(netlist, library), which, parameters, stimuli(which, parameters, beats=_BEATS))
    netlist, activity = untied(netlist, library, run.activity)
    constraints = surroundings(tech, netlist)
    frequency, slew = 1e3 / constraints.clock_ns, constraints.clock_slew_ns
    timing = analyse(netlist, library, constraints)
    ours = power(netlist, library, timing, activity, frequency, clock_slew_ns=slew)
    same = as_opensta(timing, netlist, library, constraints)
    ruled = power(netlist, library, same, activity, frequency, clock_slew_ns=slew, opensta=True)
    theirs = cell_powers(netlist, library, constraints, activity)
    by_cell = np.stack([ruled.cell_internal_mw, ruled.cell_switching_mw, ruled.cell_leakage_mw], axis=1)
    worst = float((np.abs(by_cell - theirs) / theirs.sum(axis=1, keepdims=True)).max())
    totals = theirs.sum(axis=0)
    mine = np.array([ours.internal_mw, ours.switching_mw, ours.leakage_mw])
    internal, switching, leakage = (by_cell.sum(axis=0) / totals - 1).tolist()
    states = (mine / totals - 1).tolist()
    return Row(netlist.cells, ours.total_mw, float(totals.sum()), worst, (internal, switching, leakage), (*states,))


def main(names: list[str]) -> None:
    """Print a table for each technology."""
    for name in names or ["generic45"]:
        paths = tuple(map(Path, name.split(",")))
        tech = Technology(paths[0].name, paths, "file") if len(paths) > 1 else technology(name)
        lines = [f"\n### {Path(tech.name).name}\n"]
        lines.append(
            "| design | cells | OpenSTA mW | same rules: worst cell | internal | switching | leakage | ours mW |"
        )
        lines[-1] += " internal | switching | leakage |"
        lines.append("|---|" + "--:|" * 10)
        for title, which, parameters in DESIGNS:
            row = compare(tech, which, parameters)
            same = " | ".join(f"{100 * error:+.4f} %" for error in (row.worst_cell, *row.rules))
            other = " | ".join(f"{100 * error:+.2f} %" for error in row.states)
            lines.append(f"| {title} | {row.cells} | {row.theirs_mw:.5f} | {same} | {row.ours_mw:.5f} | {other} |")
        sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
