"""Channel kernel, part 2: the PIM side. Which command the current item of the program needs next, and issuing it."""

from __future__ import annotations

from archgym.sims.jit import inner
from archgym.sims.pim.kernel_issue import (
    comps_inside, impose, issue, legal_bank, legal_channel, legal_rank, legal_set, write_log,
)  # fmt: skip
from archgym.sims.pim.layout import (
    ACT, ALL_BANK, ARRIVAL, BANK, B_MEMORY, COLUMN, COMP, COMPS, COMPS_READRES, C_AT_ONCE, C_BANKS, C_COMPOSITE,
    C_DUAL, C_ESTIMATE, C_FILL, C_FREE_GAP, C_GROUPS, C_GWRITE, C_HEADER, C_HELD_BY_ISSUE, C_INTERVAL, C_OVERLAP,
    C_PER_GROUP, C_PIM_COLUMN, C_POSTPONED, C_PRECHARGE_ALL, C_RANKS, C_RCD, C_READ_END, C_REFRESH, C_RESULT_GAP, C_RP,
    C_RTP, C_STEP, C_TURN, C_WRITE_END, END, GWRITE, G_ACT, HEADER, INFINITY, KIND, KIND_GWRITE, KIND_PWRITE,
    KIND_TILE, K_DUE, K_NEXT_ACTIVATE, K_OWED, NO_REFRESH, PIM_PRE, PIM_PREA, PRE, PREA, PWRITE, P_BANK, P_COMMAND,
    P_TIME, READOUTS, READRES, ROW, START, S_ACTIVE, S_ANNOUNCED, S_BUSY, S_COMP, S_COUNT, S_DRAIN, S_FIRST_COMP, S_GO,
    S_GWRITE_BANK, S_GWRITE_END, S_ITEM, S_LAST_COMP, S_PIM_END, S_READOUT, S_RESULT_AT, S_TURN, S_WAIT, State,
)  # fmt: skip


@inner
def _propose(st: State, time: int, command: int, bank: int) -> None:
    """Keep the earliest proposal; among equals the first made."""
    if time < st.s[P_TIME]:
        st.s[P_TIME], st.s[P_COMMAND], st.s[P_BANK] = time, command, bank


@inner
def set_open(st: State, first: int, row: int) -> bool:
    """Whether all banks of a set have `row` open for PIM."""
    found = True
    for bank in range(first, first + st.s[C_AT_ONCE]):
        found = found and st.bank[bank, st.s[C_PIM_COLUMN]] == row
    return found


@inner
def set_busy(st: State, first: int, row: int) -> bool:
    """Whether a set has open PIM rows that must close before its group activate."""
    found = False
    for bank in range(first, first + st.s[C_AT_ONCE]):
        found = found or st.bank[bank, st.s[C_PIM_COLUMN]] >= 0
    return found and not set_open(st, first, row)


@inner
def estimate(st: State, item: int) -> int:
    """Cycles an item will take, as the controller knows from its header: see `tile.header_estimate`."""
    c, line = st.s, st.program[item]
    row, step = line[ROW], c[C_STEP]
    if line[KIND] == KIND_GWRITE:
        opening = 0 if st.bank[line[BANK], B_MEMORY] == row else c[C_RP] + c[C_RCD]
        return int(opening + (c[C_RTP] if opening > 0 and st.bank[line[BANK], B_MEMORY] >= 0 else 0) + c[C_GWRITE])
    if line[KIND] == KIND_PWRITE:
        return int(c[C_RTP] + c[C_RP] + c[C_RCD] + c[C_WRITE_END])
    per_rank = c[C_PER_GROUP] * c[C_GROUPS]
    precharges = most = 0
    for rank in range(c[C_RANKS]):
        closing = activations = 0
        for first in range(rank * per_rank, (rank + 1) * per_rank, c[C_AT_ONCE]):
            if not set_open(st, first, row):
                activations += 1
            if set_busy(st, first, row):
                for bank in range(first, first + c[C_AT_ONCE]):
                    closing += 1 if st.bank[bank, st.s[C_PIM_COLUMN]] >= 0 else 0
        if closing > 0:
            precharges += 1 if c[C_PRECHARGE_ALL] == 1 else closing
            if c[C_PRECHARGE_ALL] == 1:
                activations = per_rank // c[C_AT_ONCE]
        most = max(most, activations)
    comps = 1
    while comps < line[COMPS] * line[READOUTS]:
        comps *= 2  # the header has room for the logarithm
    cycles = step * max(comps, c[C_FILL]) + c[C_RESULT_GAP] * (line[READOUTS] - 1)
    if most > 0:
        cycles += st.ready[st.s[C_ESTIMATE] + most] + c[C_RCD]
    if precharges > 0:
        cycles += max(precharges * c[C_RTP], c[C_RP] + precharges - 1)
    return int(cycles)


