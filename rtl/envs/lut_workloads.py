"""Products with low-bit weights as workloads of LUT tensor cores.

w2a8                         a layer of a large language model: 512 x 4096 x 4096, 2-bit weights, INT8 activations
lut:512x4096x4096:w2:int8    any M x N x K, weights of 1 to 4 bits, activations int4, int8, int16, fp16, bf16
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import final

import numpy as np

from archgym.errors import InvalidInput, UnknownName
from archgym.rtl.floating.formats import BF16, FP16, Format, Words
from archgym.rtl.floating.rounding import encode

__all__ = ["ACTIVATIONS", "LOW_BIT", "LowBit", "low_bit"]

ACTIVATIONS = ("int4", "int8", "int16", "fp16", "bf16")
_FORMATS = {"fp16": FP16, "bf16": BF16}
_FORM = re.compile(r"lut:([0-9]+)x([0-9]+)x([0-9]+):w([0-9]+):([a-z0-9]+)")
_HELP = "lut:MxNxK:w2:int8"
_LARGEST = 1 << 24
_DEVIATION = 20 / 128  # of integer activations, of their largest: as in workloads.py


@final
@dataclass(frozen=True)
class LowBit:
    """C[m, n] = sum over k of A[m, k] * W[k, n], W of `weight_bits` bits."""

    m: int
    n: int
    k: int
    weight_bits: int
    activations: str

    @property
    def macs(self) -> int:
        """Multiply-accumulates."""
        return self.m * self.n * self.k

    @property
    def form(self) -> Format | None:
        """The format of floating-point activations; None for integers."""
        return _FORMATS.get(self.activations)

    @property
    def act_width(self) -> int:
        """Bits of an activation."""
        return self.form.width if self.form else int(self.activations.removeprefix("int"))

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...], width: int) -> Words:
        """Normal activations: integers with a deviation of 20/128 of the largest, or words of standard normal numbers.

        Weights in two's complement, which are narrower than activations, are drawn uniformly.
        """
        if self.form is not None:
            return encode(self.form, rng.standard_normal(shape))
        half = 1 << (width - 1)
        if width != self.act_width:
            return rng.integers(-half, half, shape, dtype=np.int64)
        return np.clip(np.rint(rng.normal(0.0, _DEVIATION * half, shape)), -half, half - 1).astype(np.int64)


# A linear layer of a 7B model, hidden 4096 (Touvron et al., arXiv 2302.13971, table 2), on 512 tokens.
LOW_BIT = {
    f"w{bits}a{acts.removeprefix('int') if acts.startswith('int') else '-' + acts}": LowBit(512, 4096, 4096, bits, acts)
    for acts in ("int8", "fp16", "int16", "bf16", "int4")
    for bits in (1, 2, 4)
}


def low_bit(name: str) -> LowBit:
    """A workload by name, or of the form `lut:MxNxK:wB:FORMAT`.

    Raises:
        UnknownName: for another name, or an unknown format.
        InvalidInput: for sizes out of range.
    """
    if name in LOW_BIT:
        return LOW_BIT[name]
    found = _FORM.fullmatch(name)
    if found is None:
        if name.startswith("lut:"):
            raise InvalidInput(f"workload {name!r}: expected {_HELP}")
        raise UnknownName("workload", name, [*LOW_BIT, _HELP])
    m, n, k, bits = (int(word) for word in found.group(1, 2, 3, 4))
    if found.group(5) not in ACTIVATIONS:
        raise UnknownName("activation format", found.group(5), ACTIVATIONS)
    if not all(1 <= size <= _LARGEST for size in (m, n, k)):
        raise InvalidInput(f"workload {name!r}: sizes must be 1 to {_LARGEST}")
    if not 1 <= bits <= 4:
        raise InvalidInput(f"workload {name!r}: weights must have 1 to 4 bits, got {bits}")
    return LowBit(m, n, k, bits, found.group(5))
