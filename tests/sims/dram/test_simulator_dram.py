"""The environment's face of the DRAM simulator: spaces, batches, errors."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from archgym.core import OK
from archgym.errors import InvalidInput, UnknownName
from archgym.sims.dram.devices import DEVICES
from archgym.sims.dram.engine import simulate_one
from archgym.sims.dram.simulator import METRICS, DramController


@pytest.mark.parametrize(
    ("space", "size"), [("archgym-rl", 442_368), ("archgym-aco", 1_769_472), ("archgym-ga", 28_311_552)]
)
def test_predecessor_spaces_have_their_published_sizes(space: str, size: int) -> None:
    assert DramController(space=space).space.size == size


def test_full_space_has_every_knob() -> None:
    names = set(DramController().space.names)
    assert names >= {
        "PagePolicy", "Scheduler", "SchedulerBuffer", "RequestBufferSize", "CmdMux", "RespQueue", "RefreshPolicy",
        "RefreshMaxPostponed", "RefreshMaxPulledin", "PowerDownPolicy", "Arbiter", "MaxActiveTransactions",
        "AddressMapping",
    }  # fmt: skip


def test_refresh_choices_are_those_of_the_device() -> None:
    finer = {"DDR5-4800-16Gb-x8": ("SameBank",), "HBM2-2000-8Gb": ("PerBank",), "DDR3-1600-1Gb-x8": ()}
    for device, policies in finer.items():
        assert DramController(device=device).space["RefreshPolicy"].choices == ("NoRefresh", "AllBank", *policies)


@pytest.mark.parametrize("device", list(DEVICES))
def test_every_device_scores_random_designs(device: str) -> None:
    simulator = DramController(device=device, ranks=2)
    found = simulator.simulate(simulator.space.sample(12, np.random.default_rng(4)), "mix:n=300,gap=9")
    assert (found.status == OK).all()
    assert np.isfinite(found.values).all()
    assert (found["energy_pj"] > 0).all()
    np.testing.assert_allclose(found["power_mw"] * found["time_ns"], found["energy_pj"], rtol=1e-12)
    ordered = [found[name] for name in ("latency_p50_ns", "latency_p95_ns", "latency_p99_ns", "latency_max_ns")]
    assert all((a <= b).all() for a, b in itertools.pairwise(ordered))


def test_batches_threads_and_order_change_nothing() -> None:
    one, two = DramController(space="archgym-rl", threads=1), DramController(space="archgym-rl", threads=2)
    designs = one.space.sample(40, np.random.default_rng(2))
    reference = one.simulate(designs, "cloud-1").values
    np.testing.assert_array_equal(reference, two.simulate(designs, "cloud-1").values)
    np.testing.assert_array_equal(reference[::-1], two.simulate(designs[::-1], "cloud-1").values)
    np.testing.assert_array_equal(reference[7], one.simulate(designs[7:8], "cloud-1").values[0])


def test_a_batch_is_its_designs_one_by_one() -> None:
    simulator = DramController(device="DDR4-2400-8Gb-x8", ranks=2)
    designs = simulator.space.sample(10, np.random.default_rng(8))
    batch = simulator.simulate(designs, "mix:n=500")
    for row, settings in enumerate(simulator.space.decode(designs)):
        alone = simulate_one("DDR4-2400-8Gb-x8", settings, "mix:n=500", ranks=2).metrics
        assert {m.name: alone[m.name] for m in METRICS} == batch.as_dict(row)


def test_latency_percentiles_are_nearest_rank() -> None:
    from archgym.sims.dram.workloads import load

    trace = load("mix:n=777,gap=12")
    stats = simulate_one("DDR3-1600-1Gb-x8", {}, trace)
    arrival = -(-trace.arrival * trace.clock_ps // 1250) if trace.clock_ps else trace.arrival
    waited = np.sort((stats.done - arrival)[~trace.write])
    for share, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99")):
        assert stats.counts[f"latency_{name}"] == waited[int(np.ceil(share * len(waited))) - 1]
    assert stats.counts["latency_sum"] == waited.sum()


class TestMonotone:
    """Facts about directions."""

    def test_more_buffer_is_not_slower_on_saturated_random_reads(self) -> None:
        cycles = [
            simulate_one("DDR3-1600-1Gb-x8", {"SchedulerBuffer": "Shared", "RequestBufferSize": size}, "random").cycles
            for size in (1, 2, 4, 8, 16, 32, 64)
        ]
        assert cycles == sorted(cycles, reverse=True)

    def test_refresh_costs_time_and_energy(self) -> None:
        without, with_ = (
            simulate_one("DDR3-1600-1Gb-x8", {"RefreshPolicy": p}, "random") for p in ("NoRefresh", "AllBank")
        )
        assert with_.cycles > without.cycles
        assert with_.metrics["energy_refresh_pj"] > 0 == without.metrics["energy_refresh_pj"]

    def test_time_is_at_least_the_data_bus_time(self) -> None:
        stats = simulate_one("DDR3-1600-1Gb-x8", {}, "stream")
        assert stats.cycles >= 10_000 * 4

    def test_more_channels_are_faster(self) -> None:
        cycles = [simulate_one("DDR4-2400-8Gb-x8", {}, "random", channels=n).cycles for n in (1, 2, 4)]
        assert cycles == sorted(cycles, reverse=True)


class TestBadInput:
    """One-line errors."""

    def test_unknown_device(self) -> None:
        with pytest.raises(UnknownName, match="DDR4-2400-8Gb-x8"):
            DramController(device="DDR4-2400")

    def test_unknown_space(self) -> None:
        with pytest.raises(UnknownName, match="archgym-rl"):
            DramController(space="archgym-lr")

    def test_predecessor_space_on_another_device(self) -> None:
        with pytest.raises(UnknownName, match="DDR3-1600-1Gb-x8"):
            DramController(device="DDR4-2400-8Gb-x8", space="archgym-rl")

    @pytest.mark.parametrize(
        "option", [{"channels": 0}, {"ranks": -1}, {"ranks": 10_000}, {"threads": 0}, {"channels": True}]
    )
    def test_sizes_out_of_range(self, option: dict[str, int]) -> None:
        with pytest.raises(InvalidInput, match="allowed: whole numbers"):
            DramController(**option)  # type: ignore[arg-type]

    def test_designs_outside_the_space(self) -> None:
        simulator = DramController()
        with pytest.raises(InvalidInput, match="out of range"):
            simulator.simulate(np.full((1, len(simulator.space)), 99, dtype=np.int32), "stream")

    def test_unknown_workload(self) -> None:
        simulator = DramController()
        with pytest.raises(InvalidInput, match="stream"):
            simulator.simulate(np.zeros((1, len(simulator.space)), dtype=np.int32), "strean")

    def test_broken_trace_file(self, tmp_path: Path) -> None:
        broken = tmp_path / "broken.stl"
        broken.write_text("0: read 0x0\n1: raed 0x40\n")
        simulator = DramController()
        with pytest.raises(InvalidInput, match=r"broken\.stl"):
            simulator.simulate(np.zeros((1, len(simulator.space)), dtype=np.int32), str(broken))


def test_enumeration_is_only_given_for_exactly_what_was_enumerated() -> None:
    simulator = DramController(space="archgym-rl")
    summary = simulator.enumeration("stream")
    assert simulator.enumeration("mix60_sat") is None
    assert DramController(space="archgym-rl", ranks=2).enumeration("stream") is None
    if summary is not None:
        assert summary["size"] == 442_368
        assert json.dumps(summary)


def test_enumeration_of_no_workload_is_refused_of_a_made_one_is_not_known() -> None:
    simulator = DramController(space="archgym-rl")
    with pytest.raises(UnknownName, match="did you mean 'stream'"):
        simulator.enumeration("straem")
    assert simulator.enumeration("mix:n=100") is None
