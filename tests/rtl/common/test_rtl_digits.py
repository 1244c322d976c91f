"""Digits of operands: every operand of 4, 8 and 16 bits, and the averages that the papers give."""

from __future__ import annotations

import numpy as np
import pytest

from archgym.errors import InvalidInput, UnknownName
from archgym.rtl.common import digit_statistics as statistics, digits


def operands(width):
    return np.arange(-(1 << (width - 1)), 1 << (width - 1))


@pytest.mark.parametrize("width", [2, 4, 8, 16])
def test_digits_add_up_to_the_operand(width):
    a = operands(width)
    booth, ent, naf = digits.booth_digits(a, width), digits.ent_digits(a, width), digits.naf_digits(a, width)
    assert (digits.value(booth) == a).all()
    assert set(np.unique(booth)) <= {-2, -1, 0, 1, 2}
    assert (digits.value(ent) == abs(a)).all()
    assert set(np.unique(ent)) <= {-1, 0, 1, 2}
    assert (digits.value(naf, 2) == a).all()
    assert not (naf[:, 1:] * naf[:, :-1]).any(), "two neighbours of a non-adjacent form are not zero"


@pytest.mark.parametrize("width", [4, 8, 16])
def test_codes_decode(width):
    a = operands(width)
    codes = digits.ent_code(a, width)
    assert codes.min() >= 0
    assert codes.max() < 1 << (width + 1)
    assert (digits.decode(codes, width, 4) == a).all()
    assert (digits.decode(a, width, 3) == a).all()
    selects = digits.booth_selects(a, width)
    for i in range(width // 2):
        one, two, negative = ((selects >> (3 * i + bit)) & 1 for bit in range(3))
        assert ((one + 2 * two) * (1 - 2 * negative) == digits.booth_digits(a, width)[:, i]).all()


def test_examples_of_the_literature():
    """91 and 124 in EN-T, most significant digit first (arXiv 2404.11887)."""
    assert digits.ent_digits(np.array(91), 8)[::-1].tolist() == [1, 2, -1, -1]
    assert digits.ent_digits(np.array(124), 8)[::-1].tolist() == [2, 0, -1, 0]


def test_encoded_widths():
    assert [digits.encoded_width(8, multiplier) for multiplier in range(5)] == [8, 8, 12, 9, 9]
    assert [digits.encode(np.array([-128]), 8, multiplier)[0] for multiplier in (0, 3)] == [-128, 0b1_10_00_00_00]


def test_uniform_operands_of_eight_bits():
    """A Booth digit is 0 for 2 of 8 windows: 3 of 4 are not; at most 3 are not for 68.4 % (arXiv 2503.06342)."""
    booth = statistics.distribution("booth", 8, statistics.uniform(8))
    assert booth @ np.arange(5) == 3.0
    assert booth[:4].sum() == pytest.approx(0.684, abs=5e-4)
    ent = statistics.distribution("ent", 8, statistics.uniform(8))
    plain = [sum(digit != 0 for digit in ent_by_hand(a)) for a in range(-128, 128)]
    assert ent @ np.arange(5) == pytest.approx(np.mean(plain))
    naf = statistics.distribution("naf", 8, statistics.uniform(8))
    assert naf @ np.arange(len(naf)) < ent @ np.arange(5) < 3.0


def ent_by_hand(a):
    rest, found = abs(a), []
    for _ in range(4):
        low = rest % 4
        found.append(-1 if low == 3 else low)
        rest = (rest - found[-1]) // 4
    assert rest == 0
    return found


# Average digits of EN-T at K = 128 in the README of github.com/wqzustc/High-Performance-Tensor-Processing-Engines.
@pytest.mark.parametrize(("deviation", "published"), [(10, 1.75), (20, 2.10), (30, 2.32), (40, 2.48), (50, 2.60)])
def test_normal_operands(deviation, published):
    ent = statistics.distribution("ent", 8, statistics.normal(8, deviation))
    average = ent @ np.arange(5)
    assert average == pytest.approx(published, rel=0.01)
    drawn = np.clip(np.rint(np.random.default_rng(0).normal(0, deviation, 200_000)), -128, 127).astype(np.int64)
    drawn = drawn[abs(drawn) < 127]
    counted = np.count_nonzero(digits.ent_digits(drawn, 8), axis=-1).mean()
    assert average == pytest.approx(counted, abs=0.03)
    booth = statistics.distribution("booth", 8, statistics.normal(8, deviation))
    assert average < booth @ np.arange(5)


def test_what_is_refused():
    with pytest.raises(InvalidInput, match="width of an operand: got 7, it must be even"):
        digits.ent_digits(np.array([1]), 7)
    with pytest.raises(InvalidInput, match="8 bits lie in -128 to 127, got 128"):
        digits.booth_digits(np.array([128]), 8)
    with pytest.raises(UnknownName, match="booth"):
        statistics.digit_counts("boot", 8)
    with pytest.raises(InvalidInput, match="deviation: got 0"):
        statistics.normal(8, 0)
    with pytest.raises(InvalidInput, match="256 operands"):
        statistics.distribution("ent", 8, np.ones(3))
