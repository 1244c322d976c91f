"""Cells of several technologies beside each other, in units of each one's own NAND2 and fanout-of-four inverter.

    python -m archgym.rtl.tech.compare generic45 sky130_fd_sc_hd path/to/other.lib

prints a Markdown table. Cells are found by their function; of several the smallest is taken.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import final

import numpy as np

from archgym.errors import InvalidInput
from archgym.rtl.tech.function import truth_table
from archgym.rtl.tech.library_cells import Cell, Library, PowerArc, Table
from archgym.rtl.tech.technology import Technology, technology, usable

__all__ = ["FUNCTIONS", "Row", "compare", "fanout_of_four", "matching", "value_at"]

FUNCTIONS: Mapping[str, tuple[str, ...]] = {
    "INV": ("!A",),
    "BUF": ("A",),
    "NAND2": ("!(A&B)",),
    "NOR2": ("!(A|B)",),
    "NAND3": ("!(A&B&C)",),
    "AND2": ("A&B",),
    "AOI21": ("!((A&B)|C)",),
    "XOR2": ("A^B",),
    "MUX2": ("(A&!C)|(B&C)",),
    "HA": ("A&B", "A^B"),
    "FA": ("(A&B)|(A&C)|(B&C)", "A^B^C"),
}
"""Functions of the outputs; of adders an inverted output counts as well."""


@final
@dataclass(frozen=True)
class Row:
    """One cell; areas, energies and leakages in NAND2s, times in fanout-of-four delays."""

    cell: str
    area: float
    pin: float
    """Mean input capacitance over an inverter's."""
    delay: float
    """Slowest arc, fanout of four."""
    energy: float
    """Internal energy of the outputs' transitions over the whole energy of a NAND2's, fanout of four."""
    leakage: float
    setup: float | None = None
    hold: float | None = None
    clock: float | None = None
    """Internal energy of a clock transition, as `energy`."""


def value_at(table: Table, slew_ns: float, load: float) -> float:
    """Bilinear in the table, held at its borders."""
    columns = [float(np.interp(load, table.index_2, row)) for row in table.values]
    return float(np.interp(slew_ns, table.index_1, columns))


def _tables(cell: Cell, kinds: tuple[str, ...], *, slews: bool = False) -> Iterator[Table]:
    for arc in cell.arcs:
        if arc.kind in kinds:
            yield from (each for each in ((arc.rise_slew, arc.fall_slew) if slews else (arc.rise, arc.fall)) if each)


def fanout_of_four(found: Technology) -> tuple[float, float]:
    """Delay and slew, in ns, of the smallest inverter in a chain of which each drives four."""
    cell = found.library.cells[found.inverter]
    slew = 0.05
    for _ in range(50):
        slew = float(np.mean([value_at(t, slew, found.load_ff) for t in _tables(cell, ("combinational",), slews=True)]))
    return float(np.mean([value_at(t, slew, found.load_ff) for t in _tables(cell, ("combinational",))])), slew


def matching(library: Library, functions: tuple[str, ...]) -> Cell | None:
    """The smallest cell with outputs of these functions, whatever its pins are called."""
    found = [
        cell
        for cell in library.cells.values()
        if usable(cell) and cell.arcs and not cell.flop and _same(cell, functions)
    ]
    return min(found, key=lambda cell: (cell.area_um2, len(cell.name), cell.name), default=None)


def _same(cell: Cell, functions: tuple[str, ...]) -> bool:
    names = "ABC"[: 1 + max("ABC".index(letter) for text in functions for letter in text if letter in "ABC")]
    if len(cell.inputs) != len(names) or len(cell.outputs) != len(functions):
        return False
    wanted = [truth_table(text, tuple(names)) for text in functions]
    ones = (1 << (1 << len(names))) - 1
    for pins in permutations(pin.name for pin in cell.inputs):
        try:
            tables = [truth_table(pin.function or "", pins) for pin in cell.outputs]
        except InvalidInput:
            return False
        if len(wanted) == 1 and tables == wanted:
            return True
        either = [{table, table ^ ones} for table in wanted]
        if len(wanted) == 2 and any(a in either[0] and b in either[1] for a, b in (tables, tables[::-1])):
            return True
    return False


