"""Random graphs: nothing is lost between an ONNX file and its layers, whatever the shapes, the order or the batch."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from onnx_builder import Builder, full_shapes

from archgym.sims.npu.onnx_import import read_onnx
from archgym.sims.npu.simulator import SystolicNpu

SIZES = st.integers(1, 3)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("onnx") / "model.onnx"


@st.composite
def steps(draw):
    """What to do next to a feature map; sizes that do not fit are left out when the graph is built."""
    kinds = st.sampled_from(["conv", "conv", "conv", "pool", "relu", "residual", "transpose", "silu"])
    padding = st.one_of(
        st.sampled_from(["SAME_UPPER", "SAME_LOWER", "VALID"]), st.tuples(*[st.integers(0, 2)] * 4).map(list)
    )
    pairs = st.tuples(SIZES, SIZES).map(list)
    fields = {"kernel": pairs, "stride": pairs, "dilation": pairs, "padding": padding}
    numbers = {"groups": st.sampled_from([1, 2, 4]), "channels": st.sampled_from([4, 8, 12])}
    return draw(st.lists(st.fixed_dictionaries({"kind": kinds, **fields, **numbers}), min_size=1, max_size=6))


def feature_network(batch, plan, height, width):
    """A graph of the steps that fit, ending in a classifier, and the number of its products."""
    b = Builder(opset=17, x=[batch, 4, height, width])
    x, channels, h, w, before = "x", 4, height, width, None
    for step in plan:
        kernel, stride, dilation = step["kernel"], step["stride"], step["dilation"]
        if step["kind"] in {"conv", "pool"}:
            pads = step["padding"] if isinstance(step["padding"], list) and step["kind"] == "conv" else None
            mode = step["padding"] if step["kind"] == "conv" and pads is None else "VALID" if pads is None else "NOTSET"
            if step["kind"] == "pool":
                dilation = [1, 1]
            spans = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
            top, left, bottom, right = pads or (0, 0, 0, 0)
            if mode.startswith("SAME"):
                sizes = [-(-h // stride[0]), -(-w // stride[1])]
            else:
                sizes = [
                    (h + top + bottom - spans[0]) // stride[0] + 1,
                    (w + left + right - spans[1]) // stride[1] + 1,
                ]
            if min(sizes) < 1:
                continue
            padding = {"pads": pads} if pads else {"auto_pad": mode}
            if step["kind"] == "conv":
                before = (x, [channels, h, w])
                filters = b.weight(step["channels"], channels // step["groups"], *kernel)
                x = b.op("Conv", x, filters, strides=stride, dilations=dilation, group=step["groups"], **padding)
                channels = step["channels"]
            else:
                x = b.op("MaxPool", x, kernel_shape=kernel, strides=stride, **padding)
            h, w = sizes
        elif step["kind"] == "transpose":
            x, h, w = b.op("Transpose", x, perm=[0, 1, 3, 2]), w, h
        elif step["kind"] == "residual" and before and before[1] == [channels, h, w]:
            x, before = b.op("Add", x, before[0]), None
        elif step["kind"] == "silu":
            x = b.op("Mul", x, b.op("Sigmoid", x))
        else:
            x = b.op("Relu", x)
    flat = b.op("Flatten", x)
    b.op("Gemm", flat, b.weight(channels * h * w, 5), name="head")
    return b


def products_by_shape(model):
    """Multiply-accumulates and weights of each product, from the library's shapes of the whole model."""
    shapes = full_shapes(model)
    found = []
    for node in model.graph.node:
        if node.op_type == "Conv":
            filters = shapes[node.input[1]]
            found.append((prod(shapes[node.output[0]]) * prod(filters[1:]), prod(filters), prod(shapes[node.input[0]])))
        elif node.op_type in {"Gemm", "MatMul"}:
            a, b = shapes[node.input[0]], shapes[node.input[1]]
            found.append((prod(shapes[node.output[0]]) * a[-1], prod(b), prod(a)))
    return found


@given(plan=steps(), height=st.integers(1, 12), width=st.integers(1, 12), batch=st.integers(1, 4))
def test_feature_networks_keep_their_products(path, plan, height, width, batch):
    fixed = feature_network(batch, plan, height, width)
    layers = read_onnx(feature_network("N", plan, height, width).save(path), batch=batch)
    ours = [(x.macs, x.filter_elements, x.ifmap_elements) for x in layers if x.kind != "vector"]
    assert ours == products_by_shape(fixed.model())
    assert read_onnx(fixed.save(path)) == layers
    one = read_onnx(feature_network(1, plan, height, width).save(path), batch=batch)  # repeated `batch` times
    assert one == layers


@given(plan=steps(), height=st.integers(1, 12), width=st.integers(1, 12))
def test_feature_networks_keep_their_vector_work(path, plan, height, width):
    b = feature_network(2, plan, height, width)
    shapes = full_shapes(b.model())
    layers = read_onnx(b.save(path))
    passes = {"Relu": "relu", "Add": "add", "MaxPool": "pool", "Mul": "activation"}  # x sigmoid(x) is one pass
    expected = [(passes[n.op_type], prod(shapes[n.output[0]])) for n in b.nodes if n.op_type in passes]
    assert sorted((x.operation, x.elements) for x in layers if x.kind == "vector") == sorted(expected)


