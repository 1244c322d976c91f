"""A small block of its own, right and broken in every way that a bench has to notice."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from archgym.rtl.block import Block, Mutation, Port
from archgym.space import Parameter

SUM = """\
module running_sum #(parameter int Width = 8, parameter int Guard = 4) (
  input logic clk_i, input logic rst_ni,
  input logic in_valid_i, output logic in_ready_o,
  input logic [Width-1:0] data_i, input logic last_i,
  output logic out_valid_o, input logic out_ready_i,
  output logic [Width+Guard-1:0] sum_o
);
`ifndef __ICARUS__
  if (Guard > Width) begin : gen_bad_guard
    $error("Guard must be at most Width, got %0d", Guard);
  end
`endif
  logic [Width+Guard-1:0] sum_q, next;
  logic valid_q, busy_q, accept;
  assign in_ready_o = !valid_q || out_ready_i;
  assign accept = in_valid_i && in_ready_o;
  assign out_valid_o = valid_q;
  assign sum_o = sum_q;
  assign next = (busy_q ? sum_q : '0) + {{Guard{data_i[Width-1]}}, data_i};
  always_ff @(posedge clk_i) begin
    if (accept) sum_q <= next;
    if (!rst_ni) begin
      valid_q <= 1'b0;
      busy_q <= 1'b0;
    end else begin
      if (in_ready_o) valid_q <= in_valid_i && last_i;
      if (accept) busy_q <= !last_i;
    end
  end
endmodule
"""

XOR = """\
module parity_of #(parameter int Width = 4) (input logic [2*Width-1:0] data_i, output logic [1:0] parity_o);
  assign parity_o = {^data_i[2*Width-1:Width], ^data_i[Width-1:0]};
endmodule
"""


def _sum_ports(p):
    return (
        Port("data_i", "in", p["Width"], signed=True),
        Port("last_i", "in", 1),
        Port("sum_o", "out", p["Width"] + p["Guard"], signed=True),
    )


def _sum_golden(p, streams):
    ends = np.flatnonzero(streams["last_i"])
    totals = np.diff(np.cumsum(streams["data_i"])[ends], prepend=0)
    bits = p["Width"] + p["Guard"]
    return {"sum_o": (totals + (1 << (bits - 1))) % (1 << bits) - (1 << (bits - 1))}


def _sum_stimulus(p, rng, n):
    last = (rng.random(n) < 0.3).astype(np.int64)
    last[-1] = 1
    half = 1 << (p["Width"] - 1)
    return {"data_i": rng.integers(-half, half, n), "last_i": last}


def _sum_corners(p):
    half = 1 << (p["Width"] - 1)
    return {"data_i": np.array([-half, half - 1, 0, -1, 1, -half]), "last_i": np.array([1, 1, 1, 1, 0, 1])}


def _sum_reject(p):
    return f"Guard must be at most Width, got {p['Guard']}" if p["Guard"] > p["Width"] else ""


@pytest.fixture
def sum_block(tmp_path):
    """A function that makes the block, with text of its source replaced."""

    def make(*changes, **fields):
        text = SUM
        for old, new in changes:
            assert text.count(old) == 1
            text = text.replace(old, new)
        source = tmp_path / "running_sum.sv"
        source.write_text(text)
        block = Block(
            name="running_sum", family="example", top="running_sum", kind="stream", sources=(str(source),),
            parameters=(Parameter("Width", (4, 8, 40), "ordinal"), Parameter("Guard", (2, 4, 6), "ordinal")),
            ports=_sum_ports, golden=_sum_golden, stimulus=_sum_stimulus, corners=_sum_corners, reject=_sum_reject,
            macs=lambda p, streams: float(len(streams["data_i"])),
            mutations=(
                Mutation(str(source), "busy_q ? sum_q", "1'b1 ? sum_q", "sums never start anew"),
                Mutation(str(source), "!valid_q || out_ready_i", "1'b1", "results that nobody took are overwritten"),
            ),
        )  # fmt: skip
        return dataclasses.replace(block, **fields)

    return make


@pytest.fixture
def parity_block(tmp_path):
    """A combinational block of two lanes."""
    source = tmp_path / "parity_of.sv"
    source.write_text(XOR)

    def ports(p):
        return (Port("data_i", "in", p["Width"], 2), Port("parity_o", "out", 1, 2))

    def golden(p, streams):
        bits = (streams["data_i"][:, :, None] >> np.arange(p["Width"])) & 1
        return {"parity_o": bits.sum(axis=2) % 2}

    return Block(
        name="parity_of", family="example", top="parity_of", kind="combinational", sources=(str(source),),
        parameters=(Parameter("Width", (4, 16), "ordinal"),), ports=ports, golden=golden,
        stimulus=lambda p, rng, n: {"data_i": rng.integers(0, 1 << p["Width"], (n, 2))},
    )  # fmt: skip
