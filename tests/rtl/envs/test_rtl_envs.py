"""Environments on hardware blocks: what a design costs on a workload follows from what was measured of its gates."""

from __future__ import annotations

import math

import numpy as np
import pytest

import archgym
from archgym.errors import InvalidInput, UnknownName
from archgym.rtl.array.workloads import Gemm
from archgym.rtl.envs.lut_workloads import low_bit
from archgym.rtl.envs.workloads import NAMES, Work, work
from archgym.testing import check_simulator

ENGINE = {
    "engine": "matrix-2d", "rows": 4, "cols": 4, "depth": 4, "multiplier": "booth", "carry_save": False,
    "by_bit_weight": False, "width": 4, "acc_width": 24, "pipeline": False, "double_buffer": True,
    "digits_per_cycle": 1, "skip_empty": False, "slack": 0, "sum_in_element": False, "clock_ns": 4.0,
}  # fmt: skip
LUT = {
    "unit": "lut", "tile_m": 1, "tile_n": 2, "tile_k": 4, "group": 4, "symmetric": True, "offline_negation": True,
    "precompute": False, "pipeline": False, "input_register": False, "accumulator": "same", "clock_ns": 4.0,
}  # fmt: skip
FLOAT = {
    "unit": "multiply", "format": "bf16", "result": "same", "subnormals": False, "truncate": False, "saturate": False,
    "normalise": "none", "norm_k": 1, "norm_lambda": 1, "sum_width": 16, "kept_bits": 7, "input_truncate": False,
    "offset_shift": 4, "pipeline": 1, "clock_ns": 8.0,
}  # fmt: skip
DOT = {
    "format": "mxint4", "align_width": 12, "merge": True, "subnormals": False, "pipeline": 3, "clock_ns": 8.0,
}  # fmt: skip
OPTIONS = {
    "tensor-engine": {"effort": "quick", "largest": 4},
    "lut-tensor-core": {"effort": "quick"},
    "float-unit": {"effort": "quick"},
    "block-dot": {"effort": "quick", "lanes": 4},
}
PRODUCT = "gemm:16x16x64:int4"


def score(name, workload, *designs):
    simulator = archgym.simulator(name, **OPTIONS[name])
    found = simulator.simulate(simulator.space.encode(list(designs)), workload)
    return [found.as_dict(row) if found.ok[row] else found.reasons[row] for row in range(len(found))]


def test_numbers_of_a_design_belong_together():
    (found,) = score("tensor-engine", PRODUCT, ENGINE)
    macs = 16 * 16 * 64
    assert found["cycles"] >= macs / 16
    assert found["utilisation"] == pytest.approx(macs / found["cycles"] / 16)
    assert found["latency_ns"] == pytest.approx(found["cycles"] * 4.0)
    assert found["energy_pj"] == pytest.approx(found["power_mw"] * found["latency_ns"])
    assert found["throughput_gops"] == pytest.approx(2 * macs / found["latency_ns"])
    assert found["peak_gops"] == pytest.approx(2 * 16 / 4.0)
    assert found["macs_per_cycle"] == pytest.approx(16)
    assert found["tops_per_w_mm2"] == pytest.approx(found["tops_per_w"] / (found["area_um2"] * 1e-6))
    assert found["critical_path_ns"] <= 4.0
    assert found["frequency_mhz"] == pytest.approx(250.0)
    assert 0 < found["leakage_mw"] < found["power_mw"]
    assert 0 < found["sequential_area_um2"] < found["area_um2"]


def test_every_engine_is_built_and_agrees_with_its_model():
    engines = ("systolic-os", "systolic-ws", "cube", "adder-tree", "digits")
    designs = [{**ENGINE, "engine": engine} for engine in engines]
    designs[-1]["multiplier"] = "ent-buffer"
    for engine, found in zip(engines, score("tensor-engine", PRODUCT, *designs), strict=True):
        assert isinstance(found, dict), (engine, found)
        assert 0 < found["utilisation"] <= 1 + 1e-9, engine


def test_what_cannot_hold_the_numbers_is_infeasible():
    narrow, short, fast = score(
        "tensor-engine", "gemm:8x8x100000:int8:uniform",
        {**ENGINE, "width": 4}, {**ENGINE, "width": 8}, {**ENGINE, "width": 8, "acc_width": 48, "clock_ns": 0.4},
    )  # fmt: skip
    assert narrow == "width 4 is too narrow for operands of 8 bits"
    assert short == "acc_width 24 cannot hold sums of 100000 products: 32 bits"
    assert fast.startswith("timing: 0.4 ns is too short, the shortest that closes is ")


def test_operands_that_switch_less_cost_less():
    quiet, busy = (score("tensor-engine", f"gemm:16x16x64:int4:{kind}", ENGINE)[0] for kind in ("normal5", "uniform"))
    assert quiet["area_um2"] == busy["area_um2"]
    assert quiet["dynamic_mw"] < busy["dynamic_mw"]


def test_digits_are_the_faster_the_more_of_them_are_zero():
    design = {**ENGINE, "engine": "digits", "multiplier": "ent-buffer"}
    few, many = (score("tensor-engine", f"gemm:16x16x64:int4:{kind}", design)[0] for kind in ("normal5", "uniform"))
    assert few["cycles"] < many["cycles"]


