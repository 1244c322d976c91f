"""How fast the NeuPIMs simulator is, in full design points per CPU-second on one core, and against the channel model.

    python -m benchmarks.neupims [--out benchmarks/results/neupims]

A design point is a whole evaluation through `simulate`: ten batches, every stage of a block on one device, energy and
area. Absolute numbers depend on the machine. The authors' simulator needs minutes for a block of GPT3-7B.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import numpy as np

from archgym.sims.neupims.kernel_pim import LAST, PLACES, attend, score
from archgym.sims.neupims.simulator import NeuPims
from archgym.sims.neupims.system import memory_of, system
from archgym.sims.neupims.times import key_shape, pim_times
from archgym.sims.pim.channel import program, simulate
from archgym.sims.pim.mapping import KvLayout
from benchmarks._run import best_cpu_seconds, machine, main

DESIGNS = 60
WORKLOADS = ("gpt3-7b-sharegpt-b64", "gpt3-7b-sharegpt-b256", "gpt3-7b-sharegpt-b512", "gpt3-30b-sharegpt-b256")


def design_points() -> dict[str, dict[str, float]]:
    """Random designs that were scored, and the shipped NeuPIMs with sub-batches always, per CPU-second."""
    simulator = NeuPims()
    space = simulator.space
    rows = space.sample(40 * DESIGNS, np.random.default_rng(0))
    rows[:, space.position("host")] = 0
    rows[:, space.position("split")] = 0
    slowest = np.array([space.encode({p.name: _shipped(p.name, p.choices) for p in space.parameters})], dtype=np.int32)
    found = {}
    for workload in WORKLOADS:
        scored = space.canonical(rows[: 4 * DESIGNS])
        scored = scored[simulator.simulate(scored, workload).ok][:DESIGNS]
        many = best_cpu_seconds(partial(simulator.simulate, scored, workload))
        one = best_cpu_seconds(partial(simulator.simulate, slowest, workload))
        found[workload] = {
            "random_designs": float(len(scored)),
            "random_designs_per_cpu_second": len(scored) / many,
            "neupims_with_sub_batches_per_cpu_second": 1 / one,
        }
    return found


def _shipped(name: str, choices: tuple[Any, ...]) -> Any:
    if name == "split":
        return "published"
    value = {"sub_batching": "on"}.get(name, getattr(system("neupims"), name))
    return value if value in choices else choices[0]


def against_the_channel_model(cases: int = 12) -> dict[str, dict[str, float]]:
    """Attention of one channel: kernels placed between refreshes against every command simulated (`sims.pim`)."""
    found = {}
    for name in ("neupims", "npu+pim-sequencers"):
        rng = np.random.default_rng(0)
        memory = memory_of(system(name))
        p = pim_times(memory, False, 1000)._replace(transport=0.0, answer=0.0)
        errors, fast_s, detailed_s = [], 0.0, 0.0
        for attention in (False, True):  # compile, or load what was compiled
            _last(p, memory, np.array([40]), 1, attention)
        simulate(memory, program(list(KvLayout(memory, 1, 128, 40, 1).score_items(0))))
        for _ in range(cases):
            lengths, heads = rng.integers(1, 1500, rng.integers(1, 6)), int(rng.choice([1, 4, 8]))
            layouts, row = [], 1
            for n in lengths:
                layouts.append(KvLayout(memory, heads, 128, int(n), row))
                row += layouts[-1].rows
            for items, attention in (
                ([item for layout in layouts for item in layout.score_items(0)], False),
                ([item for layout in layouts for item in layout.attend_items(0)], True),
            ):
                start = time.thread_time()
                exact = simulate(memory, program(items)).cycles
                detailed_s += time.thread_time() - start
                start = time.thread_time()
                errors.append(_last(p, memory, lengths, heads, attention) / exact - 1)
                fast_s += time.thread_time() - start
        gaps = np.abs(errors)
        found[name] = {
            "cases": float(len(errors)),
            "mean_error": float(np.mean(errors)),
            "mean_absolute_error": float(gaps.mean()),
            "p90_absolute_error": float(np.quantile(gaps, 0.9)),
            "largest_absolute_error": float(gaps.max()),
            "times_faster": detailed_s / max(fast_s, 1e-9),
        }
    return found


def _last(p: Any, memory: Any, lengths: np.ndarray, heads: int, attention: bool) -> float:
    state, channels = np.zeros((1, PLACES)), np.zeros(len(lengths), dtype=np.int64)
    state[:, LAST] = -1e9
    if attention:
        columns = -(-128 // memory.banks)
        page, multipliers = memory.page_elements, memory.multipliers_per_bank
        attend(p, lengths, channels, heads, columns, page, multipliers, 0.0, 0.0, state)
    else:
        score(p, lengths, channels, key_shape(memory, heads, heads, 128), 0.0, 0.0, state, np.zeros(len(lengths)))
    return float(state[0, LAST])


def measure() -> dict[str, Any]:
    """All figures of one run."""
    return {"machine": machine(), "design_points": design_points(), "channel_model": against_the_channel_model()}


def markdown(found: dict[str, Any]) -> str:
    """The figures as small tables."""
    lines = [
        f"Measured on {found['machine']}.",
        "",
        "| workload | random designs/CPU-s | NeuPIMs with sub-batches/CPU-s |",
        "|---|---|---|",
    ]
    for workload, speed in found["design_points"].items():
        random, slowest = speed["random_designs_per_cpu_second"], speed["neupims_with_sub_batches_per_cpu_second"]
        lines.append(f"| {workload} | {random:.0f} | {slowest:.0f} |")
    lines += [
        "",
        "| one channel | mean error | mean absolute | 90 % | largest | times faster |",
        "|---|---|---|---|---|---|",
    ]
    for name, error in found["channel_model"].items():
        shares = " | ".join(
            f"{error[key]:+.2%}" if key == "mean_error" else f"{error[key]:.2%}"
            for key in ("mean_error", "mean_absolute_error", "p90_absolute_error", "largest_absolute_error")
        )
        lines.append(f"| {name} | {shares} | {error['times_faster']:.0f} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main(__doc__, "neupims", measure, markdown)
