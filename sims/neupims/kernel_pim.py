"""Attention on the banks: the kernels of every channel, request by request, placed between refreshes.

A kernel is a GWRITE (a vector into the channel's buffer) or a tile (one row of every bank against that vector). Its
header announces how long it takes, and it starts only if it ends before the next refresh (NeuPIMs, ASPLOS 2024; the
estimate is that of `archgym.sims.pim.tile.header_estimate`). All channels work at once, each in the order of its
commands; softmax follows on the NPU's vector units in the order of the requests.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archgym.sims.jit import lean
from archgym.sims.neupims.kernel_gemm import NpuTimes, tree_passes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LAST, OPEN, VECTOR, OPENED, READY, AWAKE = 0, 1, 2, 3, 4, 5
"""Per channel: when its last command issued, how many banks hold rows, whether the vector's row is open, when the
last bank's row may be closed, when a refreshed rank is ready for dot products again,
and when the vector's bank may be activated again."""
PLACES = 6


class PimTimes(NamedTuple):
    """Kernels of one channel, in cycles of the memory clock."""

    hold: float
    """From the last command of a tile to the next precharge."""
    per_comp: float
    """The same, for every dot product of the last command but one (rows stay open until the last)."""
    restore: float
    """From the first dot product to the earliest precharge of the last bank."""
    banks: float
    per_bank: float
    """Cycles that the precharge of a bank takes of the command bus (0: one precharge closes a rank)."""
    at_least: float
    """Cycles from the first precharge to the header, however few banks are open."""
    gap: float
    """From the header's turn to the first dot product."""
    interval: float
    ranks: int
    estimate: float
    """Header: activation and row-to-column time."""
    estimate_open: float
    """Header: precharge of an open bank."""
    estimate_result: float
    comp: float
    """From one dot product to the next."""
    fill: int
    composite: bool
    dual: bool
    gwrite: float
    gwrite_issue: float
    """From the last command to a GWRITE whose row is open."""
    gwrite_closed: float
    """tRCD: from the activate of the vector's row to the GWRITE."""
    closing: float
    """tRP."""
    refresh: float
    """tRFC."""
    restart: float
    """From the first activate a refreshed rank accepts to the first dot product."""
    precharges: float
    """From the time a refresh is due to its command: the rank's rows are closed."""
    per_cycle: float
    """PIM commands issued per cycle for all channels together, in order; 0: each channel has its own sequencer."""
    traffic: float
    """Added to every tile while the NPU uses the same channels: column and activate commands in the way."""
    answer: float
    """From the last command of a tile to its result at the NPU."""
    transport: float


@lean
def _rounded(comps: int) -> int:
    power = 1
    while power < comps:
        power *= 2
    return power


@lean
def result_cycles(p: PimTimes, comps: int) -> float:
    """From one result of a tile to the next: its dot products, at least those that fill the pipeline, and a read."""
    return p.comp * (max(comps, p.fill) + 1)


@lean
def next_refresh(p: PimTimes, turn: float) -> float:
    """Number of the refresh that a kernel of this turn has to end before.

    The controller's refresh counter is one cycle ahead of its command queue.
    """
    return float(np.ceil((turn + 1.0) / p.interval))


@lean
def announced(p: PimTimes, comps: int, results: int) -> float:
    """Cycles of a tile as its header gives them, without the precharges that are still to come."""
    return p.estimate + p.comp * max(_rounded(comps * results), p.fill) + p.estimate_result * (results - 1)


@lean
def closing(p: PimTimes, banks: float) -> float:
    """Cycles from the first precharge of so many banks to the header's turn."""
    return max(p.per_bank * banks, p.at_least) if banks > 0.0 else 0.0


@lean
def period(p: PimTimes, comps: int, results: int) -> float:
    """From tile to tile when they follow each other and no refresh comes between."""
    if p.composite:
        one = (results - 1) * result_cycles(p, comps)
        return max(one + p.hold + p.per_comp * (comps - 1), p.restore) + closing(p, p.banks) + p.gap
    one = results * result_cycles(p, comps) - p.comp
    return max(one + p.hold, p.restore) + closing(p, p.banks) + p.gap


@lean
def closed_rank(p: PimTimes, state: Floats, ch: int, number: float) -> float:
    """When a refresh issues: its rank's rows are closed first, no sooner than the last command allows."""
    due = number * p.interval
    if state[ch, OPEN] > 0.0:
        return max(due, float(state[ch, LAST]) + p.hold) + p.precharges
    return due


