"""The report's statistics against closed forms and hand-sized examples."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from archgym.core import Evaluations, Metric
from archgym.objectives import objective
from archgym.report.checks import Checks
from archgym.report.importance import importance
from archgym.report.reference import attach_hypervolume
from archgym.report.scale import make_scale
from archgym.report.stats import bootstrap_median, mean_ranks, quantile, spread, win_share
from archgym.report.trials import Candidates, Curve, TrialData, merge
from archgym.report.units import count, duration, metric_title, number, percent, unit_for
from archgym.space import DesignSpace, Parameter

INF = math.inf
METRICS = (
    Metric("latency_ns", "ns"),
    Metric("energy_pj", "pJ"),
    Metric("power_mw", "mW"),
    Metric("time_ns", "ns"),
    Metric("bandwidth_gbps", "GB/s", "maximize"),
)


def test_quantiles_interpolate_and_keep_infinity():
    assert quantile(np.array([4.0, 1.0, 3.0, 2.0]), 0.5) == 2.5
    assert quantile(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), 0.25) == 2.0
    assert quantile(np.array([1.0, INF, INF]), 0.5) == INF
    assert quantile(np.array([1.0, 2.0, INF]), 0.5) == 2.0  # no infinity leaks into an exact position
    table = np.array([[1.0, 5.0], [3.0, INF]])
    assert quantile(table, 0.5).tolist() == [2.0, INF]


def exact_interval(values, level=0.95):
    """Percentile interval over every one of the n^n resamples."""
    medians = np.sort([np.median(sample) for sample in itertools.product(values, repeat=len(values))])
    tail = (1 - level) / 2
    return medians[int(tail * len(medians))], medians[int((1 - tail) * len(medians))]


@pytest.mark.parametrize(
    "values", [[1.0, 2.0, 10.0], [3.0, 1.0, 4.0, 1.5, 9.0], [2.0, 2.0, 2.0], [1.0, 2.0, 3.0, 8.0, 9.0]]
)
def test_bootstrap_interval_is_that_of_all_resamples(values):
    assert bootstrap_median(np.array(values)) == exact_interval(values)


def test_bootstrap_interval_of_nine_seeds_by_the_binomial_law():
    # P(median* <= x_k) = P(Bin(9, k/9) >= 5): 0.0014 for k=1, 0.027 for k=2 -> 2.5 % falls on x_2; by symmetry x_8.
    law = [sum(math.comb(9, j) * (k / 9) ** j * (1 - k / 9) ** (9 - j) for j in range(5, 10)) for k in (1, 2)]
    assert law[0] < 0.025 < law[1]
    assert bootstrap_median(np.arange(1.0, 10.0), level=0.95) == (2.0, 8.0)


def test_one_seed_has_no_interval():
    found = spread([5.0])
    assert (found.n, found.median, found.q25, found.q75, found.interval) == (1, 5.0, 5.0, 5.0, None)


def test_win_share_counts_ties_half():
    assert win_share([1.0, 3.0], [2.0, 3.0]) == (1 + 1 + 0 + 0.5) / 4
    assert win_share([1.0], [1.0]) == 0.5


def test_mean_ranks_share_ties_and_skip_gaps():
    table = np.array([[1.0, 2.0], [1.0, np.nan], [5.0, 1.0]])
    assert mean_ranks(table).tolist() == [(1.5 + 2) / 2, 1.5, (3 + 1) / 2]


def test_curve_keeps_improvements_only():
    curve = Curve.of(np.array([INF, 9.0, 9.0, 7.0, 8.0, 3.0]))
    assert (curve.at.tolist(), curve.cost.tolist(), curve.final) == ([2, 4, 6], [9.0, 7.0, 3.0], 3.0)
    assert curve.sample(np.array([1, 2, 3, 4, 5, 6, 99])).tolist() == [INF, 9, 9, 7, 7, 3, 3]
    assert [curve.reached(cost) for cost in (9.5, 7.0, 6.0, 2.0)] == [2, 4, 6, INF]
    assert Curve.of(np.zeros(0)).final == INF


def scale_of(spec):
    goal = objective(spec)
    return make_scale(goal.spec, goal.labels, METRICS)


def test_regret_is_relative_for_metrics_and_products_and_plain_for_targets():
    assert scale_of("low-latency").regret(55.0, 50.0) == pytest.approx(0.1)
    assert scale_of("throughput").regret(-9.0, -10.0) == pytest.approx(0.1)  # 9 GB/s where 10 are possible
    assert scale_of("edp").regret(np.log(6.0), np.log(5.0)) == pytest.approx(0.2)
    assert scale_of("both").regret(0.25, 0.0) == 0.25
    assert scale_of("low-latency").regret(INF, 50.0) == INF
    assert scale_of("edp").regret(INF, 50.0) == INF  # not a large number: figures leave out what is infinite
    assert scale_of("low-latency").regret(50.0 * (1 + 1e-12), 50.0) == 0  # rounding
    assert scale_of("low-latency").regret(49.0, 50.0) < 0  # left for the caller to flag


@pytest.mark.parametrize(("spec", "best"), [("low-latency", 50.0), ("throughput", -8.0), ("edp", 3.0), ("pareto", 0.0)])
def test_within_is_the_cost_whose_regret_is_the_fraction(spec, best):
    scale = scale_of(spec)
    assert scale.regret(scale.within(best, 0.01), best) == pytest.approx(0.01)


def test_costs_are_shown_as_metrics_in_fitting_units():
    assert scale_of("low-latency").fitted(20_830.0).text(20_830.0) == "20.83 µs"
    assert scale_of("throughput").fitted(-12.5).text(-12.5) == "12.50 GB/s"
    assert scale_of("low-energy").fitted(2.6e8).text(2.6e8) == "260.0 µJ"
    assert scale_of("edp").fitted(np.log(8e12)).text(np.log(8e12)) == "8.000 10¹² pJ·ns"
    assert scale_of("low-latency").text(INF) == "none feasible"


def test_numbers_for_people():
    assert [number(x) for x in (0.0, 1234.567, 0.012345, 123456.0, 2.5e12, math.nan)] == [
        "0", "1,235", "0.01235", "123,456", "2.500 × 10¹²", "–",
    ]  # fmt: skip
    assert [percent(x) for x in (0.0, 0.012345, 0.00001, 1.5, INF)] == ["0 %", "1.2 %", "< 0.01 %", "150 %", "none"]
    assert [count(x) for x in (1234.0, 12.5, INF)] == ["1,234", "12.5", "none"]
    assert [duration(x) for x in (0.0002, 0.5, 90.0, 600.0, 7200.0)] == [
        "200 µs",
        "500 ms",
        "90.0 s",
        "10.0 min",
        "2.00 h",
    ]
    assert [metric_title(m) for m in METRICS] == ["latency", "energy", "power", "time", "bandwidth"]
    assert (unit_for("mW", 250_000.0).text, unit_for("mW", 250_000.0).factor) == ("W", pytest.approx(1e-3))
    assert unit_for("ns", 12.0).text == "ns"


def test_units_and_titles_of_what_is_taken_per_something():
    shown = unit_for("pJ/token", 6.0e10)
    assert (shown.text, shown.factor) == ("mJ/token", pytest.approx(1e-9))
    assert unit_for("GB/s", 25e3).text == "TB/s"
    assert unit_for("tokens/s", 58e3).text == "tokens/s"  # the s of tokens is no second
    per = Metric("energy_pj_per_token", "pJ/token"), Metric("energy_pj_per_token", "pJ"), Metric("time_ns_per_s", "ns")
    assert [metric_title(m) for m in per] == ["energy per token", "energy per token", "time per s"]
    assert metric_title(Metric("tokens_per_s_per_mm2", "tokens/s/mm2")) == "tokens per s per mm2"
    assert unit_for("furlongs", 12345.0).text == "furlongs"


def candidates(costs, scalar=None):
    costs = np.array(costs, dtype=float)
    scalar = costs.mean(axis=1) if scalar is None else np.array(scalar, dtype=float)
    return Candidates(np.arange(len(costs), dtype=np.int32)[:, None], costs, scalar, costs)


def test_merge_drops_repeats_and_sorts():
    a, b = candidates([[3.0], [1.0]]), candidates([[3.0], [1.0], [2.0]])
    found = merge([a, b])
    assert found.scalar.tolist() == [1.0, 2.0, 3.0]
    assert found.designs[:, 0].tolist() == [1, 2, 0]


def test_hypervolume_share_of_a_front_worked_out_by_hand():
    # Reference (4, 4). Front (1, 3), (2, 2), (3, 1): staircase of unit squares 1 x 1 + 1 x 2 + 1 x 3 = 6.
    goal = objective({"pareto": ["latency_ns", "energy_pj"], "reference": {"latency_ns": 4, "energy_pj": 4}})
    best = candidates([[1, 3], [2, 2], [3, 1]])
    trial = TrialData(
        None, 9, Curve.of(np.zeros(0)), best, candidates([[3, 3], [2, 2], [1, 3]]), np.array([1, 4, 9]), best
    )
    assert attach_hypervolume([trial], goal, best).tolist() == [4, 4]
    # (3,3) covers 1; (2,2) covers 4; with (1,3) 5: what is missing of 6.
    assert trial.curve.at.tolist() == [1, 4, 9]
    assert trial.curve.cost == pytest.approx([5 / 6, 2 / 6, 1 / 6])


def test_without_a_stated_reference_the_ends_of_the_front_count():
    goal = objective("pareto")
    reference = attach_hypervolume([], goal, candidates([[1, 30], [2, 10]]))
    assert reference == pytest.approx([2.1, 32.0])  # worst of each and a tenth of the extent


def test_checks_find_what_contradicts_itself():
    names = ("energy_pj", "energy_read_pj", "energy_write_pj", "power_mw", "time_ns")
    metrics = [Metric(name, "") for name in names]
    checks = Checks()
    checks.see(Evaluations.of(metrics, np.array([[6.0, 4.0, 2.0, 3.0, 2.0], [6.0, 4.0, 1.0, 3.0, 2.5]])))
    assert {check.rule: (check.rows, check.broken) for check in checks.results} == {
        "every metric is a finite number": (2, 0),
        "times, energies, powers, bandwidths and areas are not negative": (10, 0),
        "energy = average power × time": (2, 1),
        "energy = sum of its components": (2, 1),
    }


def test_checks_order_percentiles():
    metrics = [Metric(f"latency_{step}_ns", "ns") for step in ("p50", "p95", "p99", "max")]
    checks = Checks()
    checks.see(Evaluations.of(metrics, np.array([[1.0, 2.0, 2.0, 9.0], [1.0, 3.0, 2.0, 9.0]])))
    assert ("latency p50 ≤ p95 ≤ p99 ≤ max", 2, 1) in [(c.rule, c.rows, c.broken) for c in checks.results]


def test_importance_finds_the_parameter_that_decides():
    space = DesignSpace([
        Parameter("idle", ("x", "y", "z")),
        Parameter("some", tuple(range(4)), "ordinal"),
        Parameter("most", tuple(range(8)), "ordinal"),
        Parameter("fixed", ("only",)),
    ])  # fmt: skip
    designs = np.concatenate(list(space.enumerate()))
    cost = 10.0 * designs[:, 2] + 1.0 * designs[:, 1]
    found = importance(space, Candidates(designs, cost[:, None], cost, cost[:, None]), uniform=True)
    by_name = {effect.name: effect for effect in found.effects}
    assert [effect.name for effect in found.effects[:2]] == ["most", "some"]
    assert by_name["idle"].importance == pytest.approx(0, abs=1e-6)
    assert by_name["fixed"].importance == 0
    assert (by_name["most"].favourite, by_name["most"].share_all) == (0, 0.125)
    assert importance(space, Candidates(designs, cost[:, None], 0 * cost, cost[:, None]), uniform=True) is None
    few = np.arange(20)
    assert importance(space, Candidates(designs, cost[:, None], cost, cost[:, None]).take(few), uniform=True) is None
