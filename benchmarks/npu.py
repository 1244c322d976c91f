"""How fast the NPU simulator is, in (layer, design) pairs per CPU-second on one core, and what levelling hides.

    python -m benchmarks.npu [--out benchmarks/results/npu]

Absolute numbers depend on the machine. SCALE-Sim v3 was measured on another at 2.6-5.2 thousand simulated cycles per
CPU-second; the last column is the same figure here.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from archgym.sims.npu import kernel, layout as L
from archgym.sims.npu.events import fold_by_fold
from archgym.sims.npu.simulator import SystolicNpu, design_rows, load
from archgym.sims.npu.table import layer_table
from benchmarks._run import best_cpu_seconds, machine, main

DESIGNS = 2000
WORKLOADS = ("resnet50", "mobilenet-v2", "bert-base", "gpt3-7b-decode")


def bursts(designs: int = 60) -> dict[str, dict[str, float]]:
    """Cycles fold by fold, with every transfer in the fold that needs it, over the kernel's levelled ones."""
    rng = np.random.default_rng(0)
    found = {}
    for workload in ("resnet18", "alexnet", "bert-base"):
        layers = [layer for layer in load(workload) if layer.kind != "vector" and layer.instances == 1][:21]
        ratios = []
        for _ in range(designs):
            sides, halves = rng.choice([8, 16, 32, 64, 128], 2), 512 * 2.0 ** rng.integers(3, 12, 3)
            row = np.array(
                [*sides, 1, rng.integers(3), *halves, 2.0 ** rng.integers(2, 8), 64, rng.choice([1, 2]), 1 << 30]
            )
            for layer in layers:
                out = np.zeros((1, L.OUTS))
                kernel.score(layer_table([layer]), row[None], out)
                ratios.append(fold_by_fold(layer, row).cycles / (out[0, L.O_COMPUTE] + out[0, L.O_STALL]))
        marks = dict(zip(("p50", "p90", "p99", "max"), np.quantile(ratios, (0.5, 0.9, 0.99, 1)).tolist(), strict=True))
        found[workload] = {"pairs": float(len(ratios)), "mean": float(np.mean(ratios)), **marks}
    return found


def measure() -> dict[str, Any]:
    """All figures of one run."""
    simulator = SystolicNpu()
    designs = simulator.space.sample(DESIGNS, np.random.default_rng(0))
    rows = design_rows(simulator.space.columns(designs), np.full(DESIGNS, 16.0))
    speed: dict[str, dict[str, float]] = {}
    for workload in WORKLOADS:
        table, out = layer_table(load(workload)), np.zeros((DESIGNS, L.OUTS))
        pairs = len(table) * DESIGNS
        alone = best_cpu_seconds(partial(kernel.score, table, rows, out))
        whole = best_cpu_seconds(partial(simulator.simulate, designs, workload))
        cycles = float(out[:, [L.O_COMPUTE, L.O_VECTOR, L.O_STALL]].sum())
        speed[workload] = {
            "layers": len(table),
            "kernel_pairs_per_cpu_second": pairs / alone,
            "simulate_pairs_per_cpu_second": pairs / whole,
            "designs_per_cpu_second": DESIGNS / whole,
            "simulated_cycles_per_cpu_second": cycles / whole,
        }
    return {"machine": machine(), "designs": DESIGNS, "speed": speed, "bursts": bursts()}


def markdown(found: dict[str, Any]) -> str:
    """The figures as a small table."""
    lines = [
        f"(Layer, design) pairs per CPU-second, one core, batches of {found['designs']} designs ({found['machine']}):",
        "",
        "| network | layers | kernel, million | with energy, area, million | designs per second | simulated cycles |",
        "|---|---|---|---|---|---|",
    ]
    for workload, row in found["speed"].items():
        lines.append(
            f"| {workload} | {row['layers']} | {row['kernel_pairs_per_cpu_second'] / 1e6:.2f} "
            f"| {row['simulate_pairs_per_cpu_second'] / 1e6:.2f} | {row['designs_per_cpu_second']:,.0f} "
            f"| {row['simulated_cycles_per_cpu_second']:.1e} |"
        )
    lines += ["", "Cycles with every transfer in the fold that needs it, over levelled ones:", ""]
    lines += ["| network | pairs | mean | p50 | p90 | p99 | max |", "|---|---|---|---|---|---|---|"]
    for workload, row in found["bursts"].items():
        marks = " | ".join(f"{row[mark]:.3f}" for mark in ("mean", "p50", "p90", "p99", "max"))
        lines.append(f"| {workload} | {row['pairs']:.0f} | {marks} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main(__doc__, "npu", measure, markdown)
