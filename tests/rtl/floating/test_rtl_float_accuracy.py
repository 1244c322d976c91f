"""Measures of accuracy on cases whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from archgym.errors import UnknownName
from archgym.rtl.floating import accuracy
from archgym.rtl.floating.arithmetic import multiply
from archgym.rtl.floating.formats import BF16, E4M3, FP32
from archgym.rtl.floating.fused import APPROXIMATE, EXACT, Chain
from archgym.rtl.floating.lmul import LMul, l_mul


def test_relative_errors_of_known_values():
    error = accuracy.relative(np.array([1.1, 1.8, np.nan, 5.0, 0.0]), np.array([1.0, 2.0, 1.0, 0.0, np.inf]))
    assert error.mean == pytest.approx(0.0)
    assert (error.mean_abs, error.max_abs, error.rms) == pytest.approx((0.1, 0.1, 0.1))
    assert error.lost == pytest.approx(1 / 3)
    nothing = accuracy.relative(np.array([1.0]), np.array([0.0]))
    assert np.isnan(nothing.mean)


def test_rounding_errs_by_at_most_half_a_unit():
    error = accuracy.products(lambda a, b: multiply(BF16, a, b), BF16)
    assert error.max_abs <= 2.0**-8
    assert abs(error.mean) < error.mean_abs / 10
    assert error.lost == 0


@pytest.mark.parametrize("kind", accuracy.DISTRIBUTIONS)
def test_l_mul_on_random_operands_errs_no_more_than_on_every_mantissa(kind):
    def unit(a, b):
        return l_mul(LMul(BF16, 7, 4), a, b)

    worst = accuracy.products(unit, BF16)
    drawn = accuracy.products(unit, BF16, kind)
    assert drawn.max_abs <= worst.max_abs
    assert drawn.mean_abs == pytest.approx(worst.mean_abs, rel=0.2)


def test_errors_against_the_source_include_the_rounding_of_operands():
    def unit(a, b):
        return multiply(E4M3, a, b, out=None)

    assert (
        accuracy.products(unit, E4M3, "gaussian", source=True).rms > 1.2 * accuracy.products(unit, E4M3, "gaussian").rms
    )


def test_an_unknown_distribution_is_refused():
    with pytest.raises(UnknownName, match="gaussian, uniform"):
        accuracy.draw("normal", np.random.default_rng(0), (1,))


def test_signal_to_noise_of_known_values():
    assert accuracy.snr_db(np.array([1.1]), np.array([1.0])) == pytest.approx(20.0)
    assert accuracy.snr_db(np.array([1.0]), np.array([1.0])) == np.inf


def test_wider_partial_sums_of_dot_products_are_better_and_exact_normalisation_is_no_worse():
    def snr(width: int, normalise: int, k: int) -> float:
        return accuracy.sum_snr(Chain(BF16, width, normalise, k, k), FP32, "gaussian", 64, n=128)

    narrow, middle, wide = (snr(width, EXACT, 1) for width in (16, 20, 24))
    assert narrow + 18 < middle < wide - 18  # 4 bits are 24 dB
    assert snr(16, APPROXIMATE, 3) < narrow
