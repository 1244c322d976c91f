"""The conformance suite: sound simulators pass; for each rule, one that breaks it and nothing before it is caught."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from cache_toy import Toy
from small import DESIGNS, SMALL

from archgym import catalog
from archgym.core import Evaluations, Metric
from archgym.errors import ArchGymError
from archgym.space import DesignSpace, Parameter
from archgym.testing import check_simulator


class Sparing(Toy):
    """Does not score what is large, and says so: allowed."""

    def simulate(self, designs, workload):
        found = super().simulate(designs, workload)
        large = designs[:, 3] == 4
        status = np.where(large, "infeasible", "ok")
        return Evaluations.of(found.metrics, found.values, status, ["too large" if each else "" for each in large])


class Demanding(Toy):
    """Scores three designs in 120, one in 40."""

    def simulate(self, designs, workload):
        found = super().simulate(designs, workload)
        enough = (designs[:, 0] == 3) & (designs[:, 3] == 3) & (designs[:, 2] == 1)
        status = np.where(enough, "ok", "infeasible")
        return Evaluations.of(found.metrics, found.values, status, ["" if each else "too small" for each in enough])


def test_one_design_in_forty_is_enough():
    check_simulator(Demanding(), designs=2)


@pytest.mark.parametrize("simulator", [Toy, Sparing])
@pytest.mark.parametrize("workload", [None, "v"])
def test_a_sound_simulator_passes(simulator, workload):
    check_simulator(simulator(), workload)


def renamed(name, unit):
    metrics = (Metric(name, unit), *Toy.metrics[1:])

    def simulate(self, designs, workload):
        return Evaluations.of(metrics, Toy.simulate(self, designs, workload).values)

    return {"metrics": metrics, "simulate": simulate}


def answering(change):
    """A simulator whose answer is `change(self, designs, answer)` of the sound one."""

    def simulate(self, designs, workload):
        return change(self, designs, Toy.simulate(self, designs, workload))

    return {"simulate": simulate}


def scribble(self, designs, workload):
    found = Toy.simulate(self, designs, workload)
    designs[:, 0] = 0
    return found


def drifting(self, designs, found):
    self.drift = getattr(self, "drift", 0.0) + 1e-9
    return Evaluations.of(found.metrics, found.values + self.drift)


def normalised(self, designs, found):
    return Evaluations.of(found.metrics, found.values - found.values.min(axis=0) * (len(designs) > 1))


def remembered(self, designs, found):
    """Answers a batch it has seen from memory, whatever its order."""
    key = frozenset(map(bytes, designs))
    self.memory = getattr(self, "memory", {})
    return self.memory.setdefault(key, found)


def tangled(self, designs, found):
    """Goes wrong when two calls overlap."""
    self.gate = getattr(self, "gate", None) or threading.Barrier(2)
    if threading.current_thread() is threading.main_thread():
        return found
    try:
        self.gate.wait(5)
    except threading.BrokenBarrierError:
        return found
    return Evaluations.of(found.metrics, found.values + 1)


def with_values(found, row, value, status="ok"):
    """One row is changed behind the back of `Evaluations.of`, as a foreign class could."""
    found.values[row] = value
    states = found.status.copy()
    states[row] = status
    return Evaluations(found.metrics, found.values, states, found.reasons)


def canonical_in_place(self, designs):
    designs[:, 2] = np.where(designs[:, 1] == 0, 0, designs[:, 2])
    return designs


def canonical_shift(self, designs):
    return (designs + np.array([0, 0, 1, 0])) % self.space.cardinalities


def canonical_too_big(self, designs):
    found = designs.copy()
    found[:, 0], found[:, 3] = 3, 4  # 8 ways of 256 KiB
    return found


def unchecked(self, designs, workload):
    """Out-of-range indices wrap around."""
    return Toy.simulate(self, designs[:, :4] % self.space.cardinalities[: designs.shape[1]], workload)


def crashing(self, designs, workload):
    if workload not in self.workloads or (designs >= self.space.cardinalities[: designs.shape[1]]).any():
        raise KeyError(workload)
    return Toy.simulate(self, designs, workload)


def crashing_workload(self, designs, workload):
    return Toy.simulate(self, designs, {"w": "w"}[workload])


def any_workload(self, designs, workload):
    return Toy.simulate(self, designs, "w")


def counting(self, workload):
    self.count = getattr(self, "count", 0) + 1
    return str(self.count)


BROKEN = {
    "Broken.name is missing or empty": {"name": ""},
    "Broken.version is missing or empty": {"version": ""},
    "Broken.workloads is missing or empty": {"workloads": ()},
    "a metric is declared twice: latency_ns, latency_ns": {"metrics": (Toy.metrics[0],) * 2},
    "metric name 'Latency ns' must be lower case": renamed("Latency ns", "ns"),
    "metric 'latency' is in ns: its name must say so, e.g. 'latency_ns'": renamed("latency", "ns"),
    "metric 'latency_us' is in ns: its name must say so": renamed("latency_us", "ns"),
    "simulate changed the designs it was given": {"simulate": scribble},
    "simulate must return Evaluations, got ndarray": answering(lambda s, d, found: found.values),
    "simulate returned other metrics than the simulator declares": answering(
        lambda s, d, found: Evaluations.of((*Toy.metrics[:2], Metric("hits", "")), found.values)
    ),
    r"simulate returned values of shape \(23, 3\) for 24 designs": answering(lambda s, d, found: found.take(range(23))),
    "simulate must give one status and one reason a design": answering(
        lambda s, d, found: Evaluations(found.metrics, found.values, found.status, ())
    ),
    "status 'fine' of design 0 is not one of ok, infeasible, failed, timeout": answering(
        lambda s, d, found: with_values(found, 0, 1.0, "fine")
    ),
    "design 0 is 'ok' but its latency_ns is nan": answering(lambda s, d, found: with_values(found, 0, np.nan)),
    "design 0 is 'ok' but its latency_ns is inf": answering(lambda s, d, found: with_values(found, 0, np.inf)),
    "design 0 is 'failed' without a reason": answering(lambda s, d, found: with_values(found, 0, np.nan, "failed")),
    "design 0 is 'infeasible' but has numbers; give NaN": answering(
        lambda s, d, found: Evaluations(
            found.metrics, found.values, np.array(["infeasible"] * len(d)), ("a sentinel hides here",) * len(d)
        )
    ),
    "none of 256 sampled designs could be scored": answering(
        lambda s, d, found: Evaluations.unscored(found.metrics, len(d), "failed", "always")
    ),
    "simulate must be deterministic": answering(drifting),
    "a batch of n gave other numbers than n batches of one": answering(normalised),
    "a reordered batch gave other numbers": answering(remembered),
    "four threads at once got other numbers than one": answering(tangled),
    "canonical changed the designs it was given": {"canonical": canonical_in_place},
    "canonical must return one design for each": {"canonical": lambda self, designs: designs[:1]},
    "canonical left the space: design 0: index 9 of ways": {
        "canonical": lambda self, designs: np.where(np.arange(4) == 0, 9, designs)
    },
    "canonical of a feasible design breaks a constraint": {"canonical": canonical_too_big},
    "canonical is not idempotent": {"canonical": canonical_shift},
    "canonical changed the metrics of a design": {"canonical": lambda self, designs: designs * [1, 0, 1, 1]},
    "a design outside the space was accepted": {"simulate": unchecked},
    "a design outside the space raised KeyError": {"simulate": crashing},
    "an unknown workload was accepted": {"simulate": any_workload},
    "an unknown workload raised KeyError": {"simulate": crashing_workload},
    "workload_fingerprint must be the same non-empty text every time": {"workload_fingerprint": counting},
}


@pytest.mark.parametrize("sentence", BROKEN)
def test_each_broken_rule_is_caught(sentence):
    broken = type("Broken", (Toy,), BROKEN[sentence])()
    with pytest.raises(AssertionError, match=sentence) as caught:
        check_simulator(broken)
    assert not isinstance(caught.value, ArchGymError)
    assert "\n" not in str(caught.value)


def test_a_design_that_lacks_a_parameter_must_be_refused():
    class Padding(Toy):
        def simulate(self, designs, workload):
            short = np.asarray(designs)
            padded = np.zeros((len(short), 4), dtype=np.int32)
            padded[:, : short.shape[1]] = short
            return super().simulate(padded, workload)

    with pytest.raises(AssertionError, match="a design that lacks a parameter was accepted"):
        check_simulator(Padding())


def test_a_space_of_one_design_can_be_checked():
    class One(Toy):
        space = DesignSpace([Parameter(p.name, p.choices[:1], "categorical") for p in Toy.space.parameters])

    check_simulator(One())


@pytest.mark.parametrize("name", catalog.simulators())
def test_every_registered_simulator_keeps_the_contract(name):
    check_simulator(catalog.simulator(name, **SMALL.get(name, {})), designs=DESIGNS.get(name, 8))


@pytest.mark.slow
@pytest.mark.parametrize("name", catalog.simulators())
def test_every_registered_simulator_keeps_the_contract_on_every_workload(name):
    simulator = catalog.simulator(name, **SMALL.get(name, {}))
    for workload in simulator.workloads:
        check_simulator(simulator, workload, designs=2, seed=1)
