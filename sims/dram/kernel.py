"""Kernel, part 5: the drive. Jumps from one cycle at which something can happen to the next; nothing ticks.

A run: let requests in, let each channel whose time has come issue its best command, compute when it can issue the next
one, go to the earliest of those cycles. Read `layout.py` first, then parts 1 to 4.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from archgym.sims.jit import entry, lean
from archgym.sims.dram.kernel_front import pump, respond
from archgym.sims.dram.kernel_issue import closed, impose, log, opened, spend
from archgym.sims.dram.kernel_queue import choose, count_hits, regroup, remove, turn
from archgym.sims.dram.kernel_rank import block, idle, manage, refreshed, release, slept
from archgym.sims.dram.kernel_sums import sum_up
from archgym.sims.dram.layout import (
    ACT, ARB_FIFO, A_COLUMN, A_FOLLOWING, A_ROW, A_WRITE, BANK_STEP, BUSY_STEP, B_BUS, B_CANDIDATE, B_CHANNEL,
    B_CLOSED_FOR, B_COMMAND, B_FRESH, B_GROUP, B_KEEP, B_LEFT, B_LOCAL, B_OLDER, B_OPEN, B_PLACE, B_RANK,
    B_SERVED, CHANNEL_STEP, C_ARBITER, C_CHANNELS, C_DRAIN, C_FREE_EARLY, C_MUX, C_PLAIN, C_POWER_DOWN,
    C_READ_END, C_REFRESH, C_REF_INTERVAL, C_SAME_PHASE, C_SCHEDULER, C_TWO_LISTS, C_WRITE_END, ENTRY_AT,
    ENTRY_STEP, E_BASE, FRFCFS_GRP, G_HITS, G_ISSUED, G_SERVED, G_WAKE, H_ACTIVE, H_ATTEND, H_BANK_0, H_BANK_1,
    H_DIRTY, H_FREE_0, H_FREE_1, H_HEAD, H_LAST_WRITE, H_NEXT, H_NEXT_RESPONSE, H_OUT_BASE, H_READS,
    H_RESPONSE_AT, H_STAGE, H_STAGE_END, H_STAGE_WRITES, H_STAGE_WRITES_END, H_STRICT, H_TIME_0, H_TIME_1,
    H_TURN, H_WAKE, H_WRITES, INFINITY, K_AGE, K_AT_BANK, K_AT_GROUP, K_BANK, LIST_STEP, LOG_FIELDS,
    L_FIRST_HIT, L_HEAD, L_TAIL, MUX_ROUND_ROBIN, MUX_STRICT, M_ACTIVE, M_PD_ACTIVE, M_PD_PRECHARGED,
    M_PRECHARGED, M_SELF_REFRESH, NO_REFRESH, N_BANKS, N_GROUPS, N_GROUP_BASE, N_NODES, N_PER_GROUP, N_PSEUDO,
    N_RANKS, N_READY, N_RING, PDE, PDX, PRE, PREA, RANK_STEP, RDA, READY, REFAB, REFPB, REFSB, REGIONS, RINGS,
    RING_TURN, R_COMMAND, R_COMMAND_AT, R_FIRST_BANK, R_LEFT, R_OPEN, R_PENDING, R_REF_AT, R_TARGET, SAME_BANK,
    SIZE, SLOT, SREFE, SREFX, STAGGERED, WORK_FIELDS, WRA, W_ANSWERED, W_DONE,
)  # fmt: skip
from archgym.sims.dram.spec import COMMANDS
from archgym.sims.dram.timing import NEVER

_COMMANDS = len(COMMANDS)
AGE_BITS = 32  # an access number fits, and so does a wait of 2**28 cycles beside it
CLOSING = 1 << 30  # added to a bank number: its row is to be closed although a request hits it


@lean
def _set_up(m: Any, a: Any, w: Any, first: Any, rank_phase: Any) -> None:
    """Number banks, ranks and channels; all banks closed, everything empty."""
    per_group, groups, ranks = m[N_PER_GROUP], m[N_GROUPS], m[N_PSEUDO] * m[N_RANKS]
    per_rank, banks = per_group * groups, m[N_BANKS]
    for bank in range(m[C_CHANNELS] * m[N_BANKS]):
        local = bank % banks
        m[B_OPEN + BANK_STEP * bank] = -1
        m[B_CANDIDATE + BANK_STEP * bank] = -1
        m[B_PLACE + BANK_STEP * bank] = -1
        m[B_CHANNEL + BANK_STEP * bank] = bank // banks
        m[B_RANK + BANK_STEP * bank] = bank // banks * ranks + local // per_rank
        m[B_GROUP + BANK_STEP * bank] = local // per_group
        m[B_LOCAL + BANK_STEP * bank] = local
        m[B_OLDER + BANK_STEP * bank] = -1
        for number in range(2 * bank, 2 * bank + 2):
            m[L_HEAD + LIST_STEP * number] = -1
            m[L_TAIL + LIST_STEP * number] = -1
            m[L_FIRST_HIT + LIST_STEP * number] = -1
    units = per_group if m[C_REFRESH] == SAME_BANK else per_rank
    for rank in range(m[C_CHANNELS] * m[N_PSEUDO] * m[N_RANKS]):
        m[R_FIRST_BANK + RANK_STEP * rank] = rank * per_rank
        m[R_COMMAND + RANK_STEP * rank] = -1
        m[R_LEFT + RANK_STEP * rank] = (1 << units) - 1
        m[R_REF_AT + RANK_STEP * rank] = INFINITY
        if m[C_REFRESH] != NO_REFRESH:
            # Spread the ranks over the interval, as far apart as they can be.
            m[R_REF_AT + RANK_STEP * rank] = m[C_REF_INTERVAL]
            if m[C_SAME_PHASE] == 0:
                m[R_REF_AT + RANK_STEP * rank] -= rank_phase[rank % ranks] * m[C_REF_INTERVAL] // ranks
    total = 0
    for channel in range(m[C_CHANNELS]):
        m[H_HEAD + CHANNEL_STEP * channel] = first[channel]
        m[H_NEXT_RESPONSE + CHANNEL_STEP * channel] = first[channel]
        m[H_STRICT + CHANNEL_STEP * channel] = first[channel]
        m[H_RESPONSE_AT + CHANNEL_STEP * channel] = -1
        for field in (H_STAGE, H_STAGE_WRITES, H_STAGE_END, H_STAGE_WRITES_END):
            m[field + CHANNEL_STEP * channel] = -1
        m[H_DIRTY + CHANNEL_STEP * channel] = 1
        m[H_ATTEND + CHANNEL_STEP * channel] = 1
        m[H_OUT_BASE + CHANNEL_STEP * channel] = total
        access = first[channel]
        if m[C_ARBITER] == ARB_FIFO and m[C_CHANNELS] > 1:
            while access >= 0:
                total += 1
                access = a[access, A_FOLLOWING]


@lean
def _select_plain(m: Any, a: Any, w: Any, channel: int) -> None:
    """As `_select`, for one command bus and the oldest request first: nothing but the earliest (time, age)."""
    free = m[H_FREE_0 + CHANNEL_STEP * channel]
    first = BUSY_STEP * m[N_BANKS] * channel
    best, where = INFINITY, -1
    for at in range(first, first + BUSY_STEP * m[H_ACTIVE + CHANNEL_STEP * channel], BUSY_STEP):
        time = max(m[m[K_AT_BANK + at]], m[m[K_AT_GROUP + at]], free)
        key = ((time - free) << AGE_BITS) + m[K_AGE + at]
        if key < best:
            best, where = key, at
    m[H_TIME_0 + CHANNEL_STEP * channel] = free + (best >> AGE_BITS) if where >= 0 else INFINITY
    m[H_BANK_0 + CHANNEL_STEP * channel] = m[K_BANK + where] if where >= 0 else -1
    m[H_TIME_1 + CHANNEL_STEP * channel] = INFINITY
    m[H_DIRTY + CHANNEL_STEP * channel] = 0


@lean
def _select(m: Any, a: Any, w: Any, channel: int) -> None:
    """Find, per command bus, the candidate that can go first; of those that can go together, the oldest request."""
    strict, rotate = m[C_MUX] == MUX_STRICT, m[C_MUX] == MUX_ROUND_ROBIN
    due = m[H_STRICT + CHANNEL_STEP * channel]
    time_0, age_0, bank_0 = INFINITY, INFINITY, -1
    time_1, age_1, bank_1 = INFINITY, INFINITY, -1
    free_0, free_1 = m[H_FREE_0 + CHANNEL_STEP * channel], m[H_FREE_1 + CHANNEL_STEP * channel]
    for place in range(m[H_ACTIVE + CHANNEL_STEP * channel]):
        at = BUSY_STEP * (m[N_BANKS] * channel + place)
        bank, age = m[K_BANK + at], m[K_AGE + at]
        if rotate:
            age = m[B_LOCAL + BANK_STEP * bank] - m[H_TURN + CHANNEL_STEP * channel] - 1
            age = 2 * (age if age >= 0 else age + m[N_BANKS]) + 1
        if m[B_OLDER + BANK_STEP * bank] >= 0:
            # The row had its share of hits: closing it competes with the next hit.
            shift = m[SLOT + PRE] * m[N_BANKS] + m[B_LOCAL + BANK_STEP * bank]
            time = m[READY + channel * m[N_READY] + shift]
            shift = m[N_GROUP_BASE] + m[SLOT + PRE] * (m[N_BANKS] // m[N_PER_GROUP]) + m[B_GROUP + BANK_STEP * bank]
            time = max(time, m[READY + channel * m[N_READY] + shift], free_0)
            older = age - 1 if rotate else m[B_OLDER + BANK_STEP * bank]
            if time < time_0 or (time == time_0 and older < age_0):
                time_0, age_0, bank_0 = time, older, CLOSING + bank
        time = max(m[m[K_AT_BANK + at]], m[m[K_AT_GROUP + at]])
        if strict and age != due and m[B_COMMAND + BANK_STEP * bank] != ACT and m[B_COMMAND + BANK_STEP * bank] != PRE:
            continue
        if m[B_BUS + BANK_STEP * bank] == 0:
            time = max(time, free_0)
            if time < time_0 or (time == time_0 and age < age_0):
                time_0, age_0, bank_0 = time, age, bank
        else:
            time = max(time, free_1)
            if time < time_1 or (time == time_1 and age < age_1):
                time_1, age_1, bank_1 = time, age, bank
    m[H_TIME_0 + CHANNEL_STEP * channel] = time_0
    m[H_BANK_0 + CHANNEL_STEP * channel] = bank_0
    m[H_TIME_1 + CHANNEL_STEP * channel] = time_1
    m[H_BANK_1 + CHANNEL_STEP * channel] = bank_1
    m[H_DIRTY + CHANNEL_STEP * channel] = 0


@lean
def _prefer_rank(m: Any, a: Any, w: Any, channel: int) -> int:
    """The rank whose manager's command goes before the bank command chosen for bus 0, or -1; sets the bus's time."""
    ranks = m[N_PSEUDO] * m[N_RANKS]
    found, best = -1, m[H_TIME_0 + CHANNEL_STEP * channel]
    for rank in range(channel * ranks, (channel + 1) * ranks):
        command = m[R_COMMAND + RANK_STEP * rank]
        if command >= 0:
            time = max(m[R_COMMAND_AT + RANK_STEP * rank], m[H_FREE_0 + CHANNEL_STEP * channel])
            last = command in (PDE, PDX, SREFE, SREFX)
            if time < best or (time == best and found < 0 and not last):
                found, best = rank, time
    m[H_TIME_0 + CHANNEL_STEP * channel] = best
    return found


@lean
def _issue_bank(m: Any, a: Any, w: Any, log_rows: Any, channel: int, bank: int, now: Any) -> None:
    """Issue a bank's candidate command."""
    command, access = m[B_COMMAND + BANK_STEP * bank], m[B_CANDIDATE + BANK_STEP * bank]
    local = bank - channel * m[N_BANKS]
    log(m, log_rows, now, channel, command, local, a[access, A_ROW], a[access, A_COLUMN], access)
    impose(m, a, w, channel, command, local, now)
    m[H_FREE_0 + m[B_BUS + BANK_STEP * bank] + CHANNEL_STEP * channel] = now + 1
    if command == ACT:
        m[B_OPEN + BANK_STEP * bank] = a[access, A_ROW]
        m[B_KEEP + BANK_STEP * bank] = 1
        m[B_FRESH + BANK_STEP * bank] = 1 + m[B_CLOSED_FOR + BANK_STEP * bank]
        m[B_CLOSED_FOR + BANK_STEP * bank] = 0
        opened(m, a, w, bank, now)
        count_hits(m, a, w, bank)
        m[B_SERVED + BANK_STEP * bank] = 0
        if m[C_FREE_EARLY] == 1:
            _free(m, a, w, channel, access)
            m[B_LEFT + BANK_STEP * bank] = 1
    elif command == PRE:
        _close(m, a, w, bank, now, PRE)
        m[B_CLOSED_FOR + BANK_STEP * bank] = 1
    else:
        _column(m, a, w, channel, bank, access, command, now)
    choose(m, a, w, bank)


