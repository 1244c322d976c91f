"""Where the kernel keeps things: the map of its memory `m`, and codes of the controller's settings.

A run works on four arrays. `m`, int64[SIZE], holds every table and record at a fixed place, so that its address is a
constant in the compiled code: a field of record i of a kind is m[FIELD + STEP * i]. `a`, int64[n, 6], is the decoded
trace (read only, shared by all designs), `w`, int64[n, 6], what the run writes down per access, and `log_rows` the
command log. Plain module-level integers, because the compiler folds them into the code.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archgym.sims.dram.spec import COMMANDS

INFINITY = 1 << 60

ACT, PRE, PREA, RD, RDA, WR, WRA, REFAB, REFPB, REFSB, PDE, PDX, SREFE, SREFX = range(len(COMMANDS))

# Limits of one simulation, all channels together.
MAX_CHANNELS, MAX_RANKS, MAX_BANKS = 64, 512, 4096
MAX_BANKS_OF_CHANNEL = 512
_MAX_ENTRIES, _MAX_REGIONS, _MAX_RINGS = 1024, 48, 16384

# -- Settings: codes, whose names are in `controller.py` ---------------------------------------------------------------
OPEN, OPEN_ADAPTIVE, CLOSED, CLOSED_ADAPTIVE = range(4)
FIFO, FRFCFS, FRFCFS_GRP = range(3)
BANKWISE, READ_WRITE, SHARED = range(3)
MUX_OLDEST, MUX_STRICT, MUX_ROUND_ROBIN = range(3)
RESP_FIFO, RESP_REORDER = range(2)
NO_REFRESH, ALL_BANK, PER_BANK, SAME_BANK = range(4)
NO_POWER_DOWN, STAGGERED = range(2)
ARB_SIMPLE, ARB_FIFO, ARB_REORDER = range(3)

# -- m: configuration --------------------------------------------------------------------------------------------------
(
    C_PAGE, C_SCHEDULER, C_BUFFER, C_BUFFER_SIZE, C_MUX, C_RESPONSE, C_REFRESH, C_POSTPONE, C_PULL_IN, C_POWER_DOWN,
    C_ARBITER, C_ACTIVE, C_DRAIN_HIGH, C_DRAIN_LOW, C_CHANNELS, C_TWO_LISTS, C_DRAIN, C_BUSES, C_READ_END, C_WRITE_END,
    C_RTP, C_RAS, C_WRITE_CLOSE, C_REF_INTERVAL, C_HIT_LIMIT, C_FREE_EARLY, C_STAGE, C_SAME_PHASE, C_PLAIN,
) = range(29)  # fmt: skip
CONFIG_FIELDS = 48

# -- m: the shape of a channel, as `timing.Tables.shape` gives it ------------------------------------------------------
(
    N_PSEUDO, N_RANKS, N_GROUPS, N_PER_GROUP, N_READY, N_RING, N_NODES, N_GROUP_BASE, N_RANK_BASE, N_BANKS,
) = range(CONFIG_FIELDS, CONFIG_FIELDS + 10)  # fmt: skip

# -- m: the whole run. G_HITS, G_MISSES, G_CONFLICTS stay together: a bank's B_FRESH picks one -------------------------
_G = CONFIG_FIELDS + 16
(
    G_ISSUED, G_DELIVERED, G_ORDERED, G_SERVED, G_LOGGED, G_FRONT, G_WAKE, G_HITS, G_MISSES, G_CONFLICTS,
) = range(_G, _G + 10)  # fmt: skip
COUNT_OF = _G + 16
"""Commands issued, by command."""

# -- m: timing rows ----------------------------------------------------------------------------------------------------
SLOT = COUNT_OF + 16
ENTRY_AT = SLOT + 16
_ENTRY = ENTRY_AT + 32
ENTRY_STEP = 10
(
    E_BASE, E_REGION, E_COUNT, E_OUTER, E_OUTER_COUNT, E_LATENCY, E_RING, E_WINDOW, E_RING_NODE, E_RING_REGION,
) = range(_ENTRY, _ENTRY + ENTRY_STEP)  # fmt: skip
REGIONS = _ENTRY + ENTRY_STEP * _MAX_ENTRIES
_AFTER_REGIONS = REGIONS + _MAX_REGIONS * MAX_BANKS_OF_CHANNEL

# -- m: channels -------------------------------------------------------------------------------------------------------
CHANNEL_STEP = 32
(
    H_ACTIVE, H_FREE_0, H_FREE_1, H_TIME_0, H_BANK_0, H_TIME_1, H_BANK_1, H_READS, H_WRITES, H_DRAINING, H_LAST_WRITE,
    H_STRICT, H_HEAD, H_ACCEPT_AT, H_RESPONSE_AT, H_NEXT_RESPONSE, H_DIRTY, H_ATTEND, H_WAKE, H_NEXT, H_OUT_HEAD,
    H_OUT_TAIL, H_OUT_BASE, H_TURN, H_MOVE_AT, H_DRAIN_LEFT, H_STAGED, H_STAGED_WRITES, H_STAGE, H_STAGE_WRITES,
    H_STAGE_END, H_STAGE_WRITES_END,
) = range(_AFTER_REGIONS, _AFTER_REGIONS + 32)  # fmt: skip

# -- m: ranks ----------------------------------------------------------------------------------------------------------
RANK_STEP = 32
_R = _AFTER_REGIONS + CHANNEL_STEP * MAX_CHANNELS
(
    R_OPEN, R_MODE, R_SINCE, R_CLOSING, R_IDLE_AT, R_PENDING, R_REF_AT, R_FLEX, R_PULLED_IN, R_LEFT, R_REF_BANK,
    R_SKIP, R_SLEEPING, R_PD_STATE, R_PD_ENTRY, R_PD_EXIT, R_PD_SREF, R_IDLE, R_COMMAND, R_COMMAND_AT, R_TARGET,
    R_BLOCKED, R_FIRST_BANK, R_SPENT,
) = range(_R, _R + 24)  # fmt: skip
# What a rank does with its time: values of R_MODE, and R_SPENT + mode counts its cycles.
M_PRECHARGED, M_ACTIVE, M_PD_PRECHARGED, M_PD_ACTIVE, M_SELF_REFRESH = range(5)
MODES = 5
# Values of R_PD_STATE.
PD_AWAKE, PD_ACTIVE, PD_PRECHARGED, PD_SELF_REFRESH, PD_EXTRA_REFRESH = range(5)

# -- m: banks, and their request lists (two each: reads or everything, and writes) -------------------------------------
BANK_STEP = 18
_B = _R + RANK_STEP * MAX_RANKS
(
    B_OPEN, B_CANDIDATE, B_COMMAND, B_BUS, B_PLACE, B_KEEP, B_CLOSED_FOR, B_FRESH, B_ACT_AT,
    B_COUNT, B_RANK, B_GROUP, B_BLOCKED, B_CHANNEL, B_SERVED, B_OLDER, B_LEFT, B_LOCAL,
) = range(_B, _B + BANK_STEP)  # fmt: skip
LIST_STEP = 8
_L = _B + BANK_STEP * MAX_BANKS
L_HEAD, L_TAIL, L_COUNT, L_HITS, L_FIRST_HIT = range(_L, _L + 5)
# Per channel, the banks with a candidate command, in no order: what the selection reads, side by side.
BUSY_STEP = 4
_K = _L + 2 * LIST_STEP * MAX_BANKS
K_BANK, K_AGE, K_AT_BANK, K_AT_GROUP = range(_K, _K + BUSY_STEP)

# -- m: earliest times (see `timing.py`) and the issue times of window rows --------------------------------------------
READY = _K + BUSY_STEP * MAX_BANKS
RINGS = READY + len(COMMANDS) * (2 * MAX_BANKS + MAX_RANKS)
RING_TURN = RINGS + _MAX_RINGS
SIZE = RING_TURN + _MAX_RINGS

# -- a: the trace ------------------------------------------------------------------------------------------------------
A_BANK, A_ROW, A_COLUMN, A_WRITE, A_ARRIVAL, A_FOLLOWING = range(6)
"""Bank over all channels, row, column, 1 for a write, first cycle it may enter, next access of the channel or -1."""
ACCESS_FIELDS = 6

# -- w: what becomes of an access --------------------------------------------------------------------------------------
W_AFTER, W_BEFORE, W_ENTERED, W_ANSWERED, W_DONE, W_LEAVING = range(6)
"""Neighbours in its bank's list, cycles it entered, was answered by the controller and arrived at the requester (-1:
not yet); and, indexed by answer, the answer times of each channel for the arbiter."""
WORK_FIELDS = 6

LOG_FIELDS = 10
OUT_NAMES = (
    "cycles", "reads", "writes", "row_hits", "row_misses", "row_conflicts", "n_act", "n_pre", "n_prea", "n_rd", "n_rda",
    "n_wr", "n_wra", "n_refab", "n_refpb", "n_refsb", "n_pde", "n_pdx", "n_srefe", "n_srefx", "cycles_precharged",
    "cycles_active", "cycles_pd_precharged", "cycles_pd_active", "cycles_self_refresh", "latency_sum", "latency_p50",
    "latency_p95", "latency_p99", "latency_max", "service_sum", "commands", "status",
)  # fmt: skip
"""What the kernel reports of a run: counts and cycles, all integers."""


class Accesses(NamedTuple):
    """A decoded trace: one entry per burst, in the order of the trace."""

    table: NDArray[np.int64]
    """int64[n, ACCESS_FIELDS]."""
    first: NDArray[np.int64]
    """First access of each channel, or -1."""
    bursts: int
    """Accesses per request."""
