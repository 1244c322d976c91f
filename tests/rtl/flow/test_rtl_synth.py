"""Synthesis: what is mapped is right, what cannot be mapped is said in a sentence."""

import json
from collections import Counter

import numpy as np
import pytest
from rtl_designs import GRID, MAC, design, embedded, write

from archgym.errors import InvalidInput, UnknownName
from archgym.rtl.block import Port
from archgym.rtl.flow.design import Design
from archgym.rtl.flow.gatesim import build_model, run_rows
from archgym.rtl.flow.limits import Limits
from archgym.rtl.flow.netlist import flatten, read_yosys_json
from archgym.rtl.flow.recipe import BALANCED, EFFORTS, recipes
from archgym.rtl.flow.synth import Variant, synthesise, synthesise_all
from archgym.rtl.flow.timing import Constraints, analyse
from archgym.rtl.tech.technology import technology

MULTIPLY = """
module multiply #(parameter int unsigned W = 4) (
  input logic signed [W-1:0] a_i, input logic signed [W-1:0] b_i, input logic [7:0] c_i, output logic [7:0] y_o
);
  assign y_o = 8'(a_i * b_i) - c_i;
endmodule
"""


def area(found):
    cells = technology().library.cells
    return sum(cells[kind].area_um2 * number for kind, number in found.cells.items())


def netlist(found):
    return flatten(read_yosys_json(found.netlist), found.top, technology().library)


def test_every_recipe_computes_what_the_rtl_says(tmp_path):
    variants = [Variant(recipe, target) for recipe in EFFORTS["high"] for target in (None, 0.3)]
    found = synthesise_all(design(tmp_path, MULTIPLY, "multiply"), embedded(), variants)
    a, b, c = (grid.ravel() for grid in np.meshgrid(np.arange(-8, 8), np.arange(-8, 8), np.arange(0, 256, 5)))
    ports = [Port("a_i", "in", 4, signed=True), Port("b_i", "in", 4, signed=True), Port("c_i", "in", 8)]
    ports.append(Port("y_o", "out", 8))
    for each in found:
        assert each.status == "ok", each.reason
        model = build_model(netlist(each), technology().library, None)
        run = run_rows(model, ports, [{"a_i": a, "b_i": b, "c_i": c}])
        np.testing.assert_array_equal(run.outputs[0]["y_o"], (a * b - c) % 256, err_msg=str(each.variant))
    assert len({each.netlist for each in found}) > len(EFFORTS["high"])


def test_recipes_trade_area_for_delay(tmp_path):
    found = synthesise_all(design(tmp_path, MAC, "mac"), embedded(), [Variant(each) for each in EFFORTS["normal"]])
    delays = {
        each.variant.recipe.name: analyse(netlist(each), technology().library, Constraints(1.0)).critical_ns
        for each in found
    }
    areas = {each.variant.recipe.name: area(each) for each in found}
    assert areas["dense"] == min(areas.values())
    assert delays["dense"] == max(delays.values())
    assert min(delays.values()) < 0.85 * delays["dense"]


def test_a_netlist_does_not_depend_on_what_ran_before(tmp_path):
    first = synthesise(design(tmp_path, MAC, "mac", Width=5), embedded())
    synthesise(design(tmp_path, MULTIPLY, "multiply"), embedded())
    again = synthesise(design(tmp_path, MAC, "mac", Width=5), embedded())
    assert json.loads(first.netlist) == json.loads(again.netlist)
    among = synthesise_all(
        design(tmp_path, MAC, "mac", Width=5), embedded(), [Variant(each) for each in EFFORTS["high"]]
    )
    same = next(each for each in among if each.variant.recipe == BALANCED)
    assert json.loads(first.netlist) == json.loads(same.netlist)


def test_repeated_modules_are_mapped_once(tmp_path):
    sources = (write(tmp_path, MAC), write(tmp_path, GRID))
    grid = Design(sources, "grid", {"N": 3}, keep=("mac",))
    found = synthesise(grid, embedded(), hierarchical=True)
    modules = json.loads(found.netlist)["modules"]
    assert found.status == "ok"
    assert sorted(modules) == ["grid", "mac$AccWidth=12$Width=4"]
    one = synthesise(Design(sources, "mac", {"Width": 4, "AccWidth": 12}), embedded())
    assert found.cells == Counter({kind: 9 * number for kind, number in one.cells.items()})
    flat = netlist(found)
    assert flat.cells == sum(found.cells.values())
    assert len(flat.sequential) == 9 * 12


def test_flattening_saves_what_neighbours_can_share(tmp_path):
    sources = (write(tmp_path, MAC), write(tmp_path, GRID))
    grid = Design(sources, "grid", {"N": 2}, keep=("mac",))
    apart, together = (synthesise(grid, embedded(), hierarchical=flag) for flag in (True, False))
    # Elements of a row encode the same operand: together they do it once.
    assert 1.0 < area(apart) / area(together) < 1.25


