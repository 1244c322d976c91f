"""The models of multiplier and adder against NumPy and ml_dtypes, and against exact rational arithmetic."""

from __future__ import annotations

import itertools
from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
from rational import nearest

from archgym.rtl.floating.arithmetic import add, multiply
from archgym.rtl.floating.formats import BF16, E2M1, E4M3, E5M2, FP16, FP32, Format
from archgym.rtl.floating.rounding import Rules, encode

LIBRARY = [
    (BF16, ml_dtypes.bfloat16), (FP16, np.float16), (FP32, np.float32),
    (E5M2, ml_dtypes.float8_e5m2), (E4M3, ml_dtypes.float8_e4m3fn),
]  # fmt: skip
UNSIGNED = {8: np.uint8, 16: np.uint16, 32: np.uint32}


def words(form: Format, rng: np.random.Generator, n: int):
    """Every pair of 8-bit words; else random pairs, half of them of close exponents."""
    if form.width == 8:
        return np.repeat(np.arange(256), 256), np.tile(np.arange(256), 256)
    a, b = rng.integers(0, 1 << form.width, (2, n))
    step = 5 << form.man_width
    b[: n // 2] = (a[: n // 2] + rng.integers(-step, step, n // 2)) % (1 << form.width)
    return a, b


@pytest.mark.parametrize(("form", "kind"), LIBRARY, ids=lambda x: getattr(x, "__name__", ""))
@pytest.mark.parametrize("name", ["add", "multiply"])
def test_results_are_those_of_numpy(form, kind, name):
    a, b = words(form, np.random.default_rng(1), 200_000)
    unsigned = UNSIGNED[form.width]
    with np.errstate(all="ignore"):
        theirs = getattr(np, name)(a.astype(unsigned).view(kind), b.astype(unsigned).view(kind))
        is_nan = np.isnan(theirs.astype(np.float64))
    ours = {"add": add, "multiply": multiply}[name](form, a, b)
    assert np.array_equal(form.is_nan(ours), is_nan)
    assert np.array_equal(ours[~is_nan], theirs.view(unsigned).astype(np.int64)[~is_nan])
    assert np.all(ours[is_nan] & ~form.sign_bit == form.nan)


@pytest.mark.parametrize(("form", "kind"), LIBRARY, ids=lambda x: getattr(x, "__name__", ""))
def test_words_mean_what_they_mean_in_numpy(form, kind):
    n = min(1 << form.width, 1 << 16)
    some = np.arange(n) if form.width < 32 else np.random.default_rng(2).integers(0, 1 << 32, n)
    with np.errstate(invalid="ignore"):
        theirs = some.astype(UNSIGNED[form.width]).view(kind).astype(np.float64)
    ours = form.values(some)
    assert np.array_equal(ours, theirs, equal_nan=True)
    assert np.array_equal(np.signbit(ours)[~np.isnan(ours)], np.signbit(theirs)[~np.isnan(ours)])
    number = ~np.isnan(ours)
    assert np.array_equal(encode(form, ours)[number], some[number])


@pytest.mark.parametrize(
    ("form", "out"), [(BF16, FP32), (E4M3, BF16), (E5M2, E4M3), (E4M3, E5M2), (E2M1, E2M1), (FP16, BF16)]
)
@pytest.mark.parametrize(("truncate", "saturate"), list(itertools.product([False, True], repeat=2)))
def test_products_of_mixed_formats_are_the_rational_product_rounded_once(form, out, truncate, saturate):
    rng = np.random.default_rng(3)
    a, b = rng.integers(0, 1 << form.width, (2, 1500))
    number = np.isfinite(form.values(a)) & np.isfinite(form.values(b))
    a, b = a[number], b[number]
    ours = multiply(form, a, b, Rules(True, truncate, saturate), out)
    for x, y, word in zip(a, b, ours, strict=True):
        value = Fraction(float(form.values(x))) * Fraction(float(form.values(y)))
        negative = bool((x ^ y) & form.sign_bit)
        assert word == nearest(out, value, negative=negative, truncate=truncate, saturate=saturate), (x, y)


@pytest.mark.parametrize("form", [E4M3, E5M2])
def test_sums_towards_zero_are_the_rational_sum_cut(form):
    a, b = np.repeat(np.arange(256), 256), np.tile(np.arange(256), 256)
    number = np.isfinite(form.values(a)) & np.isfinite(form.values(b))
    a, b = a[number][::7], b[number][::7]
    ours = add(form, a, b, Rules(truncate=True))
    for x, y, word in zip(a, b, ours, strict=True):
        value = Fraction(float(form.values(x))) + Fraction(float(form.values(y)))
        negative = value < 0 or bool(value == 0 and x & y & form.sign_bit)
        assert word == nearest(form, value, negative=negative, truncate=True), (x, y)


@pytest.mark.parametrize("form", [BF16, E4M3])
@pytest.mark.parametrize("name", ["add", "multiply"])
def test_without_subnormals_they_are_zero_in_and_out(form, name):
    function = {"add": add, "multiply": multiply}[name]
    a, b = words(form, np.random.default_rng(4), 40_000)

    def flushed(word):
        subnormal = (word & form.infinity == 0) & ~(form.is_nan(word))
        return np.where(subnormal, word & form.sign_bit, word)

    with_rule = function(form, a, b, Rules(subnormals=False))
    before_rounding = function(form, flushed(a), flushed(b), Rules(truncate=True))
    small = before_rounding & form.infinity == 0  # the exponent field is zero before rounding
    reference = np.where(small, before_rounding & form.sign_bit, function(form, flushed(a), flushed(b)))
    assert np.array_equal(with_rule, reference)
    assert np.count_nonzero(with_rule != function(form, a, b)) > 0


def test_overflow_of_e4m3_is_its_only_nan_or_the_largest_number():
    largest = np.array([E4M3.largest])
    assert E4M3.values(largest)[0] == 448  # OCP FP8 specification, table 2
    assert multiply(E4M3, largest, largest)[0] == 0x7F
    assert multiply(E4M3, largest, largest, Rules(saturate=True))[0] == 0x7E
    assert add(E4M3, largest, encode(E4M3, np.array([16.0])))[0] == 0x7E  # 464 ties to even: 448
