"""Simulate one channel command by command: a program of PIM items, memory requests and refresh.

run = simulate(pim_device(), program([gwrite(row=7), *[tile(row) for row in range(8)]]), requests=stream(1000))
run.pim_cycles, run.memory_bandwidth_gbps, run.log
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from archgym.errors import InvalidInput, UnknownName
from archgym.sims.dram.timing import NEVER, Tables
from archgym.sims.pim import kernel, layout as L
from archgym.sims.pim.commands import NAMES, tables
from archgym.sims.pim.device import PimDevice
from archgym.sims.pim.tile import activation_offsets

Ints = NDArray[np.int64]

POLICIES = ("pim-first", "memory-first", "round-robin", "blocked")
REFRESH = ("none", "all-bank", "per-bank")
_REFRESH_COMMAND = {"none": "none", "all-bank": "REFAB", "per-bank": "REFPB"}


@dataclass(frozen=True)
class Controller:
    """How a channel is shared.

    With two row buffers a policy says who issues first of PIM and memory when both could; with one, PIM items keep
    memory out from their first command to their last, and the policy says who has the next turn. `blocked` keeps memory
    out as long as the program is not done, with either.
    """

    policy: Literal["pim-first", "memory-first", "round-robin", "blocked"] = "pim-first"
    refresh: Literal["none", "all-bank", "per-bank"] = "all-bank"
    postponed: int | None = None
    """Intervals tREFI by which refresh may be late for a PIM item; by default none with all-bank refresh, where the
    header's estimate finds room before the next one, and one with per-bank refresh, which leaves no such room."""
    queue: int = 64
    """Memory requests the scheduler sees."""
    turn: int = 32
    """Accesses of memory between two PIM items (round-robin, one row buffer)."""

    def __post_init__(self) -> None:
        if self.policy not in POLICIES:
            raise UnknownName("policy", self.policy, POLICIES)
        if self.refresh not in REFRESH:
            raise UnknownName("refresh", self.refresh, REFRESH)
        if self.queue < 1 or self.turn < 1:
            raise InvalidInput(f"queue={self.queue}, turn={self.turn}; allowed: whole numbers from 1")
        if self.postponed is not None and not 0 <= self.postponed <= 8:  # JEDEC JESD235: eight
            raise InvalidInput(f"postponed={self.postponed}; allowed: 0 to 8 intervals")


def tile(row: int, comps: int = 0, readouts: int = 1, arrival: int = 0) -> tuple[int, ...]:
    """One row of every bank: `readouts` results of `comps` COMPs each (0: as many as a row has)."""
    return (L.KIND_TILE, arrival, 0, row, comps, readouts, 0, 0, 0)


def gwrite(row: int, bank: int = 0, arrival: int = 0) -> tuple[int, ...]:
    """Copy a row of a bank (counted over the ranks) to the vector buffer."""
    return (L.KIND_GWRITE, arrival, bank, row, 1, 1, 0, 0, 0)


def pwrite(row: int, bank: int, column: int, arrival: int = 0) -> tuple[int, ...]:
    """Write one burst into a row through the PIM row buffer (two row buffers only)."""
    return (L.KIND_PWRITE, arrival, bank, row, 1, 1, column, 0, 0)


def program(items: Iterable[tuple[int, ...]]) -> Ints:
    """Items in the order they run, int64[n, layout.PROGRAM_FIELDS]."""
    return np.array(list(items), dtype=np.int64).reshape(-1, L.PROGRAM_FIELDS)


def _requests(columns: Mapping[str, Ints] | Ints | None) -> Ints:
    """Requests as a fresh int64[n, layout.REQUEST_FIELDS]."""
    if columns is None:
        return np.zeros((0, L.REQUEST_FIELDS), dtype=np.int64)
    names = ("arrival", "bank", "row", "column", "write")
    values = [columns[:, i] if isinstance(columns, np.ndarray) else columns[name] for i, name in enumerate(names)]
    found = np.zeros((len(values[0]), L.REQUEST_FIELDS), dtype=np.int64)
    found[:, : L.Q_DONE] = np.stack(values, axis=1)
    return found


