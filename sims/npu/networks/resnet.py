"""ResNet-18 and ResNet-50 on 224x224 images."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from archgym.sims.npu.layers import Network
from archgym.sims.npu.networks.feature_map import FeatureMap

SOURCE = (
    "He et al., Deep residual learning for image recognition, CVPR 2016, table 1; ResNet-50 as version 1.5 "
    "(the stride in the 3x3 convolution), which torchvision ships and MLPerf measures"
)
Block = Callable[[FeatureMap, str, int, int], None]


def resnet18(batch: int = 1) -> Network:
    """Eight basic blocks."""
    return _resnet(batch, _basic, (2, 2, 2, 2))


def resnet50(batch: int = 1) -> Network:
    """Sixteen bottleneck blocks."""
    return _resnet(batch, _bottleneck, (3, 4, 6, 3))


def _resnet(batch: int, block: Block, blocks: Sequence[int]) -> Network:
    x = FeatureMap(batch, 3, 224, 224)
    x.conv("conv1", 64, 7, stride=2, padding=3, relu="relu")
    x.pool("maxpool", 3, stride=2, padding=1)
    for stage, count in enumerate(blocks):
        for number in range(count):
            halves = stage > 0 and number == 0
            block(x, f"layer{stage + 1}.{number}", 64 << stage, 2 if halves else 1)
    x.pool_all("avgpool")
    x.linear("fc", 1000)
    return x.network


def _basic(x: FeatureMap, name: str, width: int, stride: int) -> None:
    """Two 3x3 convolutions beside the shortcut."""
    shortcut = x.branch()
    x.conv(f"{name}.conv1", width, 3, stride=stride, padding=1, relu=f"{name}.relu1")
    x.conv(f"{name}.conv2", width, 3, padding=1)
    _join(x, shortcut, name, stride)


def _bottleneck(x: FeatureMap, name: str, width: int, stride: int) -> None:
    """1x1, 3x3 and 1x1 convolutions beside the shortcut; the last is four times as wide."""
    shortcut = x.branch()
    x.conv(f"{name}.conv1", width, 1, relu=f"{name}.relu1")
    x.conv(f"{name}.conv2", width, 3, stride=stride, padding=1, relu=f"{name}.relu2")
    x.conv(f"{name}.conv3", 4 * width, 1)
    _join(x, shortcut, name, stride)


def _join(x: FeatureMap, shortcut: FeatureMap, name: str, stride: int) -> None:
    """Add the shortcut, projected where its shape differs (option B of the paper)."""
    if shortcut.channels != x.channels:
        shortcut.conv(f"{name}.downsample", x.channels, 1, stride=stride)
    x.elementwise(f"{name}.add", "add")
    x.elementwise(f"{name}.relu", "relu", fused=True)
