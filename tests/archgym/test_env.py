"""Gymnasium environments: what an action does, what is seen, what is charged, checked against the simulator itself."""

from __future__ import annotations

import itertools
import math

import gymnasium
import numpy as np
import pytest
from cache_toy import Toy
from gymnasium.utils.env_checker import check_env
from hypothesis import given, strategies as st
from small import DESIGNS, SMALL
from stable_baselines3.common.env_checker import check_env as sb3_check_env

from archgym import catalog
from archgym.core import Evaluations, Metric
from archgym.env import DesignEnv
from archgym.episodes import metric_view
from archgym.errors import AgentMisuse, InvalidInput, UnknownName
from archgym.formulations import FORMULATIONS, DesignEncoding

DESIGN = {"ways": 4, "policy": "lru", "prefetch": True, "size_kib": 64}
LATENCY_NS = 100 / 4 + 0 - 3
TOO_BIG = {"ways": 8, "policy": "lru", "prefetch": False, "size_kib": 256}  # breaks the constraint


def env(**settings):
    return DesignEnv(Toy(), **{"objective": "low-latency", **settings})


def indices(**design):
    return Toy.space.encode({**DESIGN, **design}).tolist()


def checked():
    """Every environment in every formulation; where designs are synthesised, one formulation stands for the others."""
    for name in (*catalog.environments(), "toy"):
        synthesised = catalog.environments().get(name) in SMALL
        for formulation in FORMULATIONS:
            marks = [pytest.mark.slow] if synthesised and formulation != "design" else []
            yield pytest.param(name, formulation, marks=marks)


def draw_few(made, name, monkeypatch):
    """Let checkers draw from the designs that `check_simulator` looks at.

    What they ask of an environment does not depend on how many different designs they draw, and each new one would be
    synthesised; one that can be scored is among them always, not by chance.
    """
    simulator, workload = made.episodes.simulator, made.episodes.evaluator.workload
    drawn = (simulator.space.sample(DESIGNS[name], np.random.default_rng(seed)) for seed in range(8))
    designs = next(each for each in drawn if simulator.simulate(each, workload).ok.any())
    turns = itertools.cycle(designs.astype(made.action_space.dtype))
    monkeypatch.setattr(made.action_space, "sample", lambda: next(turns).copy())


@pytest.mark.parametrize(("name", "formulation"), list(checked()))
def test_every_registered_environment_passes_both_checkers(name, formulation, monkeypatch):
    """Warnings are errors here, so this is the checkers without a warning."""
    if name == "toy":
        made = DesignEnv(Toy(), formulation=formulation)
        check_env(made, skip_render_check=True)
    else:
        simulator = catalog.environments()[name]
        made = gymnasium.make(name, formulation=formulation, **SMALL.get(simulator, {})).unwrapped
        if simulator in SMALL and formulation == "design":
            draw_few(made, simulator, monkeypatch)
        check_env(made)
    sb3_check_env(made)


@pytest.mark.parametrize("formulation", FORMULATIONS)
@pytest.mark.parametrize("library", ["PPO", "DQN"])
def test_stable_baselines_learns_through_it(formulation, library):
    import stable_baselines3

    if library == "DQN" and formulation == "design":
        with pytest.raises(AssertionError, match="Discrete"):  # which is why the other two formulations have them
            stable_baselines3.DQN("MlpPolicy", env(formulation=formulation))
        return
    settings = {"n_steps": 16, "batch_size": 16} if library == "PPO" else {"learning_starts": 4}
    made = env(formulation=formulation, budget=500)
    getattr(stable_baselines3, library)("MlpPolicy", made, seed=0, **settings).learn(48)
    assert made.episodes.simulator.calls


def test_masked_ppo_takes_the_masks():
    import sb3_contrib

    made = env(formulation="sequential")
    sb3_contrib.MaskablePPO("MlpPolicy", made, seed=0, n_steps=16, batch_size=16).learn(32)
    assert made.episodes.simulator.calls


# -- design -----------------------------------------------------------------------------------------------------------


