"""Functions that exporters write out in parts (GELU, SiLU, layer normalisation...), put together again.

The vector units run such a function in one pass; taken one by one, its parts would go through memory each time.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from archgym.sims.npu.onnx_import.graph import Graph, Node
from archgym.sims.npu.onnx_import.operators import ELEMENTWISE

__all__ = ["merge_clusters"]

_REDUCTIONS = frozenset({"ReduceMax", "ReduceMean", "ReduceSum"})
_PARTS = frozenset({*ELEMENTWISE, *_REDUCTIONS, "Cast", "Identity"}) - {"BatchNormalization", "CumSum"}


def merge_clusters(graph: Graph) -> Graph:
    """Replace nodes that together make one tensor from one tensor by the standard operator they amount to."""
    uses, gone, merged = graph.uses(), set[int](), dict[int, Node]()
    produced = {name: i for i, node in enumerate(graph.nodes) for name in node.outputs}
    forks = (name for name, count in uses.items() if count > 1 and name not in graph.constants)
    for source in sorted(forks, key=lambda name: produced.get(name, -1)):
        members = _largest(graph, source, uses, gone)
        if members and (standard := _standard(graph, source, [graph.nodes[i] for i in sorted(members)])):
            merged[max(members)] = standard
            gone |= members
    nodes = (merged.get(i, node) for i, node in enumerate(graph.nodes) if i in merged or i not in gone)
    return replace(graph, nodes=tuple(nodes))


def _largest(graph: Graph, source: str, uses: Counter[str], gone: set[int]) -> frozenset[int]:
    """The most nodes, by position, of which only the last is read elsewhere and that read nothing but `source`."""
    made: dict[str, frozenset[int]] = {source: frozenset()}
    best: frozenset[int] = frozenset()
    for i, node in enumerate(graph.nodes):
        streams = set(graph.streams(node))
        if i in gone or node.operator not in _PARTS or not streams or not streams <= made.keys():
            continue
        members = frozenset({i}.union(*(made[name] for name in streams)))
        made[node.output] = members
        same = graph.shapes[node.output] == graph.shapes[source]
        if same and len(members) > max(1, len(best)) and _closed(graph, members, i, uses):
            best = members
    return best


def _closed(graph: Graph, members: frozenset[int], last: int, uses: Counter[str]) -> bool:
    inside = Counter(name for i in members for name in set(graph.nodes[i].inputs))
    return all(inside[graph.nodes[i].output] == uses[graph.nodes[i].output] for i in members if i != last)


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
