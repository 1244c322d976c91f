"""From nodes to layers: what is folded, what is fused, and in which order the rest runs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from archgym.sims.npu.layers import Layer, Network
from archgym.sims.npu.onnx_import.graph import Graph, Node
from archgym.sims.npu.onnx_import.matrices import weights_of
from archgym.sims.npu.onnx_import.operators import ELEMENTWISE, RENAMES, layers_of

__all__ = ["lower"]


def lower(graph: Graph) -> Network:
    """The layers of a graph, each directly followed by what is fused onto it.

    Raises:
        InvalidInput: for a node that is no layer here, naming it.
    """
    lowering = _Lowering(graph)
    for node in graph.nodes:
        lowering.add(node)
    return tuple(layer for chain in lowering.chains for layer in chain)


class _Lowering:
    """Layers so far, each with what is fused onto it."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._uses: Counter[str] = graph.uses()
        self.chains: list[list[Layer]] = []
        self._maker: dict[str, int] = {}
        """By tensor: the chain whose last layer makes it."""
        self._weighted: set[str] = set()
        """Results of products with weights, which a bias or a scale of the channels joins."""

    def add(self, node: Node) -> None:
        """Add the layers of one node."""
        if node.operator in RENAMES:
            self._rename(node.inputs[0], node.output)
        elif self._folds(node):
            self._rename(self._graph.streams(node)[0], node.output)
        else:
            self._append(node, layers_of(node, self._graph))

    def _rename(self, before: str, after: str) -> None:
        """The same elements under another name: what holds for one holds for the other, unless both are read."""
        if self._uses[before] == 1 and before in self._maker:
            self._maker[after] = self._maker[before]
            if before in self._weighted:
                self._weighted.add(after)

    def _folds(self, node: Node) -> bool:
        """Whether a node adds or scales by channel what a product with weights has just made."""
        if node.operator not in {"Add", "BatchNormalization"}:
            return False
        streams = self._graph.streams(node)
        if len(streams) != 1 or streams[0] not in self._weighted or self._uses[streams[0]] != 1:
            return False
        per_channel = max(self._graph.shapes[streams[0]], default=1)
        constants = [name for name in node.inputs if name in self._graph.constants]
        return all(self._graph.elements(name) <= per_channel for name in constants)

    def _append(self, node: Node, layers: list[Layer]) -> None:
        if not layers:
            return
        onto = self._fusable(node)
        if onto is None:
            self.chains.append(layers)
            self._maker[node.output] = len(self.chains) - 1
        else:
            self.chains[onto].extend(replace(layer, fused=True) for layer in layers)
            self._maker[node.output] = onto
        if layers[-1].kind != "vector" and weights_of(node) in self._graph.constants:
            self._weighted.add(node.output)

    def _fusable(self, node: Node) -> int | None:
        """The chain whose output a node transforms element by element, when nothing else reads that output."""
        if node.operator not in ELEMENTWISE:
            return None
        whole = [n for n in self._graph.streams(node) if self._graph.elements(n) == self._graph.elements(node.output)]
        return self._maker.get(whole[0]) if len(whole) == 1 and self._uses[whole[0]] == 1 else None
