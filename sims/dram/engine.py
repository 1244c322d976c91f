"""Run the kernel: one design with everything it can tell (`simulate_one`), or many in parallel (`simulate_batch`)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.sims.dram import addressing, controller, kernel, layout
from archgym.sims.dram.devices import device as device_by_name
from archgym.sims.dram.energy import COMPONENTS, components
from archgym.sims.dram.spec import Device
from archgym.sims.dram.timing import Tables, compile_device
from archgym.sims.dram.workloads import LINE_BYTES, Trace, load

Ints = NDArray[np.int64]
_COLUMN = {name: position for position, name in enumerate(layout.OUT_NAMES)}


@dataclass(frozen=True)
class Stats:
    """What one run reports. Cycles are command-clock cycles of the device."""

    device: Device
    channels: int
    ranks: int
    counts: Mapping[str, int]
    """`layout.OUT_NAMES`: cycles, requests, row hits, commands, cycles by rank mode, latency sums and percentiles."""
    metrics: Mapping[str, float]
    """What the simulator reports (`simulator.METRICS`)."""
    energy_pj: Mapping[str, float]
    """By component; they sum to the metric energy_pj."""
    entered: Ints
    """Per burst, cycle at which the controller took it."""
    done: Ints
    """Per burst, cycle at which its answer arrived."""
    log: Ints
    """Commands as [cycle, channel, pseudochannel, rank, bankgroup, bank, row, column, command, burst or -1]."""

    @property
    def cycles(self) -> int:
        """Cycles until the last answer."""
        return self.counts["cycles"]

    @property
    def read_latency_cycles(self) -> float:
        """Mean cycles from arrival to answer of a read."""
        return self.counts["latency_sum"] / max(1, self.counts["reads"])

    @property
    def service_latency_cycles(self) -> float:
        """Mean cycles of a read from entering the controller to the answer (what DRAMsim3 and Ramulator report)."""
        return self.counts["service_sum"] / max(1, self.counts["reads"])


def derive(device: Device, request_bytes: int, out: Ints) -> dict[str, NDArray[np.float64]]:
    """Metrics of result rows int64[n, OUT_NAMES], float64[n] each."""
    counts = {name: out[:, column] for name, column in _COLUMN.items()}
    tck_ns = device.tck_ps / 1000.0
    cycles = np.maximum(counts["cycles"], 1).astype(np.float64)
    time_ns, reads = cycles * tck_ns, np.maximum(counts["reads"], 1)
    parts = components(device, counts)
    total = sum(parts[name] for name in COMPONENTS)
    found = {
        "cycles": cycles,
        "time_ns": time_ns,
        "latency_ns": counts["latency_sum"] / reads * tck_ns,
        "latency_p50_ns": counts["latency_p50"] * tck_ns,
        "latency_p95_ns": counts["latency_p95"] * tck_ns,
        "latency_p99_ns": counts["latency_p99"] * tck_ns,
        "latency_max_ns": counts["latency_max"] * tck_ns,
        "service_latency_ns": counts["service_sum"] / reads * tck_ns,
        "bandwidth_gbps": (counts["reads"] + counts["writes"]) * float(request_bytes) / time_ns,
        "row_hits": counts["row_hits"],
        "row_misses": counts["row_misses"],
        "row_conflicts": counts["row_conflicts"],
        "energy_pj": total,
        **{f"energy_{name}_pj": parts[name] for name in COMPONENTS},
        "power_mw": total / time_ns,
    }
    return {name: np.asarray(values, dtype=np.float64) for name, values in found.items()}


def rank_phases(ranks: int) -> Ints:
    """Bit-reversed rank numbers: the order in which ranks get their refresh within an interval."""
    bits = max(1, (ranks - 1).bit_length())
    order = sorted(range(ranks), key=lambda rank: int(f"{rank:0{bits}b}"[::-1], 2))
    phases = np.empty(ranks, dtype=np.int64)
    phases[order] = np.arange(ranks)
    return phases


def arrivals(trace: Trace, device: Device) -> Ints:
    """Arrival cycles in the device's clock, rounded up."""
    if trace.clock_ps == 0:
        return np.ascontiguousarray(trace.arrival, dtype=np.int64)
    return np.ascontiguousarray(-(-trace.arrival * trace.clock_ps // device.tck_ps), dtype=np.int64)


def decode(
    trace: Trace, mapping: str, device: Device, channels: int, ranks: int, request_bytes: int
) -> layout.Accesses:
    """The trace as bursts for the kernel."""
    return addressing.accesses(
        trace.address, trace.write, arrivals(trace, device), mapping, device, channels, ranks, request_bytes
    )


def tables_for(device: Device, ranks: int, refresh: str, power_down: str) -> Tables:
    """Timing tables of a device under these policies."""
    return compile_device(device, ranks, controller.used_commands(refresh, power_down))


def simulate_one(
    device: Device | str,
    settings: Mapping[str, Any],
    trace: Trace | str,
    *,
    channels: int = 1,
    ranks: int = 1,
    request_bytes: int = LINE_BYTES,
    log: bool = False,
) -> Stats:
    """Simulate one controller on one trace.

    Args:
        device: a device or a registered name.
        settings: knobs that differ from their defaults (`controller.KNOBS`).
        trace: a trace, a workload name or a path.
        channels: channels, each with its own controller.
        ranks: ranks per (pseudo) channel.
        request_bytes: what one request moves; more than one burst where a burst moves less.
        log: keep the command log.

    Raises:
        InvalidInput: for an unknown device, knob, value or workload, or a refresh policy the device lacks.
    """
    device = device_by_name(device) if isinstance(device, str) else device
    trace = load(trace) if isinstance(trace, str) else trace
    full = controller.complete(settings)
    controller.check_refresh(full["RefreshPolicy"], device)
    reads = decode(trace, full["AddressMapping"], device, channels, ranks, request_bytes)
    codes = {name: [knob.code(name, full[name])] for name, knob in controller.KNOBS.items()}
    cfg = controller.configure(codes, device, channels, reads.bursts)[0]
    tables = tables_for(device, ranks, full["RefreshPolicy"], full["PowerDownPolicy"])
    phases, out = rank_phases(device.pseudochannels * ranks), np.zeros((1, len(layout.OUT_NAMES)), dtype=np.int64)
    rows = np.empty((0, layout.LOG_FIELDS), dtype=np.int64)
    work = kernel.run_one(cfg, tables, reads, phases, rows, out[0])
    _check(out)
    if log:  # deterministic, so the second run is the first, and now its length is known
        rows = np.empty((int(out[0, _COLUMN["commands"]]), layout.LOG_FIELDS), dtype=np.int64)
        kernel.run_one(cfg, tables, reads, phases, rows, out[0])
    metrics = {name: float(values[0]) for name, values in derive(device, request_bytes, out).items()}
    counts = {name: int(out[0, column]) for name, column in _COLUMN.items()}
    energy = {name: metrics[f"energy_{name}_pj"] for name in COMPONENTS}
    return Stats(
        device, channels, ranks, counts, metrics, energy, work[:, layout.W_ENTERED], work[:, layout.W_DONE], rows
    )


def _check(out: Ints) -> None:
    if out[:, _COLUMN["status"]].any():
        raise RuntimeError("the controller model came to a standstill with requests waiting; please report this")


def simulate_batch(
    device: Device,
    columns: Mapping[str, NDArray[np.int64]],
    trace: Trace,
    *,
    channels: int = 1,
    ranks: int = 1,
    request_bytes: int = LINE_BYTES,
    threads: int | None = None,
) -> Ints:
    """Simulate n designs given as coded columns {knob: int64[n]} in parallel; returns int64[n, OUT_NAMES].

    Designs are independent and each is deterministic, so the number of threads changes nothing.
    """
    n = len(columns["PagePolicy"])
    out = np.zeros((n, len(layout.OUT_NAMES)), dtype=np.int64)
    phases = rank_phases(device.pseudochannels * ranks)
    names = {knob: controller.KNOBS[knob].choices for knob in ("AddressMapping", "RefreshPolicy", "PowerDownPolicy")}
    keys = np.stack([columns[knob] for knob in names], axis=1)
    jobs = []
    workers = threads or os.cpu_count() or 1
    for key in np.unique(keys, axis=0):
        rows = np.flatnonzero((keys == key).all(axis=1))
        mapping, refresh, power_down = (names[knob][code] for knob, code in zip(names, key, strict=True))
        reads = decode(trace, mapping, device, channels, ranks, request_bytes)
        tables = tables_for(device, ranks, refresh, power_down)
        cfg = controller.configure(
            {knob: column[rows] for knob, column in columns.items()}, device, channels, reads.bursts
        )
        # Small pieces, so that threads finish together although designs differ in speed.
        piece = max(1, min(64, -(-len(rows) // (4 * workers))))
        jobs += [(cfg[i : i + piece], tables, reads, rows[i : i + piece]) for i in range(0, len(rows), piece)]

    def work(job: tuple[Ints, Tables, layout.Accesses, NDArray[np.intp]]) -> None:
        cfg, tables, reads, rows = job
        part = np.zeros((len(rows), out.shape[1]), dtype=np.int64)
        kernel.run_batch(cfg, tables, reads, phases, part)
        out[rows] = part

    if workers == 1 or len(jobs) == 1:
        for job in jobs:
            work(job)
    else:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(work, jobs))
    _check(out)
    return out
