"""One search, start to end: ask, evaluate, tell, and the accounts that make agents comparable.

The budget is charged per *distinct* design (`Simulator.canonical` decides what is distinct); repeats are answered and
not charged. The loop is deterministic, so a search resumes by running it again over a cache that holds what was
evaluated before: no agent state is ever pickled.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from archgym.core import OK, Agent, Designs, Evaluations, Floats, Simulator
from archgym.errors import AgentMisuse, InvalidInput
from archgym.evaluator import Cache, Evaluator
from archgym.objectives import Objective, objective as make_objective
from archgym.result import Counts, History, Point, Result, pareto_rows

__all__ = ["STALL_FACTOR", "Observer", "effective_budget", "run_trial"]

STALL_FACTOR = 50  # a search that repeats itself this many times over its budget has converged for good

Observer = Callable[[Designs, Evaluations, Floats, Floats], None]
"""Called with each batch's *new* designs: designs, evaluations, costs float64[n, k], scalar float64[n]."""


def effective_budget(budget: object, simulator: Simulator) -> int:
    """The budget, capped at the size of the space.

    Raises:
        InvalidInput: for a budget that is not a whole number above 0.
    """
    if isinstance(budget, bool) or not isinstance(budget, (int, np.integer)) or budget < 1:
        raise InvalidInput(f"budget must be a whole number of at least 1, got {budget!r}")
    return min(int(budget), simulator.space.size)


def run_trial(
    simulator: Simulator | str,
    agent: Agent | str,
    objective: Any,
    *,
    workload: str,
    budget: int,
    seed: int = 0,
    batch: int = 64,
    cache: Cache | None = None,
    observer: Observer | None = None,
) -> Result:
    """Run one search; see `archgym.search` for the arguments shared with it.

    Args:
        cache: where evaluations are kept and repeats answered from; in memory by default.
        observer: told of each batch's new designs, before the agent is.
    """
    from archgym import catalog

    simulator = catalog.simulator(simulator) if isinstance(simulator, str) else simulator
    agent = catalog.agent(agent, simulator.space, seed=seed) if isinstance(agent, str) else agent
    goal = objective if isinstance(objective, Objective) else make_objective(objective)
    goal.check(simulator.metrics)
    if isinstance(batch, bool) or batch < 1:
        raise InvalidInput(f"batch must be a whole number of at least 1, got {batch!r}")
    allowed = effective_budget(budget, simulator)
    return _Loop(Evaluator(simulator, workload, cache), agent, goal, allowed, batch, observer).run()


class _Loop:
    """The state of one running search."""

    def __init__(
        self, evaluator: Evaluator, agent: Agent, goal: Objective, budget: int, batch: int, observer: Observer | None
    ) -> None:
        self.evaluator, self.agent, self.goal = evaluator, agent, goal
        self.budget, self.batch, self.observer = budget, batch, observer
        self.seen: set[bytes] = set()
        self.parts: list[tuple[Designs, Evaluations, Floats, Floats]] = []
        self.proposals = 0
        self.seconds_agent = self.seconds_simulator = 0.0

    def run(self) -> Result:
        started = time.perf_counter()
        while (stopped := self.stopped()) is None:
            self.step()
        counts = Counts(
            proposals=self.proposals,
            distinct=len(self.seen),
            simulated=self.evaluator.simulated,
            seconds_total=time.perf_counter() - started,
            seconds_agent=self.seconds_agent,
            seconds_simulator=self.seconds_simulator,
        )
        return _result(self.evaluator.simulator, self.parts, counts, self.budget, stopped)

    def stopped(self) -> str | None:
        if len(self.seen) >= self.budget:
            return "exhausted" if self.budget == self.evaluator.simulator.space.size else "budget"
        return "stalled" if self.proposals >= STALL_FACTOR * self.budget else None

    def step(self) -> None:
        """One round: ask, evaluate what the budget still covers, record what is new, tell."""
        clock = time.perf_counter()
        proposed = self.evaluator.simulator.space.validate(self.agent.ask(min(self.batch, self.budget)))
        self.seconds_agent += time.perf_counter() - clock
        if not len(proposed):
            raise AgentMisuse(f"agent {type(self.agent).__name__} proposed no design; ask(n) must return 1 to n rows")
        keys = self.evaluator.keys(proposed)
        fresh, covered = self.affordable(keys)
        designs = proposed[:covered]
        self.proposals += len(designs)

        clock = time.perf_counter()
        evaluations, _ = self.evaluator.evaluate(designs, keys[:covered])
        self.seconds_simulator += time.perf_counter() - clock
        costs = self.goal.costs(evaluations)
        if fresh:
            new = (designs[fresh], evaluations.take(fresh), costs[fresh], self.goal.scalar(costs[fresh]))
            self.parts.append(new)
            if self.observer is not None:
                self.observer(*new)

        clock = time.perf_counter()
        self.agent.tell(designs, evaluations, costs)
        self.seconds_agent += time.perf_counter() - clock

    def affordable(self, keys: Sequence[bytes]) -> tuple[list[int], int]:
        """Rows that are new, and how many rows from the start the rest of the budget covers."""
        fresh: list[int] = []
        for row, key in enumerate(keys):
            if key not in self.seen:
                if len(self.seen) == self.budget:
                    return fresh, row
                self.seen.add(key)
                fresh.append(row)
        return fresh, len(keys)


def _result(
    simulator: Simulator,
    parts: Sequence[tuple[Designs, Evaluations, Floats, Floats]],
    counts: Counts,
    budget: int,
    stopped: str,
) -> Result:
    designs, evaluations, costs, scalar = zip(*parts, strict=True)
    history = History(
        np.concatenate(designs), Evaluations.concatenate(evaluations), np.concatenate(costs), np.concatenate(scalar)
    )

    def point(row: int) -> Point:
        return Point(
            design=simulator.space.decode(history.designs[row]),
            cost=float(history.scalar[row]),
            metrics=history.evaluations.as_dict(row),
            status=str(history.evaluations.status[row]),
        )

    scored = np.flatnonzero(history.evaluations.status == OK)
    front = scored[pareto_rows(history.costs[scored])] if len(scored) else scored
    return Result(
        history=history,
        best=point(int(np.argmin(history.scalar))),
        pareto=[point(int(row)) for row in front],
        counts=counts,
        budget=budget,
        stopped=stopped,
    )
