"""One decoder block of one device on one batch: stages of NPU and PIM work between barriers.

Without sub-batches the stages are A (query, key and value), B (attention) and E (projection, feed-forward). With two
sub-batches (NeuPIMs, ASPLOS 2024, and its StageProgram.cc) the NPU works on one while PIM works on the other:

           A      B      C            D            E         F
    NPU    QKV#1  QKV#2  Out#1+QKV#1  Out#2+QKV#2  Out#1     Out#2
    PIM    -      MHA#1  MHA#2        MHA#1        MHA#2     -

where Out is projection and feed-forward; A to F are two layers, and C and D repeat for every further one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from archgym.sims.jit import entry
from archgym.sims.neupims.kernel_gemm import ELEMENT_BYTES, NpuTimes
from archgym.sims.neupims.kernel_memory import BUSY, FREE, READ, SHARE, STATE, UNTIL, WRITTEN, MemoryTimes, store
from archgym.sims.neupims.kernel_operators import Shape, attention, projections_in, projections_out, traffic
from archgym.sims.neupims.kernel_pim import LAST, PLACES, PimTimes, attend, score, softmax

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STAGES = 6
END, NPU_END, PIM_END, ARRAYS = 0, 1, 2, 3
"""Columns of a stage: its end, those of its two halves, and for how long the arrays had an instruction in flight."""


@entry
def run(
    mem_times: MemoryTimes,
    npu: NpuTimes,
    pim: PimTimes,
    shape: Shape,
    rows_of_keys: Ints,
    lengths: Ints,
    channels: Ints,
    half: Ints,
    sub_batches: bool,
    moved: Floats,
) -> Floats:
    """Simulate the stages; float64[6, 4], in cycles of the memory: `END`, `NPU_END`, `PIM_END`, `ARRAYS` of each.

    Ends are cumulative.
    Requests come in the order in which their commands are issued. `half[i]` is 0 or 1: the sub-batch of request i (all
    0 without). `moved` becomes bytes read and written by the NPU.
    """
    size = ELEMENT_BYTES * (
        shape.hidden * max(shape.qkv, shape.attention, shape.up, shape.down)
        + len(lengths) * (4 * shape.hidden + shape.qkv + shape.up + shape.down)
        + 2 * shape.kv_heads * shape.head_dim * lengths.sum()
    )
    ends = np.empty(int(size / mem_times.sweep) + 4)
    left = np.empty_like(ends)
    rows = np.empty(int(mem_times.sweep / mem_times.row) + 2)
    free = np.empty(npu.units)
    mem = np.zeros(STATE)
    mem[SHARE] = 1.0
    state = np.zeros((channels.max() + 1, PLACES))
    state[:, LAST] = -1e9
    first, second = lengths[half == 0], lengths[half == 1]
    at_first, at_second = channels[half == 0], channels[half == 1]
    result = np.zeros((STAGES, 4))
    now = 0.0
    for stage in range(STAGES):
        if not sub_batches and stage not in (0, 1, 4):
            continue
        odd = stage % 2 == 1
        tokens = len(second) if odd else len(first)
        on_pim, at = (first, at_first) if odd else (second, at_second)
        qkv = stage <= 3 and tokens > 0
        out = stage >= 2 and tokens > 0
        mha = 1 <= stage <= 4 and len(on_pim) > 0
        npu_end = pim_end = now
        before = mem[BUSY]
        if mha and shape.pim:
            until = now + traffic(shape, tokens, qkv, out) / (mem_times.rate * shape.share) if pim.dual else 0.0
            ready = np.empty(len(on_pim))
            score(pim, on_pim, at, rows_of_keys, now, until, state, ready)
            logits = softmax(npu, on_pim, shape.heads, ready, free)
            pim_end = attend(
                pim, on_pim, at, shape.heads, shape.columns, shape.page, shape.multipliers,
                logits + mem_times.store, until, state,
            )  # fmt: skip
            mem[SHARE], mem[UNTIL] = shape.share, pim_end
            store(mem, mem_times, now, ELEMENT_BYTES * shape.heads * on_pim.sum())
        if out:
            npu_end = projections_out(mem, mem_times, npu, shape, tokens, npu_end, ends, left, rows)
        if qkv:
            npu_end = projections_in(mem, mem_times, npu, shape, tokens, npu_end, ends, left, rows)
        if mha and not shape.pim:
            npu_end = attention(mem, mem_times, npu, shape, on_pim, npu_end, ends, left, rows)
        now = max(npu_end, pim_end)
        if stage == (5 if sub_batches else 4):
            now = npu_end = max(now, mem[FREE])  # the last writes leave the controllers
        mem[SHARE], mem[UNTIL] = 1.0, now
        result[stage, END], result[stage, NPU_END], result[stage, PIM_END] = now, npu_end, pim_end
        result[stage, ARRAYS] = mem[BUSY] - before
    moved[0], moved[1] = mem[READ], mem[WRITTEN]
    return result
