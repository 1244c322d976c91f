"""One design on one workload: the metrics of a whole decoder pass on all devices."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from archgym.sims.llm.collectives import Link, send_s
from archgym.sims.llm.graph import ACTIVATION_OPS, LAYERNORM_OPS, SOFTMAX_OPS
from archgym.sims.llm.parallel import DoesNotFit, Parallel, check, check_memory
from archgym.sims.neupims import area, energy, gpu
from archgym.sims.neupims.block import Block, hardware, shape_of, simulate_block
from archgym.sims.neupims.energy import Counts
from archgym.sims.neupims.kernel_operators import Shape
from archgym.sims.neupims.system import System
from archgym.sims.neupims.workloads import Workload
from archgym.sims.pim.gemv import Gemv, attention

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pass:
    """A decoder pass (one token of every request) on one device, averaged over the batches."""

    layer_ns: float
    """Of one layer in steady state: what the utilisations are of."""
    total_ns: float
    """Of all layers, one pipeline stage after another."""
    block_cycles: float
    """Of the stages as they were simulated, in cycles of the NPU."""
    flops: float
    """Of one layer on the arrays of one device (or the GPU)."""
    npu_busy_ns: float
    """Of one layer: with an instruction in flight in the arrays."""
    pim_busy_ns: float
    """Of one layer: dot products, mean over the channels."""
    pim_kernel_ns: float
    """Of one layer: whole kernels, mean over the channels."""
    moved_bytes: float
    """Of one layer over the data buses of one device."""
    energy_pj: dict[str, float]
    """Of one layer on one device, without what runs on the clock."""
    standing_mw: dict[str, float]
    """What one device draws all the time."""


def evaluate(system: System, parallel: Parallel, load: Workload, link: Link | None) -> dict[str, float]:
    """All metrics.

    Raises:
        DoesNotFit: when weights, or keys and values, do not fit.
        InvalidInput: when the cut does not divide the model.
    """
    check(load.decoder, parallel)
    tokens = max(sum(batch) for batch in load.batches)
    capacity = gpu.gpu().capacity_bytes if system.host == "gpu" else float(hardware(system).memory.capacity_bytes)
    check_memory(load.decoder, parallel, tokens, int(capacity))
    run = _gpu_pass if system.host == "gpu" else _npu_pass
    return _metrics(system, parallel, load, run(system, parallel, load, link))


def _metrics(system: System, parallel: Parallel, load: Workload, done: Pass) -> dict[str, float]:
    devices, layers, batch = parallel.devices, load.decoder.layers, load.batch
    tokens_per_s = batch / (done.total_ns * 1e-9)
    # Layers run on `tensor` devices each; standing power is drawn by all devices all the time.
    parts = {name: pj * layers * parallel.tensor / batch for name, pj in done.energy_pj.items()}
    for name, milliwatts in done.standing_mw.items():
        parts[name] = parts.get(name, 0.0) + milliwatts * devices * done.total_ns / batch
    energy_pj = sum(parts.values())
    sizes = {name: value * devices for name, value in area.parts(system).items()}
    size = sum(sizes.values())
    peak_flops, peak_bytes = _peaks(system)
    return {
        "tokens_per_s": tokens_per_s,
        "latency_per_token_ns": done.total_ns,
        "block_cycles": done.block_cycles,
        "npu_utilisation": done.flops / (peak_flops * done.layer_ns * 1e-9),
        "npu_busy": done.npu_busy_ns / done.layer_ns,
        "pim_utilisation": done.pim_busy_ns / done.layer_ns,
        "pim_occupancy": done.pim_kernel_ns / done.layer_ns,
        "bandwidth_utilisation": done.moved_bytes / (peak_bytes * done.layer_ns * 1e-9),
        "energy_pj_per_token": energy_pj,
        **{f"energy_{name}_pj": parts.get(name, 0.0) for name in energy.PARTS},
        "power_mw": energy_pj * batch / done.total_ns,
        "area_mm2": size,
        **{f"area_{name}_mm2": sizes[name] for name in area.PARTS},
        "tokens_per_joule": 1e12 / energy_pj,
        "tokens_per_s_per_mm2": tokens_per_s / size,
    }


def _peaks(system: System) -> tuple[float, float]:
    if system.host == "gpu":
        found = gpu.gpu()
        return found.flops_per_s, found.bytes_per_s
    arrays = 2.0 * system.arrays * system.array_rows * system.array_cols * system.frequency_mhz * 1e6
    return arrays, hardware(system).memory.external_bytes_per_s


def _gpu_pass(_: System, parallel: Parallel, load: Workload, link: Link | None) -> Pass:
    times = [gpu.block_ns(load.decoder, batch, parallel.tensor) for batch in load.batches]
    work = np.mean([gpu.block_work(load.decoder, batch, parallel.tensor) for batch in load.batches], axis=0)
    layer = float(np.mean(times)) + _exchange_ns(load, parallel, load.batch, link)
    total = load.decoder.layers * layer + _hand_over_ns(load, parallel, link)
    return Pass(layer, total, 0.0, float(work[0]), 0.0, 0.0, 0.0, float(work[1]), {}, {"gpu": gpu.BOARD_MW})


def _npu_pass(system: System, parallel: Parallel, load: Workload, link: Link | None) -> Pass:
    nanoseconds = hardware(system).memory.device.tck_ps / 1000.0
    blocks = [_best(system, parallel, load, batch, link, nanoseconds) for batch in load.batches]
    totals = np.array([_pass_ns(one, parallel, load, link, nanoseconds) for one in blocks]).mean(axis=0)
    layer, total = float(totals[0]), float(totals[1])
    cycles = float(np.mean([one.cycles for one in blocks])) * nanoseconds * system.frequency_mhz / 1000.0
    moved = float(np.mean([(one.read_bytes + one.written_bytes) / one.layers for one in blocks]))
    read = float(np.mean([one.read_bytes / one.layers for one in blocks]))
    shape = shape_of(system, load.decoder, parallel.tensor)
    contexts = float(np.mean([sum(batch) for batch in load.batches]))
    counts = _counts(system, shape, load.batch, contexts, read, moved - read)
    memory = hardware(system).memory
    parts = energy.npu_parts(counts, system.scratchpad_kib) | {"dram": energy.dram_pj(memory, counts)}
    standing = {
        "leakage": energy.npu_leakage_mw(area.npu_parts(system), system.scratchpad_kib),
        "background": energy.background_mw(memory),
    }
    busy = kernels = 0.0
    if shape.pim:
        work = _work(system, load, parallel.tensor)
        parts["pim"] = energy.pim_pj(memory, work) / len(load.batches)
        busy = float(work.comps.sum()) / len(load.batches) / system.channels * memory.comp_cycles * nanoseconds
        kernels = float(work.cycles.sum()) / len(load.batches) / system.channels * nanoseconds
    arrays = float(np.mean([one.busy[[2, 3]].sum() if one.layers > 1 else one.busy.sum() for one in blocks]))
    arrays *= nanoseconds
    return Pass(layer, total, cycles, 2.0 * counts.macs, arrays, busy, kernels, moved, parts, standing)


def _best(
    system: System, parallel: Parallel, load: Workload, batch: tuple[int, ...], link: Link | None, nanoseconds: float
) -> Block:
    """A batch's block, served the fastest way the hardware allows.

    Banks with two row buffers may always be used as if they had one. That pays, by less than a per cent, where both
    take the same time and refreshes fall better.

    Raises:
        DoesNotFit: when keys and values fit in neither way.
    """
    best, least = None, float("inf")
    refused: DoesNotFit | None = None
    for way in _ways(system):
        try:
            one = simulate_block(
                way, load.decoder, batch, tensor=parallel.tensor, pipeline=parallel.pipeline, channels=load.channels
            )
        except DoesNotFit as error:  # loads are estimated differently, so requests are placed differently
            refused = refused or error
            continue
        total = _pass_ns(one, parallel, load, link, nanoseconds)[1]
        if total < least:
            best, least = one, total
    if best is None:
        raise refused or AssertionError("a system has at least one way to work")
    return best


@lru_cache(maxsize=8192)
def _ways(system: System) -> tuple[System, ...]:
    return (system, replace(system, pim="single")) if system.pim == "dual" else (system,)


@lru_cache(maxsize=256)
def _work(system: System, load: Workload, tensor: int) -> Gemv:
    """PIM commands of attention, of all batches."""
    shape = shape_of(system, load.decoder, tensor)
    lengths = np.concatenate([np.array(batch, dtype=np.int64) for batch in load.batches])
    return attention(hardware(system).memory, shape.heads, shape.head_dim, lengths, shape.kv_heads)


def _pass_ns(
    one: Block, parallel: Parallel, load: Workload, link: Link | None, nanoseconds: float
) -> tuple[float, float]:
    """Time of a layer in steady state and of all layers, exchanges of the tensor group included."""
    layers, here = load.decoder.layers, load.decoder.layers // parallel.pipeline
    hand_over = _hand_over_ns(load, parallel, link)
    if one.layers == 1:
        layer = one.cycles * nanoseconds + _exchange_ns(load, parallel, load.batch, link)
        return layer, layers * layer + hand_over
    # The exchanges of a sub-batch hide behind the PIM work of the other, as the projections do.
    exchange = _exchange_ns(load, parallel, load.batch / 2, link)
    out = np.array([0.0, 0.0, 1.0, 1.0, 1.0, 1.0]) * exchange
    stages = np.maximum(one.npu * nanoseconds + out, one.pim * nanoseconds)
    layer = float(stages[2] + stages[3])
    stage = float(stages[[0, 1, 4, 5]].sum()) + (here - 1) * layer
    return layer, parallel.pipeline * stage + hand_over


def _exchange_ns(load: Workload, parallel: Parallel, tokens: float, link: Link | None) -> float:
    """The two all-reduces of a layer; nothing without a link (as the authors' program)."""
    if link is None:
        return 0.0
    return 2.0 * float(link.allreduce_s(tokens * load.decoder.hidden * energy.ELEMENT_BYTES, parallel.tensor)) * 1e9


def _hand_over_ns(load: Workload, parallel: Parallel, link: Link | None) -> float:
    """Activations passed on from stage to stage of the pipeline."""
    if link is None or parallel.pipeline == 1:
        return 0.0
    size = load.batch * load.decoder.hidden * energy.ELEMENT_BYTES
    return parallel.pipeline * float(send_s(size, link.bytes_per_s * link.efficiency, link.latency_s)) * 1e9


def _counts(system: System, s: Shape, tokens: int, contexts: float, read: float, written: float) -> Counts:
    """Operations of one layer on one device."""
    weights = s.hidden * (s.qkv + s.attention + s.up + s.down)
    macs = float(tokens) * weights
    passes = -(-tokens // system.array_cols)
    results = tokens * (s.qkv + 2 * s.hidden + s.up)
    streamed: float = energy.ELEMENT_BYTES * (
        passes * weights + tokens * (2 * s.hidden + s.attention + s.down) + results
    )
    if not s.pim:
        macs += 2.0 * contexts * s.heads * s.head_dim
        streamed += energy.ELEMENT_BYTES * 2 * contexts * s.kv_heads * s.head_dim
    per_token = 2 * LAYERNORM_OPS * s.hidden + 2 * s.hidden + ACTIVATION_OPS * s.up
    vector = tokens * per_token + SOFTMAX_OPS * contexts * s.heads
    return Counts(macs, streamed, vector, read, written)
