"""Is a trace with PIM commands legal? The DRAM checker with the rules of PIM, by name and from named parameters.

Shares nothing with the channel kernel and reads no timing rows. A COMPS_READRES(k) is taken apart into its k COMPs and
its READRES, each an event of its own that needs no place on the command bus.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from archgym.sims.dram.checker import Bank, Command, Rank, RefreshBudget, Rules, Violation
from archgym.sims.dram.checker_refresh import refresh_violations
from archgym.sims.dram.checker_types import NEVER
from archgym.sims.pim.commands import NAMES
from archgym.sims.pim.device import PimDevice

__all__ = ["check", "events"]

_CHANNEL = ("COMP", "READRES", "HEADER", "COMPS_READRES")


@dataclass
class _PimBank:
    """The PIM row buffer of a bank."""

    row: int | None = None
    activated: int = NEVER
    precharged: int = NEVER
    written: int = NEVER


@dataclass
class _Channel:
    """What the rules remember of the multipliers and the vector buffer."""

    comp: int = NEVER
    first_comp: int = NEVER
    comps: int = 0
    """Since the last result read."""
    result: int = NEVER
    copied: int = NEVER
    """Last GWRITE."""
    copies: dict[tuple[int, int, int], int] = field(default_factory=dict)
    """Last GWRITE of a bank, by rank, bank group and bank."""


def check(
    pim: PimDevice,
    trace: NDArray[np.int64],
    *,
    refresh: RefreshBudget | None = None,
) -> list[Violation]:
    """Return every violation in the command trace of one channel (`channel.Run.log`)."""
    rules = _PimRules(pim)
    commands = []
    for command, on_bus in events(pim, trace):
        rules.on_bus = on_bus
        rules.step(command)
        commands.append(command)
    if refresh is not None:
        rules.found += refresh_violations(pim.device, commands, refresh)
    return rules.found


def events(pim: PimDevice, trace: NDArray[np.int64]) -> Iterator[tuple[Command, bool]]:
    """Commands in the order of time, and whether each takes a cycle of the command bus."""
    found: list[tuple[int, bool, int, Command]] = []
    step = max(pim.device.timing["nBL"], pim.device.timing["nCCDS"])
    for line in trace:
        command = Command.from_row(line, NAMES)
        found.append((command.cycle, True, len(found), command))
        if command.name == "COMPS_READRES":
            inside = [("COMP", i * step) for i in range(command.column)]
            inside.append(("READRES", max(command.column, pim.pipeline_fill) * step))
            for name, after in inside:
                at = command.cycle + after
                found.append((at, False, len(found), replace(command, name=name, cycle=at, column=0)))
    for _, on_bus, _, command in sorted(found, key=lambda event: event[:3]):
        yield command, on_bus


class _PimRules(Rules):
    """The rules of JEDEC's commands, and of PIM's on top."""

    def __init__(self, pim: PimDevice) -> None:
        super().__init__(pim.device, pim.ranks)
        self.pim = pim
        self.on_bus = True
        self.channel = _Channel()
        self.buffers: dict[int, dict[tuple[int, int], _PimBank]] = {}
        self.step_cycles = max(self.p["nBL"], self.p["nCCDS"])
        self.copy_cycles = 3 * pim.device.row_bytes // 32  # tCCD_S + tCCD_L = 3 per 32 bytes, as the authors' program
        for rank in range(pim.ranks):
            self.state[0, 0, rank] = self._new_rank()
            self.buffers[rank] = {place: _PimBank() for place in self.state[0, 0, rank].banks}

    def step(self, c: Command) -> None:
        """Commands to the whole channel go to every rank; the others as ever."""
        if c.name not in _CHANNEL:
            super().step(c)
            return
        if self.on_bus:
            self._command_bus(c)
        if c.name in ("COMP", "READRES"):
            ranks = [self.state[0, 0, rank] for rank in range(self.ranks)]
            awake = [self._awake(c, rank) for rank in ranks]
            if all(awake):
                getattr(self, f"_on_{c.name.lower()}")(c, ranks)

    def _exists(self, c: Command) -> bool:
        if c.name not in NAMES[14:]:
            return super()._exists(c)
        d = self.device
        limits = {
            "rank": (c.rank, self.ranks),
            "bank group": (c.bankgroup, d.bankgroups),
            "bank": (c.bank, d.banks_per_group),
            "row": (c.row, d.rows),
        }
        wrong = [f"no such {what}" for what, (value, end) in limits.items() if not 0 <= value < end]
        if self.pim.row_buffers == 1 and c.name in ("PIM_PRE", "PIM_PREA", "PWRITE"):
            wrong.append("the device has no PIM row buffer")
        for rule in wrong:
            self.fail(c, rule)
        return not wrong

    def _dual(self) -> bool:
        return self.pim.row_buffers == 2

    def _set(self, c: Command) -> list[tuple[int, int]]:
        """Banks of a group activate, as (bank group, bank)."""
        per_group, count = self.device.banks_per_group, self.pim.banks_per_activation
        first = (c.bankgroup * per_group + c.bank) // count * count
        return [divmod(bank, per_group) for bank in range(first, first + count)]

    # --- rows ------------------------------------------------------------------------------------------------------

    def _on_g_act(self, c: Command, rank: Rank) -> None:
        p, groups = self.p, {group for group, _ in self._set(c)}
        for place in self._set(c):
            bank, buffer = rank.banks[place], self.buffers[c.rank][place]
            if self._dual():
                if buffer.row is not None:
                    self.fail(c, "a PIM row is open")
                if bank.row == c.row:
                    self.fail(c, "memory has this row open")
                self.need(c, "tRC (PIM row)", buffer.activated, p["nRC"])
                self.need(c, "tRP (PIM row)", buffer.precharged, p["nRP"])
                self.need(c, "tRFC (bank)", bank.refreshed, self._bank_refresh_cycles())
            else:
                if bank.row is not None:
                    self.fail(c, "bank has an open row")
                self._bank_is_idle(c, bank)
        for place, bank in rank.banks.items():
            other = max(bank.activated, self.buffers[c.rank][place].activated)
            self.need(c, "tRRD_S", other, p["nRRDS"])
            if place[0] in groups:
                self.need(c, "tRRD_L", other, p["nRRDL"])
        self.need(c, "per-bank refresh to activate", rank.refreshed_bank, self._after_bank_refresh())
        self._activate_window(c, rank, self.pim.banks_per_activation)
        for place in self._set(c):
            opened: Bank | _PimBank = self.buffers[c.rank][place] if self._dual() else rank.banks[place]
            opened.row, opened.activated = c.row, c.cycle
        rank.last["ACT"] = c.cycle  # spacing to per-bank refresh

    def _activate_window(self, c: Command, rank: Rank, count: int) -> None:
        """No more than four banks per tFAW; a command that opens more waits, and is waited for, in proportion."""
        window = -(-self.p["nFAW"] * max(4, count) // 4)
        self.need(c, "tFAW after a group activate", rank.last.get("G_ACT", NEVER), window if count > 4 else 0)
        if count > 4 and rank.activates:
            self.need(c, "tFAW", rank.activates[-1], self.p["nFAW"])
        for _ in range(min(4, count)):
            self._four_activates(c, rank)

    def _on_act(self, c: Command, rank: Rank) -> None:
        if self._dual():
            for (group, number), buffer in self.buffers[c.rank].items():
                self.need(c, "tRRD_S", buffer.activated, self.p["nRRDS"])
                if group == c.bankgroup:
                    self.need(c, "tRRD_L", buffer.activated, self.p["nRRDL"])
                if (group, number) == (c.bankgroup, c.bank) and buffer.row == c.row:
                    self.fail(c, "PIM has this row open")
        if self.pim.banks_per_activation > 4:
            window = -(-self.p["nFAW"] * self.pim.banks_per_activation // 4)
            self.need(c, "tFAW after a group activate", rank.last.get("G_ACT", NEVER), window)
        super()._on_act(c, rank)

    def _precharge(self, c: Command, bank: Bank, cycles: int) -> None:
        for (rank, group, number), copied in self.channel.copies.items():
            if self.state[0, 0, rank].banks[group, number] is bank:
                self.need(c, "GWRITE to precharge", copied, self.copy_cycles)
        super()._precharge(c, bank, cycles)

    def _on_pim_pre(self, c: Command, rank: Rank) -> None:
        self._close(c, self.buffers[c.rank][c.bankgroup, c.bank])

    def _on_pim_prea(self, c: Command, rank: Rank) -> None:
        for buffer in self.buffers[c.rank].values():
            self._close(c, buffer)

    def _close(self, c: Command, buffer: _PimBank) -> None:
        p = self.p
        self.need(c, "tRAS (PIM row)", buffer.activated, p["nRAS"])
        self.need(c, "tRTP (COMP)", self.channel.comp, p["nRTP"])
        self.need(c, "tWR (PWRITE)", buffer.written + p["nCWL"] + p["nBL"], p["nWR"])
        buffer.row, buffer.precharged = None, c.cycle

    # --- dot products and the vector buffer ------------------------------------------------------------------------

    def _on_comp(self, c: Command, ranks: list[Rank]) -> None:
        p, channel = self.p, self.channel
        self.need(c, "internal column cycle", max(channel.comp, channel.result), self.step_cycles)
        self.need(c, "GWRITE to COMP", channel.copied, self.copy_cycles)
        for number, rank in enumerate(ranks):
            for place, bank in rank.banks.items():
                opened: Bank | _PimBank = self.buffers[number][place] if self._dual() else bank
                if opened.row != c.row:
                    self.fail(c, f"row {opened.row} is open, not {c.row}")
                self.need(c, "tRCD (COMP)", opened.activated, p["nRCDRD"])
                if not self._dual():
                    bank.read = c.cycle
            if not self._dual():
                written = rank.last.get("any WR", NEVER) + p["nCWL"] + p["nBL"]
                self.need(c, "tCCD_L (COMP)", rank.last.get("any RD", NEVER), p["nCCDL"])
                self.need(c, "tWTR_L (COMP)", written, p["nWTRL"])
            elif self.buffers[number]:
                written = max(buffer.written for buffer in self.buffers[number].values()) + p["nCWL"] + p["nBL"]
                self.need(c, "tWTR_L (PWRITE)", written, p["nWTRL"])
        if channel.comps == 0:
            channel.first_comp = c.cycle
        channel.comp, channel.comps = c.cycle, channel.comps + 1

    def _on_readres(self, c: Command, ranks: list[Rank]) -> None:
        p, channel = self.p, self.channel
        if channel.comps == 0:
            self.fail(c, "no COMP since the last result")
        self.need(c, "internal column cycle", max(channel.comp, channel.result), self.step_cycles)
        self.need(c, "pipeline fill", channel.first_comp, self.step_cycles * self.pim.pipeline_fill)
        self.need(c, "GWRITE to READRES", channel.copied, self.copy_cycles)
        for rank in ranks:
            written = rank.last.get("any WR", NEVER) + p["nCWL"] + p["nBL"]
            self.need(c, "tWTR_S (result read)", written, p["nWTRS"])
        # Every rank drives its part of the burst, so both neighbours on the bus are other ranks' unless there is one.
        self._data_bus(replace(c, rank=-1 if self.ranks > 1 else 0))
        channel.result, channel.comps = c.cycle, 0

    def _on_gwrite(self, c: Command, rank: Rank) -> None:
        p, channel, bank = self.p, self.channel, rank.banks[c.bankgroup, c.bank]
        if bank.row != c.row:
            self.fail(c, f"row {bank.row} is open, not {c.row}")
        self.need(c, "tRCD (GWRITE)", bank.activated, p["nRCDRD"])
        self.need(c, "vector buffer in use", max(channel.comp, channel.result), self.step_cycles)
        self.need(c, "GWRITE to GWRITE", channel.copied, self.copy_cycles)
        self.need(c, "tCCD_S", rank.last.get("any RD", NEVER), p["nCCDS"])
        self.need(c, "tCCD_L", rank.last_in_group.get(("RD", c.bankgroup), NEVER), p["nCCDL"])
        written = rank.last.get("any WR", NEVER) + p["nCWL"] + p["nBL"]
        self.need(c, "tWTR_S", written, p["nWTRS"])
        in_group = rank.last_in_group.get(("WR", c.bankgroup), NEVER) + p["nCWL"] + p["nBL"]
        self.need(c, "tWTR_L", in_group, p["nWTRL"])
        rank.last["any RD"] = rank.last_in_group["RD", c.bankgroup] = c.cycle
        bank.read = max(bank.read, c.cycle)
        channel.copied = channel.copies[c.rank, c.bankgroup, c.bank] = c.cycle

    def _column(self, c: Command, rank: Rank) -> None:
        copied = self.channel.copies.get((c.rank, c.bankgroup, c.bank), NEVER)
        self.need(c, "GWRITE to read or write", copied, self.copy_cycles)
        if not self._dual():
            self.need(c, "COMP to read or write", self.channel.comp, self.p["nRTW" if c.is_write else "nCCDL"])
        super()._column(c, rank)

    def _on_pwrite(self, c: Command, rank: Rank) -> None:
        p, buffer = self.p, self.buffers[c.rank][c.bankgroup, c.bank]
        if buffer.row != c.row:
            self.fail(c, f"PIM row {buffer.row} is open, not {c.row}")
        self.need(c, "tRCD (PWRITE)", buffer.activated, p["nRCDWR"])
        self.need(c, "tCCD_S", rank.last.get("any WR", NEVER), p["nCCDS"])
        self.need(c, "tCCD_L", rank.last_in_group.get(("WR", c.bankgroup), NEVER), p["nCCDL"])
        self.need(c, "read to write", rank.last.get("any RD", NEVER), p["nRTW"])
        self._data_bus(replace(c, name="WR"))
        rank.last["any WR"] = rank.last_in_group["WR", c.bankgroup] = buffer.written = c.cycle

    # --- refresh ---------------------------------------------------------------------------------------------------

    def _on_refab(self, c: Command, rank: Rank) -> None:
        for buffer in self.buffers[c.rank].values():
            self._pim_idle(c, buffer)
        super()._on_refab(c, rank)

    def _on_refpb(self, c: Command, rank: Rank) -> None:
        self._pim_idle(c, self.buffers[c.rank][c.bankgroup, c.bank])
        super()._on_refpb(c, rank)

    def _pim_idle(self, c: Command, buffer: _PimBank) -> None:
        if buffer.row is not None:
            self.fail(c, "a PIM row is open")
        self.need(c, "tRC (PIM row)", buffer.activated, self.p["nRC"])
        self.need(c, "tRP (PIM row)", buffer.precharged, self.p["nRP"])
