"""L-Mul: errors of formula and circuit over every pair of mantissas, and the circuit against real arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from archgym.rtl.floating.accuracy import relative
from archgym.rtl.floating.formats import BF16, E4M3, E5M2, Format
from archgym.rtl.floating.lmul import LMul, formula, l_mul, offset_shift

# Mean, mean of the absolute and largest absolute relative error in per cent over all pairs of m-bit mantissas: an
# exhaustive computation from the definitions in the paper (arXiv 2410.00907, section 2.2) sharing no code with ours.
FORMULA = {3: (-0.97, 6.89, 18.2), 4: (-2.18, 6.94, 20.1), 7: (-6.28, 7.51, 23.2), 10: (-6.40, 7.57, 23.4)}
CIRCUIT = {3: (4.93, 5.24, 12.5), 4: (4.87, 5.14, 12.5), 7: (0.41, 2.66, 7.3), 10: (0.41, 2.65, 7.3)}
NO_OFFSET = {3: (-3.78, 3.78, 11.1), 4: (-3.83, 3.83, 11.1), 7: (-3.85, 3.85, 11.1), 10: (-3.85, 3.85, 11.1)}


def mantissas(form: Format):
    one = form.bias << form.man_width
    words = one + np.arange(1 << form.man_width)
    return np.repeat(words, len(words)), np.tile(words, len(words))


@pytest.mark.parametrize("m", [3, 4, 7, 10])
def test_errors_over_every_pair_of_mantissas(m):
    form = Format(8, m)
    a, b = mantissas(form)
    x, y = form.values(a), form.values(b)
    level = offset_shift(m)
    for found, expected in (
        (formula(x, y, m), FORMULA[m]),
        (form.values(l_mul(LMul(form, m, level), a, b)), CIRCUIT[m]),
        (form.values(l_mul(LMul(form, m, 0), a, b)), NO_OFFSET[m]),
    ):
        error = relative(found, x * y)
        percent = 100 * error.mean, 100 * error.mean_abs, 100 * error.max_abs
        assert percent == pytest.approx(expected, abs=0.051)


def test_offsets_follow_the_rule_of_the_paper():
    assert [offset_shift(m) for m in (1, 2, 3, 4, 5, 7, 10, 23)] == [1, 2, 3, 3, 4, 4, 4, 4]


def log2_like(form: Format, words):
    """The piecewise linear logarithm that a word is: exponent plus fraction, exact in float64."""
    value = np.abs(form.values(words))
    fraction, exponent = np.frexp(value)
    return exponent - 1 + (2 * fraction - 1)


@pytest.mark.parametrize(("form", "shift"), [(E4M3, 0), (E4M3, 3), (E4M3, 1), (E5M2, 0), (E5M2, 2)])
def test_the_circuit_adds_piecewise_linear_logarithms(form, shift):
    """Every pair of 8-bit words: 2**floor(s) (1 + s - floor(s)) of the sum s of the logarithms and the offset."""
    a, b = np.repeat(np.arange(256), 256), np.tile(np.arange(256), 256)
    ours = l_mul(LMul(form, form.man_width, shift), a, b)
    nan, inf = form.is_nan, form.is_inf
    tiny_a, tiny_b = a & form.infinity == 0, b & form.infinity == 0
    if form is E4M3:
        tiny_a, tiny_b = (a & 0x78) == 0, (b & 0x78) == 0
    bad = nan(a) | nan(b) | (inf(a) & tiny_b) | (inf(b) & tiny_a)
    assert np.all(nan(ours) | ~bad)
    with np.errstate(all="ignore"):
        total = log2_like(form, a) + log2_like(form, b) + (2.0**-shift if shift else 0.0)
        whole = np.floor(total)
        size = 2.0**whole * (1 + total - whole)
    smallest, largest = 2.0 ** (1 - form.bias), float(form.values(np.array(form.largest)))
    expected = np.where(tiny_a | tiny_b | (size < smallest), 0.0, size)
    if form is E4M3:
        overflow = expected > largest
        assert np.all(nan(ours[overflow & ~bad]))
        bad = bad | overflow
    else:
        expected = np.where(inf(a) | inf(b) | (expected > largest), np.inf, expected)
    good = ~bad
    assert np.array_equal(np.abs(form.values(ours[good])), expected[good])
    assert np.array_equal((ours[good] & form.sign_bit) > 0, ((a ^ b)[good] & form.sign_bit) > 0)
    assert not np.any(nan(ours[good]))


def test_operands_are_cut_before_the_adder():
    one = BF16.bias << 7
    words = one + np.arange(128)
    ones = np.full(128, one)
    cut = l_mul(LMul(BF16, 3, 0, truncate=True), words, ones) - one
    assert np.array_equal(cut, np.arange(128) // 16 * 16)
    rounded = l_mul(LMul(BF16, 3, 0), words, ones) - one
    assert np.array_equal(rounded, np.round(np.arange(128) / 16).astype(int) * 16)  # NumPy rounds ties to even


def test_overflow_saturates_or_is_infinite():
    largest = np.array([BF16.largest])
    assert l_mul(LMul(BF16, 7, 4), largest, largest)[0] == BF16.infinity
    assert l_mul(LMul(BF16, 7, 4, saturate=True), largest, largest)[0] == BF16.largest
    assert l_mul(LMul(E4M3, 3, 3), np.array([0x7E]), np.array([0x7E]))[0] == E4M3.nan


def test_the_formula_takes_signs_and_zeros():
    x, y = np.array([0.0, -1.5, 2.0]), np.array([3.0, 1.25, -4.0])
    assert list(formula(x, y, 3)) == [0.0, -(1 + 0.5 + 0.25 + 0.125), -8 * 1.125]
