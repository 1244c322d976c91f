"""Finding a library's full adder and telling Yosys to use it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from typing import final

from archgym.errors import InvalidInput
from archgym.rtl.tech.function import truth_table
from archgym.rtl.tech.library_cells import Cell, Library

__all__ = ["FullAdder", "blackbox_text", "full_adder", "techmap_text"]

# Rows 0-7 of (a, b, c), a lowest: the sum is 1 in rows 1, 2, 4 and 7, the carry in rows 3, 5, 6 and 7.
_SUM, _CARRY, _ALL = 0b1001_0110, 0b1110_1000, 0xFF


@final
@dataclass(frozen=True)
class FullAdder:
    """A cell and its pins; outputs may be inverted (ASAP7's are)."""

    cell: str
    inputs: tuple[str, str, str]
    sum: str
    carry: str
    sum_inverted: bool
    carry_inverted: bool


def full_adder(library: Library) -> FullAdder | None:
    """The smallest full adder of a library."""
    found = [(cell.area_um2, cell.name, adder) for cell in library.cells.values() for adder in _adders(cell)]
    return min(found, key=lambda item: item[:2])[2] if found else None


def _adders(cell: Cell) -> Iterator[FullAdder]:
    inputs, outputs = cell.inputs, cell.outputs
    if cell.dont_use or cell.flop or cell.latch or len(inputs) != 3 or len(outputs) != 2:
        return
    names = (inputs[0].name, inputs[1].name, inputs[2].name)
    try:
        tables = {pin.name: truth_table(pin.function or "0", names) for pin in outputs}
    except InvalidInput:  # a function of something else than the inputs
        return
    for total, carry in permutations(tables):
        if tables[total] in {_SUM, _SUM ^ _ALL} and tables[carry] in {_CARRY, _CARRY ^ _ALL}:
            yield FullAdder(cell.name, names, total, carry, tables[total] != _SUM, tables[carry] != _CARRY)


def techmap_text(adder: FullAdder) -> str:
    """Verilog that replaces `$fa` (X carry, Y sum; Yosys manual, "Arithmetic operators") by cells."""
    pins = {**dict(zip(adder.inputs, ("A[i]", "B[i]", "C[i]"), strict=True)), adder.carry: "x[i]", adder.sum: "y[i]"}
    connections = ", ".join(f".\\{pin} ({net})" for pin, net in pins.items())
    carry = "~x" if adder.carry_inverted else "x"
    total = "~y" if adder.sum_inverted else "y"
    return f"""
(* techmap_celltype = "$fa" *)
module _80_full_adder (A, B, C, X, Y);
  parameter WIDTH = 1;
  (* force_downto *) input [WIDTH-1:0] A, B, C;
  (* force_downto *) output [WIDTH-1:0] X, Y;
  wire [WIDTH-1:0] x, y;
  assign X = {carry};
  assign Y = {total};
  genvar i;
  generate
    for (i = 0; i < WIDTH; i = i + 1)
      \\{adder.cell} cell_i ({connections});
  endgenerate
endmodule
"""


def blackbox_text(adder: FullAdder) -> str:
    """The cell as Yosys must know it: ports only."""
    inputs = ", ".join(f"input \\{name} " for name in adder.inputs)
    return (
        f"(* blackbox *) module \\{adder.cell} ({inputs}, output \\{adder.carry} , output \\{adder.sum} ); endmodule\n"
    )
