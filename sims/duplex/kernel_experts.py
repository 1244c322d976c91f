"""Compiled: how long the experts of one layer take when they are split over the xPU and the units in the memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from archgym.sims.jit import entry

# Places in the record of a processor (`rates`) and of an expert (`work`).
FLOPS_PER_S, BYTES_PER_S = 0, 1
MATRICES, FLOPS, FIXED, BYTES, ACT_FLOPS, ACT_BYTES = 0, 1, 2, 3, 4, 5
# Columns of what `experts_table` gives, per number of tokens, summed over layers:
TIME, XPU_BUSY, PIM_BUSY, XPU_BYTES, PIM_BYTES = 0, 1, 2, 3, 4


@entry
def expert_s(tokens: float, work: NDArray[np.float64], flops_per_s: float, bytes_per_s: float) -> float:
    """Seconds of one expert on one processor: each product, then the activation, at the longer of its two limits."""
    if tokens == 0 or bytes_per_s == 0.0:
        return 0.0
    product = max(tokens * work[FLOPS] / flops_per_s, (work[FIXED] + tokens * work[BYTES]) / bytes_per_s)
    activation = max(tokens * work[ACT_FLOPS] / flops_per_s, tokens * work[ACT_BYTES] / bytes_per_s)
    return float(work[MATRICES] * product + activation)


@entry
def expert_bytes(tokens: float, work: NDArray[np.float64]) -> float:
    """Bytes one expert moves; one without tokens is not read."""
    if tokens == 0:
        return 0.0
    return float(work[MATRICES] * (work[FIXED] + tokens * work[BYTES]) + tokens * work[ACT_BYTES])


@entry
def reduction_s(pim_visits: float, tokens: float, row_bytes: float, stacks: int, xpu_bytes_per_s: float) -> float:
    """Seconds in which the xPU hands inputs to the stacks and adds up their partial results (section V-A).

    Every stack holds a slice of each expert, so it needs all inputs and gives a partial sum of every token. Several
    visits of one token are added up inside the stack first.
    """
    if stacks == 1 or pim_visits == 0:
        return 0.0
    return 2.0 * stacks * min(pim_visits, tokens) * row_bytes / xpu_bytes_per_s


@entry
def _keep_faster(
    time: float, xpu_s: float, pim_s: float, xpu_bytes: float, pim_bytes: float, out: NDArray[np.float64]
) -> None:
    """Keep an arrangement in `out` if it is faster than the one there."""
    if time < out[TIME]:
        out[TIME], out[XPU_BUSY], out[PIM_BUSY] = time, xpu_s, pim_s
        out[XPU_BYTES], out[PIM_BYTES] = xpu_bytes, pim_bytes


@entry
def split_layer(
    loads: NDArray[np.int64],
    tokens: int,
    work: NDArray[np.float64],
    xpu: NDArray[np.float64],
    pim: NDArray[np.float64],
    sections: int,
    together: bool,
    row_bytes: float,
    stacks: int,
    parts_sums: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """The experts of one group of devices in one layer: the fastest allowed arrangement, into out[5].

    Args:
        loads: int64[e], tokens of each expert.
        tokens: tokens of the stage.
        work: float64[6], one expert (slice).
        xpu: float64[2], the xPU's FLOP/s and B/s.
        pim: float64[2], the same of the units; 0: none.
        sections: of the memory; experts lie in them in turn, and a section is worked on by one processor at a time.
        together: whether both may work at the same time.
        row_bytes: one token's activation.
        stacks: memory stacks of the device.
        parts_sums: float64[4, sections or more], to work with.
        out: time, xPU busy, units busy, bytes over the xPU, bytes over the units.

    Arrangements: all on the xPU; one after the other, each where it is faster; and, with `together`, every way to give
    whole sections to the one or the other, both at once. There are at most 16 ways, so all are tried.
    """
    count = len(loads)
    out[:] = 0.0
    for load in loads:
        out[TIME] += expert_s(load, work, xpu[FLOPS_PER_S], xpu[BYTES_PER_S])
        out[XPU_BYTES] += expert_bytes(load, work)
    out[XPU_BUSY] = out[TIME]
    all_bytes = out[XPU_BYTES]
    if pim[0] == 0.0:
        return
    _in_turn(loads, tokens, work, xpu, pim, row_bytes, stacks, out)
    parts = min(sections, count)
    if not together or parts < 2:
        return
    parts_sums[:] = 0.0
    on_xpu, on_pim, moved, visits = parts_sums[0], parts_sums[1], parts_sums[2], parts_sums[3]
    for expert in range(count):
        part, load = expert % parts, loads[expert]
        on_xpu[part] += expert_s(load, work, xpu[FLOPS_PER_S], xpu[BYTES_PER_S])
        on_pim[part] += expert_s(load, work, pim[FLOPS_PER_S], pim[BYTES_PER_S])
        moved[part] += expert_bytes(load, work)
        visits[part] += load
    for given in range(1, (1 << parts) - 1):
        xpu_s, pim_s, inside, pim_visits = 0.0, 0.0, 0.0, 0.0
        for part in range(parts):
            if (given >> part) & 1:
                pim_s += on_pim[part]
                inside += moved[part]
                pim_visits += visits[part]
            else:
                xpu_s += on_xpu[part]
        added = reduction_s(pim_visits, tokens, row_bytes, stacks, xpu[BYTES_PER_S])
        outside = all_bytes - inside + added * xpu[BYTES_PER_S]
        _keep_faster(max(xpu_s, pim_s) + added, xpu_s + added, pim_s, outside, inside, out)


@entry
def _in_turn(
    loads: NDArray[np.int64],
    tokens: int,
    work: NDArray[np.float64],
    xpu: NDArray[np.float64],
    pim: NDArray[np.float64],
    row_bytes: float,
    stacks: int,
    out: NDArray[np.float64],
) -> None:
    """One expert after the other, each where it is faster; kept if that is faster than what `out` holds."""
    xpu_s, pim_s, outside, inside, visits = 0.0, 0.0, 0.0, 0.0, 0.0
    for load in loads:
        slow = expert_s(load, work, xpu[FLOPS_PER_S], xpu[BYTES_PER_S])
        near = expert_s(load, work, pim[FLOPS_PER_S], pim[BYTES_PER_S])
        if near < slow:
            pim_s += near
            inside += expert_bytes(load, work)
            visits += load
        else:
            xpu_s += slow
            outside += expert_bytes(load, work)
    added = reduction_s(visits, tokens, row_bytes, stacks, xpu[BYTES_PER_S])
    outside += added * xpu[BYTES_PER_S]
    _keep_faster(xpu_s + pim_s + added, xpu_s + added, pim_s, outside, inside, out)


@entry
def experts_table(
    grid: NDArray[np.int64],
    counts: NDArray[np.int64],
    groups: int,
    slices: int,
    work: NDArray[np.float64],
    xpu: NDArray[np.float64],
    pim: NDArray[np.float64],
    sections: int,
    together: bool,
    row_bytes: float,
    stacks: int,
) -> NDArray[np.float64]:
    """Experts of all layers for each number of tokens, float64[m, 5].

    `counts` is int64[m, layers, experts]. A layer takes as long as its slowest group; busy times are means over the
    groups, bytes are totals over all devices (`slices` of them share each expert).
    """
    table = np.zeros((len(grid), 5))
    one, parts_sums = np.zeros(5), np.zeros((4, sections))
    local = counts.shape[2] // groups
    for row in range(len(grid)):
        for layer in range(counts.shape[1]):
            longest = 0.0
            for group in range(groups):
                loads = counts[row, layer, group * local : (group + 1) * local]
                split_layer(loads, grid[row], work, xpu, pim, sections, together, row_bytes, stacks, parts_sums, one)
                longest = max(longest, one[TIME])
                table[row, XPU_BUSY] += one[XPU_BUSY] / groups
                table[row, PIM_BUSY] += one[PIM_BUSY] / groups
                table[row, XPU_BYTES] += one[XPU_BYTES] * slices
                table[row, PIM_BYTES] += one[PIM_BYTES] * slices
            table[row, TIME] += longest
    return table