ONE = "module t(input logic a_i, output logic y_o);\n"
TWO = "module t(input logic a_i, b_i, output logic y_o);\n"
LOOP = TWO + "  logic p, q;\n  assign p = a_i & q;\n  assign q = p | b_i;\n  assign y_o = q;\nendmodule\n"
IP = "(* blackbox *) module ip(input logic a_i, output logic y_o); endmodule\n"


@pytest.mark.parametrize(
    ("text", "status", "words"),
    [
        (ONE + "  assign y_o = a_i\nendmodule\n", "failed", "t.sv:2: expected ';'"),
        (LOOP, "failed", "combinational loop in t through q (t.sv:2), p (t.sv:2)"),
        (TWO + "  always_comb if (a_i) y_o = b_i;\nendmodule\n", "failed", "assign every signal of always_comb"),
        (TWO + "  always_latch if (a_i) y_o = b_i;\nendmodule\n", "failed", "the design has latches"),
        (ONE + "  assign y_o = a_i;\nendmodule\n", "infeasible", "no logic"),
        (IP + ONE + "  ip u(.a_i, .y_o);\nendmodule\n", "failed", "module ip has no content"),
        (ONE + "  gone u(.a_i, .y_o);\nendmodule\n", "failed", "t.sv:2: unknown module 'gone'"),
    ],
    ids=["syntax", "loop", "inferred-latch", "latch", "empty", "black-box", "unknown-module"],
)
def test_what_cannot_be_mapped_is_said(tmp_path, text, status, words):
    found = synthesise(Design((write(tmp_path, text, "t.sv"),), "t"), embedded())
    assert found.status == status
    assert words in found.reason
    assert "\n" not in found.reason


def test_values_that_the_rtl_rejects_fail_with_its_sentence(tmp_path):
    found = synthesise(design(tmp_path, MAC, "mac", Width=1), embedded())
    assert (found.status, found.reason) == ("failed", "mac.sv:14: $error encountered: Width must be at least 2, got 1")


def test_a_top_that_is_not_there(tmp_path):
    found = synthesise(design(tmp_path, MAC, "mack"), embedded())
    assert (found.status, found.reason) == ("failed", "'mack' is not a valid top-level module")


def test_limits_say_which_and_how_to_raise_it(tmp_path):
    big = design(tmp_path, MAC, "mac", Width=32, AccWidth=64)
    few = synthesise(big, embedded(), limits=Limits(cells=100))
    assert few.status == "failed"
    assert "over the limit of 100; raise the limit of cells" in few.reason
    slow = synthesise(big, embedded(), limits=Limits(seconds=0.05))
    assert (slow.status, slow.reason[:24]) == ("timeout", "no result within 0.05 s;")
    small = synthesise(big, embedded(), limits=Limits(memory_mib=150))
    assert (small.status, small.reason[:22]) == ("failed", "needs more memory than")
    assert synthesise(big, embedded()).status == "ok"  # the next job has a fresh process


def test_folders_with_blanks_are_fine_and_odd_file_names_are_said(tmp_path):
    folder = tmp_path / "my designs"
    folder.mkdir()
    assert synthesise(design(folder, MAC, "mac"), embedded()).status == "ok"
    odd = write(tmp_path, MAC, "my mac.sv")
    with pytest.raises(InvalidInput, match="rename it without blanks"):
        synthesise(Design((odd,), "mac"), embedded())
    with pytest.raises(InvalidInput, match="is no plain SystemVerilog name"):
        synthesise(Design((write(tmp_path, MAC),), "mac; shell ls"), embedded())
    with pytest.raises(InvalidInput, match="is not there"):
        synthesise(Design((tmp_path / "gone.sv",), "mac"), embedded())


def test_the_scratch_folder_is_kept_on_request(tmp_path):
    synthesise(design(tmp_path, MAC, "mac"), embedded(), keep=tmp_path / "kept")
    assert {"log.txt", "netlist-0.json", "0.abc"} <= {path.name for path in (tmp_path / "kept").iterdir()}


def test_efforts():
    assert recipes("quick", full_adders=True) != recipes("normal", full_adders=True)
    without = recipes("normal", full_adders=False)
    assert len({(each.adder, each.goal) for each in without}) == len(without)
    with pytest.raises(UnknownName, match="did you mean 'normal'"):
        recipes("norml", full_adders=True)
    assert BALANCED in recipes("normal", full_adders=True)


@pytest.mark.parametrize("name", ["seconds", "memory_mib", "cells"])
def test_limits_are_positive(name):
    with pytest.raises(InvalidInput, match=name):
        Limits(**{name: 0})
