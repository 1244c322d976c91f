"""From a point to metrics, and what becomes of points that have none."""

import numpy as np
import pytest
from rtl_points import ADDER, adder, point

from archgym.core import STATUSES
from archgym.errors import InvalidInput, UnknownName
from archgym.rtl.flow.cache import Cache
from archgym.rtl.flow.limits import Limits
from archgym.rtl.flow.mapped_once import forget
from archgym.rtl.flow.measure import measure, measure_one
from archgym.rtl.flow.point import METRICS, Point, Workload
from archgym.rtl.flow.results import Results
from archgym.rtl.tech.technology import technology


@pytest.fixture(scope="module")
def known():
    return Results()


@pytest.fixture(scope="module")
def fastest(tmp_path_factory, known):
    found = measure_one(point(tmp_path_factory.mktemp("fastest")), results=known)
    assert found.status == "ok", found.reason
    return found


def test_every_metric_is_there_and_they_agree_with_each_other(fastest):
    found = fastest.metrics
    assert set(found) == {metric.name for metric in METRICS}
    assert all(np.isfinite(list(found.values())))
    assert found["flops"] == 4 + 1 + 1  # sum and valid
    library = technology().library
    assert found["area_um2"] == pytest.approx(
        sum(library.cells[k].area_um2 * n for k, n in fastest.details["kinds"].items())
    )
    assert found["area_nand2"] == pytest.approx(found["area_um2"] / library.cells["NAND2_X1"].area_um2)
    assert found["clock_ns"] == found["critical_path_ns"] == pytest.approx(1e3 / found["frequency_mhz"])
    assert found["power_mw"] == pytest.approx(found["dynamic_mw"] + found["leakage_mw"])
    details = fastest.details
    parts = details["internal_mw"] + details["switching_mw"] + details["input_nets_mw"]
    assert found["dynamic_mw"] == pytest.approx(parts)
    assert found["macs_per_cycle"] == pytest.approx(1.0)
    assert found["throughput_gops"] == pytest.approx(2e-3 * found["frequency_mhz"])
    # Filling and draining cost energy, too: a little more than a cycle's energy for each MAC.
    cycle_pj = found["power_mw"] / found["frequency_mhz"] * 1e3
    assert 1.0 < found["energy_per_mac_pj"] / cycle_pj < 1.1
    assert found["tops_per_w"] == pytest.approx(found["throughput_gops"] / found["power_mw"])
    assert found["tops_per_mm2"] == pytest.approx(found["throughput_gops"] * 1e3 / found["area_um2"])
    assert found["tops_per_w_mm2"] == pytest.approx(found["tops_per_w"] / (found["area_um2"] * 1e-6))


def test_the_search_keeps_the_smallest_of_the_fastest(fastest):
    tried = fastest.details["tried"]
    near = 1.02 * min(each["critical_path_ns"] for each in tried)
    assert len(tried) > 1
    assert fastest.metrics["critical_path_ns"] <= near
    assert fastest.metrics["area_um2"] == min(each["area_um2"] for each in tried if each["critical_path_ns"] <= near)


def test_a_stated_clock_closes_with_the_smallest_netlist(tmp_path, fastest, known):
    loose = measure_one(point(tmp_path, clock_ns=5.0), results=known)
    assert (loose.status, loose.metrics["clock_ns"], loose.metrics["frequency_mhz"]) == ("ok", 5.0, 200.0)
    closed = [each["area_um2"] for each in loose.details["tried"] if each["critical_path_ns"] <= 5.0]
    assert loose.metrics["area_um2"] == min(closed) <= fastest.metrics["area_um2"]
    assert loose.metrics["power_mw"] < fastest.metrics["power_mw"]


def test_a_clock_that_nothing_closes_is_infeasible_and_says_what_would(tmp_path, fastest, known):
    found = measure_one(point(tmp_path, clock_ns=0.05), results=known)
    assert found.status == "infeasible"
    assert found.reason.startswith("timing: 0.05 ns is too short, the shortest that closes is ")
    assert float(found.reason.split()[-2]) == pytest.approx(fastest.metrics["critical_path_ns"], rel=0.1)
    assert np.isnan(found.values(["area_um2"])).all()


def test_power_at_another_frequency_scales_and_too_high_a_one_is_infeasible(tmp_path, fastest, known):
    half = measure_one(point(tmp_path, frequency_mhz=fastest.metrics["frequency_mhz"] / 2), results=known)
    assert half.metrics["dynamic_mw"] == pytest.approx(fastest.metrics["dynamic_mw"] / 2)
    assert half.metrics["leakage_mw"] == pytest.approx(fastest.metrics["leakage_mw"])
    above = measure_one(point(tmp_path, frequency_mhz=1e6), results=known)
    assert above.status == "infeasible"
    assert "MHz is above the" in above.reason


def test_quiet_operands_take_less_power(tmp_path, fastest, known):
    still = Workload("zeros", lambda _rng, shape, _width: np.zeros(shape, dtype=np.int64))
    found = measure_one(point(tmp_path, workload=still), results=known)
    assert found.metrics["dynamic_mw"] < 0.8 * fastest.metrics["dynamic_mw"]
    assert found.metrics["area_um2"] == fastest.metrics["area_um2"]


