"""PIM rows one by one: illegal one cycle early, legal on time, by the rows and by the checker, which reads none.

Cycles are worked out by hand from NeuPIMs' timings: tRCD 14, tRP 14, tRAS 34, tRFC 260, tFAW 30, RL 14, WL 4, a burst
of 2, tWTR 6 and 8, tWR 16, tRTP 5, tRTRS 2, GWRITE 96.
"""

from __future__ import annotations

import numpy as np
import pytest

from archgym.sims.dram.spec import LEVELS, Timing
from archgym.sims.pim.checker import check
from archgym.sims.pim.commands import NAMES, extended, rows
from archgym.sims.pim.device import PimDevice, pim_device

START = 100_000
CHANNEL = ("COMP", "READRES")
RANK = ("PREA", "PIM_PREA", "REFAB")
Command = tuple[int, str, int, int]  # cycle, name, bank, row


def opened(row: int = 5, sets: range = range(8)) -> list[Command]:
    """A tile's rows, long before."""
    return [(-9000 + 200 * i, "G_ACT", 4 * i, row) for i in sets]


def act(bank: int, row: int = 1) -> Command:
    return (-3000 + 60 * bank, "ACT", bank, row)


def comp(at: int = -100) -> Command:
    return (at, "COMP", 0, 5)


