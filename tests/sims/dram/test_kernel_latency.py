"""Single accesses against closed forms from the device's parameters, and the peak bandwidth of every device."""

from __future__ import annotations

import numpy as np
import pytest

from archgym.sims.dram.addressing import decode
from archgym.sims.dram.devices import DEVICES
from archgym.sims.dram.engine import Stats, simulate_one
from archgym.sims.dram.spec import COMMANDS, Device
from archgym.sims.dram.workloads import Trace

QUIET = {"RefreshPolicy": "NoRefresh"}
LONG_AGO = 100_000  # cycles after which no constraint of an earlier access is felt


def accesses(device: Device, *requests: tuple[int, int, bool], **settings: object) -> Stats:
    """Simulate (address, arrival, write) requests of one burst each."""
    address, arrival, write = zip(*requests, strict=True)
    trace = Trace.of("hand", np.array(address, dtype=np.uint64), write, arrival)
    return simulate_one(device, {**QUIET, **settings}, trace, request_bytes=device.access_bytes, log=True)


def latencies(stats: Stats, *arrivals: int) -> list[int]:
    """Cycles from arrival to answer."""
    return [int(done) - arrival for done, arrival in zip(stats.done, arrivals, strict=True)]


def address_of(device: Device, **wanted: int) -> int:
    """An address (default mapping) with these fields and zeros elsewhere, found by asking for each bit what it is."""
    found = 0
    bit = device.access_bytes
    while wanted:
        fields = decode(np.array([bit], dtype=np.uint64), "RoRaBaBgCoCh", device)
        for name in [n for n in wanted if fields[n][0] == (wanted[n] & -wanted[n]) and wanted[n]]:
            found |= bit
            wanted[name] &= wanted[name] - 1
        wanted = {name: value for name, value in wanted.items() if value}
        bit <<= 1
    return found


@pytest.mark.parametrize("device", DEVICES.values(), ids=lambda d: d.name)
class TestClosedForms:
    """Row miss, hit and conflict of reads and writes."""

    def test_read_miss(self, device: Device) -> None:
        t = device.timing
        stats = accesses(device, (0, 7, False))
        assert latencies(stats, 7) == [t["nRCDRD"] + t["nCL"] + t["nBL"]]
        assert (stats.counts["row_hits"], stats.counts["row_misses"], stats.counts["row_conflicts"]) == (0, 1, 0)

    def test_write_miss(self, device: Device) -> None:
        t = device.timing
        stats = accesses(device, (0, 3, True))
        assert latencies(stats, 3) == [t["nRCDWR"] + t["nCWL"] + t["nBL"]]

    def test_read_hit(self, device: Device) -> None:
        t = device.timing
        stats = accesses(device, (0, 0, False), (address_of(device, column=1), LONG_AGO, False))
        assert latencies(stats, 0, LONG_AGO)[1] == t["nCL"] + t["nBL"]
        assert stats.counts["row_hits"] == 1

    def test_read_conflict(self, device: Device) -> None:
        t = device.timing
        stats = accesses(device, (0, 0, False), (address_of(device, row=1), LONG_AGO, False))
        assert latencies(stats, 0, LONG_AGO)[1] == t["nRP"] + t["nRCDRD"] + t["nCL"] + t["nBL"]
        assert stats.counts["row_conflicts"] == 1

    def test_conflict_after_write_waits_for_recovery(self, device: Device) -> None:
        t = device.timing
        stats = accesses(device, (0, 0, True), (address_of(device, row=1), 1, False))
        write = t["nRCDWR"]
        close = max(t["nRAS"], write + t["nCWL"] + t["nBL"] + t["nWR"])
        assert stats.done[1] == close + t["nRP"] + t["nRCDRD"] + t["nCL"] + t["nBL"]

    def test_closed_page_reopens_without_a_precharge(self, device: Device) -> None:
        t = device.timing
        stats = accesses(device, (0, 0, False), (0, LONG_AGO, False), PagePolicy="Closed")
        assert latencies(stats, 0, LONG_AGO)[1] == t["nRCDRD"] + t["nCL"] + t["nBL"]
        assert [COMMANDS[c] for c in stats.log[:, 8]] == ["ACT", "RDA", "ACT", "RDA"]


def streamed(device: Device, lines: np.ndarray, write: bool) -> float:
    """Bandwidth over peak of an unrefreshed device that is given these lines as fast as it takes them."""
    trace = Trace.of("lines", lines.astype(np.uint64) * 64, np.full(len(lines), write), np.zeros(len(lines)))
    settings = {**QUIET, "AddressMapping": "RoRaBaCoBgCh", "SchedulerBuffer": "Shared", "RequestBufferSize": 64}
    return simulate_one(device, settings, trace).metrics["bandwidth_gbps"] / device.peak_bandwidth_gbps


@pytest.mark.parametrize("device", DEVICES.values(), ids=lambda d: d.name)
@pytest.mark.parametrize("write", [False, True], ids=["read", "write"])
class TestPeak:
    """The data bus is the limit: nearly reached, never exceeded."""

    def test_ideal_stream(self, device: Device, write: bool) -> None:
        """Over and over the open rows, one of every bank group."""
        lines = device.row_bytes * device.bankgroups * device.pseudochannels // 64
        assert 0.97 <= streamed(device, np.arange(20_000) % lines, write) <= 1 + 1e-12

    def test_sequential_stream(self, device: Device, write: bool) -> None:
        """New rows all the time: their activates hide behind the bursts, but need the command bus."""
        assert 0.93 <= streamed(device, np.arange(20_000), write) <= 1 + 1e-12


def test_channels_multiply_the_bandwidth() -> None:
    device = DEVICES["HBM2-2000-8Gb"]
    lines = 40_000
    trace = Trace.of("wide", np.arange(lines, dtype=np.uint64) * 64, np.zeros(lines, dtype=bool), np.zeros(lines))
    settings = {**QUIET, "AddressMapping": "RoRaBaCoBgCh", "SchedulerBuffer": "Shared", "RequestBufferSize": 64}
    wide = simulate_one(device, settings, trace, channels=8).metrics["bandwidth_gbps"]
    assert 0.95 * 8 * device.peak_bandwidth_gbps <= wide <= 8 * device.peak_bandwidth_gbps
