"""Modules as their authors would write them, with golden models, for tests of bringing them along."""

from __future__ import annotations

from pathlib import Path

# A multiplier with registers at both ends, with the names that a person who knows no rule would choose.
SCALE = """
// Multiplies a number by a gain.
module scale #(
  parameter int W = 4,  // bits of a number
  parameter int GAIN = 3
) (
  input  logic clock,
  input  logic reset,  // synchronous
  input  logic [W-1:0] x,
  output logic [W+3:0] y  // scaled
);
  if (W > 6) begin : gen_wide
    $error("W must be at most 6, got %0d", W);
  end
  logic [W-1:0] x_q;
  always_ff @(posedge clock) begin
    x_q <= reset ? '0 : x;
    y <= reset ? '0 : (W+4)'(x_q * GAIN);
  end
endmodule
"""
SCALE_MODEL = """
def golden(parameters, inputs):
    return {"y": inputs["x"] * parameters["GAIN"]}
"""

# AXI-stream names; beats are added up in pairs, so there are fewer output than input beats.
PAIRS = """
module pairs (
  input  logic aclk, input logic aresetn,
  input  logic s_axis_tvalid, output logic s_axis_tready, input logic [7:0] s_axis_tdata,
  output logic m_axis_tvalid, input logic m_axis_tready, output logic [8:0] m_axis_tdata
);
  logic half_q, valid_q;
  logic [8:0] sum_q;
  assign s_axis_tready = !valid_q || m_axis_tready;
  assign m_axis_tvalid = valid_q;
  assign m_axis_tdata = sum_q;
  always_ff @(posedge aclk) begin
    if (s_axis_tvalid && s_axis_tready) sum_q <= (half_q ? sum_q : 9'd0) + 9'(s_axis_tdata);
    if (!aresetn) begin
      half_q <= 1'b0;
      valid_q <= 1'b0;
    end else if (s_axis_tready) begin
      valid_q <= s_axis_tvalid && half_q;
      if (s_axis_tvalid) half_q <= !half_q;
    end
  end
endmodule
"""
PAIRS_MODEL = """
def golden(parameters, inputs):
    beats = inputs["s_axis_tdata"]
    even = len(beats) // 2 * 2
    return {"m_axis_tdata": beats[:even].reshape(-1, 2).sum(axis=1)}
"""

# Combinational, with lanes that only the author knows of.
DOT = """
module dot #(parameter int LANES = 2) (input logic [4*LANES-1:0] a, input logic [4*LANES-1:0] b, output logic [11:0] p);
  always_comb begin
    p = '0;
    for (int i = 0; i < LANES; i++) p = p + 12'($signed(a[4*i+:4]) * $signed(b[4*i+:4]));
  end
endmodule
"""
DOT_MODEL = """
def golden(parameters, inputs):
    return {"p": (inputs["a"] * inputs["b"]).sum(axis=1)}

def macs(parameters, inputs):
    return inputs["a"].size
"""


def write(folder: Path, name: str, text: str, model: str) -> tuple[Path, Path]:
    """RTL and golden model as files."""
    rtl, golden = folder / f"{name}.sv", folder / f"{name}_model.py"
    rtl.write_text(text, encoding="utf-8")
    golden.write_text(model, encoding="utf-8")
    return rtl, golden
