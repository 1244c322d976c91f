"""The blocks of the family."""

from __future__ import annotations

from archgym.rtl.array import golden, stimuli
from archgym.rtl.array.digit_rows import DIGIT_ARRAY
from archgym.rtl.array.faults import FAULTS
from archgym.rtl.block import Block, Parameters, Port, Streams
from archgym.rtl.common.sources import MULTIPLIER, common
from archgym.space import Parameter

__all__ = ["BLOCKS"]

_BIT_WEIGHT = "arXiv 2503.06342 (HPCA 2025)"

_COMMON = (*MULTIPLIER, *common("csa_tree_plus", "stream_register"))
_DOT = tuple(f"array/{name}.sv" for name in ("sum_tree", "bit_weight_sums", "dot_terms", "dot_pe", "result_pe"))
_EDGES = tuple(f"array/{name}.sv" for name in ("tile_control", "column_read", "edge_adders", "result_rows"))
_OUTPUT_STATIONARY = (*_COMMON, "mac/mac_pe.sv", *_DOT, *_EDGES)
_GRID = (*_OUTPUT_STATIONARY, "array/row_edge.sv", "array/dot_grid.sv")
_WEIGHT_STATIONARY = (
    *_COMMON,
    *(f"array/{name}.sv" for name in ("skew", "pair_adder", "stall_copy", "stall_output", "systolic_ws_pe")),
)

_SIZES = (4, 8, 16, 32)
_ROWS = Parameter("Rows", _SIZES, "ordinal", "", "shape", "Rows of elements: operands a of a step.")
_COLS = Parameter("Cols", _SIZES, "ordinal", "", "shape", "Columns: operands b of a step.")
_DEPTH = Parameter("Depth", _SIZES, "ordinal", "", "shape", "Products that an element adds up in space.")
_WIDTH = Parameter("Width", (4, 8, 16), "ordinal", "bit", "operands", "Operands.")
_ACC = Parameter("AccWidth", (16, 24, 32, 48), "ordinal", "bit", "operands", "Accumulators.")
_MULTIPLIER = Parameter(
    "Multiplier", (0, 1, 2, 3, 4), "categorical", "", "multiplier",
    "0 behavioural, 1 Booth in the element, 2 Booth at the edge, 3 EN-T at the edge, 4 EN-T before the port.",
)  # fmt: skip
_CARRY_SAVE = Parameter("CarrySave", (0, 1), "ordinal", "", "multiplier", "1: sums stay pairs until they leave (OPT1).")
_REDUCTION = Parameter("Reduction", (0, 1), "ordinal", "", "multiplier", "1: terms of a bit weight first (OPT2).")
_PIPELINE = Parameter("Pipeline", (0, 1), "ordinal", "", "timing", "1: a register before the accumulator.")
_RESULTS = Parameter("ResultBuffer", (0, 1), "ordinal", "", "timing", "1: reading overlaps the next tile.")
_WEIGHTS = Parameter("WeightBuffer", (0, 1), "ordinal", "", "timing", "1: loading overlaps computing.")


def _operands(p: Parameters) -> tuple[Port, Port, Port]:
    """Ports a, b and c: operands a are codes, not numbers, where they arrive encoded."""
    encoded = p["Multiplier"] == 4
    lanes_a = golden.rows(p) * golden.depth(p)
    return (
        Port("a_i", "in", p["Width"] + encoded, lanes_a, signed=not encoded, doc="operand or EN-T code by row, step"),
        Port("b_i", "in", p["Width"], p["Cols"] * golden.depth(p), signed=True, doc="operand by column, step"),
        Port("c_o", "out", p["AccWidth"], p["Cols"], signed=True, doc="sum by column"),
    )


def _os_ports(p: Parameters) -> tuple[Port, ...]:
    a, b, c = _operands(p)
    flags = (Port("first_i", "in", 1, doc="begins a tile"), Port("last_i", "in", 1, doc="ends a tile"))
    return (a, b, *flags, c)


def _ws_ports(p: Parameters) -> tuple[Port, ...]:
    a, b, c = _operands(p)
    flags = (
        Port("load_i", "in", 1, doc="b is a row of weights"),
        Port("swap_i", "in", 1, doc="use the loaded weights from this beat on"),
        Port("compute_i", "in", 1, doc="a is a row of operands"),
    )
    return (a, b, *flags, c)