@inner
def may_start(st: State, now: int) -> bool:
    """Whether the next item ends before more refreshes are owed than may be postponed.

    An item too long for the free time between two refreshes starts when none is owed, and the next waits for its end.
    """
    c = s = st.s
    if c[C_REFRESH] == NO_REFRESH:
        return True
    owed = later = 0
    end = now + estimate(st, s[S_ITEM])
    for rank in range(c[C_RANKS]):
        line = st.rank[rank]
        due = 0 if end < line[K_DUE] else 1 + (end - line[K_DUE]) // c[C_INTERVAL]
        owed = max(owed, line[K_OWED])
        later = max(later, line[K_OWED] + due)
    oversize = c[C_REFRESH] == ALL_BANK and end - now > c[C_FREE_GAP]
    if (later <= c[C_POSTPONED] and (s[S_DRAIN] == 0 or owed == 0)) or (oversize and owed == 0):
        s[S_DRAIN] = 0
        return True
    s[S_DRAIN] = 1
    return False


@inner
def pim_candidate(st: State, now: int) -> None:
    """Find the next command of the program: P_TIME, P_COMMAND, P_BANK; command -1 is a time to look again."""
    c = s = st.s
    s[P_TIME], s[P_COMMAND], s[P_BANK] = INFINITY, -1, 0
    for rank in range(c[C_RANKS]):
        st.rank[rank, K_NEXT_ACTIVATE] = INFINITY
    item = s[S_ITEM]
    if item >= st.program.shape[0]:
        return
    line = st.program[item]
    if s[S_ACTIVE] == 0:
        wait = max(line[ARRIVAL], s[S_WAIT])
        if wait > now:
            s[P_TIME] = wait
            return
        if s[S_GO] == 0:
            return
        if line[KIND] == KIND_TILE and c[C_HEADER] == 1 and c[C_PRECHARGE_ALL] == 1:
            s[P_TIME], s[P_COMMAND] = now, HEADER  # bank by bank, the authors announce when the banks are closed
            return
    if line[KIND] == KIND_GWRITE:
        _gwrite_candidate(st, line[BANK], line[ROW])
    elif line[KIND] == KIND_PWRITE:
        _pwrite_candidate(st, line[BANK], line[ROW])
    else:
        _tile_candidate(st, now, line[ROW])


@inner
def _gwrite_candidate(st: State, bank: int, row: int) -> None:
    """Open the vector's row for memory, then copy it."""
    c = s = st.s
    s[S_GWRITE_BANK] = bank
    if st.bank[bank, B_MEMORY] == row:
        at = legal_bank(st, GWRITE, bank)
        if c[C_HELD_BY_ISSUE] == 0 and s[S_RESULT_AT] < INFINITY:
            at = max(at, s[S_RESULT_AT] + c[C_STEP])
        _propose(st, at, GWRITE, bank)
    elif st.bank[bank, B_MEMORY] >= 0:
        _propose(st, legal_bank(st, PRE, bank), PRE, bank)
    elif c[C_DUAL] == 1 and st.bank[bank, st.s[C_PIM_COLUMN]] == row:
        _propose(st, legal_bank(st, PIM_PRE, bank), PIM_PRE, bank)
    else:
        _propose(st, legal_bank(st, ACT, bank), ACT, bank)


