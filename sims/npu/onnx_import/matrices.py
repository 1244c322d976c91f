"""ONNX operators that multiply matrices: convolutions, matrix products, attention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from math import prod
from typing import Any

from archgym.errors import InvalidInput, UnknownName
from archgym.sims.npu.layers import Layer, conv, gemm, vector
from archgym.sims.npu.onnx_import.graph import Graph, Node

__all__ = ["attention", "convolution", "gemm_node", "matmul", "product", "transposed_convolution", "weights_of"]

_WEIGHTS = {"QLinearConv": 3, "QLinearMatMul": 3}  # input that holds the second operand, where it is not the second


def weights_of(node: Node) -> str:
    """The second operand's tensor."""
    return node.input(_WEIGHTS.get(node.operator, 1))


def convolution(node: Node, graph: Graph) -> list[Layer]:
    """A 1-D or 2-D convolution; bias rides in the accumulators."""
    images, filters = _planes(node, graph), graph.shapes[weights_of(node)]
    kernel = _pair(node, "kernel_shape", filters[2:])
    if prod(kernel) != prod(filters[2:]):
        raise InvalidInput(f"node {node.name!r} ({node.operator}): a kernel of {kernel}, but filters {list(filters)}")
    stride, dilation = _pair(node, "strides"), _pair(node, "dilations")
    layer = conv(
        node.name, in_h=images[2], in_w=images[3], in_c=images[1], out_c=filters[0], kernel=kernel, stride=stride,
        padding=_padding(node, images[2:], kernel, stride, dilation), dilation=dilation,
        groups=int(node.attributes.get("group", 1)), batch=images[0] * graph.repeats,
    )  # fmt: skip
    if layer.ofmap_elements != graph.elements(node.output) * graph.repeats or filters[1] * layer.groups != images[1]:
        raise InvalidInput(
            f"node {node.name!r} ({node.operator}): filters {list(filters)} in {layer.groups} groups on "
            f"{list(graph.shapes[node.inputs[0]])} do not give {list(graph.shapes[node.output])}"
        )
    return [layer]


def transposed_convolution(node: Node, graph: Graph) -> Layer:
    """Each input pixel times all taps: a 1x1 convolution with kernel_h * kernel_w * out_c outputs, summed later."""
    images, filters = _planes(node, graph), graph.shapes[weights_of(node)]
    groups = int(node.attributes.get("group", 1))
    taps = prod(filters[2:])
    return conv(
        node.name, in_h=images[2], in_w=images[3], in_c=images[1], out_c=taps * filters[1] * groups, kernel=1,
        groups=groups, batch=images[0] * graph.repeats,
    )  # fmt: skip


def gemm_node(node: Node, graph: Graph) -> list[Layer]:
    """Gemm: alpha * A B + beta * C, either operand transposed."""
    a, b = graph.shapes[node.inputs[0]], graph.shapes[node.inputs[1]]
    m, k = reversed(a) if node.attributes.get("transA") else a
    n = b[0] if node.attributes.get("transB") else b[1]
    return [product(node, graph, m, n, k, 1)]


def matmul(node: Node, graph: Graph) -> list[Layer]:
    """Matrix products with NumPy's broadcasting; an operand shared along an axis lengthens the other's matrices."""
    a, b = graph.shapes[node.inputs[0]], graph.shapes[weights_of(node)]
    m = a[-2] if len(a) > 1 else 1
    n = b[-1] if len(b) > 1 else 1
    batch = 1
    for left, right in zip_longest(reversed(a[:-2]), reversed(b[:-2]), fillvalue=1):
        if left == right:
            batch *= left
        else:  # one of them is 1
            m, n = m * left, n * right
    return [product(node, graph, m, n, a[-1], batch)]


