"""Whole networks from ONNX graphs are the shipped ones, layer by layer."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto
from onnx_builder import Builder

from archgym.sims.npu.networks import fingerprint, network
from archgym.sims.npu.onnx_import import read_onnx


def resnet(batch, blocks, *, bottleneck):
    b = Builder(image=[batch, 3, 224, 224])
    x = b.conv("image", "conv1", 3, 64, 7, stride=2, padding=3, relu="relu")
    x = b.op("MaxPool", x, name="maxpool", kernel_shape=(3, 3), strides=(2, 2), pads=(1, 1, 1, 1))
    channels = 64
    for stage, count in enumerate(blocks):
        width = 64 * 2**stage
        for number in range(count):
            name, stride = f"layer{stage + 1}.{number}", 2 if stage and not number else 1
            out = 4 * width if bottleneck else width
            if bottleneck:
                y = b.conv(x, f"{name}.conv1", channels, width, 1, relu=f"{name}.relu1")
                y = b.conv(y, f"{name}.conv2", width, width, 3, stride=stride, padding=1, relu=f"{name}.relu2")
                y = b.conv(y, f"{name}.conv3", width, out, 1)
            else:
                y = b.conv(x, f"{name}.conv1", channels, width, 3, stride=stride, padding=1, relu=f"{name}.relu1")
                y = b.conv(y, f"{name}.conv2", width, width, 3, padding=1)
            if channels != out:
                x = b.conv(x, f"{name}.downsample", channels, out, 1, stride=stride)
            x = b.op("Relu", b.op("Add", y, x, name=f"{name}.add"), name=f"{name}.relu")
            channels = out
    b.head(x, channels, 1000, "fc")
    return b


def mobilenet(batch):
    """With batch normalisation and ReLU6 written out, as a training framework saves it."""
    b = Builder(image=[batch, 3, 224, 224])
    low, high = b.constant(0, np.float32), b.constant(6, np.float32)

    def step(x, name, in_c, out_c, kernel, stride=1, groups=1, relu=""):
        taps, side = (kernel, kernel), (kernel - 1) // 2
        x = b.op(
            "Conv", x, b.weight(out_c, in_c // groups, *taps), name=name, strides=(stride, stride), pads=(side,) * 4,
            group=groups,
        )  # fmt: skip
        x = b.op("BatchNormalization", x, *(b.weight(out_c) for _ in range(4)))
        return b.op("Clip", x, low, high, name=relu) if relu else x

    x, channels = step("image", "stem", 3, 32, 3, stride=2, relu="stem.relu"), 32
    widths = [16] + [24] * 2 + [32] * 3 + [64] * 4 + [96] * 3 + [160] * 3 + [320]
    stages = [(1, 0)] + [(2, i) for i in range(2)] + [(3, i) for i in range(3)] + [(4, i) for i in range(4)]
    stages += [(5, i) for i in range(3)] + [(6, i) for i in range(3)] + [(7, 0)]
    for (stage, number), out in zip(stages, widths, strict=True):
        name, stride = f"stage{stage}.{number}", 2 if number == 0 and stage in {2, 3, 4, 6} else 1
        y, wide = x, channels * (1 if stage == 1 else 6)
        if stage > 1:
            y = step(y, f"{name}.expand", channels, wide, 1, relu=f"{name}.expand.relu")
        y = step(y, f"{name}.depthwise", wide, wide, 3, stride, groups=wide, relu=f"{name}.depthwise.relu")
        y = step(y, f"{name}.project", wide, out, 1)
        x = b.op("Add", x, y, name=f"{name}.add") if stride == 1 and channels == out else y
        channels = out
    b.head(step(x, "last", 320, 1280, 1, relu="last.relu"), 1280, 1000, "classifier")
    return b


def bert(batch, sequence, *, opset=11):
    """As PyTorch writes it: shapes computed from shapes, GELU and layer normalisation in parts."""
    hidden, heads, size = 768, 12, 64
    integers = (TensorProto.INT64, [batch, sequence])
    b = Builder(opset=opset, ids=integers, segments=integers)

    def scalar(value):
        return b.constant(value, np.float32)

    def linear(x, name, features, inputs=hidden):
        return b.op("Add", b.op("MatMul", x, b.weight(inputs, features), name=name), b.weight(features))

    def norm(x, name):
        mean = b.op("ReduceMean", x, axes=[-1])
        centred = b.op("Sub", x, mean)
        spread = b.op("ReduceMean", b.op("Pow", centred, scalar(2.0)), axes=[-1])
        scaled = b.op("Div", centred, b.op("Sqrt", b.op("Add", spread, scalar(1e-12))))
        return b.op("Add", b.op("Mul", scaled, b.weight(hidden)), b.weight(hidden), name=name)

    def gelu(x, name):
        curve = b.op("Add", b.op("Erf", b.op("Div", x, scalar(1.4142135))), scalar(1.0))
        return b.op("Mul", b.op("Mul", x, curve), scalar(0.5), name=name)

    def size_of(x, axis):
        return b.op("Unsqueeze", b.op("Gather", b.op("Shape", x), b.constant(axis)), axes=[0])

    def split(x):
        shape = b.op("Concat", size_of(x, 0), size_of(x, 1), b.constant([heads]), b.constant([size]), axis=0)
        return b.op("Transpose", b.op("Reshape", x, shape), perm=[0, 2, 1, 3])

    def attention(x, name):
        q, k, v = (split(linear(x, f"{name}.{part}", hidden)) for part in ("query", "key", "value"))
        scores = b.op("MatMul", q, b.op("Transpose", k, perm=[0, 1, 3, 2]), name=f"{name}.scores")
        scores = b.op("Div", scores, scalar(8.0), name="scale")
        mixed = b.op("MatMul", b.op("Softmax", scores, axis=3, name=f"{name}.softmax"), v, name=f"{name}.values")
        mixed = b.op("Transpose", mixed, perm=[0, 2, 1, 3])
        shape = b.op("Concat", size_of(mixed, 0), size_of(mixed, 1), b.constant([hidden]), axis=0)
        return linear(b.op("Reshape", mixed, shape), f"{name}.output", hidden)

    x = b.op("Gather", b.weight(30522, hidden), "ids")
    # the positions are looked up by constants, so their sum with a constant reads one tensor: add a second input's
    x = b.op("Add", x, b.op("Gather", b.weight(512, hidden), "segments"), name="embeddings.position")
    x = b.op("Add", x, b.op("Gather", b.weight(2, hidden), "segments"), name="embeddings.segment")
    x = norm(x, "embeddings.norm")
    for layer in range(12):
        name = f"layer{layer}"
        y = attention(x, f"{name}.attention")
        x = norm(b.op("Add", y, x, name=f"{name}.attention.add"), f"{name}.attention.norm")
        y = gelu(linear(x, f"{name}.mlp.up", 4 * hidden), f"{name}.mlp.gelu")
        y = linear(y, f"{name}.mlp.down", hidden, 4 * hidden)
        x = norm(b.op("Add", y, x, name=f"{name}.mlp.add"), f"{name}.mlp.norm")
    first = b.op("Gather", x, b.constant(0), axis=1)
    pooled = b.op("Gemm", first, b.weight(hidden, hidden), b.weight(hidden), name="pooler", transB=1)
    b.op("Tanh", pooled, name="pooler.tanh")
    return b


@pytest.mark.parametrize("batch", [1, 8])
def test_resnet18_is_the_shipped_network(tmp_path, batch):
    path = resnet("N", (2, 2, 2, 2), bottleneck=False).save(tmp_path / "resnet18.onnx")
    assert read_onnx(path, batch=batch) == network("resnet18", batch=batch)


def test_resnet50_is_the_shipped_network(tmp_path):
    path = resnet("N", (3, 4, 6, 3), bottleneck=True).save(tmp_path / "resnet50.onnx")
    assert read_onnx(path) == network("resnet50")


@pytest.mark.parametrize("batch", [1, 4])
def test_mobilenet_is_the_shipped_network(tmp_path, batch):
    assert read_onnx(mobilenet("N").save(tmp_path / "m.onnx"), batch=batch) == network("mobilenet-v2", batch=batch)


@pytest.mark.parametrize(("batch", "sequence"), [(1, 128), (3, 50)])
def test_bert_in_parts_is_the_shipped_network(tmp_path, batch, sequence):
    path = bert("batch", "sequence").save(tmp_path / "bert.onnx")
    layers = read_onnx(path, batch=batch, dimensions={"sequence": sequence})
    scales = [layer for layer in layers if layer.name == "scale"]
    assert len(scales) == 12  # the table leaves the scale to the softmax
    assert all(layer.fused for layer in scales)
    assert tuple(x for x in layers if x.name != "scale") == network("bert-base", batch=batch, sequence=sequence)


def test_a_fixed_batch_is_repeated(tmp_path):
    fixed = resnet(2, (2, 2, 2, 2), bottleneck=False).save(tmp_path / "fixed.onnx")
    assert read_onnx(fixed) == network("resnet18", batch=2)
    assert read_onnx(fixed, batch=6) == network("resnet18", batch=6)
    one = bert(1, 40).save(tmp_path / "one.onnx")
    assert [x for x in read_onnx(one, batch=5) if x.name != "scale"] == list(network("bert-base", batch=5, sequence=40))


def test_networks_are_found_by_path(tmp_path):
    path = resnet("N", (2, 2, 2, 2), bottleneck=False).save(tmp_path / "resnet18.onnx")
    assert network(path) == network(str(path)) == network("resnet18")
    assert network(f"{path}:batch=4") == network(path, batch=4) == network("resnet18:batch=4")
    assert fingerprint(f"{path}:batch=4") == fingerprint("resnet18:batch=4")
    bert("N", "tokens").save(path)  # another network in the same place is read again
    assert fingerprint(f"{path}:tokens=16,batch=2") == fingerprint(f"{path}:batch=2,tokens=16")
    assert len(network(path, tokens=16)) == len(network("bert-base")) + 12
