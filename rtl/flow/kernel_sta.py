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
def interval(pool: Floats, at: int, count: int, value: float) -> int:
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
        i = interval(pool, at, rows, x)
        fx = (x - pool[at + i]) / (pool[at + i + 1] - pool[at + i])
    if columns > 1:
        j = interval(pool, at + rows, columns, y)
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
    load: Floats, sign: float, arrival: Floats, slew: Floats, before: Ints,
) -> None:  # fmt: skip
    """One edge through one arc: a worse arrival or a worse slew replaces what the net has."""
    delay = look_up(pool, tables[row[RISE + leave]], slew_in, load[target, leave])
    if row[RISE_SLEW + leave] >= 0:
        slope = look_up(pool, tables[row[RISE_SLEW + leave]], slew_in, load[target, leave])
        if sign * slope > sign * slew[target, leave]:
            slew[target, leave] = slope
    for start in range(2):
        found = delay
        if source >= 0:
            found += arrival[source, enter, start]
        elif start == PORT:  # a flip-flop's output after the edge of an ideal clock at time 0
            break
        if sign * found > sign * arrival[target, leave, start]:
            arrival[target, leave, start] = found
            before[target, leave, start] = 2 * arc + enter


@lean
def propagate(
    order: Ints, cell_arcs: Ints, arc_start: Ints, arcs: Ints, tables: Ints, pool: Floats, pin_start: Ints,
    pin_net: Ints, clock_slew: float, load: Floats, sign: float, arrival: Floats, slew: Floats, before: Ints,
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
        sign: 1 for the latest arrivals and slowest slews, -1 for the earliest and fastest.
        arrival: ns[nets, edge, start], -sign * inf where no path arrives; changed.
        slew: ns[nets, edge], the same; changed.
        before: int32[nets, edge, start], 2 * arc + edge at its input for the arrival, or -1; changed.
    """
    for cell in order:
        pins = pin_start[cell]
        for arc in range(arc_start[cell_arcs[cell]], arc_start[cell_arcs[cell] + 1]):
            row = arcs[arc]
            if row[ROLE] > LAUNCH:
                continue
            launch = row[ROLE] == LAUNCH
            target, source = pin_net[pins + row[TO]], pin_net[pins + row[FROM]]
            for leave in range(2):
                if row[RISE + leave] < 0:
                    continue
                for enter in range(2):
                    if launch:
                        if enter != row[SENSE]:  # of a launch: the edge of the clock
                            continue
                        source, slew_in = -1, clock_slew
                    else:
                        if row[SENSE] != NON and (enter == leave) != (row[SENSE] == POSITIVE):
                            continue
                        slew_in = slew[source, enter]
                        if sign * slew_in == -np.inf:  # no path arrives
                            continue
                    _follow(arc, row, source, target, enter, leave, slew_in, tables, pool, load, sign, arrival, slew,
                            before)  # fmt: skip


@lean
def check(
    flops: Ints, cell_arcs: Ints, arc_start: Ints, arcs: Ints, tables: Ints, pool: Floats, pin_start: Ints,
    pin_net: Ints, clock_slew: float, sign: float, arrival: Floats, slew: Floats, worst: Floats, where: Ints,
) -> None:  # fmt: skip
    """Setup (sign 1) or hold (sign -1) at data pins of flip-flops.

    Args: those of `propagate`, and
        worst: ns[start], latest arrival plus setup time, or earliest arrival minus hold time; changed.
        where: int32[start, 4]: cell, arc, net and edge of it; changed.
    """
    wanted = SETUP if sign > 0 else HOLD
    for cell in flops:
        pins = pin_start[cell]
        for arc in range(arc_start[cell_arcs[cell]], arc_start[cell_arcs[cell] + 1]):
            row = arcs[arc]
            if row[ROLE] != wanted:
                continue
            net = pin_net[pins + row[TO]]
            for edge in range(2):
                if row[RISE + edge] < 0 or sign * slew[net, edge] == -np.inf:
                    continue
                margin = look_up(pool, tables[row[RISE + edge]], clock_slew, slew[net, edge])
                for start in range(2):
                    found = arrival[net, edge, start] + sign * margin
                    if sign * found > sign * worst[start]:
                        worst[start] = found
                        where[start, 0] = cell
                        where[start, 1] = arc
                        where[start, 2] = net
                        where[start, 3] = edge
