"""Compiled static timing: look-up of tables, propagation of arrivals and slews, checks at flip-flops.

Edges are numbered 0 = rise, 1 = fall; where a path starts, 0 = register, 1 = input port.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from archgym.sims.jit import inner, lean

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]

# Columns of a row of arcs.
FROM, TO, SENSE, ROLE, RISE, FALL, RISE_SLEW, FALL_SLEW, COLUMNS = range(9)
# Roles of arcs.
COMBINATIONAL, LAUNCH, SETUP, HOLD = range(4)
# Senses: the output follows the input, opposes it, or both.
POSITIVE, NEGATIVE, NON = range(3)
RISING, FALLING = 0, 1
REGISTER, PORT = 0, 1


@inner
def _interval(pool: Floats, at: int, count: int, value: float) -> int:
    """The interval of an axis to interpolate in; the first or last one outside of the axis."""
    low = 0
    while low < count - 2 and pool[at + low + 1] <= value:
        low += 1
    return low


@inner
def look_up(pool: Floats, table: Ints, x: float, y: float) -> float:
    """Bilinear interpolation; outside of the axes the outermost interval continues, as OpenSTA's Table does.

    Args:
        pool: float64, axes and values of all tables.
        table: rows, columns, and where the first axis, the second and the values (row by row) lie in the pool.
        x: of the first axis.
        y: of the second axis.
    """
    rows, columns, at = table[0], table[1], table[2]
    values = at + rows + columns
    i, fx, j, fy = 0, 0.0, 0, 0.0
    if rows > 1:
        i = _interval(pool, at, rows, x)
        fx = (x - pool[at + i]) / (pool[at + i + 1] - pool[at + i])
    if columns > 1:
        j = _interval(pool, at + rows, columns, y)
        fy = (y - pool[at + rows + j]) / (pool[at + rows + j + 1] - pool[at + rows + j])
    corner = values + i * columns + j
    found: float = pool[corner]
    if columns > 1:
        found += fy * (pool[corner + 1] - pool[corner])
    if rows > 1:
        below = pool[corner + columns]
        if columns > 1:
            below += fy * (pool[corner + columns + 1] - below)
        found += fx * (below - found)
    return found


@inner
def _follow(
    arc: int, row: Ints, source: int, target: int, enter: int, leave: int, slew_in: float, tables: Ints, pool: Floats,
    load: Floats, latest: Floats, earliest: Floats, slew: Floats, before: Ints,
) -> None:  # fmt: skip
    """One edge through one arc: a later arrival, an earlier one, or a slower slew replaces what the net has."""
    delay = look_up(pool, tables[row[RISE + leave]], slew_in, load[target, leave])
    if row[RISE_SLEW + leave] >= 0:
        slope = look_up(pool, tables[row[RISE_SLEW + leave]], slew_in, load[target, leave])
        slew[target, leave] = max(slew[target, leave], slope)
    if source < 0:  # a flip-flop's output after the edge of an ideal clock at time 0
        if delay > latest[target, leave, REGISTER]:
            latest[target, leave, REGISTER] = delay
            before[target, leave, REGISTER] = 2 * arc + enter
        earliest[target, leave, REGISTER] = min(earliest[target, leave, REGISTER], delay)
        return
    for start in range(2):
        if latest[source, enter, start] > -np.inf:
            arrival = latest[source, enter, start] + delay
            if arrival > latest[target, leave, start]:
                latest[target, leave, start] = arrival
                before[target, leave, start] = 2 * arc + enter
            arrival = earliest[source, enter, start] + delay
            earliest[target, leave, start] = min(earliest[target, leave, start], arrival)


@lean
def propagate(
    order: Ints, cell_arcs: Ints, arc_start: Ints, arcs: Ints, tables: Ints, pool: Floats, pin_start: Ints,
    pin_net: Ints, clock_slew: float, load: Floats, latest: Floats, earliest: Floats, slew: Floats, before: Ints,
) -> None:  # fmt: skip
    """Arrivals and slews at the outputs of cells, in the order given: sequential cells first, then by level.

    Args:
        order: int32[cells].
        cell_arcs: int32[cells], which list of arcs each cell has.
        arc_start: int32[lists + 1].
        arcs: int32[arcs, COLUMNS].
        tables: int32[tables, 3], see `look_up`.
        pool: float64.
        pin_start: int32[cells + 1].
        pin_net: int32[pins].
        clock_slew: ns, at clock pins.
        load: fF[nets, edge].
        latest: ns[nets, edge, start], -inf where no path arrives; changed.
        earliest: ns[nets, edge, start], inf where no path arrives; changed.
        slew: ns[nets, edge]; changed.
        before: int32[nets, edge, start], 2 * arc + edge at its input for the latest arrival, or -1; changed.
    """
    for cell in order:
        pins = pin_start[cell]
        for arc in range(arc_start[cell_arcs[cell]], arc_start[cell_arcs[cell] + 1]):
            row = arcs[arc]
            if row[ROLE] > LAUNCH:
                continue
            target, launch = pin_net[pins + row[TO]], row[ROLE] == LAUNCH
            source = -1 if launch else pin_net[pins + row[FROM]]
            for leave in range(2):
                if row[RISE + leave] < 0:
                    continue
                for enter in range(2):
                    if launch:
                        if enter == row[SENSE]:  # of a launch: the edge of the clock
                            _follow(arc, row, -1, target, enter, leave, clock_slew, tables, pool, load, latest,
                                earliest, slew, before)  # fmt: skip
                    elif (row[SENSE] == NON or (enter == leave) == (row[SENSE] == POSITIVE)) and (
                        max(latest[source, enter, REGISTER], latest[source, enter, PORT]) > -np.inf
                    ):
                        _follow(arc, row, source, target, enter, leave, slew[source, enter], tables, pool, load, latest,
                                earliest, slew, before)  # fmt: skip


@lean
def check(
    flops: Ints, cell_arcs: Ints, arc_start: Ints, arcs: Ints, tables: Ints, pool: Floats, pin_start: Ints,
    pin_net: Ints, clock_slew: float, latest: Floats, earliest: Floats, slew: Floats, worst: Floats, where: Ints,
    hold: Floats,
) -> None:  # fmt: skip
    """Setup and hold at data pins of flip-flops.

    Args:
        worst: ns[start], latest arrival plus setup time; changed.
        where: int32[start, 4]: cell, arc, net and edge of it; changed.
        hold: ns[start], smallest earliest arrival minus hold time; changed.
    """
    for cell in flops:
        pins = pin_start[cell]
        for arc in range(arc_start[cell_arcs[cell]], arc_start[cell_arcs[cell] + 1]):
            row = arcs[arc]
            if row[ROLE] < SETUP:
                continue
            net = pin_net[pins + row[TO]]
            for edge in range(2):
                if row[RISE + edge] < 0:
                    continue
                margin = look_up(pool, tables[row[RISE + edge]], clock_slew, slew[net, edge])
                for start in range(2):
                    if latest[net, edge, start] == -np.inf:
                        continue
                    if row[ROLE] == HOLD:
                        hold[start] = min(hold[start], earliest[net, edge, start] - margin)
                    elif latest[net, edge, start] + margin > worst[start]:
                        worst[start] = latest[net, edge, start] + margin
                        where[start, 0] = cell
                        where[start, 1] = arc
                        where[start, 2] = net
                        where[start, 3] = edge
