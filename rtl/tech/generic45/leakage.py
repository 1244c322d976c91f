"""Leakage by state: subthreshold current through the networks that are off, tunnelling through gates that are on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from itertools import product

from archgym.rtl.tech.generic45.geometry import N_UM, P_UM
from archgym.rtl.tech.generic45.process import NMOS, PMOS, THERMAL_V, VDD_V, Transistor
from archgym.rtl.tech.generic45.timing import evaluate
from archgym.rtl.tech.generic45.topology import CellPlan, Parallel, Stage, Tree, leaves

__all__ = ["by_state", "stage_nw"]


def _off_na(device: Transistor, gate: float, drain: float, body: float) -> float:
    over = gate + device.off_dibl * (drain - VDD_V) - device.off_body * body
    return device.off_na * math.exp(over / device.off_slope_v) * (1 - math.exp(-drain / THERMAL_V))


@lru_cache(maxsize=8)
def _stack_na(device: Transistor, count: int) -> float:
    """nA per um through `count` equal transistors in series, all off: the voltages between them by bisection.

    The "stack effect": the upper gates are below their sources (Narendra et al., ISLPED 2001).
    """
    low, high = 0.0, device.off_na
    for _ in range(80):
        guess = (low + high) / 2
        source = 0.0
        for _ in range(count - 1):
            source += _drop(device, guess, source)
        if source < VDD_V and _off_na(device, -source, VDD_V - source, source) > guess:
            low = guess
        else:
            high = guess
    return low


def _drop(device: Transistor, na: float, source: float) -> float:
    """Voltage across a transistor (gate at the rail) that carries a current."""
    low, high = 0.0, VDD_V
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _off_na(device, -source, middle, source) < na else (low, middle)
    return high


def _off(tree: Tree, on: Mapping[str, bool]) -> tuple[float, int]:
    """Relative width and stacked transistors of a network that is off; (0, 0) if it conducts."""
    if isinstance(tree, str):
        return (0.0, 0) if on[tree] else (1.0, 1)
    parts = [_off(part, on) for part in tree.parts]
    if isinstance(tree, Parallel):
        return (
            (0.0, 0) if any(depth == 0 for _, depth in parts) else (sum(w for w, _ in parts), min(d for _, d in parts))
        )
    off = [part for part in parts if part[1]]
    return (min(width for width, _ in off), sum(depth for _, depth in off)) if off else (0.0, 0)


def stage_nw(stage: Stage, values: Mapping[str, bool]) -> float:
    """Leakage of a stage."""
    negated = {name: not value for name, value in values.items()}
    total = 0.0
    for tree, device, tall, on in ((stage.pull_down, NMOS, N_UM, values), (stage.up, PMOS, P_UM, negated)):
        width, depth = _off(tree, on)
        if depth:
            total += width * tall * _stack_na(device, depth)
        total += sum(tall * device.gate_on_na for name in leaves(tree) if on[name])
    return total * stage.fingers * VDD_V


def by_state(plan: CellPlan) -> dict[tuple[bool, ...], float]:
    """nW by the values of the inputs."""
    found = {}
    for bits in product((False, True), repeat=len(plan.inputs)):
        values = evaluate(plan, dict(zip(plan.inputs, bits, strict=True)))
        found[bits] = sum(stage_nw(stage, values) for stage in plan.stages)
    return found