def test_design_takes_a_whole_design_a_step():
    made = env()
    assert made.action_space == gymnasium.spaces.MultiDiscrete([4, 3, 2, 5])
    seen, info = made.reset(seed=1)
    assert not seen.any()
    assert info == {"distinct": 0, "simulated": 0}
    seen, reward, terminated, truncated, info = made.step(np.array(indices()))
    assert (terminated, truncated) == (True, False)
    assert reward == pytest.approx(-math.log1p(LATENCY_NS))
    assert info["design"] == DESIGN
    assert info["metrics"] == {"latency_ns": LATENCY_NS, "area_mm2": 0.01 * 4 * 64, "bandwidth_gbps": 64 / LATENCY_NS}
    assert (info["cost"], info["status"], info["reason"]) == (LATENCY_NS, "ok", "")
    assert (info["distinct"], info["simulated"]) == (1, 1)
    logs = [math.log1p(value) for value in info["metrics"].values()]
    np.testing.assert_allclose(seen, [*(log / (10 + log) for log in logs), 1.0], rtol=1e-6)


def test_a_design_episode_may_be_longer():
    made = env(horizon=3)
    made.reset(seed=0)
    assert [made.step(np.array(indices(ways=ways)))[2] for ways in (1, 2, 4)] == [False, False, True]
    with pytest.raises(AgentMisuse, match=r"call reset\(\) first"):
        made.step(np.array(indices()))


def test_reset_shows_the_design_it_is_given():
    made = env()
    seen, info = made.reset(options={"design": DESIGN})
    assert info["design"] == DESIGN
    assert info["cost"] == LATENCY_NS
    assert seen[-1] == 1.0


# -- sequential -------------------------------------------------------------------------------------------------------


def test_sequential_chooses_one_parameter_a_step_and_rewards_at_the_end():
    made = env(formulation="sequential")
    assert made.action_space == gymnasium.spaces.Discrete(5)
    made.reset(seed=0)
    rewards, ends = [], []
    for action in (2, 2, 4, 2):  # ways 4 of 5-way action 2: floor(2 * 4 / 5) = 1
        seen, reward, terminated, truncated, info = made.step(np.int64(action))
        rewards.append(reward)
        ends.append((terminated, truncated))
    assert ends == [(False, False)] * 3 + [(True, False)]
    expected = {
        "ways": 2,
        "policy": "lru",
        "prefetch": True,
        "size_kib": 64,
    }  # floor(2*4/5), floor(2*3/5), floor(4*2/5), 2
    assert info["design"] == expected
    assert rewards == [0, 0, 0, pytest.approx(-math.log1p(100 / 2 - 3))]
    # ordered parameters as (index + 1) / choices, the policy one-hot, then the position (past the end: none)
    np.testing.assert_allclose(seen, [2 / 4, 0, 1, 0, 2 / 2, 3 / 5, 0, 0, 0, 0], rtol=1e-6)


def test_sequential_sees_the_choices_so_far_and_what_is_next():
    made = env(formulation="sequential")
    seen, info = made.reset(seed=0)
    assert seen.tolist() == [0] * 6 + [1, 0, 0, 0]
    assert info["action_mask"].tolist() == [1, 0, 1, 1, 1]  # 4 choices by 5 actions: 0 and 1 both mean the first
    seen, *_, info = made.step(np.int64(0))
    assert seen.tolist() == [0.25, 0, 0, 0, 0, 0, 0, 1, 0, 0]
    assert info["action_mask"].tolist() == [1, 0, 1, 0, 1]
    assert "design" not in info
    assert made.action_masks().dtype == np.bool_


@given(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 1), st.integers(0, 4)))
def test_sequential_masked_actions_reach_every_design(design):
    made = env(formulation="sequential")
    made.reset()
    for choice in design:
        allowed = np.flatnonzero(made.action_masks())
        *_, info = made.step(np.int64(allowed[choice]))
    assert info["design"] == Toy.space.decode(np.array(design))


def test_every_unmasked_action_is_valid_and_reaches_a_choice_in_order():
    for position, count in enumerate((4, 3, 2, 5)):
        found = []
        for action in range(5):
            made = env(formulation="sequential")
            made.reset()
            for _ in range(position):
                made.step(np.int64(0))
            made.step(np.int64(action))
            found.append(int(made.episodes.form.designs[0, position]))
        assert found == sorted(found)
        assert set(found) == set(range(count))


