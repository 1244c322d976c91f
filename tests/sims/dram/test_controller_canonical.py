"""Designs that `canonical` maps together give the same numbers, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from archgym.sims.dram import engine
from archgym.sims.dram.equivalence import without_writes
from archgym.sims.dram.simulator import DramController
from archgym.sims.dram.workloads import Trace

SIMULATORS = {
    "rl": DramController(space="archgym-rl"),
    "aco": DramController(space="archgym-aco"),
    "ga": DramController(space="archgym-ga"),
    "ddr4": DramController(device="DDR4-2400-8Gb-x8", ranks=2),
    "hbm": DramController(device="HBM2-2000-8Gb", channels=2),
    "lpddr": DramController(device="LPDDR4-3200-8Gb-x16"),
}


def traffic(seed: int, write_share: float, gap: int, locality: float, n: int = 250) -> Trace:
    """Runs of neighbouring lines between jumps, some accesses repeated, paced."""
    rng = np.random.default_rng(seed)
    line = rng.integers(0, 1 << 22, n)
    for i in np.flatnonzero(rng.random(n) < locality):
        line[i] = line[i - 1] + int(rng.random() < 0.8)
    arrival = np.cumsum(rng.integers(0, gap + 1, n))
    return Trace.of("traffic", line.astype(np.uint64) * 64, rng.random(n) < write_share, arrival)


def outcome(simulator: DramController, columns: dict[str, np.ndarray], trace: Trace) -> np.ndarray:
    """Raw counts of every design, each really simulated."""
    return engine.simulate_batch(
        simulator._device, columns, trace, channels=simulator._channels, ranks=simulator._ranks, threads=1
    )


@pytest.mark.parametrize("simulator", SIMULATORS.values(), ids=SIMULATORS.keys())
@settings(max_examples=12)
@given(
    seed=st.integers(0, 10_000),
    write_share=st.sampled_from([0.0, 0.3, 0.6, 1.0]),
    gap=st.sampled_from([0, 5, 30, 1500]),
    locality=st.floats(0, 1),
)
def test_canonical_designs_cannot_differ(
    simulator: DramController, seed: int, write_share: float, gap: int, locality: float
) -> None:
    designs = simulator.space.sample(60, np.random.default_rng(seed))
    canonical = simulator.canonical(designs)
    trace = traffic(seed, write_share, gap, locality)
    full = outcome(simulator, simulator._decode(designs), trace)
    np.testing.assert_array_equal(full, outcome(simulator, simulator._decode(canonical), trace))
    if not trace.write.any():
        fewer = without_writes(simulator._decode(designs), simulator._setting)
        np.testing.assert_array_equal(full, outcome(simulator, fewer, trace))


@pytest.mark.parametrize("simulator", SIMULATORS.values(), ids=SIMULATORS.keys())
def test_canonical_is_idempotent_and_collapses(simulator: DramController) -> None:
    designs = simulator.space.sample(5000, np.random.default_rng(1))
    once = simulator.canonical(designs)
    np.testing.assert_array_equal(once, simulator.canonical(once))
    assert (once != designs).any(axis=1).mean() > 0.5


def test_the_whole_rl_space_has_29342_behaviours() -> None:
    """Exactly as many as the rules leave of 442,368: a change of the rules is a change of what was enumerated."""
    simulator = SIMULATORS["rl"]
    everything = np.concatenate([simulator.canonical(chunk) for chunk in simulator.space.enumerate()])
    assert len(everything) == 442_368
    assert len(np.unique(everything, axis=0)) == 29_342
