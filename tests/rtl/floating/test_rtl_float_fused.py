"""Fused multiply-add and chains against exact rational arithmetic and worked examples."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from rational import nearest

from archgym.rtl.floating.arithmetic import multiply
from archgym.rtl.floating.formats import BF16, E4M3, E5M2, FP16, FP32, Format
from archgym.rtl.floating.fused import (
    APPROXIMATE,
    EXACT,
    NONE,
    Chain,
    accumulate,
    dot,
    finish,
    fma,
    pack_sum,
    unpack_sum,
)  # fmt: skip
from archgym.rtl.floating.rounding import Rules, Unpacked, encode


def exact(form: Format, word) -> Fraction:
    return Fraction(float(form.values(np.array(word))))


@pytest.mark.parametrize("truncate", [False, True])
@pytest.mark.parametrize(
    ("form", "out"), [(BF16, FP32), (FP16, FP16), (E4M3, E4M3), (E5M2, FP16), (FP32, FP32), (FP16, BF16)]
)
def test_fma_is_the_rational_result_rounded_once(form, out, truncate):
    rng = np.random.default_rng(5)
    n = 1500
    a, b = rng.integers(0, 1 << form.width, (2, n))
    a[:200] &= ~form.infinity  # subnormal factors
    rules = Rules(truncate=truncate)
    near = multiply(form, a, b, rules, out) ^ out.sign_bit  # cancels nearly all of the product
    c = np.where(rng.random(n) < 0.5, (near + rng.integers(-3, 4, n)) % (1 << out.width), 0)
    c = np.where(rng.random(n) < 0.3, rng.integers(0, 1 << out.width, n), c)
    number = np.isfinite(form.values(a)) & np.isfinite(form.values(b)) & np.isfinite(out.values(c))
    a, b, c = a[number], b[number], c[number]
    for x, y, z, word in zip(a, b, c, fma(form, a, b, c, rules, out), strict=True):
        value = exact(form, x) * exact(form, y) + exact(out, z)
        both = bool((x ^ y) & form.sign_bit) and bool(z & out.sign_bit)
        assert word == nearest(out, value, negative=value < 0 or (value == 0 and both), truncate=truncate), (x, y, z)


def test_fma_with_infinities_and_nan():
    inf, nan, one = BF16.infinity, BF16.nan, BF16.bias << 7
    minus = inf | BF16.sign_bit
    a = np.array([inf, inf, inf, nan, one, one, inf])
    b = np.array([0, one, one, one, one, one, one])
    c = np.array([one, minus, inf, one, nan, minus, one])
    assert list(fma(BF16, a, b, c)) == [nan, nan, inf, nan, nan, minus, inf]


def test_flushing_fma_ignores_subnormals():
    small, one = 3, BF16.bias << 7  # a subnormal
    a, b, c = np.array([small, one, small]), np.array([one, one, one]), np.array([one, small, small])
    assert list(fma(BF16, a, b, c, Rules(subnormals=False))) == [one, one, 0]
    tiny = np.array([1 << 7])  # smallest normal; its square is far below
    minus = np.array([BF16.sign_bit | 1 << 7])
    assert list(fma(BF16, minus, tiny, np.array([0]), Rules(subnormals=False))) == [BF16.sign_bit]


@pytest.mark.parametrize("normalise", [NONE, APPROXIMATE, EXACT])
@pytest.mark.parametrize("form", [E4M3, E5M2])
def test_chains_wide_enough_are_exact(form, normalise):
    """52 bits hold every bit of such sums at any alignment, so the order and the normalisation cannot matter."""
    rng = np.random.default_rng(6)
    shape = (300, 9)
    a, b = rng.integers(0, 1 << form.width, (2, *shape))
    # Exponents within 5 of the top: products span 10 + 2 man_width + 2 bits.
    high = ((1 << form.exp_width) - 7) << form.man_width
    a, b = (x & ~form.infinity | high | (x & form.infinity & (3 << form.man_width)) for x in (a, b))
    last = np.zeros(shape, dtype=np.int64)
    last[:, -1] = 1
    chain = Chain(form, 52, normalise, 2, 3)
    out = FP32
    results = dot(chain, a.ravel(), b.ravel(), last.ravel(), out)
    totals = (form.values(a) * form.values(b)).sum(axis=1)  # exact in float64 for the same reason
    for total, word in zip(totals, results, strict=True):
        assert word == nearest(out, Fraction(total), negative=total < 0)


def one_element(chain: Chain, product: float, sum_sig: int, sum_exp: int) -> Unpacked:
    """1 * product onto a positive partial sum."""
    words = encode(BF16, np.array([product]))
    no = np.array([False])
    before = Unpacked(no, np.array([sum_exp]), np.array([sum_sig]), no, no)
    return accumulate(chain, words, encode(BF16, np.array([1.0])), before)


@pytest.mark.parametrize(
    ("k", "lam", "ones_at", "shift"),
    [(1, 1, 15, 0), (1, 1, 14, 1), (1, 1, 13, 2), (1, 1, 3, 2), (2, 2, 14, 0), (2, 2, 13, 2), (2, 2, 11, 4),
     (3, 1, 12, 3)],
)  # fmt: skip
def test_approximate_normalisation_looks_at_k_then_lambda_bits(k, lam, ones_at, shift):
    """A sum whose first one is at bit `ones_at` of 16 meets a product of zero."""
    after = one_element(Chain(BF16, 16, APPROXIMATE, k, lam), 0.0, 1 << ones_at, 5)
    assert (int(after.sig[0]), int(after.exp[0])) == (1 << (ones_at + shift), 5 - shift)


def test_exact_normalisation_and_none():
    after = one_element(Chain(BF16, 16, EXACT), 0.0, 1 << 3, 5)
    assert (int(after.sig[0]), int(after.exp[0])) == (1 << 15, -7)
    after = one_element(Chain(BF16, 16, NONE), 0.0, 1 << 3, 5)
    assert (int(after.sig[0]), int(after.exp[0])) == (1 << 3, 5)


def test_a_carry_moves_right_and_drops_the_lowest_bit():
    # 2**5 (1 + 2**-15) + 2**5 = 2**6 (1 + 2**-16): the last bit does not fit.
    after = one_element(Chain(BF16, 16, EXACT), 32.0, (1 << 15) + 1, 5)
    assert (int(after.sig[0]), int(after.exp[0])) == (1 << 15, 6)


def test_a_sum_of_zero_lets_the_next_product_in_whole():
    chain = Chain(BF16, 16, APPROXIMATE)
    huge, tiny = encode(BF16, np.array([2.0**100])), encode(BF16, np.array([1.7e-30]))
    a = np.array([huge[0], huge[0] | BF16.sign_bit, tiny[0]])
    one = np.repeat(encode(BF16, np.array([1.0])), 3)
    assert dot(chain, a, one, np.array([0, 0, 1]), BF16)[0] == tiny[0]


def test_special_values_reach_the_end_of_a_chain():
    inf, nan, one, minus = BF16.infinity, BF16.nan, BF16.bias << 7, BF16.infinity | BF16.sign_bit
    a = np.array([inf, one, inf, minus, nan, one, one, minus])
    last = np.array([0, 1] * 4)
    results = dot(Chain(BF16, 16), a, np.full(8, one), last, BF16)
    assert list(results) == [inf, nan, nan, minus]


def test_partial_sums_survive_packing():
    rng = np.random.default_rng(7)
    chain = Chain(E5M2, 16)
    words = rng.integers(0, 1 << chain.bits, 1000)
    assert np.array_equal(pack_sum(chain, unpack_sum(chain, words)), words)


def test_the_end_of_a_chain_underflows_and_overflows_as_the_format_does():
    no, chain = np.zeros(3, dtype=bool), Chain(BF16, 16)
    psum = Unpacked(no, np.array([-8, 9, -10]), np.array([0x8000, 0x8000, 0xFFFF]), no, no)
    values = finish(chain, psum, E4M3)
    assert list(values) == [2, 0x7F, 1]  # 2**-8 is two steps of 2**-9; 2**9 overflows; just under 2**-9 rounds up
