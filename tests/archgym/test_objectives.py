"""Objectives: every cost and reward here is worked out by hand or by a second formula."""

from __future__ import annotations

import itertools
import json
import math
import pickle

import numpy as np
import pytest
from hypothesis import given, strategies as st

import archgym
from archgym.core import Evaluations, Metric
from archgym.errors import InvalidInput, UnknownName
from archgym.objectives import PENALTY, UNSCORED, objective, objectives

METRICS = (
    Metric("latency_ns", "ns", "minimize"),
    Metric("power_mw", "mW", "minimize"),
    Metric("bandwidth_gbps", "GB/s", "maximize"),
    Metric("time_ns", "ns", "minimize"),
    Metric("energy_pj", "pJ", "minimize"),
    Metric("temperature_c", "C", "none"),
)


def rows(*values, status=None):
    """Evaluations with the given leading metrics, the rest 1."""
    table = np.ones((len(values), len(METRICS)))
    for i, row in enumerate(values):
        table[i, : len(row)] = row
    reasons = None if status is None else ["" if s == "ok" else "why" for s in status]
    return Evaluations.of(METRICS, table, status, reasons)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"minimize": "latency_ns"}, [50.0, 200.0]),
        ({"maximize": "bandwidth_gbps"}, [-4.0, -16.0]),
        ({"meet": {"latency_ns": 100}}, [0.0, 1.0]),  # 50 beats the target: not punished; 200 is 100 % over
        ({"meet": {"bandwidth_gbps": 8}}, [0.5, 0.0]),  # a floor for what is better when large
        ({"meet": {"latency_ns": 100, "power_mw": 800}}, [0.25, 1.0]),
        ({"meet": {"temperature_c": 2}}, [0.5, 0.5]),  # neither way is better: both sides count; here 1 for 2
        ({"sum": [{"minimize": "latency_ns", "weight": 2, "scale": 50}, {"maximize": "bandwidth_gbps"}]}, [-2.0, -8.0]),
        ({"sum": [{"meet": {"latency_ns": 100}, "weight": 3}, {"minimize": "power_mw", "scale": 1000}]}, [1.0, 3.5]),
        ({"product": {"latency_ns": 1, "power_mw": 1}}, [math.log(50 * 1000), math.log(200 * 500)]),
        ({"product": {"bandwidth_gbps": -1, "power_mw": 2}}, [math.log(1000**2 / 4), math.log(500**2 / 16)]),
    ],
)
def test_costs_by_hand(spec, expected):
    goal = objective(spec)
    costs = goal.costs(rows([50, 1000, 4], [200, 500, 16]))
    assert costs.shape == (2, 1)
    np.testing.assert_allclose(costs[:, 0], expected, rtol=1e-14)
    assert np.array_equal(goal.scalar(costs), costs[:, 0])


def test_pareto_costs_labels_reference_and_scalar():
    goal = objective(
        {
            "pareto": ["latency_ns", {"maximize": "bandwidth_gbps"}],
            "reference": {"latency_ns": 300, "bandwidth_gbps": 1},
        }
    )
    assert (goal.k, goal.labels) == (2, ("latency_ns", "-bandwidth_gbps"))
    assert goal.reference.tolist() == [300.0, -1.0]
    costs = goal.costs(rows([50, 1, 4], [200, 1, 16]))
    assert costs.tolist() == [[50.0, -4.0], [200.0, -16.0]]
    # mean of ln(latency) and -ln(bandwidth): both trade a factor 4 of one for a factor 4 of the other, so they tie
    np.testing.assert_allclose(goal.scalar(costs), [math.log(50 / 4) / 2, math.log(200 / 16) / 2])
    goal.check(METRICS)


def test_pareto_scalar_does_not_depend_on_units():
    goal = objective("pareto")
    ev = rows([50, 1, 1, 1, 3e6], [40, 1, 1, 1, 5e6], [90, 1, 1, 1, 1e6])
    scaled = Evaluations.of(METRICS, ev.values * [1e3, 1, 1, 1, 1e-3, 1])
    order = [np.argsort(goal.scalar(goal.costs(each))).tolist() for each in (ev, scaled)]
    assert order[0] == order[1]
    assert order[0] == sorted(range(3), key=lambda i: ev.values[i, 0] * ev.values[i, 4])  # that of the product


