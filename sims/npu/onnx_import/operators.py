"""What each ONNX operator is on an NPU: GEMMs, convolutions, passes of the vector units, or nothing at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from types import MappingProxyType

from archgym.errors import InvalidInput
from archgym.sims.npu.layers import Layer, vector
from archgym.sims.npu.onnx_import.einsum import einsum
from archgym.sims.npu.onnx_import.graph import Graph, Node
from archgym.sims.npu.onnx_import.matrices import attention, convolution, gemm_node, matmul, transposed_convolution

__all__ = ["ELEMENTWISE", "MOVES", "RENAMES", "SUPPORTED", "layers_of"]

_RENAMES = "Cast CastLike DequantizeLinear Dropout Flatten Identity Reshape Squeeze Transpose Unsqueeze"
_MOVES = (
    "Concat Constant ConstantOfShape DepthToSpace Expand EyeLike Gather GatherElements GatherND OneHot Pad Range "
    "ScatterElements ScatterND Shape Size Slice SpaceToDepth Split Tile Trilu"
)
RENAMES = frozenset(_RENAMES.split())
"""One tensor in, the same elements out: addresses change, and what follows can still be fused."""
MOVES = RENAMES | frozenset(_MOVES.split())
"""Data movement, which the layers around it do when they read and write: no layer of its own."""
_SIMPLE = (  # one comparison, selection or rounding an element
    "Abs Ceil Clip Floor IsInf IsNaN LeakyRelu Neg Not PRelu QuantizeLinear Relu Round Shrink Sign ThresholdedRelu"
)
_FUNCTIONS = (  # through the units' function tables or iterations
    "Acos Acosh Asin Asinh Atan Atanh BatchNormalization Celu Cos Cosh CumSum Elu Erf Exp HardSigmoid HardSwish "
    "Hardmax Log Mish Reciprocal Selu Sigmoid Sin Sinh Softplus Softsign Sqrt Swish Tan Tanh"
)
_ADDITIONS = "Add And Equal Greater GreaterOrEqual Less LessOrEqual Max Mean Min Mod Or Sub Sum Where Xor"
_PRODUCTS = "Div Mul Pow"
ELEMENTWISE: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(_SIMPLE.split(), "relu"),
        **dict.fromkeys(_FUNCTIONS.split(), "activation"),
        **dict.fromkeys(_ADDITIONS.split(), "add"),
        **dict.fromkeys(_PRODUCTS.split(), "mul"),
        "Gelu": "gelu",
    }
)
"""One result per element of the output, by operation of the vector units."""

Handler = Callable[[Node, Graph], list[Layer]]


def layers_of(node: Node, graph: Graph) -> list[Layer]:
    """Layers of one node, none for data movement.

    Raises:
        InvalidInput: for a form of the operator that is no layer here, naming the node.
    """
    if node.operator in MOVES:
        return []
    if node.operator in ELEMENTWISE:
        return [_pass(node, graph, _operation(node, graph))]
    try:
        return _HANDLERS[node.operator](node, graph)
    except InvalidInput:
        raise
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:  # what shape inference does not check
        raise InvalidInput(
            f"node {node.name!r} ({node.operator}): attributes {dict(node.attributes)} do not fit"
        ) from error


def _operation(node: Node, graph: Graph) -> str:
    """A sum or product with constants reads one tensor, as a rectifier does."""
    operation = ELEMENTWISE[node.operator]
    whole = [name for name in graph.streams(node) if graph.elements(name) == graph.elements(node.output)]
    return "relu" if operation in {"add", "mul"} and len(whole) < 2 else operation


def _pass(node: Node, graph: Graph, operation: str, *, width: int = 0, window: int = 1, name: str = "") -> Layer:
    """One vector layer over the node's output; every sample has its share where the output divides into samples."""
    elements = graph.elements(node.output)
    samples = graph.samples if elements % graph.samples == 0 else 1
    if width and (elements // samples) % width:
        samples = 1
    return vector(
        name or node.name, operation, elements // samples, width=width, window=window, batch=samples * graph.repeats
    )


def _axis(node: Node, graph: Graph, default: int) -> int:
    return range(len(graph.shapes[node.inputs[0]]))[int(node.attributes.get("axis", default))]


def _softmax(node: Node, graph: Graph) -> list[Layer]:
    shape = graph.shapes[node.inputs[0]]
    if graph.opset >= 13:
        return [_pass(node, graph, "softmax", width=shape[_axis(node, graph, -1)])]
    return [_pass(node, graph, "softmax", width=prod(shape[_axis(node, graph, 1) :]))]  # all axes from this one on


def _normalize(node: Node, graph: Graph) -> list[Layer]:
    shape = graph.shapes[node.inputs[0]]
    if node.operator == "GroupNormalization":
        width = prod(shape[1:]) // int(node.attributes.get("num_groups", 1))
    elif node.operator == "InstanceNormalization":
        width = prod(shape[2:])
    elif node.operator == "MeanVarianceNormalization":
        width = prod(shape[axis] for axis in node.attributes.get("axes", (0, 2, 3)))
    elif node.operator == "LpNormalization":
        width = shape[_axis(node, graph, -1)]
    else:
        width = prod(shape[_axis(node, graph, -1) :])
    return [_pass(node, graph, "layernorm", width=width)]


def _pool(node: Node, graph: Graph) -> list[Layer]:
    return [_pass(node, graph, "pool", window=prod(node.attributes["kernel_shape"]))]


def _reduce(node: Node, graph: Graph) -> list[Layer]:
    """Each output gathers its share of the input (global pooling, reductions, the search for a maximum)."""
    window = -(-graph.elements(node.inputs[0]) // max(1, graph.elements(node.output)))
    return [_pass(node, graph, "pool", window=window)]


def _local_response(node: Node, graph: Graph) -> list[Layer]:
    return [_pass(node, graph, "pool", window=int(node.attributes["size"]))]


def _resize(node: Node, graph: Graph) -> list[Layer]:
    """Nearest neighbours are moved; linear and cubic ones are weighted sums over 2 or 4 points a resized axis."""
    points = {"nearest": 1, "linear": 2, "bilinear": 2, "cubic": 4}[node.attributes.get("mode", "nearest")]
    shapes = zip(graph.shapes[node.inputs[0]], graph.shapes[node.output], strict=True)
    window = points ** sum(before != after for before, after in shapes)
    return [_pass(node, graph, "pool", window=window)] if window > 1 else []


def _transposed(node: Node, graph: Graph) -> list[Layer]:
    """One GEMM makes all taps; the vector units add those that meet in one output."""
    product = transposed_convolution(node, graph)
    outputs = graph.elements(node.output) * graph.repeats
    window = -(-product.ofmap_elements // outputs)
    return [product, *([_pass(node, graph, "pool", window=window, name=f"{node.name}.sum")] if window > 1 else [])]


_REDUCTIONS = (
    "ArgMax ArgMin GlobalAveragePool GlobalLpPool GlobalMaxPool ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp "
    "ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare TopK"
)
_NORMALIZATIONS = (
    "GroupNormalization InstanceNormalization LayerNormalization LpNormalization MeanVarianceNormalization "
    "RMSNormalization"
)
_HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        **dict.fromkeys(("Conv", "ConvInteger", "QLinearConv"), convolution),
        **dict.fromkeys(("MatMul", "MatMulInteger", "QLinearMatMul"), matmul),
        "Gemm": gemm_node,
        "Einsum": einsum,
        "ConvTranspose": _transposed,
        "Attention": attention,
        **dict.fromkeys(("Softmax", "LogSoftmax"), _softmax),
        **dict.fromkeys(_NORMALIZATIONS.split(), _normalize),
        **dict.fromkeys(("MaxPool", "AveragePool", "LpPool"), _pool),
        **dict.fromkeys(_REDUCTIONS.split(), _reduce),
        "LRN": _local_response,
        **dict.fromkeys(("Resize", "Upsample"), _resize),
    }
)
SUPPORTED = frozenset({*MOVES, *ELEMENTWISE, *_HANDLERS})
"""Every operator that can be read."""
