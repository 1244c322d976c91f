"""The controller's knobs by name: choices, defaults, and their encoding for the kernel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.errors import InvalidInput, UnknownName
from archgym.sims.dram import layout as L
from archgym.sims.dram.addressing import MAPPINGS
from archgym.sims.dram.spec import Device

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Knob:
    """A setting: named choices (position = the kernel's code), or whole numbers from `low` to `high`."""

    default: str | int
    doc: str
    choices: tuple[str, ...] = ()
    low: int = 0
    high: int = 0

    def code(self, name: str, value: Any) -> int:
        """The kernel's number for a value.

        Raises:
            InvalidInput: when the value is not allowed.
        """
        if self.choices:
            if value not in self.choices:
                raise UnknownName(f"value of {name}", str(value), self.choices)
            return self.choices.index(value)
        if isinstance(value, (bool, np.bool_)) or int(value) != value or not self.low <= value <= self.high:
            raise InvalidInput(f"{name}={value!r} is out of range; allowed: whole numbers {self.low} to {self.high}")
        return int(value)


KNOBS: Mapping[str, Knob] = MappingProxyType(
    {
        "PagePolicy": Knob(
            "Open",
            "When a row is closed: Open: when another row is needed; Closed: after every access; OpenAdaptive: with "
            "the access, if only other rows are waited for; ClosedAdaptive: with the access, unless the row "
            "is waited for.",
            ("Open", "OpenAdaptive", "Closed", "ClosedAdaptive"),
        ),
        "Scheduler": Knob(
            "FrFcfs",
            "Which request of a bank is next. Fifo: the oldest; FrFcfs: the oldest that hits the open row, else the "
            "oldest; FrFcfsGrp: of the hits, one of the same kind (read or write) as the channel's last access.",
            ("Fifo", "FrFcfs", "FrFcfsGrp"),
        ),
        "SchedulerBuffer": Knob(
            "Bankwise",
            "What RequestBufferSize limits: requests per bank, reads and writes each, or all requests of a channel.",
            ("Bankwise", "ReadWrite", "Shared"),
        ),
        "RequestBufferSize": Knob(8, "Places in the controller's buffer.", low=1, high=4096),
        "CmdMux": Knob(
            "Oldest",
            "Which bank's legal command goes on the bus. Oldest: the oldest request's; Strict: likewise, but reads and "
            "writes stay in the order of arrival over all banks; RoundRobin: the next bank's in turn (as DRAMsim3).",
            ("Oldest", "Strict", "RoundRobin"),
        ),
        "RespQueue": Knob(
            "Fifo", "Order of answers: that of the data (Fifo) or of the requests (Reorder).", ("Fifo", "Reorder")
        ),
        "RefreshPolicy": Knob(
            "AllBank",
            "NoRefresh; AllBank: a rank at once; PerBank: one bank at a time; SameBank: one of every bank group.",
            ("NoRefresh", "AllBank", "PerBank", "SameBank"),
        ),
        "RefreshMaxPostponed": Knob(0, "Refresh intervals that may be owed while requests wait.", low=0, high=8),
        "RefreshMaxPulledin": Knob(0, "Refresh intervals that may be done early while idle.", low=0, high=8),
        "RefreshPhase": Knob(
            "Staggered",
            "Whether the ranks of a channel take turns within the refresh interval or are due together (Ramulator 2).",
            ("Staggered", "Simultaneous"),
        ),
        "PowerDownPolicy": Knob(
            "NoPowerDown",
            "Staggered: an idle rank powers down at once (active or precharged), and when a refresh wakes a precharged "
            "one while it is still idle, goes to self refresh.",
            ("NoPowerDown", "Staggered"),
        ),
        "Arbiter": Knob(
            "Simple",
            "The way to the channels. Simple: one request at a time, a full channel stops all; Fifo: up to "
            "MaxActiveTransactions are under way, queued per channel; Reorder: likewise, answered in order.",
            ("Simple", "Fifo", "Reorder"),
        ),
        "MaxActiveTransactions": Knob(128, "Requests under way (Arbiter Fifo and Reorder).", low=1, high=1 << 20),
        "WriteHighWatermark": Knob(
            0,
            "Share of the write buffer (percent, SchedulerBuffer ReadWrite) at which writes get their turn; 0: reads "
            "and writes are scheduled together.",
            low=0,
            high=100,
        ),
        "WriteLowWatermark": Knob(
            20, "Share of the write buffer (percent) at which reads get their turn back.", low=0, high=99
        ),
        "RowHitLimit": Knob(
            0,
            "Accesses to an open row after which an older request for another row may close it although requests that "
            "hit it wait (Scheduler FrFcfs and FrFcfsGrp); 0: never.",
            low=0,
            high=4096,
        ),
        "EntryFreed": Knob(
            "Column",
            "When a request's place in the buffer is free again: with its read or write, or with the activate done for "
            "it (as Ramulator 2's buffer of active requests).",
            ("Column", "Activate"),
        ),
        "TransactionQueueSize": Knob(
            0,
            "Reads, and writes, that wait in a queue before the banks' queues, which they enter one a cycle; writes in "
            "bursts, when their queue is full or the banks are idle (as DRAMsim3). 0: no such queue.",
            low=0,
            high=4096,
        ),
        "AddressMapping": Knob("RoRaBaBgCoCh", "Order of the address fields, most significant first.", tuple(MAPPINGS)),
    }
)
"""Every knob of the controller. Semantics follow DRAMSys 5 (tukl-msd/DRAMSys, src/DRAMSys/controller)."""

DEFAULTS: Mapping[str, str | int] = MappingProxyType({name: knob.default for name, knob in KNOBS.items()})

REFRESH_COMMANDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"NoRefresh": (), "AllBank": ("REFAB",), "PerBank": ("REFPB",), "SameBank": ("REFSB",)}
)
"""Refresh commands a policy needs."""

