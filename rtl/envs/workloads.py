"""Matrix products as workloads: their shape, and how their operands are distributed, which decides what switches.

int8-512                     512 x 512 x 512, operands of 8 bits, normal with a standard deviation of 20
gemm:64x1000x256             any M x N x K; 8 bits and normal unless said:
gemm:64x1000x256:int4:uniform
gemm:64x1000x256:int8:normal50
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from archgym.errors import InvalidInput, UnknownName

__all__ = ["GEMMS", "Gemm", "gemm"]

_FORM = re.compile(r"gemm:([0-9]+)x([0-9]+)x([0-9]+)(?::int([0-9]+))?(?::(uniform|normal([0-9]+(?:\.[0-9]+)?)))?")
_HELP = "gemm:MxNxK, gemm:MxNxK:int8:uniform or gemm:MxNxK:int8:normal20"
_LARGEST, _WIDTHS = 1 << 24, range(2, 17)


@final
@dataclass(frozen=True)
class Gemm:
    """C[m, n] = sum over k of A[m, k] * B[k, n], signed integers of `bits` bits."""

    m: int
    n: int
    k: int
    bits: int = 8
    deviation: float = 20.0
    """Standard deviation on the scale of 8 bits; 0: all values equally likely."""
    doc: str = ""

    @property
    def macs(self) -> int:
        """Multiply-accumulates."""
        return self.m * self.n * self.k

    @property
    def sum_bits(self) -> int:
        """Bits that hold any sum of k products, signed."""
        return 2 * self.bits - 1 + self.k.bit_length()

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...], width: int) -> NDArray[np.int64]:
        """Operands, int64 of a shape; `width`, of the hardware, may be more than the operands need."""
        half = 1 << (min(self.bits, width) - 1)
        if not self.deviation:
            return rng.integers(-half, half, shape, dtype=np.int64)
        values = np.rint(rng.normal(0.0, self.deviation * half / 128, shape))
        return np.clip(values, -half, half - 1).astype(np.int64)


# Deviations of quantised layers of networks are 10 to 50 on this scale: the range of the sparsity table of HPTPE
# (github.com/wqzustc/High-Performance-Tensor-Processing-Engines, README).
GEMMS = {
    "int8-512": Gemm(512, 512, 512, doc="a square product"),
    "int8-512-uniform": Gemm(512, 512, 512, deviation=0.0, doc="the same with all values equally likely"),
    "int4-512": Gemm(512, 512, 512, bits=4, doc="the same with 4 bits"),
    "int16-512": Gemm(512, 512, 512, bits=16, doc="the same with 16 bits"),
    # He et al., CVPR 2016, table 1: conv3_x, 3x3, 128 channels on 28 x 28.
    "resnet50-conv3-int8": Gemm(784, 128, 1152, doc="a 3x3 convolution of ResNet-50"),
    # Devlin et al., NAACL 2019: base, hidden 768, feed-forward 3072; 128 tokens.
    "bert-ffn-int8": Gemm(128, 3072, 768, doc="the first feed-forward product of BERT-base"),
    # Radford et al., 2019: the smallest GPT-2, hidden 768.
    "gpt2-decode-int8": Gemm(1, 2304, 768, doc="query, key and value of one token of GPT-2"),
}


def gemm(name: str) -> Gemm:
    """A workload by name, or of the form `gemm:MxNxK[:intB][:uniform|:normalSD]`.

    Raises:
        UnknownName: for another name.
        InvalidInput: for sizes out of range.
    """
    if name in GEMMS:
        return GEMMS[name]
    found = _FORM.fullmatch(name)
    if found is None:
        if name.startswith("gemm:"):
            raise InvalidInput(f"workload {name!r}: expected {_HELP}")
        raise UnknownName("workload", name, [*GEMMS, "gemm:MxNxK"])
    sizes = [int(size) for size in found.group(1, 2, 3)]
    bits = int(found.group(4) or 8)
    if not all(1 <= size <= _LARGEST for size in sizes):
        raise InvalidInput(f"workload {name!r}: sizes must be 1 to {_LARGEST}")
    if bits not in _WIDTHS:
        raise InvalidInput(f"workload {name!r}: operands must have {_WIDTHS[0]} to {_WIDTHS[-1]} bits")
    deviation = 0.0 if found.group(5) == "uniform" else float(found.group(6) or 20.0)
    if found.group(6) and not 0 < deviation <= 1000:
        raise InvalidInput(f"workload {name!r}: the standard deviation must be above 0 and at most 1000")
    return Gemm(sizes[0], sizes[1], sizes[2], bits, deviation)
