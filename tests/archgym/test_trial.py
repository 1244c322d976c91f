"""The loop, the evaluator and the accounts, on a simulator small enough to check by hand."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, strategies as st

import archgym
from archgym.core import Agent, Designs, Evaluations, Floats, Metric, Simulator
from archgym.errors import AgentMisuse, InvalidInput, UnknownName
from archgym.evaluator import Evaluator, MemoryCache
from archgym.result import pareto_rows
from archgym.space import Constraint, DesignSpace, Parameter
from archgym.trial import STALL_FACTOR, run_trial

METRICS = (Metric("latency_ns", "ns"), Metric("power_mw", "mW"))


class Grid(Simulator):
    """latency = 10 + width, power = 100 - 10 * width; `unused` matters to nothing, which `canonical` knows."""

    name, version, metrics, workloads = "grid", "1", METRICS, ("w",)
    space = DesignSpace(
        [Parameter("width", (0, 1, 2, 3), "ordinal"), Parameter("unused", ("a", "b", "c"))],
        [Constraint("width 3 does not fit", lambda c: c["width"] != 3)],
    )

    def __init__(self) -> None:
        self.calls: list[int] = []

    def simulate(self, designs: Designs, workload: str) -> Evaluations:
        if workload not in self.workloads:
            raise UnknownName("workload", workload, self.workloads)
        self.calls.append(len(designs))
        width = designs[:, 0].astype(float)
        return Evaluations.of(self.metrics, np.stack([10 + width, 100 - 10 * width], axis=1))

    def canonical(self, designs: Designs) -> Designs:
        collapsed = designs.copy()
        collapsed[:, 1] = 0
        return collapsed


class Script(Agent):
    """Proposes a fixed list of batches, over and over, and remembers what it was told."""

    name = "script"

    def __init__(self, batches: Sequence[Sequence[Sequence[int]]]) -> None:
        self.batches = itertools.cycle(batches)
        self.told: list[tuple[Designs, Evaluations, Floats]] = []

    def ask(self, n: int) -> Designs:
        return np.array(next(self.batches), dtype=np.int32).reshape(-1, 2)

    def tell(self, designs: Designs, evaluations: Evaluations, costs: Floats) -> None:
        self.told.append((designs, evaluations, costs))


def test_only_distinct_designs_are_charged_and_simulated() -> None:
    simulator = Grid()
    agent = Script([[[0, 0], [0, 1], [1, 0]], [[1, 2], [2, 0]]])
    result = run_trial(simulator, agent, "low-latency", workload="w", budget=3)
    assert simulator.calls == [2, 1]  # widths 0 and 1, then 2: "unused" collapses
    assert (result.counts.proposals, result.counts.distinct, result.counts.repeats) == (5, 3, 2)
    assert result.stopped == "budget"
    assert result.history.scalar.tolist() == [10, 11, 12]
    assert result.best.design == {"width": 0, "unused": "a"}
    assert result.best.metrics == {"latency_ns": 10.0, "power_mw": 100.0}
    assert [len(designs) for designs, _, _ in agent.told] == [3, 2]


def test_the_budget_cuts_a_batch_and_the_agent_is_told_the_prefix() -> None:
    agent = Script([[[0, 0], [1, 0], [1, 1], [2, 0]]])
    result = run_trial(Grid(), agent, "low-latency", workload="w", budget=2)
    assert len(result.history) == 2
    assert agent.told[0][0].tolist() == [[0, 0], [1, 0], [1, 1]]  # the repeat is free, the third design is not


def test_a_shared_cache_answers_but_does_not_spare_the_budget() -> None:
    cache, simulator = MemoryCache(), Grid()
    batches = [[[0, 0], [1, 0]], [[2, 0]]]
    first = run_trial(simulator, Script(batches), "low-power", workload="w", budget=3, cache=cache)
    second = run_trial(simulator, Script(batches), "low-power", workload="w", budget=3, cache=cache)
    assert (first.counts.simulated, second.counts.simulated) == (3, 0)
    assert second.counts.distinct == 3
    assert np.array_equal(first.history.costs, second.history.costs)


def test_a_search_that_repeats_itself_is_stopped_as_stalled() -> None:
    result = run_trial(Grid(), Script([[[0, 0]]]), "low-latency", workload="w", budget=2)
    assert result.stopped == "stalled"
    assert result.counts.proposals == 2 * STALL_FACTOR


def test_a_budget_beyond_the_space_is_capped() -> None:
    everything = [[list(d)] for d in itertools.product(range(4), range(3))]
    result = run_trial(Grid(), Script(everything), "low-latency", workload="w", budget=10**9)
    assert result.budget == 12


@pytest.mark.parametrize("budget", [0, -1, 1.5, True])
def test_an_impossible_budget_is_refused(budget: object) -> None:
    with pytest.raises(InvalidInput, match="budget must be a whole number of at least 1"):
        run_trial(Grid(), Script([[[0, 0]]]), "low-latency", workload="w", budget=budget)  # type: ignore[arg-type]


def test_constraints_are_infeasible_rows_that_never_reach_the_simulator() -> None:
    simulator = Grid()
    result = run_trial(simulator, Script([[[3, 0], [0, 0]]]), "low-power", workload="w", budget=2)
    assert simulator.calls == [1]
    assert result.history.evaluations.status.tolist() == ["infeasible", "ok"]
    assert result.history.evaluations.reasons[0] == "width 3 does not fit"
    assert result.best.design["width"] == 0


def test_an_agent_that_proposes_nothing_is_told_so() -> None:
    with pytest.raises(AgentMisuse, match="proposed no design"):
        run_trial(Grid(), Script([[]]), "low-latency", workload="w", budget=1)


def test_unknown_workload_and_metric_are_refused() -> None:
    with pytest.raises(UnknownName, match="workload 'v'"):
        run_trial(Grid(), Script([[[0, 0]]]), "low-latency", workload="v", budget=1)
    with pytest.raises(UnknownName, match="did you mean 'latency_ns'"):
        run_trial(Grid(), Script([[[0, 0]]]), {"minimize": "latncy_ns"}, workload="w", budget=1)


def test_search_finds_the_pareto_front() -> None:
    result = archgym.search(
        Grid(), Script([[[0, 0], [1, 0], [2, 0]]]), {"pareto": ["latency_ns", "power_mw"]}, workload="w", budget=3
    )
    assert [point.metrics["latency_ns"] for point in result.pareto] == [10, 11, 12]


class Broken(Grid):
    """Raises for width 1, answers NaN for width 2."""

    def simulate(self, designs: Designs, workload: str) -> Evaluations:
        if (designs[:, 0] == 1).any():
            raise ZeroDivisionError("width one")
        found = super().simulate(designs, workload)
        found.values[designs[:, 0] == 2, 1] = np.nan
        return found


def test_a_simulator_that_raises_or_returns_nan_fails_that_design_only() -> None:
    evaluations, _ = Evaluator(Broken(), "w").evaluate(np.array([[0, 0], [1, 0], [2, 0]], dtype=np.int32))
    assert evaluations.status.tolist() == ["ok", "failed", "failed"]
    assert evaluations.reasons == ("", "ZeroDivisionError: width one", "simulator returned nan for power_mw")
    assert np.isnan(evaluations.values[1:]).all()


def test_designs_outside_the_space_are_refused() -> None:
    with pytest.raises(InvalidInput, match="index 4 of width is out of range; allowed: 0 to 3"):
        Evaluator(Grid(), "w").evaluate(np.array([[4, 0]], dtype=np.int32))


@given(st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=1, max_size=30))
def test_pareto_rows_match_brute_force(rows: list[tuple[int, int, int]]) -> None:
    costs = np.array(rows, dtype=float)

    def dominated(a: Floats) -> bool:
        return any(bool(np.all(b <= a) and np.any(b < a)) for b in costs)

    expected = {tuple(row) for row in costs if not dominated(row)}
    found = pareto_rows(costs)
    assert {tuple(row) for row in costs[found]} == expected
    assert len(found) == len(expected)
