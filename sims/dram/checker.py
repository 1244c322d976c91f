"""Is a command trace legal? A checker that shares nothing with the engine: slow, plain, JEDEC rules by name.

It follows the banks and ranks of a trace command by command, and computes every minimum from the named parameters of
the device (`device.timing`), not from its rows, so that a wrong row is found as well as a wrong engine. A precharge
that RDA or WRA carries is an event of its own here, bursts are intervals on the data bus, and long commands are
intervals on the command bus.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from archgym.sims.dram.checker_refresh import RefreshBudget, refresh_violations
from archgym.sims.dram.checker_types import NEVER, Command, Violation
from archgym.sims.dram.spec import Device

__all__ = ["Bank", "Command", "Rank", "RefreshBudget", "Rules", "Violation", "check", "examine"]

_COLUMN = ("RD", "RDA", "WR", "WRA")
# Command-bus cycles of commands longer than one: DDR5 JESD79-5 table 30; LPDDR4 JESD209-4 table 63 (ACT-1 + ACT-2, RD-1
# + CAS-2); LPDDR5 JESD209-5 (ACT-1, ACT-2); HBM2 JESD235 (two-cycle activate); HBM3 JESD238 (1.5 cycles, rounded up).
_BUS_CYCLES: Mapping[str, Mapping[str, int]] = {
    "DDR5": {"ACT": 2, "RD": 2, "RDA": 2, "WR": 2, "WRA": 2},
    "LPDDR4": {"ACT": 4, "RD": 4, "RDA": 4, "WR": 4, "WRA": 4, "PRE": 2, "PREA": 2, "REFAB": 2, "REFPB": 2},
    "LPDDR5": {"ACT": 2},
    "HBM2": {"ACT": 2},
    "HBM3": {"ACT": 2},
}
# Standards in which a per-bank refresh counts as an activate in the four-activate window.
_REFRESH_IS_ACTIVATE = ("LPDDR4", "HBM2", "HBM3", "GDDR6")


@dataclass
class Bank:
    """What the rules need to remember of one bank."""

    row: int | None = None
    activated: int = NEVER
    read: int = NEVER
    written: int = NEVER
    precharged: int = NEVER
    """Start of the last precharge, also of one inside RDA or WRA."""
    precharge_cycles: int = 0
    refreshed: int = NEVER


@dataclass
class Rank:
    """What the rules need to remember of one rank of one (pseudo) channel."""

    banks: dict[tuple[int, int], Bank]
    asleep: str = ""
    entered: int = NEVER
    left_power_down: int = NEVER
    left_self_refresh: int = NEVER
    refreshed: int = NEVER
    refreshed_bank: int = NEVER
    precharged: int = NEVER
    activates: list[int] = field(default_factory=list)
    last: dict[str, int] = field(default_factory=dict)
    last_in_group: dict[tuple[str, int], int] = field(default_factory=dict)


@dataclass
class _Burst:
    start: int
    end: int
    rank: int
    write: bool
    command_cycle: int


def check(
    device: Device,
    ranks: int,
    trace: NDArray[np.int64],
    *,
    requests: Mapping[int, bool] | None = None,
    refresh: RefreshBudget | None = None,
) -> list[Violation]:
    """Return every violation in a command trace.

    Args:
        device: the DRAM it was issued to.
        ranks: ranks per channel (stack IDs for HBM).
        trace: int64[n, 10] of cycle, channel, pseudo channel, rank, bank group, bank, row, burst of the row, index in
            `spec.COMMANDS`, request (-1 for none); a command is stamped with its last cycle on the command bus.
        requests: for every request whether it is a write; each must have exactly one column command.
        refresh: the refresh command whose rate is to be kept, and by how much it may be late or early.
    """
    commands = [Command.from_row(row) for row in trace[np.argsort(trace[:, 0], kind="stable")]]
    return examine(commands, Rules(device, ranks), requests=requests, refresh=refresh)


def examine(
    commands: Sequence[Command],
    rules: Rules,
    *,
    requests: Mapping[int, bool] | None = None,
    refresh: RefreshBudget | None = None,
) -> list[Violation]:
    """As `check`, for commands in the order of their cycles and rules that may know more commands than JEDEC's."""
    for command in commands:
        rules.step(command)
    found = rules.found
    if requests is not None:
        found += _answers(commands, requests)
    if refresh is not None:
        found += refresh_violations(rules.device, commands, refresh)
    return found


