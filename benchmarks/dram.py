"""How fast the DRAM simulator is: requests per CPU-second on one core, and how a batch scales over the cores.

    python -m benchmarks.dram [--out benchmarks/results/dram]

Absolute numbers depend on the machine; compare the ratios of one run. The peers' numbers were measured on another
machine with the same traces (DRAMsim3 54-108 thousand, Ramulator 2.1 71-182 thousand requests per CPU-second).
"""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np

from archgym.sims.dram import controller, engine, kernel, layout
from archgym.sims.dram.peers import PEERS
from archgym.sims.dram.simulator import DramController
from archgym.sims.dram.spec import Device
from archgym.sims.dram.workloads import load
from benchmarks._run import best_cpu_seconds, machine, main

TRACES = ("mix60_sat", "stream_rdonly", "random_sat", "mix60_gap20")
CONTROLLERS: dict[str, dict[str, Any]] = {
    "default": {},
    "32 shared entries": {"SchedulerBuffer": "Shared", "RequestBufferSize": 32, "AddressMapping": "RoBaRaCoCh"},
    "as DRAMsim3": dict(PEERS["DRAMsim3"].settings),
    "as Ramulator": dict(PEERS["Ramulator"].settings),
}


def requests_per_cpu_second(device: Device, settings: dict[str, Any], workload: str, ranks: int = 2) -> float:
    """Best of a few runs of the kernel on one core, the trace being decoded already."""
    full, trace = controller.complete(settings), load(workload)
    accesses = engine.decode(trace, full["AddressMapping"], device, 1, ranks, device.access_bytes)
    codes = {name: [knob.code(name, full[name])] for name, knob in controller.KNOBS.items()}
    cfg = controller.configure(codes, device, 1, accesses.bursts)
    tables = engine.tables_for(device, ranks, full["RefreshPolicy"], full["PowerDownPolicy"])
    phases, out = engine.rank_phases(ranks), np.zeros((1, len(layout.OUT_NAMES)), dtype=np.int64)
    return len(trace) / best_cpu_seconds(lambda: kernel.run_batch(cfg, tables, accesses, phases, out))


def batch_seconds(threads: int, designs: int = 256) -> float:
    """Wall time of a batch of distinct designs with this many threads."""
    simulator = DramController(space="archgym-rl", threads=threads)
    sample = np.unique(simulator.canonical(simulator.space.sample(8 * designs, np.random.default_rng(0))), axis=0)
    chosen = sample[np.random.default_rng(1).permutation(len(sample))[:designs]]
    simulator.simulate(chosen[:4], "random")
    start = time.perf_counter()
    simulator.simulate(chosen, "random")
    return time.perf_counter() - start


def measure() -> dict[str, Any]:
    """All figures of one run."""
    device = PEERS["DRAMsim3"].device
    speed = {
        label: {workload: requests_per_cpu_second(device, settings, workload) for workload in TRACES}
        for label, settings in CONTROLLERS.items()
    }
    cores = os.cpu_count() or 1
    counts = sorted({1, 2, cores} & set(range(1, cores + 1)))
    seconds = {threads: batch_seconds(threads) for threads in counts}
    return {
        "machine": machine(),
        "requests_per_cpu_second": speed,
        "batch_speedup": {threads: seconds[counts[0]] / value for threads, value in seconds.items()},
    }


def markdown(found: dict[str, Any]) -> str:
    """The figures as a small table."""
    title = f"Million requests per CPU-second, one core ({found['machine']}):"
    lines = [title, "", "| controller | " + " | ".join(TRACES) + " |", "|---" * (len(TRACES) + 1) + "|"]
    for label, row in found["requests_per_cpu_second"].items():
        lines.append(f"| {label} | " + " | ".join(f"{row[workload] / 1e6:.2f}" for workload in TRACES) + " |")
    scaling = ", ".join(f"{threads} threads {ratio:.2f}x" for threads, ratio in found["batch_speedup"].items())
    return "\n".join([*lines, "", f"A batch of 256 designs: {scaling}.", ""])


if __name__ == "__main__":
    main(__doc__, "dram", measure, markdown)
