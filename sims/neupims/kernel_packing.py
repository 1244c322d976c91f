"""Where the keys and values of a request live: channels by turns or by load, and the cut into two sub-batches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from archgym.sims.jit import lean

Ints = NDArray[np.int64]


@lean
def estimates(
    lengths: Ints, keys: Ints, heads: int, columns: int, page: int, per_gwrite: int, per_tile: int, found: Ints
) -> None:
    """Cycles of each request's attention as the scheduler counts them; `keys` as in `kernel_pim.score`."""
    for i in range(len(lengths)):
        n = lengths[i]
        total = heads * ((n + page - 1) // page) * (per_gwrite + columns * per_tile)
        for kind in range(2):
            total += keys[1] * keys[2 + 3 * kind] * (per_gwrite + (n + keys[0] - 1) // keys[0] * per_tile)
        found[i] = total


@lean
def tiles_needed(
    lengths: Ints, keys: Ints, kv_heads: int, columns: int, page: int, step: int, layers: int, found: Ints
) -> None:
    """Rows of every bank that each request's keys and values fill; short requests share rows of values by `step`."""
    for i in range(len(lengths)):
        n = lengths[i]
        rows = (keys[2] + keys[5]) * ((n + keys[0] - 1) // keys[0])
        steps = kv_heads * columns * ((n + step - 1) // step)
        found[i] = layers * rows + (layers * steps * step + page - 1) // page


@lean
def pack(order: Ints, tiles: Ints, estimate: Ints, by_load: bool, room: Ints, load: Ints, channels: Ints) -> int:
    """Give every request a channel; returns the first that fits nowhere, or -1.

    `order` is the order of placement, `tiles` what a request needs of a channel's `room` (int64[channels], used up),
    `estimate` what its attention costs (summed up in `load`). By turns: the next channel with room; by load: the one
    with the least so far (NeuPIMs, ASPLOS 2024: greedy bin packing).
    """
    turn, count = 0, len(room)
    for place in range(len(order)):
        i = order[place]
        best = -1
        if by_load:
            for ch in range(count):
                if room[ch] >= tiles[i] and (best < 0 or load[ch] < load[best]):
                    best = ch
        else:
            for _ in range(count):
                ch = turn % count
                turn += 1
                if room[ch] >= tiles[i]:
                    best = ch
                    break
        if best < 0:
            return int(i)
        room[best] -= tiles[i]
        load[best] += estimate[i]
        channels[i] = best
    return -1


@lean
def halve(channels: Ints, count: Ints, half: Ints) -> None:
    """Cut every channel's requests in two, the longer part by turns; `channels` ascend, `count` is scratch.

    As casys-kaist/NeuPIMs f299af3, Scheduler::group_sub_batches.
    """
    count[:] = 0
    for i in range(len(channels)):
        count[channels[i]] += 1
    longer_first = True
    seen, current, first = 0, -1, 0
    for i in range(len(channels)):
        if channels[i] != current:
            current, seen = channels[i], 0
            first = count[current] // 2
            if count[current] % 2 == 1:
                if longer_first:
                    first += 1
                longer_first = not longer_first
        half[i] = 0 if seen < first else 1
        seen += 1