@lean
def catch_up(p: PimTimes, state: Floats, ch: int, turn: float) -> float:
    """Account for refreshes that fell between the channel's last command and `turn`; returns the turn after them."""
    passed = float(int(turn / p.interval))
    since = passed - max(0.0, float(int(state[ch, LAST] / p.interval)))
    if since < 1.0:
        return turn
    _refreshed(p, state, ch, passed)
    done = closed_rank(p, state, ch, passed)
    if since >= p.ranks:
        state[ch, VECTOR] = 0.0
    state[ch, OPEN] = max(0.0, state[ch, OPEN] - since * p.banks / p.ranks)
    state[ch, READY] = max(state[ch, READY], done + p.refresh + p.restart)
    if int(passed - 1.0) % p.ranks == 0:
        state[ch, AWAKE] = done + p.refresh
    return max(turn, done + 1.0)


@lean
def tiles(
    p: PimTimes, state: Floats, ch: int, arrives: float, gap: float, comps: int, results: int, until: float, count: int
) -> None:
    """`count` tiles in a row; their commands reach the channel `gap` cycles after each other."""
    need = announced(p, comps, results)
    step = period(p, comps, results)
    extra = p.traffic + p.comp * results
    left = count
    while left > 0:
        tile(p, state, ch, arrives + (count - left) * gap, need, comps, results, until)
        left -= 1
        last = state[ch, LAST]
        if left == 0 or gap > step or arrives + (count - left) * gap > last:
            continue
        if int(last / p.interval) != int((last + p.hold) / p.interval):
            continue  # a refresh is due just now
        # Those that follow at once before the next refresh, and before the NPU's traffic ends.
        limit = next_refresh(p, last + p.hold) * p.interval - p.hold - 1.0 - need - p.estimate_open * p.banks
        each = step
        if last + p.hold < until:
            each, limit = step + extra, min(limit, until - p.hold)
        if last < limit:
            more = min(left, int((limit - last) / each))
            state[ch, LAST] += more * each
            state[ch, OPENED] += more * each
            left -= more


@lean
def tile(
    p: PimTimes, state: Floats, ch: int, arrives: float, need: float, comps: int, results: int, until: float
) -> None:
    """One tile with `results` results of `comps` dot products each, which its header announces as `need` cycles.

    `arrives`: its commands reach the channel; `until`: so long the NPU uses the channel too.
    """
    turn = max(state[ch, LAST] + (p.hold if state[ch, OPEN] > 0.0 else 1.0), arrives)
    turn = catch_up(p, state, ch, turn)
    banks = state[ch, OPEN]
    number = next_refresh(p, turn)
    if number * p.interval - turn - 1.0 <= need + p.estimate_open * banks:
        _refreshed(p, state, ch, number)
        # The rank that is refreshed is the last to open its rows again.
        done = number * p.interval + (p.precharges if banks > 0.0 else 0.0)
        first = done + p.refresh + p.restart
    else:
        first = max(turn, state[ch, OPENED] if banks > 0.0 else 0.0) + closing(p, banks) + p.gap
    first = max(first, state[ch, READY])
    if turn < until:  # reads and activates of the NPU are in the way
        first += p.traffic + p.comp * results
    state[ch, OPEN] = p.banks
    if not p.dual:
        state[ch, VECTOR] = 0.0
    if p.composite:
        state[ch, LAST] = first + (results - 1) * result_cycles(p, comps)
        state[ch, OPENED] = max(first + p.restore, state[ch, LAST] + p.hold + p.per_comp * (comps - 1))
    else:
        state[ch, LAST] = first + results * result_cycles(p, comps) - p.comp
        state[ch, OPENED] = first + p.restore


@lean
def _refreshed(p: PimTimes, state: Floats, ch: int, number: float) -> None:
    """A refresh closes the rank that holds the vector's row; with one row buffer, the others are closed for PIM."""
    if int(number - 1) % p.ranks == 0 or not p.dual:
        state[ch, VECTOR] = 0.0


