"""Compiled: how long one stage takes, what it keeps busy and what it moves.

A stage is described by five sums: requests that decode, the tokens they attend to, requests whose prompt is read, the
tokens of these prompts, and their (query, key) pairs. All operators are linear in them, up to the choice of the
faster processor and the longer of the two limits.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archgym.sims.jit import entry
from archgym.sims.duplex.kernel_experts import TIME as TABLE_TIME

# Places in what a stage gives: seconds; busy seconds of the xPU and of the units of a device (mean over devices);
# bytes over each, floating-point operations and bytes over links, of all devices.
TIME, XPU_BUSY, PIM_BUSY, XPU_BYTES, PIM_BYTES, FLOPS, LINK_BYTES = range(7)
OUTPUTS = 7


class Rates(NamedTuple):
    """What `stage` must know of a system and a model, all numbers as floats; bytes and FLOPs are of one device."""

    xpu_flops_per_s: float
    xpu_bytes_per_s: float
    pim_flops_per_s: float
    """0: no units in the memory."""
    pim_bytes_per_s: float
    coprocess: float
    """1: prefill attention may run beside decode attention."""
    layers: float
    decode_flops_per_context: float
    decode_bytes_per_context: float
    decode_bytes_per_request: float
    prefill_flops_per_pair: float
    prefill_bytes_per_token: float
    migrate_bytes_per_token: float
    nodes: float
    tensor: float
    link_s: float
    link_bytes_per_s: float
    node_link_s: float
    node_link_bytes_per_s: float
    row_bytes: float
    """One token's activation."""
    expert_layers: float
    reductions: float
    """All-reduces of a stage: two a layer, and those over slices of experts."""
    visits: float
    """Experts a token visits."""
    expert_flops_per_token: float
    """All layers and visits."""


@entry
def roofline_s(flops: float, moved: float, flops_per_s: float, bytes_per_s: float) -> float:
    """The longer of arithmetic and memory traffic."""
    return max(flops / flops_per_s, moved / bytes_per_s)


@entry
def stage(
    rates: Rates,
    rows: NDArray[np.float64],
    grid: NDArray[np.int64],
    table: NDArray[np.float64],
    decoding: int,
    context: int,
    prompts: int,
    prompt_tokens: int,
    pairs: int,
    out: NDArray[np.float64],
) -> None:
    """One stage, into out[7].

    `rows` are `layers.dense_rows`, `grid` and `table` the tokens and times of `kernel_experts.experts_table` (empty
    without experts). Requests are dealt to the nodes; the node with the most takes the longest. Its busy times count.
    """
    out[:] = 0.0
    most_decoding = np.ceil(decoding / rates.nodes)
    prompt_share = np.ceil(prompts / rates.nodes) / prompts if prompts else 0.0
    tokens, most_tokens = decoding + prompt_tokens, most_decoding + prompt_tokens * prompt_share
    last, most_last = decoding + prompts, most_decoding + prompts * prompt_share
    for row in range(len(rows)):  # by index: a view of each row would cost more than its arithmetic
        flops, fixed, moved, repeats = rows[row, 0], rows[row, 1], rows[row, 2], rows[row, 3]
        count, most = (last, most_last) if rows[row, 5] > 0 else (tokens, most_tokens)
        place = _faster(rates, repeats * flops * most, repeats * (fixed + moved * most), rows[row, 4] > 0, out)
        out[place] += repeats * (rates.nodes * fixed + moved * count) * rates.tensor
        out[FLOPS] += repeats * flops * count * rates.tensor
    decode_share = most_decoding / decoding if decoding else 0.0
    _attention(rates, decoding, context, decode_share, prompt_tokens, pairs, prompt_share, out)
    if len(grid):
        _experts(rates, grid, table, decoding + prompt_tokens, out)
    _communicate(rates, most_tokens, tokens, out)


@entry
def _faster(rates: Rates, flops: float, moved: float, inside: bool, out: NDArray[np.float64]) -> int:
    """Run on the xPU, or on the units where that is allowed and faster; gives the place where its bytes are counted."""
    xpu_s = roofline_s(flops, moved, rates.xpu_flops_per_s, rates.xpu_bytes_per_s)
    if inside and rates.pim_flops_per_s > 0:
        pim_s = roofline_s(flops, moved, rates.pim_flops_per_s, rates.pim_bytes_per_s)
        if pim_s < xpu_s:
            out[TIME] += pim_s
            out[PIM_BUSY] += pim_s
            return PIM_BYTES
    out[TIME] += xpu_s
    out[XPU_BUSY] += xpu_s
    return XPU_BYTES


