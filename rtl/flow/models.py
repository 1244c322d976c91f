"""Cells of a library as Verilog, for proofs: what each output computes, by its truth table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archgym.errors import InvalidInput
from archgym.rtl.tech.function import names_in, truth_table
from archgym.rtl.tech.library_cells import Cell, Flop, Library

__all__ = ["cell_models"]


def cell_models(library: Library, kinds: Sequence[str] | None = None) -> str:
    """Verilog modules of cells; of all that one flip-flop or plain functions describe, unless some are named."""
    cells = library.cells.values() if kinds is None else [library.cells[name] for name in kinds]
    return "\n".join(line for cell in cells if _plain(cell) for line in _module(cell))


def _plain(cell: Cell) -> bool:
    return not cell.latch and all(pin.function is not None and not pin.three_state for pin in cell.outputs)


def _module(cell: Cell) -> Iterator[str]:
    names = tuple(pin.name for pin in cell.inputs)
    ports = [f"input \\{name} " for name in names] + [f"output \\{pin.name} " for pin in cell.outputs]
    yield f"module \\{cell.name} ({', '.join(ports)});"
    if cell.flop is not None:
        yield from _register(cell.flop, names)
        names = (*names, cell.flop.q, cell.flop.qn)
    for pin in cell.outputs:
        yield f"  assign \\{pin.name} = {_lookup(pin.function or '0', names)};"
    yield "endmodule"


def _register(flop: Flop, names: Sequence[str]) -> Iterator[str]:
    known = (*names, flop.q, flop.qn)
    yield f"  reg \\{flop.q} ;"
    yield f"  wire \\{flop.qn} = ~\\{flop.q} ;"
    yield f"  wire \\$clock = {_lookup(flop.clocked_on, known)};"
    edges, branches = ["posedge \\$clock "], ""
    for label, expression, value in (("clear", flop.clear, 0), ("preset", flop.preset, 1)):
        if expression:
            yield f"  wire \\${label} = {_lookup(expression, known)};"
            edges.append(f"posedge \\${label} ")
            branches += f"if (\\${label} ) \\{flop.q} <= 1'b{value}; else "
    yield f"  always @({' or '.join(edges)}) {branches}\\{flop.q} <= {_lookup(flop.next_state, known)};"


def _lookup(expression: str, names: Sequence[str]) -> str:
    """A constant indexed by the variables.

    Raises:
        InvalidInput: a variable that the cell has not.
    """
    used = names_in(expression)
    for name in used:
        if name not in names:
            raise InvalidInput(f"function {expression!r} names {name!r}, which is no pin or state of the cell")
    rows = 1 << len(used)
    if not used:
        return f"1'b{truth_table(expression, ()) & 1}"
    index = ", ".join(f"\\{name} " for name in reversed(used))
    return f"({rows}'d{truth_table(expression, used)} >> {{{index}}}) & 1'b1"
