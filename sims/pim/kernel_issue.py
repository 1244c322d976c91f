"""Channel kernel, part 1: when a command is legal, and what issuing it does to the tables, the rows and the log."""

from __future__ import annotations

from archgym.sims.jit import inner
from archgym.sims.dram.layout import (
    E_BASE, E_COUNT, E_LATENCY, E_OUTER, E_OUTER_COUNT, E_REGION, E_RING, E_RING_NODE, E_RING_REGION, E_WINDOW,
)  # fmt: skip
from archgym.sims.pim.layout import (
    ACT, B_MEMORY, COMP, C_AT_ONCE, C_BANKS, C_DUAL, C_GROUPS, C_GROUP_BASE, C_PER_GROUP, C_PIM_COLUMN, C_RANKS,
    C_RANK_BASE, C_RINGS, C_TURNS, G_ACT, INFINITY, K_OPEN, K_OPEN_CYCLES, K_PIM_CYCLES, K_PIM_OPEN, K_PIM_SINCE,
    K_SINCE, PIM_PRE, PIM_PREA, PRE, PREA, S_COUNT, S_ENTRY_AT, S_LOGGED, S_SLOT, State,
)  # fmt: skip

_E = E_BASE  # columns of an entry, counted from its first
(
    _BASE, _REGION, _COUNT, _OUTER, _OUTER_COUNT, _LATENCY, _RING, _WINDOW, _RING_NODE, _RING_REGION,
) = (
    E_BASE - _E, E_REGION - _E, E_COUNT - _E, E_OUTER - _E, E_OUTER_COUNT - _E, E_LATENCY - _E, E_RING - _E,
    E_WINDOW - _E, E_RING_NODE - _E, E_RING_REGION - _E,
)  # fmt: skip


