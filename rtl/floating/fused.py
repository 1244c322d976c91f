"""Golden models of the fused multiply-add and of chains of multiply-adds with un-normalised partial sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from archgym.rtl.common.golden import packets
from archgym.rtl.floating.formats import Format, Words
from archgym.rtl.floating.rounding import Rules, Unpacked, leading_zeros, normalise, pack, shift_sticky, unpack

__all__ = ["APPROXIMATE", "EXACT", "NONE", "Chain", "accumulate", "dot", "finish", "fma", "pack_sum", "unpack_sum"]

NONE, APPROXIMATE, EXACT = 0, 1, 2
"""`Normalise` of the RTL: what happens to a partial sum between the elements of a chain."""


def _product(form: Format, a: Words, b: Words, rules: Rules) -> Unpacked:
    """Exact products: `exp` is the sum of the biased exponents, `sig` has 2 man_width + 2 bits."""
    x, y = unpack(form, a, rules), unpack(form, b, rules)
    nan = x.nan | y.nan | (x.inf & (y.sig == 0)) | (y.inf & (x.sig == 0))
    return Unpacked(x.negative ^ y.negative, x.exp + y.exp, x.sig * y.sig, x.inf | y.inf, nan)


def fma(form: Format, a: Words, b: Words, c: Words, rules: Rules | None = None, out: Format | None = None) -> Words:
    """a*b + c rounded once; c and the result are of the format `out` (the factors' format unless given)."""
    rule, result = rules or Rules(), out or form
    product, z = _product(form, a, b, rule), unpack(result, c, rule)
    product_width = 2 * form.man_width + 2
    width = max(product_width, result.man_width + 1)
    p_sig, zeros = normalise(product.sig, product_width)
    p_exp = product.exp + 1 + result.bias - 2 * form.bias - zeros
    p_sig, c_sig = p_sig << (width - product_width), z.sig << (width - result.man_width - 1)
    c_large = (product.sig == 0) | (p_exp < z.exp) | ((p_exp == z.exp) & (c_sig > p_sig))
    subtract = product.negative ^ z.negative
    small = shift_sticky(np.where(c_large, p_sig, c_sig) << 3, np.abs(p_exp - z.exp))
    large: Words = np.where(c_large, c_sig, p_sig) << 3  # guard, round, sticky
    total: Words = np.where(subtract, large - small, large + small)
    negative = np.where(c_large, z.negative, product.negative) ^ (total < 0)
    negative &= ~(subtract & (total == 0))
    negative = np.where(product.inf, product.negative, np.where(z.inf, z.negative, negative))
    total = np.abs(total)
    if not rule.subnormals:  # a difference below zero is a product that is flushed
        total = np.where(subtract & (large < small), 0, total)
    exp = np.where(c_large, z.exp, p_exp)
    shift = np.minimum(leading_zeros(total, width + 4), exp)
    nan = product.nan | z.nan | (product.inf & z.inf & subtract)
    return pack(result, rule, negative, exp + 1 - shift, total << shift, width + 4, product.inf | z.inf, nan)


@final
@dataclass(frozen=True)
class Chain:
    """Parameters of a multiply-add chain, named in the RTL ExpWidth..., SumWidth, Normalise, NormK, NormLambda."""

    form: Format
    sum_width: int
    normalise: int = EXACT
    k: int = 1
    lam: int = 1

    @property
    def min_exp(self) -> int:
        """The exponent of zero: the smallest of exp_width + 2 bits, signed."""
        return int(-(2 ** (self.form.exp_width + 1)))

    @property
    def bits(self) -> int:
        """Bits of a packed partial sum."""
        return self.form.exp_width + self.sum_width + 5

    def zero(self, shape: tuple[int, ...]) -> Unpacked:
        """Partial sums to start with."""
        no = np.zeros(shape, dtype=np.bool_)
        return Unpacked(no, np.full(shape, self.min_exp, dtype=np.int64), np.zeros(shape, dtype=np.int64), no, no)


def accumulate(chain: Chain, a: Words, b: Words, psum: Unpacked, rules: Rules | None = None) -> Unpacked:
    """One element of a chain: partial sums plus a*b (`exp`: unbiased, of the top bit of sum_width bits)."""
    form, width = chain.form, chain.sum_width
    product = _product(form, a, b, rules or Rules())
    up = width - 2 * form.man_width - 2
    p_sig = product.sig << up if up >= 0 else product.sig >> -up
    p_exp = np.where(product.sig == 0, chain.min_exp, product.exp + 1 - 2 * form.bias)
    p_large = p_exp >= psum.exp
    distance = np.minimum(np.abs(p_exp - psum.exp), 62)
    aligned = np.where(p_large, psum.sig, p_sig) >> distance
    large = np.where(p_large, p_sig, psum.sig)
    subtract = product.negative ^ psum.negative
    total = np.where(subtract, large - aligned, large + aligned)
    negative = np.where(p_large, product.negative, psum.negative) ^ (total < 0)
    negative &= ~(subtract & (total == 0))
    negative = np.where(product.inf, product.negative, np.where(psum.inf, psum.negative, negative))
    total = np.abs(total)
    carry = total >> width > 0
    left = np.where(carry, 0, _left_shift(chain, total))
    exp = np.maximum(p_exp, psum.exp) + carry - left
    exp = np.where(total == 0, chain.min_exp, exp)
    nan = product.nan | psum.nan | (product.inf & psum.inf & subtract)
    return Unpacked(negative, exp, np.where(carry, total >> 1, total << left), product.inf | psum.inf, nan)


def _left_shift(chain: Chain, total: Words) -> Words:
    if chain.normalise == EXACT:
        return leading_zeros(total, chain.sum_width) % chain.sum_width  # a zero need not move
    if chain.normalise == NONE:
        return np.zeros_like(total)
    below_top = total >> (chain.sum_width - chain.k) == 0
    below_next = total >> (chain.sum_width - chain.k - chain.lam) == 0
    return np.where(below_next, chain.k + chain.lam, np.where(below_top, chain.k, 0))


def pack_sum(chain: Chain, psum: Unpacked) -> Words:
    """Partial sums as the RTL hands them on: {NaN, infinity, sign, exponent, significand}; at most 62 bits."""
    exp_bits = chain.form.exp_width + 2
    word = (psum.nan.astype(np.int64) << 2) | (psum.inf.astype(np.int64) << 1) | psum.negative
    word = word << exp_bits | (psum.exp & ((1 << exp_bits) - 1))
    return np.asarray(word << chain.sum_width | psum.sig, dtype=np.int64)


def unpack_sum(chain: Chain, words: Words) -> Unpacked:
    """The inverse of `pack_sum`."""
    exp_bits = chain.form.exp_width + 2
    flags = words >> (chain.sum_width + exp_bits)
    exp = (words >> chain.sum_width) & ((1 << exp_bits) - 1)
    exp = np.where(exp >> (exp_bits - 1) > 0, exp - (1 << exp_bits), exp)
    sig = words & ((1 << chain.sum_width) - 1)
    return Unpacked(flags & 1 > 0, exp, sig, flags & 2 > 0, flags & 4 > 0)


def finish(chain: Chain, psum: Unpacked, out: Format, rules: Rules | None = None) -> Words:
    """The end of a chain: exact normalisation and one rounding to `out`."""
    sig, zeros = normalise(psum.sig, chain.sum_width)
    width = max(chain.sum_width, out.man_width + 3)
    sig = sig << (width - chain.sum_width)
    return pack(out, rules or Rules(), psum.negative, psum.exp + out.bias - zeros, sig, width, psum.inf, psum.nan)


def dot(chain: Chain, a: Words, b: Words, last: Words, out: Format, rules: Rules | None = None) -> Words:
    """Dot products of packets: `a`, `b` and `last` are int64[beats], one word of `out` comes per marked beat.

    Packets advance together, one beat a step, so the steps are as many as the longest packet is long.
    """
    first = packets(last)
    starts, ends, lengths = first[:-1], first[1:] - 1, np.diff(first)
    psum = chain.zero(ends.shape)
    for step in range(int(lengths.max(initial=0))):
        beat = np.minimum(starts + step, ends)
        psum = accumulate(chain, a[beat], b[beat], psum, rules).where(step < lengths, psum)
    return finish(chain, psum, out, rules)