def product(node: Node, graph: Graph, m: int, n: int, k: int, batch: int) -> Layer:
    """Repetitions join the rows where the second operand is weights, the columns where the first is."""
    layer = gemm(node.name, m=m, n=n, k=k, batch=batch)
    if weights_of(node) in graph.constants:
        return replace(layer, m=m * graph.repeats)
    if node.inputs[0] in graph.constants:
        return replace(layer, n=n * graph.repeats)
    return replace(layer, batch=batch * graph.repeats)


def attention(node: Node, graph: Graph) -> list[Layer]:
    """Scaled dot products: scores, softmax, values; query heads that share keys share their matrix."""
    query, key, value = (_heads(node, graph, index) for index in range(3))
    past = graph.shapes[node.input(4)][2] if node.input(4) else 0
    samples, heads, queries, size = query
    context = key[2] + past
    if heads % key[1]:
        raise InvalidInput(f"node {node.name!r} (Attention): {heads} query heads do not share {key[1]} key heads")
    batch, rows = samples * key[1] * graph.repeats, queries * (heads // key[1])
    elements = heads * queries * context
    return [
        gemm(f"{node.name}.scores", m=rows, n=context, k=size, batch=batch),
        vector(f"{node.name}.softmax", "softmax", elements, width=context, batch=samples * graph.repeats),
        gemm(f"{node.name}.values", m=rows, n=value[3], k=context, batch=batch),
    ]


def _heads(node: Node, graph: Graph, index: int) -> tuple[int, int, int, int]:
    """[samples, heads, tokens, head size] of query, key or value, also where the heads lie side by side."""
    shape = graph.shapes[node.inputs[index]]
    if len(shape) == 4:
        return shape[0], shape[1], shape[2], shape[3]
    heads = int(node.attributes.get("q_num_heads" if index == 0 else "kv_num_heads", 0))
    if len(shape) != 3 or not heads or shape[2] % heads:
        raise InvalidInput(f"node {node.name!r} (Attention): {list(shape)} does not divide into {heads} heads")
    return shape[0], heads, shape[1], shape[2] // heads


def _planes(node: Node, graph: Graph) -> tuple[int, int, int, int]:
    """[images, channels, height, width] of the input; one dimension is a plane of height 1."""
    shape = graph.shapes[node.inputs[0]]
    if len(shape) == 3:
        return shape[0], shape[1], 1, shape[2]
    if len(shape) == 4:
        return shape[0], shape[1], shape[2], shape[3]
    raise InvalidInput(
        f"node {node.name!r} ({node.operator}): a {len(shape) - 2}-D convolution; allowed: 1-D and 2-D ones"
    )


def _pair(node: Node, attribute: str, default: Sequence[int] = ()) -> tuple[int, int]:
    """A size per axis, height 1 first for one dimension."""
    sizes = [int(size) for size in node.attributes.get(attribute, default)] or [1, 1]
    return (1, sizes[0]) if len(sizes) == 1 else (sizes[0], sizes[1])


def _padding(
    node: Node, sizes: Sequence[int], kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> tuple[int, int, int, int]:
    """Top, left, bottom, right."""
    mode: Any = node.attributes.get("auto_pad", "NOTSET")
    if mode in {"NOTSET", ""}:
        pads = [int(pad) for pad in node.attributes.get("pads", (0, 0, 0, 0))]
        return (0, pads[0], 0, pads[1]) if len(pads) == 2 else (pads[0], pads[1], pads[2], pads[3])
    if mode == "VALID":
        return 0, 0, 0, 0
    if mode not in {"SAME_UPPER", "SAME_LOWER"}:
        raise UnknownName(f"padding of node {node.name!r}", str(mode), ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"))
    begin, end = [], []
    for size, taps, step, distance in zip(sizes, kernel, stride, dilation, strict=True):
        span = (-(-size // step) - 1) * step + distance * (taps - 1) + 1
        total = max(0, span - size)  # so that there are ceil(size / step) outputs
        begin.append(total // 2 if mode == "SAME_UPPER" else total - total // 2)
        end.append(total - begin[-1])
    return begin[0], begin[1], end[0], end[1]
