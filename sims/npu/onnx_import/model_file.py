"""Reading an ONNX file: what can be wrong with the file itself, before its tensors have shapes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from archgym.errors import InvalidInput, MissingDependency, nearest

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

__all__ = ["check_operators", "load_model", "node_name"]

CONTROL_FLOW = ("If", "Loop", "Scan", "SequenceMap")


def load_model(path: Path) -> ModelProto:
    """Parse a file, without the tensors it keeps in other files, and inline the functions it defines.

    Raises:
        InvalidInput: when there is no such file, or it is not an ONNX model the installed `onnx` can read.
        MissingDependency: when the `onnx` package is not installed.
    """
    if path.is_dir():
        raise InvalidInput(f"{path}: is a directory, expected an ONNX file")
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise InvalidInput(f"{path}: no such file") from error
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    try:
        import onnx
        from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
        from onnx import inliner
    except ImportError as error:
        raise MissingDependency("the onnx package", "onnx", "reading a network from an ONNX file") from error
    try:
        model: ModelProto = onnx.ModelProto.FromString(content)
    except DecodeError as error:
        raise InvalidInput(f"{path}: is not an ONNX model, or is truncated") from error
    if not model.ir_version or not model.HasField("graph"):
        raise InvalidInput(f"{path}: is not an ONNX model: it has no format version or no graph")
    if not model.graph.node:
        raise InvalidInput(f"{path}: the graph has no nodes")
    _check_versions(path, model, onnx.defs.onnx_opset_version())
    if not model.functions:
        return model
    try:
        return inliner.inline_local_functions(model)
    except (RuntimeError, ValueError) as error:
        raise InvalidInput(f"{path}: its functions cannot be inlined: {one_line(error)}") from error


def _check_versions(path: Path, model: ModelProto, newest: int) -> None:
    if model.ir_version >= 3 and not model.opset_import:
        raise InvalidInput(f"{path}: is not an ONNX model, or is truncated: it names no operator set")
    version = opset(model)
    if not 1 <= version <= newest:
        raise InvalidInput(f"{path}: needs operator set {version}; the installed onnx knows 1 to {newest}: update it")


def opset(model: ModelProto) -> int:
    """Version of the standard operators; models older than format 3 do not say it."""
    versions = [entry.version for entry in model.opset_import if entry.domain in {"", "ai.onnx"}]
    return versions[0] if versions else 1


def check_operators(path: Path, graph: GraphProto, supported: Collection[str]) -> None:
    """Refuse a graph with an operator that is not a layer, before its shapes are looked at.

    Raises:
        InvalidInput: naming the operator, the node and what is supported.
    """
    for node in graph.node:
        where = f"operator {node.op_type!r} of node {node_name(node)!r}"
        if node.domain not in {"", "ai.onnx"}:
            raise InvalidInput(
                f"{path}: {where} is not a standard operator (domain {node.domain!r}); "
                "export the network without optimisations for one runtime"
            )
        if node.op_type in CONTROL_FLOW:
            raise InvalidInput(f"{path}: {where} is control flow, whose work depends on data; export without it")
        if node.op_type not in supported:
            hint = nearest(node.op_type, supported)
            raise InvalidInput(f"{path}: {where} is not supported{hint}; supported: {', '.join(sorted(supported))}")


def node_name(node: NodeProto) -> str:
    """The node's name, or its first output's, which is unique; never empty."""
    return node.name or next(_named(node), node.op_type)


def _named(node: NodeProto) -> Iterator[str]:
    return (name for name in node.output if name)


def one_line(error: BaseException) -> str:
    """An error's message without the line breaks and the source positions that the library puts into it."""
    return " ".join(str(error).split()) or type(error).__name__
