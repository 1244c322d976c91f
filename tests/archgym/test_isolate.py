"""A simulator in a process of its own gives the same numbers; what hangs or dies is blamed on the right design."""

from __future__ import annotations

import time

import numpy as np
import pytest

from archgym import catalog
from archgym.errors import InvalidInput, StoreError
from archgym.isolate import Isolated


@pytest.fixture
def isolated(toy):
    """Build isolated toys; their processes end with the test."""
    made = []

    def build(timeout_s=20.0, **options):
        made.append(Isolated(catalog.simulator("toy", **options), "toy", options, {}, timeout_s))
        return made[-1]

    yield build
    for each in made:
        each.close()


def rows(*a_values):
    return np.array([[a, 6, 0] for a in a_values], dtype=np.int32)


def test_numbers_and_description_are_the_simulator_s_own(isolated):
    simulator, plain = isolated(), catalog.simulator("toy")
    designs = plain.space.sample(40, np.random.default_rng(0))
    assert np.array_equal(simulator.simulate(designs, "double").values, plain.simulate(designs, "double").values)
    assert np.array_equal(simulator.canonical(designs), plain.canonical(designs))
    assert simulator.workload_fingerprint("plain") == "plain-1"
    assert simulator.simulate(designs[:0], "plain").values.shape == (0, 2)


def test_what_the_simulator_refuses_is_refused(isolated):
    with pytest.raises(InvalidInput, match="toy knows no workload 'other'"):
        isolated().simulate(rows(1), "other")


def test_hangs_cost_a_batch_twice_the_limit_and_blame_one_design(isolated):
    simulator = isolated(timeout_s=0.4, trouble="hang")
    simulator.simulate(rows(0), "double")  # started
    began = time.monotonic()
    found = simulator.simulate(rows(1, 2, 7, 3, 4), "double")
    assert time.monotonic() - began < 15  # two restarts of the child, not seven
    assert found.status.tolist() == ["ok", "ok", "timeout", "ok", "ok"]
    assert found["latency_ns"].tolist()[:2] == [2 * (10 + 4), 2 * (10 + 1)]
    assert found.reasons[2] == "no answer within 0.4 s"


def test_batches_of_a_slow_simulator_are_cut_to_the_limit(isolated):
    simulator = isolated(timeout_s=1.0, delay_s=0.15)
    found = simulator.simulate(rows(*range(9)), "plain")
    assert found.ok.all()  # no design is too slow, only nine of them together
    assert simulator._chunk < 9
    assert simulator.simulate(rows(*range(9)), "plain").ok.all()


def test_a_simulator_that_cannot_be_built_there_says_why(toy):
    simulator = Isolated(catalog.simulator("toy"), "toy", {"delay": 1}, {}, 5.0)
    with pytest.raises(StoreError, match=r"simulator 'toy' in a process of its own: UnknownName: .*delay_s"):
        simulator.simulate(rows(1), "plain")
