"""The closed form of an engine's cycles is what its RTL takes, from the first beat to the last result."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from archgym.errors import InvalidInput, UnknownName
from archgym.rtl.array import stimuli
from archgym.rtl.array.tiling import tile_period, tiling
from archgym.rtl.array.workloads import Gemm, workload
from archgym.rtl.bench.build import build_verilator
from archgym.rtl.bench.plan import Part, plan_of
from archgym.rtl.bench.simulate import simulate
from archgym.rtl.block import Parameters, Streams
from archgym.rtl.library import block

BASE = {"Cols": 4, "Width": 4, "AccWidth": 16, "Multiplier": 0}
# Shape and timing of each engine; two rows and columns of unequal size, so that no two sizes can be mistaken.
POINTS = [
    ("systolic_os", {"Rows": 2, "Pipeline": 1, "ResultBuffer": 1, "CarrySave": 1}),
    ("systolic_os", {"Rows": 8, "Pipeline": 0, "ResultBuffer": 0, "CarrySave": 0}),
    ("systolic_ws", {"Rows": 2, "WeightBuffer": 1, "CarrySave": 0}),
    ("systolic_ws", {"Rows": 8, "WeightBuffer": 0, "CarrySave": 1}),
    ("matrix2d", {"Rows": 8, "Pipeline": 0, "ResultBuffer": 1, "CarrySave": 0}),
    ("cube", {"Rows": 2, "Depth": 4, "Reduction": 0, "Pipeline": 1, "ResultBuffer": 0, "CarrySave": 1}),
    ("adder_tree", {"Depth": 4, "Reduction": 0, "Pipeline": 0, "ResultBuffer": 1, "CarrySave": 0}),
]
LENGTHS = (1, 7, 40)  # beats of a tile: shorter than an engine's latency, about as long, longer


def beats(engine: str, p: Parameters, length: int, tiles: int) -> Streams:
    """Zeros: tiles of some length."""
    if engine == "systolic_ws":
        weights = np.zeros((p["Rows"], p["Cols"]), dtype=np.int64)
        return stimuli.ws_tiles(p, [(weights, np.zeros((length, p["Rows"]), dtype=np.int64))] * tiles)
    a = np.zeros((length, p.get("Rows", 1) * p.get("Depth", 1)), dtype=np.int64)
    return stimuli.os_tiles(p, [(a, np.zeros((length, p["Cols"] * p.get("Depth", 1)), dtype=np.int64))] * tiles)


def gemm(engine: str, p: Parameters, length: int, tiles: int) -> Gemm:
    """A product that has just these tiles."""
    if engine == "systolic_ws":
        return Gemm("", length, p["Cols"] * tiles, p["Rows"])
    return Gemm("", p.get("Rows", 1) * tiles, p["Cols"], length * p.get("Depth", 1))


@pytest.mark.parametrize(("engine", "extra"), POINTS, ids=lambda each: each if isinstance(each, str) else "")
def test_cycles_of_the_rtl(engine: str, extra: dict[str, int], tmp_path: Path) -> None:
    unit, p = block(engine), BASE | extra
    cases = [(length, tiles) for length in LENGTHS for tiles in (1, 4)]
    parts = []
    for length, tiles in cases:
        inputs = beats(engine, p, length, tiles)
        parts.append(Part(f"{length} x {tiles}", inputs, unit.golden(p, inputs)))
    program = build_verilator(unit.top, list(unit.paths()), p)
    ran = simulate(program, unit.top, plan_of(unit, p, parts, np.random.default_rng(0)), tmp_path, seed=1, seconds=60)
    assert not ran.fault
    measured = [seen["cycles"] for seen in ran.record]
    assert measured == [tiling(engine, p, [gemm(engine, p, *case)]).cycles for case in cases]


def test_long_tiles_fill_an_engine() -> None:
    p = {"Rows": 16, "Cols": 16, "CarrySave": 0, "Pipeline": 0, "ResultBuffer": 1, "WeightBuffer": 1}
    for engine in ("systolic_os", "systolic_ws", "matrix2d"):
        found = tiling(engine, p, workload("gemm:1024x1024x1024"))
        assert found.macs == 1024**3
        assert 0.999 < found.utilisation <= 1
        assert tiling(engine, p, workload("gemm:1x16x16")).utilisation < 0.1
    # Without a copy of the results, K = 1024 steps wait for 16 rows, 16 columns and two registers.
    alone = tiling("systolic_os", p | {"ResultBuffer": 0}, workload("gemm:1024x1024x1024"))
    assert alone.utilisation == pytest.approx(1024 / (1024 + 16 + 17), rel=1e-3)


def test_workloads_ask_for_what_is_known_of_them() -> None:
    # 4.1 billion for ResNet-50 with strides in the 3 x 3 convolutions (torchvision's table of models: 4.09 GFLOPS).
    assert sum(each.macs for each in workload("resnet50")) == pytest.approx(4.09e9, rel=0.005)
    # Weights of BERT base's layers: 12 * (4 + 8) * 768^2 = 84.9 million, each used by 128 tokens; attention beside.
    attention = 12 * 2 * 128 * 128 * 768
    assert sum(each.macs for each in workload("bert")) == 12 * 12 * 768**2 * 128 + attention
    assert workload("gemm:3x4x5")[0].macs == 60


@pytest.mark.parametrize("name", ["gemm:3x4", "gemm:0x4x5", "gemm:axbxc"])
def test_malformed_product(name: str) -> None:
    with pytest.raises(InvalidInput, match="gemm:128x768x768"):
        workload(name)


def test_what_is_not_there() -> None:
    with pytest.raises(UnknownName, match="resnet50"):
        workload("resnet5")
    with pytest.raises(UnknownName, match="systolic_os"):
        tile_period("systolic", BASE, 4)
    with pytest.raises(InvalidInput, match="at least 1 beat"):
        tile_period("cube", BASE, 0)
    with pytest.raises(InvalidInput, match="at least one"):
        tiling("cube", BASE, [])