_COLUMN = {
    "PagePolicy": L.C_PAGE, "Scheduler": L.C_SCHEDULER, "SchedulerBuffer": L.C_BUFFER,
    "RequestBufferSize": L.C_BUFFER_SIZE, "CmdMux": L.C_MUX, "RespQueue": L.C_RESPONSE, "RefreshPolicy": L.C_REFRESH,
    "RefreshMaxPostponed": L.C_POSTPONE, "RefreshMaxPulledin": L.C_PULL_IN, "PowerDownPolicy": L.C_POWER_DOWN,
    "Arbiter": L.C_ARBITER, "MaxActiveTransactions": L.C_ACTIVE, "WriteHighWatermark": L.C_DRAIN_HIGH,
    "WriteLowWatermark": L.C_DRAIN_LOW, "RowHitLimit": L.C_HIT_LIMIT, "EntryFreed": L.C_FREE_EARLY,
    "TransactionQueueSize": L.C_STAGE, "RefreshPhase": L.C_SAME_PHASE,
}  # fmt: skip


def refresh_policies(device: Device) -> tuple[str, ...]:
    """Refresh policies a device can follow."""
    known = set(device.refresh)
    return tuple(name for name, needed in REFRESH_COMMANDS.items() if known.issuperset(needed))


def complete(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with the defaults filled in.

    Raises:
        UnknownName: for a knob that does not exist or a value that is not a choice.
        InvalidInput: for a number out of range, or settings that exclude each other.
    """
    for name, value in settings.items():
        if name not in KNOBS:
            raise UnknownName("controller knob", name, KNOBS)
        KNOBS[name].code(name, value)
    full = {**DEFAULTS, **settings}
    if full["TransactionQueueSize"] > 0 and (full["CmdMux"] == "Strict" or full["Arbiter"] != "Simple"):
        # The queue holds writes back until it is full, so who waits for one write in order waits for good.
        raise InvalidInput(
            "TransactionQueueSize above 0 needs Arbiter=Simple and a CmdMux other than Strict, got "
            f"Arbiter={full['Arbiter']}, CmdMux={full['CmdMux']}; set TransactionQueueSize=0"
        )
    return full


def used_commands(refresh: str, power_down: str) -> frozenset[str]:
    """Commands that can ever be issued under these policies: rows that guard others need no work."""
    found = {"ACT", "PRE", "RD", "RDA", "WR", "WRA"}
    if refresh == "AllBank":
        found |= {"PREA", "REFAB"}
    elif refresh != "NoRefresh":
        found |= set(REFRESH_COMMANDS[refresh])
    if power_down == "Staggered":
        found |= {"PDE", "PDX"}
        if refresh != "NoRefresh":
            found |= {"SREFE", "SREFX", "REFAB"}
    return frozenset(found)


def configure(columns: Mapping[str, Iterable[int]], device: Device, channels: int, bursts: int) -> Ints:
    """Configuration vectors int64[n, fields] from coded columns {knob: int[n]}; all knobs but AddressMapping."""
    coded = {name: np.asarray(columns[name], dtype=np.int64) for name in _COLUMN}
    n, t = len(coded["PagePolicy"]), device.timing
    cfg = np.zeros((n, L.CONFIG_FIELDS), dtype=np.int64)
    for name, column in _COLUMN.items():
        cfg[:, column] = coded[name]
    strict = cfg[:, L.C_MUX] == L.MUX_STRICT
    cfg[strict, L.C_SCHEDULER] = L.FIFO  # nothing may overtake, so there is nothing to choose
    _watermarks(cfg, strict)
    cfg[:, L.C_TWO_LISTS] = (cfg[:, L.C_DRAIN] == 1) | (cfg[:, L.C_SCHEDULER] == L.FRFCFS_GRP)
    _refresh_units(cfg, device)
    cfg[:, L.C_ACTIVE] *= bursts
    cfg[:, L.C_CHANNELS] = channels
    oldest = (cfg[:, L.C_MUX] == L.MUX_OLDEST) & (cfg[:, L.C_HIT_LIMIT] == 0)
    cfg[:, L.C_PLAIN] = oldest & (not device.dual_command_bus)
    cfg[:, L.C_BUSES] = 2 if device.dual_command_bus else 1
    cfg[:, L.C_READ_END] = t["nCL"] + t["nBL"]
    cfg[:, L.C_WRITE_END] = t["nCWL"] + t["nBL"]
    cfg[:, L.C_RTP], cfg[:, L.C_RAS] = t["nRTP"], t["nRAS"]
    cfg[:, L.C_WRITE_CLOSE] = t["nCWL"] + t["nBL"] + t["nWR"]
    return cfg


def watermark_entries(size: Ints, high_percent: Ints, low_percent: Ints) -> tuple[Ints, Ints]:
    """Percentages of the write buffer as numbers of writes: draining starts at `high` and ends at `low` < `high`."""
    high = np.maximum(1, -(-size * high_percent // 100))
    return high, np.minimum(size * low_percent // 100, high - 1)


def _watermarks(cfg: Ints, strict: NDArray[np.bool_]) -> None:
    """Whether writes are drained, and when."""
    cfg[:, L.C_DRAIN] = (cfg[:, L.C_BUFFER] == L.READ_WRITE) & (cfg[:, L.C_DRAIN_HIGH] > 0) & ~strict
    high, low = watermark_entries(cfg[:, L.C_BUFFER_SIZE], cfg[:, L.C_DRAIN_HIGH], cfg[:, L.C_DRAIN_LOW])
    cfg[:, L.C_DRAIN_HIGH], cfg[:, L.C_DRAIN_LOW] = high, low


def _refresh_units(cfg: Ints, device: Device) -> None:
    """Refresh interval of the policy, and intervals owed or in advance counted in refresh commands."""
    t, per_rank = device.timing, device.bankgroups * device.banks_per_group
    interval, units = np.ones(len(cfg), dtype=np.int64), np.ones(len(cfg), dtype=np.int64)
    for policy, count, key in (
        (L.ALL_BANK, 1, "nREFI"),
        (L.PER_BANK, per_rank, "nREFIPB"),
        (L.SAME_BANK, device.banks_per_group, "nREFISB"),
    ):
        rows = cfg[:, L.C_REFRESH] == policy
        interval[rows], units[rows] = t.get(key, t["nREFI"] // count), count
    cfg[:, L.C_REF_INTERVAL] = interval
    cfg[:, L.C_POSTPONE] *= units
    cfg[:, L.C_PULL_IN] *= units


def check_refresh(policy: str, device: Device) -> None:
    """Refuse a refresh policy the device has no commands for.

    Raises:
        UnknownName: naming the policies it has.
    """
    allowed = refresh_policies(device)
    if policy not in allowed:
        raise UnknownName(f"RefreshPolicy of {device.name}", policy, allowed)
