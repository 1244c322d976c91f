"""RTL to a netlist of standard cells, by Yosys and ABC in a worker process.

found = synthesise(Design.of(block, {"Width": 8}), target(library, driver, load_ff), clock_ns=1.0)
netlist = flatten(read_yosys_json(found.netlist), found.top, library)
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from archgym.core import FAILED, INFEASIBLE, OK
from archgym.rtl.flow import scratch
from archgym.rtl.flow.design import Design
from archgym.rtl.flow.limits import Limits
from archgym.rtl.flow.recipe import BALANCED, RIPPLE, Recipe, abc_script, generic
from archgym.rtl.flow.target import Target
from archgym.rtl.flow.worker import Outcome, worker

__all__ = ["Synthesis", "synthesise"]


@final
@dataclass(frozen=True)
class Synthesis:
    """A mapped netlist, or why there is none."""

    status: str
    """"ok", "infeasible" (the design cannot be built with these means), "failed" or "timeout"."""
    reason: str = ""
    netlist: str = ""
    """What `write_json` wrote."""
    top: str = ""
    cells: Mapping[str, int] = field(default_factory=dict)
    """Number of cells of each kind, hierarchy expanded."""
    recipe: str = ""
    log: str = ""
    cpu_s: float = 0.0


def elaborate(design: Design, *, blackboxes: Sequence[str] = ()) -> list[str]:
    """Yosys commands that read and elaborate a design."""
    options = [f"--top {design.top}", "--error-limit 20"]
    options += [f"-G {name}={value}" for name, value in design.parameters.items()]
    options += [f"--blackboxed-module {name}" for name in blackboxes]
    options += [f"-I {path}" for path in design.include]
    # Other than synthesised logic is for simulation: delays, initial values and assertions.
    options += ["--ignore-assertions", "--ignore-timing", "--ignore-initial"]
    files = " ".join(str(path.resolve()) for path in design.sources)
    return [f"read_slang {' '.join(options)} {files}", f"hierarchy -check -top {design.top}"]


def to_cells(target: Target, recipe: Recipe, delay_ps: float | None) -> list[str]:
    """Yosys commands from generic gates to cells of a library."""
    delay = f" -D {delay_ps:.0f}" if delay_ps is not None else ""
    commands = [
        f"dfflibmap -liberty {target.liberty}",
        f"abc -liberty {target.liberty} -constr constraints.txt{delay} -script {recipe.name}.abc",
        "setundef -zero",
        "splitnets",
        "opt_clean -purge",
    ]
    if target.ties.high and target.ties.low:
        high, low = " ".join(target.ties.high), " ".join(target.ties.low)
        commands.append(f"hilomap -singleton -hicell {high} -locell {low}")
    return [*commands, "check -mapped", "opt_clean -purge"]


def synthesise(
    design: Design,
    target: Target,
    *,
    clock_ns: float | None = None,
    recipe: Recipe = BALANCED,
    limits: Limits | None = None,
    keep: Path | None = None,
) -> Synthesis:
    """Map a design, flattened.

    Args:
        design: what to map.
        target: the cells to map to.
        clock_ns: delay that ABC sizes for; None leaves gates as small as the recipe's cover has them.
        recipe: how.
        limits: when to give up.
        keep: where to leave a copy of the scratch folder, scripts and log.
    """
    bounds = limits or Limits()
    with scratch.folder(keep=keep) as folder, worker() as process:
        (folder / "constraints.txt").write_text(target.constraints, encoding="utf-8")
        (folder / "ripple.v").write_text(RIPPLE, encoding="utf-8")
        script = abc_script(recipe).replace("{D}", f"-D {clock_ns * 1000:.0f}" if clock_ns else "")
        (folder / f"{recipe.name}.abc").write_text(script, encoding="utf-8")
        commands = [
            *elaborate(design),
            *generic(recipe.adder),
            *to_cells(target, recipe, clock_ns * 1000 if clock_ns else None),
            "write_json netlist.json",
        ]
        outcome = process.run(commands, folder, bounds)
        return _result(design, recipe, outcome, folder, bounds)


def _result(design: Design, recipe: Recipe, outcome: Outcome, folder: Path, limits: Limits) -> Synthesis:
    log_file = folder / "log.txt"
    log = log_file.read_text(encoding="utf-8", errors="replace") if log_file.exists() else ""
    if outcome.status != OK:
        return Synthesis(outcome.status, outcome.reason, top=design.top, recipe=recipe.name, log=log)
    text = (folder / "netlist.json").read_text(encoding="utf-8")
    cells = count_cells(json.loads(text)["modules"], design.top)
    status, reason = _verdict(cells, limits)
    return Synthesis(status, reason, text, design.top, cells, recipe.name, log, outcome.cpu_s)


def count_cells(modules: Mapping[str, Any], top: str) -> Counter[str]:
    """Leaf cells below a module by kind, each instance counted."""
    counts: dict[str, Counter[str]] = {}

    def count(name: str) -> Counter[str]:
        if name not in counts:
            total: Counter[str] = Counter()
            for kind, number in Counter(cell["type"] for cell in modules[name]["cells"].values()).items():
                if kind in modules:
                    total.update({leaf: number * times for leaf, times in count(kind).items()})
                elif kind != "$scopeinfo":
                    total[kind] += number
            counts[name] = total
        return counts[name]

    return count(top)


def _verdict(cells: Mapping[str, int], limits: Limits) -> tuple[str, str]:
    total = sum(cells.values())
    left = sorted(kind for kind in cells if kind.startswith(("$", "\\$")))
    latches = [kind for kind in left if "LATCH" in kind.upper()]
    if latches:
        return FAILED, f"the design has {sum(cells[kind] for kind in latches)} latches; assign in every branch"
    if left:
        return FAILED, f"cells of kind {left[0]} have no counterpart in the library"
    if not total:
        return INFEASIBLE, "the design has no logic: its outputs are constant or wires"
    if total > limits.cells:
        return FAILED, f"{total:,} cells are over the limit of {limits.cells:,}; raise Limits(cells={limits.cells})"
    return OK, ""
