"""Values of small constants: tensors that shapes are made from. Weights are never looked at."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from archgym.sims.npu.onnx_import.model_file import one_line

if TYPE_CHECKING:
    from onnx import NodeProto, TensorProto, TypeProto

__all__ = ["Constants"]

SMALL = 4096  # elements; shapes and axes have tens, and larger tensors are weights
_COMPUTED = (  # arithmetic that exporters do on shapes
    "Add And Cast Ceil Concat Constant ConstantOfShape Div Equal Expand Flatten Floor Gather Greater GreaterOrEqual "
    "Identity Less LessOrEqual Max Min Mod Mul Neg Not Or Pow Range Reciprocal ReduceMax ReduceMin ReduceProd "
    "ReduceSum Reshape Slice Split Sqrt Squeeze Sub Tile Transpose Unsqueeze Where"
)
COMPUTED = frozenset(_COMPUTED.split())
FAILURES = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


class Constants:
    """Which tensors depend on no input, and the values of the small ones."""

    def __init__(self, folder: Path, opset: int) -> None:
        self._folder, self._opset = folder, opset
        self.names: set[str] = set()
        self.values: dict[str, TensorProto] = {}
        self.unread = ""
        """Why values in another file could not be read, for the message when a shape turns out to need them."""

    def take_initializer(self, tensor: TensorProto) -> None:
        """Keep a tensor of the file; values in another file are read only where they are integers, as shapes are."""
        from onnx import TensorProto

        self.names.add(tensor.name)
        if prod(tensor.dims) > SMALL:
            return
        outside = tensor.data_location == TensorProto.EXTERNAL
        whole = tensor.data_type in {TensorProto.INT32, TensorProto.INT64}
        if not outside or (whole and self._load(tensor)):
            self.values[tensor.name] = tensor

    def _load(self, tensor: TensorProto) -> bool:
        from onnx import checker, external_data_helper

        try:
            external_data_helper.load_external_data_for_tensor(tensor, str(self._folder))
        except (OSError, checker.ValidationError, *FAILURES) as error:
            self.unread = f"; the values of {tensor.name!r} are in another file that cannot be read: {one_line(error)}"
            return False
        tensor.ClearField("data_location")
        return True

    def take_node(self, proto: NodeProto, types: dict[str, TypeProto]) -> None:
        """Mark a node's outputs constant, and compute them where they are small; adds the types it finds."""
        from onnx import helper, numpy_helper

        names = [name for name in proto.output if name]
        self.names.update(names)
        if proto.op_type in {"Shape", "Size"}:
            found = [_of_shape(proto, types[proto.input[0]])]
        else:
            found = self._computed(proto, [types[name] for name in names if name in types])
        for name, value in zip(names, found, strict=False):
            if value is not None and value.size <= SMALL:
                self.values[name] = numpy_helper.from_array(value, name)
                types[name] = helper.make_tensor_type_proto(self.values[name].data_type, list(value.shape))

    def _computed(self, proto: NodeProto, types: list[TypeProto]) -> list[Any]:
        """Outputs, or nothing when an input has no value or the result would be large."""
        from onnx import helper, numpy_helper
        from onnx.reference import ReferenceEvaluator

        names = [name for name in proto.input if name]
        sizes = [prod(d.dim_value for d in kind.tensor_type.shape.dim) for kind in types]
        if (
            proto.op_type not in COMPUTED
            or not all(name in self.values for name in names)
            or max(sizes, default=0) > SMALL
        ):
            return []
        versions = [helper.make_opsetid("", self._opset)]
        try:
            body = helper.make_function("shapes", "node", names, list(proto.output), [proto], versions)
            values = {name: numpy_helper.to_array(self.values[name]) for name in names}
            with np.errstate(all="ignore"):
                found = ReferenceEvaluator(body).run(None, values, attributes={})
        except FAILURES:
            return []  # then the shape that needs it stays unknown, which is reported where it matters
        return [np.asarray(value) for value in found]


def _of_shape(proto: NodeProto, kind: TypeProto) -> Any:
    dims = [d.dim_value for d in kind.tensor_type.shape.dim]
    if proto.op_type == "Size":
        return np.array(prod(dims), dtype=np.int64)
    bounds = {a.name: a.i for a in proto.attribute}
    return np.array(dims[bounds.get("start", 0) : bounds.get("end")], dtype=np.int64)
