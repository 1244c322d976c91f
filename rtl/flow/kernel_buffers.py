"""Compiled choice of buffers for one net."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from archgym.sims.jit import lean

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]


@lean
def split(
    kept: Floats, slack: Floats, other: float, ns_per_ff: float, limit: float, near: float, wire: float,
    drives: Floats, found: Ints,
) -> float:  # fmt: skip
    """How many of a net's sinks stay, which buffer drives the others, and how many of them.

    Args:
        kept: fF[sinks + 1], load of the first m sinks.
        slack: ns[sinks], ascending.
        other: fF, on the net beside its sinks.
        ns_per_ff: of the driver.
        limit: fF, that the driver may drive.
        near: ns; more slack than this is worth nothing.
        wire: fF, of the net to a buffer.
        drives: [buffers, 5], input fF, ns at no load, ns/fF, most fF, um2; smallest first.
        found: int32[3], buffer, sinks that stay, number of buffers; changed.

    Returns:
        The least slack then; minus a thousand times the load where that is above the limit.
    """
    count = slack.shape[0]
    total, best, area = kept[count], -np.inf, np.inf
    for kind in range(drives.shape[0]):
        unit = drives[kind, 0] + wire
        for stay in range(count):
            behind = total - kept[stay]
            least = max(np.ceil(behind / drives[kind, 3]), 1.0)
            # The delay of both stages, r * unit * n + r' * behind / n, is the shortest for this n.
            even = np.round(np.sqrt(drives[kind, 2] * behind / (max(ns_per_ff, 1e-12) * unit)))
            for turn in range(2):
                number = min(max(least, even if turn else 1.0), float(count - stay))
                root = kept[stay] + number * unit + other
                change = ns_per_ff * (root - total - other)
                score = slack[stay] - change - drives[kind, 1] - drives[kind, 2] * behind / number
                if stay > 0:
                    score = min(score, slack[0] - change)
                score = min(score, near)
                if root > limit:
                    score = -1e3 * root
                cost = number * drives[kind, 4]
                # Of equal slack (to a femtosecond) the smaller area.
                if score > best + 1e-6 or (score > best - 1e-6 and cost < area):
                    best, area = score, cost
                    found[0], found[1], found[2] = kind, stay, np.int32(number)
    return best
