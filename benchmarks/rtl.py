"""How fast the RTL flow is: CPU seconds of a fresh point, milliseconds of a cached one, points per minute.

    python -m benchmarks.rtl [--out benchmarks/results/rtl]

A point is synthesis by every recipe of an effort, static timing of each netlist, gate-level simulation against the
golden model, glitches and power. CPU time is that of this process and of the tools; absolute numbers depend on the
machine.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

from archgym.rtl.flow.cache import Cache
from archgym.rtl.flow.limits import Limits
from archgym.rtl.flow.mapped_once import forget
from archgym.rtl.flow.measure import measure, measure_one
from archgym.rtl.flow.point import Point
from archgym.rtl.flow.results import Results
from archgym.rtl.library import block
from benchmarks._run import machine, main

MAC = {"Width": 8, "AccWidth": 32, "Pipeline": 0}
POINTS = {
    "INT8 MAC, behavioural, fastest clock": (MAC | {"Multiplier": 0, "CarrySave": 0}, None),
    "INT8 MAC, Booth, carry-save, fastest clock": (MAC | {"Multiplier": 1, "CarrySave": 1}, None),
    "INT8 MAC, behavioural, at 2 ns": (MAC | {"Multiplier": 0, "CarrySave": 0}, 2.0),
}
EFFORTS = ("quick", "normal")


def _point(parameters: dict[str, int], clock_ns: float | None, effort: str) -> Point:
    return Point(block("mac_unit"), parameters, clock_ns=clock_ns, effort=effort)


def single() -> dict[str, dict[str, float]]:
    """One point after the other: fresh, in the same process again, and in another cache object (from disk)."""
    found = {}
    for name, (parameters, clock_ns) in POINTS.items():
        for effort in EFFORTS:
            point = _point(parameters, clock_ns, effort)
            results = Results(Cache("benchmark"))
            forget()  # netlists of the same parameters at another clock
            wall, cpu = time.perf_counter(), time.process_time()
            first = measure_one(point, results=results)
            cpu = time.process_time() - cpu + float(first.details["synthesis_cpu_s"])
            wall = time.perf_counter() - wall
            found[f"{name}, effort {effort}"] = {
                "fresh_cpu_s": cpu,
                "fresh_wall_s": wall,
                "disk_ms": _best_ms(point, fresh=True),
                "memory_ms": _best_ms(point, fresh=False, results=results),
            }
    return found


def _best_ms(point: Point, *, fresh: bool, results: Results | None = None) -> float:
    """The quickest of some answers from the cache."""
    best = float("inf")
    for _ in range(20):
        known = Results(Cache("benchmark")) if fresh or results is None else results
        start = time.perf_counter()
        measure_one(point, results=known)
        best = min(best, time.perf_counter() - start)
    return 1e3 * best


def many(count: int = 24) -> dict[str, float]:
    """Points per minute of a batch that uses every core, and of the same batch again."""
    points = [
        Point(block("mac_unit"), {"Width": width, "AccWidth": 32, "Multiplier": kind, "CarrySave": save, "Pipeline": 0})
        for width in (4, 8)
        for kind in range(5)
        for save in (0, 1)
    ][:count]
    found = {}
    results = Results(Cache("benchmark-batch"))
    forget()
    for label in ("fresh", "cached"):
        start = time.perf_counter()
        done = measure(points, limits=Limits(), results=results)
        found[f"{label}_points_per_minute"] = 60 * len(done) / (time.perf_counter() - start)
    return found


def measure_all() -> dict[str, Any]:
    """All figures of one run, with a cache of its own; compilation and reading the library are done before."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ARCHGYM_CACHE"] = str(Path(folder))
        warm = Point(block("mac_unit"), MAC | {"Width": 4, "AccWidth": 16, "Multiplier": 0, "CarrySave": 0})
        measure_one(warm, results=Results())
        return {"machine": machine(), "single": single(), "batch": many()}


def markdown(found: dict[str, Any]) -> str:
    """The figures as a small table."""
    lines = [
        f"One point in generic45, one at a time ({found['machine']}):",
        "",
        "| point | fresh, CPU s | fresh, wall s | cached on disk, ms | cached in memory, ms |",
        "|---|--:|--:|--:|--:|",
    ]
    for name, row in found["single"].items():
        lines.append(
            f"| {name} | {row['fresh_cpu_s']:.2f} | {row['fresh_wall_s']:.2f} | {row['disk_ms']:.2f} "
            f"| {row['memory_ms']:.2f} |"
        )
    batch = found["batch"]
    fresh, cached = batch["fresh_points_per_minute"], batch["cached_points_per_minute"]
    lines += [
        "",
        f"INT4 and INT8 MAC units, a batch on every core: {fresh:,.0f} points per minute fresh, {cached:,.0f} cached.",
    ]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main(__doc__, "rtl", measure_all, markdown)
