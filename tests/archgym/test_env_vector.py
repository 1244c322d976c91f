"""A batch of episodes: the same as single ones, in one simulator call."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from cache_toy import Toy
from gymnasium.vector import AutoresetMode

import archgym
from archgym.env import DesignEnv
from archgym.errors import AgentMisuse, InvalidInput, UnknownName
from archgym.formulations import FORMULATIONS
from archgym.space import DesignSpace, Parameter

N = 6


def vector(**settings):
    return archgym.make_vec(Toy(), N, **{"objective": "low-latency", **settings})


@pytest.mark.parametrize("formulation", FORMULATIONS)
def test_a_step_of_the_batch_is_one_simulator_call(formulation):
    made = vector(formulation=formulation)
    made.action_space.seed(0)
    made.reset(seed=0)
    calls = made.episodes.simulator.calls
    assert len(calls) == (formulation == "local")  # the starting designs, together
    for _ in range(40):
        before = len(calls)
        made.step(made.action_space.sample())
        assert len(calls) - before <= 1
    assert max(calls) > 1
    tried = np.array([np.frombuffer(key, dtype="<i4") for key in made.episodes.distinct])
    assert sum(calls) == Toy.space.feasible(tried).sum()  # each distinct design once


@pytest.mark.parametrize("formulation", FORMULATIONS)
def test_rows_answer_as_single_environments_do(formulation):
    made = vector(formulation=formulation)
    made.action_space.seed(3)
    options = {} if formulation == "sequential" else {"design": np.array([0, 1, 0, 2])}
    seen, _ = made.reset(seed=0, options=options)
    singles = [DesignEnv(Toy(), objective="low-latency", formulation=formulation) for _ in range(N)]
    for row, single in enumerate(singles):
        assert np.array_equal(single.reset(options=options)[0], seen[row])
    for _ in range(len(Toy.space) if formulation == "sequential" else 1):
        actions = made.action_space.sample()
        seen, rewards, terminated, truncated, infos = made.step(actions)
        for row, single in enumerate(singles):
            alone = single.step(actions[row])
            assert np.array_equal(alone[0], seen[row])
            assert alone[1:4] == (rewards[row], terminated[row], truncated[row])
            for key in {"cost", "status", "reason"} & alone[4].keys():
                assert alone[4][key] == infos[key][row]
            for name, choice in alone[4].get("design", {}).items():
                assert infos["design"][name][row] == choice


def test_next_step_autoreset_ignores_the_action_of_a_finished_row():
    made = vector(formulation="local", horizon=2)
    made.reset(seed=0)
    made.action_space.seed(0)
    ends = []
    for _ in range(6):
        _, rewards, terminated, truncated, infos = made.step(made.action_space.sample())
        assert not terminated.any()
        ends.append(bool(truncated.all()))
        if len(ends) in {3, 6}:  # the step that resets
            assert not rewards.any()
            assert infos["_design"].all()
    assert ends == [False, True, False, False, True, False]
    assert made.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP


def test_same_step_autoreset_gives_the_last_observation_and_info():
    made = vector(autoreset_mode="SameStep")
    made.reset(seed=0)
    made.action_space.seed(0)
    for _ in range(3):
        actions = made.action_space.sample()
        seen, rewards, terminated, _, infos = made.step(actions)
        assert terminated.all()
        assert not seen.any()  # a fresh episode has no last design
        for row in range(N):
            assert infos["final_obs"][row][-1] == (rewards[row] > -100)
            design = {
                name: values[row] for name, values in infos["final_info"]["design"].items() if name in Toy.space.names
            }
            assert np.array_equal(Toy.space.encode(design), actions[row])


class Mixed(Toy):
    """A parameter whose choices are of several types."""

    space = DesignSpace([Parameter("mode", (4, "off", 2.5)), *Toy.space.parameters[1:]])

    def simulate(self, designs, workload):
        return super().simulate(np.where(np.arange(4) == 0, 0, designs), workload)


def test_choices_keep_their_type_in_a_batch():
    made = archgym.make_vec(Mixed(), 3, objective="low-latency")
    made.reset()
    *_, infos = made.step(np.array([[0, 1, 0, 0], [1, 1, 0, 0], [2, 1, 0, 0]]))
    assert infos["design"]["mode"].tolist() == [4, "off", 2.5]


def test_one_budget_covers_the_batch():
    made = vector(budget=4)
    made.reset()
    actions = np.array([[i % 4, 1, 0, i // 4] for i in range(N)])
    _, rewards, terminated, truncated, infos = made.step(actions)
    assert made.episodes.simulator.calls == [4]
    assert infos["status"].tolist() == ["ok"] * 4 + ["failed"] * 2
    assert (rewards[4:] == -102).all()
    assert infos["budget_left"].tolist() == [0] * N
    assert (terminated | truncated).all()


def test_the_seed_decides_the_starting_designs():
    first, second, other = (vector(formulation="local").reset(seed=s)[0] for s in (7, 7, 8))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_gymnasium_makes_it_too():
    made = gymnasium.make_vec("archgym/toy-for-vector-v0", num_envs=3, objective="low-latency", speed=2.0)
    assert made.observation_space.shape == (3, 4)
    made.reset(seed=0)
    *_, infos = made.step(np.array([[0, 1, 0, 0]] * 3))
    assert infos["cost"].tolist() == [50.0] * 3  # 100 ns / 1 way at twice the speed
    assert archgym.make_vec("archgym/toy-for-vector-v0", 2).num_envs == 2
    assert archgym.make_vec("toy-for-vector", 2).num_envs == 2


@pytest.fixture(autouse=True)
def _registered():
    archgym.catalog.register_simulator("toy-for-vector", "cache_toy:Toy")
    yield
    del archgym.catalog._BUILT_IN["simulator"]["toy-for-vector"]
    del gymnasium.registry["archgym/toy-for-vector-v0"]


def test_misuse_is_met_with_the_fix():
    with pytest.raises(InvalidInput, match="num_envs must be a whole number of at least 1, got 0"):
        archgym.make_vec(Toy(), 0)
    with pytest.raises(UnknownName, match="unknown autoreset_mode 'samestep'; did you mean 'SameStep'"):
        vector(autoreset_mode="samestep")
    made = vector()
    with pytest.raises(AgentMisuse, match=r"call reset\(\) first"):
        made.step(made.action_space.sample())
    made.reset()
    with pytest.raises(InvalidInput, match=r"actions must be integers of shape \(6, 4\)"):
        made.step(np.zeros((5, 4), dtype=int))
    with pytest.raises(UnknownName, match="unknown simulator 'tooy-for-vector'; did you mean 'toy-for-vector'"):
        archgym.make_vec("tooy-for-vector", 2)
    with pytest.raises(UnknownName, match="'objectve'; did you mean 'objective'"):
        archgym.make_vec("toy-for-vector", 2, objectve="low-latency")
    with pytest.raises(UnknownName, match="'sped'; did you mean 'speed'"):
        archgym.make_vec("toy-for-vector", 2, sped=2)
