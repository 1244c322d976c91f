"""Every timing row of every device is illegal one cycle early and legal on time: rows, checker and engine agree.

For each pair of commands a row names, a short script brings the banks into the state that the pair needs, long before.
The row must then decide the first legal cycle of the second command; the checker, which does not read rows, must find
that cycle, and so must the tables that the engine compiles from the rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from archgym.sims.dram import layout
from archgym.sims.dram.checker import check
from archgym.sims.dram.devices import DEVICES
from archgym.sims.dram.kernel_issue import impose
from archgym.sims.dram.spec import COMMANDS, LEVELS, Device, Timing
from archgym.sims.dram.timing import NEVER, RANK_COMMANDS, Tables, compile_device

RANKS = 2
SETUP, START = 20_000, 100_000
COLUMN = ("RD", "RDA", "WR", "WRA")
NEEDS_CLOSED = ("ACT", "REFAB", "REFPB", "REFSB", "SREFE")


@dataclass(frozen=True)
class Step:
    """A command at a cycle; place is (pseudo channel, rank, bank group, bank)."""

    cycle: int
    name: str
    place: tuple[int, int, int, int]


def nodes(step: Step, level: str, device: Device) -> set[tuple[int, ...]]:
    """Nodes of a level that a command goes to."""
    pseudochannel, rank, group, bank = step.place
    depth = {"channel": 0, "pseudochannel": 1, "rank": 2, "bankgroup": 3, "bank": 4}[level]
    if depth <= 2:
        return {(pseudochannel, rank)[:depth]}
    groups = range(device.bankgroups) if step.name in (*RANK_COMMANDS, "REFSB") else [group]
    banks = range(device.banks_per_group) if step.name in RANK_COMMANDS else [bank]
    return {(pseudochannel, rank, g, b)[:depth] for g in groups for b in banks}


def binds(row: Timing, before: Step, after: Step, device: Device) -> bool:
    first, second = nodes(before, row.level, device), nodes(after, row.level, device)
    if not row.sibling:
        return bool(first & second)
    parent = LEVELS[LEVELS.index(row.level) - 1]
    return not first & second and bool(nodes(before, parent, device) & nodes(after, parent, device))


def first_legal_by_rows(device: Device, script: list[Step], after: Step) -> int:
    """Go through all rows and all earlier commands, as `Timing` says it in words."""
    found = 0
    for row in device.constraints:
        if after.name in row.following:
            times = [s.cycle for s in script if s.name in row.preceding and binds(row, s, after, device)]
            if len(times) >= row.window:
                found = max(found, sorted(times)[-row.window] + row.latency)
    return found


def trace(device: Device, script: list[Step]) -> np.ndarray:
    ordered = sorted(script, key=lambda step: step.cycle)
    lines = [(s.cycle, 0, *s.place, 0, 0, COMMANDS.index(s.name), 0 if s.name in COLUMN else -1) for s in ordered]
    return np.array(lines, dtype=np.int64)


class EngineTables:
    """The engine's own `impose` on the tables it compiles, and its rule for the first legal cycle."""

    def __init__(self, device: Device) -> None:
        self.device = device
        absent = {"REFAB", "REFPB", "REFSB"} - set(device.refresh)
        self.tables: Tables = compile_device(device, RANKS, frozenset(COMMANDS) - absent)
        m = self.m = np.zeros(layout.SIZE, dtype=np.int64)
        shape, entry, region = self.tables.shape, self.tables.entry, self.tables.region
        m[layout.N_PSEUDO : layout.N_PSEUDO + len(shape)] = shape
        m[layout.N_BANKS] = self.banks = region.shape[1]
        m[layout.SLOT : layout.SLOT + len(COMMANDS)] = self.tables.slot
        m[layout.ENTRY_AT : layout.ENTRY_AT + len(COMMANDS) + 1] = self.tables.entry_at
        m[layout.E_BASE : layout.E_BASE + entry.size] = entry.ravel()
        m[layout.REGIONS : layout.REGIONS + region.size] = region.ravel()

    def first_legal(self, script: list[Step], after: Step) -> int:
        m = self.m
        m[layout.READY : layout.READY + m[layout.N_READY]] = 0
        m[layout.RINGS : layout.RINGS + m[layout.N_RING]] = NEVER
        m[layout.RING_TURN : layout.RING_TURN + m[layout.N_NODES]] = 0
        nothing = np.zeros((1, 6), dtype=np.int64)
        for step in sorted(script, key=lambda step: step.cycle):
            impose(m, nothing, nothing, 0, COMMANDS.index(step.name), self._bank(step), step.cycle)
        slot, bank = int(m[layout.SLOT + COMMANDS.index(after.name)]), self._bank(after)
        d, per_rank = self.device, self.device.bankgroups * self.device.banks_per_group
        if after.name in RANK_COMMANDS:
            ranks = d.pseudochannels * RANKS
            return int(m[layout.READY + m[layout.N_RANK_BASE] + slot * ranks + bank // per_rank])
        groups = self.banks // d.banks_per_group
        targets = [bank]
        if after.name == "REFSB":
            targets = list(range(bank, bank - bank % per_rank + per_rank, d.banks_per_group))
        of_bank = [m[layout.READY + slot * self.banks + b] for b in targets]
        base = layout.READY + m[layout.N_GROUP_BASE] + slot * groups
        return int(max(of_bank + [m[base + b // d.banks_per_group] for b in targets]))

    def _bank(self, step: Step) -> int:
        pseudochannel, rank, group, bank = step.place
        group, bank = (0, 0) if step.name in RANK_COMMANDS else (group, bank)
        group = 0 if step.name == "REFSB" else group
        d = self.device
        return ((pseudochannel * RANKS + rank) * d.bankgroups + group) * d.banks_per_group + bank


def neighbour(row: Timing, device: Device) -> tuple[int, int, int, int]:
    """The place nearest to (0, 0, 0, 0) that the row still reaches, but no row of a lower level."""
    if row.sibling or (row.level in ("channel", "pseudochannel") and device.pseudochannels == 1):
        return 0, 1, 0, 0
    if row.level in ("channel", "pseudochannel"):
        return 1, 0, 0, 0
    if row.level == "rank":
        return (0, 0, 1, 1) if device.bankgroups > 1 else (0, 0, 0, 1)
    return (0, 0, 0, 1) if row.level == "bankgroup" else (0, 0, 0, 0)


def pair_script(row: Timing, before: str, after: str, device: Device) -> tuple[list[Step], Step]:
    """Commands up to and including `before` at START, what must come between, and where `after` goes."""
    t, here = device.timing, (0, 0, 0, 0)
    there = here if after in RANK_COMMANDS and not row.sibling and row.level == "rank" else neighbour(row, device)
    script = []
    if before in (*COLUMN, "PRE", "PREA"):
        script.append(Step(START - SETUP, "ACT", here))
    if before in ("PDX", "SREFX"):
        script.append(Step(START - SETUP // 2, {"PDX": "PDE", "SREFX": "SREFE"}[before], here))
    same_rank = there[:2] == here[:2]
    if after in COLUMN and there != here and not (same_rank and before == "SREFX"):
        script.append(Step(START - SETUP - 1000, "ACT", there))
    elif after in COLUMN and before == "PDX":
        script.append(Step(START - SETUP, "ACT", there))
    if after in ("PDX", "SREFX") and before not in ("PDE", "SREFE"):
        script.append(Step(START - SETUP // 2, {"PDX": "PDE", "SREFX": "SREFE"}[after], there))
    script.append(Step(START, before, here))
    closes = (
        after in ("REFAB", "SREFE") or (after in NEEDS_CLOSED and there == here) or (after == "REFSB" and there[3] == 0)
    )
    if same_rank and closes and before in ("ACT", "RD", "WR"):
        recovery = {"ACT": t["nRAS"], "RD": t["nRTP"], "WR": t["nCWL"] + t["nBL"] + t["nWR"]}[before]
        script.append(Step(START + recovery, "PRE", here))
    if before == "SREFX" and after in COLUMN and same_rank:
        script.append(Step(START + t["nXS"], "ACT", there))
    return script, Step(0, after, there)


def window_script(row: Timing, before: str, after: str, device: Device) -> tuple[list[Step], Step]:
    """One `before`, three activates as close as the other rows allow, then `after`."""
    places = [(0, 0, i % device.bankgroups, i // device.bankgroups) for i in range(5)]
    script = [Step(START, before, places[0])]
    for place in places[1:4]:
        script.append(Step(first_legal_by_rows(device, script, Step(0, "ACT", place)), "ACT", place))
    return script, Step(0, after, places[4])


def cases(device: Device) -> list[tuple[Timing, str, str]]:
    return [(row, before, after) for row in device.constraints for before in row.preceding for after in row.following]


def cannot_bind(row: Timing, before: str, after: str, device: Device) -> bool:
    """Pairs in which another row, or the order of commands, always asks for more."""
    t = device.timing
    if row.window == 4:  # the spacings alone are longer than the window
        first, last = (
            t["nPBR2ACT"] if before == "REFPB" else t["nRRDS"],
            t["nACT2PBR"] if after == "REFPB" else t["nRRDS"],
        )
        apart = t["nPBR2PBR"] if before == after == "REFPB" else 0
        return max(first + 2 * t["nRRDS"] + last, apart) > t["nFAW"]
    if after == "SREFE" and before in ("RD", "RDA"):  # of the end of the burst and the precharge, the later decides
        return row.latency < max(t["nRTP"] + t["nRP"], t["nRDPDEN"])
    # Commands on one bus, two columns: their bursts, on one data bus, are longer than they are.
    return row.level == "channel" and before in COLUMN and after in COLUMN and row.latency < t["nBL"] + t["nRTRS"]


@pytest.mark.parametrize("name", sorted(DEVICES))
def test_every_row_is_illegal_one_cycle_early_and_legal_on_time(name):
    device, missed = DEVICES[name], []
    engine = EngineTables(device)
    for row, before, after in cases(device):
        make = window_script if row.window > 1 else pair_script
        script, last = make(row, before, after, device)
        earliest = first_legal_by_rows(device, script, last)
        what = f"{row.doc}: {before} -> {after}"
        if earliest != START + row.latency:
            missed.append((row, before, after, earliest))
        on_time, early = Step(earliest, after, last.place), Step(earliest - 1, after, last.place)
        assert check(device, RANKS, trace(device, script)) == [], what
        assert check(device, RANKS, trace(device, [*script, on_time])) == [], what
        assert check(device, RANKS, trace(device, [*script, early])) != [], what
        assert engine.first_legal(script, last) == earliest, what
    assert [case for case in missed if not cannot_bind(*case[:3], device)] == []


@pytest.mark.parametrize("name", sorted(DEVICES))
def test_a_row_that_is_one_cycle_short_is_found(name):
    """The checker does not read rows: the rules it knows by name refuse what a wrong row would allow."""
    device = DEVICES[name]
    wrong = 0
    for row in device.constraints:
        before, after = row.preceding[0], row.following[0]
        make = window_script if row.window > 1 else pair_script
        script, last = make(row, before, after, device)
        if first_legal_by_rows(device, script, last) == START + row.latency:
            wrong += 1
            found = check(device, RANKS, trace(device, [*script, Step(START + row.latency - 1, after, last.place)]))
            assert any(v.cycle == START + row.latency - 1 for v in found), row
    assert wrong > 0.9 * len(device.constraints)
