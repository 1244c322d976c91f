"""The operators of one decoder block: sizes, floating-point operations and bytes, in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym.errors import InvalidInput
from archgym.sims.llm.models import Decoder
from archgym.sims.llm.parallel import Parallel, check, kv_heads_per_rank
from archgym.sims.llm.routing import even_tokens

__all__ = [
    "ACTIVATION_OPS", "LAYERNORM_OPS", "PRECISIONS", "SOFTMAX_OPS",
    "Kind", "Operator", "block", "check_lengths", "output_layer",
]  # fmt: skip

Kind = Literal["gemm", "attention", "vector", "allreduce"]

PRECISIONS: dict[str, float] = {"fp32": 4, "fp16": 2, "bf16": 2, "fp8": 1, "int8": 1, "int4": 0.5}
"""Bytes of an element."""

# Vector operations an element: casys-kaist/NeuPIMs f299af3, src/SystolicWS.cc, get_vector_compute_cycles: softmax is 1
# add, 1 exp, 1 multiplication and 2 passes through a tree; layer norm 2 adds, 3 multiplications and 2 passes.
SOFTMAX_OPS = 5
LAYERNORM_OPS = 7
ACTIVATION_OPS = 1  # GELU or SiLU is one look-up or vector instruction there; a gate adds its multiplication


@dataclass(frozen=True)
class Operator:
    """One operator, or `count` equal ones: `flops` and bytes are totals over `count`.

    A "gemm" is m x k times k x n, so flops = 2 m n k count. In "attention" of ragged requests the context lengths are
    joined: one product a key head, with m query heads a key head, the summed contexts in n (scores) or k (values);
    flops = 2 m n k count again. A "vector" operator has m rows of n elements at k operations: flops = m n k count.
    "allreduce" sums m x n elements over the tensor group, `count` times.
    """

    name: str
    kind: Kind
    m: int
    n: int
    k: int
    count: int
    flops: int
    weight_bytes: int
    input_bytes: int
    output_bytes: int
    kv_bytes: int = 0

    @property
    def bytes(self) -> int:
        """All bytes moved, each tensor once: weights, inputs, outputs, keys and values."""
        return self.weight_bytes + self.input_bytes + self.output_bytes + self.kv_bytes

    @property
    def op_per_byte(self) -> float:
        """Arithmetic intensity (Op/B)."""
        return self.flops / self.bytes


@dataclass(frozen=True)
class _Shape:
    """What all operators of a block need: one rank's share of the decoder and the bytes of an element."""

    decoder: Decoder
    tensor: int
    activation: float
    weight: float
    kv: float

    @property
    def q_width(self) -> int:
        return self.decoder.q_width // self.tensor

    @property
    def kv_heads(self) -> int:
        return kv_heads_per_rank(self.decoder, self.tensor)

    def gemm(self, name: str, m: int, n: int, k: int, count: int = 1) -> Operator:
        a, w = self.activation * count, self.weight * count
        return Operator(
            name, "gemm", m, n, k, count, 2 * m * n * k * count, ceil(n * k * w), ceil(m * k * a), ceil(m * n * a)
        )

    def vector(self, name: str, rows: int, width: int, operations: int, inputs: int = 1) -> Operator:
        size = rows * width
        moved = ceil(size * self.activation)
        return Operator(name, "vector", rows, width, operations, 1, size * operations, 0, inputs * moved, moved)


