"""The DRAM link of an NPU: an ideal channel, or channels of a device of `archgym.sims.dram`, measured once.

A device's sustained bandwidth and energy come from the cycle-accurate controller on a streaming trace with the shape of
the NPU's traffic: two streams read and one written, 2 KiB of each in turn, as fast as they are answered. The link is
then a constant rate: refresh, bus turn-arounds and row misses are in the average, their moments are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import final

import numpy as np

from archgym.errors import UnknownName

__all__ = ["IDEAL", "Link", "link"]

IDEAL = "ideal"
_IDEAL_GBPS = 16.0  # of one channel; a round number, what an architect asks of "some" memory
_IDEAL_PJ_PER_BIT = 1300.0 / 64  # interface and standby included; the devices below count those apart or not at all
"""64 bits cost 1.3-2.6 nJ: Horowitz, "Computing's energy problem", ISSCC 2014, figure 1.1.9."""

_STREAM_REQUESTS = 12_288  # some 20-100 refresh intervals, so that the average has settled
_BLOCK_BYTES = 2048
_STREAM_STARTS = (0, (64 << 20) + 5 * 8192, (128 << 20) + 10 * 8192)  # rows of different banks
_CONTROLLER = MappingProxyType(
    {
        "Scheduler": "FrFcfs",
        "SchedulerBuffer": "Shared",
        "RequestBufferSize": 64,
        "WriteHighWatermark": 50,
        "WriteLowWatermark": 25,
        "AddressMapping": "RoRaBaCoBgCh",  # neighbouring lines in different bank groups: tCCD_S apart, not tCCD_L
    }
)


@final
@dataclass(frozen=True)
class Link:
    """One channel: what it sustains and what it costs."""

    gbps: float
    """Sustained, GB/s."""
    peak_gbps: float
    """Of its pins, GB/s."""
    pj_per_byte: float
    """Activates and bursts."""
    background_mw: float
    """Standby and refresh, whether used or not."""


@lru_cache(maxsize=64)
def link(memory: str) -> Link:
    """One channel of a memory: `IDEAL` or a device of `archgym.sims.dram.devices.DEVICES`.

    Raises:
        UnknownName: for another name.
    """
    check_memory(memory)
    return Link(_IDEAL_GBPS, _IDEAL_GBPS, 8 * _IDEAL_PJ_PER_BIT, 0.0) if memory == IDEAL else _measured(memory)


def check_memory(memory: str) -> None:
    """Refuse a name that is neither `IDEAL` nor a device.

    Raises:
        UnknownName: for such a name.
    """
    from archgym.sims.dram.devices import DEVICES

    if memory != IDEAL and memory not in DEVICES:
        raise UnknownName("memory", str(memory), (IDEAL, *DEVICES))


def _measured(name: str) -> Link:
    from archgym.sims.dram import engine
    from archgym.sims.dram.devices import device as device_by_name
    from archgym.sims.dram.workloads import LINE_BYTES, Trace

    device = device_by_name(name)
    lines = _BLOCK_BYTES // LINE_BYTES
    turns = _STREAM_REQUESTS // (lines * len(_STREAM_STARTS))
    block = LINE_BYTES * np.arange(lines)
    address = [start + turn * _BLOCK_BYTES + block for turn in range(turns) for start in _STREAM_STARTS]
    write = np.tile(np.repeat([False, False, True], lines), turns)
    trace = Trace.of("npu streams", np.concatenate(address), write, np.zeros(len(write)))
    found = engine.simulate_one(device, _CONTROLLER, trace).metrics
    moved = len(write) * LINE_BYTES
    used = sum(found[f"energy_{part}_pj"] for part in ("activate", "read", "write"))
    idle = sum(found[f"energy_{part}_pj"] for part in ("refresh", "background", "powerdown"))
    burst_ns = device.timing["nBL"] * device.tck_ps / 1000.0
    return Link(
        gbps=found["bandwidth_gbps"],
        peak_gbps=device.pseudochannels * device.access_bytes / burst_ns,
        pj_per_byte=used / moved,
        background_mw=idle / found["time_ns"],
    )
