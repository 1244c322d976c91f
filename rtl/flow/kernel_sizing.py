"""Compiled choice of sizes: for speed, and for area.

Cells, arcs and tables are those of `kernel_sta`; a cell's list of arcs is its size. Lists of one family have the same
pins, so a cell changes its size by changing its list.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from archgym.rtl.flow.kernel_arrivals import EDGES, close, outputs
from archgym.rtl.flow.kernel_sta import (
    RISE,
    ROLE,
    SETUP,
    TO,
    look_up,
)
from archgym.sims.jit import inner, lean

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]


@inner
def _setup(
    cell: int, size: int, arc_start: Ints, arcs: Ints, tables: Ints, pool: Floats, pin_start: Ints, pin_net: Ints,
    clock_slew: float, arrival: Floats, slew: Floats, latest: float, spread: float,
) -> float:  # fmt: skip
    """A flip-flop's part in the smooth maximum of path delays (`spread` > 0), or its least slack (0)."""
    found = 0.0 if spread > 0.0 else np.inf
    for arc in range(arc_start[size], arc_start[size + 1]):
        row = arcs[arc]
        if row[ROLE] != SETUP:
            continue
        net = pin_net[pin_start[cell] + row[TO]]
        for edge in range(EDGES):
            if row[RISE + edge] >= 0 and arrival[net, edge] > -np.inf:
                end = arrival[net, edge] + look_up(pool, tables[row[RISE + edge]], clock_slew, slew[net, edge])
                if spread > 0.0:
                    found += spread * np.exp((end - latest) / spread)
                else:
                    found = min(found, latest - end)
    return found


@inner
def _fits(pins: int, count: int, size: int, now: int, pin_net: Ints, load: Floats, most: Floats) -> bool:
    """Whether no output exceeds a load limit, unless it does so now with one as low."""
    for pin in range(count):
        net = pin_net[pins + pin]
        limit = most[size, pin]
        if max(load[net, 0], load[net, 1]) > limit and limit < most[now, pin]:
            return False
    return True


@inner
def _lighter(count: int, size: int, now: int, caps: Floats) -> bool:
    """Whether no input pin is a heavier load than it is now."""
    for pin in range(count):
        for edge in range(EDGES):
            if caps[size, pin, edge] > caps[now, pin, edge]:
                return False
    return True


@inner
def _swap(pins: int, count: int, size: int, now: int, pin_net: Ints, caps: Floats, load: Floats) -> None:
    """The loads of the nets at a cell's inputs after a change of its size."""
    for pin in range(count):
        for edge in range(EDGES):
            load[pin_net[pins + pin], edge] += caps[size, pin, edge] - caps[now, pin, edge]


@lean
def speed_up(
    order: Ints, cell_arcs: Ints, arc_start: Ints, arcs: Ints, tables: Ints, pool: Floats, pin_start: Ints,
    pin_net: Ints, clock_slew: float, load: Floats, arrival: Floats, slew: Floats, latest: float, spread: float,
    weight: Floats, steep: Floats, dear: Floats, need: Floats, near: float, gain: float, family: Ints, member: Ints,
    caps: Floats, most: Floats, late: Floats, slow: Floats,
) -> int:  # fmt: skip
    """Give cells near the critical path the size that shortens the smooth maximum most, from the ends backwards.

    A cell's own delay and slew are looked up at each size; what its input pins cost its drivers is of first order.

    Args: those of `kernel_repair.pull_back`, and
        latest: ns, the critical path.
        near: ns, slack (against `latest`) of the cells that may change.
        gain: ns, what a change has to bring.
        family: int32[lists + 1], where the sizes of each list start in `member`.
        member: int32[], lists of the same function, ascending in area.
        caps: fF[lists, pin, edge], of input pins; 0 at outputs.
        most: fF[lists, pin], limits of loads; infinite at inputs.
        late: ns[pins, edge], scratch.
        slow: the same.

    Returns:
        How many cells changed.
    """
    changed = 0
    for step in range(len(order) - 1, -1, -1):
        cell = order[step]
        pins, count, now = pin_start[cell], pin_start[cell + 1] - pin_start[cell], cell_arcs[cell]
        if family[now + 1] - family[now] < 2:
            continue
        if not close(pins, pin_start[cell + 1], pin_net, arrival, need, near):
            continue
        best, chosen, base = 0.0, now, 0.0
        for option in range(family[now] - 1, family[now + 1]):
            size = now if option < family[now] else member[option]  # first what it is now
            if (size == now) != (option < family[now]) or not _fits(pins, count, size, now, pin_net, load, most):
                continue
            outputs(cell, size, arc_start, arcs, tables, pool, pin_start, pin_net, clock_slew, load, arrival, slew,
                     late, slow)  # fmt: skip
            value = _setup(cell, size, arc_start, arcs, tables, pool, pin_start, pin_net, clock_slew, arrival, slew,
                            latest, spread)  # fmt: skip
            for pin in range(count):
                net = pin_net[pins + pin]
                for edge in range(EDGES):
                    value += dear[net, edge] * caps[size, pin, edge]
                    if late[pin, edge] > -np.inf:
                        value += weight[net, edge] * late[pin, edge]
                        if slow[pin, edge] > -np.inf:
                            value += steep[net, edge] * slow[pin, edge]
            if option < family[now]:
                base = value
                best = value - gain
            elif value < best:
                best, chosen = value, size
        if chosen != now and base > best:
            _swap(pins, count, chosen, now, pin_net, caps, load)
            cell_arcs[cell] = chosen
            changed += 1
    return changed


