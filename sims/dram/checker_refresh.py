"""Is every row refreshed often enough? The rate of refresh commands in a trace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archgym.sims.dram.checker_types import Command, Violation
from archgym.sims.dram.spec import Device

_JEDEC_MAX_INTERVALS = 9
"""No two refreshes of a rank are further apart than nine tREFI, however many were postponed (JESD79-3F 4.13.10.1)."""


@dataclass(frozen=True)
class RefreshBudget:
    """The refresh command in use, the last cycle of the run, and how many tREFI refreshes may be late or early."""

    command: str
    end: int
    max_postponed: int = 0
    max_pulled_in: int = 0


def refresh_violations(device: Device, commands: Sequence[Command], budget: RefreshBudget) -> list[Violation]:
    """Check every rank that the trace names: the rate of its refreshes, and that no bank is left out."""
    found = []
    for place in sorted({(c.channel, c.pseudochannel, c.rank) for c in commands}):
        mine = [c for c in commands if (c.channel, c.pseudochannel, c.rank) == place]
        for refreshes, start, end in _awake_spans(mine, budget):
            found += _rate(device, [c.cycle for c in refreshes], start, end, budget)
            found += _left_out(device, refreshes, budget.command)
    return found


def _units(device: Device, command: str) -> set[tuple[int, int]]:
    """What one refresh command covers, in turn: the rank, a bank number of all groups, or a bank."""
    groups = range(device.bankgroups if command == "REFPB" else 1)
    banks = range(1 if command == "REFAB" else device.banks_per_group)
    return {(group, bank) for group in groups for bank in banks}


def _awake_spans(commands: Sequence[Command], budget: RefreshBudget) -> list[tuple[list[Command], int, int]]:
    """Cut the refreshes at each self refresh, in which the device refreshes itself."""
    refreshes = [c for c in commands if c.name == budget.command]
    spans, start = [], 0
    for command in commands:
        if command.name == "SREFE":
            spans.append(([c for c in refreshes if start <= c.cycle <= command.cycle], start, command.cycle))
            start = budget.end + 1
        elif command.name == "SREFX":
            start = command.cycle
    if start <= budget.end:
        spans.append(([c for c in refreshes if start <= c.cycle], start, budget.end))
    return spans


def _rate(device: Device, times: list[int], start: int, end: int, budget: RefreshBudget) -> list[Violation]:
    """Between any two refreshes the count keeps pace with the interval, within what may be postponed and pulled in."""
    t, units = device.timing, len(_units(device, budget.command))
    interval = t[{"REFAB": "nREFI", "REFPB": "nREFIPB", "REFSB": "nREFISB"}[budget.command]]
    # A due refresh still waits for open banks to recover, for the refresh before it and for its place on the bus.
    slack = 2 * (t["nRC"] + t["nCWL"] + t["nBL"] + t["nWR"] + t["nRP"] + t["nXP"]) + t["nRFC"]
    loose = (budget.max_postponed + budget.max_pulled_in) * units
    limit, found = _JEDEC_MAX_INTERVALS * t["nREFI"], []
    points = [(-1, start), *enumerate(times), (len(times), end)]
    for i, earlier in points:
        for j, later in points[i + 2 :]:
            most, least = (j - i + loose) * interval, (j - i - 1 - loose) * interval
            if later - earlier > most + slack:
                found.append(Violation("refresh too rare", later, earlier, earlier + most))
            if i >= 0 and j < len(times) and later - earlier < least - slack:
                found.append(Violation("refresh too often", later, earlier, earlier + least))
            if j == i + 1 and later - earlier > limit + slack:
                found.append(Violation("nine tREFI without refresh", later, earlier, earlier + limit))
    return found


def _left_out(device: Device, refreshes: Sequence[Command], command: str) -> list[Violation]:
    """The banks are refreshed in rounds, in any order: of 2 n - 1 refreshes in a row, n banks each have one."""
    units = _units(device, command)
    size, found = 2 * len(units) - 1, []
    for i in range(len(refreshes) - size + 1):
        window = refreshes[i : i + size]
        covered = {(c.bankgroup if command == "REFPB" else 0, 0 if command == "REFAB" else c.bank) for c in window}
        if covered != units:
            found.append(Violation("a bank is left out", window[-1].cycle, window[0].cycle, window[-1].cycle))
    return found
