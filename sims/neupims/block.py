"""One decoder block of a system on a batch: what the kernels need, their times by stage, and what was moved."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym.errors import InvalidInput
from archgym.sims.llm.models import Decoder
from archgym.sims.llm.parallel import DoesNotFit, Parallel, kv_heads_per_rank, rank_weight_bytes
from archgym.sims.neupims.kernel_block import run
from archgym.sims.neupims.kernel_gemm import NpuTimes
from archgym.sims.neupims.kernel_memory import MemoryTimes
from archgym.sims.neupims.kernel_operators import Shape
from archgym.sims.neupims.kernel_packing import estimates, halve, pack, tiles_needed
from archgym.sims.neupims.kernel_pim import PimTimes, period
from archgym.sims.neupims.system import System, memory_of
from archgym.sims.neupims.times import bus_share, key_shape, memory_times, npu_times, pim_times
from archgym.sims.pim.device import PimDevice
from archgym.sims.pim.gemv import scheduled_constants

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STAGES = "ABCDEF"


class Hardware(NamedTuple):
    """A system as its kernels see it."""

    memory: PimDevice
    stream: MemoryTimes
    npu: NpuTimes
    pim: PimTimes


@dataclass(frozen=True)
class Block:
    """What one pass over the stages took and did, on one device."""

    stages: Floats
    """Cycles of each stage A to F (float64[6]); C, D and F are 0 without sub-batches."""
    npu: Floats
    """Of these, until the NPU was done."""
    pim: Floats
    """Of these, until PIM was done."""
    busy: Floats
    """Of these, with an instruction in flight in the arrays."""
    read_bytes: float
    written_bytes: float
    layers: int
    """Decoder layers in the pass: 2 with sub-batches, else 1."""

    @property
    def cycles(self) -> float:
        """Of the whole pass, as the authors' program reports it."""
        return float(self.stages.sum())


@lru_cache(maxsize=8192)
def hardware(system: System) -> Hardware:
    """Derive the kernels' times of a system."""
    memory = memory_of(system)
    return Hardware(
        memory,
        memory_times(memory),
        npu_times(system),
        pim_times(memory, system.pim_issue == "shared", system.frequency_mhz),
    )