@lean
def _free(m: Any, a: Any, w: Any, channel: int, access: int) -> None:
    """The access gives its place in the buffer back."""
    if a[access, A_WRITE] == 1:
        m[H_WRITES + CHANNEL_STEP * channel] -= 1
    else:
        m[H_READS + CHANNEL_STEP * channel] -= 1
    if m[C_DRAIN] == 1:
        turn(m, a, w, channel)


@lean
def _close(m: Any, a: Any, w: Any, bank: int, now: Any, command: int) -> None:
    if m[B_LEFT + BANK_STEP * bank] == 1:
        # Closed by a refresh before the request it was opened for came to its turn: that one waits in the buffer again.
        m[B_LEFT + BANK_STEP * bank] = 0
        write = a[m[B_CANDIDATE + BANK_STEP * bank], A_WRITE]
        m[H_READS + write + CHANNEL_STEP * m[B_CHANNEL + BANK_STEP * bank]] += 1
    m[B_OPEN + BANK_STEP * bank] = -1
    m[B_KEEP + BANK_STEP * bank] = 0
    m[B_CLOSED_FOR + BANK_STEP * bank] = 0
    closed(m, a, w, bank, now, command)
    count_hits(m, a, w, bank)


@lean
def _column(m: Any, a: Any, w: Any, channel: int, bank: int, access: int, command: int, now: Any) -> None:
    """Read or write: the access leaves the buffer and will be answered when its data is over."""
    fresh = m[B_FRESH + BANK_STEP * bank]
    m[G_HITS + fresh] += 1
    m[B_FRESH + BANK_STEP * bank] = 0
    m[B_KEEP + BANK_STEP * bank] = 0
    m[G_SERVED] += 1
    m[R_PENDING + RANK_STEP * (m[B_RANK + BANK_STEP * bank])] -= 1
    m[H_STRICT + CHANNEL_STEP * channel] = a[access, A_FOLLOWING]
    remove(m, a, w, access)
    write = a[access, A_WRITE]
    m[B_SERVED + BANK_STEP * bank] += 1
    if m[B_LEFT + BANK_STEP * bank] == 0:
        _free(m, a, w, channel, access)
    m[B_LEFT + BANK_STEP * bank] = 0
    respond(m, a, w, channel, access, now + (m[C_WRITE_END] if write == 1 else m[C_READ_END]))
    if command == RDA or command == WRA:
        _close(m, a, w, bank, now, command)
    if write != m[H_LAST_WRITE + CHANNEL_STEP * channel]:
        m[H_LAST_WRITE + CHANNEL_STEP * channel] = write
        if m[C_SCHEDULER] == FRFCFS_GRP and m[C_TWO_LISTS] == 1:
            regroup(m, a, w, channel)


