"""Small ONNX graphs, one call per node; weights are references to a file that does not exist."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Builder:
    def __init__(self, opset=17, **inputs):
        """Inputs by name: sizes, symbols, or (element type, sizes)."""
        self.opset, self.nodes, self.weights, self._count = opset, [], [], 0
        self.inputs = []
        for name, sizes in inputs.items():
            kind, dims = sizes if isinstance(sizes, tuple) else (TensorProto.FLOAT, sizes)
            self.inputs.append(helper.make_tensor_value_info(name, kind, dims))

    def weight(self, *dims, kind=TensorProto.FLOAT):
        self._count += 1
        tensor = TensorProto(name=f"weight{self._count}", dims=dims, data_type=kind)
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="weights.bin")
        self.weights.append(tensor)
        return tensor.name

    def constant(self, values, kind=np.int64):
        self._count += 1
        self.weights.append(numpy_helper.from_array(np.array(values, dtype=kind), f"constant{self._count}"))
        return self.weights[-1].name

    def op(self, operator, *inputs, name="", outputs=1, **attributes):
        self._count += 1
        names = [f"t{self._count}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(operator, list(inputs), names, name=name, **attributes))
        return names[0] if outputs == 1 else names

    def model(self, *outputs):
        results = [onnx.ValueInfoProto(name=name) for name in outputs or self.nodes[-1].output[:1]]
        graph = helper.make_graph(self.nodes, "graph", self.inputs, results, initializer=self.weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8)

    def save(self, path, *outputs):
        path.write_bytes(self.model(*outputs).SerializeToString())
        return path

    # steps of convolutional networks, named as in the shipped tables

    def conv(self, x, name, in_c, out_c, kernel, stride=1, padding=0, groups=1, relu=""):
        taps = (kernel, kernel)
        x = self.op(
            "Conv", x, self.weight(out_c, in_c // groups, *taps), self.weight(out_c), name=name, kernel_shape=taps,
            strides=(stride, stride), pads=(padding,) * 4, group=groups,
        )  # fmt: skip
        return self.op("Relu", x, name=relu) if relu else x

    def head(self, x, features, classes, name):
        x = self.op("Flatten", self.op("GlobalAveragePool", x, name="avgpool"))
        return self.op("Gemm", x, self.weight(classes, features), self.weight(classes), name=name, transB=1)


def full_shapes(model):
    """Sizes by tensor, as the library infers them for the whole model at once."""
    found = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph
    values = [*found.input, *found.value_info, *found.output]
    shapes = {v.name: tuple(d.dim_value for d in v.type.tensor_type.shape.dim) for v in values}
    return {**shapes, **{tensor.name: tuple(tensor.dims) for tensor in found.initializer}}
