"""The NPU as a simulator: its contract, its sums, its budgets, its memory and what it refuses."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import archgym
from archgym.errors import InvalidInput, TraceError, UnknownName
from archgym.sims.dram.devices import DEVICES
from archgym.sims.dram.energy import energies_per_event
from archgym.sims.npu import area, energy, technology as tech
from archgym.sims.npu.layers import gemm
from archgym.sims.npu.memory import IDEAL, link
from archgym.sims.npu.networks import NETWORKS
from archgym.sims.npu.scratchpads import shortages
from archgym.sims.npu.simulator import SystolicNpu, load, score
from archgym.sims.npu.systolic import compute_cycles
from archgym.sims.npu.table import layer_table
from archgym.testing import check_simulator

BASE = {
    "rows": 16, "cols": 16, "arrays": 1, "dataflow": "ws", "stream_length": 1 << 30, "precision": "int8",
    "frequency_mhz": 1000, "vector_lanes": 64, "ifmap_kib": 64, "filter_kib": 64, "ofmap_kib": 64,
    "memory": IDEAL, "memory_channels": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def npu():
    return SystolicNpu()


def columns(**changed):
    return {name: np.array([value]) for name, value in {**BASE, **changed}.items()}


def one(layers, **changed):
    return {name: float(values[0]) for name, values in score(layer_table(layers), columns(**changed)).items()}


@pytest.mark.parametrize("workload", ["resnet18", "mobilenet-v2", "bert-base:sequence=64"])
def test_it_keeps_the_contract(npu, workload):
    check_simulator(npu, workload)


def test_the_environment_keeps_the_contract():
    env = gymnasium.make("archgym/NPU-v0", workload="alexnet", objective="low-latency")
    check_env(env.unwrapped, skip_render_check=True)


def test_every_shipped_network_is_scored(npu):
    designs = npu.space.sample(20, np.random.default_rng(1))
    for workload in npu.workloads:
        found = npu.simulate(designs, workload)
        assert found.ok.sum() >= 15
        macs = sum(layer.macs for layer in NETWORKS[workload])
        ok = found.ok
        np.testing.assert_allclose(found["performance_gops"][ok] * found["latency_ns"][ok], 2.0 * macs)


def test_parts_make_the_wholes(npu):
    found = npu.simulate(npu.space.sample(200, np.random.default_rng(2)), "resnet50")
    found = found.take(np.flatnonzero(found.ok))
    for whole, parts in (
        ("energy_pj", [f"energy_{part}_pj" for part in energy.PARTS]),
        ("area_mm2", [f"area_{part}_mm2" for part in area.PARTS]),
        ("cycles", ["compute_cycles", "vector_cycles", "stall_cycles"]),
        ("dram_bytes", [m.name for m in npu.metrics if m.name.startswith("dram_") and m.name != "dram_bytes"]),
    ):
        total = np.sum([found[part] for part in parts], axis=0)
        if whole == "dram_bytes":  # bytes of convolutions need not be whole, and are added in another order
            np.testing.assert_allclose(found[whole], total, rtol=1e-14)
        else:
            np.testing.assert_array_equal(found[whole], total, err_msg=whole)
        assert all((found[part] >= 0).all() for part in parts)
    np.testing.assert_allclose(found["power_mw"] * found["latency_ns"], found["energy_pj"], rtol=1e-14)
    np.testing.assert_array_equal(found["time_ns"], found["latency_ns"])
    assert (found["utilisation"] <= 1).all()
    assert (found["utilisation"] > 0).all()


def test_a_layer_by_hand():
    # [64, 16] x [16, 16] on 16 x 16: one fold, weight stationary, 16 bytes a cycle at 1 GHz from one ideal channel.
    found = one([gemm("g", 64, 16, 16)])
    assert found["compute_cycles"] == 16 + 16 + 16 - 2 + 64 - 1 == compute_cycles(64, 16, 16, 16, 16, "ws")
    moved = 64 * 16 + 16 * 16 + 64 * 16
    assert found["dram_bytes"] == moved
    first, last = 256 + 16, 16  # the weights and one input of each row; one output of each column
    steady = -(-(moved - first - last) // 16)
    assert found["cycles"] == first // 16 + max(found["compute_cycles"], steady) + last // 16
    assert found["utilisation"] == 64 * 16 * 16 / (found["cycles"] * 256)
    # 0.2 pJ multiply + 0.1 pJ add + a 32-bit sum and an 8-bit operand clocked at 9 fJ a bit
    assert found["energy_mac_pj"] == pytest.approx(64 * 256 * (0.3 + 40 * 8.999495e-3))
    byte = 1.25 * np.sqrt(64 / 8)  # 10 pJ for 64 bits of 8 KiB, times sqrt(8)
    assert found["energy_ifmap_sram_pj"] == pytest.approx(byte * (1024 + 1024))  # filled from DRAM, read once
    assert found["energy_filter_sram_pj"] == pytest.approx(byte * (256 + 256))
    assert found["energy_ofmap_sram_pj"] == pytest.approx(byte * (1024 * 4 + 1024))  # sums of 4 B, results of 1 B
    assert found["energy_dram_pj"] == pytest.approx(1300 / 8 * moved)  # 1.3 nJ for 64 bits
    # (419 + 48 x 5.981433) um2 an element; lanes of 11884 + 96 x 5.981433 um2
    assert found["area_arrays_mm2"] == pytest.approx(256 * (419 + (32 + 16) * 5.981433) * 1e-6)
    # Ports of 16 B (inputs), 16 B (weights) and 2 x 64 B (sums of 4 B, read and written): halves of 2, 2 and 16 banks
    # of 64 bits. 32 KiB in 2 banks are 2048 words each, 4 macros of 512; in 16 banks 256 words, between 128 and 512.
    between = 5479.6 + (256 - 128) / (512 - 128) * (17301.438 - 5479.6)
    assert found["area_sram_mm2"] == pytest.approx(2 * (2 + 2) * 4 * 17301.438e-6 + 2 * 16 * between * 1e-6)
    assert found["area_vector_mm2"] == pytest.approx(64 * (11884 + 96 * 5.981433) * 1e-6)
    leakage = (
        2 * (2 + 2) * 4 * 0.823237
        + 2 * 16 * (0.303495 + (0.823237 - 0.303495) / 3)
        + (found["area_arrays_mm2"] + found["area_vector_mm2"]) * 12.36358
    )
    assert found["energy_static_pj"] == pytest.approx(leakage * found["latency_ns"], rel=1e-5)


def test_layers_of_a_design_add_up_to_it(npu):
    design = npu.space.encode(BASE)
    layers, whole = npu.by_layer(design, "resnet18"), npu.simulate(design[None], "resnet18")
    assert [each["layer"] for each in layers] == [layer.name for layer in NETWORKS["resnet18"]]
    for name in ("compute_cycles", "vector_cycles", "stall_cycles"):
        assert sum(each[name] for each in layers) == whole[name][0]
    assert sum(each["dram_filter"] for each in layers) == whole["dram_filter_bytes"][0]
    starved = npu.space.encode({**BASE, "rows": 256, "cols": 256, "arrays": 8, "precision": "fp16", "ofmap_kib": 8})
    with pytest.raises(InvalidInput, match="half of the ofmap scratchpad holds 4096 B"):
        npu.by_layer(starved, "resnet18")


def test_wide_ports_cost_small_scratchpads_area():
    dense, leaks = area.banked(64, 8)
    assert dense == pytest.approx(64 * 8192 / (512 * 64) * 17301.438e-6)
    assert leaks == pytest.approx(64 * 8192 / (512 * 64) * 0.823237)
    # 8 KiB that deliver 512 B a cycle are 2 x 64 banks of 8 words: the smallest macro has 32.
    assert area.banked(8, 512)[0] == pytest.approx(128 * 1754.536e-6)
    sizes, ports = np.meshgrid([8, 64, 512, 4096], [8, 64, 256, 2048])
    mm2, mw = area.banked(sizes, ports)
    for found in (mm2, mw):
        assert (np.diff(found, axis=0) >= 0).all()
        assert (np.diff(found, axis=1) >= 0).all()


def test_precision_changes_bytes_energy_and_area():
    small, large = one([gemm("g", 64, 64, 64)]), one([gemm("g", 64, 64, 64)], precision="fp16")
    assert large["dram_bytes"] == 2 * small["dram_bytes"]
    # 1.1 + 0.9 pJ and 48 bits clocked, against 0.2 + 0.1 pJ and 40 bits
    assert large["energy_mac_pj"] / small["energy_mac_pj"] == pytest.approx(
        (2 + 48 * 0.008999495) / (0.3 + 40 * 0.008999495)
    )
    assert large["area_arrays_mm2"] / small["area_arrays_mm2"] == pytest.approx(
        (5824 + 64 * 5.981433) / (419 + 48 * 5.981433)
    )


def test_output_stationary_arrays_clock_both_operands():
    assert energy.mac_pj("int8", "os") - energy.mac_pj("int8", "ws") == pytest.approx(8 * tech.REGISTER_BIT_PJ)
    assert energy.mac_pj("fp16", "is") == energy.mac_pj("fp16", "ws")


@pytest.mark.parametrize(("kib", "pj_per_64_bits"), [(8, 10), (32, 20), (1024, 100)])
def test_scratchpad_energy_follows_the_published_sizes(kib, pj_per_64_bits):
    # Horowitz, ISSCC 2014, figure 1.1.9; 1 MiB is 13 % above it.
    assert energy.sram_pj_per_byte(kib) * 8 == pytest.approx(pj_per_64_bits, rel=0.14)


def test_frequency_scales_time_and_the_bytes_of_a_cycle():
    slow, fast = one([gemm("g", 512, 64, 64)], frequency_mhz=200), one([gemm("g", 512, 64, 64)])
    assert slow["stall_cycles"] < fast["stall_cycles"]
    assert fast["latency_ns"] < slow["latency_ns"] < 5 * fast["latency_ns"] * (1 + 1e-12)
    assert slow["compute_cycles"] == fast["compute_cycles"]


# -- what a search asks for --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "objective",
    [
        {"minimize": "latency_ns", "constraints": {"area_mm2": {"max": 30}, "power_mw": {"max": 3000}}},
        {"minimize": "energy_pj", "constraints": {"area_mm2": {"max": 30}}},
        {"product": {"energy_pj": 1, "latency_ns": 1}, "constraints": {"area_mm2": {"max": 30}}},
        {"maximize": "gops_per_mm2", "constraints": {"power_mw": {"max": 3000}}},
        "edp",
    ],
)
def test_latency_energy_edp_and_performance_per_area_can_be_searched_under_budgets(objective):
    found = archgym.search("npu", "hill-climb", objective, workload="alexnet", budget=150, seed=3, batch=10)
    best = found.best.metrics
    limits = objective.get("constraints", {}) if isinstance(objective, dict) else {}
    assert all(best[name] <= bound["max"] for name, bound in limits.items())


# -- memory ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["DDR4-3200-8Gb-x8", "LPDDR4-3200-8Gb-x16", "LPDDR5-6400-16Gb-x16", "HBM2-2000-8Gb"])
def test_a_device_sustains_most_of_its_peak(name):
    device, found = DEVICES[name], link(name)
    pins = device.access_bytes * device.pseudochannels / (device.timing["nBL"] * device.tck_ps / 1000)
    assert found.peak_gbps == pytest.approx(pins)
    assert 0.75 * pins < found.gbps < pins
    assert 8 * 2 < found.pj_per_byte < 8 * 12
    assert 20 < found.background_mw < 800
    assert link(name) is found  # measured once


def test_energy_of_a_link_is_that_of_the_commands_it_needs():
    # A third of the bytes is written. Activates are few, for the streams are long.
    device, found = DEVICES["HBM2-2000-8Gb"], link("HBM2-2000-8Gb")
    event = energies_per_event(device)
    bursts = (2 / 3 * event["rd"] + 1 / 3 * event["wr"]) / device.access_bytes
    assert bursts < found.pj_per_byte < 1.3 * bursts


def test_channels_multiply_bandwidth_standby_and_interface():
    layers = [gemm("g", 256, 256, 256)]
    single, four = (one(layers, memory="LPDDR4-3200-8Gb-x16", memory_channels=n) for n in (1, 4))
    assert four["cycles"] < single["cycles"]
    assert four["area_interface_mm2"] == pytest.approx(4 * single["area_interface_mm2"])
    used = link("LPDDR4-3200-8Gb-x16")
    for n, found in ((1, single), (4, four)):
        moving = found["dram_bytes"] * used.pj_per_byte
        assert found["energy_dram_pj"] == pytest.approx(moving + n * used.background_mw * found["latency_ns"])
    assert single["dram_bytes"] / single["latency_ns"] <= used.gbps * (1 + 1e-9)


def test_other_memories_can_be_offered():
    npu = archgym.simulator("npu", memories=["HBM2-2000-8Gb", "HBM3-5200-16Gb"])
    assert npu.space["memory"].choices == ("HBM2-2000-8Gb", "HBM3-5200-16Gb")
    assert npu.options == {"memories": ["HBM2-2000-8Gb", "HBM3-5200-16Gb"]}
    assert npu.simulate(npu.space.sample(3, np.random.default_rng(0)), "alexnet").ok.any()


# -- what it refuses ---------------------------------------------------------------------------------------------------


def test_scratchpads_that_cannot_feed_the_arrays_are_infeasible_with_the_reason(npu):
    design = npu.space.encode({**BASE, "rows": 256, "cols": 256, "arrays": 8, "precision": "fp16", "ofmap_kib": 8})
    found = npu.simulate(design, "resnet18")
    assert found.status[0] == "infeasible"
    assert found.reasons[0] == "half of the ofmap scratchpad holds 4096 B; the arrays take 8192 B a cycle"
    # Input stationary loads its tile by columns and streams weights by rows: 8 x 256 x 2 B is just above 2 KiB.
    for pad, flow, side in (
        ("ifmap", "ws", "rows"),
        ("filter", "ws", "cols"),
        ("ifmap", "is", "cols"),
        ("filter", "is", "rows"),
    ):
        sizes = {"rows": 8, "cols": 8, side: 256, "arrays": 8, "precision": "fp16", "dataflow": flow, f"{pad}_kib": 8}
        assert npu.simulate(npu.space.encode({**BASE, **sizes}), "alexnet").ok[0]
        with_less = {name: np.array([value]) for name, value in {**BASE, **sizes, f"{pad}_kib": 7}.items()}
        assert pad in shortages(with_less)[0]


@pytest.mark.parametrize("memories", [[], "ideal"])
def test_memories_must_be_a_list(memories):
    with pytest.raises(InvalidInput, match="memories must be a list"):
        SystolicNpu(memories)


def test_output_stationary_designs_differ_in_no_stream(npu):
    for flow, same in (("os", True), ("ws", False), ("is", False)):
        short, long = (npu.space.encode({**BASE, "dataflow": flow, "stream_length": n})[None] for n in (64, 1 << 30))
        assert bool((npu.canonical(short) == npu.canonical(long)).all()) is same
        values = [npu.simulate(each, "alexnet").values for each in (short, long)]
        assert np.array_equal(*values) is same


def test_an_unknown_memory_names_the_nearest():
    with pytest.raises(UnknownName, match="did you mean 'HBM2-2000-8Gb'"):
        SystolicNpu(["HBM2-2000-8G"])
    with pytest.raises(InvalidInput, match="distinct"):
        SystolicNpu(["ideal", "ideal"])


def test_workloads_from_a_file(npu, tmp_path):
    place = tmp_path / "net.csv"
    place.write_text("Layer,M,N,K\na,128,64,32\n")
    design = npu.space.encode(BASE)[None]
    assert npu.simulate(design, str(place))["compute_cycles"][0] == compute_cycles(128, 64, 32, 16, 16, "ws")
    before = npu.workload_fingerprint(str(place))
    place.write_text("Layer,M,N,K\na,128,64,33\n")
    assert npu.workload_fingerprint(str(place)) != before
    assert load(str(place)) == (gemm("a", 128, 64, 33),)
    assert npu.simulate(design, str(place))["compute_cycles"][0] == compute_cycles(128, 64, 33, 16, 16, "ws")
    with pytest.raises(TraceError):
        npu.workload_fingerprint(str(tmp_path / "none.csv"))
    with pytest.raises(UnknownName, match="did you mean 'resnet18'"):
        npu.simulate(design, "resnet19")
