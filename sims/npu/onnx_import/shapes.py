"""Shapes of every tensor of an ONNX graph: one pass in order, with the library's inference for each node."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from archgym.errors import InvalidInput
from archgym.sims.npu.onnx_import.constants import Constants
from archgym.sims.npu.onnx_import.graph import Graph, Node, node_of
from archgym.sims.npu.onnx_import.inputs import fixed_sizes
from archgym.sims.npu.onnx_import.model_file import node_name, one_line, opset

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TypeProto

__all__ = ["graph_of"]

LIKE_INPUT = frozenset({"GroupNormalization", "MeanVarianceNormalization"})  # functions: no inference of their own


def graph_of(path: Path, model: ModelProto, batch: int | None, dimensions: Mapping[str, int]) -> Graph:
    """Give every tensor its shape for a batch.

    Args:
        path: of the file, for messages and for tensors beside it.
        model: as `load_model` returns it.
        batch: samples; None for one, or what the file fixes.
        dimensions: sizes of symbolic dimensions by name.

    Raises:
        InvalidInput: for a shape that stays unknown, a node that its inputs do not fit, or a malformed graph.
    """
    inputs = fixed_sizes(path, model, batch, dimensions)
    walk = _Walk(path, model, dict(inputs.types), inputs.fixed)
    nodes = tuple(node for proto in model.graph.node if (node := walk.visit(proto)) is not None)
    results = frozenset(value.name for value in model.graph.output)
    for name in sorted(results - set(walk.types)):
        raise InvalidInput(f"{path}: output {name!r} is made by no node")
    shapes = {name: _shape(kind) for name, kind in walk.types.items() if _known(kind)}
    return Graph(nodes, shapes, frozenset(walk.constants.names), results, opset(model), inputs.samples, inputs.repeats)


class _Walk:
    """What is known about the tensors so far."""

    def __init__(self, path: Path, model: ModelProto, types: dict[str, TypeProto], fixed: bool) -> None:
        from onnx import helper

        self.types = types
        values = [*model.graph.value_info, *model.graph.output]
        # Shapes the exporter saw; where an input is symbolic they may be those of one example.
        self._declared = {value.name: value.type for value in values if fixed and _known(value.type)}
        self._read = {name for node in model.graph.node for name in node.input} | {v.name for v in model.graph.output}
        self.constants = Constants(path.parent, opset(model))
        self._path, self._opset, self._imports = path, opset(model), list(model.opset_import)
        for tensor in model.graph.initializer:
            if any(size < 0 for size in tensor.dims):
                raise InvalidInput(f"{path}: tensor {tensor.name!r} has a negative size in {list(tensor.dims)}")
            types[tensor.name] = helper.make_tensor_type_proto(tensor.data_type, list(tensor.dims))
            self.constants.take_initializer(tensor)
        for sparse in model.graph.sparse_initializer:
            types[sparse.values.name] = helper.make_tensor_type_proto(sparse.values.data_type, list(sparse.dims))
            self.constants.names.add(sparse.values.name)

    def visit(self, proto: NodeProto) -> Node | None:
        """Infer a node's outputs; gives the node unless it depends on no input."""
        node = node_of(proto, node_name(proto))
        self._check_names(node)
        self.types |= self._infer(node, proto)
        for name in self._declared.keys() & set(node.outputs):
            if name not in self.types or not _known(self.types[name]):
                self.types[name] = self._declared[name]
        if node.operator in {"Shape", "Size"} or all(n in self.constants.names for n in node.inputs if n):
            self.constants.take_node(proto, self.types)
            return None
        for name in self._read.intersection(node.outputs) - {""}:
            self._check_shape(node, name)
        return node

    def _check_names(self, node: Node) -> None:
        if not any(node.outputs):
            raise InvalidInput(f"{self._path}: node {node.name!r} ({node.operator}) has no output")
        for name in filter(None, node.inputs):
            if name not in self.types:
                raise InvalidInput(f"{self._path}: node {node.name!r} reads {name!r}, which nothing before it makes")
        for name in filter(None, node.outputs):
            if name in self.types:
                raise InvalidInput(f"{self._path}: node {node.name!r} makes {name!r}, which exists already")

    def _infer(self, node: Node, proto: NodeProto) -> dict[str, TypeProto]:
        from onnx import checker, defs, shape_inference

        types = {name: self.types[name] for name in node.inputs if name}
        values = {name: self.constants.values[name] for name in node.inputs if name in self.constants.values}
        try:
            schema = defs.get_schema(node.operator, self._opset, "")
            found = shape_inference.infer_node_outputs(schema, proto, types, values, opset_imports=self._imports)
        except (
            defs.SchemaError,
            shape_inference.InferenceError,
            checker.ValidationError,
            RuntimeError,
            ValueError,
        ) as error:
            shapes = ", ".join(f"{name!r} {_text(kind)}" for name, kind in types.items())
            raise InvalidInput(
                f"{self._path}: node {node.name!r} ({node.operator}) does not fit its inputs ({shapes}): "
                f"{one_line(error)}{self.constants.unread}"
            ) from error
        return {node.outputs[0]: self.types[node.inputs[0]]} if node.operator in LIKE_INPUT else found

    def _check_shape(self, node: Node, name: str) -> None:
        kind = self.types.get(name)
        if kind is None or not _known(kind):
            raise InvalidInput(
                f"{self._path}: the shape of tensor {name!r}, made by node {node.name!r} ({node.operator}), is not "
                f"known before the data: {'?' if kind is None else _text(kind)}; export the network with fixed sizes"
                f"{self.constants.unread}"
            )


def _known(kind: TypeProto) -> bool:
    tensor = kind.tensor_type
    return tensor.HasField("shape") and all(d.HasField("dim_value") and d.dim_value >= 0 for d in tensor.shape.dim)


def _shape(kind: TypeProto) -> tuple[int, ...]:
    return tuple(d.dim_value for d in kind.tensor_type.shape.dim)


def _text(kind: TypeProto) -> str:
    if not kind.tensor_type.HasField("shape"):
        return "[?]"
    sizes = (str(d.dim_value) if d.HasField("dim_value") else d.dim_param or "?" for d in kind.tensor_type.shape.dim)
    return f"[{' x '.join(sizes)}]"