def test_kinds_of_rows_rank_in_order():
    goal = objective(
        {"minimize": "latency_ns", "constraints": {"power_mw": {"max": 100}, "bandwidth_gbps": {"min": 2}}}
    )
    ev = rows([1e6, 100, 2], [1, 150, 2], [1, 110, 1], [1, 1, 9], status=["ok", "ok", "ok", "failed"])
    costs = goal.costs(ev)[:, 0]
    np.testing.assert_allclose(costs, [1e6, PENALTY * 1.5, PENALTY * 1.6, UNSCORED], rtol=1e-12)
    assert goal.rewards(ev)[0] > goal.rewards(ev)[1] > goal.rewards(ev)[2] > goal.rewards(ev)[3]
    assert goal.metrics == ("latency_ns", "power_mw", "bandwidth_gbps")


def test_every_column_of_an_infeasible_row_is_penalised():
    goal = objective({"pareto": ["latency_ns", "power_mw"], "constraints": {"bandwidth_gbps": {"min": 4}}})
    costs = goal.costs(rows([1, 1, 3], [5, 5, 5]))
    assert costs.tolist() == [[PENALTY * 1.25, PENALTY * 1.25], [5.0, 5.0]]
    assert goal.scalar(costs)[0] == PENALTY * 1.25


@given(
    st.lists(
        st.tuples(
            st.floats(1e-300, 1e300),
            st.floats(1e-300, 1e300),
            st.sampled_from(["ok", "infeasible", "failed", "timeout"]),
        ),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from([*objectives(), "constrained"]),
)
def test_costs_are_finite_and_kinds_never_overlap(table, name):
    spec = {"minimize": "latency_ns", "constraints": {"power_mw": {"max": 5}}} if name == "constrained" else name
    goal = objective(spec)
    ev = rows(*[[a, b, a, b, a] for a, b, _ in table], status=[s for *_, s in table])
    costs = goal.costs(ev)
    ranked, rewards = goal.scalar(costs), goal.rewards(ev)
    assert np.isfinite(costs).all()
    assert np.isfinite(ranked).all()
    assert np.isfinite(rewards).all()
    broken = ev.ok & ((ev["power_mw"] > 5) if name == "constrained" else np.zeros(len(ev), dtype=bool))
    fine = ev.ok & ~broken
    assert (costs[fine] < PENALTY).all()
    assert ((costs[broken] >= PENALTY) & (costs[broken] < UNSCORED)).all()
    assert (costs[~ev.ok] == UNSCORED).all()
    for better, worse in ((fine, broken), (fine, ~ev.ok), (broken, ~ev.ok)):
        if better.any() and worse.any():
            assert rewards[better].min() > rewards[worse].max()
            assert ranked[better].max() < ranked[worse].min()


@given(st.floats(0, 1e300), st.floats(0, 1e300))
def test_order_survives_the_squeeze_below_the_penalty_and_the_reward(a, b):
    goal = objective("low-latency")
    ev = rows([a], [b])
    cost, reward = goal.costs(ev)[:, 0], goal.rewards(ev)
    if a < b:
        assert cost[0] <= cost[1]
        assert reward[0] >= reward[1]
    if max(a, b) <= PENALTY / 2:
        assert cost.tolist() == [a, b]  # untouched where metrics live


def test_the_squeeze_keeps_distinct_what_a_float_can_tell_apart():
    cost = objective("low-latency").costs(rows([PENALTY / 2], [PENALTY], [1e13], [1e14]))[:, 0]
    assert (np.diff(cost) > 0).all()
    assert cost[-1] < PENALTY


def test_rewards_are_minus_the_logarithm():
    ev = rows([99, 1, 9, 8, 5])
    assert objective("low-latency").rewards(ev)[0] == pytest.approx(-math.log(100))
    assert objective("throughput").rewards(ev)[0] == pytest.approx(math.log(10))
    assert objective("edp").rewards(ev)[0] == pytest.approx(-math.log(40))
    assert objective("pareto").rewards(ev)[0] == pytest.approx(-math.log(99 * 5) / 2)


def test_both_asks_for_the_predecessor_s_targets():
    """1 W; and 0.1 ms for 10,000 reads, arriving every 1.25 ns, answered every 10 ns."""
    answered, arrived = 10.0 * np.arange(10_000), 1.25 * np.arange(10_000)
    targets = objectives()["both"]["meet"]
    assert targets["power_mw"] == 1e3
    assert targets["latency_ns"] == pytest.approx(np.mean(answered - arrived), rel=1e-3)


# -- published formulae -----------------------------------------------------------------------------------------------


def test_published_reward_is_the_source_code_s():
    # calculate_reward of the predecessor: 1 / |1 - P| with P in W; 0.1 / |0.1 - L| with L the total time (ms here)
    ev = rows([77, 1500, 1, 300_000], [77, 200, 1, 60_000])
    power, latency = [1 / 0.5, 1 / 0.8], [0.1 / 0.2, 0.1 / 0.04]
    np.testing.assert_allclose(objective("archgym-low-power").rewards(ev), power)
    np.testing.assert_allclose(objective("archgym-low-latency").rewards(ev), latency)
    np.testing.assert_allclose(objective("archgym-both").rewards(ev), np.multiply(power, latency))
    np.testing.assert_allclose(objective("archgym-both").costs(ev)[:, 0], -np.multiply(power, latency))


def test_published_reward_in_seconds_is_flat_as_published():
    # 50 to 450 us in seconds against a target of 0.1: 1.0005 to 1.0045
    goal = objective({"published": "low-latency", "latency_unit": "s"})
    np.testing.assert_allclose(goal.rewards(rows([1, 1, 1, 5e4], [1, 1, 1, 4.5e5])), [1.0005, 1.0045], atol=3e-5)


def test_published_reward_has_its_cap_and_its_targets():
    assert objective("archgym-low-power").rewards(rows([1, 1000], [1, 1000.5])).tolist() == [1000.0, 1000.0]
    goal = objective({"published": "low-power", "targets": {"power_w": 2}})
    assert goal.rewards(rows([1, 1000])).tolist() == [2.0]


def test_published_formula_punishes_beating_the_target_and_ours_does_not():
    at, better = rows([1, 1000]), rows([1, 100])
    assert objective("archgym-low-power").rewards(better) < objective("archgym-low-power").rewards(at)
    ours = objective({"meet": {"power_mw": 1000}})
    assert ours.rewards(better) == ours.rewards(at)


# -- hypervolume ------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=8))
def test_hypervolume_counts_dominated_unit_cubes(points):
    goal = objective({"pareto": ["latency_ns", "power_mw", "bandwidth_gbps"]})
    corner = 5
    cubes = itertools.product(range(corner), repeat=3)  # a unit cube is dominated if a point is at or below its corner
    expected = sum(any(all(p <= c for p, c in zip(point, cube)) for point in points) for cube in cubes)
    found = goal.hypervolume(np.array(points, dtype=float), [corner] * 3)
    assert found == pytest.approx(expected)


def test_hypervolume_needs_a_reference_and_several_costs():
    with pytest.raises(InvalidInput, match="needs a reference point with 2 values"):
        objective("pareto").hypervolume(np.ones((1, 2)))
    with pytest.raises(InvalidInput, match="has one cost"):
        objective("edp").hypervolume(np.ones((1, 1)), [2.0])
    goal = objective({"pareto": ["latency_ns", "power_mw"], "reference": {"latency_ns": 3, "power_mw": 3}})
    assert goal.hypervolume(np.array([[1.0, 2.0], [9.0, 0.0]])) == 2.0  # the second lies beyond the reference


# -- specifications ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", objectives())
def test_registered_objectives_come_back_from_their_spec(name):
    goal = objective(name)
    assert goal.name == name
    again = objective(json.loads(json.dumps(goal.spec)))
    assert (again.name, again.spec, again) == (name, goal.spec, goal)
    copy = pickle.loads(pickle.dumps(goal))
    assert copy == goal
    assert hash(copy) == hash(goal)
    assert objective(goal) is goal


def test_fingerprint_follows_what_is_computed_and_not_the_name():
    plain = objective("low-latency")
    assert objective({"minimize": "latency_ns", "name": "mine"}).fingerprint == plain.fingerprint
    assert objective({"sum": [{"minimize": "latency_ns"}]}) == objective(
        {"sum": [{"minimize": "latency_ns", "weight": 1}]}
    )
    others = [
        {"minimize": "power_mw"},
        {"maximize": "latency_ns"},
        {"minimize": "latency_ns", "constraints": {"power_mw": {"max": 1}}},
        {"minimize": "latency_ns", "constraints": {"power_mw": {"min": 1}}},
        {"pareto": ["latency_ns", "power_mw"]},
        {"pareto": ["power_mw", "latency_ns"]},
        {"product": {"latency_ns": 2}},
        {"product": {"latency_ns": 1}},
        {"published": "low-latency"},
        {"published": "low-latency", "latency_unit": "s"},
    ]
    prints = [plain.fingerprint, *(objective(spec).fingerprint for spec in others)]
    assert len(set(prints)) == len(prints)


def test_names_say_what_is_meant():
    assert (
        objective({"minimize": "latency_ns", "constraints": {"power_mw": {"max": 9}}}).name
        == "latency_ns, power_mw <= 9"
    )
    assert objective({"product": {"energy_pj": 1, "time_ns": 2}}).name == "ln(energy_pj * time_ns^2)"
    assert objective({"pareto": ["latency_ns", "power_mw"]}).name == "pareto(latency_ns, power_mw)"
    assert repr(objective("edp")).startswith("Objective('edp', {")


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        ("low-powr", UnknownName, "unknown objective 'low-powr'; did you mean 'low-power'?"),
        ({"minimise": "x"}, UnknownName, "unknown key of objective 'minimise'; did you mean 'minimize'?"),
        ({"sum": [{"minimize": "a", "wieght": 1}]}, UnknownName, r"objective.sum\[0\] 'wieght'; did you mean 'weight'"),
        ({"pareto": ["a", {"maximise": "b"}]}, UnknownName, r"pareto\[1\] 'maximise'; did you mean 'maximize'"),
        ({"minimize": "a", "constraints": {"b": {"mx": 1}}}, UnknownName, "constraints.b 'mx'; did you mean 'max'"),
        ({}, InvalidInput, "give exactly one of minimize, maximize, meet, sum, product, pareto, published; got none"),
        ({"minimize": "a", "maximize": "b"}, InvalidInput, "got minimize, maximize"),
        ({"sum": [{"weight": 1}]}, InvalidInput, r"objective.sum\[0\]: give exactly one of minimize, maximize, meet"),
        ({"pareto": ["a", {}]}, InvalidInput, r"objective.pareto\[1\]: give exactly one of minimize, maximize"),
        (3, InvalidInput, "objective must be a name or a mapping, got 3"),
        ({"minimize": 3}, InvalidInput, "objective.minimize: Input should be a valid string; got 3"),
        ({"minimize": ""}, InvalidInput, "objective.minimize: "),
        ({"pareto": []}, InvalidInput, "objective.pareto: List should have at least 2"),
        ({"pareto": ["a"]}, InvalidInput, "objective.pareto: List should have at least 2"),
        ({"pareto": ["a", {"maximize": "a"}]}, InvalidInput, "pareto names a metric twice: a, a"),
        ({"pareto": ["a", "b"], "reference": {"a": 1}}, InvalidInput, "reference must give one value for each of a, b"),
        ({"minimize": "a", "reference": {"a": 1}}, InvalidInput, "reference is only allowed with pareto"),
        ({"minimize": "a", "targets": {"power_w": 1}}, InvalidInput, "targets is only allowed with published"),
        ({"published": "power"}, InvalidInput, "published: Input should be 'low-power', 'low-latency' or 'both'"),
        ({"meet": {}}, InvalidInput, "objective.meet: "),
        ({"meet": {"a": 0}}, InvalidInput, "objective.meet.a: Input should be greater than 0; got 0"),
        ({"meet": {"a": float("nan")}}, InvalidInput, "objective.meet.a: "),
        ({"meet": {"a": float("inf")}}, InvalidInput, "objective.meet.a: Input should be a finite number; got inf"),
        ({"sum": []}, InvalidInput, "objective.sum: "),
        ({"sum": [{"minimize": "a", "weight": 0}]}, InvalidInput, r"sum\[0\].weight: Input should be greater than 0"),
        ({"sum": [{"minimize": "a", "weight": -1}]}, InvalidInput, r"objective.sum\[0\].weight: "),
        ({"sum": [{"minimize": "a", "scale": 0}]}, InvalidInput, r"objective.sum\[0\].scale: "),
        ({"sum": [{"meet": {"a": 1}, "scale": 2}]}, InvalidInput, "scale means nothing for meet"),
        ({"product": {"a": 0}}, InvalidInput, "an exponent of 0 takes its metric out of the product"),
        ({"product": {}}, InvalidInput, "objective.product: "),
        ({"minimize": "a", "constraints": {"b": {}}}, InvalidInput, "objective.constraints.b: give max, min or both"),
        ({"minimize": "a", "constraints": {"b": {"max": 1, "min": 2}}}, InvalidInput, "min 2 is above max 1"),
        ({"minimize": "a", "constraints": {}}, InvalidInput, "objective.constraints: "),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_in_one_line(spec, error, message):
    with pytest.raises(error, match=message) as caught:
        archgym.objective(spec)
    assert "\n" not in str(caught.value)


def test_a_simulator_without_the_metric_is_refused():
    with pytest.raises(UnknownName, match="unknown metric of objective low-power: 'power_mw'; did you mean 'power_w'"):
        objective("low-power").check([Metric("power_w", "W")])
    with pytest.raises(UnknownName, match="'area_mm2'"):
        objective({"minimize": "latency_ns", "constraints": {"area_mm2": {"max": 1}}}).check(METRICS)
    with pytest.raises(InvalidInput, match=r"bandwidth_gbps is better when large; write \{maximize: bandwidth_gbps\}"):
        objective({"pareto": ["latency_ns", "bandwidth_gbps"]}).check(METRICS)
    objective("edp").check(METRICS)
