"""Cells of a netlist by kind, with the checks that simulation needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from archgym.errors import InvalidInput
from archgym.rtl.flow.flat import Ints, Netlist

if TYPE_CHECKING:
    from archgym.rtl.tech.liberty import Cell, Library

__all__ = ["Same", "cells_by_kind"]


@final
@dataclass(frozen=True, eq=False)
class Same:
    """All cells of one kind."""

    cell: Cell
    cells: Ints
    """int32[n]"""
    nets: Mapping[str, Ints]
    """int32[n] by pin."""

    def inputs(self) -> dict[str, Ints]:
        """int32[n] by input pin."""
        return {pin.name: self.nets[pin.name] for pin in self.cell.inputs}

    def outputs(self) -> dict[str, str]:
        """Functions of the output pins.

        Raises:
            InvalidInput: a pin without function, or a three-state one.
        """
        found = {}
        for pin in self.cell.outputs:
            if pin.function is None or pin.three_state is not None:
                why = "is three-state" if pin.three_state is not None else "has no function"
                raise InvalidInput(f"output {pin.name} of library cell {self.cell.name} {why}: it cannot be simulated")
            found[pin.name] = pin.function
        return found


def cells_by_kind(netlist: Netlist, library: Library) -> tuple[Same, ...]:
    """The cells of every kind that occurs.

    Raises:
        InvalidInput: a latch or another cell whose state is not one flip-flop.
    """
    found = []
    order = np.argsort(netlist.cell_kind, kind="stable").astype(np.int32)
    ends = np.searchsorted(netlist.cell_kind[order], np.arange(len(netlist.kinds) + 1))
    for kind, name in enumerate(netlist.kinds):
        cells = order[ends[kind] : ends[kind + 1]]
        cell = library.cells[name]
        if cell.latch:
            where = f" (cell {netlist.cell_name(int(cells[0]))})" if len(cells) else ""
            raise InvalidInput(
                f"library cell {name}{where} is a latch or holds several bits; only flip-flops can be simulated"
            )
        start = netlist.pin_start[cells]
        nets = {pin: netlist.pin_net[start + place] for place, pin in enumerate(netlist.kind_pins[kind])}
        found.append(Same(cell, cells, nets))
    return tuple(found)
