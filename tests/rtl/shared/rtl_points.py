"""A small block of its own for tests of measuring: adds and accumulates, or refuses to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from archgym.rtl.block import Block, Port, Streams, uniform
from archgym.rtl.flow.point import Point
from archgym.space import Parameter

ADDER = """
module adder #(
  parameter int unsigned W = 4
) (
  input  logic         clk_i,
  input  logic         rst_ni,
  input  logic         in_valid_i,
  output logic         in_ready_o,
  input  logic [W-1:0] a_i,
  input  logic [W-1:0] b_i,
  output logic         out_valid_o,
  input  logic         out_ready_i,
  output logic [W:0]   sum_o
);
  logic valid_q;
  logic [W:0] sum_q;
  assign in_ready_o  = ~valid_q | out_ready_i;
  assign out_valid_o = valid_q;
  assign sum_o       = sum_q;
  always_ff @(posedge clk_i) begin
    if (~rst_ni) valid_q <= 1'b0;
    else if (in_ready_o) valid_q <= in_valid_i;
    if (in_ready_o & in_valid_i) sum_q <= a_i + b_i;
  end
endmodule
"""


def ports(parameters: Mapping[str, int]) -> tuple[Port, ...]:
    """Operands and sum."""
    width = parameters["W"]
    return Port("a_i", "in", width), Port("b_i", "in", width), Port("sum_o", "out", width + 1)


def golden(_parameters: Mapping[str, int], streams: Streams) -> Streams:
    """Sums."""
    return {"sum_o": streams["a_i"] + streams["b_i"]}


def stimulus(parameters: Mapping[str, int], rng: np.random.Generator, n: int, draw=uniform) -> Streams:
    """Any operands."""
    mask = (1 << parameters["W"]) - 1
    return {name: draw(rng, (n,), parameters["W"]) & mask for name in ("a_i", "b_i")}


def macs(_parameters: Mapping[str, int], streams: Streams) -> float:
    """One for each beat, so that figures can be checked by hand."""
    return float(len(streams["a_i"]))


def reject(parameters: Mapping[str, int]) -> str:
    """No wider than 8."""
    return "" if parameters["W"] <= 8 else f"W must be at most 8, got {parameters['W']}"


def adder(folder: Path, text: str = ADDER) -> Block:
    """The block, from a file in a folder."""
    path = folder / "adder.sv"
    path.write_text(text, encoding="utf-8")
    return Block(
        name="adder",
        family="test",
        top="adder",
        kind="stream",
        sources=(str(path),),
        parameters=(Parameter("W", (2, 3, 4, 8, 9), "ordinal"),),
        ports=ports,
        golden=golden,
        stimulus=stimulus,
        macs=macs,
        reject=reject,
    )


def point(folder: Path, text: str = ADDER, **options: object) -> Point:
    """A point of it."""
    return Point(adder(folder, text), {"W": 4}, **options)
