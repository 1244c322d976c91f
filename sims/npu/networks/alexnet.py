"""AlexNet as published: two groups in the second, fourth and fifth convolution."""

from __future__ import annotations

from archgym.sims.npu.layers import Network
from archgym.sims.npu.networks.feature_map import FeatureMap

SOURCE = (
    "Krizhevsky et al., ImageNet classification with deep convolutional neural networks, NIPS 2012, section 3 and "
    "figure 2; 227x227 inputs, so that 55x55 windows fit (the paper prints 224)"
)
_NORM_WINDOW = 5  # section 3.3: n = 5 adjacent channels


def alexnet(batch: int = 1) -> Network:
    """Five convolutions and three fully connected layers on 227x227 images."""
    x = FeatureMap(batch, 3, 227, 227)
    x.conv("conv1", 96, 11, stride=4, relu="relu1")
    _norm_and_pool(x, "1")
    x.conv("conv2", 256, 5, padding=2, groups=2, relu="relu2")
    _norm_and_pool(x, "2")
    x.conv("conv3", 384, 3, padding=1, relu="relu3")
    x.conv("conv4", 384, 3, padding=1, groups=2, relu="relu4")
    x.conv("conv5", 256, 3, padding=1, groups=2, relu="relu5")
    x.pool("pool5", 3, stride=2)
    x.linear("fc6", 4096, relu="relu6")
    x.linear("fc7", 4096, relu="relu7")
    x.linear("fc8", 1000)
    return x.network


def _norm_and_pool(x: FeatureMap, number: str) -> None:
    x.elementwise(f"norm{number}", "pool", window=_NORM_WINDOW)  # a sum over neighbouring channels
    x.pool(f"pool{number}", 3, stride=2)
