"""Single operators: forms of convolutions and products by hand, what folds and fuses, and what is free."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto
from onnx_builder import Builder

from archgym.sims.npu.layers import conv, gemm, vector
from archgym.sims.npu.onnx_import import SUPPORTED, read_onnx


def read(builder, tmp_path, **options):
    return read_onnx(builder.save(tmp_path / "model.onnx"), **options)


def read_one(builder, tmp_path):
    (layer,) = read(builder, tmp_path)
    return layer


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({}, {}),
        ({"strides": [2, 3], "pads": [1, 2, 3, 0]}, {"stride": (2, 3), "padding": (1, 2, 3, 0)}),
        ({"dilations": [3, 1], "auto_pad": "VALID"}, {"dilation": (3, 1)}),
        # 13 x 16 with stride 2: 7 x 8 outputs need (7-1)*2+3-13 = 2 rows and (8-1)*2+5-16 = 3 columns more
        ({"strides": [2, 2], "auto_pad": "SAME_UPPER"}, {"stride": 2, "padding": (1, 1, 1, 2)}),
        ({"strides": [2, 2], "auto_pad": "SAME_LOWER"}, {"stride": 2, "padding": (1, 2, 1, 1)}),
        # with dilation 2 the taps span 5 x 9: (13-1)+5-13 = 4 and (16-1)+9-16 = 8 more
        ({"dilations": [2, 2], "auto_pad": "SAME_UPPER"}, {"dilation": 2, "padding": (2, 4, 2, 4)}),
        # 3 x 3 outputs need 2*6+3-13 = 2 and 2*6+5-16 = 1 more; with stride 8 two windows of 3 end inside the 13
        ({"strides": [6, 6], "auto_pad": "SAME_UPPER"}, {"stride": 6, "padding": (1, 0, 1, 1)}),
        ({"strides": [8, 8], "auto_pad": "SAME_UPPER"}, {"stride": 8, "padding": 0}),
    ],
)
def test_convolutions(tmp_path, attributes, expected):
    b = Builder(x=[2, 8, 13, 16])
    b.op("Conv", "x", b.weight(12, 8, 3, 5), name="c", **attributes)
    shape = {"in_h": 13, "in_w": 16, "in_c": 8, "out_c": 12, "kernel": (3, 5), "batch": 2}
    assert read_one(b, tmp_path) == conv("c", **shape, **expected)


def test_grouped_and_one_dimensional_convolutions(tmp_path):
    b = Builder(x=["N", 6, 50])
    x = b.op("Conv", "x", b.weight(9, 2, 7), name="c", group=3, strides=[2], pads=[3, 1], dilations=[2])
    b.op("Conv", x, b.weight(9, 1, 3), name="d", group=9, auto_pad="SAME_UPPER")
    # 50 + 4 - 2*6 = 42 window positions more than the first, every second one: 21 + 1
    shape = {"in_h": 1, "in_c": 6, "out_c": 9, "groups": 3, "batch": 4}
    first = conv("c", in_w=50, kernel=(1, 7), stride=(1, 2), dilation=(1, 2), padding=(0, 3, 0, 1), **shape)
    assert first.out_w == 21
    shape = {"in_h": 1, "in_c": 9, "out_c": 9, "groups": 9, "batch": 4}
    second = conv("d", in_w=21, kernel=(1, 3), padding=(0, 1, 0, 1), **shape)
    assert read(b, tmp_path, batch=4) == (first, second)


def test_transposed_convolutions_multiply_every_pixel_by_every_tap(tmp_path):
    b = Builder(x=[1, 16, 5, 6])
    b.op("ConvTranspose", "x", b.weight(16, 4, 4, 4), name="up", strides=[2, 2], pads=[1, 1, 1, 1], group=2)
    product, total = read(b, tmp_path)
    assert product.macs == 5 * 6 * 16 * 4 * 4 * 4
    assert product.filter_elements == 16 * 4 * 4 * 4
    assert total.elements == 8 * 10 * 12
    assert total.window * total.elements == product.ofmap_elements  # every product is added once


@pytest.mark.parametrize("transpose", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_gemm(tmp_path, transpose):
    b = Builder(x=[7, 9][:: -1 if transpose[0] else 1])
    weight = b.weight(*[9, 4][:: -1 if transpose[1] else 1])
    b.op("Gemm", "x", weight, b.weight(4), name="g", transA=transpose[0], transB=transpose[1])
    assert read_one(b, tmp_path) == gemm("g", m=7, n=4, k=9)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ((5, 7), (7, 3), (5, 3, 7, 1)),
        ((7,), (7, 3), (1, 3, 7, 1)),
        ((5, 7), (7,), (5, 1, 7, 1)),
        ((2, 4, 5, 7), (2, 4, 7, 3), (5, 3, 7, 8)),
        ((2, 4, 5, 7), (7, 3), (40, 3, 7, 1)),  # shared second operand: more rows
        ((5, 7), (2, 4, 7, 3), (5, 24, 7, 1)),  # shared first operand: more columns
        ((2, 4, 5, 7), (4, 7, 3), (10, 3, 7, 4)),
        ((1, 4, 5, 7), (6, 1, 7, 3), (20, 18, 7, 1)),  # every pair
    ],
)
def test_products_of_activations_broadcast(tmp_path, left, right, expected):
    b = Builder(a=list(left), b=list(right))
    b.op("MatMul", "a", "b", name="p")
    m, n, k, batch = expected
    assert read_one(b, tmp_path) == gemm("p", m=m, n=n, k=k, batch=batch)


@pytest.mark.parametrize(
    ("equation", "left", "right", "expected"),
    [
        ("bhid,bhjd->bhij", (2, 3, 5, 7), (2, 3, 4, 7), (5, 4, 7, 6)),
        ("bhij, bhjd -> bihd", (2, 3, 5, 4), (2, 3, 4, 7), (5, 7, 4, 6)),
        ("btd,dhk->bthk", (2, 5, 7), (7, 3, 4), (10, 12, 7, 1)),
        ("ij,jk", (5, 7), (7, 4), (5, 4, 7, 1)),
        ("i,j->ij", (5,), (4,), (5, 4, 1, 1)),
        ("bi,bi->b", (6, 5), (6, 5), (1, 1, 5, 6)),
    ],
)
def test_einsums_of_two_tensors_are_products(tmp_path, equation, left, right, expected):
    b = Builder(a=list(left), b=list(right))
    b.op("Einsum", "a", "b", name="e", equation=equation)
    layer = read_one(b, tmp_path)
    m, n, k, batch = expected
    assert layer == gemm("e", m=m, n=n, k=k, batch=batch)
    assert layer.ofmap_elements == np.einsum(equation, np.zeros(left), np.zeros(right)).size


def test_a_repeated_graph_shares_weights_and_nothing_else(tmp_path):
    b = Builder(x=[1, 4, 8], y=[1, 8, 5])
    b.op("MatMul", "x", b.weight(8, 6), name="weights right")
    b.op("MatMul", b.weight(6, 4), "x", name="weights left")
    b.op("MatMul", "x", "y", name="activations")
    right, left, both = read(b, tmp_path, batch=3)
    assert (right.m, right.n, right.batch) == (12, 6, 1)
    assert (left.m, left.n, left.batch) == (6, 24, 1)
    assert (both.m, both.n, both.batch) == (4, 5, 3)


def test_quantised_operators_are_their_exact_selves(tmp_path):
    b = Builder(x=(TensorProto.UINT8, ["N", 3, 8, 8]))
    s, z = b.constant(0.5, np.float32), b.constant(3, np.uint8)
    x = b.op("QLinearConv", "x", s, z, b.weight(4, 3, 3, 3, kind=TensorProto.UINT8), s, z, s, z, name="c")
    x = b.op("Reshape", x, b.constant([-1, 144]))
    x = b.op("QLinearMatMul", x, s, z, b.weight(144, 5, kind=TensorProto.UINT8), s, z, s, z, name="m")
    b.op("MatMulInteger", x, b.weight(5, 2, kind=TensorProto.UINT8), name="i")
    first = conv("c", in_h=8, in_w=8, in_c=3, out_c=4, kernel=3, batch=2)
    assert read(b, tmp_path, batch=2) == (first, gemm("m", 2, 5, 144), gemm("i", 2, 2, 5))


def test_scales_of_quantised_networks_are_fused_or_free(tmp_path):
    b = Builder(x=[1, 3, 8, 8])
    s, z = b.constant(0.5, np.float32), b.constant(0, np.int8)
    x = b.op("DequantizeLinear", b.op("QuantizeLinear", "x", s, z, name="q"), s, z)
    w = b.op("DequantizeLinear", b.weight(4, 3, 3, 3, kind=TensorProto.INT8), s, z)
    x = b.op("QuantizeLinear", b.op("Relu", b.op("Conv", x, w, name="c"), name="r"), s, z, name="q2")
    layers = read(b, tmp_path)
    assert [(x.name, x.fused) for x in layers] == [("q", False), ("c", False), ("r", True), ("q2", True)]


@pytest.mark.parametrize(
    ("heads", "key_heads", "past"),
    [(8, 8, 0), (8, 2, 0), (8, 2, 30)],
)
def test_attention_as_one_operator(tmp_path, heads, key_heads, past):
    b = Builder(
        opset=23, q=["N", 5, heads * 16], k=["N", 9, key_heads * 16], v=["N", 9, key_heads * 12],
        pk=["N", key_heads, past or 1, 16], pv=["N", key_heads, past or 1, 12],
    )  # fmt: skip
    cache = ["", "pk", "pv"] if past else []
    count = 3 if past else 1
    b.op("Attention", "q", "k", "v", *cache, outputs=count, name="a", q_num_heads=heads, kv_num_heads=key_heads)
    context, shared = 9 + past, heads // key_heads
    assert read(b, tmp_path, batch=2) == (
        gemm("a.scores", m=5 * shared, n=context, k=16, batch=2 * key_heads),
        vector("a.softmax", "softmax", heads * 5 * context, width=context, batch=2),
        gemm("a.values", m=5 * shared, n=12, k=context, batch=2 * key_heads),
    )


@pytest.mark.parametrize(
    ("operator", "attributes", "opset", "expected"),
    [
        ("MaxPool", {"kernel_shape": [3, 2], "strides": [2, 2]}, 17, ("pool", 2 * 6 * 3 * 4, 0, 6)),
        ("AveragePool", {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1}, 17, ("pool", 192, 0, 4)),
        ("GlobalAveragePool", {}, 17, ("pool", 12, 0, 56)),
        ("ReduceMean", {"axes": [2, 3]}, 17, ("pool", 12, 0, 56)),
        ("ArgMax", {"axis": 1}, 17, ("pool", 112, 0, 6)),
        ("LRN", {"size": 5}, 17, ("pool", 672, 0, 5)),
        ("Softmax", {}, 17, ("softmax", 672, 8, 1)),
        ("Softmax", {"axis": 1}, 17, ("softmax", 672, 6, 1)),
        ("Softmax", {"axis": 1}, 11, ("softmax", 672, 336, 1)),  # before 13: all axes from this one on
        ("LogSoftmax", {"axis": -2}, 17, ("softmax", 672, 7, 1)),
        ("MeanVarianceNormalization", {}, 17, ("layernorm", 672, 112, 1)),
        ("LpNormalization", {"axis": 2}, 17, ("layernorm", 672, 7, 1)),
        ("Gelu", {}, 20, ("gelu", 672, 0, 1)),
        ("HardSwish", {}, 17, ("activation", 672, 0, 1)),
        ("Sigmoid", {}, 17, ("activation", 672, 0, 1)),
        ("Abs", {}, 17, ("relu", 672, 0, 1)),
    ],
)
def test_vector_layers(tmp_path, operator, attributes, opset, expected):
    b = Builder(opset=opset, x=[2, 6, 7, 8], y=[1, 1])
    result = b.op(operator, "x", name="v", **attributes)
    b.op("MatMul", "y", b.weight(1, 1), name="p")
    layers = read_onnx(b.save(tmp_path / "model.onnx", result, b.nodes[-1].output[0]))
    (layer,) = (x for x in layers if x.name == "v")
    assert (layer.operation, layer.elements, layer.width, layer.window) == expected
    assert not layer.fused


@pytest.mark.parametrize(
    ("operator", "weights", "attributes", "opset", "width"),
    [
        ("LayerNormalization", [(8,), (8,)], {}, 17, 8),
        ("LayerNormalization", [(6, 7, 8)], {"axis": 1}, 17, 336),
        ("RMSNormalization", [(8,)], {}, 23, 8),
        ("InstanceNormalization", [(6,), (6,)], {}, 17, 56),
        ("GroupNormalization", [(6,), (6,)], {"num_groups": 3}, 21, 112),
    ],
)
def test_normalisations(tmp_path, operator, weights, attributes, opset, width):
    b = Builder(opset=opset, x=[2, 6, 7, 8])
    x = b.op("MatMul", "x", b.weight(8, 8), name="p")
    b.op(operator, x, *(b.weight(*dims) for dims in weights), name="v", **attributes)
    layers = read(b, tmp_path)
    assert layers[1] == vector("v", "layernorm", 336, width=width, batch=2)


@pytest.mark.parametrize(("mode", "window"), [("nearest", None), ("linear", 4), ("cubic", 16)])
def test_resizing(tmp_path, mode, window):
    b = Builder(x=[1, 3, 8, 8])
    x = b.op("Conv", "x", b.weight(4, 3, 1, 1), name="c")
    b.op("Resize", x, "", b.constant([1, 1, 2, 2], np.float32), mode=mode, name="r")
    resized = () if window is None else (vector("r", "pool", 4 * 16 * 16, window=window),)
    assert read(b, tmp_path)[1:] == resized


def test_elementwise_functions_are_fused_with_what_only_they_read(tmp_path):
    b = Builder(x=["N", 3, 8, 8])
    x = b.op("Conv", "x", b.weight(4, 3, 1, 1), name="c")
    y = b.op("Reshape", b.op("Relu", x, name="fused"), b.constant([0, -1]))
    y = b.op("Sigmoid", y, name="behind a reshape")
    b.op("Add", y, b.op("MatMul", y, b.weight(256, 256), name="m"), name="two readers")
    layers = read(b, tmp_path)
    assert [(x.name, x.fused) for x in layers] == [
        ("c", False), ("fused", True), ("behind a reshape", True), ("m", False), ("two readers", False),
    ]  # fmt: skip


def test_fused_layers_follow_their_producer_whatever_the_order_of_the_nodes(tmp_path):
    b = Builder(x=["N", 16])
    first, second = (b.op("MatMul", "x", b.weight(16, 16), name=name) for name in ("a", "b"))
    b.op("Add", b.op("Relu", first, name="ra"), b.op("Tanh", second, name="tb"), name="sum")
    assert [x.name for x in read(b, tmp_path)] == ["a", "ra", "b", "tb", "sum"]


def test_bias_and_batch_normalisation_fold_into_weights_only(tmp_path):
    b = Builder(x=["N", 4, 8], y=["N", 8, 4])
    x = b.op("Add", b.op("MatMul", "x", b.weight(8, 8), name="weights"), b.weight(8), name="bias")
    x = b.op("Add", b.op("MatMul", x, "y", name="activations"), b.weight(4), name="mask")
    x = b.op("Add", b.op("MatMul", x, b.weight(4, 512), name="wide"), b.weight(4, 512), name="positions")
    layers = read(b, tmp_path)
    assert [x.name for x in layers] == ["weights", "activations", "mask", "wide", "positions"]
    assert [x.name for x in layers if x.fused] == ["mask", "positions"]


def test_what_depends_on_no_input_is_computed_beforehand(tmp_path):
    b = Builder(x=["N", 8])
    folded = b.op("MatMul", b.weight(8, 64), b.weight(64, 8), name="before")
    b.op("MatMul", "x", b.op("Relu", folded, name="also before"), name="p")
    assert read(b, tmp_path, batch=2) == (gemm("p", 2, 8, 8),)


def test_data_movement_is_free(tmp_path):
    b = Builder(x=["N", 8, 6, 6])
    x, y = b.op("Split", "x", outputs=2, axis=1)
    x = b.op("Concat", b.op("Slice", x, b.constant([0]), b.constant([3]), b.constant([2])), y, axis=2)
    x = b.op("Pad", b.op("Transpose", x, perm=[0, 1, 3, 2]), b.constant([0, 0, 1, 1, 0, 0, 1, 1]))
    x = b.op("DepthToSpace", x, blocksize=2)
    b.op("Conv", b.op("Identity", x), b.weight(5, 1, 3, 3), name="c")
    # channels 4 -> 1, height (6 + 2) * 2, width (3 + 6 + 2) * 2
    assert read_one(b, tmp_path) == conv("c", in_h=16, in_w=22, in_c=1, out_c=5, kernel=3)


def silu(b, x):
    return b.op("Mul", x, b.op("Sigmoid", x), name="end")


def hard_swish(b, x):
    three, six = b.constant(3, np.float32), b.constant(6, np.float32)
    clipped = b.op("Clip", b.op("Add", x, three), b.constant(0, np.float32), six)
    return b.op("Div", b.op("Mul", x, clipped), six, name="end")


def gelu_tanh(b, x):
    c = [b.constant(v, np.float32) for v in (3, 0.044715, 0.79788, 1, 0.5)]
    inner = b.op("Add", x, b.op("Mul", b.op("Pow", x, c[0]), c[1]))
    curve = b.op("Add", b.op("Tanh", b.op("Mul", inner, c[2])), c[3])
    return b.op("Mul", b.op("Mul", x, c[4]), curve, name="end")


def rms_norm(b, x):
    mean = b.op("ReduceMean", b.op("Pow", x, b.constant(2, np.float32)), axes=[-1])
    root = b.op("Sqrt", b.op("Add", mean, b.constant(1e-6, np.float32)))
    return b.op("Mul", b.op("Div", x, root), b.weight(32), name="end")


def softmax(b, x):
    grown = b.op("Exp", b.op("Sub", x, b.op("ReduceMax", x, axes=[-1])))
    return b.op("Div", grown, b.op("ReduceSum", grown, b.constant([-1])), name="end")


@pytest.mark.parametrize(
    ("write", "operation", "width", "fused"),
    [
        (silu, "activation", 0, True),
        (hard_swish, "activation", 0, True),
        (gelu_tanh, "gelu", 0, True),
        (rms_norm, "layernorm", 32, False),
        (softmax, "softmax", 32, False),
    ],
)
def test_functions_written_in_parts_are_one_pass(tmp_path, write, operation, width, fused):
    b = Builder(x=["N", 10, 32])
    x = b.op("MatMul", "x", b.weight(32, 32), name="p")
    b.op("MatMul", write(b, x), b.weight(32, 8), name="q")
    expected = vector("end", operation, 320, width=width, fused=fused, batch=2)
    assert read(b, tmp_path, batch=2) == (gemm("p", 20, 32, 32), expected, gemm("q", 20, 8, 32))


def test_two_functions_in_a_row_are_two_passes(tmp_path):
    b = Builder(x=["N", 10, 32])
    x = b.op("MatMul", "x", b.weight(32, 32), name="p")
    for write in (rms_norm, silu, gelu_tanh, silu):
        x = write(b, x)
    b.op("Relu", x, name="r")
    layers = read(b, tmp_path)
    assert [(x.operation, x.fused) for x in layers[1:]] == [
        ("layernorm", False), ("activation", True), ("gelu", True), ("activation", True), ("relu", True),
    ]  # fmt: skip


def test_a_mean_without_its_axes_kept_stays_in_parts(tmp_path):
    b = Builder(x=["N", 1, 10, 32])
    x = b.op("MatMul", "x", b.weight(32, 32), name="p")
    b.op("Mul", x, b.op("Sqrt", b.op("ReduceMean", x, axes=[1], keepdims=0)), name="end")
    assert [x.operation for x in read(b, tmp_path)[1:]] == ["pool", "activation", "mul"]


def test_sparse_weights_are_weights(tmp_path):
    from onnx import helper

    b = Builder(x=["N", 8])
    b.op("MatMul", "x", "sparse", name="p")
    model = b.model()
    values = helper.make_tensor("sparse", TensorProto.FLOAT, [2], [1.0, 2.0])
    places = helper.make_tensor("places", TensorProto.INT64, [2], [3, 17])
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, places, [8, 5]))
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    assert read_onnx(tmp_path / "model.onnx", batch=2) == (gemm("p", 2, 5, 8),)


def test_parts_read_elsewhere_stay_parts(tmp_path):
    b = Builder(x=["N", 32])
    x = b.op("MatMul", "x", b.weight(32, 32), name="p")
    gate = b.op("Sigmoid", x, name="gate")
    b.op("MatMul", gate, b.weight(32, 8), name="q")
    b.op("Mul", x, gate, name="end")
    assert [x.name for x in read(b, tmp_path)] == ["p", "gate", "q", "end"]


def test_functions_defined_in_the_file_are_inlined(tmp_path):
    from onnx import helper

    b = Builder(x=["N", 16])
    b.nodes.append(helper.make_node("Dense", ["x", b.weight(16, 4)], ["y"], domain="own"))
    model = b.model("y")
    versions = [helper.make_opsetid("", 17)]
    parts = [helper.make_node("MatMul", ["a", "w"], ["h"]), helper.make_node("Relu", ["h"], ["o"])]
    model.functions.append(helper.make_function("own", "Dense", ["a", "w"], ["o"], parts, versions))
    model.opset_import.append(helper.make_opsetid("own", 1))
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    product, relu = read_onnx(tmp_path / "model.onnx", batch=3)
    assert (product.m, product.n, product.k, relu.elements, relu.fused) == (3, 4, 16, 12, True)


def test_supported_operators_exist():
    from onnx import defs

    assert {schema.name for schema in defs.get_all_schemas() if not schema.domain} >= SUPPORTED
