"""Sizing and buffering of a flat mapped netlist with its true loads.

A mapper sees one module at a time, no wires, and leaves flip-flops as they are. Here, with all modules in place:

- cells above the library's limits of load and slew get a larger drive, what is too heavy for any drive gets buffers;
- cells of critical paths change their drive where this shortens the paths (in the spirit of TILOS: Fishburn and
  Dunlop, ICCAD 1985; with the derivatives of a smooth maximum of all paths in place of one path at a time);
- critical nets get buffers (`repair_buffers`);
- all other cells become as small as the required times allow (after the delay budgeting of Coudert, IEEE TVLSI 5(4),
  1997: sizing under the slack of the last timing analysis).

The function does not change: cells are replaced by cells of the same truth table, buffers are inserted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from archgym.rtl.flow.repair_buffers import branches
from archgym.rtl.flow.repair_insert import insert
from archgym.rtl.flow.repair_state import State

if TYPE_CHECKING:
    from archgym.rtl.flow.flat import Netlist
    from archgym.rtl.flow.timing import Constraints
    from archgym.rtl.tech.liberty import Library

__all__ = ["repair"]

_SPREADS = (0.03, 0.015)  # of the critical path: how far behind it a path counts, coarse to fine
_NEAR = 4.0  # spreads: exp(-4) = 2 % of the weight of the critical path
_GAIN = 5e-4  # of the critical path: what a change of one cell has to bring, so that area is not spent on nothing
_STALL = 0.002  # a pass that brings less counts as none
_PASSES = 8  # of sizing between buffering, for each spread at most
_LEVELS = 6  # of buffers on a net that is too heavy: 10^6 sinks at a fan-out of ten
_ROUNDS = 3  # of buffering critical nets
_ROUNDING = 1e-9  # loads are added up in another order here than by `timing.analyse`
_PARTS = (0.5, 0.75, 1.0, 1.0)  # of the slack that a pass of area recovery may take


def repair(netlist: Netlist, library: Library, constraints: Constraints, target_ns: float | None = None) -> Netlist:
    """Size and buffer.

    Args:
        netlist: of cells of `library`.
        library: its cells; drives are found by function.
        constraints: what surrounds the block; the period of it is not used.
        target_ns: period to close with the least area; None or 0 means the shortest.

    Returns:
        A netlist of the same function. Its critical path is no longer than the target, or no longer than before.
    """
    target = (target_ns or 0.0) * (1 - _ROUNDING)
    state = State(netlist, library, constraints)
    before = state.times().critical_ns
    if before <= 0.0:  # no paths
        return netlist
    state = _legal(state)
    _speed_up(state, target)
    for _ in range(_ROUNDS):
        after = _buffered(state, target)
        if after is None:
            break
        state = after
    _recover(state, target)
    found = state.netlist()
    return found if state.times().critical_ns <= max(before * (1 - _ROUNDING), target) else netlist


def _legal(state: State) -> State:
    """Drives and buffers for loads above the limits."""
    for _ in range(_LEVELS):
        state.lift()
        times = state.times()
        found = branches(state, times, state.slopes(times, _SPREADS[0] * times.critical_ns, 0.0), 0.0, float("inf"))
        if not found:
            break
        state = State(insert(state.netlist(), state.library, found), state.library, state.constraints)
    return state


def _speed_up(state: State, target: float, spreads: tuple[float, ...] = _SPREADS) -> float:
    """Passes of sizing, from coarse to fine; the best sizes stay. Returns the critical path."""
    times = state.times()
    best, saved = times.critical_ns, state.save()
    for part in spreads:
        stalled = 0
        for _ in range(_PASSES):
            if best <= target:
                return best
            spread = part * times.critical_ns
            slopes = state.slopes(times, spread, _NEAR * spread)
            if not state.speed_up(times, slopes, _NEAR * spread, spread, _GAIN * times.critical_ns):
                break
            times = state.times()
            stalled += times.critical_ns > best * (1 - _STALL)
            if times.critical_ns < best:
                best, saved = times.critical_ns, state.save()
            if stalled == 2:
                break
        state.restore(saved)
        times = state.times()
    return best


def _buffered(state: State, target: float) -> State | None:
    """Buffers on critical nets and sizes with them; None where that is no better."""
    times = state.times()
    period = times.critical_ns
    if period <= target:
        return None
    spread = _SPREADS[0] * period
    slopes = state.slopes(times, spread, _NEAR * spread)
    found = branches(state, times, slopes, _NEAR * spread, _STALL * period)
    if not found:
        return None
    after = State(insert(state.netlist(), state.library, found), state.library, state.constraints)
    return after if _speed_up(after, target, _SPREADS[1:]) < period * (1 - _STALL) else None


def _recover(state: State, target: float) -> None:
    """Smaller cells where there is slack; what does not close is taken back."""
    times = state.times()
    period = aim = max(target, times.critical_ns)
    for part in _PARTS:
        saved, area = state.save(), state.area_um2
        if not state.recover(times, state.required(times, aim), aim, part):
            break
        over = state.times().critical_ns - period
        if over > 0 and (_speed_up(state, period) > period or state.area_um2 >= area):
            state.restore(saved)
            aim -= over
        times = state.times()
