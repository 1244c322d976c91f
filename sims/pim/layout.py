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
KIND, ARRIVAL, BANK, ROW, COMPS, READOUTS, COLUMN = range(7)
PROGRAM_FIELDS = 7
KIND_GWRITE, KIND_TILE, KIND_PWRITE = range(3)

# Memory requests: one row per burst, in the order of arrival.
Q_ARRIVAL, Q_BANK, Q_ROW, Q_COLUMN, Q_WRITE = range(5)
REQUEST_FIELDS = 5

# Settings.
(
    C_RANKS, C_GROUPS, C_PER_GROUP, C_BANKS, C_DUAL, C_PRECHARGE_ALL, C_COMPOSITE, C_STEP, C_FILL, C_HELD_BY_ISSUE,
    C_OVERLAP, C_GWRITE, C_POLICY, C_REFRESH, C_INTERVAL, C_POSTPONED, C_QUEUE, C_TURN, C_READ_END, C_WRITE_END,
    C_RD_TO_RESULT, C_RESULT_TO_RD, C_WR_TO_RESULT, C_RESULT_TO_WR, C_AT_ONCE, C_RTP, C_RP, C_RCD, C_FAW, C_FREE_GAP,
    C_GROUP_BASE, C_RANK_BASE, C_RESULT_GAP,
) = range(33)  # fmt: skip
CONFIG_FIELDS = 33
PIM_FIRST, MEMORY_FIRST, ROUND_ROBIN, BLOCKED = range(4)
NO_REFRESH, ALL_BANK, PER_BANK = range(3)

# Scalars of a run.
(
    S_NOW, S_ITEM, S_ACTIVE, S_READOUT, S_COMP, S_FIRST_COMP, S_RESULT_AT, S_WAIT, S_GWRITE_BANK, S_GWRITE_END, S_DRAIN,
    S_LOGGED, S_QUEUED, S_NEXT_REQUEST, S_SERVED, S_TURN, S_FLAG, S_GO,
    P_TIME, P_COMMAND, P_BANK, M_TIME, M_COMMAND, M_BANK, M_SLOT, R_TIME, R_COMMAND, R_BANK, S_LAST_COMP, S_PIM_END,
    S_MEMORY_END, S_STATUS, S_BUSY, S_SERVED_DURING, S_STEPS, S_ANNOUNCED,
) = range(36)  # fmt: skip
SCALARS = 36

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
    """Everything a run reads and writes."""

    c: Ints
    """int64[CONFIG_FIELDS]: settings."""
    entry: Ints
    entry_at: Ints
    region: Ints
    slot: Ints
    """Timing rows, as `sims.dram.timing.Tables`."""
    ready: Ints
    rings: Ints
    turns: Ints
    """Earliest times, and the issue times that window rows remember."""
    s: Ints
    """int64[SCALARS]."""
    memory_row: Ints
    pim_row: Ints
    """int64[banks]: open row or -1; one and the same array where a bank has one row buffer."""
    rank: Ints
    """int64[ranks, RANK_FIELDS]."""
    queue: Ints
    """int64[queue]: requests waiting, oldest first."""
    mark: Ints
    """int64[banks]: scratch of the memory scheduler."""
    activate_estimate: Ints
    """int64[activations + 1]: from the first to the last of so many group activates of a rank."""
    program: Ints
    times: Ints
    """int64[items, 2]: first command and end of each item."""
    requests: Ints
    done: Ints
    """int64[requests]: end of the burst."""
    counts: Ints
    """int64[len(NAMES)]: commands; COMP and READRES include those inside COMPS_READRES."""
    log: Ints
    """int64[n, LOG_FIELDS] as `sims.dram.engine.Stats.log`; column holds k for COMPS_READRES, and its item the last."""
