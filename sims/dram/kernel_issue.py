"""Kernel, part 1: what issuing a command does to the clock tables, the rank's state and the command log."""

from __future__ import annotations

from typing import Any

from archgym.sims.jit import lean

from archgym.sims.dram.layout import (
    BANK_STEP, B_ACT_AT, B_RANK, COUNT_OF, C_RAS, C_RTP, C_WRITE_CLOSE, ENTRY_AT, ENTRY_STEP, E_BASE, E_COUNT,
    E_LATENCY, E_OUTER, E_OUTER_COUNT, E_REGION, E_RING, E_RING_NODE, E_RING_REGION, E_WINDOW, G_LOGGED, M_ACTIVE,
    M_PRECHARGED, N_BANKS, N_GROUPS, N_NODES, N_PER_GROUP, N_RANKS, N_READY, N_RING, PRE, RANK_STEP, RDA, READY,
    REGIONS, RINGS, RING_TURN, R_CLOSING, R_IDLE_AT, R_MODE, R_OPEN, R_SINCE, R_SPENT,
)  # fmt: skip


@lean
def impose(m: Any, a: Any, w: Any, channel: int, command: int, local_bank: int, now: Any) -> None:
    """Raise the earliest times of whatever must wait for `command`, sent to a bank (of a rank, its first) at `now`."""
    offset = READY + channel * m[N_READY]
    for e in range(m[ENTRY_AT + command], m[ENTRY_AT + command + 1]):
        time = now + m[E_LATENCY + ENTRY_STEP * e]
        if m[E_RING + ENTRY_STEP * e] >= 0:
            # A window: remember this command, and count from the one `window` commands back.
            window = m[E_WINDOW + ENTRY_STEP * e]
            node = m[REGIONS + m[N_BANKS] * (m[E_RING_REGION + ENTRY_STEP * e]) + local_bank]
            place = channel * m[N_NODES] + m[E_RING_NODE + ENTRY_STEP * e] + node
            at = channel * m[N_RING] + m[E_RING + ENTRY_STEP * e] + node * window
            turn = m[RING_TURN + place]
            m[RINGS + at + turn] = now
            turn = turn + 1 if turn + 1 < window else 0
            m[RING_TURN + place] = turn
            time = m[RINGS + at + turn] + m[E_LATENCY + ENTRY_STEP * e]
        low = (
            offset + m[E_BASE + ENTRY_STEP * e] + m[REGIONS + m[N_BANKS] * (m[E_REGION + ENTRY_STEP * e]) + local_bank]
        )
        high = low + m[E_COUNT + ENTRY_STEP * e]
        if m[E_OUTER + ENTRY_STEP * e] >= 0:
            first = (
                offset + m[E_BASE + ENTRY_STEP * e] + m[REGIONS + m[N_BANKS] * m[E_OUTER + ENTRY_STEP * e] + local_bank]
            )
            _raise(m, first, low, time)
            _raise(m, high, first + m[E_OUTER_COUNT + ENTRY_STEP * e], time)
        elif high == low + 1:
            if m[low] < time:
                m[low] = time
        else:
            _raise(m, low, high, time)


@lean
def _raise(m: Any, low: int, high: int, time: Any) -> None:
    """No entry of a run is earlier than `time` any more."""
    for i in range(low, high):
        if m[i] < time:
            m[i] = time


@lean
def log(
    m: Any, log_rows: Any, now: Any, channel: int, command: int, local_bank: int, row: int, column: int, request: int
) -> None:
    """Count a command and, if a log is kept, write it down: the reader of the log is an independent checker."""
    m[COUNT_OF + command] += 1
    at = m[G_LOGGED]
    m[G_LOGGED] = at + 1
    if at < log_rows.shape[0]:
        per_group, groups, ranks = m[N_PER_GROUP], m[N_GROUPS], m[N_RANKS]
        log_rows[at, 0] = now
        log_rows[at, 1] = channel
        log_rows[at, 2] = local_bank // (per_group * groups * ranks)
        log_rows[at, 3] = local_bank // (per_group * groups) % ranks
        log_rows[at, 4] = local_bank // per_group % groups
        log_rows[at, 5] = local_bank % per_group
        log_rows[at, 6] = row
        log_rows[at, 7] = column
        log_rows[at, 8] = command
        log_rows[at, 9] = request


@lean
def spend(m: Any, a: Any, w: Any, rank: int, now: Any, mode: int) -> None:
    """Close the rank's account of the time up to `now` and continue in `mode`.

    A rank whose last bank closes by auto-precharge is active until the precharge really happens (R_IDLE_AT).
    """
    since = m[R_SINCE + RANK_STEP * rank]
    if m[R_CLOSING + RANK_STEP * rank] == 1:
        m[R_CLOSING + RANK_STEP * rank] = 0
        idle = min(m[R_IDLE_AT + RANK_STEP * rank], now)
        if idle > since:
            m[R_SPENT + M_ACTIVE + RANK_STEP * rank] += idle - since
            since = idle
        if now > since:
            m[R_SPENT + M_PRECHARGED + RANK_STEP * rank] += now - since
    elif now > since:
        m[R_SPENT + m[R_MODE + RANK_STEP * rank] + RANK_STEP * rank] += now - since
    m[R_SINCE + RANK_STEP * rank] = max(now, since)
    m[R_MODE + RANK_STEP * rank] = mode


@lean
def opened(m: Any, a: Any, w: Any, bank: int, now: Any) -> None:
    """A bank of the rank opened a row."""
    rank = m[B_RANK + BANK_STEP * bank]
    m[B_ACT_AT + BANK_STEP * bank] = now
    if m[R_OPEN + RANK_STEP * rank] == 0:
        spend(m, a, w, rank, now, M_ACTIVE)
    m[R_OPEN + RANK_STEP * rank] += 1


@lean
def closed(m: Any, a: Any, w: Any, bank: int, now: Any, command: int) -> None:
    """A bank of the rank closes its row: now (PRE), or when the auto-precharge of RDA or WRA happens."""
    rank = m[B_RANK + BANK_STEP * bank]
    time = now
    if command != PRE:
        time = now + (m[C_RTP] if command == RDA else m[C_WRITE_CLOSE])
        time = max(time, m[B_ACT_AT + BANK_STEP * bank] + m[C_RAS])
    m[R_IDLE_AT + RANK_STEP * rank] = max(m[R_IDLE_AT + RANK_STEP * rank], time)
    m[R_OPEN + RANK_STEP * rank] -= 1
    if m[R_OPEN + RANK_STEP * rank] == 0:
        m[R_CLOSING + RANK_STEP * rank] = 1