def block(
    decoder: Decoder,
    *,
    decode: ArrayLike = (),
    prefill: ArrayLike = (),
    tensor: int = 1,
    expert: int = 1,
    precision_bytes: float = 2,
    weight_precision_bytes: float | None = None,
    kv_precision_bytes: float | None = None,
    moe: bool = False,
    expert_tokens: ArrayLike | None = None,
) -> tuple[Operator, ...]:
    """Operators of one decoder block on one rank of a tensor-parallel group, in the order they run.

    Args:
        decoder: the model.
        decode: int[b], for each decoding request the tokens its new token attends to, itself included.
        prefill: int[p], the prompt lengths of requests in their first stage.
        tensor: ranks that share the block.
        expert: sub-groups of them to which whole experts are dealt (see `parallel.Parallel`).
        precision_bytes: bytes of an activation, and of weights and cached keys unless given apart.
        weight_precision_bytes: bytes of a weight.
        kv_precision_bytes: bytes of a cached key or value element.
        moe: whether this block has experts in place of its feed-forward network.
        expert_tokens: int[experts / expert], tokens that each expert on this rank got; default: dealt out evenly.

    Order: layernorm, qkv, attention_score, softmax, attention_value (decode), attention_prefill (scores, softmax and
    values fused, causal), projection, layernorm, gate (moe), ffn_up, ffn_gate (3 matrices), activation, ffn_down
    (with `moe` expert_up, ... once for each distinct number of tokens), allreduce (tensor > 1; after projection and
    after the network, hence count 2). What has nothing to do is left out. Bias and residual additions are part of the
    GEMM before them and not counted; keys and values are written as outputs of qkv.

    Raises:
        InvalidInput: for lengths below 1 or above the context, no requests, a cut that does not divide the model, a
            precision that is none of `PRECISIONS`, or experts asked of a model without.
    """
    check(decoder, Parallel(tensor, 1, expert))
    contexts = check_lengths(decoder, decode, "decode")
    prompts = check_lengths(decoder, prefill, "prefill")
    tokens = len(contexts) + int(prompts.sum())
    if not tokens:
        raise InvalidInput(f"{decoder.name}: a block of no requests; allowed: at least one of decode and prefill")
    weight = precision_bytes if weight_precision_bytes is None else weight_precision_bytes
    kv = precision_bytes if kv_precision_bytes is None else kv_precision_bytes
    for value in (precision_bytes, weight, kv):
        if value not in PRECISIONS.values():
            raise InvalidInput(f"{value} bytes an element; allowed: {sorted(set(PRECISIONS.values()))}")
    shape = _Shape(decoder, tensor, precision_bytes, weight, kv)
    norm = shape.vector("layernorm", tokens, decoder.hidden, LAYERNORM_OPS)
    width = shape.q_width + 2 * shape.kv_heads * decoder.head_dim
    found = [norm, shape.gemm("qkv", tokens, width, decoder.hidden)]
    found += _decode_attention(shape, contexts) if len(contexts) else []
    found += [_prefill_attention(shape, prompts)] if len(prompts) else []
    found += [shape.gemm("projection", tokens, decoder.hidden, shape.q_width), norm]
    found += _experts(shape, tokens, expert, expert_tokens) if moe else _ffn(shape, "ffn", tokens, 1, tensor)
    if tensor > 1:
        moved = ceil(2 * tokens * decoder.hidden * precision_bytes)
        found.append(Operator("allreduce", "allreduce", tokens, decoder.hidden, 1, 2, 0, 0, moved, moved))
    return tuple(found)


