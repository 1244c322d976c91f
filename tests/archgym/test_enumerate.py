"""A sweep's summary is what brute force says; it resumes after a kill; later runs answer from it."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import numpy as np
import pytest
from run_helpers import results, wait_for, write

from archgym import catalog
from archgym.enumerate_space import chunk_count, collapse, enumerate_space, flat_index
from archgym.errors import InvalidInput, StoreError
from archgym.runner import run_experiment
from archgym.store import open_run

# The toy's closed form over all 200 designs, written out once more.
EVERY = [(a, b, mode) for a in range(10) for b in range(10) for mode in ("on", "off")]
LATENCY = np.array([99.0 if mode == "off" else 10.0 + (a - 3) ** 2 + (b - 6) ** 2 for a, b, mode in EVERY])
POWER = np.array([100.0 + 10 * a for a, _, _ in EVERY])


def test_flat_index_agrees_with_the_space(toy):
    space = catalog.simulator("toy").space
    designs = space.sample(50, np.random.default_rng(1))
    assert flat_index(space, designs).tolist() == space.to_index(designs)


@pytest.mark.parametrize(("chunk", "expected"), [(1, 200), (9, 200), (10, 20), (99, 20), (100, 2), (200, 1), (999, 1)])
def test_chunks_hold_every_combination_of_the_leading_parameters(toy, chunk, expected):
    space = catalog.simulator("toy").space  # 10 x 10 x 2
    count = chunk_count(space, chunk)
    assert count == expected
    every = sorted(index for first in range(count) for index in range(first, space.size, count))
    assert every == list(range(200))


def test_collapse_counts_every_design_once(toy):
    found = collapse(catalog.simulator("toy"))
    assert found.feasible == 200
    assert len(found.representatives) == 100 + 10  # with mode "off", b is dead
    assert sorted(found.multiplicity.tolist()) == [1] * 100 + [10] * 10


def test_the_summary_is_what_brute_force_says(toy):
    (path,) = enumerate_space("toy", {}, ["plain"], toy / "sweep", workers=2, chunk=10)
    summary = json.loads(path.read_text(encoding="utf-8"))
    assert path == toy / "sweep" / "plain.json"
    assert (summary["format"], summary["simulator"], summary["version"]) == (1, "toy", "1")
    assert (summary["size"], summary["feasible"], summary["distinct"]) == (200, 200, 110)
    latency, power = summary["objectives"]["low-latency"], summary["objectives"]["low-power"]
    assert (latency["optimum_cost"], latency["n_optimal"]) == (10.0, 1)
    assert latency["optimum"] == {"a": 3, "b": 6, "mode": "on"}
    assert (power["optimum_cost"], power["n_optimal"]) == (100.0, int((POWER == 100).sum()))
    # top 100 distinct designs: 100 with mode "on" (at most 10 + 36 + 36 = 82 ns) come before the ten at 99 ns
    assert [each["cost"] for each in latency["top"]] == sorted(LATENCY[LATENCY < 99])
    for each in latency["top"]:
        row = EVERY.index(tuple(each["design"].values()))
        assert each["metrics"] == {"latency_ns": LATENCY[row], "power_mw": POWER[row]}
    for metric, values in (("latency_ns", LATENCY), ("power_mw", POWER)):
        for share, value in summary["quantiles"][metric].items():
            # smallest value that at least this share of the 200 designs does not exceed, by sorting all of them
            rank = max(int(np.ceil(round(float(share) * 200, 9))), 1)
            assert value == np.sort(values)[rank - 1], (metric, share)


def test_pareto_front_is_what_brute_force_says(toy):
    from archgym.enumerate_summary import pareto_part
    from archgym.objectives import objective

    simulator = catalog.simulator("toy")
    designs = simulator.space.from_index(range(200))
    goal = objective({"pareto": ["latency_ns", "power_mw"]})
    found = pareto_part(simulator, goal, designs, simulator.simulate(designs, "plain"))
    expected = {
        (x, y)
        for x, y in zip(LATENCY, POWER)
        if not any((u <= x and v <= y and (u, v) != (x, y)) for u, v in zip(LATENCY, POWER))
    }
    assert {tuple(each["cost"]) for each in found["pareto"]} == expected


def test_a_killed_sweep_goes_on_and_ends_the_same(toy):
    whole = enumerate_space("toy", {"delay_s": 0.0}, ["plain", "double"], toy / "whole", workers=1)
    process = subprocess.Popen(
        [sys.executable, "-m", "archgym", "enumerate", "toy", "-o", "delay_s=0.02", "-w", "plain", "-w", "double",
         "--out", "sweep", "--workers", "1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip

    def kept() -> int:
        path = toy / "sweep" / "enumeration.sqlite"
        if not path.is_file():
            return 0
        with closing(sqlite3.connect(path, timeout=30)) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'evaluations'").fetchone():
                return 0
            return connection.execute("SELECT COUNT(*) FROM evaluations").fetchone()[0]

    wait_for(lambda: kept() >= 64)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert 64 <= kept() < 220
    again = enumerate_space("toy", {"delay_s": 0.02}, ["plain", "double"], toy / "sweep", workers=1)
    for one, other in zip(whole, again, strict=True):
        first, second = (json.loads(path.read_text(encoding="utf-8")) for path in (one, other))
        assert first.pop("options") != second.pop("options")
        assert first == second


def test_a_run_answered_by_a_sweep_is_the_same_and_simulates_nothing(toy):
    enumerate_space("toy", {}, ["plain"], toy / "sweep", workers=1)
    path = write(toy, budget=30, agents=["hill-climb"], workloads=["plain", "double"])
    run_experiment(path, toy / "simulated", workers=1)
    run_experiment(path, toy / "answered", workers=1, reuse=[toy / "sweep"])
    assert results(toy / "simulated") == results(toy / "answered")
    with closing(open_run(toy / "answered")) as run:
        simulated = {(trial.workload, trial.seed): trial.simulated for trial in run.trials}
        assert simulated["plain", 0] == simulated["plain", 1] == 0
        assert simulated["double", 0] == 30  # the sweep knows nothing of that workload
    (toy / "sweep" / "enumeration.sqlite").unlink()
    assert results(toy / "simulated") == results(toy / "answered")  # the run stands alone


def test_a_store_that_can_answer_nothing_is_refused(toy):
    enumerate_space("toy", {"trouble": "raise"}, ["plain"], toy / "sweep", workers=1)
    with pytest.raises(StoreError, match=r"sweep: holds nothing of simulator 'toy' version 1 with these options"):
        run_experiment(write(toy), reuse=[toy / "sweep"])
    with pytest.raises(StoreError, match=r"nowhere: no stored evaluations"):
        run_experiment(write(toy), reuse=[toy / "nowhere"])


def test_a_directory_of_another_sweep_is_refused(toy):
    enumerate_space("toy", {}, ["plain"], toy / "sweep", workers=1)
    with pytest.raises(StoreError, match=r"holds an enumeration of .*choose another directory with --out"):
        enumerate_space("toy", {"trouble": "raise"}, ["plain"], toy / "sweep", workers=1)


def test_a_space_too_large_to_count_is_refused(toy):
    simulator = catalog.simulator("toy")
    many = [type(simulator.space.parameters[0])(f"p{i}", tuple(range(10)), "ordinal") for i in range(10)]
    simulator.space = type(simulator.space)(many)
    with pytest.raises(InvalidInput, match=r"10,000,000,000 designs; at most 1,073,741,824 can be enumerated"):
        collapse(simulator)
