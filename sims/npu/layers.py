"""Layers as a systolic array sees them: a GEMM (a convolution after im2col) or a pass of the vector units.

A network is a tuple of layers in order. `batch` means what the operands allow: images of a convolution share the
filters, so they lengthen the GEMM; matrices of a batched GEMM have operands of their own, so each is a GEMM again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, TypeAlias, final

from archgym.errors import InvalidInput, UnknownName

__all__ = ["VECTOR_OPERANDS", "Layer", "Network", "conv", "gemm", "vector", "with_batch"]

Pair: TypeAlias = "int | tuple[int, int]"
Padding: TypeAlias = "int | tuple[int, int] | tuple[int, int, int, int]"

VECTOR_OPERANDS = MappingProxyType(
    {"activation": 1, "relu": 1, "gelu": 1, "softmax": 1, "layernorm": 1, "add": 2, "mul": 2, "pool": 1}
)
"""Vector operations and how many tensors each reads; `vector.py` says what they cost."""
_REDUCES = ("softmax", "layernorm")
LARGEST = 1 << 40  # sizes and products of sizes stay exact in float64 and far from the ends of int64


@final
@dataclass(frozen=True)
class Layer:
    """One layer; make it with `gemm`, `conv` or `vector`. Sizes are in elements, never in bytes."""

    name: str
    kind: Literal["gemm", "conv", "vector"]
    batch: int = 1
    m: int = 0
    """Rows of one GEMM; of a convolution: output pixels of one image."""
    n: int = 0
    """Columns: output features; of a convolution: output channels of one group."""
    k: int = 0
    """Reduction; of a convolution: kernel_h * kernel_w * in_c / groups."""
    groups: int = 1
    in_h: int = 0
    in_w: int = 0
    in_c: int = 0
    kernel_h: int = 0
    kernel_w: int = 0
    stride_h: int = 1
    stride_w: int = 1
    pad_top: int = 0
    pad_left: int = 0
    pad_bottom: int = 0
    pad_right: int = 0
    dilation_h: int = 1
    dilation_w: int = 1
    out_h: int = 0
    out_w: int = 0
    operation: str = ""
    """Of a vector layer: a name of `VECTOR_OPERANDS`."""
    elements: int = 0
    """Of a vector layer: elements of its output, batch included."""
    width: int = 0
    """Of a vector layer that reduces (softmax, layernorm): elements of one reduction."""
    window: int = 1
    """Of pooling: inputs per output element."""
    fused: bool = False
    """Of a vector layer: applied to the previous layer's output on its way out, so no traffic of its own."""

    @property
    def rows(self) -> int:
        """Rows of each GEMM with the images of a batch in it."""
        return self.m * self.batch if self.kind == "conv" else self.m

    @property
    def instances(self) -> int:
        """How many GEMMs of `rows` x n x k with operands of their own this layer is."""
        return self.groups if self.kind == "conv" else self.groups * self.batch

    @property
    def macs(self) -> int:
        """Multiply-accumulates."""
        return self.instances * self.rows * self.n * self.k if self.kind != "vector" else 0

    @property
    def ifmap_elements(self) -> int:
        """Distinct input elements: what must be read at least once."""
        if self.kind == "conv":
            return self.batch * self.in_h * self.in_w * self.in_c
        if self.kind == "gemm":
            return self.instances * self.rows * self.k
        return self.elements * VECTOR_OPERANDS[self.operation] * self.window

    @property
    def filter_elements(self) -> int:
        """Distinct elements of the second operand."""
        return self.instances * self.n * self.k

    @property
    def ofmap_elements(self) -> int:
        """Output elements."""
        return self.elements if self.kind == "vector" else self.instances * self.rows * self.n


Network: TypeAlias = tuple[Layer, ...]


def gemm(name: str, m: int, n: int, k: int, batch: int = 1) -> Layer:
    """A batch of GEMMs [m, k] x [k, n], each with operands of its own (inputs that share weights belong into `m`).

    Raises:
        InvalidInput: for a size below 1.
    """
    _positive(name, m=m, n=n, k=k, batch=batch)
    return _checked(Layer(name, "gemm", batch=batch, m=m, n=n, k=k))


