"""A DRAM device as data: organisation, timing rows, currents. The engine and the checker loop over these rows.

A new device is a new file of rows in `sims/dram/devices/`. Latencies are in command-clock cycles of `tck_ps`
picoseconds; currents are in mA per device (die), voltages in V; every device names its sources.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Level = Literal["channel", "pseudochannel", "rank", "bankgroup", "bank"]
LEVELS: tuple[Level, ...] = ("channel", "pseudochannel", "rank", "bankgroup", "bank")

# ACT opens a row; PRE closes one bank, PREA all of a rank; RDA/WRA close the row themselves. REFAB refreshes a rank,
# REFPB one bank (LPDDR, HBM, GDDR), REFSB the same bank of every bank group (DDR5). PDE/PDX enter and leave power-down
# (active or precharge, by whether a row is open), SREFE/SREFX self refresh.
COMMANDS: tuple[str, ...] = (
    "ACT", "PRE", "PREA", "RD", "RDA", "WR", "WRA", "REFAB", "REFPB", "REFSB", "PDE", "PDX", "SREFE", "SREFX",
)  # fmt: skip


@dataclass(frozen=True)
class CommandSet:
    """Commands by name (position = code), and which of them go to more than one bank."""

    names: tuple[str, ...]
    wide: frozenset[str]
    """Obeyed by every bank of a rank, or of the channel."""
    banks_at_once: Mapping[str, int] = field(default_factory=dict)
    """Commands that go to so many consecutive banks of a rank at once."""


JEDEC = CommandSet(COMMANDS, frozenset({"PREA", "REFAB", "PDE", "PDX", "SREFE", "SREFX"}))
"""The commands of ordinary DRAM; REFSB, which goes to one bank of every bank group, has rules of its own."""


@dataclass(frozen=True)
class Timing:
    """One constraint: at one node of `level`, `following` comes at least `latency` cycles after `preceding`.

    `window` > 1 counts back: at least `latency` cycles after the window-th last preceding command (four activates:
    window=4). `sibling` applies the row between *different* nodes of the level under one parent (rank-to-rank bus
    turnarounds) instead of within one node.
    """

    level: Level
    preceding: tuple[str, ...]
    following: tuple[str, ...]
    latency: int
    window: int = 1
    sibling: bool = False
    doc: str = ""


@dataclass(frozen=True)
class Rail:
    """One supply of a device: voltage in V, currents in mA by JEDEC name (IDD0, IDD2N, ...)."""

    voltage_v: float
    current_ma: Mapping[str, float]


@dataclass(frozen=True)
class Device:
    """One DRAM configuration. `channel_width_bits` is the data bus of one pseudo channel (or channel, without any)."""

    name: str
    standard: str
    tck_ps: int
    channel_width_bits: int
    device_width_bits: int
    pseudochannels: int
    bankgroups: int
    banks_per_group: int
    rows: int
    columns: int
    """Columns of `device_width_bits` per row of one device."""
    burst_length: int
    """Beats per access; an access moves `access_bytes` over the (pseudo) channel."""
    clock_ratio: int
    """Data beats per command-clock cycle (2 for DDR; more where the data clock is a multiple)."""
    timing: Mapping[str, int]
    """Named parameters in cycles (nCL, nCWL, nBL, nRCDRD, nRCDWR, nRP, nRAS, nRC, nRFC, nREFI, ...)."""
    constraints: tuple[Timing, ...]
    refresh: tuple[str, ...]
    """Refresh commands the device knows, of REFAB, REFPB, REFSB."""
    dual_command_bus: bool
    """Row and column commands have a bus each (HBM), so one of each may issue in a cycle."""
    rails: tuple[Rail, ...]
    sources: tuple[str, ...] = field(default=())

    @property
    def devices_per_rank(self) -> int:
        """Dies that answer one access together."""
        return self.channel_width_bits // self.device_width_bits

    @property
    def access_bytes(self) -> int:
        """Bytes one RD or WR moves."""
        return self.channel_width_bits * self.burst_length // 8

    @property
    def row_bytes(self) -> int:
        """Bytes of an open row over all dies of a rank (the page)."""
        return self.columns * self.channel_width_bits // 8

    @property
    def rank_bytes(self) -> int:
        """Capacity of one rank (of one pseudo channel), bytes."""
        return self.row_bytes * self.rows * self.bankgroups * self.banks_per_group

    @property
    def peak_bandwidth_gbps(self) -> float:
        """Data-bus limit of one channel (all its pseudo channels), GB/s."""
        beats_per_ns = 1000.0 * self.clock_ratio / self.tck_ps
        return beats_per_ns * self.channel_width_bits / 8 * self.pseudochannels
