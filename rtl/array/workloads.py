"""Matrix products of networks, for the engines: ResNet-50, BERT, GPT-2, or one given product."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

from archgym.errors import InvalidInput, UnknownName

__all__ = ["WORKLOADS", "Gemm", "workload"]


@final
@dataclass(frozen=True)
class Gemm:
    """A matrix product C[m, n] = A[m, k] * B[k, n], done `count` times."""

    name: str
    m: int
    n: int
    k: int
    count: int = 1

    @property
    def macs(self) -> int:
        """Multiply-accumulates of all of them."""
        return self.m * self.n * self.k * self.count


def _convolution(name: str, side: int, kernel: int, inputs: int, outputs: int, count: int = 1) -> Gemm:
    """A convolution with an output of side x side pixels, as one product of its unrolled input (im2col)."""
    return Gemm(name, side * side, outputs, kernel * kernel * inputs, count)


def _resnet50() -> Iterator[Gemm]:
    """K. He et al., "Deep residual learning for image recognition", CVPR 2016, table 1 and section 4.1; one image.

    The stride of a stage is in the 3 x 3 convolution of its first block, as in the common implementations.
    """
    yield _convolution("conv1", 112, 7, 3, 64)
    inputs = 64
    for stage, (side, width, blocks) in enumerate(((56, 64, 3), (28, 128, 4), (14, 256, 6), (7, 512, 3)), 2):
        before = side if stage == 2 else 2 * side
        yield _convolution(f"conv{stage} reduce first", before, 1, inputs, width)
        yield _convolution(f"conv{stage} reduce", side, 1, 4 * width, width, blocks - 1)
        yield _convolution(f"conv{stage} 3x3", side, 3, width, width, blocks)
        yield _convolution(f"conv{stage} expand", side, 1, width, 4 * width, blocks)
        yield _convolution(f"conv{stage} shortcut", side, 1, inputs, 4 * width)
        inputs = 4 * width
    yield Gemm("fc", 1, 1000, inputs)


def _transformer(layers: int, hidden: int, heads: int, tokens: int) -> Iterator[Gemm]:
    """Layers of a transformer with a feed-forward width of 4 * hidden (A. Vaswani et al., NeurIPS 2017, section 3)."""
    yield Gemm("query, key, value", tokens, hidden, hidden, 3 * layers)
    yield Gemm("scores", tokens, tokens, hidden // heads, heads * layers)
    yield Gemm("context", tokens, hidden // heads, tokens, heads * layers)
    yield Gemm("projection", tokens, hidden, hidden, layers)
    yield Gemm("feed-forward up", tokens, 4 * hidden, hidden, layers)
    yield Gemm("feed-forward down", tokens, hidden, 4 * hidden, layers)


WORKLOADS = {
    "resnet50": tuple(_resnet50()),
    # J. Devlin et al., "BERT", NAACL 2019, section 3: base has 12 layers, 768 wide, 12 heads; sequences of 128 tokens
    # are those of 90 % of its pre-training (appendix A.2).
    "bert": tuple(_transformer(12, 768, 12, 128)),
    # A. Radford et al., "Language models are unsupervised multitask learners", 2019, table 2 and section 2.3: the
    # largest has 48 layers, 1600 wide, contexts of 1024 tokens; 25 heads as in its code (github.com/openai/gpt-2).
    "gpt2": tuple(_transformer(48, 1600, 25, 1024)),
}
"""Products by network."""


def workload(name: str) -> tuple[Gemm, ...]:
    """The products of a network, or of `gemm:MxNxK`.

    Raises:
        InvalidInput: for a product that is not three positive sizes.
        UnknownName: for a network that is not there; suggests the nearest.
    """
    if name.startswith("gemm:"):
        sizes = re.fullmatch(r"gemm:([1-9]\d*)x([1-9]\d*)x([1-9]\d*)", name)
        if not sizes:
            raise InvalidInput(f"workload {name!r}: give three positive sizes, such as gemm:128x768x768")
        m, n, k = (int(size) for size in sizes.groups())
        return (Gemm(name, m, n, k),)
    if name not in WORKLOADS:
        raise UnknownName("workload", name, [*WORKLOADS, "gemm:MxNxK"])
    return WORKLOADS[name]
