"""The operators of a decoder block on the NPU, one after another as each needs the last one's result."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archgym.sims.jit import lean
from archgym.sims.neupims.kernel_gemm import ELEMENT_BYTES, MINIMUM_STREAM, NpuTimes, gemm, tree_passes, vector
from archgym.sims.neupims.kernel_memory import BUSY, MemoryTimes, serve, store

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Shape(NamedTuple):
    """What one device computes of a block, in elements."""

    hidden: int
    qkv: int
    """Outputs of the query, key and value projection."""
    attention: int
    """Inputs of the output projection."""
    up: int
    """Outputs of the first feed-forward product (with gates: both)."""
    down: int
    """Inputs of the second."""
    heads: int
    kv_heads: int
    head_dim: int
    pim: bool
    """Whether attention runs on the banks."""
    spread: bool
    """Without PIM: heads are dealt to the arrays; else all arrays work on one head, product after product."""
    columns: int
    """Tiles of one head's values."""
    page: int
    """Tokens whose values a row holds."""
    multipliers: int
    share: float
    """Part of the data bus left to the NPU while PIM works."""


@lean
def vector_steps(u: NpuTimes, elements: int) -> int:
    """Cycles of a vector unit for one operation on every element."""
    return (elements + u.lanes - 1) // u.lanes


@lean
def norm(
    mem: Floats, c: MemoryTimes, u: NpuTimes, s: Shape, n: int, begin: float, ends: Floats, left: Floats, rows: Floats
) -> float:
    """Layer norm: two additions and three multiplications per element, two trees, a root and two scalar products."""
    cost = 5 * vector_steps(u, s.hidden) + 2 * tree_passes(u, s.hidden) + 3
    size = ELEMENT_BYTES * s.hidden
    return vector(mem, c, u, n, size + 2.0 * size / n, size, cost, begin, ends, left, rows)


@lean
def add(
    mem: Floats, c: MemoryTimes, u: NpuTimes, s: Shape, n: int, begin: float, ends: Floats, left: Floats, rows: Floats
) -> float:
    """Add the residual."""
    size = ELEMENT_BYTES * s.hidden
    return vector(mem, c, u, n, 2.0 * size, size, vector_steps(u, s.hidden), begin, ends, left, rows)


@lean
def activation(
    mem: Floats, c: MemoryTimes, u: NpuTimes, s: Shape, n: int, begin: float, ends: Floats, left: Floats, rows: Floats
) -> float:
    """GELU, or SiLU and the product with the gate."""
    steps = vector_steps(u, s.down) * (s.up // s.down)
    return vector(mem, c, u, n, ELEMENT_BYTES * s.up, ELEMENT_BYTES * s.down, steps, begin, ends, left, rows)


@lean
def projections_in(
    mem: Floats, c: MemoryTimes, u: NpuTimes, s: Shape, n: int, begin: float, ends: Floats, left: Floats, rows: Floats
) -> float:
    """Norm, then queries, keys and values of n tokens; returns the end."""
    t = norm(mem, c, u, s, n, begin, ends, left, rows)
    return gemm(mem, c, u, s.qkv, s.hidden, n, t, ends, left, rows)


@lean
def projections_out(
    mem: Floats, c: MemoryTimes, u: NpuTimes, s: Shape, n: int, begin: float, ends: Floats, left: Floats, rows: Floats
) -> float:
    """Output projection and feed-forward network of n tokens; returns the end."""
    t = gemm(mem, c, u, s.hidden, s.attention, n, begin, ends, left, rows)
    t = add(mem, c, u, s, n, t, ends, left, rows)
    t = norm(mem, c, u, s, n, t, ends, left, rows)
    t = gemm(mem, c, u, s.up, s.hidden, n, t, ends, left, rows)
    t = activation(mem, c, u, s, n, t, ends, left, rows)
    t = gemm(mem, c, u, s.hidden, s.down, n, t, ends, left, rows)
    return add(mem, c, u, s, n, t, ends, left, rows)


@lean
def traffic(s: Shape, n: int, into: bool, out: bool) -> float:
    """Bytes of weights and activations that the projections of n tokens move."""
    elements = 0.0
    if into:
        elements += s.qkv * s.hidden + n * (3.0 * s.hidden + s.qkv)
    if out:
        elements += s.hidden * (s.attention + s.up + s.down)
        elements += n * (s.attention + 11.0 * s.hidden + 2.0 * s.up + 2.0 * s.down)
    return ELEMENT_BYTES * elements


@lean
def _array_tiles(u: NpuTimes, k: int, n: int) -> int:
    return ((k + u.rows - 1) // u.rows) * ((n + u.cols - 1) // u.cols)


@lean
def attention(
    mem: Floats,
    c: MemoryTimes,
    u: NpuTimes,
    s: Shape,
    lengths: Ints,
    begin: float,
    ends: Floats,
    left: Floats,
    rows: Floats,
) -> float:
    """Attention without PIM: keys and values are read, held in the arrays and met by their queries.

    With `spread`, heads are dealt to the arrays, and the next tile loads while one is met by its group's queries. Else
    every product of every head fills and drains all arrays before the next begins, as in the authors' program. Requests
    are double-buffered: the longest of reading, arrays and vector units limits; the last softmax and product follow.
    """
    group = s.heads // s.kv_heads
    held = max(u.rows, group, MINIMUM_STREAM)
    drain = u.rows + u.cols - 1
    size, array, units, waits = 0.0, 0.0, 0.0, 0.0
    tail = 0.0
    for i in range(len(lengths)):
        n = lengths[i]
        size += 2.0 * ELEMENT_BYTES * s.kv_heads * s.head_dim * n
        first, second = _array_tiles(u, s.head_dim, n), _array_tiles(u, n, s.head_dim)
        first_k = (s.head_dim + u.rows - 1) // u.rows
        one = 3 * vector_steps(u, n) + 2 * tree_passes(u, n)
        if s.spread:
            array += s.kv_heads * (first + second) * held / u.arrays
            units += s.heads * one / u.units
        else:
            array += s.heads * (first_k * (drain + n / u.arrays) + one + second * (drain + s.head_dim / u.arrays))
            waits += s.heads * one
        tail = u.rows + u.cols - 2 + one + held * second + u.rows + u.cols - 2
    size += ELEMENT_BYTES * s.heads * s.head_dim * len(lengths)  # the queries
    mem[BUSY] += (array - waits) * u.cycle
    loaded = serve(mem, c, begin, size, ends, left, rows)
    t = max(loaded, begin + c.latency + max(array, units) * u.cycle) + tail * u.cycle
    return store(mem, c, t, ELEMENT_BYTES * s.heads * s.head_dim * len(lengths)) + c.store