# -- local ------------------------------------------------------------------------------------------------------------


def test_local_moves_from_the_current_design_and_rewards_improvement():
    made = env(formulation="local")
    assert made.action_space == gymnasium.spaces.Discrete(4 + 3 + 2 + 5)
    _, info = made.reset(options={"design": indices()})
    assert info["design"] == DESIGN
    elsewhere = [(name, c) for name in DESIGN for c in Toy.space[name].choices if c != DESIGN[name]]
    every = [(name, c) for name in DESIGN for c in Toy.space[name].choices]
    assert [move for move, allowed in zip(every, info["action_mask"]) if allowed] == elsewhere
    seen, reward, terminated, truncated, info = made.step(np.int64(3))  # ways := 8
    assert info["design"] == {**DESIGN, "ways": 8}
    assert reward == pytest.approx(math.log1p(LATENCY_NS) - math.log1p(100 / 8 - 3))
    assert (terminated, truncated) == (False, False)
    np.testing.assert_allclose(seen[:6], [1, 0, 1, 0, 1, 3 / 5], rtol=1e-6)
    *_, info = made.step(np.int64(4))  # policy := none
    assert info["design"] == {**DESIGN, "ways": 8, "policy": "none"}


def test_local_actions_reach_every_neighbour():
    made = env(formulation="local", horizon=1)
    reached = []
    for action in range(14):
        _, info = made.reset(options={"design": DESIGN})
        if info["action_mask"][action]:
            *_, info = made.step(np.int64(action))
            reached.append(tuple(Toy.space.encode(info["design"])))
    assert sorted(reached) == sorted(map(tuple, Toy.space.neighbours(Toy.space.encode(DESIGN))))


def test_local_is_truncated_at_its_horizon_and_may_reward_the_value():
    made = env(formulation="local", horizon=2, reward="value")
    made.reset(options={"design": DESIGN})
    first, second = made.step(np.int64(3)), made.step(np.int64(2))
    assert first[2:4] == (False, False)
    assert second[2:4] == (False, True)
    assert second[1] == pytest.approx(-math.log1p(LATENCY_NS))


def test_local_starts_where_the_seed_says():
    starts = [env(formulation="local").reset(seed=seed)[1]["design"] for seed in (3, 3, *range(20))]
    assert starts[0] == starts[1]
    assert len({tuple(start.items()) for start in starts}) > 5
    assert all(Toy.space.feasible(Toy.space.encode([start]))[0] for start in starts)


# -- scores and budget ------------------------------------------------------------------------------------------------


def test_a_design_that_breaks_a_constraint_has_a_finite_reward_below_every_other():
    made = env()
    made.reset()
    seen, reward, _, _, info = made.step(Toy.space.encode(TOO_BIG))
    assert (info["status"], info["reason"], info["metrics"]) == ("infeasible", "8 ways of 256 KiB do not fit", {})
    assert reward == -102.0
    assert not seen.any()
    assert made.episodes.simulator.calls == []
    assert made.observation_space.contains(seen)


def test_repeats_and_equivalent_designs_are_not_charged():
    made = env(budget=2)
    for ways, policy, prefetch, distinct in ((1, "none", False, 1), (1, "none", True, 1), (1, "none", False, 1)):
        made.reset()
        *_, truncated, info = made.step(np.array(indices(ways=ways, policy=policy, prefetch=prefetch)))
        assert (info["distinct"], info["budget_left"], truncated) == (distinct, 1, False)
    assert made.episodes.simulator.calls == [1]


def test_the_budget_truncates_and_is_never_exceeded():
    made = env(formulation="local", budget=3, horizon=50)
    made.reset(options={"design": indices(ways=1)})
    ends = [made.step(np.int64(action))[2:4] for action in (1, 2)]
    assert ends == [(False, False), (False, True)]  # the start and two moves
    _, info = made.reset(options={"design": indices(ways=1)})
    assert info["status"] == "ok"  # known: answered without charge
    _, reward, _, truncated, info = made.step(np.int64(3))
    assert (reward < -90, truncated, info["status"]) == (True, True, "failed")
    assert info["reason"] == "not simulated: the budget of 3 distinct designs is used up"
    assert sum(made.episodes.simulator.calls) == 3


