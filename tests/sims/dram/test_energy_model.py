"""Energy: hand-computed cases, conservation, and what must move which component."""

from __future__ import annotations

import numpy as np
import pytest

from archgym.sims.dram.devices import DEVICES
from archgym.sims.dram.energy import energies_per_event
from archgym.sims.dram.engine import Stats, simulate_one
from archgym.sims.dram.spec import Device
from archgym.sims.dram.workloads import Trace


def random_trace(n: int = 600, gap: int = 20, write_share: float = 0.4) -> Trace:
    """Uniform accesses, paced."""
    rng = np.random.default_rng(9)
    return Trace.of("random", rng.integers(0, 1 << 22, n) * 64, rng.random(n) < write_share, np.arange(n) * gap)


def run(device: Device, ranks: int = 1, gap: int = 20, **settings: object) -> Stats:
    """Simulate the random trace."""
    return simulate_one(device, settings, random_trace(gap=gap), ranks=ranks)


def test_one_read_by_hand() -> None:
    """DDR3-1600: eight dies at 1.5 V, 1.25 ns; one activate, one burst, 24 cycles of active standby."""
    device = DEVICES["DDR3-1600-1Gb-x8"]
    trace = Trace.of("one", np.array([0], dtype=np.uint64), [False], [0])
    energy = simulate_one(device, {"RefreshPolicy": "NoRefresh"}, trace).energy_pj
    scale = 8 * 1.5 * 1.25
    assert energy["activate"] == pytest.approx(scale * (70 * 38 - 45 * 28 - 45 * 10))
    assert energy["read"] == pytest.approx(scale * (140 - 45) * 4)
    assert energy["background"] == pytest.approx(scale * 45 * 24)
    assert energy["write"] == energy["refresh"] == energy["powerdown"] == 0


def test_a_refresh_costs_idd5b_for_trfc() -> None:
    """Its own energy and the standby of the same time add up to the data sheet's current."""
    device = DEVICES["DDR4-2400-8Gb-x8"]
    event, t = energies_per_event(device), device.timing
    expected = 8 * 1.2 * device.tck_ps / 1000 * 250 * t["nRFC"]
    assert event["refab"] + event["precharged"] * t["nRFC"] == pytest.approx(expected)


def test_energy_does_not_depend_on_the_clock_a_current_is_counted_in() -> None:
    """A device with half the clock period and twice the cycles takes the same time and the same energy."""
    from dataclasses import replace

    slow = DEVICES["DDR3-1600-1Gb-x8"]
    fast = replace(slow, tck_ps=slow.tck_ps // 2, timing={name: 2 * cycles for name, cycles in slow.timing.items()})
    for name, energy in energies_per_event(slow).items():
        per_cycle = name in ("precharged", "active", "pd_precharged", "pd_active", "self")
        assert energies_per_event(fast)[name] * (2 if per_cycle else 1) == pytest.approx(energy)


@pytest.mark.parametrize("device", DEVICES.values(), ids=lambda d: d.name)
@pytest.mark.parametrize("power_down", ["NoPowerDown", "Staggered"])
class TestConservation:
    """What holds of every device."""

    def test_components_sum_to_the_total_and_power_is_energy_over_time(self, device: Device, power_down: str) -> None:
        stats = run(device, PowerDownPolicy=power_down)
        metrics = stats.metrics
        assert sum(stats.energy_pj.values()) == pytest.approx(metrics["energy_pj"], rel=1e-12)
        assert metrics["power_mw"] * metrics["time_ns"] == pytest.approx(metrics["energy_pj"], rel=1e-12)
        assert metrics["time_ns"] == pytest.approx(metrics["cycles"] * device.tck_ps / 1000)

    def test_every_rank_spends_every_cycle_in_one_mode(self, device: Device, power_down: str) -> None:
        stats = run(device, ranks=2, PowerDownPolicy=power_down, gap=200)
        spent = sum(value for name, value in stats.counts.items() if name.startswith("cycles_"))
        assert spent == stats.cycles * 2 * device.pseudochannels

    def test_no_component_is_negative(self, device: Device, power_down: str) -> None:
        assert min(run(device, PowerDownPolicy=power_down).energy_pj.values()) >= 0
        assert min(energies_per_event(device).values()) >= 0


def test_components_follow_the_counts() -> None:
    device = DEVICES["DDR4-3200-8Gb-x8"]
    event, stats = energies_per_event(device), run(DEVICES["DDR4-3200-8Gb-x8"])
    counts = stats.counts
    assert stats.energy_pj["activate"] == pytest.approx(event["act"] * counts["n_act"])
    assert stats.energy_pj["read"] == pytest.approx(event["rd"] * counts["reads"])
    assert stats.energy_pj["write"] == pytest.approx(event["wr"] * counts["writes"])
    assert stats.energy_pj["refresh"] == pytest.approx(event["refab"] * counts["n_refab"])


def test_self_refresh_is_cheaper_than_standby() -> None:
    device = DEVICES["DDR4-2400-8Gb-x8"]
    far = Trace.of("far", np.array([0, 64], dtype=np.uint64), [False, False], [0, 20 * device.timing["nREFI"]])
    awake, asleep = (simulate_one(device, {"PowerDownPolicy": p}, far) for p in ("NoPowerDown", "Staggered"))
    assert asleep.counts["cycles_self_refresh"] > 15 * device.timing["nREFI"]
    assert asleep.metrics["energy_pj"] < awake.metrics["energy_pj"] * 0.95
