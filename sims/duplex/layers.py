"""What a stage asks of each device: operators whose work grows linearly with the tokens, contexts and pairs in it.

A stage is fully described by a handful of sums (`kernel.py`), so the work of every operator is two numbers per sum.
The same operators, one by one, are `archgym.sims.llm.graph.block`; the tests hold both together. Scores and softmax
of decode attention stay on chip (FlashDecoding; the softmax unit of Logic-PIM): only keys, values, queries and
results move.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym.errors import InvalidInput
from archgym.sims.duplex.system import System
from archgym.sims.llm.graph import ACTIVATION_OPS, LAYERNORM_OPS, SOFTMAX_OPS
from archgym.sims.llm.models import Decoder
from archgym.sims.llm.parallel import (
    DoesNotFit,
    Parallel,
    check,
    kv_heads_per_rank,
    rank_kv_bytes_per_token,
    rank_weight_bytes,
)

__all__ = [
    "BYTES", "Attention", "Expert", "Fit", "attention", "dense_rows", "expert", "expert_groups", "fit", "own_devices",
]  # fmt: skip

Floats = NDArray[np.float64]

BYTES = 2
"""FP16 weights, activations, keys and values (Duplex, MICRO 2024, section II-A)."""

ROW = ("flops", "fixed_bytes", "bytes", "repeats", "in_memory", "last_only")
"""Columns of `dense_rows`: work a token, bytes whatever the tokens, bytes a token, how often in a stage, whether the
units in the memory may run it, whether it takes one token per request instead of all."""


@dataclass(frozen=True)
class Attention:
    """Work of attention on one device in one layer."""

    decode_flops_per_context: float
    decode_bytes_per_context: float
    decode_bytes_per_request: float
    prefill_flops_per_pair: float
    prefill_bytes_per_token: float
    migrate_bytes_per_token: float


@dataclass(frozen=True)
class Expert:
    """Work of one expert (a slice of it) on one device: `matrices` products, then the activation."""

    matrices: int
    flops_per_token: float
    fixed_bytes: float
    bytes_per_token: float
    activation_flops_per_token: float
    activation_bytes_per_token: float


@dataclass(frozen=True)
class Fit:
    """What must be held, bytes a device, and the tokens whose keys and values fit in the cluster beside the weights."""

    weight_bytes: float
    kv_bytes_per_token: float
    kv_tokens: int


def own_devices(decoder: Decoder) -> int:
    """Devices a model is served on: the least power of two of H100s (80 GB) that its weights fill to half or less.

    That gives the paper's systems: 4 for Mixtral, OPT and Llama3, 8 for GLaM, 16 for Grok1 (section VI).
    """
    devices = 1
    while 2 * decoder.weight_bytes(BYTES) > devices * System().capacity_bytes:
        devices *= 2
    return devices


def dense_rows(decoder: Decoder, system: System) -> Floats:
    """All operators but attention and experts, float64[r, 6] with the columns `ROW`."""
    tensor, hidden = system.tensor, decoder.hidden
    kv_width = kv_heads_per_rank(decoder, tensor) * decoder.head_dim
    sparse, dense = decoder.moe_layers, decoder.layers - decoder.moe_layers
    width, gated = decoder.ffn_hidden // tensor, decoder.ffn_matrices == 3
    inside = float(system.offload == "all")
    rows = [
        _vector(hidden, LAYERNORM_OPS, 1, 2 * decoder.layers),
        _gemm(decoder.q_width // tensor + 2 * kv_width, hidden, decoder.layers, inside),
        _gemm(hidden, decoder.q_width // tensor, decoder.layers, inside),
        _gemm(-(-decoder.vocab // tensor), hidden, 1, inside, last=1.0),
    ]
    if sparse:
        rows.append(_gemm(decoder.experts, hidden, sparse, inside))
    if dense:
        rows.append(_gemm(width, hidden, dense * decoder.ffn_matrices, inside))
        rows.append(_vector(width, ACTIVATION_OPS + gated, 1 + gated, dense))
    return np.array(rows, dtype=np.float64)


def attention(decoder: Decoder, system: System) -> Attention:
    """Attention of one layer on one device."""
    heads = kv_heads_per_rank(decoder, system.tensor)
    group = decoder.heads // system.tensor // heads
    product = 2 * group * decoder.head_dim * heads
    cached = 2 * heads * decoder.head_dim * BYTES
    vectors = 2 * decoder.q_width // system.tensor * BYTES
    return Attention(
        decode_flops_per_context=float(2 * product + SOFTMAX_OPS * group * heads),
        decode_bytes_per_context=float(cached),
        decode_bytes_per_request=float(vectors),
        prefill_flops_per_pair=float(2 * product),
        prefill_bytes_per_token=float(vectors + cached),
        migrate_bytes_per_token=float(2 * cached),
    )


def expert_groups(decoder: Decoder, system: System) -> tuple[int, int]:
    """(groups of devices to which whole experts are dealt, devices that share each expert of a group).

    With expert tensor parallelism a node is a group (Duplex, MICRO 2024, section V-B); with expert parallelism every
    device is, or as many devices per expert as there are experts too few (its section III, footnote 1).

    Raises:
        InvalidInput: when the experts cannot be dealt out evenly.
    """
    groups = system.nodes if system.expert_split == "tensor" else min(system.devices, decoder.experts)
    if decoder.experts % groups:
        raise InvalidInput(f"{decoder.name}: {decoder.experts} experts cannot be dealt evenly to {groups} groups")
    slices = system.devices // groups
    if decoder.ffn_hidden % slices:
        raise InvalidInput(f"{decoder.name}: {slices} devices cannot share an expert of width {decoder.ffn_hidden}")
    return groups, slices


def expert(decoder: Decoder, slices: int) -> Expert:
    """One of `slices` equal slices of an expert."""
    hidden, width, gated = decoder.hidden, decoder.ffn_hidden // slices, decoder.ffn_matrices == 3
    return Expert(
        matrices=decoder.ffn_matrices,
        flops_per_token=2 * hidden * width,
        fixed_bytes=hidden * width * BYTES,
        bytes_per_token=(hidden + width) * BYTES,
        activation_flops_per_token=(ACTIVATION_OPS + gated) * width,
        activation_bytes_per_token=(2 + gated) * width * BYTES,
    )


def fit(decoder: Decoder, system: System) -> Fit:
    """Weights and key-value cache against the memory of the devices.

    With attention co-processing one memory section is kept free of cached keys and values.

    Raises:
        DoesNotFit: for weights that do not fit (bytes needed, available).
        InvalidInput: for a cut that does not divide the model.
    """
    parallel = Parallel(tensor=system.tensor)
    check(decoder, parallel)
    experts = decoder.moe_layers * decoder.experts * decoder.ffn_parameters() * BYTES
    if decoder.experts:
        expert_groups(decoder, system)
    # The experts are shared by all devices, everything else by those of a node.
    weights = rank_weight_bytes(decoder, parallel, BYTES) - experts / system.tensor + experts / system.devices
    available = system.capacity_bytes
    if weights > available:
        raise DoesNotFit(
            f"{decoder.name}: weights need {weights:.0f} bytes on each of {system.devices} devices, "
            f"{available:.0f} are available"
        )
    room = available - weights
    if system.pim != "none" and system.attention_coprocessing and system.sections > 1:
        kept = 1 - 1 / system.sections
        room = min(room, kept * (available - experts / system.devices))
    per_token = rank_kv_bytes_per_token(decoder, parallel, BYTES)
    return Fit(weights, per_token, int(room // per_token) * system.nodes)


def _gemm(n: int, k: int, repeats: int, inside: float, last: float = 0.0) -> list[float]:
    """Tokens x k times k x n."""
    return [2.0 * n * k, n * k * BYTES, (n + k) * BYTES, repeats, inside, last]


def _vector(width: int, operations: int, inputs: int, repeats: int) -> list[float]:
    return [width * operations, 0.0, (inputs + 1) * width * BYTES, repeats, 0.0, 0.0]
