"""What `archgym.env` (one episode) and `archgym.vector` (a batch) share: scoring within a budget, and the step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from archgym.core import FAILED, Designs, Evaluations, Floats, Simulator
from archgym.errors import InvalidInput, UnknownName
from archgym.evaluator import Evaluator
from archgym.formulations import Flags, Rows, View, make_formulation
from archgym.objectives import Objective
from archgym.trial import effective_budget

__all__ = ["REWARDS", "Episodes", "Step", "metric_view"]

REWARDS = ("value", "improvement")
_SOFTNESS = 10.0  # ln(1 + 22 000): metrics of everyday size land in the middle of the view's range


@final
@dataclass(frozen=True)
class Step:
    """What n episodes answer; rows that did nothing have reward 0 and an empty info."""

    observations: View
    rewards: Floats
    terminated: Flags
    truncated: Flags
    infos: list[dict[str, Any]]


def metric_view(evaluations: Evaluations) -> View:
    """float32[n, m + 1] in [-1, 1], always finite: each metric on a bounded logarithmic scale, then 1 if scored.

    A metric x becomes sign(x) * l / (10 + l) with l = ln(1 + |x|); rows without numbers are all zero.
    """
    values = np.where(np.isfinite(evaluations.values), evaluations.values, 0.0)
    logarithm = np.log1p(np.abs(values))
    bounded = np.sign(values) * logarithm / (_SOFTNESS + logarithm)
    return np.concatenate([bounded, evaluations.ok[:, None]], axis=1).astype(np.float32)


@final
class Episodes:
    """n episodes of one formulation over one simulator, workload and objective; each `advance` is one simulator call.

    With a budget, a distinct design that it no longer covers is not simulated: its status is "failed", its reward that
    of a design without numbers, and every episode is truncated.
    """

    def __init__(
        self,
        simulator: Simulator,
        workload: str,
        objective: Objective,
        *,
        n: int,
        formulation: str,
        horizon: int | None,
        reward: str | None,
        budget: int | None,
    ) -> None:
        """Join the parts.

        Raises:
            InvalidInput: for a budget, horizon, formulation or reward that makes no sense.
        """
        objective.check(simulator.metrics)
        self.simulator, self.objective = simulator, objective
        self.evaluator = Evaluator(simulator, workload)
        self.form = make_formulation(formulation, simulator.space, n, len(simulator.metrics) + 1, horizon)
        self.reward = reward or ("improvement" if self.form.starts == "scored" else "value")
        if self.reward not in REWARDS:
            raise UnknownName("reward", self.reward, REWARDS)
        if self.reward == "improvement" and self.form.starts != "scored":
            raise InvalidInput(f"reward 'improvement' needs formulation 'local', got {formulation!r}; use 'value'")
        self.budget = None if budget is None else effective_budget(budget, simulator)
        self.distinct: set[bytes] = set()
        self.views: View = np.zeros((n, len(simulator.metrics) + 1), dtype=np.float32)
        self.worth: Floats = np.zeros(n)  # reward of each row's last scored design

    @property
    def spent(self) -> bool:
        """Whether the budget is used up."""
        return self.budget is not None and len(self.distinct) >= self.budget

    def advance(
        self,
        act: Rows,
        actions: NDArray[np.integer],
        restart: Rows,
        rng: np.random.Generator,
        options: Mapping[str, Any] | None = None,
    ) -> Step:
        """Take an action in the rows `act`, begin new episodes in the rows `restart`, leave the others.

        Raises:
            InvalidInput: for an action outside the action space, or wrong `options`.
        """
        start = self._start(options)
        whole = act[self.form.act(act, actions)] if len(act) else act
        if len(restart):
            designs = self.simulator.space.sample(len(restart), rng) if start is None else start
            self.form.start(restart, designs)
            self.views[restart], self.worth[restart] = 0.0, 0.0
        begun = restart if self.form.starts == "scored" or start is not None else restart[:0]
        step = self._blank(np.concatenate([act, restart]))
        self._score(whole, begun, step)
        ended = self.form.ended()
        (step.terminated if self.form.ends_by == "termination" else step.truncated)[act] = ended[act]
        step.truncated[act] |= self.spent & ~step.terminated[act]
        return Step(self.form.observe(self.views), step.rewards, step.terminated, step.truncated, step.infos)

    def _start(self, options: Mapping[str, Any] | None) -> Designs | None:
        """The design an episode was asked to start from."""
        for name in options or {}:
            if name != "design":
                raise UnknownName("reset option", name, ["design"])
        if not options:
            return None
        if self.form.starts == "empty":
            raise InvalidInput("a sequential episode starts from nothing; reset option 'design' is for the others")
        design, space = options["design"], self.simulator.space
        return space.validate(space.encode(design) if isinstance(design, Mapping) else design)

    def _blank(self, rows: Rows) -> Step:
        n = len(self.worth)
        infos: list[dict[str, Any]] = [{} for _ in range(n)]
        masks = self.form.masks()
        if masks is not None:
            for row in rows:
                infos[row]["action_mask"] = masks[row]
        none = np.zeros(n, dtype=np.bool_)
        return Step(self.views, np.zeros(n), none, none.copy(), infos)

    def _score(self, whole: Rows, begun: Rows, step: Step) -> None:
        """Score the rows that hold a whole design, in one call, and write rewards and infos."""
        rows = np.concatenate([whole, begun])
        if len(rows):
            evaluations = self._evaluate(self.form.designs[rows])
            self.views[rows] = metric_view(evaluations)
            worth, costs = self.objective.rewards(evaluations), self.objective.costs(evaluations)
            ranked = self.objective.scalar(costs)
            before, self.worth[rows] = self.worth[whole], worth
            gained = worth[: len(whole)]
            step.rewards[whole] = gained - before if self.reward == "improvement" else gained
            designs = self.simulator.space.decode(self.form.designs[rows])
            scored = evaluations.ok
            for i, row in enumerate(rows):
                step.infos[row] |= {
                    "design": designs[i],
                    "metrics": evaluations.as_dict(i) if scored[i] else {},
                    "cost": float(ranked[i]),
                    "status": str(evaluations.status[i]),
                    "reason": evaluations.reasons[i],
                }
        for info in step.infos:
            info |= {"distinct": len(self.distinct), "simulated": self.evaluator.simulated}
            if self.budget is not None:
                info["budget_left"] = self.budget - len(self.distinct)

    def _evaluate(self, designs: Designs) -> Evaluations:
        """One simulator call for what the budget still covers."""
        covered: list[int] = []
        for row, key in enumerate(self.evaluator.keys(designs)):
            if key in self.distinct or not self.spent:
                self.distinct.add(key)
                covered.append(row)
        reason = f"not simulated: the budget of {self.budget} distinct designs is used up"
        found = Evaluations.unscored(self.simulator.metrics, len(designs), FAILED, reason)
        if not covered:
            return found
        scored, _ = self.evaluator.evaluate(designs[covered])
        values, status, reasons = found.values, found.status, list(found.reasons)
        values[covered], status[covered] = scored.values, scored.status
        for row, why in zip(covered, scored.reasons, strict=True):
            reasons[row] = why
        return Evaluations.of(found.metrics, values, status, reasons)