@lean
def recover(
    order: Ints, cell_arcs: Ints, arc_start: Ints, arcs: Ints, tables: Ints, pool: Floats, pin_start: Ints,
    pin_net: Ints, clock_slew: float, load: Floats, arrival: Floats, slew: Floats, before: Floats, was: Floats,
    period: float, need: Floats, pull: Floats, part: float, max_slew: float, family: Ints, member: Ints, caps: Floats,
    most: Floats, late: Floats, slow: Floats,
) -> int:  # fmt: skip
    """Give every cell the smallest size that keeps required times, from the starts of paths onwards.

    Arrivals are followed as sizes change, so that what one cell takes of a path's slack the next no longer has.

    Args: those of `speed_up`, and
        arrival: ns[nets, edge], those of the inputs; the others are overwritten.
        slew: the same.
        before: ns[nets, edge], arrivals with the sizes until now.
        was: ns[nets, edge], slews with them.
        period: ns, that has to close.
        part: of the slack that may be taken.
        max_slew: ns, that no net should exceed.
    """
    changed = 0
    for cell in order:
        pins, count, now = pin_start[cell], pin_start[cell + 1] - pin_start[cell], cell_arcs[cell]
        chosen = now
        for option in range(family[now], family[now + 1]):
            size = member[option]
            if size != now and not (
                _fits(pins, count, size, now, pin_net, load, most) and _lighter(count, size, now, caps)
            ):
                continue
            outputs(cell, size, arc_start, arcs, tables, pool, pin_start, pin_net, clock_slew, load, arrival, slew,
                     late, slow)  # fmt: skip
            if size == now:
                break
            least = _setup(cell, now, arc_start, arcs, tables, pool, pin_start, pin_net, clock_slew, before, was,
                           period, 0.0)  # fmt: skip
            less = _setup(cell, size, arc_start, arcs, tables, pool, pin_start, pin_net, clock_slew, before, was,
                          period, 0.0)  # fmt: skip
            keeps = least == np.inf or less >= least - max(least, 0.0) * part / 2  # the logic before has slack, too
            for pin in range(count):
                net = pin_net[pins + pin]
                for edge in range(EDGES):
                    if late[pin, edge] == -np.inf:
                        continue
                    slower = slow[pin, edge] - was[net, edge]
                    bound = before[net, edge] + part * max(need[net, edge] - before[net, edge], 0.0)
                    if late[pin, edge] + pull[net, edge] * max(slower, 0.0) > bound:
                        keeps = False
                    if slow[pin, edge] > max_slew and slower > 0.0:
                        keeps = False
            if keeps:
                chosen = size
                break
        if chosen != now:
            _swap(pins, count, chosen, now, pin_net, caps, load)
            cell_arcs[cell] = chosen
            changed += 1
        for pin in range(count):
            for edge in range(EDGES):
                if late[pin, edge] > -np.inf:
                    arrival[pin_net[pins + pin], edge] = late[pin, edge]
                    slew[pin_net[pins + pin], edge] = slow[pin, edge]
    return changed
