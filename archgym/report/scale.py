"""How the cost of an objective is shown: as a metric in its unit, a product, a share of the Pareto front, or bare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np

from archgym.core import Floats, Metric
from archgym.report.units import Unit, metric_title, number, percent, unit_for

__all__ = ["Scale", "goal_text", "make_scale"]

_BARE = Unit(1.0, "")
_SLACK = 1e-9  # rounding between two ways to add up the same cost; relative


@final
@dataclass(frozen=True)
class Scale:
    """Turns costs (lower is better) into what people read, and differences of costs into regret.

    kind: "ratio" (a metric; regret is relative), "log" (the logarithm of a product; regret is relative to the product),
    "front" (share of the front's hypervolume that is missing), "absolute" (no natural zero; regret is a difference).
    """

    kind: Literal["ratio", "log", "front", "absolute"]
    title: str
    unit: str = ""
    sign: float = 1.0
    shown: Unit = _BARE

    def fitted(self, cost: float) -> Scale:
        """The same scale in the unit that suits a cost."""
        magnitude = float(self._raw(np.array(cost)))
        return Scale(self.kind, self.title, self.unit, self.sign, unit_for(self.unit, magnitude))

    def values(self, costs: Floats | float) -> Floats:
        """Costs as shown values; what is not feasible is NaN."""
        raw = self._raw(np.asarray(costs, dtype=np.float64))
        return np.where(np.isfinite(raw), raw * self.shown.factor, np.nan)

    def _raw(self, costs: Floats) -> Floats:
        if self.kind == "log":
            with np.errstate(over="ignore"):
                return np.asarray(np.exp(costs))
        if self.kind == "front":
            return np.asarray(100.0 * (1.0 - costs))
        return np.asarray(self.sign * costs)

    @property
    def axis(self) -> str:
        """Axis label with unit."""
        return f"{self.title} ({self.shown.text})" if self.shown.text else self.title

    def text(self, cost: float, digits: int = 4) -> str:
        """A cost as a number with its unit."""
        if not np.isfinite(cost):
            return "none feasible"
        return f"{number(float(self.values(cost)), digits)} {self.shown.text}".rstrip()

    def bare(self, cost: float, digits: int = 4) -> str:
        """A cost as a number; the column says the unit."""
        return number(float(self.values(cost)), digits) if np.isfinite(cost) else "none"

    def regret(self, costs: Floats | float, best: float) -> Floats:
        """How far costs are from the best, never negative beyond rounding.

        A cost below `best` by more than rounding stays negative: the caller must flag it (the optimum was wrong).
        """
        array = np.asarray(costs, dtype=np.float64)
        finite = np.isfinite(array) & np.isfinite(best)  # nothing feasible is infinitely far
        gap = np.where(finite, np.where(finite, array, 0.0) - (best if np.isfinite(best) else 0.0), np.inf)
        gap = np.where(np.abs(gap) <= _SLACK * max(abs(best), 1e-300), 0.0, gap)
        if self.kind == "log":
            return np.where(np.isfinite(gap), np.expm1(np.minimum(gap, 700.0)), np.inf)
        if self.kind == "ratio" and best != 0:
            return np.asarray(gap / abs(best))
        return np.asarray(gap)

    def relative(self, best: float) -> bool:
        """Whether `regret` is a fraction to be shown in percent."""
        return self.kind in {"log", "front"} or (self.kind == "ratio" and best != 0)

    def regret_text(self, regret: float, best: float) -> str:
        """A regret as people read it."""
        return percent(regret) if self.relative(best) else number(regret, 3)

    def within(self, best: float, fraction: float) -> float:
        """The cost at which regret is `fraction` (for bare numbers: `fraction` of the best's own size)."""
        if self.kind == "log":
            return best + float(np.log1p(fraction))
        if self.kind == "front":
            return best + fraction
        return best + fraction * abs(best)


def make_scale(spec: dict[str, Any], labels: Sequence[str], metrics: Sequence[Metric]) -> Scale:
    """The scale of an objective, from its specification and cost labels."""
    known = {metric.name: metric for metric in metrics}
    if len(labels) > 1:
        return Scale("front", "hypervolume", "%")
    if "minimize" in spec or "maximize" in spec:
        metric = known[str(spec.get("minimize") or spec.get("maximize"))]
        return Scale("ratio", metric_title(metric), metric.unit, 1.0 if "minimize" in spec else -1.0)
    if "product" in spec:
        powers = {known[name]: power for name, power in spec["product"].items()}
        title = " × ".join(_powered(metric_title(metric), power) for metric, power in powers.items())
        return Scale("log", title, "·".join(_powered(metric.unit, power) for metric, power in powers.items()))
    if "published" in spec:
        return Scale("ratio", "published reward", "", -1.0)
    return Scale("absolute", "distance to the targets" if "meet" in spec else "weighted sum")


def _powered(text: str, power: float) -> str:
    return text if power == 1 else f"{text}^{power:g}"


def goal_text(spec: dict[str, Any], metrics: Sequence[Metric]) -> str:
    """What the objective asks for, in words."""
    titles = {metric.name: f"{metric_title(metric)} ({metric.unit})" for metric in metrics}

    def named(goal: Any) -> str:
        if isinstance(goal, str):
            return f"minimise {titles.get(goal, goal)}"
        key = "minimize" if goal.get("minimize") else "maximize"
        return f"{key[:-3]}ise {titles.get(goal[key], goal[key])}"

    if "minimize" in spec or "maximize" in spec:
        text = named(spec)
    elif "product" in spec:
        text = "minimise " + " × ".join(_powered(titles.get(n, n), p) for n, p in spec["product"].items())
    elif "pareto" in spec:
        text = "trade off: " + "; ".join(named(goal) for goal in spec["pareto"])
    elif "meet" in spec:
        text = "meet targets: " + "; ".join(f"{titles.get(n, n)} {number(t, 4)}" for n, t in spec["meet"].items())
    elif "published" in spec:
        text = f"published formula target / |target − x| ({spec['published']})"
    else:
        text = "minimise a weighted sum"
    for name, bound in (spec.get("constraints") or {}).items():
        for key, sign in (("max", "≤"), ("min", "≥")):
            if bound.get(key) is not None:
                text += f", subject to {titles.get(name, name)} {sign} {number(bound[key], 4)}"
    return text