@lean
def _issue_rank(m: Any, a: Any, w: Any, log_rows: Any, channel: int, rank: int, now: Any) -> None:
    """Issue the command of a rank's manager."""
    command, target = m[R_COMMAND + RANK_STEP * rank], m[R_TARGET + RANK_STEP * rank]
    local = target - channel * m[N_BANKS]
    first, banks = m[R_FIRST_BANK + RANK_STEP * rank], m[N_GROUPS] * m[N_PER_GROUP]
    log(m, log_rows, now, channel, command, local, -1, -1, -1)
    impose(m, a, w, channel, command, local, now)
    m[H_FREE_0 + CHANNEL_STEP * channel] = now + 1
    if command == PREA:
        for bank in range(first, first + banks):
            if m[B_OPEN + BANK_STEP * bank] >= 0:
                _close(m, a, w, bank, now, PRE)
                choose(m, a, w, bank)
    elif command == PRE:
        _close(m, a, w, target, now, PRE)
        choose(m, a, w, target)
    elif command == REFAB or command == REFPB or command == REFSB:
        refreshed(m, a, w, rank, now, command)
        slept(m, a, w, rank, command)
    else:
        if command == PDE:
            spend(m, a, w, rank, now, M_PD_ACTIVE if m[R_OPEN + RANK_STEP * rank] > 0 else M_PD_PRECHARGED)
        elif command == SREFE:
            spend(m, a, w, rank, now, M_SELF_REFRESH)
        else:
            spend(m, a, w, rank, now, M_ACTIVE if m[R_OPEN + RANK_STEP * rank] > 0 else M_PRECHARGED)
        slept(m, a, w, rank, command)
        if command == PDX:
            release(m, a, w, first, banks, 1)
        elif command != SREFX:
            block(m, a, w, first, banks, 1)