@lean
def gwrite(p: PimTimes, state: Floats, ch: int, arrives: float, until: float) -> None:
    """Bring a vector into the channel's buffer."""
    turn = catch_up(p, state, ch, max(state[ch, LAST] + 1.0, arrives))
    busy = p.dual and turn < until  # the NPU has opened another row
    held = state[ch, VECTOR] > 0.0 and not busy
    conflict = busy if p.dual else state[ch, OPEN] == p.banks
    if held:
        wait, work = p.gwrite_issue, 0.0
    elif conflict:
        wait, work = p.hold, p.closing + p.gwrite_closed
    else:
        wait, work = 1.0, p.gwrite_closed
    need = p.gwrite + (0.0 if held else p.closing + p.gwrite_closed + (p.hold if conflict else 0.0))
    number = next_refresh(p, turn)
    if number * p.interval - turn - 1.0 <= need:
        refreshed = closed_rank(p, state, ch, number)
        _refreshed(p, state, ch, number)
        if int(number - 1) % p.ranks == 0:  # the vector's bank is in the refreshed rank
            done = refreshed + p.refresh + p.gwrite_closed + p.gwrite
        elif held and p.dual:
            done = refreshed + 1.0 + p.gwrite
        else:
            done = refreshed + 1.0 + (p.closing if conflict else 0.0) + p.gwrite_closed + p.gwrite
        state[ch, READY] = refreshed + p.refresh + p.restart
        state[ch, OPEN] = max(0.0, state[ch, OPEN] - p.banks / p.ranks)
    else:
        done = max(state[ch, LAST] + wait, turn, 0.0 if held else state[ch, AWAKE]) + work + p.gwrite
    state[ch, VECTOR] = 1.0
    state[ch, LAST] = done - p.hold if state[ch, OPEN] > 0.0 else done - 1.0
    state[ch, OPENED] = 0.0


@lean
def score(
    p: PimTimes,
    lengths: Ints,
    channels: Ints,
    shape: Ints,
    begin: float,
    until: float,
    state: Floats,
    ready: Floats,
) -> None:
    """K^T q of every request; `ready[i]` becomes the time at which request i's logits are with the NPU.

    `shape`: banks, passes (query heads per key head), then (rows alike, results per row, COMPs per result) of the rows
    that a token's keys fill, for up to two kinds.
    """
    sent = 0.0
    start = begin + p.transport
    for i in range(len(lengths)):
        ch = channels[i]
        count_of_tiles = (lengths[i] + shape[0] - 1) // shape[0]
        for _ in range(shape[1]):
            for kind in range(2):
                count, results, comps = shape[2 + 3 * kind], shape[3 + 3 * kind], shape[4 + 3 * kind]
                per_tile = 1.0 + (results if p.composite else results * (comps + 1.0))
                gap = per_tile / p.per_cycle if p.per_cycle > 0.0 else 0.0
                for _row in range(count):
                    gwrite(p, state, ch, _sent(p, start, sent), until)
                    sent += 1.0
                    tiles(p, state, ch, _sent(p, start, sent), gap, comps, results, until, count_of_tiles)
                    sent += per_tile * count_of_tiles
        ready[i] = state[ch, LAST] + p.answer


@lean
def _sent(p: PimTimes, start: float, commands: float) -> float:
    """When a command reaches its channel, after so many others."""
    return start + commands / p.per_cycle if p.per_cycle > 0.0 else start


@lean
def attend(
    p: PimTimes,
    lengths: Ints,
    channels: Ints,
    heads: int,
    columns: int,
    page: int,
    multipliers: int,
    begin: float,
    until: float,
    state: Floats,
) -> float:
    """Logits times V of every request; `columns`: tiles of a head, `page`: tokens in a row. Returns the end."""
    sent = 0.0
    start = begin + p.transport
    end = begin
    for i in range(len(lengths)):
        ch = channels[i]
        for _ in range(heads):
            rest = lengths[i]
            while rest > 0:
                comps = (min(rest, page) + multipliers - 1) // multipliers
                rest -= page
                per_tile = 1.0 + (1.0 if p.composite else comps + 1.0)
                gwrite(p, state, ch, _sent(p, start, sent), until)
                sent += 1.0
                gap = per_tile / p.per_cycle if p.per_cycle > 0.0 else 0.0
                tiles(p, state, ch, _sent(p, start, sent), gap, comps, 1, until, columns)
                sent += per_tile * columns
        end = max(end, state[ch, LAST] + p.answer)
    return end


@lean
def softmax(u: NpuTimes, lengths: Ints, heads: int, ready: Floats, free: Floats) -> float:
    """Softmax of every head in the order of the requests; `free` is scratch for the units. Returns the end.

    One instruction a cycle; an addition, an exponential, a multiplication per element, and two trees (maximum, sum).
    """
    for unit in range(u.units):
        free[unit] = 0.0
    issue, end = 0.0, 0.0
    for i in range(len(lengths)):
        cost = (3 * ((lengths[i] + u.lanes - 1) // u.lanes) + 2 * tree_passes(u, lengths[i])) * u.cycle
        for _ in range(heads):
            best = 0
            for unit in range(1, u.units):
                if free[unit] < free[best]:
                    best = unit
            issue = max(issue + u.cycle, ready[i])
            free[best] = max(free[best], issue) + cost
            end = max(end, free[best])
    return end