@inner
def _pwrite_candidate(st: State, bank: int, row: int) -> None:
    """Open the row in the PIM row buffers of the bank's set, then write."""
    first = bank // st.s[C_AT_ONCE] * st.s[C_AT_ONCE]
    if set_open(st, first, row):
        at = legal_bank(st, PWRITE, bank)
        if st.s[S_RESULT_AT] < INFINITY:
            at = max(at, st.s[S_RESULT_AT] + 1)
        _propose(st, at, PWRITE, bank)
        return
    for b in range(first, first + st.s[C_AT_ONCE]):
        if st.bank[b, st.s[C_PIM_COLUMN]] >= 0:
            _propose(st, legal_bank(st, PIM_PRE, b), PIM_PRE, b)
        elif st.bank[b, B_MEMORY] == row:
            _propose(st, legal_bank(st, PRE, b), PRE, b)
    if st.s[P_COMMAND] < 0:
        _propose(st, legal_set(st, first), G_ACT, first)


@inner
def _tile_candidate(st: State, now: int, row: int) -> None:
    """Close what is in the way, then open the tile's rows, then compute."""
    c = s = st.s
    per_rank, at_once = c[C_PER_GROUP] * c[C_GROUPS], c[C_AT_ONCE]
    closing = False
    for rank in range(c[C_RANKS]):
        busy = False
        for first in range(rank * per_rank, (rank + 1) * per_rank, at_once):
            if set_busy(st, first, row):
                busy = True
                if c[C_PRECHARGE_ALL] == 0:
                    command = PIM_PRE if c[C_DUAL] == 1 else PRE
                    for b in range(first, first + at_once):
                        if st.bank[b, st.s[C_PIM_COLUMN]] >= 0:
                            _propose(st, legal_bank(st, command, b), command, b)
            for b in range(first, first + at_once):
                if c[C_DUAL] == 1 and st.bank[b, B_MEMORY] == row and st.bank[b, st.s[C_PIM_COLUMN]] != row:
                    closing = True  # a row is open in one of the buffers only
                    _propose(st, legal_bank(st, PRE, b), PRE, b)
        if busy and c[C_PRECHARGE_ALL] == 1:
            command = PIM_PREA if c[C_DUAL] == 1 else PREA
            _propose(st, legal_rank(st, command, rank), command, rank * per_rank)
        closing = closing or busy
    if closing:
        for rank in range(c[C_RANKS]):
            st.rank[rank, K_NEXT_ACTIVATE] = s[P_TIME] + c[C_RP]
        return
    if c[C_HEADER] == 1 and s[S_ANNOUNCED] == 0:
        s[P_TIME], s[P_COMMAND] = now, HEADER
        return
    for first in range(0, c[C_BANKS], at_once):
        if not set_open(st, first, row):
            at = legal_set(st, first)
            rank = first // per_rank
            st.rank[rank, K_NEXT_ACTIVATE] = min(st.rank[rank, K_NEXT_ACTIVATE], max(now, at))
            _propose(st, max(now, at), G_ACT, first)  # of several that may go, the first
    if s[P_COMMAND] < 0:
        _compute_candidate(st, now)