def test_glitches_add_to_dynamic_power_alone(tmp_path, fastest, known):
    found = measure_one(point(tmp_path, glitches=False), results=known)
    assert found.details["glitch_factor"] == 1.0 < fastest.details["glitch_factor"]
    assert found.metrics["dynamic_mw"] < fastest.metrics["dynamic_mw"]
    settled = fastest.details["zero_delay"]
    parts = settled["internal_mw"] + settled["switching_mw"] + settled["input_nets_mw"]
    assert found.metrics["dynamic_mw"] == pytest.approx(parts)
    assert found.metrics["area_um2"] == fastest.metrics["area_um2"]


def test_given_streams_are_what_is_simulated(tmp_path, known):
    streams = tuple({"a_i": np.arange(9) % 16, "b_i": np.full(9, 3)} for _ in range(2))
    found = measure_one(point(tmp_path, workload=Workload("mine", streams=streams)), results=known)
    assert (found.status, found.details["beats"]) == ("ok", 18)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("a_i + b_i;", "a_i + b_i + (a_i == 3);", "disagrees with the golden model: stimulus"),
        ("assign out_valid_o = valid_q;", "assign out_valid_o = 1'b0;", "no beat moved"),
        (
            "assign in_ready_o  = ~valid_q | out_ready_i;",
            "assign in_ready_o  = 1'b1;",
            "disagrees with the golden model",
        ),
        ("a_i + b_i;", "a_i + b_i", "adder.sv:"),
        ("assign sum_o       = sum_q;", "assign sum_o = sum_o & {5{a_i[0]}} | sum_q;", "combinational loop"),
        ("module adder #(", "module addr #(", "'adder' is not a valid top-level module"),
    ],
    ids=["function", "hang", "handshake", "syntax", "loop", "top"],
)
def test_what_is_wrong_fails_and_is_never_scored(tmp_path, known, old, new, words):
    assert old in ADDER
    found = measure_one(point(tmp_path, ADDER.replace(old, new, 1)), results=known)
    assert found.status == "failed"
    assert words in found.reason
    assert found.metrics == {}


def test_what_the_block_refuses_is_infeasible_without_a_run(tmp_path):
    found = measure_one(Point(adder(tmp_path), {"W": 9}), limits=Limits(seconds=1e-9))
    assert (found.status, found.reason) == ("infeasible", "W must be at most 8, got 9")


def test_a_limit_is_a_status_and_is_forgotten(tmp_path):
    forget()
    results = Results()
    one = point(tmp_path)
    late = measure_one(one, limits=Limits(seconds=1e-3), results=results)
    assert late.status == "timeout"
    assert measure_one(one, results=results).status == "ok"


def test_many_points_at_once_give_what_one_after_the_other_gives(tmp_path):
    block = adder(tmp_path)
    points = [Point(block, {"W": width}, effort="quick") for width in (2, 3, 4, 9)]
    together = measure(points, workers=3, results=Results())
    alone = measure(points, workers=1, results=Results())
    assert [each.status for each in together] == ["ok", "ok", "ok", "infeasible"]
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_equal(dict(one.metrics), dict(other.metrics))
    assert {each.status for each in together} <= set(STATUSES)


def test_results_are_kept_on_disk_and_found_again(tmp_path, monkeypatch):
    monkeypatch.setenv("ARCHGYM_CACHE", str(tmp_path / "cache"))
    one = point(tmp_path, effort="quick")
    first = measure_one(one, results=Results(Cache("points")))
    monkeypatch.setattr("archgym.rtl.flow.measure.Search", None)  # a second run would fail
    again = measure_one(one, results=Results(Cache("points")))
    np.testing.assert_equal(dict(again.metrics), dict(first.metrics))
    assert again.details["recipe"] == first.details["recipe"]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"effort": "most"}, UnknownName, "unknown effort 'most'"),
        ({"clock_ns": 0.0}, InvalidInput, "clock_ns = 0.0; it must be above 0"),
        ({"frequency_mhz": -1.0}, InvalidInput, "frequency_mhz = -1.0; it must be above 0"),
        ({"parameters": {"W": 4, "V": 1}}, UnknownName, "unknown parameter of adder 'V'"),
        ({"parameters": {}}, InvalidInput, "adder needs a value of W"),
    ],
)
def test_points_that_mean_nothing_are_refused(tmp_path, options, error, message):
    given = {"parameters": {"W": 4}, **options}
    with pytest.raises(error, match=message):
        Point(adder(tmp_path), **given)


def test_a_workload_has_beats():
    with pytest.raises(InvalidInput, match="has 0 beats"):
        Workload(beats=0)


def test_points_that_differ_in_their_clock_share_their_netlists(tmp_path):
    forget()
    first, second, third = (
        measure_one(point(tmp_path, clock_ns=clock), results=Results()) for clock in (4.0, 5.0, 4.0)
    )
    assert first.details["synthesis_cpu_s"] > 0
    assert second.details["synthesis_cpu_s"] == third.details["synthesis_cpu_s"] == 0
    np.testing.assert_equal(dict(third.metrics), dict(first.metrics))
