"""Every block of the library passes its benches."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from archgym.rtl.bench.points import cost, points
from archgym.rtl.bench.run import run
from archgym.rtl.bench.suite import FULL_SCOPE, QUICK_SCOPE, run_block
from archgym.rtl.library import blocks

every_block = pytest.mark.parametrize("block", blocks().values(), ids=lambda block: block.name)


@every_block
def test_a_block_passes_at_its_smallest_and_at_another_point(block):
    report = run_block(block, QUICK_SCOPE)
    assert report.failures == []
    assert report.points == 2
    assert report.beats > 100


@pytest.mark.slow
@every_block
def test_a_block_passes_at_extremes_and_a_sample_and_every_planted_fault_is_noticed(block):
    report = run_block(block, FULL_SCOPE)
    assert report.failures == []
    assert report.killed == report.mutants
    assert report.mutants > 0


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus Verilog is not installed")
@pytest.mark.parametrize("block", [block for block in blocks().values() if block.icarus], ids=lambda block: block.name)
def test_two_simulators_agree_cycle_by_cycle(block):
    for point in points(block, 3, np.random.default_rng(7), limit=1000):
        if point.get("Width", 0) > 8 and cost(block, point) > 4000:
            continue  # 64 trees of 16 bits: event by event, Icarus does not end within ten minutes
        one, two = (run(block, point, seed=7, simulator=simulator) for simulator in ("verilator", "icarus"))
        assert (one.fault, two.fault) == ("", "")
        assert (one.beats, one.cycles) == (two.beats, two.cycles)
