"""Small designs and technologies for tests of the flow."""

from __future__ import annotations

import re
from pathlib import Path

from archgym.rtl.flow.design import Design
from archgym.rtl.flow.target import Target, target
from archgym.rtl.tech.technology import technology

MAC = """
// Multiplies and accumulates.
module mac #(
  parameter int unsigned Width = 8,  // bits of an operand
  parameter int unsigned AccWidth = 24
) (
  input  logic                      clk_i,  // rising edge
  input  logic                      clear_i,
  input  logic signed [Width-1:0]   a_i,
  input  logic signed [Width-1:0]   b_i,
  output logic signed [AccWidth-1:0] sum_o  // since the last clear
);
  if (Width < 2) begin : gen_bad_width
    $error("Width must be at least 2, got %0d", Width);
  end
  logic signed [2*Width-1:0] product;
  logic signed [AccWidth-1:0] sum_q;
  assign product = a_i * b_i;
  always_ff @(posedge clk_i) sum_q <= (clear_i ? '0 : sum_q) + AccWidth'(product);
  assign sum_o = sum_q;
endmodule
"""

GRID = """
module grid #(
  parameter int unsigned N = 2
) (
  input  logic               clk_i,
  input  logic               clear_i,
  input  logic [4*N-1:0]     a_i,
  input  logic [4*N-1:0]     b_i,
  output logic [12*N*N-1:0]  sum_o
);
  for (genvar i = 0; i < N; i++) begin : gen_row
    for (genvar j = 0; j < N; j++) begin : gen_column
      mac #(.Width(4), .AccWidth(12)) u_mac (
        .clk_i, .clear_i, .a_i(a_i[4*i+:4]), .b_i(b_i[4*j+:4]), .sum_o(sum_o[12*(N*i+j)+:12])
      );
    end
  end
endmodule
"""


def write(folder: Path, text: str, name: str = "") -> Path:
    """A source file; named after its first module unless a name is given."""
    path = folder / (name or re.search(r"^module (\w+)", text, re.MULTILINE)[1] + ".sv")
    path.write_text(text, encoding="utf-8")
    return path


def design(folder: Path, text: str, top: str, **parameters: int) -> Design:
    """A design of one file."""
    return Design((write(folder, text),), top, parameters)


def embedded() -> Target:
    """The embedded technology, as the mapper sees it."""
    tech = technology()
    return target(tech.library, tech.driver, tech.load_ff)
