"""The Yosys commands of a job: read, make generic gates, map to cells; once for several variants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import final

from archgym.rtl.flow.design import Design
from archgym.rtl.flow.full_adder import blackbox_text, techmap_text
from archgym.rtl.flow.recipe import CELL_FILE, RIPPLE, RIPPLE_FILE, Adder, FullAdders, Recipe, abc_script, generic
from archgym.rtl.flow.target import Target
from archgym.rtl.flow.worker import Steps

__all__ = ["Variant", "elaborate", "netlist_file", "steps", "write_scripts"]

_BOX_FILE = "cells.v"


@final
@dataclass(frozen=True)
class Variant:
    """A recipe and the delay that ABC buffers and sizes for (None: it does neither)."""

    recipe: Recipe
    clock_ns: float | None = None


def netlist_file(index: int) -> str:
    """Where the job leaves the netlist of a variant."""
    return f"netlist-{index}.json"


def write_scripts(folder: Path, target: Target, variants: Sequence[Variant]) -> None:
    """Leave what the commands refer to in the folder of the job."""
    (folder / "constraints.txt").write_text(target.constraints, encoding="utf-8")
    (folder / RIPPLE_FILE).write_text(RIPPLE, encoding="utf-8")
    if target.full_adder is not None:
        (folder / CELL_FILE).write_text(techmap_text(target.full_adder), encoding="utf-8")
        (folder / _BOX_FILE).write_text(blackbox_text(target.full_adder), encoding="utf-8")
    for index, variant in enumerate(variants):
        delay = variant.clock_ns * 1000 if variant.clock_ns else None
        (folder / f"{index}.abc").write_text(abc_script(variant.recipe, delay), encoding="utf-8")


def steps(design: Design, target: Target, variants: Sequence[Variant], blackboxes: Sequence[str]) -> Steps:
    """All commands of a job; the work that variants share is done once, and no variant depends on the others."""
    cells = target.full_adder is not None
    numbered = sorted(enumerate(variants), key=lambda item: _architecture(item[1]))
    branches = [
        Steps(
            tuple(generic(adder, full_adders, cells=cells)),
            tuple(Steps(tuple(_to_cells(target, index, variant))) for index, variant in group),
        )
        for (adder, full_adders), group in groupby(numbered, key=lambda item: _architecture(item[1]))
    ]
    box = [f"read_verilog -lib {_BOX_FILE}"] if cells else []
    return Steps((*box, *elaborate(design, blackboxes)), tuple(branches))


def _architecture(variant: Variant) -> tuple[Adder, FullAdders]:
    return variant.recipe.adder, variant.recipe.full_adders


def elaborate(design: Design, blackboxes: Sequence[str] = ()) -> list[str]:
    """Commands that read a design; some modules are left as boxes."""
    options = [f"--top {design.top}", "--error-limit 20"]
    options += [f"-G {name}={value}" for name, value in design.parameters.items()]
    options += [f"--blackboxed-module {name}" for name in blackboxes]
    options += [f"-I {path}" for path in design.include]
    # Delays, initial values and assertions are for simulation.
    options += ["--ignore-assertions", "--ignore-timing", "--ignore-initial"]
    files = " ".join(str(path) for path in design.sources)
    return [f"read_slang {' '.join(options)} {files}", f"hierarchy -check -top {design.top}"]


def _to_cells(target: Target, index: int, variant: Variant) -> list[str]:
    delay = f" -D {variant.clock_ns * 1000:.0f}" if variant.clock_ns else ""
    found = [
        f"dfflibmap -liberty {target.liberty}",
        f"abc -liberty {target.liberty} -constr constraints.txt{delay} -script {index}.abc",
        "setundef -zero",
        "opt_clean -purge",
    ]
    if target.ties.high and target.ties.low:
        high, low = " ".join(target.ties.high), " ".join(target.ties.low)
        found.append(f"hilomap -singleton -hicell {high} -locell {low}")
    return [*found, "opt_clean -purge", f"write_json {netlist_file(index)}"]
