"""Proofs: netlists are what their RTL says, planted faults are found, properties hold."""

import json
from dataclasses import replace

import pytest
from rtl_designs import MAC, design, embedded

from archgym.errors import InvalidInput
from archgym.rtl.flow.equivalence import equivalent, prove
from archgym.rtl.flow.limits import Limits
from archgym.rtl.flow.models import cell_models
from archgym.rtl.flow.recipe import BALANCED, FAST
from archgym.rtl.flow.synth import synthesise
from archgym.rtl.tech.technology import technology


@pytest.mark.parametrize("recipe", [BALANCED, FAST], ids=lambda recipe: recipe.name)
def test_a_mapped_accumulator_is_its_rtl(tmp_path, recipe):
    mac = design(tmp_path, MAC, "mac", Width=3, AccWidth=8)
    found = synthesise(mac, embedded(), recipe=recipe)
    proof = equivalent(mac, found.netlist, technology().library)
    assert (proof.status, proof.reason) == ("ok", "")


def test_a_planted_fault_is_found_and_its_signals_are_named(tmp_path):
    mac = design(tmp_path, MAC, "mac", Width=3, AccWidth=8)
    netlist = json.loads(synthesise(mac, embedded()).netlist)
    cell = next(cell for cell in netlist["modules"]["mac"]["cells"].values() if cell["type"].startswith("XOR2"))
    cell["type"] = cell["type"].replace("XOR2", "XNOR2")
    proof = equivalent(mac, json.dumps(netlist), technology().library)
    assert proof.status == "failed"
    assert "the netlist of mac differs from its RTL" in proof.reason
    assert "sum_" in proof.reason


def test_cells_with_resets_and_inverted_clocks_are_modelled(tmp_path):
    text = """
module flags(input logic clk_i, rst_ni, set_ni, d_i, output logic r_o, s_o, n_o);
  always_ff @(posedge clk_i or negedge rst_ni) if (!rst_ni) r_o <= 1'b0; else r_o <= d_i;
  always_ff @(posedge clk_i or negedge set_ni) if (!set_ni) s_o <= 1'b1; else s_o <= d_i;
  always_ff @(negedge clk_i) n_o <= d_i;
endmodule
"""
    flags = design(tmp_path, text, "flags")
    found = synthesise(flags, embedded())
    assert {"DFFR_X1", "DFFS_X1"} <= set(found.cells)
    assert equivalent(flags, found.netlist, technology().library).status == "ok"


def test_properties_are_proved_or_refuted_with_a_counterexample(tmp_path):
    text = """
module claim(input logic [7:0] a_i, input logic [7:0] b_i, output logic yes_o, output logic no_o);
  assign yes_o = (a_i ^ b_i) + 2 * (a_i & b_i) == 9'(a_i) + b_i;
  assign no_o  = a_i != 8'd77;
endmodule
"""
    claim = design(tmp_path, text, "claim")
    assert prove(claim, {"yes_o": 1}).status == "ok"
    refuted = prove(claim, {"no_o": 1})
    assert refuted.status == "failed"
    assert refuted.reason.startswith("claim: there are inputs for which no_o = 1 does not hold: ")
    assert "a_i = 77" in refuted.reason


def test_a_proof_has_limits_and_the_tools_errors(tmp_path):
    wide = "module w(input logic [31:0] a_i, b_i, output logic ok_o);\n"
    wide += "  assign ok_o = (a_i + b_i) * (a_i - b_i) == a_i * a_i - b_i * b_i;\nendmodule\n"
    assert prove(design(tmp_path, wide, "w"), {"ok_o": 1}, Limits(seconds=1)).status == "timeout"
    broken = design(tmp_path, "module b(output logic ok_o);\n  assign ok_o = ;\nendmodule\n", "b")
    assert prove(broken, {"ok_o": 1}).reason.startswith("b.sv:2: expected")


def test_a_function_of_unknown_pins_is_refused():
    library = technology().library
    cell = library.cells["NAND2_X1"]
    pins = {**cell.pins, "Y": replace(cell.pins["Y"], function="!(A&Q)")}
    odd = replace(library, cells={"NAND2_X1": replace(cell, pins=pins)})
    with pytest.raises(InvalidInput, match="names 'Q', which is no pin or state of the cell"):
        cell_models(odd)