def test_a_budget_beyond_the_space_is_capped():
    assert env(budget=10**9).episodes.budget == 4 * 3 * 2 * 5


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=2, max_size=2), st.sampled_from(["ok", "failed"])
)
def test_views_are_finite_and_bounded_whatever_the_simulator_says(values, status):
    metrics = (Metric("a", ""), Metric("b", ""))
    view = metric_view(Evaluations.of(metrics, [values], [status], [""]))
    assert view.dtype == np.float32
    assert np.isfinite(view).all()
    assert (np.abs(view) <= 1).all()
    assert view[0, -1] == (status == "ok")


@given(st.floats(-1e12, 1e12), st.floats(-1e12, 1e12))
def test_views_keep_the_order_of_a_metric(a, b):
    view = metric_view(Evaluations.of((Metric("m", ""),), [[a], [b]]))[:, 0]
    assert (a < b) <= (view[0] <= view[1])


def test_encoding_tells_every_design_apart():
    designs = np.concatenate(list(Toy.space.enumerate()))
    codes = DesignEncoding(Toy.space).encode(designs)
    assert len(np.unique(codes, axis=0)) == len(designs)
    assert codes.min() >= 0
    assert codes.max() <= 1


# -- building and misuse ----------------------------------------------------------------------------------------------


def test_defaults_are_the_first_workload_and_the_first_metric_with_a_direction():
    made = DesignEnv(Toy())
    assert made.episodes.evaluator.workload == "w"
    assert made.episodes.objective.spec == {"minimize": "latency_ns"}
    assert DesignEnv(Toy(), workload="v").episodes.evaluator.workload == "v"


def test_render_says_what_was_chosen():
    made = env(render_mode="ansi")
    made.reset()
    assert made.render() == "no design scored yet"
    made.step(np.array(indices()))
    assert made.render().splitlines()[:2] == ["ways = 4", "policy = lru"]
    assert "  latency_ns: 22" in made.render()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"formulation": "sequental"}, "unknown formulation 'sequental'; did you mean 'sequential'"),
        ({"objective": "low-latncy"}, "unknown objective 'low-latncy'; did you mean 'low-latency'"),
        ({"objective": "low-power"}, "unknown metric of objective low-power: 'power_mw'"),
        ({"reward": "valu"}, "unknown reward 'valu'; did you mean 'value'"),
        ({"reward": "improvement"}, "reward 'improvement' needs formulation 'local', got 'design'"),
        ({"budget": 0}, "budget must be a whole number of at least 1, got 0"),
        ({"horizon": 0}, "horizon must be a whole number of at least 1, got 0"),
        ({"horizon": 2.5}, "horizon must be a whole number of at least 1, got 2.5"),
        ({"formulation": "sequential", "horizon": 3}, "a sequential episode has one step a parameter"),
        ({"render_mode": "human"}, "unknown render mode 'human'; allowed: ansi"),
        ({"speed": 2}, "options speed need a simulator's name"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(InvalidInput, match=message):
        env(**settings)


def test_misuse_is_met_with_the_fix():
    with pytest.raises(AgentMisuse, match=r"call reset\(\) first"):
        env().step(np.zeros(4, dtype=int))
    made = env(formulation="local")
    made.reset()
    with pytest.raises(InvalidInput, match="action 14 is out of range; allowed: 0 to 13"):
        made.step(np.int64(14))
    with pytest.raises(InvalidInput, match="action must be in Discrete"):
        made.step(1.5)
    made = env()
    made.reset()
    with pytest.raises(InvalidInput, match="index 9 of ways is out of range"):
        made.step(np.array([9, 0, 0, 0]))
    with pytest.raises(AgentMisuse, match="has no action mask"):
        made.action_masks()
    with pytest.raises(UnknownName, match="unknown reset option 'desing'; did you mean 'design'"):
        made.reset(options={"desing": DESIGN})
    with pytest.raises(UnknownName, match="unknown value of policy 'lfu'; did you mean 'lru'"):
        made.reset(options={"design": {**DESIGN, "policy": "lfu"}})
    with pytest.raises(InvalidInput, match="starts from nothing"):
        env(formulation="sequential").reset(options={"design": DESIGN})
