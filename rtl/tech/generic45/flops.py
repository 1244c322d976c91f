"""The flip-flops: two C2MOS latches in series, plain or with an asynchronous reset or set.

Clocked inverters as in Weste and Harris, 4th ed., section 10.3 (Suzuki et al., JSSC 8(6), 1973): the master takes D
while the clock is low, the slave takes the master while it is high; a weak clocked inverter keeps either while it is
closed.

    CK -> ckn -> ckb     D -[TI1: ckb low]-> m1 -> m2 -[keeper]-> m1     m1 -[TI2: ckb high]-> s1 -> s2 -> Q
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from archgym.rtl.tech.generic45.geometry import output_ff, signal_ff
from archgym.rtl.tech.generic45.leakage import stage_nw
from archgym.rtl.tech.generic45.switching import Event, fire
from archgym.rtl.tech.generic45.timing import SLEWS_NS
from archgym.rtl.tech.generic45.topology import CellPlan, Parallel, Series, Stage, Tree

__all__ = ["CONSTRAINT_SLEWS_NS", "FlopPlan", "FlopTables", "flops", "tables"]

Floats = NDArray[np.float64]
CONSTRAINT_SLEWS_NS = SLEWS_NS[[0, 3, 6]]
_HALF = 0.5
_WEAK = 0.25
"""Keepers: a half of the stage they must give way to."""


@final
@dataclass(frozen=True)
class FlopPlan:
    """A flip-flop; `asynchronous` is "", "RN" (clears) or "SN" (sets), both active low."""

    name: str
    drive: int
    asynchronous: str

    @property
    def plan(self) -> CellPlan:
        """Stages and pins."""
        clear, preset = self.asynchronous == "RN", self.asynchronous == "SN"
        stages = (
            Stage("ckn", "CK", _HALF),
            Stage("ckb", "ckn", _HALF),
            _clocked("m1", "D", "ckn", "ckb", _HALF),
            Stage("m2", Series(("m1", "SN")) if preset else "m1", _HALF),
            _clocked("m1k", Series(("m2", "RN")) if clear else "m2", "ckb", "ckn", _WEAK),
            _clocked("s1", "m1", "ckb", "ckn", _HALF),
            Stage("s2", Series(("s1", "RN")) if clear else "s1", max(_HALF, self.drive / 2)),
            _clocked("s1k", Series(("s2", "SN")) if preset else "s2", "ckn", "ckb", _WEAK),
            Stage("Q", "s2", self.drive),
        )
        pins = ("CK", "D", self.asynchronous) if self.asynchronous else ("CK", "D")
        # Two columns where clock phases cross (one in each latch), one break between keeper and output.
        return CellPlan(self.name, pins, {"Q": "IQ"}, stages, extra_columns=3)


def _clocked(output: str, data: Tree, clock_n: str, clock_p: str, fingers: float) -> Stage:
    """An inverter (or NAND) whose n network conducts with `clock_n` high, its p network with `clock_p` low."""
    up = data if isinstance(data, str) else Parallel(data.parts if isinstance(data, Series) else (data,))
    parts = data.parts if isinstance(data, Series) else (data,)
    return Stage(output, Series((clock_n, *parts)), fingers, Series((clock_p, up)), clocked=True)


@final
@dataclass(frozen=True)
class FlopTables:
    """Timing and energy; by whether the moving pin (Q, or D for constraints) rises."""

    delay: dict[bool, Floats]
    """CK to Q, float64[slews, loads], ns."""
    slew: dict[bool, Floats]
    energy: dict[bool, Floats]
    """fJ of slave and output when Q moves; the clock's share is in `clock`."""
    setup: dict[bool, Floats]
    """float64[CK slews, D slews], ns."""
    hold: dict[bool, Floats]
    data: dict[bool, Floats]
    """fJ of the master when D moves while the clock is low, float64[slews]."""
    clock: dict[bool, Floats]
    """fJ of the clock inverters and the clocked gates per transition of CK, float64[slews]."""
    asynchronous: tuple[Floats, Floats, Floats] | None
    """Delay, slew and energy from RN or SN to Q."""
    leakage_nw: float


@final
class _Solver:
    """Fires stages of one flip-flop in sequence."""

    def __init__(self, plan: CellPlan) -> None:
        self.plan = plan
        self.stages = {stage.output: stage for stage in plan.stages}
        # A keeper's own output hangs on the node it keeps.
        self.extra = {name: output_ff(self.stages[f"{name}k"]) for name in ("m1", "s1")}

    def step(self, output: str, moving: str, cause: Event, load_ff: Floats | float = 0.0) -> Event:
        """`output` moves because `moving` did; the other inputs let it."""
        stage = self.stages[output]
        after = _sensitive(stage, moving, rises=cause.rises)
        before = {**after, moving: not cause.rises}
        inside = signal_ff(self.plan, output) + self.extra.get(output, 0.0)
        return fire(stage, moving, cause, before=before, after=after, inside_ff=inside, load_ff=load_ff)


