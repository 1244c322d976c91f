"""Networks from ONNX files: `read_onnx("model.onnx", batch=8)` gives the layers an NPU runs.

Weights are not needed: only the graph and its shapes are read. What costs nothing on a systolic array is no layer:

* bias and batch normalisation behind a convolution or a product with weights are folded into it;
* elementwise functions of the previous layer's output are fused: the vector units see them, memory does not;
* tensors that depend on no input are computed beforehand, and data movement belongs to the layers around it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from archgym.errors import InvalidInput
from archgym.sims.npu.layers import Network
from archgym.sims.npu.onnx_import.clusters import merge_clusters
from archgym.sims.npu.onnx_import.lowering import lower
from archgym.sims.npu.onnx_import.model_file import check_operators, load_model
from archgym.sims.npu.onnx_import.operators import SUPPORTED
from archgym.sims.npu.onnx_import.shapes import graph_of

__all__ = ["SUPPORTED", "read_onnx"]


def read_onnx(
    path: str | os.PathLike[str], batch: int | None = None, dimensions: Mapping[str, int] | None = None
) -> Network:
    """Read a network's layers.

    Args:
        path: an ONNX file; tensors it keeps in other files may be missing.
        batch: samples. A symbolic first dimension of the inputs becomes this (default 1); where the file fixes its
            batch, the graph runs as often as needed.
        dimensions: sizes of further symbolic dimensions by name, such as {"sequence": 128}.

    Raises:
        InvalidInput: for a missing or broken file, an unsupported operator, or shapes that are unknown or do not fit.
        UnknownName: for a dimension that the file does not have.
        MissingDependency: when the `onnx` package is not installed.
    """
    file = Path(path).expanduser()
    model = load_model(file)
    check_operators(file, model.graph, SUPPORTED)
    graph = merge_clusters(graph_of(file, model, batch, dimensions or {}))
    try:
        network = lower(graph)
    except InvalidInput as error:
        raise InvalidInput(f"{file}: {error}") from error
    if not any(layer.macs for layer in network):
        raise InvalidInput(f"{file}: has no convolution and no matrix product, so there is nothing for an array")
    return network