@lean
def _settle(m: Any, a: Any, w: Any, channel: int, now: Any) -> int:
    """Choose the channel's next commands; returns the rank whose manager goes next on bus 0, or -1. Sets H_NEXT."""
    if m[H_ATTEND + CHANNEL_STEP * channel] == 1 or now >= m[H_WAKE + CHANNEL_STEP * channel]:
        manage(m, a, w, channel, now)
    if m[C_PLAIN] == 1:
        _select_plain(m, a, w, channel)
    else:
        _select(m, a, w, channel)
    rank = -1
    if m[H_ATTEND + CHANNEL_STEP * channel] == 1:
        rank = _prefer_rank(m, a, w, channel)
    m[H_NEXT + CHANNEL_STEP * channel] = min(
        m[H_TIME_0 + CHANNEL_STEP * channel], m[H_TIME_1 + CHANNEL_STEP * channel], m[H_WAKE + CHANNEL_STEP * channel]
    )
    return rank


@lean
def _advance(m: Any, a: Any, w: Any, log_rows: Any, channel: int, now: Any) -> None:
    """Issue everything the channel can issue at `now` (one command per bus) and plan its next event."""
    if m[H_FREE_0 + CHANNEL_STEP * channel] < now:
        m[H_FREE_0 + CHANNEL_STEP * channel] = now
    if m[H_FREE_1 + CHANNEL_STEP * channel] < now:
        m[H_FREE_1 + CHANNEL_STEP * channel] = now
    rank = _settle(m, a, w, channel, now)
    while True:
        bus = 0
        if m[H_TIME_0 + CHANNEL_STEP * channel] > now:
            bus = 1
            if m[H_TIME_1 + CHANNEL_STEP * channel] > now:
                return
        if bus == 0 and rank >= 0:
            _issue_rank(m, a, w, log_rows, channel, rank, now)
            who = rank
        else:
            bank = m[H_BANK_0 + 2 * bus + CHANNEL_STEP * channel]
            if bank >= CLOSING:
                bank -= CLOSING
                m[B_COMMAND + BANK_STEP * bank] = PRE
                m[B_CANDIDATE + BANK_STEP * bank] = m[B_OLDER + BANK_STEP * bank]
            m[H_TURN + CHANNEL_STEP * channel] = m[B_LOCAL + BANK_STEP * bank]
            column = m[B_COMMAND + BANK_STEP * bank]
            _issue_bank(m, a, w, log_rows, channel, bank, now)
            who = m[B_RANK + BANK_STEP * bank]
            if (column != ACT and column != PRE) or m[C_FREE_EARLY] == 1:
                pump(m, a, w, now)
        if m[C_POWER_DOWN] == STAGGERED and m[R_PENDING + RANK_STEP * who] == 0:
            idle(m, a, w, channel, who)
        rank = _settle(m, a, w, channel, now)


