"""Kernel, part 3: what a rank decides for itself, refresh (postponed, pulled in) and power-down (staggered).

Both managers propose at most one command per rank (R_COMMAND, legal from R_COMMAND_AT); the power-down manager's goes
first. Semantics as in DRAMSys 5 (refresh manager and staggered power-down manager), described here in our own words.
"""

from __future__ import annotations

from typing import Any

from archgym.sims.jit import lean

from archgym.sims.dram.kernel_queue import choose
from archgym.sims.dram.layout import (
    ALL_BANK, BANK_STEP, B_BLOCKED, B_COUNT, B_OPEN, CHANNEL_STEP, C_POSTPONE, C_POWER_DOWN, C_PULL_IN, C_REFRESH,
    C_REF_INTERVAL, H_ATTEND, H_WAKE, INFINITY, NO_REFRESH, N_BANKS, N_GROUPS, N_GROUP_BASE, N_PER_GROUP, N_PSEUDO,
    N_RANKS, N_RANK_BASE, N_READY, PDE, PDX, PD_ACTIVE, PD_AWAKE, PD_EXTRA_REFRESH, PD_PRECHARGED, PD_SELF_REFRESH,
    PER_BANK, PRE, PREA, RANK_STEP, READY, REFAB, REFPB, REFSB, R_BLOCKED, R_COMMAND, R_COMMAND_AT, R_FIRST_BANK,
    R_FLEX, R_IDLE, R_LEFT, R_OPEN, R_PD_ENTRY, R_PD_EXIT, R_PD_SREF, R_PD_STATE, R_PULLED_IN, R_REF_AT, R_REF_BANK,
    R_SKIP, R_SLEEPING, R_TARGET, SLOT, SREFE, SREFX, STAGGERED,
)  # fmt: skip


@lean
def manage(m: Any, a: Any, w: Any, channel: int, now: Any) -> None:
    """Let every rank of the channel decide at `now`; sets when the next decision is due at the latest (H_WAKE)."""
    ranks = m[N_PSEUDO] * m[N_RANKS]
    attend, wake = 0, INFINITY
    for rank in range(channel * ranks, (channel + 1) * ranks):
        m[R_COMMAND + RANK_STEP * rank] = -1
        if m[C_REFRESH] != NO_REFRESH:
            _refresh(m, a, w, rank, now)
        if m[C_POWER_DOWN] == STAGGERED:
            _power_down(m, a, w, rank)
        command = m[R_COMMAND + RANK_STEP * rank]
        if command >= 0:
            attend = 1
            m[R_COMMAND_AT + RANK_STEP * rank] = _legal_from(m, a, w, channel, rank, command)
        elif m[C_REFRESH] != NO_REFRESH and m[R_SLEEPING + RANK_STEP * rank] == 0:
            wake = min(wake, m[R_REF_AT + RANK_STEP * rank])
        elif m[R_REF_AT + RANK_STEP * rank] > now:
            wake = min(wake, m[R_REF_AT + RANK_STEP * rank])
    m[H_ATTEND + CHANNEL_STEP * channel] = attend
    m[H_WAKE + CHANNEL_STEP * channel] = wake