@lru_cache(maxsize=4096)
def shape_of(system: System, decoder: Decoder, tensor: int) -> Shape:
    """One device's share of a block."""
    memory = hardware(system).memory
    kv_heads, heads = kv_heads_per_rank(decoder, tensor), decoder.heads // tensor
    down = decoder.ffn_hidden // tensor
    return Shape(
        hidden=decoder.hidden,
        qkv=(heads + 2 * kv_heads) * decoder.head_dim,
        attention=heads * decoder.head_dim,
        up=(decoder.ffn_matrices - 1) * down,
        down=down,
        heads=heads,
        kv_heads=kv_heads,
        head_dim=decoder.head_dim,
        pim=system.pim != "none",
        spread=system.npu_attention == "spread",
        columns=-(-decoder.head_dim // memory.banks),
        page=memory.page_elements,
        multipliers=memory.multipliers_per_bank,
        share=_share(system, decoder.head_dim),
    )


def _share(system: System, head_dim: int) -> float:
    """Of the data bus, beside tiles of keys."""
    found = hardware(system)
    comps = -(-min(head_dim, found.memory.page_elements) // found.memory.multipliers_per_bank)
    results = max(1, found.memory.page_elements // head_dim)
    return bus_share(found.memory, period(found.pim, comps, results), comps, results)


def place(
    system: System, decoder: Decoder, parallel: Parallel, lengths: Ints, fixed: Ints | None = None
) -> tuple[Ints, Ints]:
    """Order of the requests and channel of each in that order, int64[n] each.

    Commands issue channel by channel, within a channel as the requests came; `fixed` gives channels as they are.

    Raises:
        DoesNotFit: when a request's keys and values fit in no channel.
        InvalidInput: for a fixed channel that the system does not have.
    """
    memory = hardware(system).memory
    if fixed is not None:
        if fixed.max() >= system.channels:
            raise InvalidInput(f"a request lives in channel {fixed.max()}; the system has {system.channels}")
        order = np.argsort(fixed, kind="stable")
        return order, fixed[order]
    shape = shape_of(system, decoder, parallel.tensor)
    keys = _keys(system, shape.heads, shape.kv_heads, shape.head_dim)
    needed, cost, channels = np.empty_like(lengths), np.zeros_like(lengths), np.zeros_like(lengths)
    layers = decoder.layers // parallel.pipeline
    tiles_needed(lengths, keys, shape.kv_heads, shape.columns, shape.page, memory.multipliers_per_bank, layers, needed)
    by_load = system.packing == "min-load"
    if by_load:
        estimates(lengths, keys, shape.heads, shape.columns, shape.page, *scheduled_constants(memory), cost)
    first = np.argsort(-lengths, kind="stable") if by_load else np.arange(len(lengths))
    room = np.full(system.channels, tiles_for_kv(memory, decoder, parallel), dtype=np.int64)
    missing = pack(first, needed, cost, by_load, room, np.zeros_like(room), channels)
    if missing >= 0:
        raise DoesNotFit(
            f"{decoder.name}: keys and values of a request of {lengths[missing]} tokens need "
            f"{needed[missing] * memory.tile_bytes} bytes of one channel, at most {room.max() * memory.tile_bytes} are "
            "available"
        )
    order = np.argsort(channels, kind="stable")
    return order, channels[order]


@lru_cache(maxsize=4096)
def _keys(system: System, heads: int, kv_heads: int, head_dim: int) -> Ints:
    return key_shape(hardware(system).memory, heads, kv_heads, head_dim)


def tiles_for_kv(memory: PimDevice, decoder: Decoder, parallel: Parallel) -> int:
    """Tiles of every channel that weights leave for keys and values."""
    room = memory.capacity_bytes - rank_weight_bytes(decoder, parallel)
    return max(0, room // (memory.channels * memory.tile_bytes))


def simulate_block(
    system: System,
    decoder: Decoder,
    lengths: ArrayLike,
    *,
    tensor: int = 1,
    pipeline: int = 1,
    channels: ArrayLike | None = None,
    interleave: bool | None = None,
) -> Block:
    """Simulate the stages of a block of one device of a system with an NPU.

    Args:
        system: the system; `host` must be "npu".
        decoder: the model.
        lengths: context length of each request, int[n].
        tensor: tensor-parallel degree.
        pipeline: pipeline stages (they decide what fits).
        channels: where each request lives; placed by the system's packing otherwise.
        interleave: two sub-batches or not; as the system says otherwise.

    Raises:
        DoesNotFit: when keys and values do not fit in the channels.
        InvalidInput: for a channel out of range, or an empty batch.
    """
    requests = np.ascontiguousarray(lengths, dtype=np.int64)
    if requests.ndim != 1 or not len(requests) or requests.min() < 1:
        raise InvalidInput("a batch needs at least one request, each of at least one token")
    found = hardware(system)
    fixed = None if channels is None else np.ascontiguousarray(channels, dtype=np.int64)
    order, at = place(system, decoder, Parallel(tensor, pipeline), requests, fixed)
    half = np.zeros_like(requests)
    sub_batches = system.interleaves(len(requests)) if interleave is None else interleave
    if sub_batches:
        halve(at, np.zeros(system.channels, dtype=np.int64), half)
        sub_batches = bool(half.any())
    moved = np.zeros(2)
    shape = shape_of(system, decoder, tensor)
    keys = _keys(system, shape.heads, shape.kv_heads, shape.head_dim)
    ends = run(found.stream, found.npu, found.pim, shape, keys, requests[order], at, half, sub_batches, moved)
    return _block(ends, moved, sub_batches)


def _block(ends: Floats, moved: Floats, sub_batches: bool) -> Block:
    total = np.maximum.accumulate(ends[:, 0])
    starts = np.concatenate([[0.0], total[:-1]])
    return Block(
        total - starts,
        np.maximum(ends[:, 1] - starts, 0.0),
        np.maximum(ends[:, 2] - starts, 0.0),
        ends[:, 3],
        float(moved[0]),
        float(moved[1]),
        2 if sub_batches else 1,
    )
