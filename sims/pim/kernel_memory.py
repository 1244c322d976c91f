"""Channel kernel, part 3: ordinary reads and writes (first ready, first come), and refresh."""

from __future__ import annotations

from archgym.sims.jit import inner
from archgym.sims.pim.kernel_issue import issue, legal_bank, legal_rank
from archgym.sims.pim.layout import (
    ACT, ALL_BANK, ARRIVAL, BLOCKED, B_MARK, B_MEMORY, C_BANKS, C_DUAL, C_FAW, C_GROUPS, C_INTERVAL, C_PER_GROUP,
    C_PIM_COLUMN, C_POLICY, C_PRECHARGE_ALL, C_QUEUE, C_QUEUE_AT, C_RANKS, C_RD_TO_RESULT, C_READ_END, C_REFRESH,
    C_RESULT_TO_RD, C_RESULT_TO_WR, C_WRITE_END, C_WR_TO_RESULT, GWRITE, INFINITY, KIND, KIND_GWRITE, KIND_TILE, K_DUE,
    K_NEXT_ACTIVATE, K_OWED, K_REFRESH_BANK, M_BANK, M_COMMAND, M_SLOT, M_TIME, NO_REFRESH, PIM_PRE, PIM_PREA, PRE,
    PREA, PWRITE, P_COMMAND, P_TIME, Q_ARRIVAL, Q_BANK, Q_COLUMN, Q_DONE, Q_ROW, Q_WRITE, RD, READRES, REFAB, REFPB,
    ROW, R_BANK, R_COMMAND, R_TIME, S_ACTIVE, S_GWRITE_BANK, S_ITEM, S_MEMORY_END, S_NEXT_REQUEST, S_QUEUED,
    S_RESULT_AT, S_SERVED, S_SERVED_DURING, S_TURN, WR, State,
)  # fmt: skip


@inner
def accrue_refresh(st: State, now: int) -> None:
    """Count the refreshes that have become due."""
    if st.s[C_REFRESH] == NO_REFRESH:
        return
    for rank in range(st.s[C_RANKS]):
        line = st.rank[rank]
        while line[K_DUE] <= now:
            line[K_OWED] += 1
            line[K_DUE] += st.s[C_INTERVAL]


@inner
def refresh_candidate(st: State, now: int, allowed: bool) -> None:
    """The next command on the way to a refresh that is owed: R_TIME, R_COMMAND, R_BANK."""
    c = s = st.s
    s[R_TIME], s[R_COMMAND], s[R_BANK] = INFINITY, -1, 0
    if not allowed:
        return
    per_rank = c[C_PER_GROUP] * c[C_GROUPS]
    for rank in range(c[C_RANKS]):
        if st.rank[rank, K_OWED] == 0:
            continue
        first = rank * per_rank
        if c[C_REFRESH] == ALL_BANK:
            command, bank = REFAB, first
            for b in range(first, first + per_rank):
                if st.bank[b, B_MEMORY] >= 0:
                    command, bank = PREA, b
                elif st.bank[b, st.s[C_PIM_COLUMN]] >= 0 and command == REFAB:
                    command, bank = PIM_PREA, b
            at = legal_rank(st, command, rank)
            if c[C_PRECHARGE_ALL] == 0 and command != REFAB:
                command = PRE if command == PREA else PIM_PRE
                at = legal_bank(st, command, bank)
        else:
            bank = first + st.rank[rank, K_REFRESH_BANK]
            command = (
                PRE if st.bank[bank, B_MEMORY] >= 0 else PIM_PRE if st.bank[bank, st.s[C_PIM_COLUMN]] >= 0 else REFPB
            )
            at = legal_bank(st, command, bank)
        if at < s[R_TIME]:
            s[R_TIME], s[R_COMMAND], s[R_BANK] = at, command, bank