@lean
def _legal_from(m: Any, a: Any, w: Any, channel: int, rank: int, command: int) -> Any:
    """First cycle a command of the rank's managers is legal."""
    base, slot = READY + channel * m[N_READY], m[SLOT + command]
    ranks, groups, banks = m[N_PSEUDO] * m[N_RANKS], m[N_BANKS] // m[N_PER_GROUP], m[N_BANKS]
    if command not in (PRE, REFPB, REFSB):
        return m[base + m[N_RANK_BASE] + slot * ranks + rank - channel * ranks]
    target = m[R_TARGET + RANK_STEP * rank] - channel * banks
    step = m[N_PER_GROUP] if command == REFSB else banks
    time, bank = 0, target
    end = (
        target - target % (m[N_GROUPS] * m[N_PER_GROUP]) + m[N_GROUPS] * m[N_PER_GROUP]
        if command == REFSB
        else target + 1
    )
    while bank < end:
        time = max(time, m[base + slot * banks + bank])
        time = max(time, m[base + m[N_GROUP_BASE] + slot * groups + bank // m[N_PER_GROUP]])
        bank += step
    return time


@lean
def block(m: Any, a: Any, w: Any, bank: int, count: int, step: int) -> None:
    """Keep banks from issuing anything until their refresh."""
    for i in range(count):
        m[B_BLOCKED + BANK_STEP * (bank + i * step)] = 1
        choose(m, a, w, bank + i * step)


@lean
def release(m: Any, a: Any, w: Any, bank: int, count: int, step: int) -> None:
    """Let banks go on (after a refresh, or when the rank woke)."""
    for i in range(count):
        m[B_BLOCKED + BANK_STEP * (bank + i * step)] = 0
        choose(m, a, w, bank + i * step)


@lean
def _refresh(m: Any, a: Any, w: Any, rank: int, now: Any) -> None:
    """Due refreshes: forced once `C_POSTPONE` are owed, else only while idle; idle time pulls more in."""
    if now < m[R_REF_AT + RANK_STEP * rank]:
        return
    # A sleeping rank is woken first.
    m[R_PD_ENTRY + RANK_STEP * rank] = 0
    if m[R_PD_STATE + RANK_STEP * rank] != PD_AWAKE:
        m[R_PD_EXIT + RANK_STEP * rank] = 1
    if m[R_SLEEPING + RANK_STEP * rank] == 1:
        return
    interval = m[C_REF_INTERVAL]
    # A refresh that is due and not issued stays due, however long it waits: none is forgotten.
    if now >= m[R_REF_AT + RANK_STEP * rank] + interval and m[R_PULLED_IN + RANK_STEP * rank] == 1:
        m[R_REF_AT + RANK_STEP * rank] += interval
        m[R_PULLED_IN + RANK_STEP * rank] = 0
    if m[C_REFRESH] == ALL_BANK:
        _refresh_rank(m, a, w, rank)
    else:
        _refresh_banks(m, a, w, rank)


@lean
def _refresh_rank(m: Any, a: Any, w: Any, rank: int) -> None:
    """All-bank refresh of one rank."""
    banks, first = m[N_GROUPS] * m[N_PER_GROUP], m[R_FIRST_BANK + RANK_STEP * rank]
    if m[R_PULLED_IN + RANK_STEP * rank] == 0 and m[R_FLEX + RANK_STEP * rank] == m[C_POSTPONE]:
        if m[R_BLOCKED + RANK_STEP * rank] == 0:
            m[R_BLOCKED + RANK_STEP * rank] = 1
            block(m, a, w, first, banks, 1)
    else:
        for bank in range(first, first + banks):
            if m[B_COUNT + BANK_STEP * bank] > 0:
                if m[R_PULLED_IN + RANK_STEP * rank] == 0:
                    m[R_FLEX + RANK_STEP * rank] += 1  # postponed
                m[R_PULLED_IN + RANK_STEP * rank] = 0
                m[R_REF_AT + RANK_STEP * rank] += m[C_REF_INTERVAL]
                return
    m[R_TARGET + RANK_STEP * rank] = first
    m[R_COMMAND + RANK_STEP * rank] = PREA if m[R_OPEN + RANK_STEP * rank] > 0 else REFAB


@lean
def _refresh_banks(m: Any, a: Any, w: Any, rank: int) -> None:
    """Per-bank refresh, or the same bank of every bank group: each in turn, an idle one first."""
    groups, per_group, first = m[N_GROUPS], m[N_PER_GROUP], m[R_FIRST_BANK + RANK_STEP * rank]
    same = m[C_REFRESH] != PER_BANK
    units = per_group if same else groups * per_group
    members = groups if same else 1
    forced = m[R_PULLED_IN + RANK_STEP * rank] == 0 and m[R_FLEX + RANK_STEP * rank] == m[C_POSTPONE]
    if m[R_SKIP + RANK_STEP * rank] == 0:
        chosen, oldest = -1, -1
        for unit in range(units):
            if (m[R_LEFT + RANK_STEP * rank] >> unit) & 1:
                if oldest < 0:
                    oldest = unit
                waiting = 0
                for member in range(members):
                    waiting += m[B_COUNT + BANK_STEP * (first + unit + member * per_group)]
                if waiting == 0:
                    chosen = unit
                    break
        if chosen < 0 and not forced:
            if m[R_PULLED_IN + RANK_STEP * rank] == 0:
                m[R_FLEX + RANK_STEP * rank] += 1
            m[R_PULLED_IN + RANK_STEP * rank] = 0
            m[R_REF_AT + RANK_STEP * rank] += m[C_REF_INTERVAL]
            return
        m[R_REF_BANK + RANK_STEP * rank] = chosen if chosen >= 0 else oldest
        if forced:
            m[R_SKIP + RANK_STEP * rank] = 1
            block(m, a, w, first + m[R_REF_BANK + RANK_STEP * rank], members, per_group)
    unit = m[R_REF_BANK + RANK_STEP * rank]
    m[R_TARGET + RANK_STEP * rank] = first + unit
    m[R_COMMAND + RANK_STEP * rank] = REFSB if same else REFPB
    for member in range(members):
        if m[B_OPEN + BANK_STEP * (first + unit + member * per_group)] >= 0:
            m[R_TARGET + RANK_STEP * rank] = first + unit + member * per_group
            m[R_COMMAND + RANK_STEP * rank] = PRE
            return


@lean
def _power_down(m: Any, a: Any, w: Any, rank: int) -> None:
    """Staggered: power-down when idle; woken for a refresh while still idle, self refresh; one refresh on leaving."""
    state = m[R_PD_STATE + RANK_STEP * rank]
    if m[R_PD_EXIT + RANK_STEP * rank] == 1:
        if state == PD_ACTIVE or state == PD_PRECHARGED:
            m[R_COMMAND + RANK_STEP * rank] = PDX
        elif state == PD_SELF_REFRESH:
            m[R_COMMAND + RANK_STEP * rank] = SREFX
        elif state == PD_EXTRA_REFRESH:
            m[R_COMMAND + RANK_STEP * rank] = REFAB
    elif m[R_PD_ENTRY + RANK_STEP * rank] == 1:
        m[R_COMMAND + RANK_STEP * rank] = PDE
    elif m[R_PD_SREF + RANK_STEP * rank] == 1:
        m[R_COMMAND + RANK_STEP * rank] = SREFE
    if m[R_COMMAND + RANK_STEP * rank] in (PDX, SREFX, PDE, SREFE):
        m[R_TARGET + RANK_STEP * rank] = m[R_FIRST_BANK + RANK_STEP * rank]
    elif m[R_PD_EXIT + RANK_STEP * rank] == 1 and state == PD_EXTRA_REFRESH:
        m[R_TARGET + RANK_STEP * rank] = m[R_FIRST_BANK + RANK_STEP * rank]


@lean
def wanted(m: Any, a: Any, w: Any, channel: int, rank: int) -> None:
    """A request for the rank arrived: leave any power-down, forget plans to enter one."""
    m[R_IDLE + RANK_STEP * rank] = 0
    m[R_PD_SREF + RANK_STEP * rank] = 0
    m[R_PD_ENTRY + RANK_STEP * rank] = 0
    if m[R_PD_STATE + RANK_STEP * rank] != PD_AWAKE:
        m[R_PD_EXIT + RANK_STEP * rank] = 1
    m[H_ATTEND + CHANNEL_STEP * channel] = 1


@lean
def idle(m: Any, a: Any, w: Any, channel: int, rank: int) -> None:
    """A command left the rank without requests: it may power down."""
    m[R_IDLE + RANK_STEP * rank] = 1
    if m[R_PD_STATE + RANK_STEP * rank] == PD_AWAKE:
        m[R_PD_ENTRY + RANK_STEP * rank] = 1
    m[H_ATTEND + CHANNEL_STEP * channel] = 1


@lean
def refreshed(m: Any, a: Any, w: Any, rank: int, now: Any, command: int) -> None:
    """A refresh was issued: what is owed, and which banks may go on."""
    interval, first = m[C_REF_INTERVAL], m[R_FIRST_BANK + RANK_STEP * rank]
    groups, per_group = m[N_GROUPS], m[N_PER_GROUP]
    if command == REFAB and m[R_SLEEPING + RANK_STEP * rank] == 1:
        # The extra one after self refresh: everything begins anew.
        m[R_REF_AT + RANK_STEP * rank] = now + interval
        m[R_PULLED_IN + RANK_STEP * rank] = 0
        m[R_SLEEPING + RANK_STEP * rank] = 0
        m[R_SKIP + RANK_STEP * rank] = 0
        m[R_LEFT + RANK_STEP * rank] = _everything(m, a, w)
    else:
        if command != REFAB:
            m[R_SKIP + RANK_STEP * rank] = 0
            m[R_LEFT + RANK_STEP * rank] &= ~(1 << m[R_REF_BANK + RANK_STEP * rank])
            if m[R_LEFT + RANK_STEP * rank] == 0:
                m[R_LEFT + RANK_STEP * rank] = _everything(m, a, w)
        if m[R_PULLED_IN + RANK_STEP * rank] == 1:
            m[R_FLEX + RANK_STEP * rank] -= 1
        m[R_PULLED_IN + RANK_STEP * rank] = 1
        if m[R_FLEX + RANK_STEP * rank] == -m[C_PULL_IN]:
            m[R_PULLED_IN + RANK_STEP * rank] = 0
            m[R_REF_AT + RANK_STEP * rank] += interval
    m[R_BLOCKED + RANK_STEP * rank] = 0
    if command == REFAB:
        release(m, a, w, first, groups * per_group, 1)
    elif command == REFSB:
        release(m, a, w, first + m[R_REF_BANK + RANK_STEP * rank], groups, per_group)
    else:
        release(m, a, w, first + m[R_REF_BANK + RANK_STEP * rank], 1, 1)


@lean
def _everything(m: Any, a: Any, w: Any) -> int:
    """Bit mask of the banks (or sets of banks) of a rank that await their refresh: all."""
    units = m[N_PER_GROUP] if m[C_REFRESH] != PER_BANK else m[N_GROUPS] * m[N_PER_GROUP]
    return (1 << units) - 1


@lean
def slept(m: Any, a: Any, w: Any, rank: int, command: int) -> None:
    """The power-down state after a command of the rank's managers."""
    if command == PDE:
        m[R_PD_STATE + RANK_STEP * rank] = PD_ACTIVE if m[R_OPEN + RANK_STEP * rank] > 0 else PD_PRECHARGED
        m[R_PD_ENTRY + RANK_STEP * rank] = 0
        m[R_SLEEPING + RANK_STEP * rank] = 1
    elif command == SREFE:
        m[R_PD_STATE + RANK_STEP * rank] = PD_SELF_REFRESH
        m[R_PD_ENTRY + RANK_STEP * rank] = 0
        m[R_PD_SREF + RANK_STEP * rank] = 0
        m[R_SLEEPING + RANK_STEP * rank] = 1
        m[R_REF_AT + RANK_STEP * rank] = INFINITY
    elif command == PDX:
        # Woken by a refresh from precharge power-down while still idle: self refresh takes over the refreshing.
        if m[R_PD_STATE + RANK_STEP * rank] == PD_PRECHARGED and m[R_IDLE + RANK_STEP * rank] == 1:
            m[R_PD_SREF + RANK_STEP * rank] = 1
        m[R_PD_STATE + RANK_STEP * rank] = PD_AWAKE
        m[R_PD_EXIT + RANK_STEP * rank] = 0
        m[R_SLEEPING + RANK_STEP * rank] = 0
    elif command == SREFX:
        m[R_PD_STATE + RANK_STEP * rank] = PD_EXTRA_REFRESH
    elif command in (REFAB, REFPB, REFSB):
        if m[R_PD_STATE + RANK_STEP * rank] == PD_EXTRA_REFRESH:
            m[R_PD_STATE + RANK_STEP * rank] = PD_AWAKE
            m[R_PD_EXIT + RANK_STEP * rank] = 0
        elif m[R_IDLE + RANK_STEP * rank] == 1:
            m[R_PD_ENTRY + RANK_STEP * rank] = 1
