"""Primitives for every input: encoders and products exhaustively, compressors by SAT, single steps of accumulators."""

from __future__ import annotations

import numpy as np
import pytest
from gate_level import gates, read, signed, yosys

from archgym.rtl.common import digits
from archgym.rtl.common.sources import MULTIPLIER, common
from archgym.rtl.mac.stimuli import extremes


@pytest.mark.parametrize("width", [4, 8, 16])
@pytest.mark.parametrize("multiplier", range(5))
def test_encoders_on_every_operand(width, multiplier):
    a = np.arange(1 << width)
    got = gates("operand_encoder", MULTIPLIER, {"Width": width, "Multiplier": multiplier})(a_i=a)["enc_o"]
    size = digits.encoded_width(width, multiplier)
    assert (got == digits.encode(signed(a, width), width, multiplier) & ((1 << size) - 1)).all()


def pairs(width):
    """Every pair of 4 and of 8 bits; of 16 bits extremes, those with one bit set or cleared, and random ones."""
    if width < 16:
        values = np.arange(1 << width)
        return tuple(grid.ravel() for grid in np.meshgrid(values, values))
    single = 1 << np.arange(16)
    chosen = np.unique(np.concatenate([extremes(16) & 0xFFFF, single, 0xFFFF ^ single]))
    a, b = (grid.ravel() for grid in np.meshgrid(chosen, chosen))
    random = np.random.default_rng(16).integers(0, 1 << 16, (2, 6000))
    return np.concatenate([a, random[0]]), np.concatenate([b, random[1]])


@pytest.mark.parametrize("wider", [0, 5])
@pytest.mark.parametrize("width", [4, 8, 16])
@pytest.mark.parametrize("multiplier", range(5))
def test_products(width, multiplier, wider):
    a, b = pairs(width)
    bits = 2 * width + wider
    unit = gates("product", MULTIPLIER, {"Width": width, "Multiplier": multiplier, "OutWidth": bits})
    code = digits.encode(signed(a, width), width, multiplier) & ((1 << digits.encoded_width(width, multiplier)) - 1)
    got = unit(enc_i=code, b_i=b)
    difference = got["sum_o"] + got["carry_o"] - signed(a, width) * signed(b, width)
    assert (difference % (1 << bits) == 0).all()
    if multiplier == 0:
        assert not got["carry_o"].any()


@pytest.mark.parametrize("inputs", [1, 2, 3, 4, 5, 6, 7, 9])
def test_a_tree_keeps_the_sum_of_every_input(inputs):
    width = min(4, 18 // inputs)
    got = gates("csa_tree", common("csa_tree"), {"Inputs": inputs, "Width": width})
    vectors = np.arange(1 << (inputs * width))
    terms = sum((vectors >> (t * width)) & ((1 << width) - 1) for t in range(inputs))
    answer = got(terms_i=vectors)
    assert ((answer["sum_o"] + answer["carry_o"] - terms) % (1 << width) == 0).all()


def test_a_wide_tree_is_an_adder(tmp_path):
    """6:2 at 8 bits: 2^48 inputs, proved by SAT against a sum that Yosys makes of adders."""
    (tmp_path / "claim.sv").write_text(
        "module claim (input logic [47:0] terms_i, output logic same_o);\n"
        "  logic [7:0] sum, carry;\n"
        "  csa_tree #(.Inputs(6), .Width(8)) u (.terms_i(terms_i), .sum_o(sum), .carry_o(carry));\n"
        "  wire [7:0] total = terms_i[7:0] + terms_i[15:8] + terms_i[23:16] + terms_i[31:24] + terms_i[39:32]\n"
        "                   + terms_i[47:40];\n"
        "  wire [7:0] added = sum + carry;\n"
        "  assign same_o = total == added;\n"
        "endmodule\n"
    )
    log = yosys(
        read("claim", (*common("csa_tree"), str(tmp_path / "claim.sv")), {}),
        "hierarchy -top claim; proc; flatten; opt",
        "sat -verify -prove same_o 1",
        cwd=tmp_path,
    )
    assert "SAT proof finished - no model found: SUCCESS!" in log


@pytest.mark.parametrize(("inputs", "width"), [(3, 4), (4, 3), (6, 2)])
def test_ones_join_a_tree_without_a_row(inputs, width):
    got = gates("csa_tree_plus", common("csa_tree_plus"), {"Inputs": inputs, "Width": width})
    vectors = np.arange(1 << (inputs * width))
    total = sum((vectors >> (t * width)) & ((1 << width) - 1) for t in range(inputs))
    for ones in range(1 << (inputs - 2)):
        answer = got(terms_i=vectors, plus_i=np.full_like(vectors, ones))
        assert ((answer["sum_o"] + answer["carry_o"] - total - ones.bit_count()) % (1 << width) == 0).all()


@pytest.mark.parametrize("lanes", [2, 4, 8])
def test_the_first_digit_is_found(lanes):
    flags = np.arange(1 << lanes)
    got = gates("digit_finder", common("digit_finder"), {"Lanes": lanes})(flags_i=flags)
    first = flags & -flags
    assert (got["first_o"] == first).all()
    assert (got["position_o"] == np.where(flags, np.log2(np.maximum(first, 1)), 0)).all()
    assert (got["single_o"] == (first == flags)).all()


@pytest.mark.parametrize("carry_save", [0, 1])
@pytest.mark.parametrize(("terms", "width"), [(1, 4), (2, 3), (4, 2)])
def test_a_step_of_an_accumulator(terms, width, carry_save):
    """For every state and input: the next state is worth the state, unless cleared, and the terms."""
    sources = common("csa_tree", "csa_accumulator", "accumulator")
    step = gates("accumulator", sources, {"Terms": terms, "Width": width, "CarrySave": carry_save})
    state, following = step.state()
    bits = terms * width + (1 + carry_save) * width + 2
    vectors = np.arange(1 << bits)
    mask = (1 << width) - 1
    enable, clear, rest = vectors & 1, (vectors >> 1) & 1, vectors >> 2
    values = {"enable_i": enable, "clear_i": clear, "terms_i": rest & ((1 << (terms * width)) - 1)}
    total = sum((values["terms_i"] >> (t * width)) & mask for t in range(terms))
    held = 0
    for number, name in enumerate(state):
        values[name] = (rest >> ((terms + number) * width)) & mask
        held = held + values[name]
    answer = step(clk_i=np.zeros_like(vectors), **values)
    after = sum(answer[name] for name in following)
    expected = np.where(enable, np.where(clear, 0, held) + total, held)
    assert ((after - expected) % (1 << width) == 0).all()
