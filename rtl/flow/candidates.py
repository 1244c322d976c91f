"""The netlist for a clock: recipes are tried, static timing decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np

from archgym.core import INFEASIBLE, OK
from archgym.rtl.flow.design import Design
from archgym.rtl.flow.limits import Limits
from archgym.rtl.flow.mapped_once import mapped_once
from archgym.rtl.flow.netlist import Netlist, flatten, read_yosys_json
from archgym.rtl.flow.recipe import Recipe, recipes
from archgym.rtl.flow.repair import repair
from archgym.rtl.flow.synth import Synthesis
from archgym.rtl.flow.target import Target, target
from archgym.rtl.flow.timing import Constraints, Timing, analyse
from archgym.rtl.tech.library_cells import Library, Table
from archgym.rtl.tech.technology import Technology

__all__ = ["Candidate", "Repair", "Search", "driver_slew_ns"]

Repair: TypeAlias = Callable[[Netlist, Library, Constraints, float], Netlist]
"""Sizes and buffers a flattened netlist for a period in ns; 0 asks for the shortest."""

_NEAR = 1.02  # of the shortest critical path


@final
@dataclass(frozen=True, eq=False)
class Candidate:
    """A mapped netlist with its timing."""

    synthesis: Synthesis
    netlist: Netlist
    timing: Timing
    area_um2: float

    @property
    def recipe(self) -> Recipe:
        """How it was made."""
        assert self.synthesis.variant is not None
        return self.synthesis.variant.recipe


@final
class Search:
    """Finds the smallest netlist that closes a period, or the fastest of all."""

    def __init__(
        self,
        design: Design,
        technology: Technology,
        *,
        effort: str = "normal",
        hierarchical: bool = False,
        limits: Limits | None = None,
        repair: Repair | None = repair,
        clock: str = "clk_i",
    ) -> None:
        """Prepare; nothing is run yet."""
        self._design, self._technology = design, technology
        self._library = technology.library
        self._target: Target = target(self._library, technology.driver, technology.load_ff)
        self._recipes = recipes(effort, full_adders=self._target.full_adder is not None)
        self._hierarchical, self._limits, self._repair, self._clock = hierarchical, limits, repair, clock
        self._slew_ns = driver_slew_ns(technology)
        self.cpu_s = 0.0
        self.tried: list[Candidate] = []

    def at(self, clock_ns: float) -> Candidate | Synthesis:
        """The smallest netlist that closes a period, or a synthesis without one that says why."""
        failure = self._try(clock_ns)
        chosen = failure or self._smallest(clock_ns)
        if chosen is not None:
            return chosen
        found = f"the shortest that closes is {min(self.tried, key=_delay).timing.critical_ns:.4g} ns"
        return Synthesis(INFEASIBLE, f"timing: {clock_ns:.4g} ns is too short, {found}", top=self._design.top)

    def fastest(self) -> Candidate | Synthesis:
        """The smallest netlist whose critical path is within 2 % of the shortest: the last percent is bought dearly."""
        failure = self._try(0.0)
        if failure is not None:
            return failure
        near = self._smallest(_NEAR * min(self.tried, key=_delay).timing.critical_ns)
        assert near is not None
        return near

    def _smallest(self, clock_ns: float) -> Candidate | None:
        closed = [each for each in self.tried if each.timing.critical_ns <= clock_ns]
        return min(closed, key=lambda each: (each.area_um2, each.timing.critical_ns), default=None)

    def _try(self, clock_ns: float) -> Synthesis | None:
        """Map, size and time; the first failure, if any."""
        found = mapped_once(
            self._design, self._target, self._recipes, hierarchical=self._hierarchical, limits=self._limits
        )
        self.cpu_s += found[0].cpu_s
        for synthesis in found:
            if synthesis.status != OK:
                return synthesis
            self.tried.append(self._timed(synthesis, clock_ns))
        return None

    def _timed(self, synthesis: Synthesis, clock_ns: float) -> Candidate:
        netlist = flatten(read_yosys_json(synthesis.netlist), synthesis.top, self._library)
        constraints = Constraints(
            clock_ns=clock_ns or 1.0,  # any period will do: what is asked for is the shortest
            clock=self._clock,
            input_slew_ns=self._slew_ns,
            clock_slew_ns=self._slew_ns,
            output_load_ff=self._technology.load_ff,
        )
        if self._repair is not None:
            netlist = self._repair(netlist, self._library, constraints, clock_ns)
        timing = analyse(netlist, self._library, constraints)
        return Candidate(synthesis, netlist, timing, netlist.area_um2(self._library))


def _delay(candidate: Candidate) -> tuple[float, float]:
    return candidate.timing.critical_ns, candidate.area_um2


def driver_slew_ns(technology: Technology) -> float:
    """Slew of the driving cell into the load of an output, its own input as sharp as its tables have it."""
    cell = technology.library.cells[technology.driver]
    tables = [table for arc in cell.arcs for table in (arc.rise_slew, arc.fall_slew) if table is not None]
    return max(_at(table, technology.load_ff) for table in tables)


def _at(table: Table, load_ff: float) -> float:
    return float(np.interp(load_ff, table.index_2, table.values[0]))