@inner
def refresh_issue(st: State, now: int) -> None:
    """Issue what `refresh_candidate` found; a refresh pays one that is owed."""
    command, bank = st.s[R_COMMAND], st.s[R_BANK]
    issue(st, now, command, bank, 0, 0, -1)
    if command in (REFAB, REFPB):
        per_rank = st.s[C_PER_GROUP] * st.s[C_GROUPS]
        line = st.rank[bank // per_rank]
        line[K_OWED] -= 1
        if command == REFPB:
            line[K_REFRESH_BANK] = (line[K_REFRESH_BANK] + 1) % per_rank


@inner
def take_requests(st: State, now: int) -> None:
    """Requests that have arrived enter the queue while it has room."""
    s = st.s
    while (
        s[S_QUEUED] < st.s[C_QUEUE]
        and s[S_NEXT_REQUEST] < st.requests.shape[0]
        and st.requests[s[S_NEXT_REQUEST], Q_ARRIVAL] <= now
    ):
        st.ready[st.s[C_QUEUE_AT] + s[S_QUEUED]] = s[S_NEXT_REQUEST]
        s[S_QUEUED] += 1
        s[S_NEXT_REQUEST] += 1


@inner
def memory_shut(st: State, now: int) -> bool:
    """Whether memory may use the channel at all: not while PIM holds the only row buffers or all of the channel."""
    c = s = st.s
    item = s[S_ITEM]
    if item >= st.program.shape[0]:
        return False
    if c[C_POLICY] == BLOCKED and st.program[item, ARRIVAL] <= now:
        return True
    return bool(c[C_DUAL] == 0 and s[S_ACTIVE] == 1 and st.program[item, KIND] == KIND_TILE)


@inner
def _kept_out(st: State, now: int, bank: int, row: int, refreshing: bool) -> bool:
    """Whether a request must wait for PIM or for a refresh of its bank."""
    c = s = st.s
    per_rank = c[C_PER_GROUP] * c[C_GROUPS]
    rank = bank // per_rank
    refreshed = c[C_REFRESH] == ALL_BANK or bank == rank * per_rank + st.rank[rank, K_REFRESH_BANK]
    if refreshing and refreshed and st.rank[rank, K_OWED] > 0:
        return True
    if s[S_ACTIVE] == 1:
        line = st.program[s[S_ITEM]]
        if line[KIND] == KIND_GWRITE:
            return bool(bank == s[S_GWRITE_BANK])
        return bool(row == line[ROW])  # reserved: a row is open in one of the buffers only
    return False


@inner
def memory_candidate(st: State, now: int, refreshing: bool, yields: bool) -> None:
    """The best command for the waiting requests: M_TIME, M_COMMAND, M_BANK, M_SLOT (place in the queue).

    Of those legal first: a read or write before a row command, then the older request. A row with waiting hits is not
    closed. Where memory `yields`, no activate goes out that would hold up a group activate in sight, and no burst that
    would put off PIM's next use of the data bus (a stream of them would do so for good).
    """
    c = s = st.s
    s[M_TIME], s[M_COMMAND], s[M_SLOT] = INFINITY, -1, -1
    if memory_shut(st, now):
        return
    for bank in range(c[C_BANKS]):
        st.bank[bank, B_MARK] = 0
    for place in range(s[S_QUEUED]):
        line = st.requests[st.ready[st.s[C_QUEUE_AT] + place]]
        if st.bank[line[Q_BANK], B_MEMORY] == line[Q_ROW]:
            st.bank[line[Q_BANK], B_MARK] = 1
    best_row_command = 1
    for place in range(s[S_QUEUED]):
        line = st.requests[st.ready[st.s[C_QUEUE_AT] + place]]
        bank, row = line[Q_BANK], line[Q_ROW]
        if _kept_out(st, now, bank, row, refreshing):
            continue
        row_command = 1
        if st.bank[bank, B_MEMORY] == row:
            row_command = 0
            command = WR if line[Q_WRITE] == 1 else RD
            at = _clear_of_result(st, command, max(now, legal_bank(st, command, bank)))
            if yields and _in_the_way(st, command, at):
                continue
        elif st.bank[bank, B_MARK] > 0:
            continue
        else:
            st.bank[bank, B_MARK] = 2
            command = (
                PRE if st.bank[bank, B_MEMORY] >= 0 else PIM_PRE if st.bank[bank, st.s[C_PIM_COLUMN]] == row else ACT
            )
            at = max(now, legal_bank(st, command, bank))
            if (
                command == ACT
                and yields
                and at + c[C_FAW] > st.rank[bank // (c[C_PER_GROUP] * c[C_GROUPS]), K_NEXT_ACTIVATE]
            ):
                continue
        if at < s[M_TIME] or (at == s[M_TIME] and row_command < best_row_command):
            best_row_command = row_command
            s[M_TIME], s[M_COMMAND], s[M_BANK], s[M_SLOT] = at, command, bank, place


@inner
def _in_the_way(st: State, command: int, at: int) -> bool:
    """Whether a burst would put off the READRES, GWRITE or PWRITE that PIM needs next."""
    c, wanted = st.s, st.s[P_COMMAND]
    if wanted == READRES:
        return bool(at + (c[C_WR_TO_RESULT] if command == WR else c[C_RD_TO_RESULT]) > c[P_TIME])
    turn = max(c[C_WR_TO_RESULT], c[C_RESULT_TO_WR])
    return bool(wanted in (GWRITE, PWRITE) and at + turn > c[P_TIME])


@inner
def _clear_of_result(st: State, command: int, at: int) -> int:
    """A burst goes before the result read inside a COMPS_READRES under way, or after it."""
    c, result = st.s, st.s[S_RESULT_AT]
    if result == INFINITY:
        return at
    before, after = c[C_RD_TO_RESULT], c[C_RESULT_TO_RD]
    if command == WR:
        before, after = c[C_WR_TO_RESULT], c[C_RESULT_TO_WR]
    if at + before <= result:
        return at
    return int(max(at, result + after))


@inner
def memory_issue(st: State, now: int) -> None:
    """Issue what `memory_candidate` found; a read or write answers its request."""
    c = s = st.s
    place, command = s[M_SLOT], s[M_COMMAND]
    request = st.ready[st.s[C_QUEUE_AT] + place]
    line = st.requests[request]
    if command not in (RD, WR):
        issue(st, now, command, s[M_BANK], line[Q_ROW], 0, -1)
        return
    issue(st, now, command, s[M_BANK], line[Q_ROW], line[Q_COLUMN], request)
    st.requests[request, Q_DONE] = now + (c[C_WRITE_END] if command == WR else c[C_READ_END])
    s[S_MEMORY_END] = max(s[S_MEMORY_END], st.requests[request, Q_DONE])
    s[S_SERVED] += 1
    s[S_TURN] = max(0, s[S_TURN] - 1)
    if s[S_ITEM] < st.program.shape[0]:
        s[S_SERVED_DURING] += 1
    s[S_QUEUED] -= 1
    for i in range(place, s[S_QUEUED]):
        st.ready[st.s[C_QUEUE_AT] + i] = st.ready[st.s[C_QUEUE_AT] + i + 1]
