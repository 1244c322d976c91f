"""A feature map on its way through a convolutional network: each call adds the layers of one step."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from archgym.sims.npu.layers import Layer, Network, conv, gemm, vector


@dataclass
class FeatureMap:
    """[batch, channels, height, width] after the layers so far; batch normalisation is folded into the filters."""

    batch: int
    channels: int
    height: int
    width: int
    _layers: list[Layer] = field(default_factory=list)

    @property
    def network(self) -> Network:
        """The layers so far."""
        return tuple(self._layers)

    @property
    def elements(self) -> int:
        """Elements of one image."""
        return self.channels * self.height * self.width

    def conv(
        self, name: str, out_c: int, kernel: int, *, stride: int = 1, padding: int = 0, groups: int = 1,
        relu: str = "",
    ) -> None:  # fmt: skip
        """Convolve; `relu` names a rectifier on the way out (also ReLU6, which compares twice)."""
        layer = conv(
            name, in_h=self.height, in_w=self.width, in_c=self.channels, out_c=out_c, kernel=kernel, stride=stride,
            padding=padding, groups=groups, batch=self.batch,
        )  # fmt: skip
        self._layers.append(layer)
        self.channels, self.height, self.width = out_c, layer.out_h, layer.out_w
        if relu:
            self.elementwise(relu, "relu", fused=True)

    def elementwise(self, name: str, operation: str, *, window: int = 1, fused: bool = False) -> None:
        """One result per element, of an operation of the vector units."""
        self._layers.append(vector(name, operation, self.elements, window=window, fused=fused, batch=self.batch))

    def pool(self, name: str, kernel: int, *, stride: int, padding: int = 0) -> None:
        """Reduce windows to their largest or mean element."""
        self.height = (self.height + 2 * padding - kernel) // stride + 1
        self.width = (self.width + 2 * padding - kernel) // stride + 1
        self.elementwise(name, "pool", window=kernel * kernel)

    def pool_all(self, name: str) -> None:
        """Reduce each channel to one element."""
        window, self.height, self.width = self.height * self.width, 1, 1
        self.elementwise(name, "pool", window=window)

    def linear(self, name: str, features: int, *, relu: str = "") -> None:
        """Fully connect: the images of a batch are the rows of one GEMM."""
        self._layers.append(gemm(name, m=self.batch, n=features, k=self.elements))
        self.channels, self.height, self.width = features, 1, 1
        if relu:
            self.elementwise(relu, "relu", fused=True)

    def branch(self) -> FeatureMap:
        """A second path from here: its layers join this network, its sizes stay its own."""
        return replace(self)
