"""Sizes of the cells of a netlist as arrays: lists of timing arcs by cell, function and constant inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from archgym.rtl.flow import kernel_sta as K
from archgym.rtl.flow.flat import Ints, Netlist
from archgym.rtl.flow.repair_families import families
from archgym.rtl.flow.timing_arcs import Pool, arc_rows
from archgym.rtl.flow.timing_constants import Fixed, constants
from archgym.rtl.tech.library_cells import Cell, Table

if TYPE_CHECKING:
    from archgym.rtl.tech.liberty import Library

__all__ = ["Line", "Sizes", "compile_sizes", "line"]

Floats = NDArray[np.float64]


@final
@dataclass(frozen=True)
class Line:
    """A cell's delay and slew as straight lines over the load, its input slew in the middle of the tables."""

    delay_ns: float
    ns_per_ff: float
    slew_ns: float
    slew_per_ff: float

    def load_ff(self, slew_ns: float) -> float:
        """The load at which the slew is this."""
        return (slew_ns - self.slew_ns) / self.slew_per_ff if self.slew_per_ff > 0 else float("inf")


@final
@dataclass(frozen=True, eq=False)
class Sizes:
    """Lists of arcs (see `kernel_sta`); one for each kind of cell and set of constant inputs that may occur."""

    first: Ints
    """int32[cells], the list of each cell as the netlist has it."""
    start: Ints
    rows: Ints
    tables: Ints
    pool: Floats
    family: Ints
    """int32[lists + 1]."""
    member: Ints
    """Lists that may replace a list, smallest first; itself included."""
    names: tuple[str, ...]
    """Cell of each list."""
    caps: Floats
    """fF[lists, pins, edge] of input pins; 0 at outputs."""
    areas: Floats
    most: Floats
    """fF[lists, pins]: loads that keep the library's limits of load and slew; infinite at inputs."""
    changing: NDArray[np.bool_]
    """bool[nets]: not constant."""


def compile_sizes(netlist: Netlist, library: Library) -> Sizes:
    """Look up the arcs of every cell that occurs and of those that could take its place."""
    value, fixed = constants(netlist, library)
    pins_of = dict(zip(netlist.kinds, netlist.kind_pins, strict=True))
    related = families(library)
    number: dict[tuple[str, Fixed], int] = {}
    keys: list[tuple[str, Fixed]] = []

    def known(name: str, held: Fixed) -> int:
        for each in related.get(name, (name,)):
            if (each, held) not in number:
                number[each, held] = len(keys)
                keys.append((each, held))
        return number[name, held]

    first = np.array([known(name, ()) for name in netlist.kinds], dtype=np.int32)[netlist.cell_kind]
    for cell, held in fixed.items():
        first[cell] = known(netlist.kinds[int(netlist.cell_kind[cell])], held)
    for name in netlist.kinds:
        for each in related.get(name, ()):
            pins_of[each] = pins_of[name]
    pool = Pool()
    lists = [arc_rows(library.cells[name], pins_of[name], held, pool) for name, held in keys]
    families_of = [[number[each, held] for each in related.get(name, (name,))] for name, held in keys]
    names = tuple(name for name, _ in keys)
    widest = max((len(pins) for pins in pins_of.values()), default=1)
    caps, most = np.zeros((len(keys), widest, 2)), np.full((len(keys), widest), np.inf)
    for row, name in enumerate(names):
        _pins(library.cells[name], pins_of[name], library, caps[row], most[row])
    return Sizes(
        first,
        _starts(lists),
        np.array([row for rows in lists for row in rows], dtype=np.int32).reshape(-1, K.COLUMNS),
        np.array(pool.rows, dtype=np.int32).reshape(-1, 3),
        np.concatenate([*pool.parts, np.zeros(1)]),
        _starts(families_of),
        np.array([each for members in families_of for each in members], dtype=np.int32),
        names,
        caps,
        np.array([library.cells[name].area_um2 for name in names]),
        most,
        value < 0,
    )


def _starts(lists: Sequence[Sequence[object]]) -> Ints:
    return np.cumsum([0, *map(len, lists)], dtype=np.int32)


def _pins(cell: Cell, pins: tuple[str, ...], library: Library, caps: Floats, most: Floats) -> None:
    for column, name in enumerate(pins):
        pin = cell.pins[name]
        if pin.direction == "input":
            caps[column] = pin.rise_ff, pin.fall_ff
            continue
        limits = [limit for limit in (pin.max_load_ff, library.default_max_load_ff) if limit is not None]
        slews = [limit for limit in (pin.max_slew_ns, library.default_max_slew_ns) if limit is not None]
        if slews:
            limits.append(line(cell, name).load_ff(min(slews)))
        most[column] = min(limits, default=np.inf)


def line(cell: Cell, pin: str) -> Line:
    """The slowest straight line of an output."""
    delays, slews = [(0.0, 0.0)], [(0.0, 0.0)]
    for arc in cell.arcs:
        if arc.pin == pin and arc.kind.startswith(("combinational", "rising_edge", "falling_edge")):
            delays += [_line(table) for table in (arc.rise, arc.fall) if table is not None]
            slews += [_line(table) for table in (arc.rise_slew, arc.fall_slew) if table is not None]
    return Line(*max(delays, key=lambda each: each[1]), *max(slews, key=lambda each: each[1]))


def _line(table: Table) -> tuple[float, float]:
    """Value at no load, and slope per fF between the ends of the table."""
    row, loads = table.values[len(table.values) // 2], table.index_2
    if len(loads) < 2:
        return float(row[0]), 0.0
    slope = float((row[-1] - row[0]) / (loads[-1] - loads[0]))
    return float(row[0]) - slope * float(loads[0]), slope
