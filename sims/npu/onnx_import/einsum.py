"""Einsum of two tensors as a matrix product: which of its indices are rows, columns, reduction and batch."""

from __future__ import annotations

from math import prod

from archgym.errors import InvalidInput
from archgym.sims.npu.layers import Layer
from archgym.sims.npu.onnx_import.graph import Graph, Node
from archgym.sims.npu.onnx_import.matrices import product

__all__ = ["einsum"]


def einsum(node: Node, graph: Graph) -> list[Layer]:
    """A GEMM per combination of the indices that both operands and the result have.

    Raises:
        InvalidInput: for other than two operands, and for diagonals, ellipses and sums within one operand.
    """
    equation = str(node.attributes["equation"]).replace(" ", "")
    terms, arrow, result = equation.partition("->")
    operands = terms.split(",")
    if not arrow:  # by definition: what appears once, in alphabetical order
        result = "".join(sorted(index for index in set(terms) - {","} if terms.count(index) == 1))
    a, b = (set(operands[0]), set(operands[-1]))
    whole = all(len(set(term)) == len(term) and "." not in term for term in (*operands, result))
    if len(operands) != 2 or not whole or a ^ b ^ (a & b & set(result)) != set(result):
        raise InvalidInput(
            f"node {node.name!r} (Einsum): {equation!r} is no product of two matrices; allowed: two operands, "
            "every index once in each, and indices of one operand alone in the result"
        )
    size = {
        index: length
        for term, name in zip(operands, node.inputs, strict=True)
        for index, length in zip(term, graph.shapes[name], strict=True)
    }
    m, n, k, batch = (
        prod(size[index] for index in indices) for indices in (a - b, b - a, (a & b) - set(result), a & b & set(result))
    )
    return [product(node, graph, m, n, k, batch)]
