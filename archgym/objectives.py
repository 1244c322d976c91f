"""What a search is for: metrics become costs that are always minimised, and one reward.

    archgym.objective("low-latency")                              a registered name
    archgym.objective({"minimize": "latency_ns"})                 or {"maximize": "bandwidth_gbps"}
    archgym.objective({"meet": {"power_mw": 900}})                beating a target is never punished
    archgym.objective({"sum": [{"minimize": "latency_ns", "weight": 2, "scale": 50}, {"minimize": "power_mw"}]})
    archgym.objective({"product": {"energy_pj": 1, "time_ns": 1}})   the logarithm of the product (here: EDP)
    archgym.objective({"pareto": ["latency_ns", "energy_pj"], "reference": {"latency_ns": 500, "energy_pj": 1e9}})

Each takes `constraints: {metric: {max: value, min: value}}` and `name`. Three kinds of rows come out, and every row of
one kind costs less than every row of the next: feasible ones (below `PENALTY`), ones that break a constraint
(`PENALTY * (1 + violation)`, by summed relative violation), ones that could not be scored (`UNSCORED`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, final

import numpy as np

from archgym.core import Evaluations, Floats, Metric
from archgym.errors import InvalidInput, UnknownName
from archgym.objective_columns import columns, finite_log

if TYPE_CHECKING:
    from archgym.objective_spec import ObjectiveSpec

__all__ = ["PENALTY", "UNSCORED", "Objective", "objective", "objectives"]

PENALTY = 1e12
"""Every feasible cost is below, every cost of a design that breaks a constraint at or above."""
UNSCORED = 1e18
"""Cost of a design without numbers (status "infeasible", "failed" or "timeout")."""

_VIOLATION_CAP = 1e5  # keeps PENALTY * (1 + violation) below UNSCORED, in order
_REWARD_BOUND = 99.0  # feasible rewards are logarithms; e^99 is beyond any physical metric

_REGISTERED: dict[str, dict[str, Any]] = {
    "low-power": {"minimize": "power_mw"},
    "low-latency": {"minimize": "latency_ns"},
    "low-energy": {"minimize": "energy_pj"},
    "throughput": {"maximize": "bandwidth_gbps"},
    # The predecessor's targets: 1 W, and 0.1 ms for its traces of 10,000 reads that arrive one per 1.25 ns. Answered at
    # an even rate over 0.1 ms, they wait (100,000 - 12,500) / 2 ns on average. Other workloads need other targets.
    "both": {"meet": {"power_mw": 1000.0, "latency_ns": 43_750.0}},
    "edp": {"product": {"energy_pj": 1.0, "time_ns": 1.0}},
    "pareto": {"pareto": ["latency_ns", "energy_pj"]},
    "archgym-low-power": {"published": "low-power"},
    "archgym-low-latency": {"published": "low-latency"},
    "archgym-both": {"published": "both"},
}


@final
class Objective:
    """Ranks designs by their metrics. Immutable; build one with `archgym.objective`.

    Attributes:
        name: how tables call it.
        spec: JSON-able specification; `archgym.objective(spec)` gives an equal objective.
        labels: what each of the k cost columns is.
        metrics: names of the metrics it reads.
        reference: hypervolume reference point in cost units, float64[k], or None.
    """

    def __init__(self, model: ObjectiveSpec) -> None:
        """Build from a validated specification (`archgym.objective` does)."""
        self._model = model
        self.spec: dict[str, Any] = model.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        self._columns = columns(model)
        self._bounds = dict(model.constraints or {})
        self._signs = np.array([column.sign for column in self._columns])
        self.labels = tuple(column.label for column in self._columns)
        used = [name for column in self._columns for name in column.metrics]
        self.metrics = tuple(dict.fromkeys([*used, *self._bounds]))
        self.name = model.name or self._describe()
        self.reference = _reference(model)

    @property
    def k(self) -> int:
        """How many cost columns: 1, or the number of metrics a Pareto objective trades off."""
        return len(self._columns)

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that depend on what is computed, not on the name."""
        content = {key: value for key, value in self.spec.items() if key != "name"}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    def __eq__(self, other: object) -> bool:
        """Equal when they compute the same."""
        return isinstance(other, Objective) and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __repr__(self) -> str:
        return f"Objective({self.name!r}, {self.spec})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the specification, so that worker processes can be sent one."""
        return objective, (self.spec,)

    # -- use --------------------------------------------------------------------------------------------------------

    def check(self, metrics: Iterable[Metric]) -> None:
        """Refuse a simulator that lacks a metric.

        Raises:
            UnknownName: names the metric and the nearest one there is.
            InvalidInput: when a bare name in `pareto` would minimise a metric that is better when large.
        """
        known = {metric.name: metric for metric in metrics}
        for name in self.metrics:
            if name not in known:
                raise UnknownName(f"metric of objective {self.name}:", name, known)
        for goal in self._model.pareto or ():
            if isinstance(goal, str) and known[goal].direction == "maximize":
                raise InvalidInput(f"objective {self.name}: {goal} is better when large; write {{maximize: {goal}}}")

    def costs(self, evaluations: Evaluations) -> Floats:
        """float64[n, k], always finite, always minimised."""
        ok = evaluations.ok
        table = np.full((len(evaluations), self.k), UNSCORED)
        if not ok.any():
            return table
        scored = evaluations.take(np.flatnonzero(ok))
        costs = _squeezed(np.stack([column.compute(scored) for column in self._columns], axis=1), PENALTY)
        violation = self._violation(scored)
        broken = violation > 0
        costs[broken] = (PENALTY * (1.0 + _squeezed(violation[broken], _VIOLATION_CAP)))[:, None]
        table[ok] = costs
        return table

    def scalar(self, costs: Floats) -> Floats:
        """One number per row of float64[n, k] to rank by, lower is better.

        One column: itself. Several: the mean of their logarithms (of minus the logarithm for maximised metrics), so
        that 1 % of one metric trades against 1 % of another whatever their units. Penalised rows keep their penalty.
        """
        if self.k == 1:
            return np.array(costs[:, 0])
        worst = costs.max(axis=1)
        joined = np.mean(self._signs * finite_log(costs * self._signs), axis=1)
        return np.asarray(np.where(worst >= PENALTY, worst, joined))

    def rewards(self, evaluations: Evaluations) -> Floats:
        """One finite number per design, bigger is better.

        Feasible: minus the logarithm of what is minimised (`-sign(cost) ln(1 + |cost|)`; products and Pareto scalars
        are logarithms already), within -99 to 99. Breaking a constraint: -100 down to -101 by violation. Without
        numbers: -102. Published formulae keep their own reward; theirs is positive for every feasible design, 0 down
        to -1 for one that breaks a constraint and -2 without numbers.
        """
        cost = self.scalar(self.costs(evaluations))
        if self._model.published is not None:
            reward, floor = -cost, 0.0
        elif self.k > 1 or self._model.product is not None:
            reward, floor = np.clip(-cost, -_REWARD_BOUND, _REWARD_BOUND), -100.0
        else:
            logarithm = -np.sign(cost) * np.log1p(np.abs(cost))
            reward, floor = np.clip(logarithm, -_REWARD_BOUND, _REWARD_BOUND), -100.0
        violation = np.maximum(cost / PENALTY - 1.0, 0.0)
        reward = np.where(cost >= PENALTY, floor - violation / (1.0 + violation), reward)
        return np.where(cost >= UNSCORED, floor - 2.0, reward)

    def hypervolume(self, costs: Floats, reference: Sequence[float] | Floats | None = None) -> float:
        """Volume dominated by rows of float64[n, k], bounded by `reference` (cost units; the objective's by default).

        Raises:
            InvalidInput: without a reference point, or for an objective with one cost.
        """
        point = self.reference if reference is None else np.asarray(reference, dtype=np.float64)
        if self.k == 1:
            raise InvalidInput(f"objective {self.name} has one cost; hypervolume needs a pareto objective")
        if point is None or point.shape != (self.k,):
            raise InvalidInput(f"objective {self.name}: hypervolume needs a reference point with {self.k} values")
        inside = costs[(costs < point).all(axis=1)]
        if not len(inside):
            return 0.0
        from moocore import hypervolume

        return float(hypervolume(np.ascontiguousarray(inside), ref=point))

    # -- pieces -----------------------------------------------------------------------------------------------------

    def _violation(self, evaluations: Evaluations) -> Floats:
        total = np.zeros(len(evaluations))
        for name, bound in self._bounds.items():
            value = evaluations[name]
            for limit, excess in ((bound.max, 1.0), (bound.min, -1.0)):
                if limit is not None:
                    total += np.maximum(excess * (value - limit), 0.0) / (abs(limit) or 1.0)
        return total

    def _describe(self) -> str:
        names = ", ".join(self.labels)
        text = f"pareto({names})" if self.k > 1 else names
        for name, bound in self._bounds.items():
            text += f", {name} <= {bound.max:g}" if bound.max is not None else ""
            text += f", {name} >= {bound.min:g}" if bound.min is not None else ""
        return text