def output_layer(decoder: Decoder, tokens: int, *, tensor: int = 1, precision_bytes: float = 2) -> Operator:
    """The product with the vocabulary, for the last token of each of `tokens` requests, on one rank."""
    if tokens < 1 or tensor < 1:
        raise InvalidInput(f"tokens {tokens}, tensor {tensor}; allowed: 1 and more")
    shape = _Shape(decoder, tensor, precision_bytes, precision_bytes, precision_bytes)
    return shape.gemm("output_layer", tokens, -(-decoder.vocab // tensor), decoder.hidden)


def check_lengths(decoder: Decoder, lengths: ArrayLike, what: str = "sequence") -> NDArray[np.int64]:
    """The lengths as int64[n].

    Raises:
        InvalidInput: for one that is not a whole number from 1 to the model's context.
    """
    found = np.asarray(lengths)
    if found.ndim != 1 or (found.size and not np.issubdtype(found.dtype, np.integer)):
        raise InvalidInput(f"{what} lengths are {found.dtype}{list(found.shape)}; allowed: a list of whole numbers")
    found = found.astype(np.int64)
    if found.size and not 1 <= int(found.min()) <= int(found.max()) <= decoder.context:
        wrong = found[(found < 1) | (found > decoder.context)][0]
        raise InvalidInput(
            f"{decoder.name}: {what} length {wrong} is not in its context; allowed: 1 to {decoder.context}"
        )
    return found


def _decode_attention(shape: _Shape, contexts: NDArray[np.int64]) -> list[Operator]:
    group, dim, heads = shape.decoder.heads // shape.tensor // shape.kv_heads, shape.decoder.head_dim, shape.kv_heads
    total = int(contexts.sum())
    flops = 2 * group * total * dim * heads
    scores, cache = ceil(group * heads * total * shape.activation), ceil(total * heads * dim * shape.kv)
    vectors = ceil(len(contexts) * shape.q_width * shape.activation)
    softmax = shape.vector("softmax", 1, group * heads * total, SOFTMAX_OPS)
    return [
        Operator("attention_score", "attention", group, total, dim, heads, flops, 0, vectors, scores, cache),
        softmax,
        Operator("attention_value", "attention", group, dim, total, heads, flops, 0, scores, vectors, cache),
    ]


def _prefill_attention(shape: _Shape, prompts: NDArray[np.int64]) -> Operator:
    """Causal attention of whole prompts: n counts the (query, key) pairs, and count the scores and the values."""
    group, dim, heads = shape.decoder.heads // shape.tensor // shape.kv_heads, shape.decoder.head_dim, shape.kv_heads
    pairs, tokens = int((prompts * (prompts + 1) // 2).sum()), int(prompts.sum())
    vectors, cache = ceil(tokens * shape.q_width * shape.activation), ceil(2 * tokens * heads * dim * shape.kv)
    flops = 2 * group * pairs * dim * 2 * heads
    return Operator("attention_prefill", "attention", group, pairs, dim, 2 * heads, flops, 0, vectors, vectors, cache)


def _ffn(shape: _Shape, prefix: str, tokens: int, count: int, ranks: int) -> list[Operator]:
    """`count` feed-forward networks of equal load, each shared by `ranks`."""
    hidden, width, gated = shape.decoder.hidden, shape.decoder.ffn_hidden // ranks, shape.decoder.ffn_matrices == 3
    found = [shape.gemm(f"{prefix}_up", tokens, width, hidden, count)]
    found += [shape.gemm(f"{prefix}_gate", tokens, width, hidden, count)] if gated else []
    found += [shape.vector("activation", tokens * count, width, ACTIVATION_OPS + gated, 1 + gated)]
    return [*found, shape.gemm(f"{prefix}_down", tokens, hidden, width, count)]


def _experts(shape: _Shape, tokens: int, expert: int, expert_tokens: ArrayLike | None) -> list[Operator]:
    decoder = shape.decoder
    if not decoder.experts:
        raise InvalidInput(f"{decoder.name} has no experts; allowed: moe=False")
    local = decoder.experts // expert
    given = even_tokens(decoder, tokens)[:local] if expert_tokens is None else np.asarray(expert_tokens, dtype=np.int64)
    if given.shape != (local,) or given.min() < 0 or given.max() > tokens or given.sum() > tokens * decoder.top_k:
        raise InvalidInput(
            f"expert_tokens {given.tolist()}; allowed: {local} counts of 0 to {tokens}, in all at most "
            f"{tokens * decoder.top_k} ({tokens} tokens x top {decoder.top_k})"
        )
    found = [shape.gemm("gate", tokens, decoder.experts, decoder.hidden)]
    for load, count in zip(*np.unique(given[given > 0], return_counts=True), strict=True):
        found += _ffn(shape, "expert", int(load), int(count), shape.tensor // expert)
    return found
