"""Settings that make the controller like that of another simulator, and the timings those use, for comparison.

    stats = simulate_one(PEERS["DRAMsim3"].device, PEERS["DRAMsim3"].settings, "mix60_sat", ranks=2)

Both peers let one request in per cycle, in order, and a full buffer holds up all that follow; requests are one burst
(`request_bytes=device.access_bytes`). Their reported read latency is `Stats.service_latency_cycles`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from archgym.sims.dram.devices import device, variant
from archgym.sims.dram.spec import Device, Timing

_READ, _WRITE = ("RD", "RDA"), ("WR", "WRA")


@dataclass(frozen=True)
class Peer:
    """A simulator to compare with: which of its files, and what we set to be like it."""

    source: str
    settings: Mapping[str, Any]
    """Knobs (`controller.KNOBS`)."""
    device: Device
    """DDR4-2400 8Gb x8 with its timings."""


DRAMSIM3 = MappingProxyType(
    {
        "PagePolicy": "Open",
        "Scheduler": "FrFcfs",
        "SchedulerBuffer": "Bankwise",
        "RequestBufferSize": 8,  # cmd_queue_size, queue_structure = PER_BANK
        "TransactionQueueSize": 32,  # trans_queue_size, unified_queue = false
        "CmdMux": "RoundRobin",  # CommandQueue::GetCommandToIssue
        "RowHitLimit": 4,  # CommandQueue::ArbitratePrecharge
        "RefreshPolicy": "AllBank",  # RANK_LEVEL_STAGGERED
        "AddressMapping": "RoChRaBaBgCo",  # rochrababgco
    }
)
"""DRAMsim3 with open page and its default queues."""

RAMULATOR = MappingProxyType(
    {
        "PagePolicy": "Open",
        "Scheduler": "FrFcfs",
        "SchedulerBuffer": "ReadWrite",
        "RequestBufferSize": 32,  # read_buffer_size, write_buffer_size
        "WriteHighWatermark": 80,  # wr_high_watermark 0.8
        "WriteLowWatermark": 20,  # wr_low_watermark 0.2
        "RowHitLimit": 1,  # FRFCFSScheduler: whatever is ready first, a precharge too
        "EntryFreed": "Activate",  # ControllerBase::promote_to_active
        "RefreshPolicy": "AllBank",
        "RefreshPhase": "Simultaneous",  # scatter_interval = 0
        "AddressMapping": "RoBaRaCoCh",
    }
)
"""Ramulator 2.1 with FRFCFS, open rows and its default buffers."""


def _rank_switch(base: Device, rows: Mapping[tuple[tuple[str, ...], tuple[str, ...]], int]) -> Device:
    """The device with a peer's own rules for bursts of different ranks; both leave something out there."""
    kept = tuple(row for row in base.constraints if not row.sibling)
    other = tuple(
        Timing("rank", before, after, cycles, sibling=True, doc="rank to rank, as the peer")
        for (before, after), cycles in rows.items()
    )
    return replace(base, constraints=kept + other)


def as_dramsim3(base: Device) -> Device:
    """A device with the rules of DRAMsim3's src/timing.cc where they differ from ours.

    Read to write adds tRTRS, not the two cycles of the standard; writes to different ranks follow without a gap.
    """
    t = base.timing
    to_write = t["nCL"] + t["nBL"] - t["nCWL"] + t["nRTRS"]
    changed = variant(base, f"{base.name} as DRAMsim3", nRTW=to_write)
    gap = t["nBL"] + t["nRTRS"]
    return _rank_switch(
        changed,
        {
            (_READ, _READ): gap,
            (_READ, _WRITE): to_write,
            (_WRITE, _READ): gap - t["nCL"] + t["nCWL"],
            (_WRITE, _WRITE): t["nBL"],
        },
    )


def as_ramulator(base: Device) -> Device:
    """A device with the rules of Ramulator 2.1's python/ramulator/dram/ddr4.py where they differ from ours.

    A write may follow a read of another rank nBL + nCS cycles later, which lets their bursts overlap on the data bus;
    writes to different ranks follow without a gap.
    """
    t = base.timing
    gap = t["nBL"] + t["nRTRS"]
    rows: dict[tuple[tuple[str, ...], tuple[str, ...]], int] = {
        (_READ, _READ): gap,
        (_READ, _WRITE): gap,
        (_WRITE, _READ): gap - t["nCL"] + t["nCWL"],
        (_WRITE, _WRITE): t["nBL"],
    }
    return _rank_switch(replace(base, name=f"{base.name} as Ramulator"), rows)


_DDR4_2400R = variant(
    device("DDR4-2400-8Gb-x8"), "DDR4-2400R-8Gb-x8",
    nCL=16, nRCDRD=16, nRCDWR=16, nRP=16, nRPAB=16, nRC=55, nRTRS=2, nRFC=433, nREFI=9364,
)  # fmt: skip

PEERS: Mapping[str, Peer] = MappingProxyType(
    {
        "DRAMsim3": Peer(
            "umd-memsys/DRAMsim3 29817593, configs/DDR4_8Gb_x8_2400.ini, channel_size 16384",
            DRAMSIM3,
            as_dramsim3(device("DDR4-2400-8Gb-x8")),
        ),
        "Ramulator": Peer(
            "CMU-SAFARI/ramulator2 c5b1c3a (2.1), DDR4_8Gb_x8, DDR4_2400R, rank=2",
            RAMULATOR,
            as_ramulator(_DDR4_2400R),
        ),
    }
)
"""By name."""
