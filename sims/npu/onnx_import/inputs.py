"""Sizes of a graph's inputs: symbolic dimensions get numbers, and the batch its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from archgym.errors import InvalidInput, UnknownName

if TYPE_CHECKING:
    from onnx import ModelProto, TypeProto, ValueInfoProto

__all__ = ["Inputs", "fixed_sizes"]


@dataclass(frozen=True)
class Inputs:
    """Types of a graph's inputs without symbols; `samples` and `repeats` as in `Graph`, `fixed`: it had no symbols."""

    types: Mapping[str, TypeProto]
    samples: int
    repeats: int
    fixed: bool


@dataclass(frozen=True)
class _Input:
    """One input; a dimension is a size, or the name of a symbol."""

    name: str
    element_type: int
    dimensions: tuple[int | str, ...]


def fixed_sizes(path: Path, model: ModelProto, batch: int | None, dimensions: Mapping[str, int]) -> Inputs:
    """Put numbers for the symbols: the first dimension of an input is the batch, the others have their names.

    A symbol that is also a further dimension of an input (mask [sequence] beside tokens [N, sequence]) is no batch.
    A file may fix its batch; then the graph runs as often as needed, because shapes inside it may depend on that batch.

    Raises:
        InvalidInput: for a dimension without a size, sizes below 1, or a batch the file's own does not divide.
        UnknownName: for a size whose dimension the file does not have.
    """
    from onnx import helper

    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [_read(path, value) for value in model.graph.input if value.name not in weights]
    if not inputs:
        raise InvalidInput(f"{path}: the graph has no input, so nothing is left to compute")
    _check_sizes(path, {**dimensions, **({} if batch is None else {"batch": batch})})
    leading = _leading_symbols(inputs)
    symbols = {d for i in inputs for d in i.dimensions if isinstance(d, str)}
    for name in dimensions:
        if name not in symbols:
            raise UnknownName(f"symbolic dimension of {path}", name, symbols)
    samples, repeats = _batch(path, inputs, batch, dimensions)
    known = {**dict.fromkeys(leading, samples), **dimensions}
    types = {}
    for value in inputs:
        sizes = [_size(path, value, axis, known) for axis in range(len(value.dimensions))]
        types[value.name] = helper.make_tensor_type_proto(value.element_type, sizes)
    return Inputs(types, samples, repeats, not symbols)


def _leading_symbols(inputs: list[_Input]) -> list[str]:
    further = {d for i in inputs for d in i.dimensions[1:]}
    leading = (i.dimensions[0] for i in inputs if i.dimensions)
    return [d for d in leading if isinstance(d, str) and d not in further]


def _read(path: Path, value: ValueInfoProto) -> _Input:
    if not value.type.HasField("tensor_type") or not value.type.tensor_type.HasField("shape"):
        raise InvalidInput(f"{path}: input {value.name!r} is no tensor with a number of dimensions; export with shapes")
    dims = value.type.tensor_type.shape.dim
    # Older exporters write 0 or -1 where they mean any size.
    sizes = (
        d.dim_value if d.dim_value > 0 else str(d.dim_param or f"{value.name}.{axis}") for axis, d in enumerate(dims)
    )
    return _Input(value.name, value.type.tensor_type.elem_type, tuple(sizes))


def _check_sizes(path: Path, sizes: Mapping[str, int]) -> None:
    for name, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise InvalidInput(f"{path}: {name}={size!r} is out of range; allowed: whole numbers from 1")


def _batch(path: Path, inputs: list[_Input], batch: int | None, dimensions: Mapping[str, int]) -> tuple[int, int]:
    """Samples in the shapes, and how often the graph runs."""
    symbols = _leading_symbols(inputs)
    if symbols:
        given = dimensions.get(symbols[0])
        if given is not None and batch not in {None, given}:
            raise InvalidInput(f"{path}: batch={batch} and {symbols[0]}={given} are the same dimension")
        return given or batch or 1, 1
    sizes = (i.dimensions[0] for i in inputs if i.dimensions)
    fixed = next((size for size in sizes if isinstance(size, int)), 1)
    if batch is not None and batch % fixed:
        raise InvalidInput(
            f"{path}: the file fixes a batch of {fixed}, got batch={batch}; allowed: its multiples, "
            "or export with a dynamic first dimension"
        )
    return fixed, 1 if batch is None else batch // fixed


def _size(path: Path, value: _Input, axis: int, known: Mapping[str, int]) -> int:
    size = value.dimensions[axis]
    if isinstance(size, int):
        return size
    if size not in known:
        raise InvalidInput(
            f"{path}: dimension {axis} of input {value.name!r} is symbolic ({size!r}) and has no size; "
            f"give one: {path.name}:{size}=128, or dimensions={{{size!r}: 128}} in Python"
        )
    return known[size]
