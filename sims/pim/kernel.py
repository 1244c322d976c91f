"""The channel, command by command: PIM items, memory requests and refresh share one command bus.

Time jumps to the next cycle in which a command is legal, a request arrives, a refresh falls due or a result is read.
"""

from __future__ import annotations

from archgym.sims.jit import entry, inner
from archgym.sims.pim.kernel_memory import (
    accrue_refresh, memory_candidate, memory_issue, refresh_candidate, refresh_issue, take_requests,
)  # fmt: skip
from archgym.sims.pim.kernel_pim import may_start, pim_candidate, pim_issue, result_due
from archgym.sims.pim.layout import (
    ARRIVAL, BLOCKED, COMPS, C_BANKS, C_DUAL, C_POLICY, C_RANKS, C_REFRESH, INFINITY, K_DUE, K_OPEN, K_OPEN_CYCLES,
    K_OWED, K_PIM_CYCLES, K_PIM_OPEN, K_PIM_SINCE, K_SINCE, MEMORY_FIRST, M_TIME, NO_REFRESH, PIM_FIRST, P_COMMAND,
    P_TIME, Q_ARRIVAL, READOUTS, ROUND_ROBIN, R_TIME, S_ACTIVE, S_FLAG, S_GO, S_ITEM, S_NEXT_REQUEST, S_NOW, S_QUEUED,
    S_RESULT_AT, S_SERVED, S_STATUS, S_STEPS, S_TURN, S_WAIT, State,
)  # fmt: skip


@entry
def run(st: State) -> None:
    """Run the program and the requests to their end; S_STATUS becomes 1 if that never comes."""
    s = st.s
    now = following = 0
    most = _steps_at_most(st)
    while _unfinished(st):
        now = following
        following = _step(st, now)
        s[S_STEPS] += 1
        if following >= INFINITY or s[S_STEPS] > most:
            s[S_STATUS] = 1 if _unfinished(st) else 0
            break
    s[S_NOW] = now
    for rank in range(st.s[C_RANKS]):
        line = st.rank[rank]
        if line[K_OPEN] > 0:
            line[K_OPEN_CYCLES] += now - line[K_SINCE]
        if line[K_PIM_OPEN] > 0:
            line[K_PIM_CYCLES] += now - line[K_PIM_SINCE]


@inner
def _steps_at_most(st: State) -> int:
    """More steps than any run needs; one that takes them stands still."""
    last = 0
    if st.requests.shape[0] > 0:
        last = st.requests[-1, Q_ARRIVAL]
    for item in range(st.program.shape[0]):
        last = max(last, st.program[item, ARRIVAL])
    commands = 8 * st.requests.shape[0] + 8 * st.program.shape[0] * (st.s[C_BANKS] + 64)
    for item in range(st.program.shape[0]):
        commands += 8 * st.program[item, COMPS] * st.program[item, READOUTS]
    return int(1000 + 16 * commands + last // 8)


@inner
def _unfinished(st: State) -> bool:
    """Whether items, requests or a result are left."""
    s = st.s
    return bool(s[S_ITEM] < st.program.shape[0] or s[S_SERVED] < st.requests.shape[0] or s[S_RESULT_AT] < INFINITY)


@inner
def _step(st: State, now: int) -> int:
    """Issue at most one command; the cycle to go on with."""
    s = st.s
    result_due(st, now)
    accrue_refresh(st, now)
    take_requests(st, now)
    late = _late(st)
    s[S_GO] = 1 if _may_go(st, now) else 0
    refreshing = s[S_ACTIVE] == 0 and s[S_GO] == 0
    pim_candidate(st, now)
    refresh_candidate(st, now, refreshing)
    memory_candidate(st, now, refreshing, st.s[C_DUAL] == 1 and (st.s[C_POLICY] == PIM_FIRST or late))
    if s[R_TIME] <= now:
        refresh_issue(st, now)
        return now + 1
    pim, memory = s[P_TIME] <= now and s[P_COMMAND] >= 0, s[M_TIME] <= now
    if pim and memory:
        pim = late or st.s[C_POLICY] in (PIM_FIRST, BLOCKED) or (st.s[C_POLICY] == ROUND_ROBIN and s[S_FLAG] == 0)
    if pim:
        s[S_FLAG] = 1
        pim_issue(st, now)
        return now + 1
    if memory:
        s[S_FLAG] = 0
        memory_issue(st, now)
        return now + 1
    return _next_event(st, now)


@inner
def _late(st: State) -> bool:
    """A refresh waits for the item under way, which must therefore not wait for memory."""
    if st.s[C_REFRESH] == NO_REFRESH or st.s[S_ACTIVE] == 0:
        return False
    owed = 0
    for rank in range(st.s[C_RANKS]):
        owed += st.rank[rank, K_OWED]
    return owed > 0


@inner
def _may_go(st: State, now: int) -> bool:
    """Whether the next item of the program may begin: it has come, it is its turn, and it ends before a refresh."""
    c = s = st.s
    item = s[S_ITEM]
    if item >= st.program.shape[0] or s[S_ACTIVE] == 1 or max(st.program[item, ARRIVAL], s[S_WAIT]) > now:
        return False
    # With one row buffer an item shuts memory out, so turns are whole items.
    memory_turn = c[C_POLICY] == MEMORY_FIRST or (c[C_POLICY] == ROUND_ROBIN and s[S_TURN] > 0)
    if memory_turn and c[C_DUAL] == 0 and s[S_QUEUED] > 0:
        return False
    return may_start(st, now)


@inner
def _next_event(st: State, now: int) -> int:
    """The next cycle in which anything can change."""
    s = st.s
    at = min(s[P_TIME], s[M_TIME], s[R_TIME], s[S_RESULT_AT])
    if at <= now:  # a wish that waits for another's move
        at = INFINITY if at == INFINITY else now + 1
    if s[S_NEXT_REQUEST] < st.requests.shape[0] and st.requests[s[S_NEXT_REQUEST], Q_ARRIVAL] > now:
        at = min(at, st.requests[s[S_NEXT_REQUEST], Q_ARRIVAL])
    busy = s[S_ITEM] < st.program.shape[0] or s[S_SERVED] < st.requests.shape[0]
    if st.s[C_REFRESH] != NO_REFRESH and busy:
        for rank in range(st.s[C_RANKS]):
            at = min(at, st.rank[rank, K_DUE])
    return int(at)
