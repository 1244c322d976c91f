"""Time of the NPU kernel: levelled transfers slot by slot, and against transfers where they are needed."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from npu_cases import cycles, design, dram, scored

from archgym.errors import InvalidInput
from archgym.sims.npu.events import fold_by_fold
from archgym.sims.npu.layers import conv, gemm, vector
from archgym.sims.npu.systolic import DATAFLOWS


def slot_by_slot(folds, fold_cycles, steady, rate):
    """Each fold needs its share of the transfers; the next share may start when a fold does (the half is free then)."""
    share = Fraction(steady) / folds / Fraction(rate)
    start, arrived, end = Fraction(0), Fraction(0), Fraction(0)
    for fold in range(folds):
        start = max(end, arrived)  # the first fold's operands are there
        arrived = max(arrived, start) + share
        end = start + fold_cycles - (1 if fold == folds - 1 else 0)
    return max(end, arrived)


@pytest.mark.parametrize("dataflow", DATAFLOWS)
@pytest.mark.parametrize("seed", range(20))
def test_cycles_are_those_of_levelled_transfers_slot_by_slot(dataflow, seed):
    rng = np.random.default_rng(1000 + seed)
    m, n, k = (int(size) for size in rng.integers(1, 40, 3))
    rows, cols, rate = int(rng.integers(1, 8)), int(rng.integers(1, 8)), float(rng.choice([0.5, 1, 3, 16, 1000]))
    row = design(
        rows=rows, cols=cols, dataflow=DATAFLOWS.index(dataflow), bytes_per_cycle=rate,
        half_ifmap=64, half_filter=64, half_ofmap=256,
    )  # fmt: skip
    found = scored(gemm("g", m, n, k), row)
    on_rows, on_cols, time = {"ws": (k, n, m), "os": (m, n, k), "is": (k, m, n)}[dataflow]
    high, wide = math.ceil(on_rows / rows), math.ceil(on_cols / cols)
    fold = (0 if dataflow == "os" else rows) + rows + cols - 2 + time
    used, ends = (min(rows, on_rows), min(cols, on_cols)), (on_rows - (high - 1) * rows, on_cols - (wide - 1) * cols)
    # Before: one element of each row, and what stays (or, output stationary, one of each column). After: one of each
    # column (output stationary: the last tile).
    first = sum(used) if dataflow == "os" else used[0] * used[1] + used[0]
    last = ends[0] * ends[1] if dataflow == "os" else ends[1]
    steady = int(dram(found)) - first - last
    middle = slot_by_slot(high * wide, fold, steady, rate)
    expected = math.ceil(first / rate) + math.ceil(middle) + math.ceil(last / rate)
    share = Fraction(steady) / (high * wide) / Fraction(rate)
    if fold - 1 < share < fold:  # the cycle SCALE-Sim leaves out lies in the last fold's slot or beside it
        assert expected - 1 <= cycles(found) <= expected
    else:
        assert cycles(found) == expected


@pytest.mark.parametrize("dataflow", DATAFLOWS)
def test_levelling_moves_the_same_bytes_in_no_more_time_than_bursts(dataflow):
    rng = np.random.default_rng(7)
    layers = [gemm("g", *(int(size) for size in rng.integers(1, 300, 3))) for _ in range(20)]
    layers.append(conv("c", in_h=28, in_w=30, in_c=19, out_c=33, kernel=3, stride=2, padding=1, batch=2))
    for layer in layers:
        row = design(
            rows=int(rng.integers(2, 20)), cols=int(rng.integers(2, 20)), dataflow=DATAFLOWS.index(dataflow),
            half_ifmap=int(rng.integers(64, 1 << 15)), half_filter=int(rng.integers(400, 1 << 15)),
            half_ofmap=int(rng.integers(64, 1 << 15)), bytes_per_cycle=float(2.0 ** rng.integers(0, 8)),
        )  # fmt: skip
        bursts, found = fold_by_fold(layer, row), scored(layer, row)
        assert bursts.total_bytes == pytest.approx(dram(found), rel=1e-12)
        assert cycles(found) - 1 <= bursts.cycles <= 2 * cycles(found)


def test_fold_by_fold_says_what_it_cannot_run():
    for layer, row in (
        (vector("v", "relu", 8), design()), (gemm("g", 2, 2, 2, batch=2), design()),
        (gemm("g", 2, 2, 2), design(arrays=2)),
    ):  # fmt: skip
        with pytest.raises(InvalidInput, match="one GEMM on one array"):
            fold_by_fold(layer, row)
    with pytest.raises(InvalidInput, match="runs one stream, not 9 in 4s"):
        fold_by_fold(gemm("g", 9, 2, 2), design(stream=4))
