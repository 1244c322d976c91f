"""Is every row refreshed often enough? The rate of refresh commands in a trace."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from archgym.sims.dram.checker_types import Command, Violation
from archgym.sims.dram.spec import Device

_JEDEC_MAX_INTERVALS = 9
"""No two refreshes of a bank are further apart than nine tREFI, however many were postponed (JESD79-3F 4.13.10.1)."""


@dataclass(frozen=True)
class RefreshBudget:
    """The refresh command in use, how many may be late or early, and the last cycle of the run."""

    command: str
    end: int
    max_postponed: int = 0
    max_pulled_in: int = 0


def refresh_violations(device: Device, commands: Sequence[Command], budget: RefreshBudget) -> list[Violation]:
    """Check the rate of every bank (or rank, for REFAB) of every rank that the trace or the organisation names."""
    places = sorted({(c.channel, c.pseudochannel, c.rank) for c in commands})
    found = []
    for place in places:
        mine = [c for c in commands if (c.channel, c.pseudochannel, c.rank) == place]
        for unit in _units(device, budget.command):
            times = [c.cycle for c in mine if c.name == budget.command and _unit(c) == unit]
            for awake, start, end in _awake_spans(mine, times, budget.end):
                found += _rate(device, awake, start, end, budget)
    return found


def _units(device: Device, command: str) -> Iterable[tuple[int, int]]:
    """What one refresh command covers, in turn: the rank, a bank number of all groups, or a bank."""
    if command == "REFAB":
        return [(0, 0)]
    groups = range(device.bankgroups if command == "REFPB" else 1)
    return [(group, bank) for group in groups for bank in range(device.banks_per_group)]


def _unit(command: Command) -> tuple[int, int]:
    if command.name == "REFAB":
        return 0, 0
    return (command.bankgroup if command.name == "REFPB" else 0), command.bank


def _interval(device: Device, command: str) -> int:
    """Cycles in which one unit needs one refresh."""
    if command == "REFSB":
        return device.timing["nREFISB"] * device.banks_per_group
    return device.timing["nREFI"]


def _awake_spans(commands: Sequence[Command], times: list[int], end: int) -> list[tuple[list[int], int, int]]:
    """Cut the refreshes at each self refresh, in which the device refreshes itself."""
    spans, start = [], 0
    for command in commands:
        if command.name == "SREFE":
            spans.append(([t for t in times if start <= t <= command.cycle], start, command.cycle))
            start = end + 1
        elif command.name == "SREFX":
            start = command.cycle
    if start <= end:
        spans.append(([t for t in times if start <= t], start, end))
    return spans


def _rate(device: Device, times: list[int], start: int, end: int, budget: RefreshBudget) -> list[Violation]:
    """Between any two refreshes the count keeps pace with tREFI, within what may be postponed and pulled in."""
    t, interval = device.timing, _interval(device, budget.command)
    # A due refresh still waits for open banks to recover, for the refresh before it and for its place on the bus.
    slack = 2 * (t["nRC"] + t["nCWL"] + t["nBL"] + t["nWR"] + t["nRP"] + t["nXP"]) + t["nRFC"]
    loose = budget.max_postponed + budget.max_pulled_in
    found = []
    points = [(-1, start), *enumerate(times), (len(times), end)]
    for i, earlier in points:
        for j, later in points:
            closed = i >= 0 and j < len(times)
            if j > i and later - earlier > (j - i + loose) * interval + slack:
                found.append(Violation("refresh too rare", later, earlier, (j - i + loose) * interval))
            if closed and j > i and later - earlier < (j - i - 1 - loose) * interval - slack:
                found.append(Violation("refresh too often", later, earlier, (j - i - 1 - loose) * interval))
            if j == i + 1 and later - earlier > _JEDEC_MAX_INTERVALS * interval + slack:
                found.append(Violation("nine tREFI without refresh", later, earlier, _JEDEC_MAX_INTERVALS * interval))
    return found
