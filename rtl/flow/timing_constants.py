"""Constants through cells: nets that never change, and what the cells that see one can still do.

OpenSTA does the same before it times (its Sim): arcs from, to or made impossible by constants are not paths.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from archgym.rtl.flow.flat import Netlist
from archgym.rtl.tech.function import names_in, truth_table

if TYPE_CHECKING:
    from archgym.rtl.tech.liberty import Library

__all__ = ["Fixed", "bind", "constants"]

Fixed = tuple[tuple[str, int], ...]
"""Input pins of a cell that are constant, with their values, by name."""


def bind(expression: str, fixed: Mapping[str, int]) -> tuple[int, int]:
    """Truth table of an expression over its free variables, and how many rows it has."""
    names = names_in(expression)
    free = tuple(name for name in names if name not in fixed)
    whole, table = truth_table(expression, names), 0
    for row in range(1 << len(free)):
        values = {**fixed, **{name: row >> k & 1 for k, name in enumerate(free)}}
        index = sum(values[name] << k for k, name in enumerate(names))
        table |= (whole >> index & 1) << row
    return table, 1 << len(free)


def constants(netlist: Netlist, library: Library) -> tuple[NDArray[np.int8], dict[int, Fixed]]:
    """Find constant nets and the combinational cells that have constant inputs.

    Returns:
        int8[nets]: 0, 1, or -1 where the net can change; and constant input pins by cell.
    """
    value = np.full(netlist.nets, -1, dtype=np.int8)
    value[:2] = (0, 1)
    start, sinks = netlist.net_sinks
    fixed: dict[int, Fixed] = {}
    waiting = [0, 1, *_ties(netlist, library, value)]
    while waiting:
        net = waiting.pop()
        for pin in sinks[start[net] : start[net + 1]].tolist():
            cell = int(netlist.pin_cell[pin])
            kind = int(netlist.cell_kind[cell])
            name = netlist.kind_pins[kind][pin - int(netlist.pin_start[cell])]
            fixed[cell] = tuple(sorted({*fixed.get(cell, ()), (name, int(value[net]))}))
            if not netlist.kind_sequential[kind]:
                waiting += _outputs(netlist, library, cell, dict(fixed[cell]), value)
    return value, fixed


def _ties(netlist: Netlist, library: Library, value: NDArray[np.int8]) -> list[int]:
    """Outputs of cells without inputs (tie cells)."""
    found: list[int] = []
    for kind, flags in enumerate(netlist.kind_outputs):
        if flags.all():
            for cell in np.flatnonzero(netlist.cell_kind == kind).tolist():
                found += _outputs(netlist, library, cell, {}, value)
    return found


def _outputs(
    netlist: Netlist, library: Library, cell: int, fixed: Mapping[str, int], value: NDArray[np.int8]
) -> list[int]:
    """Set the outputs that are constant now; returns their nets."""
    kind = int(netlist.cell_kind[cell])
    pins, found = library.cells[netlist.kinds[kind]].pins, []
    for position, name in enumerate(netlist.kind_pins[kind]):
        net = int(netlist.pin_net[int(netlist.pin_start[cell]) + position])
        function = pins[name].function
        if netlist.kind_outputs[kind][position] and function is not None and value[net] < 0:
            table, rows = bind(function, fixed)
            if table in {0, (1 << rows) - 1}:
                value[net] = int(table != 0)
                found.append(net)
    return found
