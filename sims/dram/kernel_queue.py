"""Kernel, part 2: the request lists of a bank and the choice of its candidate command (scheduler and page policy)."""

from __future__ import annotations

from typing import Any

from archgym.sims.jit import lean
from archgym.sims.dram.layout import (
    ACT, A_BANK, A_COLUMN, A_ROW, A_WRITE, BANK_STEP, BUSY_STEP, B_BLOCKED, B_BUS, B_CANDIDATE, B_CHANNEL,
    B_COMMAND, B_COUNT, B_GROUP, B_KEEP, B_LOCAL, B_OLDER, B_OPEN, B_PLACE, B_SERVED, CHANNEL_STEP, CLOSED,
    CLOSED_ADAPTIVE, C_BUSES, C_DRAIN, C_DRAIN_HIGH, C_DRAIN_LOW, C_FREE_EARLY, C_HIT_LIMIT, C_PAGE,
    C_SCHEDULER, C_TWO_LISTS, FIFO, H_ACTIVE, H_DIRTY, H_DRAINING, H_LAST_WRITE, H_READS, H_WRITES, K_AGE,
    K_AT_BANK, K_AT_GROUP, K_BANK, LIST_STEP, L_COUNT, L_FIRST_HIT, L_HEAD, L_HITS, L_TAIL, N_BANKS,
    N_GROUP_BASE, N_PER_GROUP, N_READY, OPEN, OPEN_ADAPTIVE, PRE, RD, RDA, READY, SLOT, WR, WRA, W_AFTER,
    W_BEFORE,
)  # fmt: skip


@lean
def list_of(m: Any, a: Any, w: Any, access: int) -> int:
    """Which list an access belongs to: one per bank, or a second one for writes where the scheduler separates them."""
    number = 2 * a[access, A_BANK]
    if m[C_TWO_LISTS] == 1 and a[access, A_WRITE] == 1:
        return number + 1
    return number


@lean
def append(m: Any, a: Any, w: Any, access: int) -> None:
    """Put an access at the end of its bank's list."""
    bank = a[access, A_BANK]
    number = list_of(m, a, w, access)
    tail = m[L_TAIL + LIST_STEP * number]
    w[access, W_BEFORE] = tail
    w[access, W_AFTER] = -1
    if tail >= 0:
        w[tail, W_AFTER] = access
    else:
        m[L_HEAD + LIST_STEP * number] = access
    m[L_TAIL + LIST_STEP * number] = access
    m[L_COUNT + LIST_STEP * number] += 1
    m[B_COUNT + BANK_STEP * bank] += 1
    if a[access, A_ROW] == m[B_OPEN + BANK_STEP * bank]:
        if m[L_HITS + LIST_STEP * number] == 0:
            m[L_FIRST_HIT + LIST_STEP * number] = access
        m[L_HITS + LIST_STEP * number] += 1


@lean
def remove(m: Any, a: Any, w: Any, access: int) -> None:
    """Take an access (a row hit, its column command is issued) out of its bank's list."""
    bank = a[access, A_BANK]
    number = list_of(m, a, w, access)
    before, after = w[access, W_BEFORE], w[access, W_AFTER]
    if before >= 0:
        w[before, W_AFTER] = after
    else:
        m[L_HEAD + LIST_STEP * number] = after
    if after >= 0:
        w[after, W_BEFORE] = before
    else:
        m[L_TAIL + LIST_STEP * number] = before
    m[L_COUNT + LIST_STEP * number] -= 1
    m[B_COUNT + BANK_STEP * bank] -= 1
    m[L_HITS + LIST_STEP * number] -= 1
    if m[L_FIRST_HIT + LIST_STEP * number] == access:
        # Hits are in order of age, so the next one lies further on.
        found = -1
        if m[L_HITS + LIST_STEP * number] > 0:
            found = after
            while a[found, A_ROW] != m[B_OPEN + BANK_STEP * bank]:
                found = w[found, W_AFTER]
        m[L_FIRST_HIT + LIST_STEP * number] = found


@lean
def count_hits(m: Any, a: Any, w: Any, bank: int) -> None:
    """After the bank opened or closed a row: which waiting requests hit it."""
    row = m[B_OPEN + BANK_STEP * bank]
    for number in range(2 * bank, 2 * bank + 1 + m[C_TWO_LISTS]):
        hits, first = 0, -1
        if row >= 0:
            access = m[L_HEAD + LIST_STEP * number]
            while access >= 0:
                if a[access, A_ROW] == row:
                    hits += 1
                    if first < 0:
                        first = access
                access = w[access, W_AFTER]
        m[L_HITS + LIST_STEP * number] = hits
        m[L_FIRST_HIT + LIST_STEP * number] = first


@lean
def _pick(m: Any, a: Any, w: Any, bank: int) -> int:
    """The scheduler: which request of the bank is next, or -1 (a write while reads have their turn, say)."""
    one = 2 * bank
    scheduler = m[C_SCHEDULER]
    if m[C_TWO_LISTS] == 0:
        if scheduler != FIFO and m[L_HITS + LIST_STEP * one] > 0:
            return m[L_FIRST_HIT + LIST_STEP * one]
        return m[L_HEAD + LIST_STEP * one]
    return _pick_of_two(m, a, w, bank)