def conv(
    name: str,
    *,
    in_h: int,
    in_w: int,
    in_c: int,
    out_c: int,
    kernel: Pair,
    stride: Pair = 1,
    padding: Padding = 0,
    dilation: Pair = 1,
    groups: int = 1,
    batch: int = 1,
) -> Layer:
    """A convolution over [batch, in_c, in_h, in_w]; a depthwise one has groups = in_c.

    Args:
        name: how tables call it.
        in_h: height of the input; a 1-D convolution has 1.
        in_w: width of the input.
        in_c: input channels.
        out_c: output channels.
        kernel: one number or (height, width); stride and dilation likewise.
        stride: steps between windows.
        padding: one number, (height, width), or (top, left, bottom, right) as in ONNX.
        dilation: distance between the taps of the kernel.
        groups: groups of channels that are convolved on their own.
        batch: images, which share the filters.

    Raises:
        InvalidInput: for a size below 1, channels that do not divide, or a kernel larger than the padded input.
    """
    (kernel_h, kernel_w), (stride_h, stride_w), (dilation_h, dilation_w) = map(_pair, (kernel, stride, dilation))
    top, left, bottom, right = _sides(padding)
    _positive(
        name, in_h=in_h, in_w=in_w, in_c=in_c, out_c=out_c, kernel_h=kernel_h, kernel_w=kernel_w, stride_h=stride_h,
        stride_w=stride_w, dilation_h=dilation_h, dilation_w=dilation_w, groups=groups, batch=batch,
    )  # fmt: skip
    if min(top, left, bottom, right) < 0:
        raise InvalidInput(f"layer {name!r}: padding {padding!r} is negative; allowed: 0 and more")
    if in_c % groups or out_c % groups:
        raise InvalidInput(
            f"layer {name!r}: {in_c} input and {out_c} output channels do not divide into {groups} groups"
        )
    out_h = _outputs(name, "height", in_h + top + bottom, dilation_h * (kernel_h - 1) + 1, stride_h)
    out_w = _outputs(name, "width", in_w + left + right, dilation_w * (kernel_w - 1) + 1, stride_w)
    return _checked(
        Layer(
            name, "conv", batch=batch, m=out_h * out_w, n=out_c // groups, k=kernel_h * kernel_w * (in_c // groups),
            groups=groups, in_h=in_h, in_w=in_w, in_c=in_c, kernel_h=kernel_h, kernel_w=kernel_w, stride_h=stride_h,
            stride_w=stride_w, pad_top=top, pad_left=left, pad_bottom=bottom, pad_right=right, dilation_h=dilation_h,
            dilation_w=dilation_w, out_h=out_h, out_w=out_w,
        )
    )  # fmt: skip


def vector(
    name: str, operation: str, elements: int, *, width: int = 0, window: int = 1, fused: bool = False, batch: int = 1
) -> Layer:
    """A pass over `batch` x `elements` on the vector units.

    Args:
        name: how tables call it.
        operation: a name of `VECTOR_OPERANDS`.
        elements: elements of the output of one sample.
        width: of softmax and layernorm: elements of one reduction; it divides `elements`.
        window: of pooling: inputs per output.
        fused: applied to the previous layer's output before that is written, so that it needs no traffic.
        batch: samples.

    Raises:
        UnknownName: for an unknown operation.
        InvalidInput: for a size below 1, or a width that is missing or does not divide.
    """
    if operation not in VECTOR_OPERANDS:
        raise UnknownName("vector operation", operation, VECTOR_OPERANDS)
    _positive(name, elements=elements, window=window, batch=batch)
    if operation in _REDUCES and (isinstance(width, bool) or width < 1 or elements % width):
        raise InvalidInput(f"layer {name!r}: width {width!r} of {operation} must divide its {elements} elements")
    if operation not in _REDUCES and width:
        raise InvalidInput(f"layer {name!r}: {operation} reduces nothing; width is for {' and '.join(_REDUCES)}")
    return _checked(
        Layer(name, "vector", batch=batch, operation=operation, elements=elements * batch, width=width, window=window,
              fused=fused)
    )  # fmt: skip


def with_batch(layer: Layer, batch: int) -> Layer:
    """The layer for `batch` samples instead of the one it was made for.

    A GEMM made for one sample gets `batch` times the rows: its second operand is taken for weights. A batched GEMM
    (attention scores) gets `batch` times the matrices.

    Raises:
        InvalidInput: for a batch below 1.
    """
    _positive(layer.name, batch=batch)
    if layer.kind == "conv":
        return _checked(replace(layer, batch=layer.batch * batch))
    if layer.kind == "vector":
        return _checked(replace(layer, batch=layer.batch * batch, elements=layer.elements * batch))
    if layer.batch == 1:
        return _checked(replace(layer, m=layer.m * batch))
    return _checked(replace(layer, batch=layer.batch * batch))


def _positive(name: str, **sizes: int) -> None:
    for what, got in sizes.items():
        if isinstance(got, bool) or not isinstance(got, int) or got < 1:
            raise InvalidInput(f"layer {name!r}: {what}={got!r} is out of range; allowed: whole numbers from 1")


def _pair(value: Pair) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _sides(padding: Padding) -> tuple[int, int, int, int]:
    if isinstance(padding, int):
        return (padding,) * 4
    if len(padding) == 2:
        return (padding[0], padding[1], padding[0], padding[1])
    return padding


def _outputs(name: str, side: str, padded: int, kernel: int, stride: int) -> int:
    if kernel > padded:
        raise InvalidInput(f"layer {name!r}: the kernel's {side} {kernel} is above the padded input's {padded}")
    return (padded - kernel) // stride + 1


def _checked(layer: Layer) -> Layer:
    """Refuse sizes whose products would leave exact arithmetic."""
    largest = max(layer.ifmap_elements, layer.filter_elements, layer.ofmap_elements, layer.macs >> 12)
    if largest > LARGEST:
        raise InvalidInput(f"layer {layer.name!r} has {largest:.3g} elements; allowed: up to {LARGEST:.3g}")
    return layer
