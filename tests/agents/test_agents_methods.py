"""Each method does what its name says: properties that a learning curve would not show."""

from __future__ import annotations

import importlib.util
import random

import numpy as np
import pytest
from hypothesis import given, strategies as st

from archgym import catalog
from archgym.agents.annealing import SimulatedAnnealing
from archgym.agents.ant_colony import AntColony
from archgym.agents.cma_es import CmaEs
from archgym.agents.genetic import Genetic
from archgym.agents.hill_climb import HillClimb
from archgym.agents.tpe import TPE
from archgym.errors import MissingDependency
from archgym.objectives import PENALTY
from archgym.space import DesignSpace, Parameter


def space_of(*cardinalities):
    return DesignSpace([Parameter(f"p{i}", tuple(range(c))) for i, c in enumerate(cardinalities)])


def total(designs):
    return designs.sum(axis=1, keepdims=True).astype(float)


def play(agent, proposals, cost=total, n=64):
    """Ask and tell; returns every proposal, in order."""
    asked = []
    while sum(map(len, asked)) < proposals:
        asked.append(agent.ask(n))
        agent.tell(asked[-1], None, cost(asked[-1]))
    return np.concatenate(asked)


def test_coordinate_sweeps_one_parameter_at_a_time():
    agent = catalog.agent("coordinate", space_of(4, 5, 3), seed=0)
    here = agent.ask(64)
    agent.tell(here, None, total(here))
    for _ in range(3):
        line = agent.ask(64)
        (column,) = np.flatnonzero((line != here).any(axis=0))
        assert sorted([*line[:, column], here[0, column]]) == list(range(agent.space.cardinalities[column]))
        agent.tell(line, None, total(line))
        here = np.vstack([here, line])[[np.vstack([here, line]).sum(axis=1).argmin()]]
    assert here.tolist() == [[0, 0, 0]]  # separable: one sweep is enough


def test_steepest_descent_scores_all_neighbours_at_once():
    agent = HillClimb(space_of(4, 5, 3), neighbours=0)
    here = agent.ask(64)
    agent.tell(here, None, total(here))
    around = agent.ask(64)
    assert sorted(map(tuple, around)) == sorted(map(tuple, agent.space.neighbours(here[0])))


def test_a_kick_restarts_near_the_best_optimum():
    agent = HillClimb(space_of(*[6] * 8), kick=2, neighbours=0)
    batches = []
    while len(batches) < 30:
        batches.append(agent.ask(64))
        agent.tell(batches[-1], None, total(batches[-1]))
    bottom = next(i for i, batch in enumerate(batches) if (batch == 0).all(axis=1).any())
    assert len(batches[bottom + 1]) == 40  # the neighbours of the optimum, none better
    kicked = batches[bottom + 2]
    assert len(kicked) == 1
    assert 1 <= np.count_nonzero(kicked) <= 2


def test_annealing_accepts_by_metropolis_and_never_leaves_feasible_for_infeasible():
    agent = SimulatedAnnealing(space_of(3, 3))
    assert agent._accepts(5.0, 5.0, 1.0)
    assert agent._accepts(PENALTY * 2, 3.0, 1e-9)
    assert not any(agent._accepts(3.0, PENALTY, 100.0) for _ in range(100))
    accepted = sum(agent._accepts(0.0, 2.0, 1.0) for _ in range(4000))  # every change is 2: the scale is 2
    assert accepted == pytest.approx(4000 * np.exp(-1.0), abs=130)


def test_annealing_does_not_depend_on_the_scale_of_costs():
    def proposals(scale):
        return play(SimulatedAnnealing(space_of(5, 5, 5, 5), seed=2), 300, lambda x: total(x) * scale, n=1)

    assert np.array_equal(proposals(1.0), proposals(2.0**30))


def test_ants_follow_pheromone_and_every_choice_keeps_its_floor():
    agent = AntColony(space_of(2, 5), ants=4000, floor=0.1)
    pheromone = np.array([[0.25, 0.75, 0, 0, 0], [0.1, 0.2, 0.3, 0.2, 0.2]])
    walked = agent._walk(pheromone)
    for column, row in enumerate(pheromone):
        share = np.bincount(walked[:, column], minlength=5) / len(walked)
        assert share == pytest.approx(row, abs=0.04)
    best = np.array([1, 4], dtype=np.int32)
    for _ in range(200):
        pheromone = agent._lay(pheromone, best[None], best)
        assert pheromone.sum(axis=1) == pytest.approx([1.0, 1.0])
        assert pheromone[0, 0] > 0.04  # floor 0.1 of an even spread of 1/2, before normalisation
        assert (pheromone[1] > 0.015).all()
        assert not pheromone[0, 2:].any()  # choices that do not exist stay impossible
    assert pheromone.argmax(axis=1).tolist() == best.tolist()


def test_greedy_ants_take_the_strongest_choice():
    agent = AntColony(space_of(2, 3), ants=50, greediness=1.0)
    assert (agent._walk(np.array([[0.4, 0.6, 0.0], [0.2, 0.3, 0.5]])) == [1, 2]).all()


