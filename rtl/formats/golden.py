"""Golden models of the block-format engines, in 64-bit integers.

A block of floating-point elements is aligned once, in `AlignWidth` bits: products lose what lies below the window, so
the sum is exact only where the window holds every exponent. Blocks of integers are exact. Both are rounded to FP32
once, and FP32 sums once a block.
"""

from __future__ import annotations

import numpy as np

from archgym.rtl.block import Parameters, Streams
from archgym.rtl.common.golden import packets
from archgym.rtl.floating.arithmetic import add
from archgym.rtl.floating.formats import E4M3, FP32, Format, Words
from archgym.rtl.floating.rounding import Rules, normalise, pack, unpack

__all__ = ["accumulate", "fp_dot", "fp_sum", "int_dot", "scaled"]


def fp_sum(form: Format, a: Words, b: Words, align: int) -> tuple[Words, Words, Words]:
    """Sums of products of words int64[n, lanes], aligned in `align` bits.

    Returns:
        Sums, exponents of their lowest bit, and 1 where an element is no number; int64[n] each.
    """
    rule = Rules()
    x, y = unpack(form, a, rule), unpack(form, b, rule)
    product = x.sig * y.sig
    exp = np.where(product == 0, 0, x.exp + y.exp)  # zeros never move the window
    top = exp.max(axis=1)
    window = (product << (align - 2 * form.man_width - 2)) >> np.minimum(top[:, None] - exp, 62)
    total: Words = np.where(x.negative ^ y.negative, -window, window).sum(axis=1)
    low_exp: Words = top - 2 * form.bias + 2 - align
    wild = np.any(x.nan | y.nan | x.inf | y.inf, axis=1)
    return total, low_exp, np.asarray(wild, dtype=np.int64)


def scaled(
    total: Words, low_exp: Words, wild: Words, scale_a: Words, scale_b: Words, *, e4m3: bool, rules: Rules
) -> Words:
    """FP32 words of total * 2**low_exp * scales."""
    magnitude, negative = np.abs(total), total < 0
    if e4m3:
        x, y = unpack(E4M3, scale_a, Rules()), unpack(E4M3, scale_b, Rules())
        magnitude = magnitude * (x.sig * y.sig)
        exp = low_exp + x.exp + y.exp - 2 * (E4M3.bias + E4M3.man_width)
        negative = negative ^ x.negative ^ y.negative
        nan = (wild > 0) | x.nan | y.nan
    else:
        exp = low_exp + scale_a + scale_b - 254  # UE8M0: biases of 127, 255 is NaN
        nan = (wild > 0) | (scale_a == 255) | (scale_b == 255)
    width = 60  # wider than any sum here
    sig, zeros = normalise(magnitude, width)
    negative &= magnitude != 0
    return pack(FP32, rules, negative, exp + FP32.bias + width - 1 - zeros, sig, width, nan=nan)


def accumulate(words: Words, last: Words, rules: Rules) -> Words:
    """FP32 sums of packets of words in order, from +0; one word a marked beat."""
    first = packets(last)
    starts, ends, lengths = first[:-1], first[1:] - 1, np.diff(first)
    total = np.zeros(len(ends), dtype=np.int64)
    for step in range(int(lengths.max(initial=0))):
        now = np.minimum(starts + step, ends)
        total = np.where(step < lengths, add(FP32, words[now], total, rules), total)
    return total


def int_dot(p: Parameters, streams: Streams) -> Streams:
    """The block `int_dot`."""
    total = (streams["a_i"] * streams["b_i"]).reshape(len(streams["last_i"]), -1).sum(axis=1)
    low = np.full(len(total), -2 * (p["Width"] - 2), dtype=np.int64)
    return _finish(p, streams, total, low, np.zeros_like(total))


def fp_dot(p: Parameters, streams: Streams) -> Streams:
    """The block `fp_dot`."""
    form = Format(p["ExpWidth"], p["ManWidth"], p["Specials"])
    n = len(streams["last_i"])
    a, b = streams["a_i"].reshape(n, -1), streams["b_i"].reshape(n, -1)
    return _finish(p, streams, *fp_sum(form, a, b, p["AlignWidth"]))


def _finish(p: Parameters, streams: Streams, total: Words, low_exp: Words, wild: Words) -> Streams:
    rules = Rules(subnormals=bool(p["Subnormals"]))
    scales = streams["scale_a_i"], streams["scale_b_i"]
    words = scaled(total, low_exp, wild, *scales, e4m3=bool(p["Scale"]), rules=rules)
    return {"result_o": accumulate(words, streams["last_i"], rules)}