@inner
def _compute_candidate(st: State, now: int) -> None:
    """The next COMP, READRES or COMPS_READRES; and when the tile after this one may want its rows."""
    c = s = st.s
    item = s[S_ITEM]
    k, readouts, step = st.program[item, COMPS], st.program[item, READOUTS], c[C_STEP]
    at = legal_channel(st, COMP)
    if c[C_COMPOSITE] == 1:
        if s[S_RESULT_AT] < INFINITY:
            at = max(at, s[S_RESULT_AT] + step)
        at = max(at, legal_channel(st, READRES) - step * max(k, c[C_FILL]))
        _propose(st, at, COMPS_READRES, 0)
    elif s[S_COMP] < k:
        _propose(st, at, COMP, 0)
    else:
        _propose(st, max(legal_channel(st, READRES), s[S_FIRST_COMP] + step * c[C_FILL]), READRES, 0)
    if item + 1 < st.program.shape[0] and st.program[item + 1, KIND] == KIND_TILE:
        left = (readouts - s[S_READOUT]) * step * (max(k, c[C_FILL]) + 1) - s[S_COMP] * step
        for rank in range(c[C_RANKS]):
            st.rank[rank, K_NEXT_ACTIVATE] = max(now, at) + left - 2 * step + c[C_RTP] + c[C_RP]


@inner
def pim_issue(st: State, now: int) -> None:
    """Issue the command found by `pim_candidate` and advance the program."""
    c = s = st.s
    item, command, bank = s[S_ITEM], s[P_COMMAND], s[P_BANK]
    line = st.program[item]
    row, k = line[ROW], line[COMPS]
    if s[S_ACTIVE] == 0:
        s[S_ACTIVE] = 1
        st.program[item, START] = now
    if command == HEADER:
        write_log(st, now, HEADER, 0, row, k * line[READOUTS], item)
        s[S_ANNOUNCED] = 1
    elif command == COMPS_READRES:
        write_log(st, now, COMPS_READRES, 0, row, k, item)
        last = now + c[C_STEP] * (k - 1)
        comps_inside(st, k, now if c[C_HELD_BY_ISSUE] == 1 else last)
        s[S_LAST_COMP] = last
        s[S_RESULT_AT] = now + c[C_STEP] * max(k, c[C_FILL])
        s[S_READOUT] += 1
        if s[S_READOUT] == line[READOUTS]:
            _finish(st, now, s[S_RESULT_AT] + c[C_READ_END])
    elif command == COMP:
        issue(st, now, COMP, 0, row, 0, item)
        if s[S_COMP] == 0:
            s[S_FIRST_COMP] = now
        s[S_COMP] += 1
        s[S_LAST_COMP] = now
    elif command == READRES:
        issue(st, now, READRES, 0, row, 0, item)
        s[S_COMP] = 0
        s[S_READOUT] += 1
        if s[S_READOUT] == line[READOUTS]:
            _finish(st, now, now + c[C_READ_END])
    elif command == GWRITE:
        issue(st, now, GWRITE, bank, row, 0, item)
        s[S_GWRITE_END] = now + c[C_GWRITE]
        if c[C_OVERLAP] == 0:
            s[S_WAIT] = now + c[C_GWRITE]
        _finish(st, now, now + c[C_GWRITE])
    elif command == PWRITE:
        issue(st, now, PWRITE, bank, row, line[COLUMN], item)
        _finish(st, now, now + c[C_WRITE_END])
    else:
        issue(st, now, command, bank, row, 0, item)


@inner
def _finish(st: State, now: int, end: int) -> None:
    """The last command of an item is issued; the next may begin."""
    s = st.s
    st.program[s[S_ITEM], END] = end
    s[S_BUSY] += now + 1 - st.program[s[S_ITEM], START]
    s[S_PIM_END] = max(s[S_PIM_END], end)
    s[S_ITEM] += 1
    s[S_ACTIVE] = s[S_READOUT] = s[S_COMP] = s[S_ANNOUNCED] = 0
    s[S_TURN] = st.s[C_TURN]


@inner
def result_due(st: State, now: int) -> None:
    """Let the result read inside a COMPS_READRES happen when its time has come."""
    s = st.s
    if s[S_RESULT_AT] <= now:
        st.s[S_COUNT + READRES] += 1
        impose(st, READRES, 0, s[S_RESULT_AT])
        s[S_RESULT_AT] = INFINITY
