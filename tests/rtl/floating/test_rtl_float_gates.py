"""The RTL as gates against the models: every pair of 8-bit words, random and directed words for wider formats."""

from __future__ import annotations

import numpy as np
import pytest
from gate_level import gates

from archgym.rtl.floating.arithmetic import add, multiply
from archgym.rtl.floating.formats import BF16, E4M3, E5M2, FP16, FP32, Format
from archgym.rtl.floating.fused import APPROXIMATE, EXACT, Chain, accumulate, finish, fma, pack_sum, unpack_sum
from archgym.rtl.floating.lmul import LMul, l_mul
from archgym.rtl.floating.rounding import Rules
from archgym.rtl.floating.stimuli import operands, pairs, partners

BASE = tuple(f"floating/fp_{name}.sv" for name in ("unpack", "lzc", "shift_sticky", "round", "mul_front"))
MUL_BACK = (*BASE, "floating/fp_mul_back.sv")
ADD = (*BASE, "floating/fp_add_front.sv", "floating/fp_add_back.sv", "floating/fp_add.sv")
FMA = (*BASE, "floating/fp_fma_align.sv", "floating/fp_add_back.sv")
L_MUL = ("floating/fp_unpack.sv", "floating/l_mul_input.sv", "floating/l_mul.sv")


def widths(form: Format) -> dict[str, int]:
    return {"ExpWidth": form.exp_width, "ManWidth": form.man_width, "Specials": form.specials}


def out_widths(form: Format) -> dict[str, int]:
    return {f"Out{name}": value for name, value in widths(form).items()}


def knobs(rules: Rules) -> dict[str, int]:
    return {"Subnormals": int(rules.subnormals), "Round": int(rules.truncate), "Saturate": int(rules.saturate)}


def words(form: Format, n: int = 20_000):
    if form.width == 8:
        return np.repeat(np.arange(256), 256), np.tile(np.arange(256), 256)
    rng = np.random.default_rng(8)
    a = operands(form, rng, n)
    corners = pairs(form)
    return np.r_[a, corners[0]], np.r_[partners(form, a, rng), corners[1]]


RULES = [Rules(), Rules(saturate=True), Rules(truncate=True), Rules(subnormals=False)]


def product_bundle(form: Format, a, b, rules: Rules):
    """What the first half of the multiplier makes, for its second half or for an addition."""
    parameters = widths(form) | {"Subnormals": int(rules.subnormals)}
    return gates("fp_mul_front", BASE, parameters)(a_i=a, b_i=b)["bundle_o"]


def product(form: Format, a, b, rules: Rules = RULES[0], out: Format | None = None):
    """The two halves of the multiplier, as the streams put them together."""
    out = out or form
    operands = {name: value for name, value in widths(form).items() if name != "Specials"}
    back = gates("fp_mul_back", MUL_BACK, operands | out_widths(out) | knobs(rules))
    return back(bundle_i=product_bundle(form, a, b, rules))["result_o"]


@pytest.mark.parametrize("rules", RULES, ids=str)
@pytest.mark.parametrize("form", [E4M3, E5M2])
def test_every_sum_and_product_of_8_bit_words(form, rules):
    a, b = words(form)
    parameters = widths(form) | knobs(rules)
    assert np.array_equal(product(form, a, b, rules), multiply(form, a, b, rules))
    found = gates("fp_add", ADD, parameters)(a_i=a, b_i=b)["result_o"]
    assert np.array_equal(found, add(form, a, b, rules))


@pytest.mark.parametrize("form", [BF16, FP16, FP32])
def test_sums_and_products_of_wide_words(form):
    a, b = words(form)
    assert np.array_equal(product(form, a, b), multiply(form, a, b))
    found = gates("fp_add", ADD, widths(form))(a_i=a, b_i=b)["result_o"]
    assert np.array_equal(found, add(form, a, b))


def test_every_product_into_another_format():
    a, b = words(E4M3)
    assert np.array_equal(product(E4M3, a, b, out=BF16), multiply(E4M3, a, b, out=BF16))


@pytest.mark.parametrize(
    ("form", "kept", "shift", "truncate", "saturate"),
    [(E4M3, 3, 3, False, False), (E4M3, 2, 1, False, True), (E4M3, 3, 0, False, False), (E5M2, 2, 2, False, False),
     (E5M2, 1, 1, True, True), (BF16, 7, 4, False, False), (BF16, 3, 3, False, False)],
)  # fmt: skip
def test_l_mul(form, kept, shift, truncate, saturate):
    a, b = words(form)
    parameters = {"KeptBits": kept, "OffsetShift": shift, "InputRound": int(truncate), "Saturate": int(saturate)}
    found = gates("l_mul", L_MUL, widths(form) | parameters)(a_i=a, b_i=b)["result_o"]
    assert np.array_equal(found, l_mul(LMul(form, kept, shift, truncate, saturate), a, b))


@pytest.mark.parametrize(
    ("form", "out", "rules"), [(BF16, FP32, RULES[0]), (E5M2, FP16, RULES[0]), (E4M3, BF16, RULES[3])]
)
def test_fma(form, out, rules):
    rng = np.random.default_rng(9)
    a, b = words(form)
    c = partners(out, multiply(form, a, b, rules, out), rng)
    sum_exp = max(form.exp_width, out.exp_width) + 2
    sum_width = max(2 * form.man_width + 2, out.man_width + 1) + 4
    factors = {"ExpWidth": form.exp_width, "ManWidth": form.man_width, "Subnormals": int(rules.subnormals)}
    align = gates("fp_fma_align", FMA, factors | out_widths(out))
    back = gates("fp_add_back", FMA, widths(out) | knobs(rules) | {"SumExpWidth": sum_exp, "SumWidth": sum_width})
    total = align(product_i=product_bundle(form, a, b, rules), c_i=c)["bundle_o"]
    found = back(bundle_i=total)["result_o"]
    assert np.array_equal(found, fma(form, a, b, c, rules, out))


@pytest.mark.parametrize(
    ("form", "width", "normalise", "k", "lam"),
    [(BF16, 16, EXACT, 1, 1), (BF16, 16, APPROXIMATE, 1, 2), (BF16, 20, 0, 1, 1), (E4M3, 12, APPROXIMATE, 3, 3)],
)
def test_elements_and_end_of_a_chain(form, width, normalise, k, lam):
    rng = np.random.default_rng(10)
    chain = Chain(form, width, normalise, k, lam)
    a, b = words(form)
    n = len(a)
    exp = rng.integers(-20, 20, n) & ((4 << form.exp_width) - 1)
    sums = (rng.integers(0, 8, n) * (rng.random(n) < 0.1)) << (width + form.exp_width + 2) | exp << width
    sums |= rng.integers(0, 1 << width, n) >> rng.integers(0, width + 1, n)
    front = product_bundle(form, a, b, RULES[0])
    parameters = {
        "ExpWidth": form.exp_width, "ManWidth": form.man_width, "SumWidth": width, "Normalise": normalise,
        "NormK": k, "NormLambda": lam,
    }  # fmt: skip
    element = gates("fma_accumulate", (*BASE, "floating/fma_accumulate.sv"), parameters)
    found = element(product_i=front, sum_i=sums)["sum_o"]
    expected = accumulate(chain, a, b, unpack_sum(chain, sums))
    assert np.array_equal(found, pack_sum(chain, expected))
    ending = {"ExpWidth": form.exp_width, "SumWidth": width, **out_widths(FP16)}
    end = gates("fma_normalise", (*BASE, "floating/fma_normalise.sv"), ending)
    assert np.array_equal(end(sum_i=found)["result_o"], finish(chain, expected, FP16))
