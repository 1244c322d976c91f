"""Operators of the systolic arrays and the vector units, instruction by instruction.

Activations are held in the arrays (a tile of `rows` x `cols`: reduction x tokens), weights stream through them in
pieces of `cols` outputs that the arrays share. Instructions issue in order as their operands arrive, one a cycle;
results of the last reduction step are stored. An operator whose operands exceed half the scratchpad is cut into tiles
by halving its longest side; two tiles are in flight.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archgym.sims.jit import lean
from archgym.sims.neupims.kernel_memory import BUSY, FREE, PTR, MemoryTimes, arrival, serve, store

Floats = NDArray[np.float64]

MINIMUM_STREAM = 4
"""Cycles an array needs to take in a piece, however short (casys-kaist/NeuPIMs f299af3, NeuPIMSystolicWS.cc)."""
ELEMENT_BYTES = 2.0


class NpuTimes(NamedTuple):
    """The NPU; `cycle` is its clock in cycles of the memory."""

    rows: int
    cols: int
    arrays: int
    cycle: float
    units: int
    lanes: int
    half_bytes: float
    """Half of the scratchpad: what one tile's operands may fill."""


@lean
def stream_cycles(u: NpuTimes, outputs: int) -> int:
    """NPU cycles in which the arrays take in a piece of weights of so many outputs."""
    return max((outputs + u.arrays - 1) // u.arrays, MINIMUM_STREAM)


@lean
def tree_passes(u: NpuTimes, elements: int) -> int:
    """Passes of a vector unit's adder tree until one number is left."""
    total, left = 0, elements
    while left > u.lanes:
        left = (left + u.lanes - 1) // u.lanes
        total += left
    return total + 1


@lean
def _padded(size: int, to: int) -> float:
    return float((size + to - 1) // to * to)


@lean
def tile_bytes(u: NpuTimes, m: int, k: int, n: int) -> float:
    """Scratchpad bytes of an m x k x n tile, sides padded to the arrays."""
    a, b, c = _padded(m, u.cols), _padded(k, u.cols), _padded(n, u.cols)
    return (a * b + b * c + c * a) * ELEMENT_BYTES


@lean
def gemm(
    mem: Floats,
    c: MemoryTimes,
    u: NpuTimes,
    m: int,
    k: int,
    n: int,
    begin: float,
    ends: Floats,
    left: Floats,
    rows: Floats,
) -> float:
    """n tokens times an m x k weight matrix, all from and to memory; returns the end."""
    mi, ki, ni = m, k, n
    mo, ko, no = 1, 1, 1
    while tile_bytes(u, mi, ki, ni) > u.half_bytes and max(mi, ki, ni) > 1:
        if ni >= ki and ni >= mi:
            ni, no = (ni + 1) // 2, no * 2
        elif ki >= mi:
            ki, ko = (ki + 1) // 2, ko * 2
        else:
            mi, mo = (mi + 1) // 2, mo * 2
    issue, accepted = begin, begin
    start, finish = -1e300, -1e300
    stream = MINIMUM_STREAM
    done_1, done_2, stored_1, stored_2 = begin, begin, begin, begin
    for bm in range(mo):
        for bn in range(no):
            for bk in range(ko):
                mt, kt, nt = min(mi, m - bm * mi), min(ki, k - bk * ki), min(ni, n - bn * ni)
                if mt <= 0 or kt <= 0 or nt <= 0:
                    continue
                # The buffer of the tile before last must be free, and for new results that of its results.
                issue = max(issue + u.cycle, done_2)
                if bk == 0:
                    issue = max(issue, stored_2)
                    stored_2 = stored_1
                last = (bk + 1) * ki >= k
                origin, position = mem[PTR], mem[PTR]
                serve(mem, c, issue, (mt * kt + kt * nt) * ELEMENT_BYTES, ends, left, rows)
                at = issue
                ready = issue
                sweep, edge = 0, (np.floor(origin / c.sweep) + 1.0) * c.sweep
                for n0 in range(0, nt, u.cols):
                    nn = min(u.cols, nt - n0)
                    for k0 in range(0, kt, u.rows):
                        kk = min(u.rows, kt - k0)
                        position += kk * nn * ELEMENT_BYTES
                        stored = last and k0 + u.rows >= kt
                        preload = True
                        for m0 in range(0, mt, u.cols):
                            mm = min(u.cols, mt - m0)
                            if n0 == 0:
                                position += mm * kk * ELEMENT_BYTES
                            if n0 == 0 or preload:
                                while position > edge:
                                    sweep, edge = sweep + 1, edge + c.sweep
                                ready = arrival(c, origin, position, sweep, edge, ends, rows)
                            at = max(at + u.cycle, ready)
                            if at > finish:  # idle: the held operand is loaded first
                                start = at + ((2 * u.rows - 1) * u.cycle if preload else 0.0)
                            else:
                                start = max(at, start + (max(u.rows, stream) if preload else stream) * u.cycle)
                            preload = False
                            stream = stream_cycles(u, mm)
                            in_flight = max(finish, at)
                            finish = start + (u.rows + u.cols - 2 + stream) * u.cycle
                            mem[BUSY] += finish - in_flight
                            if stored:
                                accepted = store(mem, c, max(accepted, finish), mm * nn * ELEMENT_BYTES)
                done_2, done_1 = done_1, finish
                if last:
                    stored_1 = max(accepted, finish)
    return max(finish, accepted) + c.store


@lean
def vector(
    mem: Floats,
    c: MemoryTimes,
    u: NpuTimes,
    tokens: int,
    read: float,
    written: float,
    cost: int,
    begin: float,
    ends: Floats,
    left: Floats,
    rows: Floats,
) -> float:
    """A row-wise operator: every token reads and writes so many bytes and keeps a vector unit for `cost` cycles."""
    loaded = serve(mem, c, begin, tokens * read, ends, left, rows)
    turns = (tokens + u.units - 1) // u.units
    computed = max(loaded + cost * u.cycle, begin + c.latency + turns * cost * u.cycle)
    accepted = store(mem, c, max(begin + c.latency + cost * u.cycle, mem[FREE]), tokens * written)
    return max(computed, accepted) + c.store
