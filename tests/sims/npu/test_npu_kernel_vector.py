"""Vector layers of the NPU kernel, fused and alone."""

from __future__ import annotations

import math

import numpy as np
from npu_cases import cycles, design, dram, scored

from archgym.sims.npu import kernel, layout as L
from archgym.sims.npu.layers import conv, gemm, vector
from archgym.sims.npu.table import layer_table


def test_vector_cycles_by_hand():
    row = design(lanes=16, bytes_per_cycle=1e9)
    busy = {  # 64 x 100 elements on 16 lanes: 400 passes over all; a row of 100 sums in 7, then 1 pass
        "add": (vector("v", "add", 6400), 400),
        "softmax": (vector("v", "softmax", 6400, width=100), 3 * 400 + 64 * 2 * (7 + 1)),
        "layernorm": (vector("v", "layernorm", 6400, width=100), 5 * 400 + 64 * (2 * (7 + 1) + 3)),
        "pool": (vector("v", "pool", 6400, window=9), 9 * 400),
        "short rows": (vector("v", "softmax", 6400, width=16), 3 * 400 + 400 * 2),
    }
    for name, (layer, expected) in busy.items():
        assert scored(layer, row)["vector_cycles"] == expected, name
    # One lane adds one element after the other.
    alone = scored(vector("v", "softmax", 30, width=10), design(lanes=1))
    assert alone["vector_cycles"] == 3 * 30 + 3 * 2 * 10


def test_a_fused_layer_costs_only_what_outlasts_the_layer_before():
    row = design(lanes=16)
    matrix = gemm("g", 64, 64, 64)
    alone = scored(matrix, row)
    short = scored([matrix, vector("r", "relu", 64 * 64, fused=True)], row)
    assert cycles(short) == cycles(alone) > 64 * 64 / 16
    assert dram(short) == dram(alone)
    long = scored([matrix, vector("r", "relu", 64 * 64 * 1000, fused=True)], row)
    assert cycles(long) == 64 * 64 * 1000 / 16
    # Two of them share the time that the layer before leaves.
    each = int(cycles(alone)) * 16 * 3 // 4
    two = scored([matrix, *(vector(name, "relu", each, fused=True) for name in "ab")], row)
    assert cycles(two) == 2 * math.ceil(each / 16)


def test_a_network_is_the_sum_of_its_layers():
    layers = [
        gemm("a", 100, 30, 20),
        vector("s", "softmax", 3000, width=30),
        conv("c", in_h=9, in_w=9, in_c=4, out_c=8, kernel=3),
    ]
    row = design()
    out = np.zeros((3, L.OUTS))
    kernel.by_layer(layer_table(layers), row, out)
    assert list(out.sum(axis=0)) == list(scored(layers, row).values())
    for layer, each in zip(layers, out, strict=True):
        assert list(each) == list(scored(layer, row).values())
