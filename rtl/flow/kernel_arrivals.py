"""Compiled steps that timing analysis while sizing and the choice of sizes share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from archgym.rtl.flow.kernel_sta import (
    FROM,
    LAUNCH,
    NON,
    POSITIVE,
    RISE,
    RISE_SLEW,
    ROLE,
    SENSE,
    TO,
    look_up,
)
from archgym.sims.jit import inner, lean

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]

EDGES = 2


@inner
def passes(row: Ints, enter: int, leave: int) -> bool:
    """Whether an edge at the input makes this edge at the output."""
    if row[RISE + leave] < 0:
        return False
    if row[ROLE] == LAUNCH:
        return bool(enter == row[SENSE])
    return bool(row[SENSE] == NON or (enter == leave) == (row[SENSE] == POSITIVE))


@inner
def close(first: int, last: int, pin_net: Ints, arrival: Floats, need: Floats, near: float) -> bool:
    """Whether one of some pins is on a critical path."""
    for pin in range(first, last):
        net = pin_net[pin]
        if need[net, 0] - arrival[net, 0] <= near or need[net, 1] - arrival[net, 1] <= near:
            return True
    return False


@inner
def outputs(
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
        for leave in range(EDGES):
            for enter in range(EDGES):
                if not passes(row, enter, leave) or (not launch and arrival[source, enter] == -np.inf):
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

    Args: those of `kernel_sizing.speed_up`, and
        stale: bool[cells], cells to look at; all False in the end.
        sink_start: int32[nets + 1].
        sink_cell: int32[input pins], cells by the net they listen to.
    """
    for cell in order:
        if not stale[cell]:
            continue
        stale[cell] = False
        pins, size = pin_start[cell], cell_arcs[cell]
        outputs(cell, size, arc_start, arcs, tables, pool, pin_start, pin_net, clock_slew, load, arrival, slew, late,
                 slow)  # fmt: skip
        for pin in range(pin_start[cell + 1] - pins):
            if late[pin, 0] == -np.inf and late[pin, 1] == -np.inf:
                continue
            net, moved = pin_net[pins + pin], False
            for edge in range(EDGES):
                if arrival[net, edge] != late[pin, edge] or slew[net, edge] != slow[pin, edge]:
                    arrival[net, edge], slew[net, edge], moved = late[pin, edge], slow[pin, edge], True
            if moved:
                for sink in range(sink_start[net], sink_start[net + 1]):
                    stale[sink_cell[sink]] = True
