"""Arcs of the cells of a netlist as arrays for the kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from archgym.rtl.flow import kernel_sta as K
from archgym.rtl.flow.flat import Ints, Netlist
from archgym.rtl.flow.timing_constants import Fixed, bind, constants
from archgym.rtl.tech.function import names_in

if TYPE_CHECKING:
    from archgym.rtl.tech.liberty import Arc, Cell, Library, Table

__all__ = ["Arcs", "Pool", "arc_rows", "compile_arcs"]

_SENSES = {"positive": K.POSITIVE, "negative": K.NEGATIVE, "non": K.NON}
_ROLES = {
    "combinational": K.COMBINATIONAL,
    "combinational_rise": K.COMBINATIONAL,
    "combinational_fall": K.COMBINATIONAL,
    "rising_edge": K.LAUNCH,
    "falling_edge": K.LAUNCH,
    "setup_rising": K.SETUP,
    "setup_falling": K.SETUP,
    "hold_rising": K.HOLD,
    "hold_falling": K.HOLD,
}
"""Liberty's timing_type; the others (clear, preset, recovery, removal, pulse width, three-state) are no synchronous
paths, and OpenSTA leaves them out of these path groups, too."""


@final
@dataclass(frozen=True, eq=False)
class Arcs:
    """Lists of arcs (see `kernel_sta.propagate`) and which list each cell has."""

    of_cell: Ints
    start: Ints
    rows: Ints
    tables: Ints
    pool: NDArray[np.float64]
    constant: NDArray[np.int8]
    """int8[nets]: 0, 1, or -1 where the net can change."""


@final
class Pool:
    """Tables laid one after the other; one that occurs again is not laid again."""

    def __init__(self) -> None:
        self.numbers: dict[bytes, int] = {}
        self.rows: list[tuple[int, int, int]] = []
        self.parts: list[NDArray[np.float64]] = []
        self.end = 0

    def add(self, table: Table | None) -> int:
        """Number of a table; -1 for none."""
        if table is None:
            return -1
        parts = [np.ravel(part).astype(np.float64) for part in (table.index_1, table.index_2, table.values)]
        flat = np.concatenate(parts)
        key = flat.tobytes() + bytes(table.values.shape)
        if key not in self.numbers:
            self.numbers[key] = len(self.rows)
            self.rows.append((len(parts[0]), len(parts[1]), self.end))
            self.parts.append(flat)
            self.end += len(flat)
        return self.numbers[key]


def compile_arcs(netlist: Netlist, library: Library) -> Arcs:
    """Look up the arcs of every kind of cell, and of every kind with constants at some of its inputs."""
    value, fixed = constants(netlist, library)
    pool, of_cell = Pool(), netlist.cell_kind.copy()
    lists = [
        arc_rows(library.cells[kind], pins, (), pool)
        for kind, pins in zip(netlist.kinds, netlist.kind_pins, strict=True)
    ]
    variants: dict[tuple[int, Fixed], int] = {}
    for cell, pins in fixed.items():
        key = int(netlist.cell_kind[cell]), pins
        if key not in variants:
            variants[key] = len(lists)
            lists.append(arc_rows(library.cells[netlist.kinds[key[0]]], netlist.kind_pins[key[0]], pins, pool))
        of_cell[cell] = variants[key]
    rows = [row for rows in lists for row in rows]
    return Arcs(
        of_cell,
        np.cumsum([0, *map(len, lists)], dtype=np.int32),
        np.array(rows, dtype=np.int32).reshape(-1, K.COLUMNS),
        np.array(pool.rows, dtype=np.int32).reshape(-1, 3),
        np.concatenate([*pool.parts, np.zeros(1)]),
        value,
    )


def arc_rows(cell: Cell, pins: tuple[str, ...], fixed: Fixed, pool: Pool) -> list[tuple[int, ...]]:
    """Rows of the arcs that remain when some inputs are constant."""
    held, found = dict(fixed), []
    for arc in cell.arcs:
        if arc.kind not in _ROLES or arc.pin not in pins or arc.related not in pins:
            continue
        role = _ROLES[arc.kind]
        sense = _sense(cell, arc, held) if role == K.COMBINATIONAL else _SENSES[arc.sense]
        if arc.pin in held or arc.related in held or sense is None or _never(arc.when, held):
            continue
        if role == K.LAUNCH:
            sense = K.RISING if arc.kind == "rising_edge" else K.FALLING
        rise = pool.add(None if arc.kind == "combinational_fall" else arc.rise)
        fall = pool.add(None if arc.kind == "combinational_rise" else arc.fall)
        slews = pool.add(arc.rise_slew), pool.add(arc.fall_slew)
        found.append((pins.index(arc.related), pins.index(arc.pin), sense, role, rise, fall, *slews))
    return list(dict.fromkeys(found))  # arcs of several states often have the same tables


def _never(when: str, held: Mapping[str, int]) -> bool:
    """Whether a state cannot occur."""
    return bool(held) and bool(when) and bind(when, held)[0] == 0


def _sense(cell: Cell, arc: Arc, held: Mapping[str, int]) -> int | None:
    """Unateness with the constants known; None where the input cannot change the output."""
    function = cell.pins[arc.pin].function
    if not held or function is None or arc.related not in names_in(function):
        return _SENSES[arc.sense]
    low, _ = bind(function, {**held, arc.related: 0})
    high, _ = bind(function, {**held, arc.related: 1})
    rises, falls = bool(~low & high), bool(low & ~high)
    if rises and falls:
        return K.NON
    return K.POSITIVE if rises else K.NEGATIVE if falls else None