def _os_macs(p: Parameters, streams: Streams) -> float:
    return float(len(streams["last_i"])) * golden.rows(p) * p["Cols"] * golden.depth(p)


def _ws_macs(p: Parameters, streams: Streams) -> float:
    return float(streams["compute_i"].sum()) * p["Rows"] * p["Cols"]


def reject(p: Parameters) -> str:
    """Why the elements refuse these parameters, or nothing."""
    least = 2 * p["Width"] + (golden.depth(p) - 1).bit_length()
    if p["AccWidth"] < least:
        return f"AccWidth must be at least {least}, got {p['AccWidth']}"
    if p.get("Reduction") and p["Multiplier"] == 0:
        return "Reduction by bit weight needs digits: Multiplier 1 to 4, got 0"
    return ""


def _engine(name: str, sources: tuple[str, ...], parameters: tuple[Parameter, ...], keep: tuple[str, ...],
            doc: str, source: str) -> Block:  # fmt: skip
    """An output-stationary engine: all of them have one protocol."""
    return Block(
        name=name,
        family="array",
        top=name,
        kind="stream",
        sources=(*sources, f"array/{name}.sv"),
        parameters=parameters,
        ports=_os_ports,
        golden=golden.output_stationary,
        stimulus=stimuli.os_random,
        corners=stimuli.os_corners,
        macs=_os_macs,
        reject=reject,
        keep=keep,
        mutations=FAULTS[name],
        doc=doc,
        source=source,
    )


_SUMS = (_WIDTH, _ACC, _MULTIPLIER, _CARRY_SAVE)
_GRID_KEEP = ("result_pe", "row_edge", "column_read")

BLOCKS = (
    _engine(
        "systolic_os",
        (*_OUTPUT_STATIONARY, "array/skew.sv", "array/systolic_os_pe.sv"),
        (_ROWS, _COLS, *_SUMS, _PIPELINE, _RESULTS),
        ("systolic_os_pe", "column_read"),
        "Output-stationary systolic array: a flows right, b down, every element keeps its sum.",
        f"H. T. Kung, IEEE Computer 15(1), 1982; {_BIT_WEIGHT}",
    ),
    Block(
        name="systolic_ws",
        family="array",
        top="systolic_ws",
        kind="stream",
        sources=(*_WEIGHT_STATIONARY, "array/systolic_ws.sv"),
        parameters=(_ROWS, _COLS, *_SUMS, _WEIGHTS),
        ports=_ws_ports,
        golden=golden.weight_stationary,
        stimulus=stimuli.ws_random,
        corners=stimuli.ws_corners,
        macs=_ws_macs,
        reject=reject,
        keep=("systolic_ws_pe", "stall_copy"),
        mutations=FAULTS["systolic_ws"],
        doc="Weight-stationary systolic array: weights stay, a flows right, partial sums down.",
        source=f"N. P. Jouppi et al., ISCA 2017; {_BIT_WEIGHT}",
    ),
    _engine(
        "matrix2d", _GRID, (_ROWS, _COLS, *_SUMS, _PIPELINE, _RESULTS), _GRID_KEEP,
        "2D matrix: operand buses across a grid of elements, every element keeps its sum.",
        f"FlexFlow, HPCA 2017; {_BIT_WEIGHT}",
    ),
    _engine(
        "cube", _GRID, (_ROWS, _COLS, _DEPTH, *_SUMS, _REDUCTION, _PIPELINE, _RESULTS), _GRID_KEEP,
        "3D cube: Rows x Cols elements, each Depth products reduced in space and summed in time.",
        f"Ascend's cube unit, Hot Chips 31, 2019; {_BIT_WEIGHT}",
    ),
    _engine(
        "adder_tree", _GRID, (_COLS, _DEPTH, *_SUMS, _REDUCTION, _PIPELINE, _RESULTS), _GRID_KEEP,
        "Multiplier-adder tree: one vector of Depth operands against Cols columns, a tree a column.",
        f"DianNao, ASPLOS 2014, section 5.1; Trapezoid, ISCA 2024; {_BIT_WEIGHT}",
    ),
    DIGIT_ARRAY,
)  # fmt: skip