def _sensitive(stage: Stage, moving: str, *, rises: bool) -> dict[str, bool]:
    """Values after `moving` has risen (fallen) that turn the n (p) network on."""
    if stage.clocked and moving in {
        "ckn",
        "ckb",
    }:  # the phases are each other's complements: the other network goes off
        return dict.fromkeys(stage.inputs, rises)
    values = {**dict.fromkeys(stage.inputs, True), moving: rises}
    if stage.clocked and isinstance(stage.up, Series) and isinstance(stage.up.parts[0], str):
        values[stage.up.parts[0]] = False  # the p transistor's phase of an open stage
    return values


def _start(slews: Floats, *, rises: bool) -> Event:
    zero = np.zeros(slews.shape)
    return Event(rises, zero, slews, zero)


def tables(flop: FlopPlan, loads_ff: Floats) -> FlopTables:
    """All tables of a flip-flop."""
    solver = _Solver(flop.plan)
    slews = np.broadcast_to(SLEWS_NS[:, None], (len(SLEWS_NS), len(loads_ff)))
    delay, slew, energy = {}, {}, {}
    for rises in (True, False):
        clock = solver.step("ckn", "CK", _start(slews, rises=True))
        # s1 rises through its p transistor at ckn, falls through its n transistor at ckb.
        opened = clock if rises else solver.step("ckb", "ckn", clock)
        first = solver.step("s1", "ckn" if rises else "ckb", opened)
        second = solver.step("s2", "s1", first)
        out = solver.step("Q", "s2", second, loads_ff[None, :])
        delay[rises], slew[rises] = out.arrival, out.slew
        energy[rises] = first.energy_fj + second.energy_fj + out.energy_fj
    setup, hold = _constraints(solver)
    data, clock_energy = {}, {}
    for rises in (True, False):
        into = solver.step("m1", "D", _start(SLEWS_NS, rises=rises))
        data[rises] = into.energy_fj + solver.step("m2", "m1", into).energy_fj
        edge = solver.step("ckn", "CK", _start(SLEWS_NS, rises=rises))
        clock_energy[rises] = edge.energy_fj + solver.step("ckb", "ckn", edge).energy_fj
    return FlopTables(
        delay,
        slew,
        energy,
        setup,
        hold,
        data,
        clock_energy,
        _asynchronous(flop, solver, slews, loads_ff),
        _leakage(flop.plan),
    )


def _constraints(solver: _Solver) -> tuple[dict[bool, Floats], dict[bool, Floats]]:
    """D must be through the master before its keeper takes over; it may change once TI1 has closed.

    Setup: D to m2, less the clock's way to the keeper (ckn, or ckn and ckb, whichever opens first). Hold: the clock's
    way to TI1's transistors, less D's way to m1 (a ramp that has not reached m1 by then does not move it).
    """
    size = len(CONSTRAINT_SLEWS_NS)
    clock_slews = np.repeat(CONSTRAINT_SLEWS_NS, size)
    data_slews = np.tile(CONSTRAINT_SLEWS_NS, size)
    ckn = solver.step("ckn", "CK", _start(clock_slews, rises=True))
    ckb = solver.step("ckb", "ckn", ckn)
    setup, hold = {}, {}
    for rises in (True, False):
        into = solver.step("m1", "D", _start(data_slews, rises=rises))
        through = solver.step("m2", "m1", into)
        setup[rises] = (through.arrival - ckn.arrival).reshape(size, size)
        closed = ckn if rises else ckb  # m1 would fall through the n transistor at ckn, rise through the p one at ckb
        hold[rises] = (closed.arrival - into.arrival).reshape(size, size)
    return setup, hold


def _asynchronous(
    flop: FlopPlan, solver: _Solver, slews: Floats, loads_ff: Floats
) -> tuple[Floats, Floats, Floats] | None:
    if not flop.asynchronous:
        return None
    edge = _start(slews, rises=False)
    if flop.asynchronous == "RN":
        second = solver.step("s2", "RN", edge)
        spent = second.energy_fj
    else:  # SN works on the nodes that the latches keep: through the slave's keeper (or the master, as slow)
        first = solver.step("s1k", "SN", edge, signal_ff(solver.plan, "s1") + output_ff(solver.stages["s1"]))
        second = solver.step("s2", "s1", first)
        spent = first.energy_fj + second.energy_fj
    out = solver.step("Q", "s2", second, loads_ff[None, :])
    return out.arrival, out.slew, spent + out.energy_fj


def _leakage(plan: CellPlan) -> float:
    """Mean over clock and data, all other inputs inactive."""
    total, count = 0.0, 0
    for clock in (False, True):
        for held in (False, True):  # what both latches hold
            values = {"CK": clock, "ckn": not clock, "ckb": clock, "D": held, "RN": True, "SN": True}
            values |= {"m1": not held, "m2": held, "s1": held, "s2": not held, "Q": held}
            total += sum(stage_nw(stage, values) for stage in plan.stages)
            count += 1
    return total / count


def flops() -> list[FlopPlan]:
    """All flip-flops."""
    kinds = (("DFF", ""), ("DFFR", "RN"), ("DFFS", "SN"))
    return [FlopPlan(f"{name}_X{drive}", drive, pin) for name, pin in kinds for drive in (1, 2)]