@given(st.integers(1, 1000), st.floats(0, 1))
def test_cma_decodes_the_unit_interval_to_equal_parts(count, point):
    agent = CmaEs(space_of(count, 2))
    (index, _), (last, _) = agent._decode(np.array([[point, 0.0], [1.0, 1.0]]))
    assert last == count - 1
    assert index == min(int(point * count), count - 1)
    starts = agent._decode(np.column_stack([np.arange(count) / count + 1e-9, np.zeros(count)]))[:, 0]
    assert starts.tolist() == list(range(count))


def test_cma_restarts_with_a_larger_population():
    # 9 designs are soon known, so runs are short; populations double from 4 up to `largest`.
    sizes = []
    agent = CmaEs(space_of(3, 3), population=4, patience=1, largest=20)
    original = agent._run
    agent._run = lambda size: sizes.append(size) or original(size)
    play(agent, 400)
    assert sizes[:4] == [4, 8, 16, 20]
    assert set(sizes[4:]) == {20}


def test_genetic_never_proposes_a_design_twice_before_all_are_known():
    agent = Genetic(space_of(4, 4, 4), seed=1)
    first = agent.ask(64)
    agent.tell(first, None, total(first))
    asked = play(agent, 60)
    assert len(np.unique(asked, axis=0)) == len(asked)


def test_genetic_population_follows_the_search_or_the_budget():
    space = space_of(*[8] * 6)
    growing = Genetic(space)
    sizes = []
    for scored in (0, 100, 2000):
        growing._scored = scored
        sizes.append(growing._population())
    assert sizes == [8, 20, 89]
    assert Genetic(space, budget=400)._population() == 40
    assert Genetic(space, population=33, budget=400)._population() == 33


def test_uniform_crossover_and_reset_mutation_reach_everything_equally():
    from archgym.agents.genetic import _Reset

    space = space_of(3, 5)
    reset = _Reset(space, 1.0)
    children = reset._do(None, np.tile([1, 2], (6000, 1)), random_state=np.random.default_rng(0))
    for column, kept in enumerate((1, 2)):
        others = np.bincount(children[:, column], minlength=space.cardinalities[column]) / 6000
        assert others[kept] == 0.0
        assert np.delete(others, kept) == pytest.approx(1 / (space.cardinalities[column] - 1), abs=0.03)


def test_tpe_replaces_known_proposals_and_keeps_its_model_small():
    agent = TPE(space_of(3, 4, 3), limit=20, startup=5)
    asked = play(agent, 36)
    assert len(np.unique(asked, axis=0)) > 33  # the random start may repeat itself, the model does not
    play(agent, 40)  # everything is known: it goes on, with repeats

    sizes = []
    agent = TPE(space_of(*[6] * 6), limit=30)
    surrogate = agent._surrogate
    for _ in range(80):
        play(agent, 1)
        sizes.append(len(surrogate._designs))
    assert max(sizes) <= 30
    best = min(cost[0] for cost in surrogate._costs)
    assert best == total(np.array([list(map(int, row)) for row in surrogate._designs])).min()


def test_tpe_keeps_the_best_half_when_it_thins():
    agent = TPE(space_of(*[6] * 6), limit=40, startup=10)
    asked = play(agent, 38)
    held = {row.tobytes() for row in agent._surrogate._designs}
    play(agent, 3)
    kept = {row.tobytes() for row in agent._surrogate._designs}
    ranked = sorted(held, key=lambda key: np.frombuffer(key, dtype=np.int32).sum())
    assert len(asked) >= 38
    assert set(ranked[:15]) <= kept
    assert len(kept) < len(held)


@pytest.mark.parametrize(("name", "library", "extra"), [("gp", "torch", "bo"), ("ppo", "stable-baselines3", "rl")])
def test_a_missing_library_is_named_with_the_command(name, library, extra, monkeypatch):
    find = importlib.util.find_spec
    missing = library.replace("-", "_")
    monkeypatch.setattr(importlib.util, "find_spec", lambda module: None if module == missing else find(module))
    with pytest.raises(MissingDependency, match=rf"agent {name} needs {library}.*pip install 'archgym\[{extra}\]'"):
        catalog.agent(name, space_of(3, 3))


@pytest.mark.parametrize("formulation", ["design", "sequential"])
def test_ppo_draws_only_choices_that_exist_and_leaves_global_generators_alone(formulation):
    import torch

    space = space_of(2, 7, 1, 4)
    before = (random.getstate(), repr(np.random.get_state()), torch.get_rng_state())  # noqa: NPY002
    asked = play(catalog.agent("ppo", space, formulation=formulation, rollout=16), 200)
    after = (random.getstate(), repr(np.random.get_state()), torch.get_rng_state())  # noqa: NPY002
    assert before[:2] == after[:2]
    assert torch.equal(before[2], after[2])
    space.validate(asked)
    for column, count in enumerate(space.cardinalities):
        assert set(asked[:, column]) == set(range(count))


def test_ppo_rewards_ranks():
    from archgym.agents.ppo import _ranks

    assert _ranks(np.array([5.0, 1e12, -3.0, 5.0])).tolist() == [0.0, -1.0, 1.0, 0.0]
    assert _ranks(np.zeros(3)).tolist() == [1.0, 1.0, 1.0]
