"""Check the derivation with a circuit simulator: the same cells as transistor netlists, on the kit's model cards.

    python -m archgym.rtl.tech.generic45.spice MODELS NAND2_X1 FA_X1 ...

MODELS is a file with the BSIM4 cards of FreePDK45 1.4, the VTG transistors named `nmos_vtg` and `pmos_vtg` (it is not
part of ArchGym); `ngspice` must be on PATH. Prints, for each cell, the errors of delay and slew against the simulation,
worst vector of each arc.
"""

from __future__ import annotations

import math
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import final

from archgym.rtl.tech.compare import value_at
from archgym.rtl.tech.generic45.cells import combinational
from archgym.rtl.tech.generic45.geometry import N_UM, P_UM, columns
from archgym.rtl.tech.generic45.process import LAYOUT, VDD_V, WIRE_FF
from archgym.rtl.tech.generic45.stage import HIGH, LOW
from archgym.rtl.tech.generic45.timing import evaluate, vectors
from archgym.rtl.tech.generic45.topology import CellPlan, Parallel, Stage, Tree
from archgym.rtl.tech.technology import technology

__all__ = ["Netlist", "deck", "errors"]

_SLEW_NS, _LOAD_FF = 0.02, 8.0  # near a fanout of four
_START_NS = 1.0
_MEASURED = re.compile(r"^(half|begin|end)\s*=\s*(\S+)", re.MULTILINE)


@final
class Netlist:
    """Transistors of a cell, with the diffusions that its geometry draws."""

    def __init__(self, plan: CellPlan) -> None:
        self.lines: list[str] = []
        for stage in plan.stages:
            self._stage(stage)

    def _stage(self, stage: Stage) -> None:
        folds = math.ceil(stage.fingers)
        for tree, model, bulk, tall in ((stage.pull_down, "nmos_vtg", "0", N_UM), (stage.up, "pmos_vtg", "vdd", P_UM)):
            self._tree(tree, (stage.output, bulk), (model, bulk), tall * stage.fingers / folds, folds)
        wire = WIRE_FF * (LAYOUT.height / 2 + columns(stage) * LAYOUT.pitch / 2)
        self.lines.append(f"c{len(self.lines)} {stage.output} 0 {wire:.4f}f")

    def _tree(
        self, tree: Tree, ends: tuple[str, str], device: tuple[str, str], um: float, folds: int, *, alone: bool = True
    ) -> None:
        """`alone`: nothing else of the network is at the output, so an odd drain lies at the end of a row."""
        if isinstance(tree, Parallel):
            for part in tree.parts:
                self._tree(part, ends, device, um, folds, alone=False)
        elif isinstance(tree, str):
            inner = LAYOUT.gate_space / 2
            drain, edge = (LAYOUT.end_diffusion, um) if alone and folds % 2 else (inner, 0.0)
            for _ in range(folds):
                self.lines.append(
                    f"m{len(self.lines)} {ends[0]} {tree} {ends[1]} {device[1]} {device[0]} l=50n w={um:.4f}u"
                    f" ad={drain * um:.5f}p pd={2 * drain + edge + um:.4f}u"
                    f" as={inner * um:.5f}p ps={2 * inner + um:.4f}u"
                )
        else:
            above = ends[0]
            for index, part in enumerate(tree.parts):
                below = ends[1] if index == len(tree.parts) - 1 else f"x{len(self.lines)}_{index}"
                self._tree(part, (above, below), device, um, folds, alone=alone and index == 0)
                above = below


def deck(plan: CellPlan, models: Path, pin: str, others: Mapping[str, bool], output: str, *, rises: bool) -> str:
    """The simulator's input for one transition of `pin`; measures the output's last one."""
    start, stop = (0.0, VDD_V) if rises else (VDD_V, 0.0)
    ramp = _START_NS + _SLEW_NS / (HIGH - LOW)
    edge = "fall" if evaluate(plan, {**others, pin: not rises})[output] else "rise"
    levels = (LOW, HIGH) if edge == "rise" else (HIGH, LOW)
    sources = [f"v{name} {name} 0 {VDD_V if value else 0}" for name, value in others.items()]
    sources.append(f"v{pin} {pin} 0 pwl(0 {start} {_START_NS}n {start} {ramp}n {stop})")
    measures = [
        f".measure tran {name} when v({output})={level * VDD_V:g} {edge}=last"
        for name, level in (("half", 0.5), ("begin", levels[0]), ("end", levels[1]))
    ]
    head = [f"* {plan.name}", f".include {models}", f"vvdd vdd 0 {VDD_V}", f"cload {output} 0 {_LOAD_FF}f", ".temp 25"]
    return "\n".join([*head, *Netlist(plan).lines, *sources, ".tran 0.5p 1.6n", *measures, ".end", ""])


def _simulated(text: str) -> tuple[float, float]:
    """Delay and slew in ns."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "cell.sp"
        file.write_text(text, encoding="utf-8")
        said = subprocess.run(["ngspice", "-b", str(file)], capture_output=True, text=True, check=False).stdout
    times = {name: float(value) * 1e9 for name, value in _MEASURED.findall(said)}
    middle = _START_NS + _SLEW_NS / (HIGH - LOW) / 2
    return times["half"] - middle, times["end"] - times["begin"]


def errors(plan: CellPlan, models: Path) -> list[tuple[float, float]]:
    """Relative errors of delay and slew, one pair for each arc and edge."""
    worst: dict[tuple[str, str, bool, bool], tuple[float, float]] = {}
    for output in plan.outputs:
        for pin in plan.inputs:
            for others, rises in vectors(plan, pin):
                after = evaluate(plan, {**others, pin: rises})[output]
                if after == evaluate(plan, {**others, pin: not rises})[output]:
                    continue
                delay, slew = _simulated(deck(plan, models, pin, others, output, rises=rises))
                key = (output, pin, after == rises, after)
                known = worst.get(key, (delay, slew))
                worst[key] = (max(known[0], delay), max(known[1], slew))
    found = []
    for arc in technology().library.cells[plan.name].arcs:
        for after, delays, slews in ((True, arc.rise, arc.rise_slew), (False, arc.fall, arc.fall_slew)):
            key = (arc.pin, arc.related, arc.sense == "positive", after)
            if delays is not None and slews is not None and key in worst:
                ours = value_at(delays, _SLEW_NS, _LOAD_FF), value_at(slews, _SLEW_NS, _LOAD_FF)
                found.append((ours[0] / worst[key][0] - 1, ours[1] / worst[key][1] - 1))
    return found


if __name__ == "__main__":
    wanted = sys.argv[2:]
    for each in combinational():
        if each.name in wanted:
            cells = errors(each, Path(sys.argv[1]).resolve())
            parts = [f"{100 * min(column):+.0f} to {100 * max(column):+.0f} %" for column in zip(*cells, strict=True)]
            sys.stdout.write(f"| {each.name} | {parts[0]} | {parts[1]} |\n")
