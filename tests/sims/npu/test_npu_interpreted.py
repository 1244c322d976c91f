"""The kernels without the compiler: the same numbers to the last bit.

Run as a script, this file prints the numbers it gets.
"""

from __future__ import annotations

import numpy as np
from interpreted import answer, interpreted

from archgym.sims.npu import kernel, layout as L
from archgym.sims.npu.layers import conv, gemm, vector
from archgym.sims.npu.table import layer_table


def draw(rng, below, n):
    return [int(value) for value in rng.integers(1, below, n)]


def numbers():
    """Results of random layers and designs, as hexadecimal floats: exact."""
    rng = np.random.default_rng(3)
    layers = [gemm("g", *draw(rng, 500, 3), batch=draw(rng, 5, 1)[0]) for _ in range(12)]
    layers += [vector("s", "softmax", 5000, width=500), vector("r", "relu", 90, fused=True)]
    layers += [vector("n", "layernorm", 64, width=8)]
    layers += [conv("c", in_h=20, in_w=20, in_c=12, out_c=12, kernel=3, groups=12, padding=1)]
    rows = np.array(
        [
            [
                *draw(rng, 40, 2),
                *draw(rng, 5, 1),
                flow,
                *draw(rng, 9999, 3),
                rng.random() * 50,
                *draw(rng, 99, 1),
                2,
                *draw(rng, 400, 1),
            ]
            for flow in (0, 1, 2)
            for _ in range(8)
        ]
    )
    out, each = np.zeros((len(rows), L.OUTS)), np.zeros((len(layers), L.OUTS))
    kernel.score(layer_table(layers), rows, out)
    kernel.by_layer(layer_table(layers), rows[0], each)
    return [[float(value).hex() for value in line] for line in (*out, *each)]


def test_interpreted_and_compiled_kernels_agree_to_the_bit():
    assert interpreted(__file__) == numbers()


if __name__ == "__main__":
    answer(numbers)
