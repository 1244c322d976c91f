"""Compiled walks from the ends of paths to their starts: slopes of a design's delay, and required times.

Cells, arcs and tables are those of `kernel_sta`; a cell's list of arcs is its size. Lists of one family have the same
pins, so a cell changes its size by changing its list.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from archgym.rtl.flow.kernel_arrivals import EDGES, close, passes
from archgym.rtl.flow.kernel_sta import (
    COMBINATIONAL,
    FROM,
    LAUNCH,
    RISE,
    RISE_SLEW,
    ROLE,
    SETUP,
    TO,
    interval,
)
from archgym.sims.jit import inner, lean

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]

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
            for edge in range(EDGES):
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
        if not close(pins, pin_start[cell + 1], pin_net, arrival, need, near):
            continue
        sums[:] = 0.0
        for turn in range(2):  # sums of weights, then shares
            for arc in range(first, last):
                row = arcs[arc]
                if row[ROLE] > LAUNCH:
                    continue
                launch = row[ROLE] == LAUNCH
                source, target = pin_net[pins + row[FROM]], pin_net[pins + row[TO]]
                for leave in range(EDGES):
                    if weight[target, leave] == 0.0 and steep[target, leave] == 0.0:
                        continue
                    y = load[target, leave]
                    for enter in range(EDGES):
                        if not passes(row, enter, leave) or (not launch and arrival[source, enter] == -np.inf):
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
            for leave in range(EDGES):
                y = load[target, leave]
                for enter in range(EDGES):
                    if not passes(row, enter, leave) or arrival[source, enter] == -np.inf:
                        continue
                    x, table = slew[source, enter], tables[row[RISE + leave]]
                    delay, by_slew, _ = _gradient(pool, table, x, y)
                    need[source, enter] = min(need[source, enter], need[target, leave] - delay)
                    if row[RISE_SLEW + leave] >= 0:
                        by_slew += pull[target, leave] * _gradient(pool, tables[row[RISE_SLEW + leave]], x, y)[1]
                    pull[source, enter] = max(pull[source, enter], by_slew)