@dataclass(frozen=True)
class Run:
    """What a simulation tells; cycles are command-clock cycles of the device."""

    pim: PimDevice
    controller: Controller
    counts: Mapping[str, int]
    """Commands by name; COMP and READRES include those inside COMPS_READRES."""
    cycles: int
    """Until everything is done."""
    pim_cycles: int
    """Until the last result of the program is outside."""
    memory_cycles: int
    """Until the last burst."""
    busy_cycles: int
    """In which an item of the program was under way."""
    served_during: int
    """Bursts served before the program was done."""
    item_times: Ints
    """int64[items, 2]: first command and end."""
    done: Ints
    """int64[requests]: end of the burst."""
    open_cycles: tuple[Ints, Ints]
    """int64[ranks] each: cycles with an open row for memory (or for both, where there is one row buffer), for PIM."""
    log: Ints
    """Commands as in `sims.dram.engine.Stats.log`, codes by position in `commands.NAMES`."""

    @property
    def memory_bandwidth_gbps(self) -> float:
        """What memory moved until the program was done, or until its last burst where there was no program, GB/s."""
        cycles = self.pim_cycles if len(self.item_times) else self.memory_cycles
        served = self.served_during if len(self.item_times) else len(self.done)
        return served * self.pim.device.access_bytes / max(1, cycles) / (self.pim.device.tck_ps / 1000.0)

    @property
    def pim_utilisation(self) -> float:
        """Share of the program's time in which the multipliers work."""
        return self.counts["COMP"] * self.pim.comp_cycles / max(1, self.pim_cycles)

    @property
    def bus_utilisation(self) -> float:
        """Share of all cycles in which the data bus moves data or results."""
        bursts = self.counts["RD"] + self.counts["WR"] + self.counts["READRES"] + self.counts["PWRITE"]
        return bursts * self.pim.device.timing["nBL"] / max(1, self.cycles)


def simulate(
    pim: PimDevice,
    items: Ints,
    requests: Mapping[str, Ints] | Ints | None = None,
    controller: Controller | None = None,
    *,
    log: bool = False,
) -> Run:
    """Simulate one channel.

    Args:
        pim: the device.
        items: PIM items in order (`program`).
        requests: bursts in the order of arrival: columns arrival, bank (counted over the ranks), row, column, write.
        controller: how they share the channel.
        log: keep the command log.

    Raises:
        InvalidInput: for a bank, row or column that does not exist, COMPs beyond the row, requests out of order,
            or a device with two command buses.
    """
    controller = controller or Controller()
    if pim.device.dual_command_bus:
        raise InvalidInput(
            f"{pim.device.name} has a bus each for row and column commands; one command bus is simulated"
        )
    work, bursts = _checked(pim, items, _requests(requests))
    compiled = tables(pim, _REFRESH_COMMAND[controller.refresh])
    state = _state(pim, controller, compiled, work, bursts, 0)
    kernel.run(state)
    if log:  # deterministic, so the second run is the first, and now its length is known
        state = _state(pim, controller, compiled, work, bursts, int(state.s[L.S_LOGGED]))
        kernel.run(state)
    if state.s[L.S_STATUS]:
        raise RuntimeError("the channel model came to a standstill with work waiting; please report this")
    s = state.s
    return Run(
        pim,
        controller,
        {name: int(state.s[L.S_COUNT + code]) for code, name in enumerate(NAMES)},
        int(max(s[L.S_PIM_END], s[L.S_MEMORY_END])),
        int(s[L.S_PIM_END]),
        int(s[L.S_MEMORY_END]),
        int(s[L.S_BUSY]),
        int(s[L.S_SERVED_DURING]),
        state.program[:, L.START : L.END + 1],
        state.requests[:, L.Q_DONE],
        (state.rank[:, L.K_OPEN_CYCLES], state.rank[:, L.K_PIM_CYCLES]),
        state.log,
    )


def _checked(pim: PimDevice, items: Ints, requests: Ints) -> tuple[Ints, Ints]:
    """Program with COMPs filled in, and requests, both of places that exist."""
    work = np.array(items, dtype=np.int64).reshape(-1, L.PROGRAM_FIELDS)
    work[(work[:, L.KIND] == L.KIND_TILE) & (work[:, L.COMPS] == 0), L.COMPS] = pim.comps_per_page
    bursts_per_row = pim.device.row_bytes // pim.device.access_bytes
    for table, what, column, end in (
        (work, "bank", L.BANK, pim.banks),
        (work, "row", L.ROW, pim.device.rows),
        (work, "column", L.COLUMN, bursts_per_row),
        (requests, "bank", L.Q_BANK, pim.banks),
        (requests, "row", L.Q_ROW, pim.device.rows),
        (requests, "column", L.Q_COLUMN, bursts_per_row),
    ):
        values = table[:, column]
        if values.size and (values.min() < 0 or values.max() >= end):
            wrong = int(values.min()) if values.min() < 0 else int(values.max())
            raise InvalidInput(f"{what} {wrong} does not exist; allowed: 0 to {end - 1}")
    if work.size and (work[:, L.COMPS].min() < 1 or work[:, L.READOUTS].min() < 1):
        raise InvalidInput("a tile needs at least one COMP and one result; got comps or readouts below 1")
    if work.size and (work[:, L.COMPS] * work[:, L.READOUTS]).max() > pim.comps_per_page:
        most = int((work[:, L.COMPS] * work[:, L.READOUTS]).max())
        raise InvalidInput(f"{most} COMPs in a tile; allowed: 1 to {pim.comps_per_page}, a row's worth")
    if pim.row_buffers == 1 and (work[:, L.KIND] == L.KIND_PWRITE).any():
        raise InvalidInput("PWRITE needs row_buffers=2, got row_buffers=1; use a memory write")
    if (np.diff(requests[:, L.Q_ARRIVAL]) < 0).any():
        raise InvalidInput("requests are not in the order of arrival; sort them by arrival")
    return work, requests