ONE_COMP = [*opened(), comp()]
DUAL: list[tuple[str, list[Command], Command, tuple[str, int, int], int]] = [
    ("COMP to COMP", opened(), comp(0), ("COMP", 0, 5), 2),
    ("COMP to READRES", ONE_COMP, comp(0), ("READRES", 0, 5), 2),
    ("READRES to COMP", ONE_COMP, (0, "READRES", 0, 5), ("COMP", 0, 5), 2),
    ("READRES to RD", [*ONE_COMP, act(0)], (0, "READRES", 0, 5), ("RD", 0, 1), 2 + 2),
    ("READRES to WR", [*ONE_COMP, act(0)], (0, "READRES", 0, 5), ("WR", 0, 1), 14 + 2 + 2 - 4),
    ("RD to READRES", [*ONE_COMP, act(0)], (0, "RD", 0, 1), ("READRES", 0, 5), 2 + 2),
    ("WR to READRES", [*ONE_COMP, act(0)], (0, "WR", 0, 1), ("READRES", 0, 5), 4 + 2 + 6),
    ("RD to GWRITE", [act(0), act(4)], (0, "RD", 0, 1), ("GWRITE", 4, 1), 2),
    ("RD to GWRITE, same group", [act(0), act(1)], (0, "RD", 0, 1), ("GWRITE", 1, 1), 2),
    ("WR to GWRITE", [act(0), act(4)], (0, "WR", 0, 1), ("GWRITE", 4, 1), 4 + 2 + 6),
    ("WR to GWRITE, same group", [act(0), act(1)], (0, "WR", 0, 1), ("GWRITE", 1, 1), 4 + 2 + 8),
    ("ACT to GWRITE", [], (0, "ACT", 0, 1), ("GWRITE", 0, 1), 14),
    ("COMP to GWRITE", [*opened(), act(0)], comp(0), ("GWRITE", 0, 1), 2),
    ("READRES to GWRITE", [*ONE_COMP, act(0)], (0, "READRES", 0, 5), ("GWRITE", 0, 1), 2),
    ("GWRITE to COMP", [*opened(), act(0)], (0, "GWRITE", 0, 1), ("COMP", 0, 5), 96),
    ("GWRITE to READRES", [*ONE_COMP, act(0)], (0, "GWRITE", 0, 1), ("READRES", 0, 5), 96),
    ("GWRITE to GWRITE, other rank", [act(0), act(16)], (0, "GWRITE", 0, 1), ("GWRITE", 16, 1), 96),
    ("GWRITE to RD of its bank", [act(0)], (0, "GWRITE", 0, 1), ("RD", 0, 1), 96),
    ("GWRITE to WR of its bank", [act(0)], (0, "GWRITE", 0, 1), ("WR", 0, 1), 96),
    ("GWRITE to PRE of its bank", [act(0)], (0, "GWRITE", 0, 1), ("PRE", 0, 0), 96),
    ("GWRITE to PREA", [act(0)], (0, "GWRITE", 0, 1), ("PREA", 0, 0), 96),
    ("GWRITE to RD", [act(0), act(4)], (0, "GWRITE", 0, 1), ("RD", 4, 1), 2),
    ("GWRITE to RD, same group", [act(0), act(1)], (0, "GWRITE", 0, 1), ("RD", 1, 1), 2),
    ("GWRITE to WR", [act(0), act(4)], (0, "GWRITE", 0, 1), ("WR", 4, 1), 14 + 2 - 4 + 2),
    ("G_ACT to G_ACT", [], (0, "G_ACT", 0, 5), ("G_ACT", 4, 5), 30),
    ("G_ACT to ACT", [], (0, "G_ACT", 0, 5), ("ACT", 8, 1), 30),
    ("ACT to G_ACT", [], (0, "ACT", 8, 1), ("G_ACT", 0, 5), 30),
    ("ACT to G_ACT of its bank: no tRC", [], (0, "ACT", 0, 1), ("G_ACT", 0, 5), 30),
    ("G_ACT to COMP", opened(sets=range(1, 8)), (0, "G_ACT", 0, 5), ("COMP", 0, 5), 14),
    ("G_ACT to PIM_PRE", [], (0, "G_ACT", 0, 5), ("PIM_PRE", 0, 0), 34),
    ("G_ACT to PIM_PREA", [], (0, "G_ACT", 0, 5), ("PIM_PREA", 0, 0), 34),
    ("G_ACT to G_ACT of its banks", [(34, "PIM_PREA", 0, 0)], (0, "G_ACT", 0, 5), ("G_ACT", 0, 6), 48),
    ("PIM_PREA to G_ACT", opened(sets=range(4)), (0, "PIM_PREA", 0, 0), ("G_ACT", 0, 6), 14),
    (
        "PIM_PRE to G_ACT",
        [*opened(sets=range(1)), *((-500 + i, "PIM_PRE", i, 0) for i in (1, 2, 3))],
        (0, "PIM_PRE", 0, 0),
        ("G_ACT", 0, 6),
        14,
    ),
    ("COMP to PIM_PRE", opened(), comp(0), ("PIM_PRE", 0, 0), 5),
    ("COMP to PIM_PREA, other rank", opened(), comp(0), ("PIM_PREA", 16, 0), 5),
    ("PIM_PREA to REFAB", opened(sets=range(4)), (0, "PIM_PREA", 0, 0), ("REFAB", 0, 0), 14),
    (
        "PIM_PRE to REFAB",
        [*opened(sets=range(1)), *((-500 + i, "PIM_PRE", i, 0) for i in (1, 2, 3))],
        (0, "PIM_PRE", 0, 0),
        ("REFAB", 0, 0),
        14,
    ),
    ("PIM_PRE to REFPB", opened(sets=range(1)), (0, "PIM_PRE", 0, 0), ("REFPB", 0, 0), 14),
    ("PIM_PREA to REFPB", opened(sets=range(1)), (0, "PIM_PREA", 0, 0), ("REFPB", 0, 0), 14),
    ("G_ACT to REFAB", [(34, "PIM_PREA", 0, 0)], (0, "G_ACT", 0, 5), ("REFAB", 0, 0), 48),
    ("REFAB to G_ACT", [], (0, "REFAB", 0, 0), ("G_ACT", 0, 5), 260),
    ("REFAB to PIM_PREA", [], (0, "REFAB", 0, 0), ("PIM_PREA", 0, 0), 260),
    ("REFPB to G_ACT", [], (0, "REFPB", 0, 0), ("G_ACT", 0, 5), 160),
    ("REFPB to G_ACT of other banks", [], (0, "REFPB", 0, 0), ("G_ACT", 4, 5), 8),
    ("G_ACT to REFPB of another bank", [], (0, "G_ACT", 4, 5), ("REFPB", 0, 0), 4),
    ("G_ACT to REFPB of its bank", [(34, "PIM_PRE", 0, 0)], (0, "G_ACT", 0, 5), ("REFPB", 0, 0), 48),
    ("G_ACT to PWRITE", [], (0, "G_ACT", 0, 5), ("PWRITE", 0, 5), 14),
    ("PWRITE to PIM_PRE", opened(), (0, "PWRITE", 0, 5), ("PIM_PRE", 0, 0), 4 + 2 + 16),
    ("PWRITE to PIM_PREA", opened(), (0, "PWRITE", 0, 5), ("PIM_PREA", 0, 0), 4 + 2 + 16),
    ("PWRITE to COMP", opened(), (0, "PWRITE", 0, 5), ("COMP", 0, 5), 4 + 2 + 8),
    ("PWRITE to READRES", ONE_COMP, (0, "PWRITE", 0, 5), ("READRES", 0, 5), 4 + 2 + 6),
    ("PWRITE to RD", [*opened(), act(4)], (0, "PWRITE", 0, 5), ("RD", 4, 1), 4 + 2 + 6),
    ("PWRITE to RD, same group", [*opened(), act(1)], (0, "PWRITE", 0, 5), ("RD", 1, 1), 4 + 2 + 8),
    ("PWRITE to WR", [*opened(), act(4)], (0, "PWRITE", 0, 5), ("WR", 4, 1), 2),
    ("PWRITE to PWRITE", opened(), (0, "PWRITE", 0, 5), ("PWRITE", 4, 5), 2),
    ("WR to PWRITE", [*opened(), act(4)], (0, "WR", 4, 1), ("PWRITE", 0, 5), 2),
    ("RD to PWRITE", [*opened(), act(4)], (0, "RD", 4, 1), ("PWRITE", 0, 5), 14),
    ("RD to PWRITE, other rank", [*opened(), act(16)], (0, "RD", 16, 1), ("PWRITE", 0, 5), 2 + 2 + 10),
    ("WR to PWRITE, other rank", [*opened(), act(16)], (0, "WR", 16, 1), ("PWRITE", 0, 5), 2 + 2),
    ("GWRITE to PWRITE", [*opened(), act(4)], (0, "GWRITE", 4, 1), ("PWRITE", 0, 5), 14),
]
SINGLE: list[tuple[str, list[Command], Command, tuple[str, int, int], int]] = [
    ("RD to COMP", opened(), (0, "RD", 0, 5), ("COMP", 0, 5), 2),
    ("WR to COMP", opened(), (0, "WR", 0, 5), ("COMP", 0, 5), 4 + 2 + 8),
    ("COMP to RD", opened(), comp(0), ("RD", 0, 5), 2),
    ("COMP to WR", opened(), comp(0), ("WR", 0, 5), 14),
    ("COMP to PRE", opened(), comp(0), ("PRE", 0, 0), 5),
    ("COMP to PREA", opened(), comp(0), ("PREA", 16, 0), 5),
    ("PREA to G_ACT", opened(sets=range(4)), (0, "PREA", 0, 0), ("G_ACT", 0, 6), 14),
    (
        "PRE to G_ACT",
        [*opened(sets=range(1)), *((-500 + i, "PRE", i, 0) for i in (1, 2, 3))],
        (0, "PRE", 0, 0),
        ("G_ACT", 0, 6),
        14,
    ),
    ("G_ACT to PRE", [], (0, "G_ACT", 0, 5), ("PRE", 0, 0), 34),
    ("G_ACT to PREA", [], (0, "G_ACT", 0, 5), ("PREA", 0, 0), 34),
    ("ACT to G_ACT of its bank: tRC", [(34, "PRE", 0, 0)], (0, "ACT", 0, 1), ("G_ACT", 0, 5), 48),
    ("G_ACT to ACT of its bank: tRC", [(34, "PREA", 0, 0)], (0, "G_ACT", 0, 5), ("ACT", 0, 1), 48),
    ("GWRITE to COMP", opened(), (0, "GWRITE", 0, 5), ("COMP", 0, 5), 96),
    ("COMP to COMP", opened(), comp(0), ("COMP", 0, 5), 2),
]
# What the second row buffer sets free: legal in the next cycle, the command bus being all that is shared.
FREE: list[tuple[str, list[Command], Command, tuple[str, int, int]]] = [
    ("RD to COMP", [*opened(), act(0)], (0, "RD", 0, 1), ("COMP", 0, 5)),
    ("WR to COMP", [*opened(), act(0)], (0, "WR", 0, 1), ("COMP", 0, 5)),
    ("COMP to RD", [*opened(), act(0)], comp(0), ("RD", 0, 1)),
    ("COMP to WR", [*opened(), act(0)], comp(0), ("WR", 0, 1)),
    ("COMP to PRE", [*opened(), act(0)], comp(0), ("PRE", 0, 0)),
    ("PRE to G_ACT", [act(0)], (0, "PRE", 0, 0), ("G_ACT", 0, 5)),
    ("PIM_PREA to ACT", opened(sets=range(4)), (0, "PIM_PREA", 0, 0), ("ACT", 0, 1)),
    ("G_ACT in the other rank", [], (0, "G_ACT", 0, 5), ("G_ACT", 16, 5)),
]


