"""A network as the table the kernel reads: one row a layer (`layout.LAYER_NAMES`)."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from archgym.errors import InvalidInput
from archgym.sims.npu import layout as L
from archgym.sims.npu.layers import Layer

__all__ = ["VECTOR_COSTS", "layer_table", "touched_ifmap"]

VECTOR_COSTS = MappingProxyType(
    {
        # operation: vector operations per element, adder-tree passes per reduction, scalar operations per reduction
        "activation": (1, 0, 0),
        "relu": (1, 0, 0),
        "gelu": (1, 0, 0),
        "add": (1, 0, 0),
        "mul": (1, 0, 0),
        "pool": (1, 0, 0),  # and as many times as the window has inputs
        "softmax": (3, 2, 0),  # subtract, exponentiate, scale; a maximum and a sum
        "layernorm": (5, 2, 3),  # 2 additions, 3 multiplications; 2 sums; 2 scalar multiplications and a square root
    }
)
"""Each one cycle per pass over the lanes, as NeuPIMs and ONNXim count (PSAL-POSTECH/ONNXim, revision a1e8629,
src/SystolicWS.cc get_vector_compute_cycles and configs/systolic_ws_*: every vector latency 1)."""


def layer_table(layers: Sequence[Layer]) -> NDArray[np.float64]:
    """float64[layers, columns].

    Raises:
        InvalidInput: for a network without layers, or one that begins with a fused layer.
    """
    if not layers:
        raise InvalidInput("a network needs at least one layer, got none")
    if layers[0].fused:
        raise InvalidInput(f"layer {layers[0].name!r} is fused with the previous layer, but it is the first")
    return np.array([_vector(layer) if layer.kind == "vector" else _matrix(layer) for layer in layers])


def touched_ifmap(layer: Layer) -> int:
    """Distinct input elements that one instance of a layer reads.

    Of a convolution: rows and columns under some window; strides above the kernel leave some out, padding is not read.
    """
    if layer.kind == "gemm":
        return layer.rows * layer.k
    high = _under(layer.in_h, layer.out_h, layer.kernel_h, layer.stride_h, layer.dilation_h, layer.pad_top)
    wide = _under(layer.in_w, layer.out_w, layer.kernel_w, layer.stride_w, layer.dilation_w, layer.pad_left)
    # A window may lie in the padding altogether; the layer still reads something.
    return max(1, layer.batch * high * wide * (layer.in_c // layer.groups))


def _under(size: int, outputs: int, kernel: int, stride: int, dilation: int, pad: int) -> int:
    places = stride * np.arange(outputs)[:, None] + dilation * np.arange(kernel)[None, :] - pad
    return len(np.unique(places[(places >= 0) & (places < size)]))


def _matrix(layer: Layer) -> list[float]:
    row = dict.fromkeys(L.LAYER_NAMES, 0.0)
    row |= {"kind": L.MATRIX, "m": layer.rows, "n": layer.n, "k": layer.k, "instances": layer.instances}
    row["ifmap"] = touched_ifmap(layer)
    return [float(row[name]) for name in L.LAYER_NAMES]


def _vector(layer: Layer) -> list[float]:
    passes, trees, scalars = VECTOR_COSTS[layer.operation]
    row = dict.fromkeys(L.LAYER_NAMES, 0.0)
    row |= {"kind": L.FUSED if layer.fused else L.VECTOR, "elements": layer.elements, "reads": layer.ifmap_elements}
    row |= {"width": layer.width, "passes": passes * layer.window, "trees": trees, "scalars": scalars}
    return [float(row[name]) for name in L.LAYER_NAMES]
