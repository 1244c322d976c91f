"""MobileNetV2, width 1.0, on 224x224 images."""

from __future__ import annotations

from archgym.sims.npu.layers import Network
from archgym.sims.npu.networks.feature_map import FeatureMap

SOURCE = "Sandler et al., MobileNetV2: inverted residuals and linear bottlenecks, CVPR 2018, table 2"
_STAGES = (  # expansion, output channels, repeats, stride of the first: table 2
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def mobilenet_v2(batch: int = 1) -> Network:
    """Seventeen inverted residuals: widen, convolve each channel on its own, narrow."""
    x = FeatureMap(batch, 3, 224, 224)
    x.conv("stem", 32, 3, stride=2, padding=1, relu="stem.relu")
    for stage, (expansion, channels, repeats, stride) in enumerate(_STAGES):
        for number in range(repeats):
            _inverted_residual(x, f"stage{stage + 1}.{number}", expansion, channels, stride if number == 0 else 1)
    x.conv("last", 1280, 1, relu="last.relu")
    x.pool_all("avgpool")
    x.linear("classifier", 1000)
    return x.network


def _inverted_residual(x: FeatureMap, name: str, expansion: int, channels: int, stride: int) -> None:
    before = x.channels
    if expansion > 1:
        x.conv(f"{name}.expand", expansion * before, 1, relu=f"{name}.expand.relu")
    x.conv(
        f"{name}.depthwise", x.channels, 3, stride=stride, padding=1, groups=x.channels, relu=f"{name}.depthwise.relu"
    )
    x.conv(f"{name}.project", channels, 1)
    if stride == 1 and before == channels:
        x.elementwise(f"{name}.add", "add")
