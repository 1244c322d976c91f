"""The copy of a library that Yosys and ABC map with: one file, in known units, without what mapping does not read.

Power and constraint tables are most of a Liberty file, and reading them most of the time of a small design; ASAP7
comes in five files, and several timing groups of one pair of pins (by state of the others) become their slowest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np

from archgym.rtl.tech.library_cells import Arc, Cell, Library, Pin, Table

__all__ = ["MAPPER_INPUTS", "Ties", "mapping_text", "ties", "usable"]

MAPPER_INPUTS = 6
"""ABC's supergates have at most this many inputs (abc, `map` and `&nf`)."""

Templates: TypeAlias = dict[tuple[str, str], str]
"""Names of table templates by their two lists of indices."""

_DELAYS = frozenset({"combinational", "rising_edge", "falling_edge"})
_SENSES = {"positive": "positive_unate", "negative": "negative_unate", "non": "non_unate"}


@final
@dataclass(frozen=True)
class Ties:
    """Cells and pins that give a constant 1 and 0; empty where the library has none."""

    high: tuple[str, str] | None
    low: tuple[str, str] | None


def usable(cell: Cell) -> bool:
    """Whether the mapper may choose a cell: one combinational output, or one plain flip-flop."""
    if cell.dont_use or cell.latch or any(pin.three_state for pin in cell.pins.values()):
        return False
    outputs = cell.outputs
    if not outputs or any(pin.function is None for pin in outputs):
        return False
    if cell.flop is not None:
        return True
    return len(outputs) == 1 and 1 <= len(cell.inputs) <= MAPPER_INPUTS


def ties(library: Library) -> Ties:
    """The smallest tie cells of a library."""
    found: dict[str, tuple[float, str, str]] = {}
    for cell in library.cells.values():
        if cell.inputs or cell.dont_use or cell.flop or cell.latch:
            continue
        for pin in cell.outputs:
            value = (pin.function or "").strip('"() ')
            if value in {"0", "1"}:
                found[value] = min(found.get(value, (float("inf"), "", "")), (cell.area_um2, cell.name, pin.name))
    high, low = found.get("1"), found.get("0")
    return Ties(high[1:] if high else None, low[1:] if low else None)


def mapping_text(library: Library) -> str:
    """Liberty text of the usable cells: areas, pins, functions, delays and slews in ns and fF."""
    lines = [
        f"library ({_name(library.name)}) {{",
        "  delay_model : table_lookup;",
        '  time_unit : "1ns";',
        '  voltage_unit : "1V";',
        '  current_unit : "1mA";',
        '  leakage_power_unit : "1nW";',
        "  capacitive_load_unit (1, ff);",
        f"  nom_voltage : {library.voltage_v:g};",
    ]
    if library.default_max_slew_ns is not None:
        lines.append(f"  default_max_transition : {library.default_max_slew_ns:g};")
    # ABC knows no wire loads: the wire to each sink is part of the sink.
    wire = library.wire_load_ff(1)
    templates: Templates = {}
    cells = [line for cell in library.cells.values() if usable(cell) for line in _cell(cell, templates, wire)]
    for (index_1, index_2), name in templates.items():
        lines += [
            f"  lu_table_template ({name}) {{",
            "    variable_1 : input_net_transition; variable_2 : total_output_net_capacitance;",
            f'    index_1 ("{index_1}"); index_2 ("{index_2}");',
            "  }",
        ]
    return "\n".join([*lines, *cells, "}", ""])


def _name(text: str) -> str:
    return "".join(each if each.isalnum() else "_" for each in text)


def _cell(cell: Cell, templates: Templates, wire_ff: float) -> Iterator[str]:
    yield f"  cell ({cell.name}) {{"
    yield f"    area : {cell.area_um2:g};"
    yield f"    cell_leakage_power : {cell.leakage_nw:g};"
    if cell.flop is not None:
        flop = cell.flop
        yield f"    ff ({flop.q}, {flop.qn}) {{"
        yield f'      clocked_on : "{flop.clocked_on}"; next_state : "{flop.next_state}";'
        for name, value in (("clear", flop.clear), ("preset", flop.preset)):
            if value:
                yield f'      {name} : "{value}";'
        yield "    }"
    for pin in cell.pins.values():
        yield from _pin(cell, pin, templates, wire_ff)
    yield "  }"


def _pin(cell: Cell, pin: Pin, templates: Templates, wire_ff: float) -> Iterator[str]:
    yield f"    pin ({pin.name}) {{"
    capacitance = pin.capacitance_ff + (wire_ff if pin.direction == "input" else 0.0)
    yield f"      direction : {pin.direction}; capacitance : {capacitance:g};"
    if pin.clock:
        yield "      clock : true;"
    if pin.function is not None:
        yield f'      function : "{pin.function}";'
        if pin.max_load_ff is not None:
            yield f"      max_capacitance : {pin.max_load_ff:g};"
        related = dict.fromkeys(arc.related for arc in cell.arcs if arc.pin == pin.name)
        for name in related:
            arc = _merged(arc for arc in cell.arcs if arc.pin == pin.name and arc.related == name)
            if arc is not None:
                yield from _timing(arc, templates)
    yield "    }"


def _merged(arcs: Iterable[Arc]) -> Arc | None:
    """One arc as slow as the slowest of some: the mapper knows no states."""
    kept = [
        arc for arc in arcs if arc.kind in {"combinational", "rising_edge", "falling_edge"} and arc.rise and arc.fall
    ]
    if not kept:
        return None
    slowest = max(kept, key=lambda arc: sum(float(np.mean(table.values)) for table in (arc.rise, arc.fall) if table))
    sense = slowest.sense if len({arc.sense for arc in kept}) == 1 else "non"
    return Arc(**{**vars(slowest), "sense": sense})


def _timing(arc: Arc, templates: Templates) -> Iterator[str]:
    yield f'      timing () {{ related_pin : "{arc.related}"; timing_sense : {_SENSES[arc.sense]};'
    if arc.kind != "combinational":
        yield f"        timing_type : {arc.kind};"
    tables = {
        "cell_rise": arc.rise,
        "cell_fall": arc.fall,
        "rise_transition": arc.rise_slew,
        "fall_transition": arc.fall_slew,
    }
    for name, table in tables.items():
        if table is not None:
            yield from _table(name, table, templates)
    yield "      }"


def _table(name: str, table: Table, templates: Templates) -> Iterator[str]:
    # ABC takes the indices from the template; tables of a single value are a template, too.
    key = (_numbers(table.index_1), _numbers(table.index_2))
    template = templates.setdefault(key, f"t{len(templates)}")
    rows = ", ".join(f'"{_numbers(row)}"' for row in table.values)
    yield f"        {name} ({template}) {{ values ({rows}); }}"


def _numbers(values: Iterable[float]) -> str:
    return ", ".join(f"{float(value):.6g}" for value in values)
