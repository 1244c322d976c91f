"""The block formats: what an element is, how many share a scale, and what the scale is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from archgym.errors import UnknownName
from archgym.rtl.floating.formats import E2M1, E4M3, Format, Words

__all__ = ["FORMATS", "PSUM_BITS", "SCALE_E4M3", "SCALE_UE8M0", "BlockFormat", "align_width", "block_format"]

SCALE_UE8M0, SCALE_E4M3 = 0, 1
"""`Scale` of the RTL: a power of two (OCP Microscaling Formats Specification 1.0, section 5.4), or E4M3 (NVFP4)."""

PSUM_BITS = 24  # widest window products are aligned in (arXiv 2510.25602, hardware model)


def align_width(exp_width: int, man_width: int) -> int:
    """Bits of the window in which products are aligned: min(2**(x+1) + 2y, 24) (arXiv 2510.25602, hardware model)."""
    return int(min(2 ** (exp_width + 1) + 2 * man_width, PSUM_BITS))


@final
@dataclass(frozen=True)
class BlockFormat:
    """Blocks of `block` elements with one scale.

    `exp_width` 0 means integers of 1 + `man_width` bits: two's complement with man_width - 1 fraction bits, which is
    MXINT8 of the OCP specification (section 5.3.4), and narrower ones alike.
    """

    name: str
    exp_width: int
    man_width: int
    block: int
    scale: int
    specials: int = 0

    @property
    def integer(self) -> bool:
        """Whether elements are integers."""
        return self.exp_width == 0

    @property
    def width(self) -> int:
        """Bits of an element."""
        return 1 + self.exp_width + self.man_width

    @property
    def element(self) -> Format:
        """The elements' floating-point format."""
        return Format(self.exp_width, self.man_width, self.specials)

    @property
    def largest(self) -> float:
        """The largest element; symmetric, so the most negative integer is not used by quantisers."""
        if self.integer:
            return float(2**self.man_width - 1) / float(2 ** (self.man_width - 1))
        return float(self.element.values(np.array(self.element.largest)))

    def values(self, elements: Words) -> NDArray[np.float64]:
        """What elements mean without their scale: signed integers, or words, to float64."""
        if self.integer:
            return np.ldexp(elements.astype(np.float64), 1 - self.man_width)
        return self.element.values(elements)


def _float(name: str, form: Format, block: int, scale: int) -> BlockFormat:
    return BlockFormat(name, form.exp_width, form.man_width, block, scale, form.specials)


FORMATS = (
    BlockFormat("MXINT8", 0, 7, 32, SCALE_UE8M0),
    _float("MXFP8", E4M3, 32, SCALE_UE8M0),
    BlockFormat("MXINT4", 0, 3, 32, SCALE_UE8M0),
    _float("MXFP4", E2M1, 32, SCALE_UE8M0),
    BlockFormat("NVINT4", 0, 3, 16, SCALE_E4M3),
    _float("NVFP4", E2M1, 16, SCALE_E4M3),
)
"""The formats of arXiv 2510.25602, table 2."""


def block_format(name: str) -> BlockFormat:
    """One of `FORMATS`.

    Raises:
        UnknownName: suggests the nearest.
    """
    for each in FORMATS:
        if each.name == name:
            return each
    raise UnknownName("block format", name, [each.name for each in FORMATS])
