"""Kernel, the end: a result row from what a run counted and when its answers came."""

from __future__ import annotations

from typing import Any

import numpy as np

from archgym.sims.jit import entry, lean
from archgym.sims.dram.kernel_issue import spend
from archgym.sims.dram.layout import (
    A_ARRIVAL, A_WRITE, COUNT_OF, C_CHANNELS, G_CONFLICTS, G_HITS, G_LOGGED, G_MISSES, MODES, M_PRECHARGED, N_PSEUDO,
    N_RANKS, RANK_STEP, R_SPENT, W_DONE, W_ENTERED, W_LEAVING,
)  # fmt: skip
from archgym.sims.dram.spec import COMMANDS

_COMMANDS = len(COMMANDS)


@lean
def _percentile(histogram: Any, total: int, share: float) -> int:
    """Smallest latency that at least `share` of the requests do not exceed (nearest rank)."""
    need, seen = int(np.ceil(share * total)), 0
    for value in range(histogram.shape[0]):
        seen += histogram[value]
        if seen >= need:
            return value
    return histogram.shape[0] - 1


@entry
def sum_up(m: Any, a: Any, w: Any, bursts: int, out: Any) -> None:
    """Fill a result row (`layout.OUT_NAMES`)."""
    n = a.shape[0]
    end = 0
    for access in range(n):
        end = max(end, w[access, W_DONE])
    for rank in range(m[C_CHANNELS] * m[N_PSEUDO] * m[N_RANKS]):
        spend(m, a, w, rank, end, M_PRECHARGED)
    reads, total, longest, service = 0, 0, 0, 0
    for first in range(0, n, bursts):
        if a[first, A_WRITE] == 0:
            finish, entered = w[first, W_DONE], w[first, W_ENTERED]
            for access in range(first + 1, first + bursts):
                finish = max(finish, w[access, W_DONE])
            latency = finish - a[first, A_ARRIVAL]
            w[reads, W_LEAVING] = latency
            reads += 1
            total += latency
            service += finish - entered
            longest = max(longest, latency)
    out[0], out[1], out[2] = end, reads, n // bursts - reads
    out[3], out[4], out[5] = m[G_HITS], m[G_MISSES], m[G_CONFLICTS]
    for command in range(_COMMANDS):
        out[6 + command] = m[COUNT_OF + command]
    for mode in range(MODES):
        for rank in range(m[C_CHANNELS] * m[N_PSEUDO] * m[N_RANKS]):
            out[20 + mode] += m[R_SPENT + mode + RANK_STEP * rank]
    out[25], out[29], out[30], out[31] = total, longest, service, m[G_LOGGED]
    if reads > 0:
        if longest < 64 * n + 65536:
            histogram = np.zeros(longest + 1, np.int32)
            for i in range(reads):
                histogram[w[i, W_LEAVING]] += 1
            out[26] = _percentile(histogram, reads, 0.50)
            out[27] = _percentile(histogram, reads, 0.95)
            out[28] = _percentile(histogram, reads, 0.99)
        else:
            ordered = np.sort(w[:reads, W_LEAVING])
            out[26] = ordered[int(np.ceil(0.50 * reads)) - 1]
            out[27] = ordered[int(np.ceil(0.95 * reads)) - 1]
            out[28] = ordered[int(np.ceil(0.99 * reads)) - 1]
