"""Floating-point formats as the units know them: widths, and which codes are no numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

__all__ = ["BF16", "E2M1", "E4M3", "E5M2", "FORMATS", "FP16", "FP32", "IEEE", "NUMBERS", "ONE_NAN", "Format", "Words"]

Words: TypeAlias = NDArray[np.int64]
"""Bit patterns of floating-point words, unsigned, in int64."""

IEEE, ONE_NAN, NUMBERS = 0, 1, 2
"""`Specials` of the RTL: infinities and NaN in the top exponent (IEEE 754-2019 section 3.4); no infinity and one NaN,
all ones (E4M3 of the OCP 8-bit Floating Point Specification 1.0, section 5.2); every code a number (E2M1 of the OCP
Microscaling Formats Specification 1.0, section 5.3.3)."""


@final
@dataclass(frozen=True)
class Format:
    """A binary floating-point format: sign, `exp_width` bits of biased exponent, `man_width` bits of mantissa."""

    exp_width: int
    man_width: int
    specials: int = IEEE

    @property
    def width(self) -> int:
        """Bits of a word."""
        return 1 + self.exp_width + self.man_width

    @property
    def bias(self) -> int:
        """What the stored exponent exceeds the true one by."""
        return int(2 ** (self.exp_width - 1)) - 1

    @property
    def sign_bit(self) -> int:
        """The word of minus zero."""
        return 1 << (self.exp_width + self.man_width)

    @property
    def infinity(self) -> int:
        """The top exponent with an empty mantissa; an infinity where the format has one."""
        return ((1 << self.exp_width) - 1) << self.man_width

    @property
    def largest(self) -> int:
        """The word of the largest number."""
        return (self.infinity - 1, self.sign_bit - 2, self.sign_bit - 1)[self.specials]

    @property
    def nan(self) -> int:
        """The NaN that units give: quiet and positive; the largest number where there is none."""
        return (self.infinity | 1 << (self.man_width - 1), self.sign_bit - 1, self.largest)[self.specials]

    def is_nan(self, words: Words) -> NDArray[np.bool_]:
        """Which words are no numbers."""
        magnitude = words & (self.sign_bit - 1)
        if self.specials == NUMBERS:
            return np.zeros(words.shape, dtype=np.bool_)
        return np.asarray(magnitude > (self.infinity if self.specials == IEEE else self.largest))

    def is_inf(self, words: Words) -> NDArray[np.bool_]:
        """Which words are infinities."""
        if self.specials != IEEE:
            return np.zeros(words.shape, dtype=np.bool_)
        return np.asarray(words & (self.sign_bit - 1) == self.infinity)

    def values(self, words: Words) -> NDArray[np.float64]:
        """What words mean, float64 of their shape: exact, as no format here is wider than binary64."""
        word = np.asarray(words, dtype=np.int64)
        field = (word >> self.man_width) & ((1 << self.exp_width) - 1)
        mantissa = word & ((1 << self.man_width) - 1)
        significand = np.where(field > 0, mantissa | 1 << self.man_width, mantissa).astype(np.float64)
        value = np.ldexp(significand, np.maximum(field, 1) - self.bias - self.man_width)
        value = np.where(self.is_inf(word), np.inf, np.where(self.is_nan(word), np.nan, value))
        return np.where(word & self.sign_bit, -value, value)


BF16 = Format(8, 7)
FP16 = Format(5, 10)
FP32 = Format(8, 23)
E5M2 = Format(5, 2)
E4M3 = Format(4, 3, ONE_NAN)
E2M1 = Format(2, 1, NUMBERS)
FORMATS = {"BF16": BF16, "FP16": FP16, "FP32": FP32, "E5M2": E5M2, "E4M3": E4M3, "E2M1": E2M1}
"""By name: BF16 and FP32 of every machine-learning processor, binary16, and the OCP formats."""
