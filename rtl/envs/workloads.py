"""Matrix products as workloads: networks or single products, and how operands are distributed.

The distribution decides what switches, and how many digits are not zero. A name is a network or a product, then
optionally the operands' bits (8) and distribution (normal with a standard deviation of 20 on the scale of 8 bits):

    resnet50    bert:int4    gemm:512x512x512    gemm:512x512x512:int8:uniform    gemm:64x1000x256:int8:normal50
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from archgym.errors import InvalidInput
from archgym.rtl.array.workloads import Gemm, workload

__all__ = ["NAMES", "Work", "work"]

_SUFFIXES = re.compile(r"(.*?)(?::int([0-9]+))?(?::(uniform|normal([0-9]+(?:\.[0-9]+)?)))?")
_WIDTHS = range(2, 17)
_DEVIATION = 20.0
"""Quantised layers have 10 to 50 on the scale of 8 bits: the range of the sparsity table in the README of HPTPE
(github.com/wqzustc/High-Performance-Tensor-Processing-Engines)."""

NAMES = (
    "gemm:512x512x512",
    "gemm:512x512x512:uniform",
    "gemm:512x512x512:int4",
    "gemm:512x512x512:int16",
    "resnet50",
    "bert",
    "gpt2",
)


@final
@dataclass(frozen=True)
class Work:
    """Products of signed integers of `bits` bits."""

    products: tuple[Gemm, ...]
    bits: int = 8
    deviation: float = _DEVIATION
    """Standard deviation on the scale of 8 bits; 0: all values equally likely."""

    @property
    def macs(self) -> int:
        """Multiply-accumulates."""
        return sum(product.macs for product in self.products)

    @property
    def longest(self) -> int:
        """Products of the longest sum."""
        return max(product.k for product in self.products)

    @property
    def sum_bits(self) -> int:
        """Bits that hold any sum, signed."""
        return 2 * self.bits - 1 + self.longest.bit_length()

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...], width: int) -> NDArray[np.int64]:
        """Operands, int64 of a shape; `width`, of the hardware, may be more than the operands need."""
        half = 1 << (min(self.bits, width) - 1)
        if not self.deviation:
            return rng.integers(-half, half, shape, dtype=np.int64)
        values = np.rint(rng.normal(0.0, self.deviation * half / 128, shape))
        return np.clip(values, -half, half - 1).astype(np.int64)


def work(name: str) -> Work:
    """A workload by name.

    Raises:
        UnknownName: for an unknown network; suggests the nearest.
        InvalidInput: for sizes, bits or a deviation out of range.
    """
    found = _SUFFIXES.fullmatch(name)
    assert found is not None  # the first group takes anything
    products = workload(found.group(1))
    bits = int(found.group(2) or 8)
    if bits not in _WIDTHS:
        raise InvalidInput(f"workload {name!r}: operands must have {_WIDTHS[0]} to {_WIDTHS[-1]} bits, got {bits}")
    deviation = 0.0 if found.group(3) == "uniform" else float(found.group(4) or _DEVIATION)
    if found.group(4) and not 0 < deviation <= 1000:
        raise InvalidInput(f"workload {name!r}: the standard deviation must be above 0 and at most 1000")
    return Work(products, bits, deviation)
