"""Input beats for the arrays: whole tiles of given operands, random tiles, extreme operands on every lane."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from archgym.rtl.array.golden import depth, encode_a, rows
from archgym.rtl.block import Draw, Parameters, Streams, uniform

__all__ = ["corner_values", "os_corners", "os_random", "os_tiles", "ws_corners", "ws_random", "ws_tiles"]

Ints = NDArray[np.int64]

_BEATS = 24  # of a random tile at most: many tiles, some shorter than an array's latency


def corner_values(width: int) -> Ints:
    """Extreme operands of `width` bits: the ends, their neighbours and -2 to 2."""
    half = 1 << (width - 1)
    return np.array([-half, 1 - half, -2, -1, 0, 1, 2, half - 1], dtype=np.int64)


def _join(parts: list[dict[str, Ints]]) -> Streams:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def os_tiles(p: Parameters, pairs: list[tuple[Ints, Ints]]) -> Streams:
    """Beats of output-stationary tiles.

    Args:
        p: the array's parameters.
        pairs: per tile a int64[n, rows * depth] and b int64[n, Cols * depth], n beats, at least one.
    """
    parts = []
    for a, b in pairs:
        first, last = np.zeros(len(a), dtype=np.int64), np.zeros(len(a), dtype=np.int64)
        first[0], last[-1] = 1, 1
        parts.append({"a_i": encode_a(a, p), "b_i": b, "first_i": first, "last_i": last})
    return _join(parts)


def os_random(p: Parameters, rng: np.random.Generator, n: int, draw: Draw = uniform) -> Streams:
    """About n beats of tiles of random length."""
    pairs: list[tuple[Ints, Ints]] = []
    while n > 0:
        beats = min(int(rng.integers(1, _BEATS + 1)), n)
        a = draw(rng, (beats, rows(p) * depth(p)), p["Width"])
        pairs.append((a, draw(rng, (beats, p["Cols"] * depth(p)), p["Width"])))
        n -= beats
    return os_tiles(p, pairs)


def os_corners(p: Parameters) -> Streams:
    """Every pair of extreme operands on all lanes at once, a tile for each of a, then long runs of the worst.

    A tile each pair would read the results of a large array out 64 times, which takes far longer than computing them.
    """
    values = corner_values(p["Width"])
    wide_a, wide_b = rows(p) * depth(p), p["Cols"] * depth(p)
    b_beats = np.repeat(values[:, None], wide_b, axis=1)
    pairs = [(np.full((len(values), wide_a), a), b_beats) for a in values]
    for a, b in ((values[0], values[0]), (values[0], values[-1]), (values[2], values[0])):
        pairs.append((np.full((_BEATS, wide_a), a), np.full((_BEATS, wide_b), b)))
    return os_tiles(p, pairs)


def ws_tiles(p: Parameters, pairs: list[tuple[Ints, Ints]]) -> Streams:
    """Beats of weight-stationary tiles: weights w int64[Rows, Cols], then operands a int64[m, Rows].

    With WeightBuffer the weights of a tile are loaded by the last computing beats of the one before (but not by its
    first), and by further beats if there are too few.
    """
    parts: list[dict[str, Ints]] = []
    queue: list[Ints] = []  # weight rows still to be loaded before the next swap
    for position, (w, a) in enumerate(pairs):
        queue = queue if position and p["WeightBuffer"] else list(w[::-1])
        parts.append(_ws_beats(p, np.array(queue).reshape(-1, p["Cols"]), np.zeros((0, p["Rows"]), dtype=np.int64)))
        queue = []
        ahead = pairs[position + 1][0][::-1] if p["WeightBuffer"] and position + 1 < len(pairs) else w[:0]
        during = min(len(ahead), max(len(a) - 1, 0))
        parts.append(_ws_beats(p, ahead[:during], a))
        queue = list(ahead[during:])
    return _join(parts)


def _ws_beats(p: Parameters, loads: Ints, computes: Ints) -> dict[str, Ints]:
    """Beats that compute, the first of them with a swap and the rest of them loading; or that only load."""
    n = len(computes) or len(loads)
    beats = {
        "a_i": np.zeros((n, p["Rows"]), dtype=np.int64),
        "b_i": np.zeros((n, p["Cols"]), dtype=np.int64),
        "load_i": np.zeros(n, dtype=np.int64),
        "swap_i": np.zeros(n, dtype=np.int64),
        "compute_i": np.zeros(n, dtype=np.int64),
    }
    start = n - len(loads)  # late: the sums in flight keep their weights for a while
    if len(computes):
        beats["a_i"] = encode_a(computes, p)
        beats["compute_i"][:] = 1
        beats["swap_i"][0] = 1
    beats["b_i"][start : start + len(loads)] = loads
    beats["load_i"][start : start + len(loads)] = 1
    return beats


def ws_random(p: Parameters, rng: np.random.Generator, n: int, draw: Draw = uniform) -> Streams:
    """About n beats of tiles of random length."""
    pairs = []
    while n > 0:
        m = int(rng.integers(1, _BEATS + 1))
        pairs.append((draw(rng, (p["Rows"], p["Cols"]), p["Width"]), draw(rng, (m, p["Rows"]), p["Width"])))
        n -= max(m, p["Rows"]) if p["WeightBuffer"] else m + p["Rows"]
    return ws_tiles(p, pairs)


def ws_corners(p: Parameters) -> Streams:
    """Every extreme weight on all elements, with every extreme operand on all rows."""
    values = corner_values(p["Width"])
    a = np.repeat(values[:, None], p["Rows"], axis=1)
    return ws_tiles(p, [(np.full((p["Rows"], p["Cols"]), w), a) for w in values])
