"""Our flattening and written Verilog beside Yosys's own `flatten` and reader."""

from __future__ import annotations

import subprocess
import sys

import pytest
from linear_library import library

from archgym.rtl.flow.netlist import flatten, read_yosys_json, write_verilog
from archgym.rtl.flow.timing import Constraints, analyse

# Two levels of modules, a wire through a module, an unused output and a constant input.
RTL = """
module leaf(input clk_i, input [2:0] a, input [2:0] b, output [2:0] through, output reg [2:0] q, output odd);
  assign through = a;
  assign odd = ^q;
  always @(posedge clk_i) q <= (a + b) ^ {q[1:0], q[2]};
endmodule
module row(input clk_i, input [2:0] a, input [2:0] b, output [2:0] y, output odd);
  wire [2:0] first, second;
  leaf u0(.clk_i(clk_i), .a(a), .b(b), .through(first), .q(second), .odd(odd));
  leaf u1(.clk_i(clk_i), .a(first), .b(second), .through(), .q(y), .odd());
endmodule
module top(input clk_i, input [2:0] a, output [2:0] y, output [1:0] odd);
  wire [2:0] mid;
  row r0(.clk_i(clk_i), .a(a), .b(3'b101), .y(mid), .odd(odd[0]));
  row r1(.clk_i(clk_i), .a(mid), .b(a), .y(y), .odd(odd[1]));
endmodule
"""
SCRIPT = """
import sys
from pyosys import libyosys
design = libyosys.Design()
for command in sys.argv[1].split(";"):
    libyosys.run_pass(command, design)
"""


def yosys(folder, commands):
    # A child process: an error in Yosys ends the process that it runs in.
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, ";".join(commands)], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def mapped(tmp_path_factory):
    """A folder with the library and both netlists, mapped once."""
    folder = tmp_path_factory.mktemp("mapped")
    lib = library(folder)
    (folder / "rtl.v").write_text(RTL)
    yosys(
        folder,
        [
            "read_verilog rtl.v",
            "synth -top top",
            "dfflibmap -liberty linear.lib",
            "abc -liberty linear.lib",
            "write_json ours.json",
            "flatten",
            "write_json theirs.json",
        ],
    )
    return folder, lib


def test_flattening_agrees_with_the_one_of_yosys(mapped):
    folder, lib = mapped
    ours, theirs = (flatten(read_yosys_json(folder / f"{name}.json"), "top", lib) for name in ("ours", "theirs"))
    assert ours.counts() == theirs.counts()
    assert ours.cells > 50
    constraints = Constraints(1.0, input_slew_ns=0.02, output_load_ff=3.0)
    assert analyse(ours, lib, constraints).groups == pytest.approx(analyse(theirs, lib, constraints).groups)
    assert sorted(ours.fanout) == sorted(theirs.fanout)
    # Yosys marks names that it made itself, and joins the parts by dots.
    theirs_named = [theirs.cell_name(cell).removeprefix("$flatten").replace("\\", "") for cell in range(theirs.cells)]
    assert sorted(ours.cell_name(cell).replace("/", ".") for cell in range(ours.cells)) == sorted(theirs_named)


def test_written_verilog_is_the_same_netlist_to_yosys(mapped):
    folder, lib = mapped
    ours = flatten(read_yosys_json(folder / "ours.json"), "top", lib)
    (folder / "written.v").write_text(write_verilog(ours))
    yosys(
        folder, ["read_liberty -lib linear.lib", "read_verilog written.v", "hierarchy -top top", "write_json back.json"]
    )
    back = flatten(read_yosys_json(folder / "back.json"), "top", lib)
    assert back.counts() == ours.counts()
    constraints = Constraints(1.0, input_slew_ns=0.02, output_load_ff=3.0)
    assert analyse(back, lib, constraints).groups == pytest.approx(analyse(ours, lib, constraints).groups)