def _flop(library: Library) -> Cell | None:
    """The smallest flip-flop of one data pin on the rising edge, without set or reset if there is one."""
    plain = [
        cell
        for cell in library.cells.values()
        if usable(cell)
        and cell.flop
        and {cell.flop.next_state.strip("()!"), cell.flop.clocked_on.strip("()")} <= set(cell.pins)
    ]
    return min(plain, key=lambda c: (len(c.inputs), len(c.outputs), c.area_um2, len(c.name), c.name), default=None)


def _energy(arcs: list[PowerArc], slew: float, load: float) -> float:
    """Mean over edges and arcs, fJ; what several supplies give is added."""
    found: dict[str, list[float]] = {}
    for arc in arcs:
        values = [value_at(table, slew, load) for table in (arc.rise, arc.fall) if table is not None]
        found.setdefault(arc.supply, []).append(float(np.mean(values)))
    return sum(float(np.mean(each)) for each in found.values())


def compare(found: Technology) -> dict[str, Row]:
    """The rows of a technology, by kind of cell; kinds that it lacks are left out."""
    library, load = found.library, found.load_ff
    delay, slew = fanout_of_four(found)
    unit = library.cells[found.nand2]
    capacitance = library.cells[found.inverter].inputs[0].capacitance_ff

    def internal(cell: Cell) -> float:
        return sum(_energy([arc for arc in cell.power if arc.pin == pin.name], slew, load) for pin in cell.outputs)

    whole = internal(unit) + load * library.voltage_v**2 / 2
    cells = {kind: matching(library, functions) for kind, functions in FUNCTIONS.items()} | {"DFF": _flop(library)}
    rows = {}
    for kind, cell in cells.items():
        if cell is None:
            continue
        times = [value_at(table, slew, load) for table in _tables(cell, ("combinational", "rising_edge"))]
        setup, hold = (
            [value_at(table, slew, slew) / delay for table in _tables(cell, (f"{what}_rising",))]
            for what in ("setup", "hold")
        )
        clocks = [arc for arc in cell.power if cell.pins[arc.pin].clock]
        rows[kind] = Row(
            cell.name,
            cell.area_um2 / unit.area_um2,
            float(np.mean([pin.capacitance_ff for pin in cell.inputs])) / capacitance,
            max(times) / delay,
            internal(cell) / whole,
            cell.leakage_nw / unit.leakage_nw,
            max(setup, default=None),
            max(hold, default=None),
            _energy(clocks, slew, 0.0) / whole if clocks else None,
        )
    return rows


def markdown(names: list[str]) -> str:
    """The comparison as a Markdown table."""
    found = {each.name: each for each in map(technology, names)}
    rows = {name: compare(each) for name, each in found.items()}
    lines = ["| | " + " | ".join(found) + " |", "|---|" + "--:|" * len(found)]

    def line(label: str, cells: list[str]) -> None:
        lines.append(f"| {label} | " + " | ".join(cells) + " |")

    line("FO4, ps", [f"{fanout_of_four(each)[0] * 1e3:.1f}" for each in found.values()])
    line("NAND2, um2", [f"{each.nand2_um2:.3f}" for each in found.values()])
    line("inverter, fF", [f"{each.load_ff / 4:.2f}" for each in found.values()])
    for field in ("area", "pin", "delay", "energy", "leakage", "setup", "hold", "clock"):
        for kind in (*FUNCTIONS, "DFF"):
            values = [getattr(rows[name][kind], field) if kind in rows[name] else None for name in found]
            if any(value is not None for value in values):
                line(f"{field} {kind}", ["" if value is None else f"{value:.2f}" for value in values])
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(markdown(sys.argv[1:] or ["generic45"]) + "\n")