def objective(spec: str | Mapping[str, Any] | Objective) -> Objective:
    """Build an objective from a registered name or a specification (see the module's first lines).

    Raises:
        UnknownName: for an unknown name or key; suggests the nearest.
        InvalidInput: for a specification that makes no sense.
    """
    from archgym.objective_spec import parse

    if isinstance(spec, Objective):
        return spec
    if isinstance(spec, str):
        if spec not in _REGISTERED:
            raise UnknownName("objective", spec, _REGISTERED)
        return Objective(parse({"name": spec, **_REGISTERED[spec]}))
    if not isinstance(spec, Mapping):
        raise InvalidInput(f"objective must be a name or a mapping, got {spec!r}; names: {', '.join(_REGISTERED)}")
    return Objective(parse(spec))


def objectives() -> dict[str, dict[str, Any]]:
    """Registered names and what each stands for."""
    return {name: dict(spec) for name, spec in _REGISTERED.items()}


def _reference(model: ObjectiveSpec) -> Floats | None:
    if model.reference is None:
        return None
    return np.array([sign * model.reference[name] for name, sign in model.goals()], dtype=np.float64)


def _squeezed(values: Floats, bound: float) -> Floats:
    """Keep values below a bound, in order: up to half of it as they are, then v becomes bound - (bound/2)^2 / v."""
    half = bound / 2
    beyond = bound - half * (half / np.maximum(values, half))
    return np.where(values > half, np.minimum(beyond, np.nextafter(bound, 0.0)), values)
