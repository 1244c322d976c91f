"""Cells that can take each other's place: same pins, same function, other drive."""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache
from typing import TYPE_CHECKING

from archgym.errors import InvalidInput
from archgym.rtl.tech.function import truth_table
from archgym.rtl.tech.library_cells import Cell
from archgym.rtl.tech.technology import usable

if TYPE_CHECKING:
    from archgym.rtl.tech.liberty import Library

__all__ = ["buffers", "families", "function_of", "order_of"]


def function_of(cell: Cell) -> Hashable | None:
    """What a cell computes, by truth tables over its pins (and its state); None for what has no such description."""
    names = tuple(sorted(pin.name for pin in cell.inputs))
    flop = cell.flop
    if flop is not None:
        names += (flop.q, flop.qn)
    try:
        outputs = tuple((pin.name, truth_table(pin.function or "", names)) for pin in cell.outputs)
        state: tuple[int | None, ...] = ()
        if flop is not None:
            parts = (flop.clocked_on, flop.next_state, flop.clear, flop.preset)
            state = tuple(None if part is None else truth_table(part, names) for part in parts)
    except InvalidInput:
        return None
    # The order of pins is part of it: a netlist has one order of pins for each kind of cell.
    pins = tuple((pin.name, pin.direction, pin.clock) for pin in cell.pins.values())
    return pins, outputs, state


def order_of(cell: Cell) -> tuple[float, float, str]:
    """Smallest area first, then the lightest inputs."""
    return cell.area_um2, sum(pin.capacitance_ff for pin in cell.inputs), cell.name


@lru_cache(maxsize=8)
def families(library: Library) -> dict[str, tuple[str, ...]]:
    """For every cell that may be exchanged, the cells of its function, itself included, smallest first."""
    groups: dict[Hashable, list[Cell]] = {}
    for cell in library.cells.values():
        if usable(cell) and cell.inputs:
            function = function_of(cell)
            if function is not None:
                groups.setdefault(function, []).append(cell)
    found: dict[str, tuple[str, ...]] = {}
    for cells in groups.values():
        names = tuple(cell.name for cell in sorted(cells, key=order_of))
        found.update(dict.fromkeys(names, names))
    return found


@lru_cache(maxsize=8)
def buffers(library: Library) -> tuple[str, ...]:
    """The buffers of a library, smallest first; those of the smallest buffer's family."""
    cells = [
        cell
        for cell in library.cells.values()
        if usable(cell) and cell.flop is None and len(cell.inputs) == len(cell.outputs) == len(cell.pins) - 1 == 1
        and _follows(cell)
    ]  # fmt: skip
    return families(library)[min(cells, key=order_of).name] if cells else ()


def _follows(cell: Cell) -> bool:
    try:
        return truth_table(cell.outputs[0].function or "", (cell.inputs[0].name,)) == 0b10
    except InvalidInput:
        return False
