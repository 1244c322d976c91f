"""Networks that other tools exported (the onnx package ships them, without weights) against published counts."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from archgym.sims.npu.networks import network
from archgym.sims.npu.onnx_import import read_onnx

MODELS = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"


def products(layers):
    return [layer for layer in layers if layer.kind != "vector"]


@pytest.mark.parametrize(
    ("name", "giga_macs", "parameters", "no_weights"),
    [
        # torchvision.models: `_ops` and `num_params`; the last column counts biases and batch normalisation.
        # DenseNet-121: two per channel in 83,648 / 2 channels, and the classifier's bias
        ("densenet121", 2.834, 7_978_856, 83_648 + 1000),
        ("vgg19", 19.632, 143_667_240, 2 * 64 + 2 * 128 + 4 * 256 + 8 * 512 + 2 * 4096 + 1000),
        ("resnet50", 4.089, 25_557_032, 2 * 26_560 + 1000),
        # SqueezeNet 1.1: a squeeze and two expansions in each of eight modules, beside the first and last convolution
        ("squeezenet", 0.349, 1_235_496, 64 + sum(9 * n for n in (16, 16, 32, 32, 48, 48, 64, 64)) + 1000),
    ],
)
def test_published_networks(name, giga_macs, parameters, no_weights):
    layers = read_onnx(MODELS / f"light_{name}.onnx")
    assert round(sum(layer.macs for layer in layers) / 1e9, 3) == giga_macs
    assert sum(layer.filter_elements for layer in products(layers)) == parameters - no_weights


def test_the_exported_resnet50_has_the_layers_of_the_shipped_one():
    def shapes(layers):
        return sorted((x.rows, x.n, x.k, x.in_h, x.kernel_h, x.stride_h, x.pad_top) for x in products(layers))

    assert shapes(read_onnx(MODELS / "light_resnet50.onnx", batch=2)) == shapes(network("resnet50", batch=2))


def test_the_exported_alexnet_has_the_weights_of_the_shipped_one():
    ours, theirs = products(network("alexnet")), products(read_onnx(MODELS / "light_bvlc_alexnet.onnx"))
    assert [(x.n, x.k, x.groups) for x in ours] == [(x.n, x.k, x.groups) for x in theirs]
    assert [x.out_h for x in theirs[:5]] == [54, 26, 12, 12, 12]  # 224 x 224 images instead of 227 x 227


@pytest.mark.parametrize("path", sorted(MODELS.glob("*.onnx")), ids=lambda path: path.stem)
def test_no_work_is_left_between_a_product_and_its_activation(path):
    layers = read_onnx(path)
    fused = {x.name for x in layers if x.operation == "relu" and x.fused}
    model = onnx.load(path)
    makers = {name: node for node in model.graph.node for name in node.output}
    reads = [name for node in model.graph.node for name in node.input]
    for node in model.graph.node:
        maker = makers.get(node.input[0]) if node.op_type == "Relu" else None
        if maker is not None and maker.op_type in {"Conv", "Gemm"} and reads.count(node.input[0]) == 1:
            assert (node.name or node.output[0]) in fused
