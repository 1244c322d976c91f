"""Streams, uniform random accesses and their mixture, drawn request by request from Python's random stream.

The order of draws is part of the workload: first the place where each of the streams begins; then per request the
address (mix: which stream, whether it goes on, where it jumps), read or write, and the gap to the next arrival.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from archgym.sims.dram.workloads.prng import raw_words

STREAM, RANDOM, MIX = 0, 1, 2
_WORDS_PER_REQUEST = 12  # the mean is at most 10: two tries for each of two `below`, three floats


def draw(
    kind: int, n: int, lines: int, *, seed: int, read: float, gap: float, paced: bool, streams: int, hit: float
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64]]:
    """Return line numbers, writes and arrivals of n requests over `lines` cache lines.

    Args:
        kind: `STREAM`, `RANDOM` or `MIX`.
        n: number of requests.
        lines: capacity in cache lines; a stream wraps there.
        seed: of the Mersenne Twister, as `random.Random(seed)`.
        read: probability of a read.
        gap: mean cycles between arrivals; 0: all at cycle 0.
        paced: exponentially distributed gaps (a Poisson process) instead of equal ones.
        streams: sequential streams of a mix.
        hit: probability that a mix's stream goes on to its next line rather than jump.
    """
    supply = _WORDS_PER_REQUEST * n + 64 * streams
    while True:
        line, write, arrival = np.empty(n, np.int64), np.empty(n, np.bool_), np.empty(n, np.int64)
        words = raw_words(seed, supply)
        if _draw(words, kind, lines, lines.bit_length(), read, gap, paced, streams, streams.bit_length(), hit,
                 line, write, arrival):  # fmt: skip
            return line, write, arrival
        supply *= 2  # an unlucky run of rejected draws: begin again with more words, same result


@njit(cache=True, nogil=True)
def _below(words: Any, at: int, limit: int, bits: int) -> tuple[int, int]:
    """`randrange(limit)`: tries of `bits` = limit.bit_length() random bits until one is below the limit."""
    while at < len(words):
        value = np.int64(words[at] >> np.uint64(32 - bits))
        at += 1
        if value < limit:
            return value, at
    return 0, at


@njit(cache=True, nogil=True)
def _unit(words: Any, at: int) -> float:
    """`random()`: 53 bits of two words; 0 past the end, where the whole draw is thrown away."""
    if at + 1 >= len(words):
        return 0.0
    return float((words[at] >> np.uint64(5)) * np.uint64(1 << 26) + (words[at + 1] >> np.uint64(6))) / (1 << 53)


@njit(cache=True, nogil=True)
def _draw(
    words: Any, kind: int, lines: int, line_bits: int, read: float, gap: float, paced: bool,
    streams: int, stream_bits: int, hit: float, line: Any, write: Any, arrival: Any,
) -> bool:  # fmt: skip
    """Fill the outputs; False when the words ran out."""
    place = np.empty(streams, np.int64)
    at, time = 0, 0.0
    for s in range(streams):
        place[s], at = _below(words, at, lines, line_bits)
    for i in range(len(line)):
        if kind == STREAM:
            line[i] = i % lines
        elif kind == RANDOM:
            line[i], at = _below(words, at, lines, line_bits)
        else:
            s, at = _below(words, at, streams, stream_bits)
            goes_on = _unit(words, at) < hit
            at += 2
            if goes_on:
                place[s] = (place[s] + 1) % lines
            else:
                place[s], at = _below(words, at, lines, line_bits)
            line[i] = place[s]
        write[i] = _unit(words, at) >= read
        at += 2
        arrival[i] = np.int64(time)
        if gap > 0:
            if paced:
                time += -math.log(1.0 - _unit(words, at)) / (1.0 / gap)
                at += 2
            else:
                time += gap
    return at <= len(words)
