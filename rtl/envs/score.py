"""From what the flow measured of a block to the metrics of a design on a workload."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np

from archgym.core import INFEASIBLE, OK, Evaluations, Metric
from archgym.errors import InvalidInput
from archgym.rtl.flow.measure import measure
from archgym.rtl.flow.point import METRICS as MEASURED, Measured, Point
from archgym.rtl.flow.recipe import VERSION as RECIPES
from archgym.rtl.flow.results import VERSION as RESULTS, tool_version

__all__ = ["METRICS", "VERSION", "Job", "buildable", "score"]

VERSION = f"{RECIPES}.{RESULTS}-yosys{tool_version()}"
"""Of the flow: what is measured can change with any of its parts."""

_WORK = (
    Metric("cycles", "cycles", "minimize", "Of the whole workload, filling and draining included."),
    Metric("latency_ns", "ns", "minimize", "Time of the whole workload."),
    Metric("time_ns", "ns", "minimize", "The same: the objective edp asks for it by this name."),
    Metric("energy_pj", "pJ", "minimize", "Power times time: elements without work are clocked, too."),
    Metric("utilisation", "1", "maximize", "Multiply-accumulates over what the hardware could do in all cycles."),
    Metric("throughput_gops", "GOPS", "maximize", "Two operations per multiply-accumulate, over the latency."),
    Metric("peak_gops", "GOPS", "maximize", "The same with all elements at work."),
    Metric("tops_per_w", "TOPS/W", "maximize", "Throughput over power."),
    Metric("tops_per_mm2", "TOPS/mm2", "maximize", "Throughput over area."),
    Metric("tops_per_w_mm2", "TOPS/(W mm2)", "maximize", "Throughput over power and area."),
)
_REPLACED = {metric.name for metric in _WORK} | {"macs_per_cycle", "energy_per_mac_pj"}
_MACS = (
    Metric("macs_per_cycle", "", "maximize", "Multiply-accumulates a cycle with all elements at work, as simulated."),
    Metric("energy_per_mac_pj", "pJ", "minimize", "As simulated, filling and draining included."),
)
METRICS = (*_WORK, *_MACS, *(metric for metric in MEASURED if metric.name not in _REPLACED))
"""Of designs that compute matrix products."""

SETTLED = Metric(
    "settled_pj_per_mac", "pJ", "minimize", "`energy_per_mac_pj` without glitches: no net changes twice in a cycle."
)


@final
@dataclass(frozen=True)
class Job:
    """A design as a point to measure, and the work it is measured for."""

    point: Point | None
    """None: the design cannot be built."""
    reason: str = ""
    cycles: float = 0.0
    """Of the whole workload."""
    macs: float = 0.0
    """Of the whole workload."""
    slots: float = 0.0
    """Instead of `cycles`: multiply-accumulates with padding, done at the rate that is simulated."""
    extra: Mapping[str, float] = field(default_factory=dict)
    """Further metrics that do not depend on gates."""


def buildable(job: Job) -> Point:
    """The point of a design.

    Raises:
        InvalidInput: the design cannot be built; says why.
    """
    if job.point is None:
        raise InvalidInput(f"the design cannot be built: {job.reason}")
    return job.point


def score(jobs: Sequence[Job], metrics: Sequence[Metric] = METRICS) -> Evaluations:
    """Measure the points and put the metrics together, one row a job.

    Args:
        jobs: the designs.
        metrics: what is reported: those of this module, and any `extra` ones.
    """
    measured = iter(measure([job.point for job in jobs if job.point is not None]))
    values = np.full((len(jobs), len(metrics)), np.nan)
    status, reasons = [INFEASIBLE] * len(jobs), [job.reason for job in jobs]
    for row, job in enumerate(jobs):
        if job.point is None:
            continue
        found = next(measured)
        status[row], reasons[row] = found.status, found.reason
        if found.status == OK:
            work = _work(job, found.metrics) if job.macs else {}
            numbers = {**found.metrics, **_derived(found), **work, **job.extra}
            values[row] = [numbers[metric.name] for metric in metrics]
    return Evaluations.of(metrics, values, status, reasons)


def _derived(found: Measured) -> dict[str, float]:
    parts, metrics = found.details["zero_delay"], found.metrics
    settled_mw = sum(parts[name] for name in ("internal_mw", "switching_mw", "input_nets_mw", "leakage_mw"))
    return {
        "area_per_mac_um2": metrics["area_um2"] / metrics["macs_per_cycle"],
        "settled_pj_per_mac": metrics["energy_per_mac_pj"] * settled_mw / metrics["power_mw"],
    }


def _work(job: Job, found: Mapping[str, float]) -> dict[str, float]:
    cycles = job.cycles or job.slots / found["macs_per_cycle"]
    latency_ns = cycles * 1e3 / found["frequency_mhz"]
    gops = 2 * job.macs / latency_ns
    peak = 2e-3 * found["macs_per_cycle"] * found["frequency_mhz"]
    power_w, area_mm2 = found["power_mw"] * 1e-3, found["area_um2"] * 1e-6
    return {
        "cycles": cycles,
        "latency_ns": latency_ns,
        "time_ns": latency_ns,
        "energy_pj": found["power_mw"] * latency_ns,
        "utilisation": gops / peak,
        "throughput_gops": gops,
        "peak_gops": peak,
        "tops_per_w": gops * 1e-3 / power_w,
        "tops_per_mm2": gops * 1e-3 / area_mm2,
        "tops_per_w_mm2": gops * 1e-3 / (power_w * area_mm2),
    }
