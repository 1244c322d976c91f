"""The shipped sweeps say what the simulator says today, to the last bit, and nothing beats their optima."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import archgym
from archgym.sims.dram.simulator import DramController

DATA = Path(str(archgym.__file__)).parent / "sims" / "dram" / "data" / "enumerated" / "archgym-rl"
WORKLOADS = sorted(path.stem for path in DATA.glob("*.json"))


@pytest.fixture(scope="module")
def simulator() -> DramController:
    return DramController(space="archgym-rl")


def test_the_published_workloads_are_enumerated() -> None:
    assert {"stream", "random", "cloud-1", "cloud-2"} <= set(WORKLOADS)


@pytest.mark.parametrize("workload", WORKLOADS)
def test_the_sweep_belongs_to_this_version(simulator: DramController, workload: str) -> None:
    summary = simulator.enumeration(workload)
    assert summary is not None, f"sweep {workload} again: archgym enumerate dram -o space=archgym-rl -w {workload}"
    assert summary["size"] == summary["feasible"] == summary["scored"] == 442_368


@pytest.mark.parametrize("workload", WORKLOADS)
def test_top_designs_score_the_same_today(simulator: DramController, workload: str) -> None:
    summary = simulator.enumeration(workload)
    assert summary is not None
    for name in ("low-power", "low-latency", "edp"):
        top = summary["objectives"][name]["top"][:5]
        today = simulator.simulate(simulator.space.encode([entry["design"] for entry in top]), workload)
        assert [today.as_dict(row) for row in range(len(top))] == [entry["metrics"] for entry in top]
        assert archgym.objective(name).scalar(archgym.objective(name).costs(today)).tolist() == [
            entry["cost"] for entry in top
        ]


@pytest.mark.parametrize("workload", WORKLOADS)
def test_no_random_design_beats_the_optimum(simulator: DramController, workload: str) -> None:
    summary = simulator.enumeration(workload)
    assert summary is not None
    sample = simulator.simulate(simulator.space.sample(40, np.random.default_rng(2)), workload)
    for name, entry in summary["objectives"].items():
        goal = archgym.objective(name)
        if goal.k == 1:
            assert goal.scalar(goal.costs(sample)).min() >= entry["optimum_cost"], name


def test_another_set_up_has_no_sweep() -> None:
    assert DramController(space="archgym-rl", ranks=2).enumeration("stream") is None
    assert DramController(space="archgym-aco").enumeration("stream") is None