def _answers(commands: Iterable[Command], requests: Mapping[int, bool]) -> list[Violation]:
    """Every request has exactly one column command, of its own direction."""
    answered: dict[int, list[Command]] = {}
    for command in commands:
        if command.name in _COLUMN:
            answered.setdefault(command.request, []).append(command)
    found = []
    for request in sorted(requests.keys() | answered.keys()):
        columns = answered.get(request, [])
        cycle = columns[-1].cycle if columns else NEVER
        if request not in requests:
            found.append(Violation("column command without a request", cycle, NEVER, 0))
        elif len(columns) != 1:
            found.append(Violation(f"request {request} has {len(columns)} column commands", cycle, NEVER, 1))
        elif columns[0].is_write != requests[request]:
            found.append(Violation(f"request {request} answered in the wrong direction", cycle, NEVER, 0))
    return found


class Rules:
    """One pass over a trace: `_on_<command>` checks a command and remembers it."""

    def __init__(self, device: Device, ranks: int) -> None:
        self.device = device
        self.ranks = ranks
        self.p = device.timing
        self.found: list[Violation] = []
        self.state: dict[tuple[int, int, int], Rank] = {}
        self.bus_free: dict[tuple[int, str], int] = {}
        self.bursts: dict[tuple[int, int], list[_Burst]] = {}

    def step(self, c: Command) -> None:
        """Check one command against everything before it, then remember it."""
        if not self._exists(c):
            return
        place = (c.channel, c.pseudochannel, c.rank)
        if place not in self.state:
            self.state[place] = self._new_rank()
        rank = self.state[place]
        self._command_bus(c)
        if self._awake(c, rank):
            getattr(self, f"_on_{c.name.lower()}")(c, rank)
        rank.last[c.name] = c.cycle

    def need(self, c: Command, rule: str, since: int, cycles: int) -> None:
        """Record a violation unless `c` comes at least `cycles` after `since`."""
        if c.cycle - since < cycles:
            self.found.append(Violation(rule, c.cycle, since, since + cycles))

    def fail(self, c: Command, rule: str) -> None:
        """Record a command that is illegal at any time in this state."""
        self.found.append(Violation(f"{c.name}: {rule}", c.cycle, NEVER, NEVER))

    # --- the rank's surroundings -----------------------------------------------------------------------------------

    def _new_rank(self) -> Rank:
        groups, banks = range(self.device.bankgroups), range(self.device.banks_per_group)
        return Rank({(group, bank): Bank() for group in groups for bank in banks})

    def _exists(self, c: Command) -> bool:
        """The command is one of the device, and names a rank, bank, row and column that exist."""
        d = self.device
        one_bank = (*_COLUMN, "ACT", "PRE", "REFPB")
        limits = {
            "pseudo channel": (c.pseudochannel, d.pseudochannels),
            "rank": (c.rank, self.ranks),
            "bank group": (c.bankgroup if c.name in one_bank else 0, d.bankgroups),
            "bank": (c.bank if c.name in (*one_bank, "REFSB") else 0, d.banks_per_group),
            "row": (c.row if c.name == "ACT" else 0, d.rows),
            "column": (c.column if c.name in _COLUMN else 0, d.columns // d.burst_length),
        }
        wrong = [f"no such {what}" for what, (value, end) in limits.items() if not 0 <= value < end]
        if c.name.startswith("REF") and c.name not in d.refresh:
            wrong.append("the device has no such refresh")
        for rule in wrong:
            self.fail(c, rule)
        return not wrong

    def _command_bus(self, c: Command) -> None:
        """The cycles of a command on its bus are its own."""
        bus = "column" if self.device.dual_command_bus and c.name in _COLUMN else "row"
        length = _BUS_CYCLES.get(self.device.standard, {}).get(c.name, 1)
        before = self.bus_free.get((c.channel, bus), NEVER)
        self.need(c, "command bus", before, length)
        self.bus_free[c.channel, bus] = c.cycle

    def _awake(self, c: Command, rank: Rank) -> bool:
        """Power-down and self refresh admit nothing but their own exit, and exits cost time."""
        exits = {"PDX": "power-down", "SREFX": "self refresh"}
        if c.name in exits:
            if rank.asleep != exits[c.name]:
                self.fail(c, f"not in {exits[c.name]}")
                return False
            return True
        if rank.asleep:
            self.fail(c, f"rank is in {rank.asleep}")
            return False
        self.need(c, "tXP", rank.left_power_down, self.p["nCKE"] if c.name == "PDE" else self.p["nXP"])
        slow = c.name in _COLUMN and "nXSDLL" in self.p
        self.need(c, "tXS", rank.left_self_refresh, self.p["nXSDLL" if slow else "nXS"])
        if c.name != "PDE":
            self.need(c, "tRFC", rank.refreshed, self.p["nRFC"])
        return True

    # --- row commands ----------------------------------------------------------------------------------------------

    def _on_act(self, c: Command, rank: Rank) -> None:
        p, bank = self.p, rank.banks[c.bankgroup, c.bank]
        if bank.row is not None:
            self.fail(c, "bank has an open row")
        self._bank_is_idle(c, bank)
        for (group, _), other in rank.banks.items():
            self.need(c, "tRRD_S", other.activated, p["nRRDS"])
            if group == c.bankgroup:
                self.need(c, "tRRD_L", other.activated, p["nRRDL"])
        self._four_activates(c, rank)
        self.need(c, "per-bank refresh to activate", rank.refreshed_bank, self._after_bank_refresh())
        bank.row, bank.activated = c.row, c.cycle

    def _on_pre(self, c: Command, rank: Rank) -> None:
        bank = rank.banks[c.bankgroup, c.bank]
        self.need(c, "tPPD", rank.precharged, self.p.get("nPPD", 0))
        self.need(c, "tRFC (bank)", bank.refreshed, self._bank_refresh_cycles())
        self._precharge(c, bank, self.p["nRP"])
        rank.precharged = c.cycle

    def _on_prea(self, c: Command, rank: Rank) -> None:
        self.need(c, "tPPD", rank.precharged, self.p.get("nPPD", 0))
        for bank in rank.banks.values():
            self.need(c, "tRFC (bank)", bank.refreshed, self._bank_refresh_cycles())
            self._precharge(c, bank, self.p["nRPAB"])
        rank.precharged = c.cycle

    def _precharge(self, c: Command, bank: Bank, cycles: int) -> None:
        """A precharge waits for tRAS, tRTP and the write recovery of its bank."""
        p = self.p
        self.need(c, "tRAS", bank.activated, p["nRAS"])
        self.need(c, "tRTP", bank.read, p["nRTP"])
        self.need(c, "tWR", bank.written + p["nCWL"] + p["nBL"], p["nWR"])
        bank.row = None
        bank.precharged, bank.precharge_cycles = c.cycle, cycles

    def _bank_is_idle(self, c: Command, bank: Bank) -> None:
        """The bank has been precharged for tRP, activated tRC ago, and is not being refreshed."""
        self.need(c, "tRC", bank.activated, self.p["nRC"])
        self.need(c, "tRP", bank.precharged, bank.precharge_cycles)
        self.need(c, "tRFC (bank)", bank.refreshed, self._bank_refresh_cycles())

    def _four_activates(self, c: Command, rank: Rank) -> None:
        if len(rank.activates) >= 4:
            self.need(c, "tFAW", rank.activates[-4], self.p["nFAW"])
        rank.activates.append(c.cycle)

    # --- column commands -------------------------------------------------------------------------------------------

    def _on_rd(self, c: Command, rank: Rank) -> None:
        self._column(c, rank)

    _on_rda = _on_wr = _on_wra = _on_rd

    def _column(self, c: Command, rank: Rank) -> None:
        p, bank = self.p, rank.banks[c.bankgroup, c.bank]
        if bank.row is None:
            self.fail(c, "bank has no open row")
        elif c.row != bank.row:
            self.fail(c, f"row {bank.row} is open, not {c.row}")
        self.need(c, "tRCD", bank.activated, p["nRCDWR" if c.is_write else "nRCDRD"])
        mine, same = ("WR" if c.is_write else "RD"), "WR" if c.is_write else ""
        self.need(c, "tCCD_S", rank.last.get(f"any {mine}", NEVER), p.get(f"nCCDS{same}", p["nCCDS"]))
        group_last = rank.last_in_group.get((mine, c.bankgroup), NEVER)
        self.need(c, "tCCD_L", group_last, p.get(f"nCCDL{same}", p["nCCDL"]))
        if c.is_write:
            self.need(c, "read to write", rank.last.get("any RD", NEVER), p["nRTW"])
        else:
            written = rank.last.get("any WR", NEVER) + p["nCWL"] + p["nBL"]
            self.need(c, "tWTR_S", written, p["nWTRS"])
            burst = p.get("nBLMAX", p["nBL"])  # the same bank group is busy for the whole column cycle
            self.need(c, "tWTR_L", rank.last_in_group.get(("WR", c.bankgroup), NEVER) + p["nCWL"] + burst, p["nWTRL"])
        self._data_bus(c)
        rank.last[f"any {mine}"] = rank.last_in_group[mine, c.bankgroup] = c.cycle
        self._auto_precharge(c, bank)

    def _auto_precharge(self, c: Command, bank: Bank) -> None:
        """Remember the column command; RDA and WRA precharge the bank as soon as tRAS, tRTP and tWR allow."""
        p = self.p
        recovered = bank.written + p["nCWL"] + p["nBL"] + p["nWR"]
        if c.is_write:
            bank.written = c.cycle
            recovered = bank.written + p["nCWL"] + p["nBL"] + p["nWR"]
        else:
            bank.read = c.cycle
        if c.name == "RDA":
            self.need(c, "tWR before the precharge in RDA", recovered, -p["nRTP"])
        if c.name in ("RDA", "WRA"):
            bank.row = None
            bank.precharged = max(bank.activated + p["nRAS"], bank.read + p["nRTP"], recovered)
            bank.precharge_cycles = p["nRP"]

    def _data_bus(self, c: Command) -> None:
        """Bursts on a (pseudo) channel never overlap; between ranks they leave tRTRS."""
        start = c.cycle + self.p["nCWL" if c.is_write else "nCL"]
        burst = _Burst(start, start + self.p["nBL"], c.rank, c.is_write, c.cycle)
        earlier = self.bursts.setdefault((c.channel, c.pseudochannel), [])
        for other in earlier[-16:]:
            gap = self.p["nRTRS"] if other.rank != c.rank else 0
            if burst.start < other.end + gap and other.start < burst.end + gap:
                self.found.append(
                    Violation("data bus", c.cycle, other.command_cycle, c.cycle + other.end + gap - start)
                )
        earlier.append(burst)

    # --- refresh, power-down, self refresh -------------------------------------------------------------------------

    def _bank_refresh_cycles(self) -> int:
        return self.p.get("nRFCPB", self.p.get("nRFCSB", 0))

    def _after_bank_refresh(self) -> int:
        return self.p.get("nPBR2ACT", self.p.get("nREFSBRD", 0))

    def _all_idle(self, c: Command, rank: Rank) -> None:
        for bank in rank.banks.values():
            if bank.row is not None:
                self.fail(c, "a bank is open")
            self._bank_is_idle(c, bank)

    def _on_refab(self, c: Command, rank: Rank) -> None:
        self._all_idle(c, rank)
        rank.refreshed = c.cycle

    def _on_refpb(self, c: Command, rank: Rank) -> None:
        bank = rank.banks[c.bankgroup, c.bank]
        if bank.row is not None:
            self.fail(c, "bank has an open row")
        self._bank_is_idle(c, bank)
        self.need(c, "per-bank refresh spacing", rank.refreshed_bank, self.p["nPBR2PBR"])
        self.need(c, "activate to per-bank refresh", rank.last.get("ACT", NEVER), self.p["nACT2PBR"])
        if self.device.standard in _REFRESH_IS_ACTIVATE:
            self._four_activates(c, rank)
        bank.refreshed = rank.refreshed_bank = c.cycle

    def _on_refsb(self, c: Command, rank: Rank) -> None:
        self.need(c, "tRFCsb", rank.refreshed_bank, self.p["nRFCSB"])
        self.need(c, "activate to same-bank refresh", rank.last.get("ACT", NEVER), self.p["nRRDL"])
        for (_, number), bank in rank.banks.items():
            if number == c.bank:
                if bank.row is not None:
                    self.fail(c, "bank has an open row")
                self._bank_is_idle(c, bank)
                bank.refreshed = c.cycle
        rank.refreshed_bank = c.cycle

    def _on_pde(self, c: Command, rank: Rank) -> None:
        p = self.p
        self.need(c, "tRDPDEN", rank.last.get("any RD", NEVER), p["nRDPDEN"])
        self.need(c, "tWRPDEN", rank.last.get("WR", NEVER), p["nWRPDEN"])
        self.need(c, "tWRAPDEN", rank.last.get("WRA", NEVER), p["nWRAPDEN"])
        self.need(c, "tACTPDEN", rank.last.get("ACT", NEVER), p["nACTPDEN"])
        self.need(c, "tPRPDEN", rank.precharged, p["nPRPDEN"])
        self.need(c, "tREFPDEN", max(rank.refreshed, rank.refreshed_bank), p["nREFPDEN"])
        rank.asleep, rank.entered = "power-down", c.cycle

    def _on_pdx(self, c: Command, rank: Rank) -> None:
        self.need(c, "tPD", rank.entered, self.p["nPD"])
        rank.asleep, rank.left_power_down = "", c.cycle

    def _on_srefe(self, c: Command, rank: Rank) -> None:
        self._all_idle(c, rank)
        self.need(c, "tRDPDEN", rank.last.get("any RD", NEVER), self.p["nRDPDEN"])
        rank.asleep, rank.entered = "self refresh", c.cycle

    def _on_srefx(self, c: Command, rank: Rank) -> None:
        self.need(c, "tCKESR", rank.entered, self.p["nCKESR"])
        rank.asleep, rank.left_self_refresh = "", c.cycle