@lean
def _drive(m: Any, a: Any, w: Any, log_rows: Any) -> int:
    """Run until every access is served. Returns 0, or 1 if nothing can ever happen again (a defect)."""
    n, channels, now = a.shape[0], m[C_CHANNELS], 0
    while m[G_SERVED] < n:
        pump(m, a, w, now)
        for channel in range(channels):
            if m[H_DIRTY + CHANNEL_STEP * channel] == 1 or m[H_NEXT + CHANNEL_STEP * channel] <= now:
                _advance(m, a, w, log_rows, channel, now)
        following = m[G_WAKE]
        for channel in range(channels):
            following = min(
                following, now if m[H_DIRTY + CHANNEL_STEP * channel] == 1 else m[H_NEXT + CHANNEL_STEP * channel]
            )
        if following >= INFINITY and m[G_SERVED] < n:
            return 1
        now = max(now, following)
    return 0


@entry
def run_one(cfg: Any, tables: Any, accesses: Any, rank_phase: Any, log_rows: Any, out: Any) -> Any:
    """Simulate one design. `log_rows` takes as many commands as it has rows; returns `w` (see `layout.py`)."""
    a = accesses.table
    n, channels, shape = a.shape[0], cfg[C_CHANNELS], tables.shape
    m, w = np.empty(SIZE, np.int64), np.empty((n, WORK_FIELDS), np.int64)
    m[: cfg.shape[0]] = cfg
    m[N_PSEUDO : N_PSEUDO + shape.shape[0]] = shape
    banks = tables.region.shape[1]
    m[N_BANKS] = banks
    m[SLOT : SLOT + _COMMANDS] = tables.slot
    m[ENTRY_AT : ENTRY_AT + _COMMANDS + 1] = tables.entry_at
    for e in range(tables.entry.shape[0]):
        m[E_BASE + ENTRY_STEP * e : E_BASE + ENTRY_STEP * e + ENTRY_STEP] = tables.entry[e]
    for region in range(tables.region.shape[0]):
        m[REGIONS + banks * region : REGIONS + banks * region + banks] = tables.region[region]
    # Only what is used needs to be cleared: the memory is far larger than one small controller.
    m[G_ISSUED:SLOT] = 0
    m[H_ACTIVE : H_ACTIVE + CHANNEL_STEP * channels] = 0
    m[R_OPEN : R_OPEN + RANK_STEP * channels * m[N_PSEUDO] * m[N_RANKS]] = 0
    m[B_OPEN : B_OPEN + BANK_STEP * channels * banks] = 0
    m[L_HEAD : L_HEAD + 2 * LIST_STEP * channels * banks] = 0
    m[READY : READY + channels * m[N_READY]] = 0
    m[RINGS : RINGS + channels * m[N_RING]] = NEVER
    m[RING_TURN : RING_TURN + channels * m[N_NODES]] = 0
    w[:, W_ANSWERED] = -1
    w[:, W_DONE] = -1
    _set_up(m, a, w, accesses.first, rank_phase)
    out[:] = 0
    out[32] = _drive(m, a, w, log_rows)
    if out[32] == 0:
        sum_up(m, a, w, accesses.bursts, out)
    return w


@entry
def run_batch(cfgs: Any, tables: Any, accesses: Any, rank_phase: Any, out: Any) -> None:
    """Simulate designs one after the other; row i of `cfgs` gives row i of `out`."""
    nothing = np.empty((0, LOG_FIELDS), np.int64)
    for i in range(cfgs.shape[0]):
        run_one(cfgs[i], tables, accesses, rank_phase, nothing, out[i])