@lean
def _pick_of_two(m: Any, a: Any, w: Any, bank: int) -> int:
    one = 2 * bank
    channel = m[B_CHANNEL + BANK_STEP * bank]
    if m[C_DRAIN] == 1:
        number = one + m[H_DRAINING + CHANNEL_STEP * channel]
        if m[C_SCHEDULER] != FIFO and m[L_HITS + LIST_STEP * number] > 0:
            return m[L_FIRST_HIT + LIST_STEP * number]
        return m[L_HEAD + LIST_STEP * number]
    # FrFcfsGrp: of the row hits, one of the same kind as the last command of the channel, if that overtakes no older
    # request to the same column.
    same = one + m[H_LAST_WRITE + CHANNEL_STEP * channel]
    other = one + 1 - m[H_LAST_WRITE + CHANNEL_STEP * channel]
    row = m[B_OPEN + BANK_STEP * bank]
    if m[L_HITS + LIST_STEP * same] > 0:
        access = m[L_FIRST_HIT + LIST_STEP * same]
        if m[L_HITS + LIST_STEP * other] == 0:
            return access
        while access >= 0:
            if a[access, A_ROW] == row and not _overtakes(m, a, w, access, m[L_FIRST_HIT + LIST_STEP * other]):
                return access
            access = w[access, W_AFTER]
    if m[L_HITS + LIST_STEP * same] > 0 and m[L_HITS + LIST_STEP * other] > 0:
        return min(m[L_FIRST_HIT + LIST_STEP * same], m[L_FIRST_HIT + LIST_STEP * other])
    if m[L_HITS + LIST_STEP * other] > 0:
        return m[L_FIRST_HIT + LIST_STEP * other]
    if m[L_HEAD + LIST_STEP * one] < 0:
        return m[L_HEAD + LIST_STEP * (one + 1)]
    if m[L_HEAD + LIST_STEP * (one + 1)] < 0:
        return m[L_HEAD + LIST_STEP * one]
    return min(m[L_HEAD + LIST_STEP * one], m[L_HEAD + LIST_STEP * (one + 1)])


@lean
def _overtakes(m: Any, a: Any, w: Any, access: int, older: int) -> bool:
    """Whether a request of the other list, older than `access`, goes to the same row and column."""
    while older >= 0 and older < access:
        if a[older, A_ROW] == a[access, A_ROW] and a[older, A_COLUMN] == a[access, A_COLUMN]:
            return True
        older = w[older, W_AFTER]
    return False


@lean
def _further_hit(m: Any, a: Any, w: Any, bank: int, access: int) -> bool:
    """Whether another request of the bank will hit the open row after this one."""
    one = 2 * bank
    if m[C_DRAIN] == 1:
        number = list_of(m, a, w, access)
        if m[C_SCHEDULER] == FIFO:
            return w[access, W_AFTER] >= 0 and a[w[access, W_AFTER], A_ROW] == m[B_OPEN + BANK_STEP * bank]
        return m[L_HITS + LIST_STEP * number] >= 2
    if m[C_SCHEDULER] == FIFO:
        return w[access, W_AFTER] >= 0 and a[w[access, W_AFTER], A_ROW] == m[B_OPEN + BANK_STEP * bank]
    return m[L_HITS + LIST_STEP * one] + m[C_TWO_LISTS] * m[L_HITS + LIST_STEP * (one + 1)] >= 2


@lean
def _closes(m: Any, a: Any, w: Any, bank: int, access: int) -> bool:
    """The page policy: whether the column command of `access` closes the row by itself."""
    page = m[C_PAGE]
    if page == OPEN:
        return False
    if page == CLOSED:
        return True
    if page == CLOSED_ADAPTIVE:
        return not _further_hit(m, a, w, bank, access)
    waiting = m[B_COUNT + BANK_STEP * bank]
    if m[C_DRAIN] == 1:
        waiting = m[L_COUNT + LIST_STEP * (list_of(m, a, w, access))]
    return page == OPEN_ADAPTIVE and waiting >= 2 and not _further_hit(m, a, w, bank, access)


