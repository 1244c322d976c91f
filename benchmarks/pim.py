"""How fast the PIM models are, and how far the fast one is from the detailed one.

    python -m benchmarks.pim [--out benchmarks/results/pim]

The detailed path simulates a channel command by command; the fast one is the closed form that systems use for whole
batches. Absolute numbers depend on the machine.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from archgym.sims.pim.channel import Controller, gwrite, program, simulate, tile
from archgym.sims.pim.device import pim_device
from archgym.sims.pim.gemv import attention, refresh_stretch
from archgym.sims.pim.mapping import KvLayout
from benchmarks._run import best_cpu_seconds, machine, main

DEVICES = ("neupims-hbm2", "newton-hbm2")
LENGTHS = (64, 300, 513, 1024, 2048)


def channel_speed() -> dict[str, dict[str, float]]:
    """Simulated cycles and commands per CPU-second: tiles alone, and beside a stream of reads."""
    i = np.arange(20_000)
    requests = {"arrival": 2 * i, "bank": i // 16 % 32, "row": 1000 + i // 512, "column": i % 16, "write": 0 * i}
    items = program([gwrite(0), *(tile(row) for row in range(1, 300))])
    found: dict[str, dict[str, float]] = {}
    for name in DEVICES:
        for label, traffic in (("tiles alone", None), ("beside reads", requests)):
            pim = pim_device(name)
            run = simulate(pim, items, traffic)
            seconds = best_cpu_seconds(partial(simulate, pim, items, traffic))
            issued = sum(run.counts.values()) / seconds
            found[f"{name}, {label}"] = {"cycles_per_s": run.cycles / seconds, "commands_per_s": issued}
    return found


def closed_form_speed(batch: int = 256) -> dict[str, float]:
    """Closed-form attention of a batch: designs per CPU-second, no design seen before, and requests per CPU-second."""
    tokens = np.random.default_rng(0).integers(16, 2048, batch)
    windows = iter(range(16, 100_000))

    def one() -> None:
        attention(pim_device(timing={"nFAW": next(windows)}), 8, 128, tokens)

    seconds = best_cpu_seconds(one)
    return {"designs_per_s": 1 / seconds, "requests_per_s": batch / seconds}


def fast_against_detailed() -> list[dict[str, Any]]:
    """Cycles of one request's attention, eight heads of 128: closed form with refresh, and command by command."""
    rows = []
    for name in DEVICES:
        pim = pim_device(name)
        for tokens in LENGTHS:
            layout = KvLayout(pim, 8, 128, tokens, first_row=1)
            items = program([*layout.score_items(0), *layout.attend_items(0)])
            detailed = simulate(pim, items).pim_cycles
            work = attention(pim, 8, 128, [tokens])
            period = work.cycles / work.tiles
            fast = float((work.cycles * refresh_stretch(pim, period))[0])
            alone = simulate(pim, items, controller=Controller(refresh="none")).pim_cycles
            rows.append(
                {
                    "device": name, "tokens": tokens, "detailed": detailed, "fast": round(fast),
                    "error": fast / detailed - 1, "error_without_refresh": float(work.cycles[0]) / alone - 1,
                    "scheduled": int(work.scheduled_cycles[0]),
                }
            )  # fmt: skip
    return rows


def measure() -> dict[str, Any]:
    """All figures of one run."""
    return {
        "machine": machine(),
        "channel": channel_speed(),
        "closed_form": closed_form_speed(),
        "fast_against_detailed": fast_against_detailed(),
    }


def markdown(found: dict[str, Any]) -> str:
    """The figures as small tables."""
    lines = [f"The channel, command by command, per CPU-second ({found['machine']}):", ""]
    lines += ["| case | million cycles | million commands |", "|---|---|---|"]
    for case, row in found["channel"].items():
        lines.append(f"| {case} | {row['cycles_per_s'] / 1e6:.2f} | {row['commands_per_s'] / 1e6:.2f} |")
    form = found["closed_form"]
    lines += ["", f"Closed form, a batch of 256 requests: {form['designs_per_s']:,.0f} designs "]
    lines[-1] += f"({form['requests_per_s'] / 1e6:.2f} million requests) per CPU-second."
    lines += ["", "Attention of one request (8 heads of 128), cycles:", ""]
    lines += ["| device | tokens | detailed | closed form | error | error without refresh | the paper's estimate |"]
    lines += ["|---|---|---|---|---|---|---|"]
    for row in found["fast_against_detailed"]:
        lines.append(
            f"| {row['device']} | {row['tokens']} | {row['detailed']:,} | {row['fast']:,} | {row['error']:+.1%} | "
            f"{row['error_without_refresh']:+.1%} | {row['scheduled']:,} |"
        )
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main(__doc__, "pim", measure, markdown)
