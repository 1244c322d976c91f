"""RTL to a netlist of standard cells, by Yosys and ABC in a worker process.

    found = synthesise(Design.of(block, {"Width": 8}), target(library, driver, load_ff), clock_ns=1.0)
    netlist = flatten(read_yosys_json(found.netlist), found.top, library)

Flattened, everything below the top is one netlist and optimised as a whole. Hierarchically, each module of
`Design.keep` is mapped once for each set of parameters, as commercial flows do with arrays; the netlist has it once and
instances of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias, final

from archgym.core import FAILED, INFEASIBLE, OK
from archgym.rtl.flow import scratch
from archgym.rtl.flow.design import Design
from archgym.rtl.flow.limits import RAISE, Limits
from archgym.rtl.flow.mapped import children, count_cells, instance_name, renamed
from archgym.rtl.flow.messages import logic_loop
from archgym.rtl.flow.recipe import BALANCED, Recipe
from archgym.rtl.flow.script import Variant, netlist_file, steps, write_scripts
from archgym.rtl.flow.target import Target
from archgym.rtl.flow.worker import Worker, worker

__all__ = ["Synthesis", "Variant", "synthesise", "synthesise_all"]

Json: TypeAlias = dict[str, Any]

_LATCHES = (
    "the design has latches, which the flow does not map; use registers, and always_comb that assigns in every branch"
)


@final
@dataclass(frozen=True)
class Synthesis:
    """A mapped netlist, or why there is none."""

    status: str
    """"ok", "infeasible" (nothing to build), "failed" or "timeout"."""
    reason: str = ""
    netlist: str = ""
    """What `write_json` wrote, all modules in one text."""
    top: str = ""
    cells: Mapping[str, int] = field(default_factory=dict)
    """Number of cells of each kind, hierarchy expanded."""
    variant: Variant | None = None
    log: str = ""
    cpu_s: float = 0.0
    """Of the job, which may have mapped several variants."""


def synthesise(
    design: Design,
    target: Target,
    *,
    clock_ns: float | None = None,
    recipe: Recipe = BALANCED,
    hierarchical: bool = False,
    limits: Limits | None = None,
    keep: Path | None = None,
) -> Synthesis:
    """Map a design once.

    Args:
        design: what to map.
        target: the cells to map to.
        clock_ns: delay that ABC buffers and sizes for; None leaves that to `repair`, which sees the whole netlist.
        recipe: how.
        hierarchical: map modules of `design.keep` once and instantiate them.
        limits: when to give up.
        keep: where to leave a copy of the scratch folder, scripts and log.
    """
    variants = [Variant(recipe, clock_ns)]
    return synthesise_all(design, target, variants, hierarchical=hierarchical, limits=limits, keep=keep)[0]


def synthesise_all(
    design: Design,
    target: Target,
    variants: Sequence[Variant],
    *,
    hierarchical: bool = False,
    limits: Limits | None = None,
    keep: Path | None = None,
) -> list[Synthesis]:
    """Map a design in several ways; what they share is done once. All fail together where the tools end."""
    job = _Job(target, variants, limits or Limits(), design.keep if hierarchical else (), keep)
    with worker() as process:
        return job.run(process, design)


@final
@dataclass(eq=False)
class _Job:
    target: Target
    variants: Sequence[Variant]
    limits: Limits
    keep_modules: tuple[str, ...]
    keep: Path | None
    log: str = ""
    cpu_s: float = 0.0

    def run(self, process: Worker, design: Design) -> list[Synthesis]:
        """Map the top, then each module that was left out, until none is new."""
        merged: list[Json] = [{} for _ in self.variants]
        waiting, seen = [(design, design.top)], {design.top}
        while waiting:
            part, name = waiting.pop(0)
            found = self._map(process, part, top=name == design.top)
            if isinstance(found, Synthesis):
                return [replace(found, top=design.top, variant=each, log=self.log) for each in self.variants]
            for modules, bodies in zip(merged, found, strict=True):
                body = bodies[part.top]
                below = children(body, self.keep_modules)
                modules[name] = renamed(body, below, top=name == design.top)
                for module, parameters in below:
                    kind = instance_name(module, parameters)
                    if kind not in seen:
                        seen.add(kind)
                        waiting.append((replace(design, top=module, parameters=dict(parameters)), kind))
        return [self._result(design, modules, each) for modules, each in zip(merged, self.variants, strict=True)]

    def _map(self, process: Worker, design: Design, *, top: bool) -> list[Json] | Synthesis:
        boxes = [name for name in self.keep_modules if name != design.top]
        keep = self.keep if top or self.keep is None else self.keep / design.top
        with scratch.folder(keep=keep) as folder:
            write_scripts(folder, self.target, self.variants)
            script = steps(design.linked(folder), self.target, self.variants, boxes)
            outcome = process.run(script, folder, self.limits)
            log = folder / "log.txt"
            if log.exists():
                self.log += log.read_text(encoding="utf-8", errors="replace")
            self.cpu_s += outcome.cpu_s
            if outcome.status != OK:
                reason = _LATCHES if "_DLATCH" in outcome.reason else outcome.reason
                return Synthesis(outcome.status, reason, cpu_s=self.cpu_s)
            texts = [(folder / netlist_file(index)).read_text(encoding="utf-8") for index in range(len(self.variants))]
        return [json.loads(text)["modules"] for text in texts]

    def _result(self, design: Design, modules: Json, variant: Variant) -> Synthesis:
        cells = count_cells(modules, design.top)
        status, reason = self._verdict(cells)
        text = json.dumps({"modules": modules}, separators=(",", ":"))
        return Synthesis(status, reason, text, design.top, cells, variant, self.log, self.cpu_s)

    def _verdict(self, cells: Mapping[str, int]) -> tuple[str, str]:
        left = sorted(set(cells) - self.target.cells)
        total = sum(cells.values())
        if loop := logic_loop(self.log):
            return FAILED, loop
        if left and left[0].startswith("$"):
            return FAILED, f"{left[0]} has no counterpart in the library"
        if left:
            return FAILED, f"module {left[0]} has no content (a black box); give its source"
        if not total:
            return INFEASIBLE, "the design has no logic: its outputs are constants or its inputs"
        if total > self.limits.cells:
            return FAILED, f"{total:,} cells are over the limit of {self.limits.cells:,}; {RAISE} of cells"
        return OK, ""
