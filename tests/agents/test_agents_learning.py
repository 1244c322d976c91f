"""Every agent finds better designs than random search at an equal budget of distinct designs."""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from bowl import BEST, Valley

from archgym import catalog
from archgym.objectives import objective
from archgym.space import DesignSpace
from archgym.trial import run_trial

SEEDS = range(5)
LEARNERS = sorted(set(catalog.agents()) - {"random", "gp"})
FRONT = {"pareto": ["cost", "other"], "reference": {"cost": 120.0, "other": 90.0}}


@lru_cache
def costs(name, budget, seeds=SEEDS):
    """Best cost of each seed."""
    return [search(name, {"minimize": "cost"}, budget, seed).best.cost for seed in seeds]


def search(name, goal, budget, seed, **hyper):
    simulator = Valley()
    agent = catalog.agent(name, simulator.space, seed=seed, **hyper)
    result = run_trial(simulator, agent, objective(goal), workload="w", budget=budget)
    assert len(result.history) == budget
    return result


def test_the_optimum_is_where_the_tests_say():
    simulator = Valley()
    everything = np.concatenate(list(simulator.space.enumerate()))
    cost = simulator.simulate(everything, "w")["cost"]
    assert tuple(everything[np.nanargmin(cost)]) == BEST
    assert np.sum(cost == 0.0) == 1


@pytest.mark.parametrize("name", LEARNERS)
def test_learns(name):
    budget = 300 if name == "ppo" else 200
    assert np.median(costs(name, budget)) <= 1.0 < np.median(costs("random", budget))


def test_gp_learns_within_forty_designs():
    assert np.median(costs("gp", 40, range(3))) <= 1.0 < np.median(costs("random", 40))


def test_sequential_ppo_learns():
    best = [search("ppo", {"minimize": "cost"}, 300, seed, formulation="sequential").best.cost for seed in range(3)]
    assert np.median(best) <= 1.0


@lru_cache
def hypervolumes(name, budget, seeds):
    goal = objective(FRONT)
    return [goal.hypervolume(search(name, FRONT, budget, seed).history.costs) for seed in seeds]


@pytest.mark.parametrize("name", LEARNERS)
def test_learns_a_front_of_two_costs(name):
    assert np.median(hypervolumes(name, 200, SEEDS)) > np.median(hypervolumes("random", 200, SEEDS))


@pytest.mark.slow
def test_gp_learns_a_front_of_two_costs():
    assert np.median(hypervolumes("gp", 40, range(3))) > np.median(hypervolumes("random", 40, SEEDS))


@pytest.mark.parametrize("name", ["annealing", "ant-colony", "cma-es", "coordinate", "genetic", "hill-climb", "tpe"])
def test_a_small_space_is_exhausted_and_not_stalled(name):
    """Local optima and convergence must not keep a search from the rest of the space."""
    simulator = Valley()
    simulator.space = DesignSpace(simulator.space.parameters[:3])  # 120 designs
    simulator.simulate = lambda designs, workload: Valley.simulate(
        simulator, np.hstack([designs, np.tile(np.int32(1), (len(designs), 4))]), workload
    )
    result = run_trial(simulator, name, objective({"minimize": "cost"}), workload="w", budget=120)
    assert result.stopped == "exhausted"
