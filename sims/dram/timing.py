"""Compile a device's timing rows into flat arrays: per preceding command, which earliest times it moves.

The engine keeps one earliest time per (following command, bank), per (following command, bank group) and, for commands
a whole rank obeys, per (following command, rank). A row at rank level is a run of bank groups, so that every row
becomes "raise these consecutive entries to now + latency"; a command is legal when two table entries lie in the past.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archgym.errors import InvalidInput
from archgym.sims.dram.layout import ENTRY_STEP
from archgym.sims.dram.spec import JEDEC, LEVELS, CommandSet, Device, Timing

Ints = NDArray[np.int64]

RANK_COMMANDS = tuple(name for name in JEDEC.names if name in JEDEC.wide)
"""Commands every bank of a rank obeys; REFSB goes to one bank of each bank group, all others to one bank."""

NEVER = -(1 << 60)
"""A time before every other."""


class Tables(NamedTuple):
    """Timing rows ready for the kernel. Indices count within one channel."""

    entry: Ints
    """int64[e, ENTRY_STEP], sorted by preceding command; columns as `layout.E_BASE` ... E_RING_REGION."""
    entry_at: Ints
    """Entries of command p are entry[entry_at[p]:entry_at[p + 1]]."""
    region: Ints
    """int64[regions, banks]: where a region begins, given the bank the command went to."""
    slot: Ints
    """int64[commands]: which run of the earliest-time table holds a command; equal commands share one."""
    shape: Ints
    """pseudochannels, ranks (of a pseudo channel), bankgroups, banks per group, entries of `ready`, of rings, ring
    nodes, and where in `ready` the bank groups and the ranks begin."""


class _Layout:
    """Node numbering of one channel and the regions ("all groups of this bank's rank", ...) rows refer to."""

    def __init__(self, device: Device, ranks: int, commands: CommandSet) -> None:
        self.commands = commands
        self.pseudochannels, self.ranks = device.pseudochannels, ranks
        self.bankgroups, self.per_group = device.bankgroups, device.banks_per_group
        self.banks = self.pseudochannels * ranks * self.bankgroups * self.per_group
        self.groups = self.banks // self.per_group
        self.all_ranks = self.pseudochannels * ranks
        per_rank = self.bankgroups * self.per_group
        self.span = {
            "channel": self.banks, "pseudochannel": per_rank * ranks, "rank": per_rank,
            "bankgroup": self.per_group, "bank": 1,
        }  # fmt: skip
        self.unit = {"bank": 1, "group": self.per_group, "rank": per_rank}
        self.rows: list[Ints] = []
        self.known: dict[tuple[str, str], int] = {}

    def region(self, table: str, level: str) -> tuple[int, int]:
        """Index and length of the region: entries of `table` below the node of `level` that holds a bank."""
        length = max(1, self.span[level] // self.unit[table])
        key = (table, level)
        if key not in self.known:
            bank = np.arange(self.banks)
            self.known[key] = self._add(bank // self.span[level] * self.span[level] // self.unit[table])
        return self.known[key], length

    def node(self, level: str) -> int:
        """Region that holds the number of the node of `level` a bank belongs to."""
        key = ("node", level)
        if key not in self.known:
            self.known[key] = self._add(np.arange(self.banks) // self.span[level])
        return self.known[key]

    def same_bank(self, group: int) -> int:
        """Region of one entry: the bank with the same number in bank group `group` of this rank (REFSB)."""
        key = ("same", str(group))
        if key not in self.known:
            bank, per_rank = np.arange(self.banks), self.span["rank"]
            self.known[key] = self._add(bank // per_rank * per_rank + group * self.per_group + bank % self.per_group)
        return self.known[key]

    def covered(self, table: str, count: int) -> tuple[int, int]:
        """Index and length of the region: entries of the `count` consecutive banks that hold a bank."""
        key = ("covered", f"{table} {count}")
        if key not in self.known:
            self.known[key] = self._add(np.arange(self.banks) // count * count // self.unit[table])
        return self.known[key], max(1, count // self.unit[table])

    def _add(self, starts: Ints) -> int:
        self.rows.append(starts.astype(np.int64))
        return len(self.rows) - 1


def _parent(level: str) -> str:
    return LEVELS[max(LEVELS.index(level) - 1, 0)]


def _slots(constraints: Iterable[Timing], used: frozenset[str], commands: CommandSet) -> dict[str, int]:
    """Number the used commands; two that appear together in every `following` share a number (RD and RDA)."""
    rows = list(constraints)
    numbers: dict[tuple[bool, tuple[bool, ...]], int] = {}
    found = {}
    for command in commands.names:
        if command in used:
            key = (command in commands.wide, tuple(command in row.following for row in rows))
            found[command] = numbers.setdefault(key, len(numbers))
    return found


def compile_device(device: Device, ranks: int, used: frozenset[str], commands: CommandSet = JEDEC) -> Tables:
    """Compile the rows of `device` whose following command is in `used` (others can never be issued)."""
    layout = _Layout(device, ranks, commands)
    slot = _slots(device.constraints, used, commands)
    tables = max(slot.values()) + 1
    # ready = [slot, bank] then [slot, group] then [slot, rank]; a slot uses the first two or the last.
    start = {"bank": 0, "group": tables * layout.banks, "rank": tables * (layout.banks + layout.groups)}
    size = tables * (layout.banks + layout.groups + layout.all_ranks)
    stride = {"bank": layout.banks, "group": layout.groups, "rank": layout.all_ranks}
    found: dict[str, dict[tuple[int, ...], int]] = {command: {} for command in commands.names}
    rings = nodes = 0
    for row in device.constraints:
        following = {slot[c]: c for c in row.following if c in slot}
        if not following:
            continue
        # A window has one memory per following table: each is told of every preceding command once.
        ring = dict.fromkeys(following, (-1, row.window, 0, 0))
        for number in following if row.window > 1 else ():
            count = layout.banks // layout.span[row.level]
            ring[number] = (rings, row.window, nodes, layout.node(row.level))
            rings, nodes = rings + count * row.window, nodes + count
        for before in row.preceding:
            for number, after in following.items():
                for table, region, length, outer, outer_length in _regions(layout, row, before, after):
                    base = start[table] + number * stride[table]
                    key = (base, region, length, outer, outer_length, *ring[number])
                    found[before][key] = max(found[before].get(key, 0), row.latency)
    entry, at = _flatten(found)
    shape = np.array(
        [
            layout.pseudochannels,
            ranks,
            layout.bankgroups,
            layout.per_group,
            size,
            rings,
            nodes,
            start["group"],
            start["rank"],
        ]
    )
    numbers = np.array([slot.get(command, -1) for command in commands.names], dtype=np.int64)
    return Tables(entry, at, np.array(layout.rows, dtype=np.int64), numbers, shape)


def _regions(layout: _Layout, row: Timing, before: str, after: str) -> list[tuple[str, int, int, int, int]]:
    """Which entries a row raises: (table, region, length, outer region, its length); outer minus region if sibling."""
    level = row.level
    wide = before in layout.commands.wide
    at_once = layout.commands.banks_at_once.get(before, 1)
    if row.window > 1 and wide and level in ("bankgroup", "bank"):
        raise InvalidInput(f"timing row {row.doc or row}: a window of a rank command needs level rank or above")
    if after in layout.commands.wide:
        level = level if level in ("channel", "pseudochannel") else "rank"
        table = "rank"
    elif level == "bank" and not wide:
        if before == "REFSB":
            return [("bank", layout.same_bank(group), 1, -1, 0) for group in range(layout.bankgroups)]
        table = "bank"
    else:
        level = "rank" if wide and level in ("bank", "bankgroup") else level
        table = "group"
    if before == "REFSB" and level == "bankgroup":
        level = "rank"  # it goes to every bank group
    if at_once > 1 and not row.sibling and layout.span[level] < at_once:
        region, length = layout.covered(table, at_once)
    else:
        region, length = layout.region(table, level)
    if not row.sibling:
        return [(table, region, length, -1, 0)]
    outer, outer_length = layout.region(table, _parent(level))
    return [(table, region, length, outer, outer_length)] if outer_length > length else []


def _flatten(found: dict[str, dict[tuple[int, ...], int]]) -> tuple[Ints, Ints]:
    rows, at = [], [0]
    for imposed in found.values():
        for key, latency in imposed.items():
            rows.append((*key[:5], latency, *key[5:]))
        at.append(len(rows))
    return np.array(rows, dtype=np.int64).reshape(-1, ENTRY_STEP), np.array(at, dtype=np.int64)
