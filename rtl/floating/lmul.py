"""L-Mul: the integer-adder circuit bit for bit, and the formula as printed, which is another function.

The formula (arXiv 2410.00907, equation 1) adds mantissas as numbers: (1 + xm + ym + 2**-l) 2**(xe + ye). The circuit
(section 2.2 and figure 2) adds the words, so a mantissa sum s of one and more doubles: 2 s 2**(xe + ye), not (1 + s).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from archgym.rtl.floating.formats import IEEE, Format, Words

__all__ = ["LMul", "formula", "l_mul", "offset_shift"]


def offset_shift(man_width: int) -> int:
    """l(m), the exponent of the offset 2**-l for m mantissa bits (arXiv 2410.00907, equation 1)."""
    if man_width <= 3:
        return man_width
    return 3 if man_width == 4 else 4


@final
@dataclass(frozen=True)
class LMul:
    """Parameters of the circuit: `kept` mantissa bits in the adder, operands truncated or rounded to it, offset 2**-l.

    `shift` 0 means no offset, which is Mitchell's logarithmic multiplier on floating-point words.
    """

    form: Format
    kept: int
    shift: int
    truncate: bool = False
    saturate: bool = False


def _cut(unit: LMul, words: Words) -> Words:
    """{exponent, mantissa} with `kept` bits of mantissa."""
    drop = unit.form.man_width - unit.kept
    magnitude = words & (unit.form.sign_bit - 1)
    kept = magnitude >> drop
    if unit.truncate or drop == 0:
        return kept
    rest, half = magnitude & ((1 << drop) - 1), 1 << (drop - 1)
    return np.asarray(kept + ((rest > half) | ((rest == half) & (kept & 1 > 0))), dtype=np.int64)


def l_mul(unit: LMul, a: Words, b: Words) -> Words:
    """The circuit; subnormals are zero in and out."""
    form = unit.form
    magnitude = form.sign_bit - 1
    a_zero, b_zero = (a & magnitude) >> form.man_width == 0, (b & magnitude) >> form.man_width == 0
    inf = form.is_inf(a) | form.is_inf(b)
    nan = form.is_nan(a) | form.is_nan(b) | (form.is_inf(a) & b_zero) | (form.is_inf(b) & a_zero)
    offset = 0 if unit.shift == 0 else 1 << (unit.kept - unit.shift)
    total = _cut(unit, a) + _cut(unit, b) - (form.bias << unit.kept) + offset
    zero = a_zero | b_zero | (total < 1 << unit.kept)
    word = np.where(zero, 0, total << (form.man_width - unit.kept))
    limit = form.largest if unit.saturate else (form.infinity if form.specials == IEEE else form.nan)
    word = np.where(word > form.largest, limit, word)
    word = np.where(inf, form.infinity, word)
    word = np.where(nan, form.nan, word)
    return np.where(((a ^ b) & form.sign_bit > 0) & ~nan, word | form.sign_bit, word)


def formula(
    x: NDArray[np.float64], y: NDArray[np.float64], man_width: int, shift: int | None = None
) -> NDArray[np.float64]:
    """The printed formula on float64 operands, whose mantissas must have at most `man_width` bits.

    `shift` is l, by the paper's rule unless given; 0 leaves the offset out.
    """
    x_mantissa, x_exponent = np.frexp(np.abs(x))
    y_mantissa, y_exponent = np.frexp(np.abs(y))
    level = offset_shift(man_width) if shift is None else shift
    offset = 2.0**-level if level else 0.0
    # frexp's mantissa is in [0.5, 1): 1 + xm = 2 mantissa.
    total = 2 * x_mantissa + 2 * y_mantissa - 1 + offset
    value = np.ldexp(total, x_exponent + y_exponent - 2)
    return np.where((x == 0) | (y == 0), 0.0, np.sign(x) * np.sign(y) * value)
