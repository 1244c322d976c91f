"""What holds for every layer and every NPU design."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings, strategies as st
from npu_cases import cycles, design, dram, scored

from archgym.sims.npu import layout as L
from archgym.sims.npu.layers import conv, gemm, vector
from archgym.sims.npu.systolic import DATAFLOWS, compute_cycles, sram_accesses
from archgym.sims.npu.table import layer_table

HALVES = (L.D_IFMAP, L.D_FILTER, L.D_OFMAP)


SIZE = st.integers(1, 300)
LAYERS = st.one_of(
    st.builds(lambda m, n, k, batch: gemm("g", m, n, k, batch), SIZE, SIZE, SIZE, st.integers(1, 5)),
    st.builds(
        lambda side, kernel, stride, dilation, depth, wide, groups, batch: conv(
            "c", in_h=side, in_w=side + 3, in_c=depth * groups, out_c=wide * groups, kernel=kernel, stride=stride,
            padding=dilation * (kernel // 2), dilation=dilation, groups=groups, batch=batch),
        st.integers(5, 40), st.integers(1, 4), st.integers(1, 3), st.integers(1, 2), st.integers(1, 20),
        st.integers(1, 40), st.integers(1, 6), st.integers(1, 3)),
    st.builds(lambda rows, width: vector("v", "softmax", rows * width, width=width), SIZE, SIZE),
    st.builds(lambda size: vector("v", "add", size), SIZE),
)  # fmt: skip
DESIGNS = st.builds(
    lambda rows, cols, arrays, flow, ifmap, filters, ofmap, link, lanes, element, stream: design(
        rows=rows, cols=cols, arrays=arrays, dataflow=flow, half_ifmap=ifmap, half_filter=filters, half_ofmap=ofmap,
        bytes_per_cycle=link, lanes=lanes, element_bytes=element, stream=stream),
    st.integers(1, 70), st.integers(1, 70), st.sampled_from([1, 2, 3, 4, 8]), st.integers(0, 2),
    st.integers(1, 1 << 20), st.integers(1, 1 << 20), st.integers(1, 1 << 20), st.floats(0.01, 5000),
    st.sampled_from([1, 8, 64]), st.sampled_from([1, 2]), st.sampled_from([1, 7, 64, 1 << 30]),
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(LAYERS, DESIGNS)
def test_nothing_is_negative_and_what_must_move_moves(layer, row):
    found = scored(layer, row)
    assert all(value >= 0 for value in found.values())
    assert cycles(found) == int(cycles(found))
    element = row[L.D_ELEMENT]
    assert found["macs"] == layer.macs <= cycles(found) * row[L.D_ROWS] * row[L.D_COLS] * row[L.D_ARRAYS]
    assert dram(found) <= cycles(found) * row[L.D_LINK] * (1 + 1e-9)
    if layer.kind == "vector":
        assert found["dram_vector_read"] == layer.ifmap_elements * element
        assert found["dram_vector_write"] == layer.ofmap_elements * element
        return
    assert found["dram_ifmap"] >= layer_table([layer])[0, L.L_IFMAP] * layer.instances * element
    assert found["dram_filter"] >= layer.filter_elements * element
    assert found["dram_ofmap_write"] >= layer.ofmap_elements * element
    assert found["dram_ofmap_read"] == pytest.approx(found["dram_ofmap_write"] - layer.ofmap_elements * element)


@settings(max_examples=400, deadline=None)
@given(LAYERS, DESIGNS, st.sampled_from(HALVES), st.floats(1, 8))
def test_a_larger_scratchpad_is_never_slower_and_never_moves_more(layer, row, pad, factor):
    larger = row.copy()
    larger[pad] = math.floor(row[pad] * factor)
    small, large = scored(layer, row), scored(layer, larger)
    assert cycles(large) <= cycles(small)
    assert large["stall_cycles"] <= small["stall_cycles"]
    if row[L.D_ARRAYS] == 1:  # several may then share a layer in a way that is faster and moves more
        assert dram(large) <= dram(small) * (1 + 1e-12)
    assert large["compute_cycles"] == small["compute_cycles"]


@settings(max_examples=400, deadline=None)
@given(LAYERS, DESIGNS, st.floats(1, 100))
def test_more_bandwidth_is_never_slower_and_one_array_moves_the_same(layer, row, factor):
    faster = row.copy()
    faster[L.D_LINK] *= factor
    slow, fast = scored(layer, row), scored(layer, faster)
    assert cycles(fast) <= cycles(slow)
    assert fast["stall_cycles"] <= slow["stall_cycles"]
    assert fast["compute_cycles"] == slow["compute_cycles"]
    if row[L.D_ARRAYS] == 1:
        assert dram(fast) == dram(slow)


@settings(max_examples=400, deadline=None)
@given(st.lists(LAYERS, min_size=1, max_size=3), DESIGNS)
def test_twice_the_arrays_are_never_slower(layers, row):
    more = row.copy()
    more[L.D_ARRAYS] *= 2
    few, many = scored(layers, row), scored(layers, more)
    assert cycles(many) <= cycles(few)
    assert many["compute_cycles"] <= few["compute_cycles"]


@settings(max_examples=200, deadline=None)
@given(LAYERS, DESIGNS)
def test_with_room_for_everything_only_what_must_move_moves(layer, row):
    if layer.kind == "vector":
        return
    row[list(HALVES)] = 1e12
    found = scored(layer, row)
    compulsory = layer_table([layer])[0, L.L_IFMAP] * layer.instances + layer.filter_elements + layer.ofmap_elements
    assert dram(found) == pytest.approx(compulsory * row[L.D_ELEMENT])


@settings(max_examples=200, deadline=None)
@given(SIZE, SIZE, SIZE, DESIGNS)
def test_one_array_takes_the_closed_form_and_several_never_more(m, n, k, row):
    flow = DATAFLOWS[int(row[L.D_DATAFLOW])]
    row[L.D_STREAM] = 1 << 30
    several = scored(gemm("g", m, n, k), row)
    row[L.D_ARRAYS] = 1
    found = scored(gemm("g", m, n, k), row)
    rows, cols, element = int(row[L.D_ROWS]), int(row[L.D_COLS]), row[L.D_ELEMENT]
    assert found["compute_cycles"] == compute_cycles(m, n, k, rows, cols, flow)
    assert several["compute_cycles"] <= found["compute_cycles"]
    ifmap, filters, back, written = sram_accesses(m, n, k, rows, cols, flow)
    width = element if flow == "os" else L.SUM_BYTES
    assert found["sram_ifmap_read"] == ifmap * element
    assert found["sram_filter_read"] == filters * element
    assert found["sram_ofmap_read"] == back * width
    assert found["sram_ofmap_write"] == written * width


def test_several_arrays_take_the_best_of_their_splits():
    row = design(rows=8, cols=8, arrays=4)
    # n = 32 in four parts of 8: one column fold each; m in four parts of 2 leaves four column folds; both by hand.
    assert scored(gemm("g", 8, 32, 8), row)["compute_cycles"] == 1 * (8 + 8 + 8 - 2 + 8) - 1
    # n = 8 cannot be split over columns of 8, m = 4000 can.
    assert scored(gemm("g", 4000, 8, 8), row)["compute_cycles"] == (22 + 1000) - 1
    # Nine small GEMMs with operands of their own: three rounds of four, each a fold of 22 + 2 cycles.
    assert scored(gemm("g", 2, 8, 8, batch=9), row)["compute_cycles"] == 3 * (22 + 2) - 1


def test_arrays_stay_idle_where_sharing_would_not_fit_the_scratchpads():
    # 64 x 8 sums of 4 bytes fit 2 KiB. Two arrays that share columns or the stream want 4 KiB at once, so that half of
    # the sums would leave and come back over a slow link; one array alone moves what must move only.
    layer = gemm("g", 128, 16, 128)
    row = design(rows=8, cols=8, half_ifmap=1 << 16, half_filter=1 << 16, half_ofmap=64 * 8 * 4, stream=64)
    row[L.D_LINK] = 1.0
    alone = scored(layer, row)
    row[L.D_ARRAYS] = 2
    both = scored(layer, row)
    assert dram(alone) == dram(both) == 128 * 128 + 2 * 128 * 16  # nothing leaves twice
    assert cycles(both) == cycles(alone)
    # What two arrays could do without memory: 16 row folds, one column fold, two streams of 22 + 64.
    assert both["compute_cycles"] == 16 * 2 * (22 + 64) - 1
    assert alone["compute_cycles"] == 2 * (both["compute_cycles"] + 1) - 1
    # A link that hides the sums makes sharing worth it.
    row[L.D_LINK] = 1e9
    assert cycles(scored(layer, row)) == both["compute_cycles"] + 2