@inner
def legal_bank(st: State, command: int, bank: int) -> int:
    """Earliest cycle of a command to one bank."""
    c, slot = st.s, st.s[S_SLOT + command]
    groups = c[C_BANKS] // c[C_PER_GROUP]
    at = st.ready[slot * c[C_BANKS] + bank]
    return int(max(at, st.ready[c[C_GROUP_BASE] + slot * groups + bank // c[C_PER_GROUP]]))


@inner
def legal_rank(st: State, command: int, rank: int) -> int:
    """Earliest cycle of a command to a whole rank."""
    return int(st.ready[st.s[C_RANK_BASE] + st.s[S_SLOT + command] * st.s[C_RANKS] + rank])


@inner
def legal_channel(st: State, command: int) -> int:
    """Earliest cycle of a command to all banks of the channel."""
    at = -INFINITY
    for rank in range(st.s[C_RANKS]):
        at = max(at, legal_rank(st, command, rank))
    return at


@inner
def legal_set(st: State, first: int) -> int:
    """Earliest cycle of a group activate of the banks from `first` on."""
    at = -INFINITY
    for bank in range(first, first + st.s[C_AT_ONCE]):
        at = max(at, legal_bank(st, G_ACT, bank))
    return at


@inner
def impose(st: State, command: int, bank: int, now: int) -> None:
    """Raise the earliest times of whatever must wait for `command`, sent to a bank (of a set, its first) at `now`."""
    for e in range(st.s[S_ENTRY_AT + command], st.s[S_ENTRY_AT + command + 1]):
        row = st.entry[e]
        time = now + row[_LATENCY]
        if row[_RING] >= 0:
            window = row[_WINDOW]
            node = st.region[row[_RING_REGION], bank]
            place, at = row[_RING_NODE] + node, row[_RING] + node * window
            turn = st.ready[st.s[C_TURNS] + place]
            st.ready[st.s[C_RINGS] + at + turn] = now
            turn = turn + 1 if turn + 1 < window else 0
            st.ready[st.s[C_TURNS] + place] = turn
            time = st.ready[st.s[C_RINGS] + at + turn] + row[_LATENCY]
        low = row[_BASE] + st.region[row[_REGION], bank]
        high = low + row[_COUNT]
        if row[_OUTER] >= 0:
            first = row[_BASE] + st.region[row[_OUTER], bank]
            for i in range(first, low):
                st.ready[i] = max(st.ready[i], time)
            for i in range(high, first + row[_OUTER_COUNT]):
                st.ready[i] = max(st.ready[i], time)
        else:
            for i in range(low, high):
                st.ready[i] = max(st.ready[i], time)


@inner
def write_log(st: State, now: int, command: int, bank: int, row: int, column: int, request: int) -> None:
    """Count a command and, where there is room, write it down for an independent reader."""
    st.s[S_COUNT + command] += 1
    at = st.s[S_LOGGED]
    st.s[S_LOGGED] = at + 1
    if at < st.log.shape[0]:
        per_group, groups = st.s[C_PER_GROUP], st.s[C_GROUPS]
        line = st.log[at]
        line[0], line[1], line[2] = now, 0, 0
        line[3] = bank // (per_group * groups)
        line[4] = bank // per_group % groups
        line[5] = bank % per_group
        line[6], line[7], line[8], line[9] = row, column, command, request


@inner
def issue(st: State, now: int, command: int, bank: int, row: int, column: int, request: int) -> None:
    """Put a command on the bus: log it, let others wait for it, open and close rows."""
    write_log(st, now, command, bank, row, column, request)
    impose(st, command, bank, now)
    per_rank = st.s[C_PER_GROUP] * st.s[C_GROUPS]
    rank = bank // per_rank
    if command == ACT:
        st.bank[bank, B_MEMORY] = row
        _count_open(st, rank, K_OPEN, K_SINCE, K_OPEN_CYCLES, 1, now)
    elif command == G_ACT:
        for b in range(bank, bank + st.s[C_AT_ONCE]):
            st.bank[b, st.s[C_PIM_COLUMN]] = row
        _opened_by_pim(st, rank, st.s[C_AT_ONCE], now)
    elif command == PRE:
        st.bank[bank, B_MEMORY] = -1
        _count_open(st, rank, K_OPEN, K_SINCE, K_OPEN_CYCLES, -1, now)
    elif command == PIM_PRE:
        st.bank[bank, st.s[C_PIM_COLUMN]] = -1
        _opened_by_pim(st, rank, -1, now)
    elif command in (PREA, PIM_PREA):
        for b in range(rank * per_rank, (rank + 1) * per_rank):
            if command == PREA and st.bank[b, B_MEMORY] >= 0:
                st.bank[b, B_MEMORY] = -1
                _count_open(st, rank, K_OPEN, K_SINCE, K_OPEN_CYCLES, -1, now)
            elif command == PIM_PREA and st.bank[b, st.s[C_PIM_COLUMN]] >= 0:
                st.bank[b, st.s[C_PIM_COLUMN]] = -1
                _opened_by_pim(st, rank, -1, now)


@inner
def comps_inside(st: State, number: int, last: int) -> None:
    """The COMPs inside a COMPS_READRES, up to the one at `last`."""
    st.s[S_COUNT + COMP] += number
    impose(st, COMP, 0, last)


@inner
def _opened_by_pim(st: State, rank: int, change: int, now: int) -> None:
    """With one row buffer PIM's rows are memory's."""
    if st.s[C_DUAL] == 1:
        _count_open(st, rank, K_PIM_OPEN, K_PIM_SINCE, K_PIM_CYCLES, change, now)
    else:
        _count_open(st, rank, K_OPEN, K_SINCE, K_OPEN_CYCLES, change, now)


@inner
def _count_open(st: State, rank: int, number: int, since: int, cycles: int, change: int, now: int) -> None:
    """Keep the time during which a rank has open rows of a kind."""
    line = st.rank[rank]
    before = line[number]
    line[number] = before + change
    if before == 0 and line[number] > 0:
        line[since] = now
    elif before > 0 and line[number] == 0:
        line[cycles] += now - line[since]
