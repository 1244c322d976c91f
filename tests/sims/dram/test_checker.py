"""The checker accepts a legal trace worked out by hand and names what is wrong in every spoilt one."""

from __future__ import annotations

import numpy as np
import pytest

from archgym.sims.dram.checker import RefreshBudget, check
from archgym.sims.dram.devices import device
from archgym.sims.dram.spec import COMMANDS

DDR3 = device("DDR3-1600-1Gb-x8")
HBM2 = device("HBM2-2000-8Gb")
DDR5 = device("DDR5-4800-16Gb-x8")
LPDDR4 = device("LPDDR4-3200-8Gb-x16")


def line(cycle, name, bank=0, row=0, column=0, request=-1, *, rank=0, group=0, pseudochannel=0):
    return [cycle, 0, pseudochannel, rank, group, bank, row, column, COMMANDS.index(name), request]


def rules(dram, *lines, ranks=1, **options):
    found = check(dram, ranks, np.array(lines, dtype=np.int64), **options)
    return [violation.rule for violation in found]


# DDR3-1600 at CL 10: activate, read 10 later, write 8 after that (10 + 4 + 2 - 8), precharge 24 after the write
# (8 + 4 + 12), activate 10 later.
LEGAL = [
    line(0, "ACT", row=5),
    line(10, "RD", row=5, column=3, request=0),
    line(18, "WR", row=5, column=4, request=1),
    line(42, "PRE"),
    line(52, "ACT", row=6),
]


def test_a_legal_trace_has_no_violation():
    assert rules(DDR3, *LEGAL, requests={0: False, 1: True}) == []


def test_the_order_of_lines_does_not_matter():
    assert rules(DDR3, *LEGAL[::-1], requests={0: False, 1: True}) == []


