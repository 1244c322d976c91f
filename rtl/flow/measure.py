"""From points of blocks to power, performance and area.

A point is synthesised by several recipes, the static timing of each mapped netlist is found, one is chosen by the
clock; its gates are simulated on the workload against the golden model, and power follows from the activity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

from archgym.child_process import usable_cores
from archgym.core import FAILED, OK
from archgym.errors import InvalidInput
from archgym.rtl.flow.activity import Observed, observe
from archgym.rtl.flow.cache import Cache
from archgym.rtl.flow.candidates import Candidate, Search, driver_slew_ns
from archgym.rtl.flow.design import Design
from archgym.rtl.flow.limits import Limits
from archgym.rtl.flow.netlist import CombinationalLoop
from archgym.rtl.flow.point import Measured, Point
from archgym.rtl.flow.power import Power, power
from archgym.rtl.flow.results import Results
from archgym.rtl.flow.synth import Synthesis
from archgym.rtl.tech.technology import Technology, technology

__all__ = ["default_results", "mapped", "measure", "measure_one", "search_of"]

_PATH_POINTS = 200  # of the critical path's report that are kept


def measure(
    points: Sequence[Point], *, workers: int | None = None, limits: Limits | None = None, results: Results | None = None
) -> list[Measured]:
    """Measure points, several at a time.

    Args:
        points: what to measure.
        workers: how many at a time; one a core by default.
        limits: of each point's tools.
        results: what is known already, and where new results go; by default the user's cache folder.
    """
    known = default_results() if results is None else results
    count = min(workers or usable_cores(), len(points))
    if count <= 1:
        return [measure_one(point, limits=limits, results=known) for point in points]
    with ThreadPoolExecutor(count, thread_name_prefix="rtl") as pool:
        futures = [pool.submit(measure_one, point, limits=limits, results=known) for point in points]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@lru_cache(maxsize=1)
def default_results() -> Results:
    """What this process knows, backed by the user's cache folder."""
    return Results(Cache("points"))


def measure_one(point: Point, *, limits: Limits | None = None, results: Results | None = None) -> Measured:
    """Measure one point."""
    known = default_results() if results is None else results
    reason = point.block.reject(point.parameters)
    if reason:
        return Measured.infeasible(reason)
    bounds = limits or Limits()
    key = known.key(point, bounds)
    found = known.get(key)
    if found is None:
        found = _fresh(point, bounds)
        known.put(key, found)
    return found


def search_of(point: Point, limits: Limits | None = None) -> Search:
    """The search for a point's netlist; nothing is run yet."""
    return Search(
        Design.of(point.block, point.parameters),
        technology(point.technology),
        effort=point.effort,
        hierarchical=point.keeps_hierarchy,
        limits=limits or Limits(),
        clock=point.block.signals.clock,
    )


def mapped(point: Point, search: Search) -> Candidate | Synthesis:
    """The netlist that a point is measured on, or why there is none."""
    return search.fastest() if point.clock_ns is None else search.at(point.clock_ns)


def _fresh(point: Point, limits: Limits) -> Measured:
    tech = technology(point.technology)
    search = search_of(point, limits)
    try:
        chosen = mapped(point, search)
        if isinstance(chosen, Synthesis):
            return Measured(chosen.status, chosen.reason, details={"log": chosen.log[-4000:], "cpu_s": search.cpu_s})
        seen = observe(point, chosen.netlist, tech.library, chosen.timing)
    except CombinationalLoop as problem:
        return Measured(FAILED, str(problem))
    except InvalidInput as problem:  # the netlist has what the flow cannot time or simulate
        return Measured(FAILED, f"{point.block.name}: {problem}")
    details = _details(search, chosen, seen)
    if seen.mismatch:
        return Measured(FAILED, f"the netlist disagrees with the golden model: {seen.mismatch}", details=details)
    clock_ns = point.clock_ns or chosen.timing.critical_ns
    frequency = point.frequency_mhz or 1e3 / clock_ns
    if frequency * chosen.timing.critical_ns > 1e3 * (1 + 1e-9):
        return Measured.infeasible(
            f"timing: {frequency:.6g} MHz is above the {1e3 / chosen.timing.critical_ns:.6g} MHz that close", details
        )
    spent, settled = (
        power(chosen.netlist, tech.library, chosen.timing, activity, frequency, clock_slew_ns=driver_slew_ns(tech))
        for activity in (seen.activity, seen.settled)
    )
    metrics = {"clock_ns": clock_ns, **_area(chosen, tech), **_performance(chosen, seen, spent)}
    return Measured(OK, "", metrics, {**details, **_spent(spent), "zero_delay": _spent(settled)})


def _area(chosen: Candidate, tech: Technology) -> dict[str, float]:
    return {
        "area_um2": chosen.area_um2,
        "area_nand2": chosen.area_um2 / tech.nand2_um2,
        "sequential_area_um2": chosen.netlist.area_um2(tech.library, sequential=True),
        "cells": float(chosen.netlist.cells),
        "flops": float(len(chosen.netlist.sequential)),
        "critical_path_ns": chosen.timing.critical_ns,
    }


def _performance(chosen: Candidate, seen: Observed, spent: Power) -> dict[str, float]:
    gops = 2 * seen.macs_per_cycle * spent.frequency_mhz * 1e-3
    # What charges the inputs and the clock pins is part of what the block costs, whoever supplies it.
    dynamic_mw = spent.dynamic_mw + spent.input_nets_mw
    total_mw = dynamic_mw + spent.leakage_mw
    energy = 1e3 * total_mw / spent.frequency_mhz * seen.cycles / seen.macs if seen.macs else float("nan")
    area_mm2, power_w = chosen.area_um2 * 1e-6, total_mw * 1e-3
    found = {
        "frequency_mhz": spent.frequency_mhz,
        "dynamic_mw": dynamic_mw,
        "leakage_mw": spent.leakage_mw,
        "power_mw": total_mw,
        "macs_per_cycle": seen.macs_per_cycle,
        "energy_per_mac_pj": energy,
        "throughput_gops": gops,
        "tops_per_w": gops * 1e-3 / power_w,
        "tops_per_mm2": gops * 1e-3 / area_mm2,
        "tops_per_w_mm2": gops * 1e-3 / (power_w * area_mm2),
    }
    if not seen.macs:
        found.update(dict.fromkeys([name for name in found if "mac" in name or "ops" in name], float("nan")))
    return found


def _details(search: Search, chosen: Candidate, seen: Observed) -> dict[str, Any]:
    return {
        "recipe": chosen.recipe.name,
        "tried": [
            {"recipe": each.recipe.name, "area_um2": each.area_um2, "critical_path_ns": each.timing.critical_ns}
            for each in search.tried
        ],
        "kinds": dict(chosen.netlist.counts()),
        "path": "\n".join(chosen.timing.report().splitlines()[-_PATH_POINTS:]),
        "groups_ns": dict(chosen.timing.groups),
        "hold_slack_ns": chosen.timing.hold_slack_ns,
        "beats": seen.beats,
        "cycles": seen.cycles,
        "latency_cycles": seen.latency_cycles,
        "glitch_factor": seen.glitch_factor,
        "synthesis_cpu_s": search.cpu_s,
    }


def _spent(spent: Power) -> Mapping[str, float]:
    return {
        "internal_mw": spent.internal_mw,
        "switching_mw": spent.switching_mw,
        "clock_mw": spent.clock_mw,
        "input_nets_mw": spent.input_nets_mw,
        "leakage_mw": spent.leakage_mw,
    }