def _state(pim: PimDevice, controller: Controller, compiled: Tables, work: Ints, requests: Ints, lines: int) -> L.State:
    """Fresh arrays for one run."""
    ranks, shape = pim.ranks * pim.device.pseudochannels, compiled.shape
    rank = np.zeros((ranks, L.RANK_FIELDS), dtype=np.int64)
    interval = _interval(pim, controller)
    rank[:, L.K_DUE] = (1 + np.arange(ranks)) * interval // ranks  # in turn, the authors' RANK_LEVEL_STAGGERED
    estimate = [0, *(activation_offsets(pim, n)[1] for n in range(1, pim.activations_per_rank + 1))]
    parts = [
        np.zeros(int(shape[4])),  # earliest times
        np.full(int(shape[5]), NEVER),  # windows
        np.zeros(int(shape[6])),
        np.zeros(controller.queue + 1),
        np.array(estimate),
    ]
    starts = np.cumsum([0, *(len(part) for part in parts)])
    scalars = _config(pim, controller, compiled)
    scalars[[L.C_RINGS, L.C_TURNS, L.C_QUEUE_AT, L.C_ESTIMATE]] = starts[1:5]
    scalars[L.S_RESULT_AT] = L.INFINITY
    scalars[L.S_SLOT : L.S_SLOT + len(NAMES)] = compiled.slot
    scalars[L.S_ENTRY_AT : L.S_ENTRY_AT + len(NAMES) + 1] = compiled.entry_at
    return L.State(
        scalars,
        compiled.entry,
        compiled.region,
        np.concatenate([np.asarray(part, dtype=np.int64) for part in parts]),
        np.full((pim.banks, 3), -1, dtype=np.int64),
        rank,
        work.copy(),
        requests.copy(),
        np.zeros((lines, L.LOG_FIELDS), dtype=np.int64),
    )


def _interval(pim: PimDevice, controller: Controller) -> int:
    t = pim.device.timing
    return {"none": L.INFINITY // 4, "all-bank": t["nREFI"], "per-bank": t["nREFIPB"]}[controller.refresh]


def _config(pim: PimDevice, controller: Controller, compiled: Tables) -> Ints:
    """Settings by column."""
    t, d = pim.device.timing, pim.device
    ranks = pim.ranks * d.pseudochannels
    gap = t["nBL"] + (t["nRTRS"] if ranks > 1 else 0)
    units = pim.banks_per_rank if controller.refresh == "per-bank" else 1
    default = 1 if controller.refresh == "per-bank" else 0
    postponed = default if controller.postponed is None else controller.postponed
    values = {
        L.C_RANKS: ranks,
        L.C_GROUPS: d.bankgroups,
        L.C_PER_GROUP: d.banks_per_group,
        L.C_BANKS: pim.banks,
        L.C_DUAL: int(pim.row_buffers == 2),
        L.C_PRECHARGE_ALL: int(pim.precharge == "all"),
        L.C_COMPOSITE: int(pim.command_set == "composite"),
        L.C_HEADER: int(pim.announces),
        L.C_STEP: pim.comp_cycles,
        L.C_FILL: pim.pipeline_fill,
        L.C_HELD_BY_ISSUE: int(pim.row_held_by == "issue"),
        L.C_OVERLAP: int(pim.overlap_gwrite),
        L.C_GWRITE: pim.gwrite_cycles,
        L.C_POLICY: POLICIES.index(controller.policy),
        L.C_REFRESH: REFRESH.index(controller.refresh),
        L.C_INTERVAL: _interval(pim, controller),
        L.C_POSTPONED: postponed * units,
        L.C_QUEUE: controller.queue,
        L.C_TURN: controller.turn,
        L.C_READ_END: t["nCL"] + t["nBL"],
        L.C_WRITE_END: t["nCWL"] + t["nBL"],
        L.C_RD_TO_RESULT: gap,
        L.C_RESULT_TO_RD: gap,
        L.C_WR_TO_RESULT: t["nCWL"] + t["nBL"] + t["nWTRS"],
        L.C_RESULT_TO_WR: t["nCL"] + t["nBL"] + t["nRTRS"] - t["nCWL"],
        L.C_AT_ONCE: pim.banks_per_activation,
        L.C_RTP: t["nRTP"],
        L.C_RP: t["nRPAB" if pim.precharge == "all" else "nRP"],
        L.C_RCD: t["nRCDRD"],
        L.C_FAW: t["nFAW"],
        L.C_FREE_GAP: t["nREFI"] // ranks - t["nRFC"] - t["nRP"] - t["nRTP"],
        L.C_GROUP_BASE: int(compiled.shape[7]),
        L.C_RANK_BASE: int(compiled.shape[8]),
        L.C_RESULT_GAP: max(t["nBL"], t["nCCDL"]),
        L.C_PIM_COLUMN: L.B_PIM if pim.row_buffers == 2 else L.B_MEMORY,
    }
    found = np.zeros(L.SCALARS, dtype=np.int64)
    for column, value in values.items():
        found[column] = value
    return found