@lean
def choose(m: Any, a: Any, w: Any, bank: int) -> None:
    """Find the bank's candidate request and command again, after anything about the bank changed."""
    channel = m[B_CHANNEL + BANK_STEP * bank]
    m[H_DIRTY + CHANNEL_STEP * channel] = 1
    if m[B_BLOCKED + BANK_STEP * bank] == 1:
        retire(m, a, w, bank)
        return
    access = _pick(m, a, w, bank) if m[B_COUNT + BANK_STEP * bank] > 0 else -1
    # A row that was opened for a request serves it before anything closes it again.
    keep = m[B_KEEP + BANK_STEP * bank] == 1
    if keep and (m[C_FREE_EARLY] == 1 or access < 0 or a[access, A_ROW] != m[B_OPEN + BANK_STEP * bank]):
        access = m[B_CANDIDATE + BANK_STEP * bank]
    m[B_CANDIDATE + BANK_STEP * bank] = access
    if access < 0:
        retire(m, a, w, bank)
        return
    if m[B_OPEN + BANK_STEP * bank] < 0:
        command = ACT
    elif a[access, A_ROW] != m[B_OPEN + BANK_STEP * bank]:
        command = PRE
    elif a[access, A_WRITE] == 1:
        command = WRA if _closes(m, a, w, bank, access) else WR
    else:
        command = RDA if _closes(m, a, w, bank, access) else RD
    m[B_COMMAND + BANK_STEP * bank] = command
    if m[C_HIT_LIMIT] > 0:
        m[B_OLDER + BANK_STEP * bank] = _older(m, a, bank, access, keep or command == ACT or command == PRE)
    slot = m[SLOT + command]
    banks, groups = m[N_BANKS], m[N_BANKS] // m[N_PER_GROUP]
    base = READY + channel * m[N_READY]
    m[B_BUS + BANK_STEP * bank] = 1 if m[C_BUSES] == 2 and command != ACT and command != PRE else 0
    place = m[B_PLACE + BANK_STEP * bank]
    if place < 0:
        place = BUSY_STEP * (banks * channel + m[H_ACTIVE + CHANNEL_STEP * channel])
        m[H_ACTIVE + CHANNEL_STEP * channel] += 1
        m[B_PLACE + BANK_STEP * bank] = place
        m[K_BANK + place] = bank
    m[K_AGE + place] = access
    m[K_AT_BANK + place] = base + slot * banks + m[B_LOCAL + BANK_STEP * bank]
    m[K_AT_GROUP + place] = base + m[N_GROUP_BASE] + slot * groups + m[B_GROUP + BANK_STEP * bank]


@lean
def _older(m: Any, a: Any, bank: int, access: int, no_hit: bool) -> int:
    """The request that may close the row before `access` hits it, because the row had its share; or -1."""
    if no_hit or m[B_SERVED + BANK_STEP * bank] < m[C_HIT_LIMIT] or m[C_SCHEDULER] == FIFO:
        return -1
    number = 2 * bank
    if m[C_DRAIN] == 1:
        number += m[H_DRAINING + CHANNEL_STEP * m[B_CHANNEL + BANK_STEP * bank]]
    head = m[L_HEAD + LIST_STEP * number]
    return head if 0 <= head < access and a[head, A_ROW] != m[B_OPEN + BANK_STEP * bank] else -1


@lean
def retire(m: Any, a: Any, w: Any, bank: int) -> None:
    """Take the bank out of the channel's busy banks: it has no candidate."""
    place = m[B_PLACE + BANK_STEP * bank]
    if place >= 0:
        channel = m[B_CHANNEL + BANK_STEP * bank]
        m[H_ACTIVE + CHANNEL_STEP * channel] -= 1
        last = BUSY_STEP * (m[N_BANKS] * channel + m[H_ACTIVE + CHANNEL_STEP * channel])
        for field in (K_BANK, K_AGE, K_AT_BANK, K_AT_GROUP):
            m[field + place] = m[field + last]
        m[B_PLACE + BANK_STEP * m[K_BANK + place]] = place
        m[B_PLACE + BANK_STEP * bank] = -1


@lean
def choose_all(m: Any, a: Any, w: Any, channel: int) -> None:
    """Find the candidates of all banks of a channel again: reads and writes changed turns."""
    banks = m[N_BANKS]
    for bank in range(channel * banks, (channel + 1) * banks):
        if m[B_COUNT + BANK_STEP * bank] > 0:
            choose(m, a, w, bank)


@lean
def turn(m: Any, a: Any, w: Any, channel: int) -> None:
    """Write draining: writes have their turn from above the high watermark (or no read left) to the low one."""
    reads, writes = m[H_READS + CHANNEL_STEP * channel], m[H_WRITES + CHANNEL_STEP * channel]
    if m[H_DRAINING + CHANNEL_STEP * channel] == 1:
        change = writes <= m[C_DRAIN_LOW] and reads > 0
    else:
        change = writes > 0 and (writes >= m[C_DRAIN_HIGH] or reads == 0)
    if change:
        m[H_DRAINING + CHANNEL_STEP * channel] = 1 - m[H_DRAINING + CHANNEL_STEP * channel]
        choose_all(m, a, w, channel)


@lean
def regroup(m: Any, a: Any, w: Any, channel: int) -> None:
    """The channel changed between reads and writes: banks with row hits of both kinds may choose otherwise."""
    for place in range(m[H_ACTIVE + CHANNEL_STEP * channel]):
        bank = m[K_BANK + BUSY_STEP * (m[N_BANKS] * channel + place)]
        if m[L_HITS + LIST_STEP * (2 * bank)] > 0 and m[L_HITS + LIST_STEP * (2 * bank + 1)] > 0:
            choose(m, a, w, bank)
