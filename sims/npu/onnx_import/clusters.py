"""Functions that exporters write out in parts (GELU, SiLU, layer normalisation...), put together again.

The vector units run such a function in one pass; taken one by one, its parts would go through memory each time.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from heapq import heappop, heappush

from archgym.sims.npu.onnx_import.graph import Graph, Node
from archgym.sims.npu.onnx_import.operators import ELEMENTWISE

__all__ = ["merge_clusters"]

_REDUCTIONS = frozenset({"ReduceMax", "ReduceMean", "ReduceSum"})
_SCALES = frozenset({"Add", "Div", "Mul", "Sub"})
_PARTS = frozenset({*ELEMENTWISE, *_REDUCTIONS, "Cast", "Identity"}) - {"BatchNormalization", "CumSum"}


def merge_clusters(graph: Graph) -> Graph:
    """Replace nodes that together make one tensor from one tensor by the standard operator they amount to."""
    search, merged = _Search(graph), dict[int, Node]()
    produced = {name: i for i, node in enumerate(graph.nodes) for name in node.outputs}
    forks = (name for name, count in search.uses.items() if count > 1 and name not in graph.constants)
    for source in sorted(forks, key=lambda name: produced.get(name, -1)):
        for members in search.candidates(source):
            standard = _standard(graph, source, [graph.nodes[i] for i in sorted(members)])
            if standard:
                whole = members | search.scales(max(members))
                last = graph.nodes[max(whole)]
                merged[max(whole)] = replace(standard, name=last.name, outputs=last.outputs)
                search.gone |= whole
                break
    nodes = (merged.get(i, node) for i, node in enumerate(graph.nodes) if i in merged or i not in search.gone)
    return replace(graph, nodes=tuple(nodes))


class _Search:
    """Looks for sets of nodes, by position, that are a function of one tensor."""

    def __init__(self, graph: Graph) -> None:
        self.uses = graph.uses()
        self.gone: set[int] = set()
        self._graph = graph
        self._streams = [frozenset(graph.streams(node)) for node in graph.nodes]
        self._readers: dict[str, list[int]] = {}
        for i, streams in enumerate(self._streams):
            for name in streams:
                self._readers.setdefault(name, []).append(i)

    def candidates(self, source: str) -> list[frozenset[int]]:
        """Sets that read nothing but `source`, and of which only the last node is read elsewhere; smallest first.

        Whatever reads the source in the largest of them is in all: a set that ends before it would be half a function.
        """
        made: dict[str, frozenset[int]] = {source: frozenset()}
        closed: list[frozenset[int]] = []
        pending = list(self._readers.get(source, ()))
        while pending:
            i = heappop(pending)  # in the graph's order, so that what a node reads comes before it
            node = self._graph.nodes[i]
            if (
                i in self.gone
                or node.output in made
                or node.operator not in _PARTS
                or not self._streams[i] <= made.keys()
            ):
                continue
            members = frozenset({i}.union(*(made[name] for name in self._streams[i])))
            made[node.output] = members
            for reader in self._readers.get(node.output, ()):
                heappush(pending, reader)
            if self._graph.shapes[node.output] == self._graph.shapes[source] and self._closed(members, i):
                closed.append(members)
        closed.sort(key=len)
        readers = {i for i in (closed[-1] if closed else ()) if source in self._streams[i]}
        return [members for members in closed if len(members) > 1 and readers <= members]

    def _closed(self, members: frozenset[int], last: int) -> bool:
        inside = Counter(name for i in members for name in self._streams[i])
        outputs = (self._graph.nodes[i].output for i in members if i != last)
        return all(inside[name] == self.uses[name] for name in outputs)

    def scales(self, last: int) -> frozenset[int]:
        """Nodes behind the last one that only scale and shift by constants, as a normalisation ends."""
        found = set[int]()
        while self.uses[output := self._graph.nodes[last].output] == 1 and output in self._readers:
            (last,) = self._readers[output]
            if self._graph.nodes[last].operator not in _SCALES or self._streams[last] != {output}:
                break
            found.add(last)
        return frozenset(found)


def _standard(graph: Graph, source: str, parts: list[Node]) -> Node | None:
    """The operator that a cluster is, None where it is better left in parts."""
    operators = {part.operator for part in parts}
    name, outputs = parts[-1].name, parts[-1].outputs
    reductions = [part for part in parts if part.operator in _REDUCTIONS]
    if not reductions:
        if sum(source in part.inputs for part in parts) < 2:
            return None  # a plain chain: each link fuses on its own
        curve = "Gelu" if operators & {"Erf", "Tanh"} and "Softplus" not in operators else "Swish"
        return Node(name, curve, (source,), outputs, {})
    before, after = graph.shapes[source], graph.shapes[reductions[0].output]
    axes = [axis for axis, sizes in enumerate(zip(before, after, strict=False)) if sizes[0] != sizes[1]]
    if len(before) != len(after) or not axes:
        return None
    if {"Exp", "ReduceSum"} <= operators and axes == [len(before) - 1]:
        return Node(name, "Softmax", (source,), outputs, {"axis": axes[0]})
    if "ReduceMean" in operators and operators & {"Sqrt", "Pow"}:
        return Node(name, "MeanVarianceNormalization", (source,), outputs, {"axes": axes})
    return None