def test_steps_of_a_look_up_core_take_a_cycle_a_bit():
    one, wide = score("lut-tensor-core", "lut:10x20x64:w2:int4", LUT, {**LUT, "tile_n": 4, "tile_k": 8})
    assert one["cycles"] == 10 * 10 * 16 * 2 + 1
    assert wide["cycles"] == 10 * 5 * 8 * 2 + 1
    assert one["macs_per_cycle"] == pytest.approx(1 * 2 * 4 / 2)
    assert one["utilisation"] == pytest.approx(1, rel=1e-3)


def test_tables_cost_what_they_hold():
    inside = {**LUT, "precompute": True}
    half, full = score("lut-tensor-core", "w2a4", inside, {**inside, "symmetric": False, "offline_negation": False})
    assert half["area_um2"] < full["area_um2"]
    serial, parallel = score("lut-tensor-core", "w2a4", {**LUT, "unit": "add"}, {**LUT, "unit": "multiply"})
    assert serial["macs_per_cycle"] == pytest.approx(4)
    assert parallel["macs_per_cycle"] == pytest.approx(8)


def test_floating_point_tables_have_their_own_rules():
    found = score("lut-tensor-core", "w1a-fp16", LUT, {**LUT, "tile_k": 8}, {**LUT, "precompute": True})
    assert isinstance(found[0], dict)
    assert "tile_k must be group" in found[1]
    assert "half tables from outside" in found[2]


def test_errors_of_units_are_those_of_their_models():
    exact, approximate = score("float-unit", "uniform", FLOAT, {**FLOAT, "unit": "l-mul"})
    # Half an ulp of 8 significant bits at most; L-Mul's circuit (arXiv 2410.00907), offset 2**-4: 7.3 %.
    assert exact["error_max_percent"] <= 100 * 2**-8
    assert 5 < approximate["error_max_percent"] < 7.5
    assert 2 < approximate["error_mean_abs_percent"] < 3.5
    assert approximate["snr_db"] < exact["snr_db"]
    assert approximate["area_um2"] < exact["area_um2"]


def test_narrow_formats_are_noisier_and_smaller():
    wide, narrow = score("float-unit", "gaussian", FLOAT, {**FLOAT, "format": "e4m3"})
    assert narrow["snr_db"] < wide["snr_db"] - 15
    assert narrow["area_um2"] < wide["area_um2"]


def test_block_formats_are_as_precise_as_their_bits():
    small, large = score("block-dot", "gaussian", DOT, {**DOT, "format": "mxint8"})
    assert large["qsnr_db"] - small["qsnr_db"] == pytest.approx(4 * 20 * math.log10(2), abs=2)
    assert small["area_per_mac_um2"] == pytest.approx(small["area_um2"] / 4)
    assert small["area_um2"] < large["area_um2"]


@pytest.mark.parametrize("name", OPTIONS)
def test_options_are_checked(name):
    with pytest.raises(UnknownName, match="effort"):
        archgym.simulator(name, effort="hi")
    with pytest.raises((UnknownName, InvalidInput), match="generic54"):
        archgym.simulator(name, technology="generic54")


def test_the_largest_size_bounds_the_space():
    def sizes(**options):
        space = archgym.simulator("tensor-engine", **options).space
        return {each.name: each.choices for each in space.parameters if each.group == "shape"}

    assert sizes(largest=4) == dict.fromkeys(("rows", "cols", "depth"), (4,))
    assert sizes() == dict.fromkeys(("rows", "cols", "depth"), (4, 8, 16, 32))
    assert sizes(largest=64) == dict.fromkeys(("rows", "cols", "depth"), (4, 8, 16, 32, 64))


def test_sizes_are_checked():
    with pytest.raises(InvalidInput, match="largest must be one of 4, 8, 16, 32, 64, got 5"):
        archgym.simulator("tensor-engine", largest=5)
    with pytest.raises(InvalidInput, match="largest must be a whole number of at least 2"):
        archgym.simulator("lut-tensor-core", largest=1)
    with pytest.raises(InvalidInput, match="lanes must be 4, 8 or 16"):
        archgym.simulator("block-dot", lanes=5)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("gemm:0x1x1", "three positive sizes"),
        ("gemm:8x8x8:int99", "2 to 16 bits"),
        ("gemm:8x8x8:normal0", "standard deviation"),
        ("bart", "did you mean 'bert'"),
    ],
)
def test_bad_products_are_refused(name, sentence):
    with pytest.raises((InvalidInput, UnknownName), match=sentence):
        work(name)


@pytest.mark.parametrize("name", ["lut:1x1x1:w5:int8", "lut:1x1x0:w2:int8", "lut:1x1x1:w2:int9", "lut:x", "w2a9"])
def test_bad_low_bit_products_are_refused(name):
    with pytest.raises((InvalidInput, UnknownName)):
        low_bit(name)


def test_workloads_say_how_operands_lie():
    assert work("bert:int4:uniform") == Work(work("bert").products, 4, 0.0)
    assert work("gemm:2x3x5").products == (Gemm("gemm:2x3x5", 2, 3, 5),)
    assert all(work(name).macs > 0 for name in NAMES)
    rng = np.random.default_rng(0)
    wide = work("gemm:8x8x8").draw(rng, (100_000,), 16)  # operands of 8 bits on hardware of 16
    assert wide.min() >= -128
    assert wide.max() <= 127
    assert wide.std() == pytest.approx(20, rel=0.02)
    assert Work((Gemm("", 1, 1, 512),)).sum_bits == 25  # 512 * 2**14 = 2**23 needs a sign and 24 bits


@pytest.mark.slow
@pytest.mark.parametrize("name", OPTIONS)
def test_environments_keep_the_contract_with_more_designs(name):
    check_simulator(archgym.simulator(name, **OPTIONS[name]), designs=8, seed=3)