@pytest.mark.parametrize(
    ("changed", "to", "broken"),
    [
        (1, line(9, "RD", row=5, request=0), "tRCD"),
        (2, line(17, "WR", row=5, request=1), "read to write"),
        (3, line(41, "PRE"), "tWR"),
        (4, line(51, "ACT", row=6), "tRP"),
        (1, line(10, "RD", row=6, request=0), "RD: row 5 is open, not 6"),
        (1, line(10, "RD", bank=1, row=5, request=0), "RD: bank has no open row"),
        (3, line(42, "ACT", row=6), "ACT: bank has an open row"),
        (3, line(42, "REFAB"), "REFAB: a bank is open"),
        (3, line(42, "SREFE"), "SREFE: a bank is open"),
        (3, line(18, "PRE"), "command bus"),
        (0, line(0, "ACT", row=DDR3.rows), "ACT: no such row"),
        (0, line(0, "ACT", bank=8, row=5), "ACT: no such bank"),
        (0, line(0, "ACT", pseudochannel=1, row=5), "ACT: no such pseudo channel"),
        (0, line(0, "ACT", group=1, row=5), "ACT: no such bank group"),
        (0, line(0, "ACT", rank=1, row=5), "ACT: no such rank"),
        (1, line(10, "RD", row=5, column=1024 // 8, request=0), "RD: no such column"),
        (3, line(42, "REFPB"), "REFPB: the device has no such refresh"),
        (3, line(42, "PDX"), "PDX: not in power-down"),
    ],
)
def test_a_spoilt_trace_is_named(changed, to, broken):
    lines = list(LEGAL)
    lines[changed] = to
    assert broken in rules(DDR3, *lines)


def test_a_violation_says_when_it_would_have_been_legal():
    lines = [line(100, "ACT", row=5), line(107, "RD", row=5)]
    (found,) = check(DDR3, 1, np.array(lines, dtype=np.int64))
    assert (found.rule, found.cycle, found.previous, found.minimum) == ("tRCD", 107, 100, 110)


def test_auto_precharge_waits_for_tras():
    # RDA at 10: tRTP would let the precharge start at 16, tRAS only at 28; an activate is legal at 38, not at 37.
    lines = [line(0, "ACT", row=5), line(10, "RDA", row=5)]
    assert rules(DDR3, *lines, line(38, "ACT", row=6)) == []
    assert rules(DDR3, *lines, line(37, "ACT", row=6)) == ["tRC", "tRP"]


def test_a_row_read_with_auto_precharge_is_closed():
    assert "RD: bank has no open row" in rules(
        DDR3, line(0, "ACT", row=5), line(10, "RDA", row=5), line(14, "RD", row=5)
    )


def test_a_fifth_activate_waits_for_the_window():
    # tRRD 5, tFAW 24: four activates at 0, 5, 10, 15; the fifth at 24.
    four = [line(5 * bank, "ACT", bank) for bank in range(4)]
    assert rules(DDR3, *four, line(24, "ACT", 4)) == []
    assert rules(DDR3, *four, line(23, "ACT", 4)) == ["tFAW"]


def test_bursts_of_two_ranks_leave_a_gap():
    # Bursts of four cycles and one idle cycle between ranks: reads of two ranks are five apart.
    lines = [line(0, "ACT"), line(1, "ACT", rank=1), line(20, "RD")]
    assert rules(DDR3, *lines, line(25, "RD", rank=1), ranks=2) == []
    assert rules(DDR3, *lines, line(24, "RD", rank=1), ranks=2) == ["data bus"]
    # A write of the other rank: read data at 30 to 34, one idle cycle, write data from 35: the command at 27.
    assert rules(DDR3, *lines, line(27, "WR", rank=1), ranks=2) == []
    assert rules(DDR3, *lines, line(26, "WR", rank=1), ranks=2) == ["data bus"]


def test_a_sleeping_rank_hears_only_its_exit():
    assert rules(DDR3, line(0, "PDE"), line(3, "PDX"), line(9, "ACT")) == []
    assert rules(DDR3, line(0, "PDE"), line(2, "PDX"), line(9, "ACT")) == ["tPD"]
    assert rules(DDR3, line(0, "PDE"), line(3, "PDX"), line(8, "ACT")) == ["tXP"]
    assert rules(DDR3, line(0, "PDE"), line(9, "ACT")) == ["ACT: rank is in power-down"]
    assert rules(DDR3, line(0, "PDE"), line(9, "SREFX")) == ["SREFX: not in self refresh"]
    assert rules(DDR3, line(0, "SREFE"), line(4, "SREFX"), line(100, "ACT"), line(516, "RD")) == []
    assert rules(DDR3, line(0, "SREFE"), line(4, "SREFX"), line(99, "ACT"), line(515, "RD")) == ["tXS", "tXS"]


def test_hbm_has_a_bus_for_rows_and_one_for_columns():
    lines = [line(0, "ACT"), line(20, "RD"), line(20, "ACT", 1, group=1)]
    assert rules(HBM2, *lines) == []
    assert rules(HBM2, *lines[:2], line(20, "RD", pseudochannel=1)) == ["command bus", "RD: bank has no open row"]
    # An activate takes two cycles of the row bus, which the pseudo channels share.
    assert rules(HBM2, line(0, "ACT"), line(1, "ACT", pseudochannel=1)) == ["command bus"]
    assert rules(HBM2, line(0, "ACT"), line(2, "ACT", pseudochannel=1)) == []


def test_long_commands_are_counted_back_from_their_last_cycle():
    # LPDDR4 activates take four cycles, precharges two.
    assert rules(LPDDR4, line(0, "ACT"), line(3, "ACT", rank=1), ranks=2) == ["command bus"]
    assert rules(LPDDR4, line(0, "ACT"), line(4, "ACT", rank=1), ranks=2) == []
    assert rules(LPDDR4, line(0, "ACT"), line(2, "PREA", rank=1), ranks=2) == []


def test_same_bank_refresh_covers_the_bank_of_every_group():
    assert rules(DDR5, line(0, "REFSB", 2), line(73, "ACT", 1, group=5)) == []
    assert rules(DDR5, line(0, "REFSB", 2), line(72, "ACT", 1, group=5)) == ["per-bank refresh to activate"]
    assert rules(DDR5, line(0, "REFSB", 2), line(312, "ACT", 2, group=5)) == ["tRFC (bank)"]
    assert rules(DDR5, line(0, "REFSB", 2), line(313, "ACT", 2, group=5)) == []


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([0], []),
        ([], ["request 0 has 0 column commands"]),
        ([0, 0], ["request 0 has 2 column commands"]),
        ([7], ["request 0 has 0 column commands", "column command without a request"]),
    ],
)
def test_every_request_is_answered_once(answers, expected):
    lines = [line(0, "ACT")] + [line(10 + 4 * i, "RD", request=request) for i, request in enumerate(answers)]
    assert rules(DDR3, *lines, requests={0: False}) == expected


