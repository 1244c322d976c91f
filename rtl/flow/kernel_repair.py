"""Compiled steps of gate sizing: slopes of a design's delay, the choice of sizes for speed, and area recovery.

Cells, arcs and tables are those of `kernel_sta`; a cell's list of arcs is its size. Lists of one family have the same
pins, so a cell changes its size by changing its list.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from archgym.rtl.flow.kernel_sta import (
    COMBINATIONAL,
    FROM,
    LAUNCH,
    NON,
    POSITIVE,
    RISE,
    RISE_SLEW,
    ROLE,
    SENSE,
    SETUP,
    TO,
    interval,
    look_up,
)
from archgym.sims.jit import inner, lean

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]

_EDGES = 2
_SAME = 1e-12  # relative; the gradient rounds in another order than the look-up


@inner
def _gradient(pool: Floats, table: Ints, x: float, y: float) -> tuple[float, float, float]:
    """What `kernel_sta.look_up` finds, and its derivatives along both axes."""
    rows, columns, at = table[0], table[1], table[2]
    values = at + rows + columns
    i, fx, dx, j, fy, dy = 0, 0.0, 1.0, 0, 0.0, 1.0
    if rows > 1:
        i = interval(pool, at, rows, x)
        dx = pool[at + i + 1] - pool[at + i]
        fx = (x - pool[at + i]) / dx
    if columns > 1:
        j = interval(pool, at + rows, columns, y)
        dy = pool[at + rows + j + 1] - pool[at + rows + j]
        fy = (y - pool[at + rows + j]) / dy
    corner = values + i * columns + j
    right, down = (1 if columns > 1 else 0), (columns if rows > 1 else 0)
    top = pool[corner + right] - pool[corner]
    bottom = pool[corner + down + right] - pool[corner + down]
    above, below = pool[corner] + fy * top, pool[corner + down] + fy * bottom
    return above + fx * (below - above), (below - above) / dx, (top + fx * (bottom - top)) / dy


@inner
def _passes(row: Ints, enter: int, leave: int) -> bool:
    """Whether an edge at the input makes this edge at the output."""
    if row[RISE + leave] < 0:
        return False
    if row[ROLE] == LAUNCH:
        return bool(enter == row[SENSE])
    return bool(row[SENSE] == NON or (enter == leave) == (row[SENSE] == POSITIVE))


@inner
def _close(first: int, last: int, pin_net: Ints, arrival: Floats, need: Floats, near: float) -> bool:
    """Whether one of some pins is on a critical path."""
    for pin in range(first, last):
        net = pin_net[pin]
        if need[net, 0] - arrival[net, 0] <= near or need[net, 1] - arrival[net, 1] <= near:
            return True
    return False


@lean
def ends(
    flops: Ints, cell_arcs: Ints, arc_start: Ints, arcs: Ints, tables: Ints, pool: Floats, pin_start: Ints,
    pin_net: Ints, clock_slew: float, arrival: Floats, slew: Floats, period: float, latest: float, spread: float,
    near: float, weight: Floats, steep: Floats, need: Floats, pull: Floats, room: Floats,
) -> None:  # fmt: skip
    """What setup times at flip-flops ask of their nets; arguments as `pull_back`."""
    for cell in flops:
        pins = pin_start[cell]
        for arc in range(arc_start[cell_arcs[cell]], arc_start[cell_arcs[cell] + 1]):
            row = arcs[arc]
            if row[ROLE] != SETUP:
                continue
            net = pin_net[pins + row[TO]]
            for edge in range(_EDGES):
                if row[RISE + edge] < 0 or arrival[net, edge] == -np.inf:
                    continue
                table = tables[row[RISE + edge]]
                margin, _, by_slew = _gradient(pool, table, clock_slew, slew[net, edge])
                pull[net, edge] = max(pull[net, edge], by_slew)
                need[net, edge] = min(need[net, edge], period - margin)
                room[pins + row[TO]] = min(room[pins + row[TO]], period - margin - arrival[net, edge])
                if period - margin - arrival[net, edge] > near:
                    continue
                share = np.exp((arrival[net, edge] + margin - latest) / spread)
                weight[net, edge] += share
                steep[net, edge] += share * by_slew


@lean
def pull_back(
    order: Ints, cell_arcs: Ints, arc_start: Ints, arcs: Ints, tables: Ints, pool: Floats, pin_start: Ints,
    pin_net: Ints, clock_slew: float, load: Floats, arrival: Floats, slew: Floats, spread: float, near: float,
    weight: Floats, steep: Floats, dear: Floats, need: Floats, room: Floats, sums: Floats,
) -> None:  # fmt: skip
    """Go from the ends of critical paths to their starts: derivatives of a smooth maximum of all path delays.

    The maximum over the arcs into a net is that of log-sum-exp, whose derivative spreads over paths that are nearly as
    late as the latest; with it goes the chain rule through delays and slews. Paths with more slack than `near` are
    left out: their required times stay infinite.

    Args: those of `kernel_sta.propagate`, and
        arrival: ns[nets, edge], from registers or ports, whichever is later.
        spread: ns, how far behind the latest a path still counts (1/e).
        near: ns, slack of the paths that are looked at.
        weight: [nets, edge], derivative by the arrival; given at the ends of paths; changed.
        steep: [nets, edge], derivative by the slew; given at ends; changed.
        dear: ns/fF[nets, edge], derivative by the load; changed.
        need: ns[nets, edge], required times; given at ends; changed.
        room: ns[pins], slack of the paths through an input pin; infinite at first; changed.
        sums: [most pins of a cell, edge], scratch.
    """
    for step in range(len(order) - 1, -1, -1):
        cell = order[step]
        pins, first, last = pin_start[cell], arc_start[cell_arcs[cell]], arc_start[cell_arcs[cell] + 1]
        if not _close(pins, pin_start[cell + 1], pin_net, arrival, need, near):
            continue
        sums[:] = 0.0
        for turn in range(2):  # sums of weights, then shares
            for arc in range(first, last):
                row = arcs[arc]
                if row[ROLE] > LAUNCH:
                    continue
                launch = row[ROLE] == LAUNCH
                source, target = pin_net[pins + row[FROM]], pin_net[pins + row[TO]]
                for leave in range(_EDGES):
                    if weight[target, leave] == 0.0 and steep[target, leave] == 0.0:
                        continue
                    y = load[target, leave]
                    for enter in range(_EDGES):
                        if not _passes(row, enter, leave) or (not launch and arrival[source, enter] == -np.inf):
                            continue
                        x = clock_slew if launch else slew[source, enter]
                        start = 0.0 if launch else arrival[source, enter]
                        table = tables[row[RISE + leave]]
                        delay, by_slew, by_load = _gradient(pool, table, x, y)
                        by = need[target, leave] - delay
                        if by - start > near:
                            continue
                        late = np.exp((start + delay - arrival[target, leave]) / spread)
                        if turn == 0:
                            sums[row[TO], leave] += late
                            continue
                        share = weight[target, leave] * late / sums[row[TO], leave]
                        by_slew, by_load = share * by_slew, share * by_load
                        if row[RISE_SLEW + leave] >= 0:
                            slope, along, across = _gradient(pool, tables[row[RISE_SLEW + leave]], x, y)
                            if slope >= slew[target, leave] * (1 - _SAME):  # it is the one that is kept
                                by_slew += steep[target, leave] * along
                                by_load += steep[target, leave] * across
                        dear[target, leave] += by_load
                        if not launch:
                            weight[source, enter] += share
                            steep[source, enter] += by_slew
                            need[source, enter] = min(need[source, enter], by)
                            room[pins + row[FROM]] = min(room[pins + row[FROM]], by - start)


@lean
def required(
    order: Ints, cell_arcs: Ints, arc_start: Ints, arcs: Ints, tables: Ints, pool: Floats, pin_start: Ints,
    pin_net: Ints, load: Floats, arrival: Floats, slew: Floats, need: Floats, pull: Floats,
) -> None:  # fmt: skip
    """Required times of all nets, and what slower slews cost.

    Args: those of `pull_back`, and
        need: ns[nets, edge]; given at ends; changed.
        pull: [nets, edge], largest derivative of the delay of a path onwards by the slew; given at ends; changed.
    """
    for step in range(len(order) - 1, -1, -1):
        cell = order[step]
        pins = pin_start[cell]
        for arc in range(arc_start[cell_arcs[cell]], arc_start[cell_arcs[cell] + 1]):
            row = arcs[arc]
            if row[ROLE] != COMBINATIONAL:
                continue
            source, target = pin_net[pins + row[FROM]], pin_net[pins + row[TO]]
            for leave in range(_EDGES):
                y = load[target, leave]
                for enter in range(_EDGES):
                    if not _passes(row, enter, leave) or arrival[source, enter] == -np.inf:
                        continue
                    x, table = slew[source, enter], tables[row[RISE + leave]]
                    delay, by_slew, _ = _gradient(pool, table, x, y)
                    need[source, enter] = min(need[source, enter], need[target, leave] - delay)
                    if row[RISE_SLEW + leave] >= 0:
                        by_slew += pull[target, leave] * _gradient(pool, tables[row[RISE_SLEW + leave]], x, y)[1]
                    pull[source, enter] = max(pull[source, enter], by_slew)


@inner
def _outputs(
    cell: int, size: int, arc_start: Ints, arcs: Ints, tables: Ints, pool: Floats, pin_start: Ints, pin_net: Ints,
    clock_slew: float, load: Floats, arrival: Floats, slew: Floats, late: Floats, slow: Floats,
) -> None:  # fmt: skip
    """Arrivals and slews at the outputs of a cell, were it of this size."""
    pins = pin_start[cell]
    late[:] = -np.inf
    slow[:] = -np.inf
    for arc in range(arc_start[size], arc_start[size + 1]):
        row = arcs[arc]
        if row[ROLE] > LAUNCH:
            continue
        launch = row[ROLE] == LAUNCH
        source, target = pin_net[pins + row[FROM]], pin_net[pins + row[TO]]
        for leave in range(_EDGES):
            for enter in range(_EDGES):
                if not _passes(row, enter, leave) or (not launch and arrival[source, enter] == -np.inf):
                    continue
                x = clock_slew if launch else slew[source, enter]
                start = 0.0 if launch else arrival[source, enter]
                y = load[target, leave]
                late[row[TO], leave] = max(late[row[TO], leave], start + look_up(pool, tables[row[RISE + leave]], x, y))
                if row[RISE_SLEW + leave] >= 0:
                    slow[row[TO], leave] = max(
                        slow[row[TO], leave], look_up(pool, tables[row[RISE_SLEW + leave]], x, y)
                    )


@lean
def follow(
    order: Ints, cell_arcs: Ints, arc_start: Ints, arcs: Ints, tables: Ints, pool: Floats, pin_start: Ints,
    pin_net: Ints, clock_slew: float, load: Floats, arrival: Floats, slew: Floats, stale: NDArray[np.bool_],
    sink_start: Ints, sink_cell: Ints, late: Floats, slow: Floats,
) -> None:  # fmt: skip
    """Latest arrivals and slowest slews behind the cells that changed; as `kernel_sta.propagate` finds them.

    Args: those of `speed_up`, and
        stale: bool[cells], cells to look at; all False in the end.
        sink_start: int32[nets + 1].
        sink_cell: int32[input pins], cells by the net they listen to.
    """
    for cell in order:
        if not stale[cell]:
            continue
        stale[cell] = False
        pins, size = pin_start[cell], cell_arcs[cell]
        _outputs(cell, size, arc_start, arcs, tables, pool, pin_start, pin_net, clock_slew, load, arrival, slew, late,
                 slow)  # fmt: skip
        for pin in range(pin_start[cell + 1] - pins):
            if late[pin, 0] == -np.inf and late[pin, 1] == -np.inf:
                continue
            net, moved = pin_net[pins + pin], False
            for edge in range(_EDGES):
                if arrival[net, edge] != late[pin, edge] or slew[net, edge] != slow[pin, edge]:
                    arrival[net, edge], slew[net, edge], moved = late[pin, edge], slow[pin, edge], True
            if moved:
                for sink in range(sink_start[net], sink_start[net + 1]):
                    stale[sink_cell[sink]] = True


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
        for edge in range(_EDGES):
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
        for edge in range(_EDGES):
            if caps[size, pin, edge] > caps[now, pin, edge]:
                return False
    return True


@inner
def _swap(pins: int, count: int, size: int, now: int, pin_net: Ints, caps: Floats, load: Floats) -> None:
    """The loads of the nets at a cell's inputs after a change of its size."""
    for pin in range(count):
        for edge in range(_EDGES):
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

    Args: those of `pull_back`, and
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
        if not _close(pins, pin_start[cell + 1], pin_net, arrival, need, near):
            continue
        best, chosen, base = 0.0, now, 0.0
        for option in range(family[now] - 1, family[now + 1]):
            size = now if option < family[now] else member[option]  # first what it is now
            if (size == now) != (option < family[now]) or not _fits(pins, count, size, now, pin_net, load, most):
                continue
            _outputs(cell, size, arc_start, arcs, tables, pool, pin_start, pin_net, clock_slew, load, arrival, slew,
                     late, slow)  # fmt: skip
            value = _setup(cell, size, arc_start, arcs, tables, pool, pin_start, pin_net, clock_slew, arrival, slew,
                            latest, spread)  # fmt: skip
            for pin in range(count):
                net = pin_net[pins + pin]
                for edge in range(_EDGES):
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
            _outputs(cell, size, arc_start, arcs, tables, pool, pin_start, pin_net, clock_slew, load, arrival, slew,
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
                for edge in range(_EDGES):
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
            for edge in range(_EDGES):
                if late[pin, edge] > -np.inf:
                    arrival[pin_net[pins + pin], edge] = late[pin, edge]
                    slew[pin_net[pins + pin], edge] = slow[pin, edge]
    return changed