def trace(commands: list[Command]) -> np.ndarray:
    lines = []
    for cycle, name, bank, row in sorted(commands):
        rank, place = divmod(bank, 16)
        lines.append((START + cycle, 0, 0, rank, place // 4, place % 4, row, 0, NAMES.index(name), -1))
    return np.array(lines, dtype=np.int64)


def nodes(name: str, bank: int, level: str) -> set[tuple[int, ...]]:
    """Nodes of a level that a command goes to: rank, bank group, bank."""
    rank, place = divmod(bank, 16)
    banks = {(rank, place // 4, place % 4)}
    if name in CHANNEL:
        banks = {(r, g, b) for r in range(2) for g in range(4) for b in range(4)}
    elif name in RANK:
        banks = {(rank, g, b) for g in range(4) for b in range(4)}
    elif name == "G_ACT":
        banks = {(rank, place // 4, b) for b in range(4)}
    depth = {"channel": 0, "pseudochannel": 0, "rank": 1, "bankgroup": 2, "bank": 3}[level]
    return {place[:depth] for place in banks}


def binds(row: Timing, before: Command, after: tuple[str, int, int]) -> bool:
    first, second = nodes(before[1], before[2], row.level), nodes(after[0], after[1], row.level)
    if not row.sibling:
        return bool(first & second)
    parent = LEVELS[LEVELS.index(row.level) - 1]
    return not first & second and bool(nodes(before[1], before[2], parent) & nodes(after[0], after[1], parent))


def first_legal_by_rows(pim: PimDevice, script: list[Command], after: tuple[str, int, int]) -> tuple[int, set[str]]:
    """The first legal cycle, and the rows that decide it."""
    found, deciding = -START, set()
    for row in extended(pim).constraints:
        if after[0] in row.following:
            times = [c[0] for c in script if c[1] in row.preceding and binds(row, c, after)]
            if len(times) >= row.window:
                at = sorted(times)[-row.window] + row.latency
                if at >= found:
                    deciding = {row.doc} | (deciding if at == found else set())
                    found = at
    return found, deciding


@pytest.mark.parametrize(
    ("buffers", "setup", "before", "after", "cycles"),
    [pytest.param(b, *case[1:], id=f"{b}: {case[0]}") for b, cases in ((2, DUAL), (1, SINGLE)) for case in cases],
)
def test_a_pim_row_is_illegal_one_cycle_early_and_legal_on_time(buffers, setup, before, after, cycles):
    pim = pim_device(row_buffers=buffers)
    script = [*setup, before]
    assert first_legal_by_rows(pim, script, after)[0] == cycles
    assert check(pim, trace(script)) == []
    assert check(pim, trace([*script, (cycles, *after)])) == []
    early = check(pim, trace([*script, (cycles - 1, *after)]))
    assert [v.cycle for v in early]
    assert all(v.cycle == START + cycles - 1 for v in early)


@pytest.mark.parametrize(("setup", "before", "after"), [pytest.param(*case[1:], id=case[0]) for case in FREE])
def test_the_second_row_buffer_sets_free(setup, before, after):
    pim = pim_device()
    script = [*setup, before]
    assert first_legal_by_rows(pim, script, after)[0] <= 1
    assert check(pim, trace([*script, (1, *after)])) == []


def test_a_result_waits_for_the_pipeline():
    pim = pim_device()
    on_time, early = [*opened(), comp(0), (12, "READRES", 0, 5)], [*opened(), comp(0), (11, "READRES", 0, 5)]
    assert check(pim, trace(on_time)) == []
    assert [v.rule for v in check(pim, trace(early))] == ["pipeline fill"]


def test_every_pim_row_decides_some_case():
    shorter = {"tRRD_S", "tRRD_L"}  # than the window of a group of four banks
    decided = set()
    for _, setup, before, after, _ in DUAL:
        decided |= first_legal_by_rows(pim_device(), [*setup, before], after)[1]
    assert {row.doc for row in rows(pim_device())} - decided == shorter


@pytest.mark.parametrize(
    ("commands", "rule"),
    [
        ([*opened(), (0, "COMP", 0, 6)], "COMP: row 5 is open, not 6"),
        ([*opened(), (0, "READRES", 0, 5)], "READRES: no COMP since the last result"),
        ([*opened(), (0, "G_ACT", 0, 6)], "G_ACT: a PIM row is open"),
        ([act(0), (0, "G_ACT", 0, 1)], "G_ACT: memory has this row open"),
        ([*opened(), (0, "ACT", 0, 5)], "ACT: PIM has this row open"),
        ([(0, "GWRITE", 0, 1)], "GWRITE: row None is open, not 1"),
        ([(0, "PWRITE", 0, 1)], "PWRITE: PIM row None is open, not 1"),
        ([*opened(), (0, "REFAB", 0, 0)], "REFAB: a PIM row is open"),
        ([*opened(), (0, "REFPB", 0, 0)], "REFPB: a PIM row is open"),
        ([(0, "G_ACT", 0, 40_000)], "G_ACT: no such row"),
    ],
)
def test_commands_that_no_wait_makes_legal(commands, rule):
    assert rule in [v.rule for v in check(pim_device(), trace(commands))]


def test_one_row_buffer_has_no_commands_for_a_second():
    found = check(pim_device("newton-hbm2"), trace([(0, "PIM_PREA", 0, 0)]))
    assert [v.rule for v in found] == ["PIM_PREA: the device has no PIM row buffer"]
    found = check(pim_device("newton-hbm2"), trace([act(0), (0, "G_ACT", 0, 5)]))
    assert "G_ACT: bank has an open row" in [v.rule for v in found]


def test_more_banks_at_once_wait_in_proportion():
    """Eight banks at once draw what two groups of four do: 60 cycles instead of 30, and an activate waits as long."""
    pim = pim_device(banks_per_activation=8)
    first = (0, "G_ACT", 0, 5)
    for after in (("G_ACT", 8, 5), ("ACT", 8, 1)):
        assert check(pim, trace([first, (60, *after)])) == []
        assert check(pim, trace([first, (59, *after)])) != []