@entry
def _attention(
    rates: Rates,
    decoding: int,
    context: int,
    decode_share: float,
    prompt_tokens: int,
    pairs: int,
    prompt_share: float,
    out: NDArray[np.float64],
) -> None:
    """Decode and prefill attention of all layers: one after the other, or at the same time with a migration after.

    The shares are those of the node with the most requests; its devices decide how long it takes.
    """
    layers = rates.layers
    decode_flops = layers * context * rates.decode_flops_per_context
    decode_bytes = layers * (context * rates.decode_bytes_per_context + decoding * rates.decode_bytes_per_request)
    prefill_flops = layers * pairs * rates.prefill_flops_per_pair
    prefill_bytes = layers * prompt_tokens * rates.prefill_bytes_per_token
    out[FLOPS] += (decode_flops + prefill_flops) * rates.tensor
    one_flops, one_bytes = decode_flops * decode_share, decode_bytes * decode_share
    new_flops, new_bytes = prefill_flops * prompt_share, prefill_bytes * prompt_share
    if rates.coprocess > 0 and decoding and prompt_tokens:
        xpu_s = roofline_s(new_flops, new_bytes, rates.xpu_flops_per_s, rates.xpu_bytes_per_s)
        pim_s = roofline_s(one_flops, one_bytes, rates.pim_flops_per_s, rates.pim_bytes_per_s)
        migrated = layers * prompt_tokens * rates.migrate_bytes_per_token
        moving_s = migrated * prompt_share / rates.xpu_bytes_per_s
        in_turn = min(xpu_s, roofline_s(new_flops, new_bytes, rates.pim_flops_per_s, rates.pim_bytes_per_s))
        in_turn += min(pim_s, roofline_s(one_flops, one_bytes, rates.xpu_flops_per_s, rates.xpu_bytes_per_s))
        if max(xpu_s, pim_s) + moving_s < in_turn:
            out[TIME] += max(xpu_s, pim_s) + moving_s
            out[XPU_BUSY] += xpu_s + moving_s
            out[PIM_BUSY] += pim_s
            out[XPU_BYTES] += (prefill_bytes + migrated) * rates.tensor
            out[PIM_BYTES] += decode_bytes * rates.tensor
            return
    out[_faster(rates, one_flops, one_bytes, True, out)] += decode_bytes * rates.tensor
    out[_faster(rates, new_flops, new_bytes, True, out)] += prefill_bytes * rates.tensor


@entry
def _experts(
    rates: Rates,
    grid: NDArray[np.int64],
    table: NDArray[np.float64],
    tokens: int,
    out: NDArray[np.float64],
) -> None:
    """Look the experts of all layers up, linear between tabulated numbers of tokens."""
    above = np.searchsorted(grid, tokens)
    share = 0.0
    if grid[above] != tokens:
        share = (grid[above] - tokens) / (grid[above] - grid[above - 1])
    for place in range(TABLE_TIME, XPU_BYTES + 2):
        out[place] += table[above, place] * (1.0 - share)
        if share > 0:
            out[place] += table[above - 1, place] * share
    out[FLOPS] += tokens * rates.expert_flops_per_token


@entry
def _communicate(rates: Rates, most_tokens: float, tokens: float, out: NDArray[np.float64]) -> None:
    """Ring all-reduces inside a node; to and from experts of other nodes, all-to-all.

    `most_tokens` are those of the node with the most. What arrives at a node is gathered from the slices its devices
    received, and what they computed is summed up into slices again. The form of the collectives is
    `archgym.sims.llm.collectives`.
    """
    ranks, most, size = rates.tensor, most_tokens * rates.row_bytes, tokens * rates.row_bytes
    out[TIME] += rates.reductions * 2 * (ranks - 1) * (rates.link_s + most / ranks / rates.link_bytes_per_s)
    out[LINK_BYTES] += rates.reductions * 2 * (ranks - 1) * size
    if rates.nodes > 1 and rates.expert_layers > 0:
        others = rates.nodes - 1
        sent = most * rates.visits / ranks
        arriving = size * rates.visits * others / rates.nodes**2
        once = 2 * others * (rates.node_link_s + sent / rates.nodes / rates.node_link_bytes_per_s)
        once += 2 * (ranks - 1) * (rates.link_s + arriving / ranks / rates.link_bytes_per_s)
        out[TIME] += rates.expert_layers * once
        out[LINK_BYTES] += rates.expert_layers * 2 * ranks * rates.nodes * arriving
