"""A whole stage on equal processors: the operators of every layer on the roofline, all-reduces on the links."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym.sims.llm.collectives import Link, send_s
from archgym.sims.llm.graph import Operator, block, output_layer
from archgym.sims.llm.models import Decoder
from archgym.sims.llm.parallel import Parallel, check
from archgym.sims.llm.roofline import Processor

__all__ = ["RooflineSystem", "operator_times_s"]


def operator_times_s(
    operators: Sequence[Operator], processor: Processor, link: Link, ranks: int
) -> NDArray[np.float64]:
    """Seconds of each operator on one rank; equal operators (`count`) are one launch, as batched kernels are."""
    flops = np.array([operator.flops for operator in operators], dtype=np.float64)
    moved = np.array([operator.bytes for operator in operators], dtype=np.float64)
    times = processor.time_s(flops, moved)
    for place, operator in enumerate(operators):
        if operator.kind == "allreduce":
            message = operator.input_bytes / operator.count
            times[place] = operator.count * float(link.allreduce_s(message, ranks))
    return times


@dataclass(frozen=True)
class RooflineSystem:
    """`parallel.devices` equal processors that serve one decoder; `stage_s` fits `batching.serve`.

    With a pipeline the stages of one batch follow each other (no micro-batches): a pipeline adds memory, not speed.

    Raises:
        InvalidInput: for a cut that does not divide the model.
    """

    decoder: Decoder
    processor: Processor
    link: Link
    parallel: Parallel = field(default_factory=Parallel)
    precision_bytes: float = 2

    def __post_init__(self) -> None:
        check(self.decoder, self.parallel)

    def block_s(self, decode: ArrayLike, prefill: ArrayLike = (), *, moe: bool = False) -> float:
        """Seconds of one layer. Raises as `graph.block`."""
        operators = block(
            self.decoder,
            decode=decode,
            prefill=prefill,
            tensor=self.parallel.tensor,
            expert=self.parallel.expert,
            precision_bytes=self.precision_bytes,
            moe=moe,
        )
        return float(operator_times_s(operators, self.processor, self.link, self.parallel.tensor).sum())

    def stage_s(self, decode: ArrayLike, prefill: ArrayLike = ()) -> float:
        """Seconds of one stage: all layers, hand-overs between pipeline stages, and the output layer."""
        sparse, layers = self.decoder.moe_layers, self.decoder.layers
        total = sparse * self.block_s(decode, prefill, moe=True) if sparse else 0.0
        total += (layers - sparse) * self.block_s(decode, prefill) if layers > sparse else 0.0
        tokens = np.size(decode) + int(np.sum(prefill))
        message = tokens * self.decoder.hidden * self.precision_bytes
        hops = self.parallel.pipeline - 1
        total += hops * float(send_s(message, self.link.bytes_per_s, self.link.latency_s))
        last = np.size(decode) + np.size(prefill)
        words = output_layer(self.decoder, last, tensor=self.parallel.tensor, precision_bytes=self.precision_bytes)
        return total + float(self.processor.time_s(words.flops, words.bytes))
