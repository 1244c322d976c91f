"""Golden models of the multiplier and the adder: the steps of `fp_mul*.sv` and `fp_add*.sv` in 64-bit integers."""

from __future__ import annotations

import numpy as np

from archgym.rtl.floating.formats import Format, Words
from archgym.rtl.floating.rounding import Rules, leading_zeros, normalise, pack, shift_sticky, unpack

__all__ = ["add", "multiply"]


def multiply(form: Format, a: Words, b: Words, rules: Rules | None = None, out: Format | None = None) -> Words:
    """Products rounded once to `out` (the operands' format unless given)."""
    rule, result = rules or Rules(), out or form
    x, y = unpack(form, a, rule), unpack(form, b, rule)
    width = max(2 * form.man_width + 2, result.man_width + 3)
    sig, zeros = normalise((x.sig * y.sig) << (width - 2 * form.man_width - 2), width)
    exp = x.exp + y.exp - zeros + 1 + result.bias - 2 * form.bias
    nan = x.nan | y.nan | (x.inf & (y.sig == 0)) | (y.inf & (x.sig == 0))
    return pack(result, rule, x.negative ^ y.negative, exp, sig, width, x.inf | y.inf, nan)


def add(form: Format, a: Words, b: Words, rules: Rules | None = None) -> Words:
    """Sums rounded once."""
    rule = rules or Rules()
    x, y = unpack(form, a, rule), unpack(form, b, rule)
    swap = (y.exp > x.exp) | ((y.exp == x.exp) & (y.sig > x.sig))
    exp = np.where(swap, y.exp, x.exp)
    large: Words = np.where(swap, y.sig, x.sig) << 3  # guard, round, sticky
    small = shift_sticky(np.where(swap, x.sig, y.sig) << 3, exp - np.where(swap, x.exp, y.exp))
    subtract = x.negative ^ y.negative
    total: Words = np.where(subtract, large - small, large + small)
    width = form.man_width + 5
    shift = np.minimum(leading_zeros(total, width), exp)
    negative = np.where(swap, y.negative, x.negative) & ~(subtract & (total == 0))
    negative = np.where(x.inf, x.negative, np.where(y.inf, y.negative, negative))
    nan = x.nan | y.nan | (x.inf & y.inf & subtract)
    return pack(form, rule, negative, exp + 1 - shift, total << shift, width, x.inf | y.inf, nan)