@given(
    common=st.lists(st.integers(1, 4), max_size=3),
    ones=st.tuples(*[st.lists(st.booleans(), min_size=3, max_size=3)] * 2),
    cuts=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    m=st.integers(1, 5),
    n=st.integers(1, 5),
    k=st.integers(1, 5),
    constant=st.booleans(),
)
def test_products_touch_each_element_once(path, common, ones, cuts, m, n, k, constant):
    """Broadcasting, as NumPy does it, on any pair of shapes."""
    left, right = (
        [1 if one else size for size, one in zip(common, mask, strict=False)][min(cut, len(common)) :]
        for mask, cut in zip(ones, cuts, strict=True)
    )
    a, b = (*left, m, k), (*right, k, n)
    result = np.matmul(np.zeros(a), np.zeros(b)).shape
    g = Builder(a=list(a), b=list(b))
    g.op("MatMul", "a", g.weight(*b) if constant else "b")
    (layer,) = read_onnx(g.save(path))
    assert layer.macs == prod(result) * k
    assert (layer.ifmap_elements, layer.filter_elements, layer.ofmap_elements) == (prod(a), prod(b), prod(result))


@settings(max_examples=50)
@given(
    heads=st.sampled_from([1, 2, 4]),
    size=st.integers(1, 6),
    tokens=st.integers(1, 9),
    batch=st.integers(1, 4),
)
def test_attention_keeps_its_products(path, heads, size, tokens, batch):
    hidden = heads * size

    def graph(samples):
        b = Builder(x=[samples, tokens, hidden])

        def project(x):
            y = b.op("Add", b.op("MatMul", x, b.weight(hidden, hidden)), b.weight(hidden))
            return b.op("Transpose", b.op("Reshape", y, b.constant([0, 0, heads, size])), perm=[0, 2, 1, 3])

        q, k, v = (project("x") for _ in range(3))
        scores = b.op("Softmax", b.op("MatMul", q, b.op("Transpose", k, perm=[0, 1, 3, 2])), axis=-1)
        y = b.op("Transpose", b.op("MatMul", scores, v), perm=[0, 2, 1, 3])
        b.op("MatMul", b.op("Reshape", y, b.constant([0, 0, hidden])), b.weight(hidden, hidden))
        return b

    layers = read_onnx(graph("N").save(path), batch=batch)
    products = [x for x in layers if x.kind == "gemm"]
    assert [x.macs for x in products] == [macs for macs, *_ in products_by_shape(graph(batch).model())]
    assert sum(x.macs for x in products) == batch * (4 * tokens * hidden**2 + 2 * tokens**2 * hidden)
    assert read_onnx(graph(1).save(path), batch=batch) == layers


@given(order=st.permutations(range(6)))
def test_the_order_of_independent_nodes_changes_no_layer(path, order):
    def graph(positions):
        b = Builder(x=["N", 16])
        sums = [b.op("Relu", b.op("MatMul", "x", b.weight(16, 8), name=f"p{i}"), name=f"r{i}") for i in range(6)]
        pairs = [b.nodes[2 * i : 2 * i + 2] for i in range(6)]
        b.nodes[:] = [pairs[i][0] for i in positions] + [pairs[i][1] for i in reversed(positions)]
        b.op("Sum", *sums, name="sum")
        return b

    layers = read_onnx(graph(order).save(path), batch=2)
    plain = read_onnx(graph(range(6)).save(path), batch=2)
    assert sorted(layers, key=repr) == sorted(plain, key=repr)
    assert [x.name for x in layers] == [f"{kind}{i}" for i in order for kind in "pr"] + ["sum"]


def closed_form(m, n, k, rows, cols, dataflow, groups=1):
    """SCALE-Sim v3's cycles on one array: every fold of every group, counted from 0."""
    across, down, along = {"ws": (k, n, m), "os": (m, n, k), "is": (k, m, n)}[dataflow]
    folds = -(-across // rows) * -(-down // cols)
    return folds * ((1 if dataflow == "os" else 2) * rows + cols + along - 2) * groups - 1


@settings(max_examples=30)
@given(
    plan=steps(),
    height=st.integers(1, 12),
    width=st.integers(1, 12),
    batch=st.integers(1, 4),
    rows=st.sampled_from([8, 16, 64]),
    cols=st.sampled_from([8, 32]),
    dataflow=st.sampled_from(["ws", "os", "is"]),
)
def test_the_simulator_runs_what_the_file_says(path, plan, height, width, batch, rows, cols, dataflow):
    """From file to cycles: once through importer and simulator, once from the library's shapes by closed form."""
    fixed = feature_network(batch, plan, height, width)
    shapes, cycles = full_shapes(fixed.model()), 0
    for node in fixed.nodes:
        if node.op_type == "Conv":
            images, channels, out_h, out_w = shapes[node.output[0]]
            k = prod(shapes[node.input[1]][1:])
            (groups,) = (a.i for a in node.attribute if a.name == "group")
            cycles += closed_form(images * out_h * out_w, channels // groups, k, rows, cols, dataflow, groups)
        elif node.op_type == "Gemm":
            (m, n), k = shapes[node.output[0]], shapes[node.input[0]][1]
            cycles += closed_form(m, n, k, rows, cols, dataflow)
    npu = SystolicNpu(["ideal"])
    design = {
        "rows": rows, "cols": cols, "arrays": 1, "dataflow": dataflow, "precision": "int8", "frequency_mhz": 1000,
        "vector_lanes": 64, "ifmap_kib": 64, "filter_kib": 64, "ofmap_kib": 64, "memory": "ideal", "memory_channels": 1,
        "stream_length": 1 << 30,
    }  # fmt: skip
    feature_network("N", plan, height, width).save(path)
    found = npu.simulate(npu.space.encode([design]), f"{path}:batch={batch}").as_dict(0)
    macs = sum(macs for macs, *_ in products_by_shape(fixed.model()))
    assert found["compute_cycles"] == cycles
    assert found["performance_gops"] * found["latency_ns"] == pytest.approx(2 * macs)
    assert found["utilisation"] * found["cycles"] * rows * cols == pytest.approx(macs)
    assert found["dram_filter_bytes"] >= sum(weights for _, weights, _ in products_by_shape(fixed.model()))
