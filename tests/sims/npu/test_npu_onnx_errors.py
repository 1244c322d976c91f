"""What is wrong with a file is said in one line, with its name and the way out; nothing crashes."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
from hypothesis import given, strategies as st
from onnx import TensorProto, helper
from onnx_builder import Builder

from archgym.errors import InvalidInput, MissingDependency, UnknownName
from archgym.sims.npu.networks import network
from archgym.sims.npu.onnx_import import read_onnx


def small():
    b = Builder(x=["N", 3, 8, 8])
    b.conv("x", "c", 3, 4, 3, relu="r")
    return b


def refused(path, *parts, error=InvalidInput, **options):
    with pytest.raises(error) as caught:
        read_onnx(path, **options)
    text = str(caught.value)
    assert "\n" not in text
    assert [part for part in (str(path), *parts) if part not in text] == [], text


def refused_graph(builder, tmp_path, *parts, error=InvalidInput, **options):
    refused(builder.save(tmp_path / "model.onnx"), *parts, error=error, **options)


def test_files_that_are_no_models(tmp_path):
    path = tmp_path / "model.onnx"
    refused(path, "no such file")
    refused(tmp_path, "is a directory")
    for content in (b"", b"not a model at all", bytes(range(256)), b"{}", b"PK\x03\x04", b"\x08\x08"):
        path.write_bytes(content)
        refused(path, "is not an ONNX model")
    model = small().model()
    del model.graph.node[:]
    path.write_bytes(model.SerializeToString())
    refused(path, "the graph has no nodes")


def test_truncated_files_are_refused_wherever_they_end(tmp_path):
    path = small().save(tmp_path / "model.onnx")
    content = path.read_bytes()
    for end in range(len(content)):
        path.write_bytes(content[:end])
        refused(path)


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=4))
def test_corrupted_files_crash_nothing(tmp_path_factory, changes):
    b = small()
    b.op("Reshape", b.op("MaxPool", b.nodes[-1].output[0], kernel_shape=[2, 2]), b.constant([0, -1]))
    path = b.save(tmp_path_factory.getbasetemp() / "corrupted.onnx")
    content = bytearray(path.read_bytes())
    for place, value in changes:
        content[place % len(content)] = value
    path.write_bytes(content)
    try:
        layers = read_onnx(path, batch=2)
    except InvalidInput as error:
        assert "\n" not in str(error)  # noqa: PT017 - either outcome is right
    else:
        assert sum(layer.macs for layer in layers) > 0


def test_a_newer_operator_set_asks_for_a_newer_library(tmp_path):
    b = small()
    b.opset = 999
    refused_graph(b, tmp_path, "operator set 999", "update it")


def test_without_the_library_the_message_has_the_command(tmp_path, monkeypatch):
    path = small().save(tmp_path / "model.onnx")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingDependency, match=re.escape("pip install 'archgym[onnx]'")):
        read_onnx(path)
    refused(tmp_path / "none.onnx", "no such file")  # the file's own fault comes first


@pytest.mark.parametrize(
    ("operator", "parts"),
    [
        ("LSTM", ["operator 'LSTM' of node 'culprit' is not supported", "supported: Abs, ", "MatMul"]),
        ("NonZero", ["'NonZero'", "not supported"]),
        ("MaxPol", ["'MaxPol'", "did you mean 'MaxPool'?"]),
        ("If", ["'If' of node 'culprit' is control flow"]),
        ("Loop", ["'Loop' of node 'culprit' is control flow"]),
    ],
)
def test_unsupported_operators(tmp_path, operator, parts):
    b = small()
    b.op(operator, b.nodes[-1].output[0], name="culprit")
    refused_graph(b, tmp_path, *parts)


def test_operators_of_one_runtime(tmp_path):
    b = small()
    b.op("FusedConv", b.nodes[-1].output[0], domain="com.microsoft")
    refused_graph(b, tmp_path, "'FusedConv'", repr(b.nodes[-1].output[0]), "'com.microsoft'", "export")


def test_volumes_are_no_planes(tmp_path):
    b = Builder(x=["N", 3, 8, 8, 8])
    b.op("Conv", "x", b.weight(4, 3, 3, 3, 3), name="volume")
    refused_graph(b, tmp_path, "node 'volume' (Conv)", "3-D convolution", "1-D and 2-D")


def test_symbolic_sizes(tmp_path):
    b = Builder(tokens=["N", "sequence", 8], other=["N", None, 8])
    b.op("MatMul", b.op("Add", "tokens", "other"), b.weight(8, 8))
    refused_graph(b, tmp_path, "dimension 1 of input 'tokens'", "'sequence'", "model.onnx:sequence=128")
    refused_graph(b, tmp_path, "dimension 1 of input 'other'", "'other.1'", dimensions={"sequence": 4})
    sizes = {"sequence": 4, "other.1": 4}
    (added, product) = read_onnx(tmp_path / "model.onnx", batch=3, dimensions=sizes)
    assert (added.elements, product.m) == (96, 12)
    refused_graph(b, tmp_path, "sequense", "did you mean 'sequence'", error=UnknownName, dimensions={"sequense": 4})
    refused_graph(b, tmp_path, "sequence=0 is out of range", dimensions={"sequence": 0})
    refused_graph(b, tmp_path, "batch=-1 is out of range", batch=-1, dimensions=sizes)
    refused_graph(b, tmp_path, "batch=2 and N=3 are the same", batch=2, dimensions={**sizes, "N": 3})
    assert read_onnx(tmp_path / "model.onnx", dimensions={**sizes, "N": 3}) == (added, product)
    assert network(f"{tmp_path / 'model.onnx'}:sequence=4,other.1=4,batch=3") == (added, product)


def test_a_first_dimension_that_is_a_further_one_elsewhere_is_no_batch(tmp_path):
    b = Builder(tokens=["N", "sequence", 8], mask=["sequence", "sequence"])
    scores = b.op("MatMul", "tokens", b.op("Transpose", "tokens", perm=[0, 2, 1]), name="scores")
    b.op("Add", scores, "mask")
    refused_graph(b, tmp_path, "dimension 1 of input 'tokens'", "'sequence'", batch=2)
    product, masked = read_onnx(tmp_path / "model.onnx", batch=2, dimensions={"sequence": 5})
    assert (product.m, product.n, product.k, product.batch) == (5, 5, 8, 2)
    assert masked.ofmap_elements == 2 * 5 * 5
    b = Builder(square=["n", "n"])
    b.op("MatMul", "square", b.weight(4, 4))
    refused_graph(b, tmp_path, "dimension 0 of input 'square'", "'n'")
    (alone,) = read_onnx(tmp_path / "model.onnx", dimensions={"n": 4})
    assert (alone.m, alone.n, alone.k) == (4, 4, 4)


def test_sizes_that_do_not_fit_together(tmp_path):
    b = Builder(tokens=["N", "sequence", 8], other=["N", "rest", 8])
    b.op("Add", "tokens", "other", name="sum")
    refused_graph(b, tmp_path, "node 'sum' (Add)", "[1 x 4 x 8]", "[1 x 5 x 8]", dimensions={"sequence": 4, "rest": 5})


def test_a_fixed_batch_divides_the_one_asked_for(tmp_path):
    b = Builder(x=[4, 8])
    b.op("MatMul", "x", b.weight(8, 8))
    refused_graph(b, tmp_path, "fixes a batch of 4, got batch=6", "its multiples", batch=6)


def test_sizes_that_depend_on_data(tmp_path):
    b = Builder(x=["N", 8], wanted=(TensorProto.INT64, [2]))
    b.op("MatMul", b.op("Reshape", "x", "wanted", name="guess"), b.weight(8, 8))
    refused_graph(b, tmp_path, "made by node 'guess' (Reshape)", "not known before the data", "[? x ?]")


def test_sizes_that_depend_on_data_may_be_declared(tmp_path):
    def graph(batch):
        b = Builder(x=[batch, 8], wanted=(TensorProto.INT64, [2]))
        middle = b.op("Reshape", "x", "wanted", name="guess")
        b.op("MatMul", middle, b.weight(4, 5))
        model = b.model()
        model.graph.value_info.append(helper.make_tensor_value_info(middle, TensorProto.FLOAT, [6, 4]))
        (tmp_path / "model.onnx").write_bytes(model.SerializeToString())

    graph(3)
    (product,) = read_onnx(tmp_path / "model.onnx")
    assert (product.m, product.n, product.k) == (6, 5, 4)
    graph("N")  # then what is declared is one example
    refused(tmp_path / "model.onnx", "made by node 'guess' (Reshape)", batch=3)


def test_sizes_in_a_missing_file(tmp_path):
    b = Builder(x=["N", 8])
    shape = b.weight(2, kind=TensorProto.INT64)
    b.op("MatMul", b.op("Reshape", "x", shape), b.weight(8, 8))
    refused_graph(b, tmp_path, f"the values of {shape!r} are in another file that cannot be read", "weights.bin")
    (tmp_path / "weights.bin").write_bytes(np.array([-1, 8], dtype=np.int64).tobytes())
    (product,) = read_onnx(tmp_path / "model.onnx", batch=5)
    assert product.m == 5


def test_graphs_that_are_not_whole(tmp_path):
    b = small()
    b.op("Add", b.nodes[-1].output[0], "nowhere", name="lost")
    refused_graph(b, tmp_path, "node 'lost' reads 'nowhere', which nothing before it makes")

    b = small()
    refused(_saved(b, tmp_path, "elsewhere"), "output 'elsewhere' is made by no node")

    b = small()
    b.nodes.append(helper.make_node("Relu", ["x"], [b.nodes[-1].output[0]], name="again"))
    refused_graph(b, tmp_path, "node 'again' makes", "exists already")

    b = small()
    b.nodes.append(helper.make_node("Relu", ["x"], [], name="silent"))
    refused(_saved(b, tmp_path, "x"), "node 'silent' (Relu) has no output")

    b = Builder()
    b.op("Relu", b.weight(3))
    refused_graph(b, tmp_path, "no input")

    b = Builder(x=["N", 8])
    b.op("Relu", "x")
    refused_graph(b, tmp_path, "no convolution and no matrix product")


def _saved(builder, tmp_path, output):
    return builder.save(tmp_path / "model.onnx", output)


def test_nodes_that_do_not_fit(tmp_path):
    b = Builder(x=["N", 4, 8, 8])
    b.op("Conv", "x", b.weight(6, 3, 3, 3), name="channels")
    refused_graph(b, tmp_path, "node 'channels' (Conv)", "[6, 3, 3, 3]")

    b = Builder(x=["N", 4, 2, 2])
    b.op("Conv", "x", b.weight(6, 4, 3, 3), name="large")
    refused_graph(b, tmp_path, "'large'", "kernel", "3")

    b = Builder(x=["N", 4, 2, 2])
    b.op("Relu", "x", name="odd", speed=3)
    refused_graph(b, tmp_path, "node 'odd' (Relu)", "speed")

    b = Builder(x=["N", 8])
    b.op("Softmax", b.op("MatMul", "x", b.weight(8, 8)), axis=5, name="far")
    refused_graph(b, tmp_path, "node 'far' (Softmax)")

    b = Builder(x=["N", 8])
    b.op("MatMul", "x", b.weight(8, -8))
    refused_graph(b, tmp_path, "negative size")

    b = Builder(opset=23, q=["N", 3, 5, 8], k=["N", 2, 9, 8])
    b.op("Attention", "q", "k", "k", name="shares")
    refused_graph(b, tmp_path, "node 'shares' (Attention)", "3 query heads do not share 2 key heads")

    b = Builder(opset=23, x=["N", 4, 10])
    b.op("Attention", "x", "x", "x", q_num_heads=3, kv_num_heads=3, name="heads")
    refused_graph(b, tmp_path, "node 'heads' (Attention)")


def test_inputs_that_are_no_tensors(tmp_path):
    model = small().model()
    kind = helper.make_sequence_type_proto(helper.make_tensor_type_proto(TensorProto.FLOAT, [1]))
    model.graph.input.append(helper.make_value_info("list", kind))
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    refused(path, "input 'list' is no tensor")


@pytest.mark.parametrize(
    ("operator", "attributes", "parts"),
    [
        ("Conv", {"auto_pad": "SAME"}, ["unknown padding of node 'odd' 'SAME'", "SAME_UPPER"]),
        ("Conv", {"kernel_shape": [5, 5]}, ["node 'odd' (Conv)", "kernel of (5, 5)", "[4, 3, 3, 3]"]),
        ("Conv", {"group": 0}, ["groups=0 is out of range"]),
        ("Conv", {"strides": [1, 1, 1]}, ["node 'odd' (Conv)", "strides"]),
        ("LRN", {"size": -1}, ["window=-1"]),
        ("LpNormalization", {"axis": 7}, ["node 'odd' (LpNormalization)", "{'axis': 7}"]),
        ("MeanVarianceNormalization", {"axes": [9]}, ["(MeanVarianceNormalization)", "[9]"]),
        ("GroupNormalization", {"num_groups": 0}, ["(GroupNormalization)", "'num_groups': 0"]),
        ("Resize", {"mode": "guess"}, ["(Resize)", "'mode': 'guess'"]),
    ],
)
def test_attributes_out_of_range(tmp_path, operator, attributes, parts):
    b = Builder(opset=21, x=["N", 3, 8, 8])
    operands = {
        "Conv": [b.weight(4, 3, 3, 3)],
        "GroupNormalization": [b.weight(3), b.weight(3)],
        "Resize": ["", b.constant([1, 1, 2, 2], np.float32)],
    }
    b.op(operator, "x", *operands.get(operator, ()), name="odd", **attributes)
    refused_graph(b, tmp_path, *parts)


@pytest.mark.parametrize("equation", ["ii,ij->ij", "ij,jk->i", "ij,jk,kl->il", "...j,jk->...k"])
def test_einsums_that_are_no_products(tmp_path, equation):
    b = Builder(x=[4, 4])
    b.op("Einsum", *["x"] * (equation.count(",") + 1), equation=equation, name="odd")
    refused_graph(b, tmp_path, "node 'odd' (Einsum)", repr(equation), "two operands")


def test_a_constant_that_cannot_be_computed_is_a_size_that_is_not_known(tmp_path):
    b = Builder(x=["N", 8])
    shape = b.op("Gather", b.constant([4, 8]), b.constant([0, 9]))  # beyond the end
    b.op("MatMul", b.op("Reshape", "x", shape, name="guess"), b.weight(8, 8))
    refused_graph(b, tmp_path, "made by node 'guess' (Reshape)", "not known before the data")
