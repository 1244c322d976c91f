"""Cost columns: what each kind of objective computes from a batch of scored designs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from archgym.core import Evaluations, Floats

if TYPE_CHECKING:
    from archgym.objective_spec import ObjectiveSpec, Term

__all__ = ["Column", "columns", "finite_log"]

_PUBLISHED_CAP = 1e3  # DRAMEnv_RL.py of the predecessor caps its reward there; target/|target - x| has a pole


@final
@dataclass(frozen=True)
class Column:
    """One cost: label, metrics it reads, function; `sign` is -1 where it is a maximised metric's negative."""

    label: str
    metrics: tuple[str, ...]
    compute: Callable[[Evaluations], Floats]
    sign: float = 1.0


def columns(model: ObjectiveSpec) -> list[Column]:
    """The cost columns of a specification; more than one only for `pareto`."""
    if model.meet is not None:
        return [_meet(model.meet)]
    if model.sum is not None:
        return [_sum(model.sum)]
    if model.product is not None:
        return [_product(model.product)]
    if model.published is not None:
        return [_published(model)]
    return [_metric(name, sign) for name, sign in model.goals()]


def finite_log(values: Floats) -> Floats:
    """Natural logarithm; what is not positive counts as the smallest normal number, so that it stays finite."""
    return np.asarray(np.log(np.maximum(values, np.finfo(np.float64).tiny)))


def _metric(name: str, sign: float) -> Column:
    return Column(("-" if sign < 0 else "") + name, (name,), lambda ev: sign * ev[name], sign)


def _meet(targets: Mapping[str, float]) -> Column:
    label = " + ".join(f"excess({name}, {target:g})" for name, target in targets.items())
    return Column(label, tuple(targets), lambda ev: _distance(ev, targets))


def _distance(evaluations: Evaluations, targets: Mapping[str, float]) -> Floats:
    """Summed relative distance to the targets; 0 where every one is met or beaten."""
    direction = {metric.name: metric.direction for metric in evaluations.metrics}
    total = np.zeros(len(evaluations))
    for name, target in targets.items():
        above = (evaluations[name] - target) / target
        if direction[name] == "minimize":
            total += np.maximum(above, 0.0)
        elif direction[name] == "maximize":
            total += np.maximum(-above, 0.0)
        else:  # a metric that is neither better small nor better large: either side counts
            total += np.abs(above)
    return total


def _sum(terms: Sequence[Term]) -> Column:
    parts: list[tuple[float, Column]] = []
    for term in terms:
        if term.meet is not None:
            parts.append((term.weight, _meet(term.meet)))
        else:
            sign = 1.0 if term.minimize is not None else -1.0
            parts.append((term.weight / term.scale, _metric(term.minimize or term.maximize or "", sign)))
    label = " + ".join(f"{factor:g}*{column.label}" for factor, column in parts)
    names = tuple(dict.fromkeys(name for _, column in parts for name in column.metrics))
    return Column(label, names, lambda ev: np.sum([factor * column.compute(ev) for factor, column in parts], axis=0))


def _product(exponents: Mapping[str, float]) -> Column:
    label = "ln(" + " * ".join(n if e == 1 else f"{n}^{e:g}" for n, e in exponents.items()) + ")"

    def compute(evaluations: Evaluations) -> Floats:
        return np.asarray(np.sum([power * finite_log(evaluations[name]) for name, power in exponents.items()], axis=0))

    return Column(label, tuple(exponents), compute)


def _published(model: ObjectiveSpec) -> Column:
    """The predecessor's reward, negated: `calculate_reward` in arch_gym/envs/DRAMEnv.py and DRAMEnv_RL.py.

    power: Pt / |P - Pt| with P the average power in W and Pt = 1; latency: Lt / |L - Lt| with L the *total time* of the
    trace (not a request's latency) and Lt = 0.1; both: their product. DRAMEnv_RL.py divides the simulator's nanoseconds
    by 1e6, so L is in ms (`latency_unit: ms`, the default; 0.1 ms lies among the designs); DRAMEnv.py divides by 1e9,
    so L is in s (`latency_unit: s`; the reward is nearly flat). Neither reads the unit the simulator prints, which for
    some designs is ps; here it is always ns. The cap of 1e3 at the pole is DRAMEnv_RL.py's. A design that beats the
    target is punished: that is the published formula.
    """
    targets = {"power_w": 1.0, "latency": 0.1, **(model.targets or {})}
    per_ns = {"ms": 1e-6, "s": 1e-9}[model.latency_unit or "ms"]
    parts = {"power": ("power_mw", 1e-3, targets["power_w"]), "latency": ("time_ns", per_ns, targets["latency"])}
    used = {"low-power": ["power"], "low-latency": ["latency"], "both": ["power", "latency"]}[str(model.published)]
    names = tuple(parts[key][0] for key in used)

    def compute(evaluations: Evaluations) -> Floats:
        reward = np.ones(len(evaluations))
        for key in used:
            name, unit, target = parts[key]
            distance = np.abs(evaluations[name] * unit - target)
            reward *= target / np.maximum(distance, target / _PUBLISHED_CAP)
        return -np.minimum(reward, _PUBLISHED_CAP)

    return Column("-" + " * ".join(f"T/|T - {name}|" for name in names), names, compute)
