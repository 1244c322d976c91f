"""The memory of one device as the systolic arrays see it: a stream of reads served bank sweep by bank sweep.

Consecutive lines go to all channels, then to the next column, bank, rank and row (`rorabgbachco` with channel and
column exchanged, as the authors' program places every tensor). The controllers take requests faster than they serve
them and visit banks in turn, so the rows of all banks of a rank are read together: a *sweep* of one row per bank and
channel arrives as a whole at its end. A read in the same rank can follow sooner than one in another (tRTRS), so the
controller stays in a rank while it has requests for it; when that rank is refreshed, it goes on in the other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archgym.sims.jit import lean

Floats = NDArray[np.float64]

PTR, FREE, SHARE, UNTIL, READ, WRITTEN, BUSY = 0, 1, 2, 3, 4, 5, 6
"""Places of the memory's state: next address, when the data bus is free, which share of it is left until when (PIM has
the rest), bytes read and written so far, and for how long the arrays have had an instruction in flight."""
STATE = 7
MAX_RANKS = 8


class MemoryTimes(NamedTuple):
    """What the stream needs to know; cycles of the memory clock."""

    rate: float
    """Peak of all channels, bytes per cycle."""
    accept: float
    """Requests taken per request served: one a cycle against one burst."""
    sweep: float
    """Bytes of one row of all banks of a rank in all channels."""
    row: float
    """Bytes of one row in all channels."""
    ranks: int
    interval: float
    """Between refreshes; ranks take turns."""
    blocked: float
    """How long a rank is closed around its refresh."""
    latency: float
    """From issue to the first data of a closed row."""
    burst: float
    store: float
    """From a result to its acceptance by the controller."""


@lean
def advance(mem: Floats, t: float, cycles: float) -> float:
    """When `cycles` of undisturbed transfer that begin at t are done, at the share of the bus that PIM leaves."""
    until, share = float(mem[UNTIL]), float(mem[SHARE])
    if t >= until:
        return t + cycles
    available = (until - t) * share
    if cycles < available:
        return t + cycles / share
    return until + cycles - available


@lean
def done_between(mem: Floats, t: float, end: float) -> float:
    """Cycles of undisturbed transfer that fit between t and end."""
    until = float(mem[UNTIL])
    shared = max(0.0, min(end, until) - t) * float(mem[SHARE])
    return shared + max(0.0, end - max(t, until))


@lean
def unblocked(c: MemoryTimes, rank: int, t: float) -> float:
    """The first time from t on at which no refresh closes the rank."""
    j = int(t // c.interval)
    j -= (j - 1 - rank) % c.ranks
    if j >= 1 and t < j * c.interval + c.blocked:
        return j * c.interval + c.blocked
    return t


@lean
def next_refresh(c: MemoryTimes, rank: int, t: float) -> float:
    """The rank's first refresh after t."""
    j = int(t // c.interval) + 1
    j += (rank - (j - 1)) % c.ranks
    return j * c.interval


@lean
def serve(mem: Floats, c: MemoryTimes, issue: float, size: float, ends: Floats, left: Floats, rows: Floats) -> float:
    """Read `size` bytes from the next address on; requests issue at `issue`. Returns when the last data arrive.

    `ends[i]` becomes the end of the i-th sweep, `rows[j]` that of the j-th row of the first (`arrival` reads both);
    `left` is scratch.
    """
    start, end = mem[PTR], mem[PTR] + size
    first = int(start // c.sweep)
    n = int((end - 1.0) // c.sweep) - first + 1
    for i in range(n):
        left[i] = min(end, (first + i + 1.0) * c.sweep) - max(start, (first + i) * c.sweep)
        ends[i] = -1.0
    begin = issue + c.latency
    t = max(mem[FREE], begin)
    entered, disturbed = t, 1e300
    last = entered
    turn, todo = first % c.ranks, n
    while todo > 0:
        best, at = -1, 1e300
        for q in range(c.ranks):
            rank = (turn + q) % c.ranks
            i = (rank - first) % c.ranks
            while i < n and ends[i] >= 0.0:
                i += c.ranks
            if i < n:
                offered = begin + max(0.0, (first + i) * c.sweep - start) / (c.rate * c.accept)
                when = unblocked(c, rank, max(t, offered))
                if when < at:
                    best, at = i, when
        rank = (first + best) % c.ranks
        stop = next_refresh(c, rank, at)
        finish = advance(mem, at, left[best] / c.rate)
        if finish <= stop:
            ends[best] = finish
            t, todo, turn = finish, todo - 1, rank
            last = max(last, finish)
        else:
            left[best] -= done_between(mem, at, stop) * c.rate
            t, turn = stop, (rank + 1) % c.ranks
            if best == 0:
                disturbed = min(disturbed, stop)
    _first_rows(c, start, min(end, (first + 1.0) * c.sweep), begin, entered, disturbed, ends[0], rows)
    mem[FREE] = t
    mem[PTR] = end
    mem[READ] += size
    return float(last)


@lean
def _first_rows(
    c: MemoryTimes,
    start: float,
    end: float,
    begin: float,
    entered: float,
    disturbed: float,
    sweep_end: float,
    rows: Floats,
) -> None:
    """Ends of the first sweep's rows: banks share the bus from when their requests have come in.

    The first rows come in before the others and get more than their share. Virtual time runs at one over the number
    of rows being served; equal rows finish in the order in which they came.
    """
    base = int(start // c.row)
    n = int((end - 1.0) // c.row) - base + 1
    t, virtual = entered, 0.0
    come, gone = 0, 0
    while gone < n:
        arrives = 1e300
        if come < n:
            arrives = max(entered, begin + max(0.0, (base + come) * c.row - start) / (c.rate * c.accept))
        if come == gone:
            t = max(t, arrives)
            rows[come] = virtual  # the target is set below
            come += 1
            rows[come - 1] = virtual + _row_bytes(c, base + come - 1, start, end) / c.rate
            continue
        active = come - gone
        leaves = t + (rows[gone] - virtual) * active
        if arrives <= leaves:
            virtual += (arrives - t) / active
            t = arrives
            rows[come] = virtual + _row_bytes(c, base + come, start, end) / c.rate
            come += 1
        else:
            virtual, t = rows[gone], leaves
            rows[gone] = t if t <= disturbed else sweep_end
            rows[gone] = min(rows[gone], sweep_end)
            gone += 1


@lean
def _row_bytes(c: MemoryTimes, row: int, start: float, end: float) -> float:
    return min(end, (row + 1.0) * c.row) - max(start, row * c.row)


@lean
def arrival(
    c: MemoryTimes, start: float, position: float, sweep: int, edge: float, ends: Floats, rows: Floats
) -> float:
    """When everything up to address `position` of a stream served from `start` on has arrived.

    `position` lies in the sweep-th sweep of the stream, which ends at address `edge`.
    """
    if sweep == 0:
        return float(rows[int((position - 1.0) / c.row) - int(start / c.row)])
    return max(float(ends[0]), float(ends[sweep]) - int((edge - position) / c.row) * c.burst)


@lean
def store(mem: Floats, c: MemoryTimes, ready: float, size: float) -> float:
    """Write `size` bytes that are ready at `ready`; returns when the controllers have accepted them.

    Writes are posted: they are accepted at the rate of requests, and keep the bus busy for longer.
    """
    mem[FREE] = advance(mem, max(mem[FREE], ready), size / c.rate)
    mem[PTR] += size
    mem[WRITTEN] += size
    return ready + size / (c.rate * c.accept)
