"""Taking words apart and rounding results, bit for bit what `fp_unpack.sv` and `fp_round.sv` do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from archgym.rtl.floating.formats import IEEE, NUMBERS, Format, Words

__all__ = ["Rules", "Unpacked", "encode", "leading_zeros", "normalise", "pack", "shift_sticky", "unpack"]


@final
@dataclass(frozen=True)
class Rules:
    """How a unit treats what does not fit: the parameters `Subnormals`, `Round` and `Saturate` of the RTL.

    Subnormals are numbers by default, as the standards ask and as the 15 binades of E4M3 need; a unit without them
    flushes operands and results to zero and is smaller.
    """

    subnormals: bool = True
    truncate: bool = False
    saturate: bool = False


@final
@dataclass(frozen=True, eq=False)
class Unpacked:
    """Words taken apart, arrays of one shape: value = sig * 2**(exp - bias - man_width)."""

    negative: NDArray[np.bool_]
    exp: Words
    sig: Words
    inf: NDArray[np.bool_]
    nan: NDArray[np.bool_]

    def where(self, chosen: NDArray[np.bool_], other: Unpacked) -> Unpacked:
        """These words where chosen, else the others."""
        return Unpacked(
            np.where(chosen, self.negative, other.negative),
            np.where(chosen, self.exp, other.exp),
            np.where(chosen, self.sig, other.sig),
            np.where(chosen, self.inf, other.inf),
            np.where(chosen, self.nan, other.nan),
        )


def unpack(form: Format, words: Words, rules: Rules) -> Unpacked:
    """Sign, biased exponent (at least 1), significand and class of words."""
    word = np.asarray(words, dtype=np.int64)
    field = (word >> form.man_width) & ((1 << form.exp_width) - 1)
    mantissa = word & ((1 << form.man_width) - 1)
    below = mantissa if rules.subnormals else np.zeros_like(mantissa)
    sig = np.where(field > 0, mantissa | 1 << form.man_width, below)
    return Unpacked(word & form.sign_bit != 0, np.maximum(field, 1), sig, form.is_inf(word), form.is_nan(word))


def leading_zeros(values: Words, width: int) -> Words:
    """Zeros above the first one of `width`-bit values below 2**62; `width` for zero."""
    zeros = np.full(values.shape, width, dtype=np.int64)
    rest = np.array(values, dtype=np.int64)
    for step in (32, 16, 8, 4, 2, 1):
        large = rest >> step > 0
        zeros -= np.where(large, step, 0)
        rest = np.where(large, rest >> step, rest)
    return np.asarray(zeros - (rest > 0), dtype=np.int64)


def normalise(values: Words, width: int) -> tuple[Words, Words]:
    """Values shifted left until bit `width - 1` is one, and by how much; zero stays."""
    zeros = leading_zeros(values, width)
    return values << zeros, zeros


def shift_sticky(values: Words, distance: Words) -> Words:
    """Right shift of values below 2**62 whose lowest bit is ORed with every bit that falls out."""
    far = np.clip(distance, 0, 62)
    kept = values >> far
    return np.asarray(kept | (kept << far != values), dtype=np.int64)


def pack(
    form: Format,
    rules: Rules,
    negative: NDArray[np.bool_],
    exp: Words,
    sig: Words,
    sig_width: int,
    inf: NDArray[np.bool_] | bool = False,
    nan: NDArray[np.bool_] | bool = False,
) -> Words:
    """Round to a format.

    `exp` is the biased exponent of bit `sig_width - 1` of `sig`; that bit is one, or the value is zero or (at exponent
    1) subnormal; the lowest bit may be sticky. `sig_width` is man_width + 3 to 62.
    """
    tiny = exp < 1
    if rules.subnormals:
        sig = np.where(tiny, shift_sticky(sig, 1 - exp), sig)
    normal = sig >> (sig_width - 1) > 0
    cut = sig_width - 1 - form.man_width
    mantissa = (sig >> cut) & ((1 << form.man_width) - 1)
    magnitude = np.where(normal, np.maximum(exp, 0), 0) << form.man_width | mantissa
    rest = sig & ((1 << cut) - 1)
    half = 1 << (cut - 1)
    if not rules.truncate:
        magnitude = magnitude + ((rest > half) | ((rest == half) & (magnitude & 1 > 0)))
    limit = form.largest if rules.saturate or rules.truncate else (form.nan if form.specials != IEEE else form.infinity)
    magnitude = np.where(magnitude > form.largest, limit, magnitude)
    if not rules.subnormals:
        magnitude = np.where(tiny | ~normal, 0, magnitude)
    magnitude = np.where(inf, form.infinity if form.specials == IEEE else form.nan, magnitude)
    magnitude = np.where(nan, form.nan, magnitude)
    signed = negative & ~np.asarray(nan) if form.specials != NUMBERS else negative
    return np.where(signed, magnitude | form.sign_bit, magnitude)


def encode(form: Format, values: NDArray[np.float64], rules: Rules | None = None) -> Words:
    """The nearest words of a format to float64 values (ties to even unless the rules truncate)."""
    bits = np.asarray(values, dtype=np.float64).view(np.int64)
    field = (bits >> 52) & 0x7FF
    fraction = bits & ((1 << 52) - 1)
    sig, zeros = normalise(np.where(field > 0, fraction | 1 << 52, fraction), 53)
    exp = np.maximum(field, 1) - 1023 + form.bias - zeros
    inf, nan = np.isinf(values), np.isnan(values)
    return pack(form, rules or Rules(), bits < 0, exp, sig, 53, inf, nan)