def test_a_read_is_not_answered_by_a_write():
    lines = [line(0, "ACT"), line(10, "WR", request=0)]
    assert rules(DDR3, *lines, requests={0: False}) == ["request 0 answered in the wrong direction"]


def refreshes(*times):
    return [line(time, "REFAB") for time in times]


def test_the_refresh_rate_is_kept():
    interval = DDR3.timing["nREFI"]
    every = [interval * i for i in range(1, 20)]
    budget = RefreshBudget("REFAB", end=20 * interval)
    assert rules(DDR3, *refreshes(*every), refresh=budget) == []
    assert "refresh too rare" in rules(DDR3, *refreshes(*every[:8], *every[9:]), refresh=budget)
    assert "refresh too rare" in rules(DDR3, *refreshes(*every[:10]), refresh=budget)
    often = [int(interval * 0.8 * i) for i in range(1, 24)]
    assert "refresh too often" in rules(DDR3, *refreshes(*often), refresh=budget)


def test_refreshes_may_be_postponed_as_far_as_allowed():
    interval = DDR3.timing["nREFI"]
    late = [interval * 9 + 100 * i for i in range(9)] + [interval * i for i in range(10, 20)]
    assert rules(DDR3, *refreshes(*late), refresh=RefreshBudget("REFAB", 20 * interval, max_postponed=8)) == []
    assert "refresh too rare" in rules(DDR3, *refreshes(*late), refresh=RefreshBudget("REFAB", 20 * interval, 4))
    nine = [interval, interval * 11 + 200]
    found = rules(DDR3, *refreshes(*nine), refresh=RefreshBudget("REFAB", 12 * interval, 16, 16))
    assert found == ["nine tREFI without refresh"]


def test_self_refresh_stops_the_clock_of_refresh():
    interval = DDR3.timing["nREFI"]
    lines = [*refreshes(interval), line(interval + 500, "SREFE"), line(30 * interval, "SREFX")]
    lines += refreshes(31 * interval)
    assert rules(DDR3, *lines, refresh=RefreshBudget("REFAB", 31 * interval)) == []


def test_a_bank_may_not_be_left_out():
    interval, n = LPDDR4.timing["nREFIPB"], 40
    in_turn = [line((i + 1) * interval, "REFPB", i % 8) for i in range(n)]
    any_order = [
        line((i + 1) * interval, "REFPB", [0, 1, 2, 3, 4, 5, 6, 7, 7, 6, 5, 4, 3, 2, 1, 0][i % 16]) for i in range(n)
    ]
    never_three = [line((i + 1) * interval, "REFPB", [0, 1, 2, 4, 5, 6, 7][i % 7]) for i in range(n)]
    budget = RefreshBudget("REFPB", end=n * interval)
    assert rules(LPDDR4, *in_turn, refresh=budget) == []
    assert rules(LPDDR4, *any_order, refresh=budget) == []
    assert set(rules(LPDDR4, *never_three, refresh=budget)) == {"a bank is left out"}
