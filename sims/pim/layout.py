"""Where the channel kernel keeps things: columns of its arrays, as plain integers the compiler folds into the code."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archgym.sims.pim.commands import NAMES

Ints = NDArray[np.int64]
INFINITY = 1 << 60

ACT, PRE, PREA, RD, WR, REFAB, REFPB = (NAMES.index(n) for n in ("ACT", "PRE", "PREA", "RD", "WR", "REFAB", "REFPB"))
GWRITE, G_ACT, COMP, READRES, PIM_PRE, PIM_PREA, PWRITE, HEADER, COMPS_READRES = (
    NAMES.index(n)
    for n in ("GWRITE", "G_ACT", "COMP", "READRES", "PIM_PRE", "PIM_PREA", "PWRITE", "HEADER", "COMPS_READRES")
)

# Program: one row per item.
KIND, ARRIVAL, BANK, ROW, COMPS, READOUTS, COLUMN, START, END = range(9)
"""START and END are written by the kernel: the first command, and when the result is outside."""
PROGRAM_FIELDS = 9
KIND_GWRITE, KIND_TILE, KIND_PWRITE = range(3)

# Memory requests: one row per burst, in the order of arrival.
Q_ARRIVAL, Q_BANK, Q_ROW, Q_COLUMN, Q_WRITE, Q_DONE = range(6)
"""Q_DONE is written by the kernel: the end of the burst."""
REQUEST_FIELDS = 6

# One array holds scalars and tables of fixed size. First the settings,
(
    C_RANKS, C_GROUPS, C_PER_GROUP, C_BANKS, C_DUAL, C_PRECHARGE_ALL, C_COMPOSITE, C_STEP, C_FILL, C_HELD_BY_ISSUE,
    C_OVERLAP, C_GWRITE, C_POLICY, C_REFRESH, C_INTERVAL, C_POSTPONED, C_QUEUE, C_TURN, C_READ_END, C_WRITE_END,
    C_RD_TO_RESULT, C_RESULT_TO_RD, C_WR_TO_RESULT, C_RESULT_TO_WR, C_AT_ONCE, C_RTP, C_RP, C_RCD, C_FAW, C_FREE_GAP,
    C_GROUP_BASE, C_RANK_BASE, C_RESULT_GAP, C_HEADER, C_PIM_COLUMN, C_RINGS, C_TURNS, C_QUEUE_AT, C_ESTIMATE,
) = range(39)  # fmt: skip
PIM_FIRST, MEMORY_FIRST, ROUND_ROBIN, BLOCKED = range(4)
NO_REFRESH, ALL_BANK, PER_BANK = range(3)

# then the scalars of a run (P_, M_, R_: the proposals of PIM, memory and refresh),
_S = 40
(
    S_NOW, S_ITEM, S_ACTIVE, S_READOUT, S_COMP, S_FIRST_COMP, S_RESULT_AT, S_WAIT, S_GWRITE_BANK, S_GWRITE_END, S_DRAIN,
    S_LOGGED, S_QUEUED, S_NEXT_REQUEST, S_SERVED, S_TURN, S_FLAG, S_GO, S_LAST_COMP, S_PIM_END, S_MEMORY_END, S_STATUS,
    S_BUSY, S_SERVED_DURING, S_STEPS, S_ANNOUNCED,
    P_TIME, P_COMMAND, P_BANK, M_TIME, M_COMMAND, M_BANK, M_SLOT, R_TIME, R_COMMAND, R_BANK,
) = range(_S, _S + 36)  # fmt: skip
# and by command: its slot in `ready`, where its rows begin, how often it was issued.
S_SLOT = 80
S_ENTRY_AT = S_SLOT + 32
S_COUNT = S_ENTRY_AT + 33
SCALARS = S_COUNT + 32

# Per bank: the open row of each buffer or -1 (C_PIM_COLUMN says which one PIM uses), scratch of the memory scheduler.
B_MEMORY, B_PIM, B_MARK = range(3)

# Per rank.
(
    K_OWED,
    K_DUE,
    K_REFRESH_BANK,
    K_NEXT_ACTIVATE,
    K_OPEN,
    K_SINCE,
    K_OPEN_CYCLES,
    K_PIM_OPEN,
    K_PIM_SINCE,
    K_PIM_CYCLES,
) = range(10)
RANK_FIELDS = 10

LOG_FIELDS = 10


class State(NamedTuple):
    """Everything a run reads and writes; few arrays, because each costs compile time in every function."""

    s: Ints
    """int64[SCALARS]: settings, scalars, tables by command."""
    entry: Ints
    region: Ints
    """Timing rows, as `sims.dram.timing.Tables`."""
    ready: Ints
    """Earliest times; from C_RINGS and C_TURNS on what window rows remember; from C_QUEUE_AT on the waiting requests,
    oldest first; from C_ESTIMATE on the cycles from the first to the last of so many group activates of a rank."""
    bank: Ints
    """int64[banks, 3]."""
    rank: Ints
    """int64[ranks, RANK_FIELDS]."""
    program: Ints
    """int64[items, PROGRAM_FIELDS]."""
    requests: Ints
    """int64[requests, REQUEST_FIELDS]."""
    log: Ints
    """int64[n, LOG_FIELDS] as `sims.dram.engine.Stats.log`; column holds k for COMPS_READRES; the last is the request
    of a read or write, the item of a PIM command, or -1."""
