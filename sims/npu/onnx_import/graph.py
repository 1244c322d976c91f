"""The part of an ONNX graph that depends on its inputs, with the shape of every tensor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnx import NodeProto

__all__ = ["Graph", "Node", "node_of"]


@dataclass(frozen=True)
class Node:
    """One operator; absent optional inputs are empty strings."""

    name: str
    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]

    @property
    def output(self) -> str:
        """Its first output."""
        return self.outputs[0]

    def input(self, index: int) -> str:
        """An input by position, empty when it is left out."""
        return self.inputs[index] if index < len(self.inputs) else ""


def node_of(proto: NodeProto, name: str) -> Node:
    """Copy a node out of the file; texts become strings."""
    from onnx import helper

    attributes = {a.name: helper.get_attribute_value(a) for a in proto.attribute}
    texts = {key: value.decode("utf-8", "replace") for key, value in attributes.items() if isinstance(value, bytes)}
    return Node(name, proto.op_type, tuple(proto.input), tuple(proto.output), {**attributes, **texts})


@dataclass(frozen=True)
class Graph:
    """Nodes in order, shapes by tensor, and which tensors are known before any input arrives.

    Attributes:
        nodes: operators that depend on an input.
        shapes: by tensor, all sizes known.
        constants: tensors that depend on no input: weights, and what is computed from weights and shapes alone.
        results: outputs of the whole graph.
        opset: version of the standard operators.
        samples: the batch the shapes are for.
        repeats: how often the graph runs for the batch asked for (1 unless the file fixes its own batch).
    """

    nodes: tuple[Node, ...]
    shapes: Mapping[str, tuple[int, ...]]
    constants: frozenset[str]
    results: frozenset[str]
    opset: int
    samples: int
    repeats: int

    def uses(self) -> Counter[str]:
        """How many nodes read each tensor; being a result of the graph is a use."""
        read = Counter(name for node in self.nodes for name in set(node.inputs) if name)
        return read + Counter(self.results)

    def elements(self, tensor: str) -> int:
        """Elements of a tensor."""
        return prod(self.shapes[tensor])

    def streams(self, node: Node) -> list[str]:
        """Inputs of a node that are not constant, with repetitions."""
        return [name for name in node.inputs if name and name not in self.constants]
