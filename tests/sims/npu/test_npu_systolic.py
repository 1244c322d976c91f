"""Compute cycles and scratchpad accesses: SCALE-Sim's own numbers, and an array simulated register by register."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from archgym.errors import InvalidInput, UnknownName
from archgym.sims.npu.layers import conv, gemm
from archgym.sims.npu.systolic import DATAFLOWS, compute_cycles, folds, sram_accesses

# Measured with SCALE-Sim v3.0.0 (scalesim-project/SCALE-Sim, revision 1d62b68), configs/scale.cfg with the array and
# dataflow of the row, -i gemm or conv: COMPUTE_REPORT "Total Cycles", DETAILED_ACCESS_REPORT "SRAM ... Reads/Writes".
# "gemm MxNxK"; "conv" as in its topology files: ifmap height, width, filter height, width, channels, filters, stride.
with (Path(__file__).parent / "scalesim_v3.csv").open() as file:
    MEASURED = list(csv.DictReader(file))


def layer_of(text):
    kind, sizes = text.split(" ", 1)
    if kind == "gemm":
        return gemm(text, *(int(size) for size in sizes.split("x")))
    in_h, in_w, kernel_h, kernel_w, channels, filters, stride = (int(size) for size in sizes.split())
    return conv(text, in_h=in_h, in_w=in_w, in_c=channels, out_c=filters, kernel=(kernel_h, kernel_w), stride=stride)


def test_the_table_covers_every_dataflow_and_both_kinds_of_layer():
    cases = {(row["dataflow"], row["layer"].split()[0]) for row in MEASURED}
    assert cases == {(flow, kind) for flow in DATAFLOWS for kind in ("gemm", "conv")}
    assert len(MEASURED) == 144


@pytest.mark.parametrize("dataflow", DATAFLOWS)
def test_cycles_are_those_of_scalesim(dataflow):
    for row in MEASURED:
        if row["dataflow"] != dataflow:
            continue
        layer = layer_of(row["layer"])
        found = compute_cycles(layer.rows, layer.n, layer.k, int(row["rows"]), int(row["cols"]), dataflow)
        assert found == int(row["cycles"]), row


@pytest.mark.parametrize("dataflow", DATAFLOWS)
def test_scratchpad_accesses_are_those_of_scalesim(dataflow):
    for row in MEASURED:
        if row["dataflow"] != dataflow:
            continue
        layer, rows, cols = layer_of(row["layer"]), int(row["rows"]), int(row["cols"])
        ifmap, filters, back, written = sram_accesses(layer.rows, layer.n, layer.k, rows, cols, dataflow)
        assert (ifmap, filters) == (int(row["ifmap_reads"]), int(row["filter_reads"])), row
        if dataflow == "os":  # SCALE-Sim also counts slots of the drain that carry nothing: 9 writes of one output
            assert written == layer.rows * layer.n <= int(row["ofmap_writes"])
            assert back == 0
        else:
            assert written == int(row["ofmap_writes"])
            assert back == written - layer.rows * layer.n  # every sum but the last is read again


# -- an array of registers, one cycle at a time ---------------------------------------------------------------------


def weight_stationary(inputs, weights, rows, cols):
    """One fold of [time, rows] x [rows, cols]: load, stream; returns outputs and cycles until the last one is out.

    Inputs enter row r skewed by r cycles and move right; sums move down and leave below the last row.
    """
    time = len(inputs)
    held = np.zeros((rows, cols))
    cycles = 0
    for step in range(rows):  # weights are pushed in from the top, the last row first
        held = np.vstack([weights[rows - 1 - step][None, :], held[:-1]])
        cycles += 1
    moving, sums, out = np.zeros((rows, cols)), np.zeros((rows, cols)), np.full((time, cols), np.nan)
    found = 0
    for step in range(10 * (time + rows + cols)):
        entering = np.array([inputs[step - r, r] if 0 <= step - r < time else 0.0 for r in range(rows)])
        moving = np.hstack([entering[:, None], moving[:, :-1]])
        sums = np.vstack([np.zeros((1, cols)), sums[:-1]]) + moving * held
        cycles += 1
        for c in range(cols):
            t = step - (rows - 1) - c
            if 0 <= t < time:
                out[t, c] = sums[-1, c]
                found += 1
        if found == time * cols:
            return out, cycles
    raise AssertionError("the array did not finish")


def output_stationary(inputs, weights, rows, cols):
    """One fold of [rows, time] x [time, cols]: both operands move, sums stay; cycles until the last multiplication."""
    time = inputs.shape[1]
    right, down, sums, done = (np.zeros((rows, cols)) for _ in range(4))
    cycles = 0
    while (done < time).any():
        left = np.array([inputs[r, cycles - r] if 0 <= cycles - r < time else 0.0 for r in range(rows)])
        top = np.array([weights[cycles - c, c] if 0 <= cycles - c < time else 0.0 for c in range(cols)])
        right = np.hstack([left[:, None], right[:, :-1]])
        down = np.vstack([top[None, :], down[:-1]])
        sums += right * down
        r, c = np.indices((rows, cols))
        done += (cycles - r - c >= 0) & (cycles - r - c < time)
        cycles += 1
    return sums, cycles


@pytest.mark.parametrize(("rows", "cols", "time"), [(1, 1, 1), (2, 3, 1), (3, 2, 5), (4, 4, 4), (1, 5, 3), (5, 1, 7)])
def test_an_array_of_registers_takes_one_cycle_more_than_scalesim_reports(rows, cols, time):
    rng = np.random.default_rng(rows * 100 + cols * 10 + time)
    inputs, weights = rng.integers(9, size=(time, rows)) + 1.0, rng.integers(9, size=(rows, cols)) + 1.0
    out, cycles = weight_stationary(inputs, weights, rows, cols)
    np.testing.assert_array_equal(out, inputs @ weights)
    assert compute_cycles(time, cols, rows, rows, cols, "ws") == cycles - 1
    # Input stationary is the same machine with the operands exchanged: outputs come out transposed.
    assert compute_cycles(cols, time, rows, rows, cols, "is") == cycles - 1
    left, top = rng.integers(9, size=(rows, time)) + 1.0, rng.integers(9, size=(time, cols)) + 1.0
    sums, cycles = output_stationary(left, top, rows, cols)
    np.testing.assert_array_equal(sums, left @ top)
    assert compute_cycles(rows, cols, time, rows, cols, "os") == cycles - 1


def test_folds_follow_each_other_without_a_gap():
    m, n, k, rows, cols = 6, 5, 7, 3, 2
    total = 0
    for i in range(0, k, rows):
        for j in range(0, n, cols):
            weights = np.zeros((rows, cols))
            weights[: min(rows, k - i), : min(cols, n - j)] = 1.0
            total += weight_stationary(np.ones((m, rows)), weights, rows, cols)[1]
    assert compute_cycles(m, n, k, rows, cols, "ws") == total - 1
    assert folds(np.int64(k), np.int64(n), np.int64(rows), np.int64(cols)) == 9


def test_sizes_broadcast():
    found = compute_cycles(np.arange(1, 4)[:, None], 8, 8, np.array([4, 8]), 4, "ws")
    assert found.shape == (3, 2)
    assert found[2, 1] == compute_cycles(3, 8, 8, 8, 4, "ws")


@pytest.mark.parametrize("sizes", [(0, 1, 1, 1, 1), (1, -2, 1, 1, 1), (1, 1, 1.5, 1, 1), (1, 1, 1, 0, 4)])
def test_sizes_below_one_are_refused(sizes):
    with pytest.raises(InvalidInput, match="whole numbers from 1"):
        compute_cycles(*sizes, "ws")


def test_an_unknown_dataflow_names_the_nearest():
    with pytest.raises(UnknownName, match=r"unknown dataflow 'wss'; did you mean 'ws'\?"):
        compute_cycles(1, 1, 1, 1, 1, "wss")
