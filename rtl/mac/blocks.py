"""The blocks of the family."""

from __future__ import annotations

from archgym.rtl.block import Block, Mutation, Parameters, Port, Streams
from archgym.rtl.common.sources import MULTIPLIER, common
from archgym.rtl.mac import golden, stimuli
from archgym.space import Parameter

__all__ = ["BLOCKS"]

_WIDTH = Parameter("Width", (4, 8, 16), "ordinal", "bit", "operands", "Operands.")
_ACC = Parameter("AccWidth", (16, 24, 32, 48), "ordinal", "bit", "operands", "Accumulator.")
_MULTIPLIER = Parameter(
    "Multiplier", (0, 1, 2, 3, 4), "categorical", "", "multiplier",
    "0 behavioural, 1 Booth in the element, 2 Booth at the edge, 3 EN-T at the edge, 4 EN-T before the buffer.",
)  # fmt: skip
_CARRY_SAVE = Parameter("CarrySave", (0, 1), "ordinal", "", "multiplier", "1: the sum stays a pair in the loop (OPT1).")
_PIPELINE = Parameter("Pipeline", (0, 1, 2), "ordinal", "", "timing", "Registers between operands and accumulator.")


def _unit_ports(p: Parameters) -> tuple[Port, ...]:
    encoded = p["Multiplier"] == 4
    return (
        Port("a_i", "in", p["Width"] + encoded, signed=not encoded, doc="operand or EN-T code"),
        Port("b_i", "in", p["Width"], signed=True, doc="operand"),
        Port("last_i", "in", 1, doc="ends a packet"),
        Port("acc_o", "out", p["AccWidth"], signed=True, doc="dot product of the packet"),
    )


def _unit_reject(p: Parameters) -> str:
    if p["AccWidth"] < 2 * p["Width"]:
        return f"AccWidth must be at least 2*Width = {2 * p['Width']}, got {p['AccWidth']}"
    if p["Pipeline"] == 2 and p["Multiplier"] in {0, 4}:
        return f"Pipeline 2 needs an encoder to give a cycle: Multiplier 1, 2 or 3, got {p['Multiplier']}"
    return ""


def _unit_macs(_parameters: Parameters, streams: Streams) -> float:
    return float(len(streams["b_i"]))


_SPARSE = (
    *common(
        "ent_encoder", "csa_tree", "csa_tree_plus", "digit_finder", "sparse_encoder", "stream_register",
        "result_register",
    ),
    *(f"mac/{name}.sv" for name in ("digit_select", "digit_pe", "digit_drain", "digit_engine")),
)  # fmt: skip

_DIGIT_ACC = Parameter("AccWidth", (16, 24, 32, 40), "ordinal", "bit", "operands", "Result.")
_LANES = Parameter("Lanes", (2, 4, 8), "ordinal", "", "shape", "Operands of an encoder's group.")
_ENCODED = Parameter(
    "Multiplier", (3, 4), "categorical", "", "multiplier", "3 EN-T in the block, 4 EN-T before the buffer."
)
_HORNER = Parameter("Horner", (0, 1), "ordinal", "", "multiplier", "1: bit weights are added up in the elements.")
_SKIP = Parameter("SkipEmpty", (0, 1), "ordinal", "", "timing", "1: a register lets beats without digits be dropped.")


def _columns(*choices: int) -> Parameter:
    return Parameter("Columns", choices, "ordinal", "", "shape", "Elements that an encoder drives.")


def _encoders(*choices: int) -> Parameter:
    return Parameter("Encoders", choices, "ordinal", "", "shape", "Encoders, and digits of an element a cycle.")


def _digit_ports(p: Parameters) -> tuple[Port, ...]:
    encoded, operands = p["Multiplier"] == 4, p["Encoders"] * p["Lanes"]
    return (
        Port(
            "a_i", "in", p["Width"] + encoded, operands, signed=not encoded, doc="operand or EN-T code by encoder, lane"
        ),
        Port("b_i", "in", p["Width"], p["Columns"] * operands, signed=True, doc="operand by column, encoder, lane"),
        Port("last_i", "in", 1, doc="ends a pass"),
        Port("acc_o", "out", p["AccWidth"], signed=True, doc="dot product of a column"),
    )


def _digit_reject(p: Parameters) -> str:
    if p["AccWidth"] < 2 * p["Width"] + 4:
        return f"AccWidth must be at least 2*Width + 4 = {2 * p['Width'] + 4}, got {p['AccWidth']}"
    return ""


def _digit_macs(p: Parameters, streams: Streams) -> float:
    return float(len(streams["last_i"])) / (p["Width"] // 2) * p["Encoders"] * p["Lanes"] * p["Columns"]


def _digit_block(name: str, columns: Parameter, encoders: Parameter, doc: str) -> Block:
    return Block(
        name=name,
        family="mac",
        top="digit_engine",
        kind="stream",
        sources=_SPARSE,
        parameters=(_WIDTH, _DIGIT_ACC, columns, encoders, _LANES, _ENCODED, _HORNER, _SKIP),
        ports=_digit_ports,
        golden=golden.digit_engine,
        stimulus=stimuli.digit_engine,
        corners=stimuli.digit_engine_corners,
        macs=_digit_macs,
        reject=_digit_reject,
        keep=("digit_pe",),
        mutations=_DIGIT_FAULTS if columns.choices == (1,) else _COLUMN_FAULTS,
        doc=doc,
        source="arXiv 2503.06342 (HPCA 2025), sections on OPT3, OPT4C and OPT4E",
    )


_DIGIT_FAULTS = (
    Mutation("common/sparse_encoder.sv", "{signs_i[l], 1'b0}", "2'b00", "signs of operands are lost"),
    Mutation(
        "common/sparse_encoder.sv",
        "restart_i ? '0 : visited_q | first_o",
        "visited_q | first_o",
        "a group hides the next",
    ),
    Mutation("common/csa_tree_plus.sv", " | Width'(plus_i[k])", "", "negation without its one"),
    Mutation(
        "mac/digit_engine.sv",
        "if (step) fresh_q <= step_last & beat_last;",
        "if (step) fresh_q <= 1'b0;",
        "a pass goes on from the one before",
    ),
    Mutation(
        "mac/digit_engine.sv", "else if (out_ready_i) valid_q <= 1'b0;", "else valid_q <= 1'b0;", "results do not wait"
    ),
    Mutation("mac/digit_pe.sv", "{b[Width-1], b}", "{1'b0, b}", "operands b without their sign"),
)

# Results of one column come passes apart: that one is overwritten by the next takes more patience than a bench has.
_COLUMN_FAULTS = (
    *_DIGIT_FAULTS,
    Mutation(
        "mac/digit_engine.sv", "held & (~valid_q | out_ready_i)", "held", "results that nobody took are overwritten"
    ),
)

BLOCKS = (
    Block(
        name="mac_unit",
        family="mac",
        top="mac_unit",
        kind="stream",
        sources=(*MULTIPLIER, *common("result_register"), "mac/mac_pe.sv", "mac/mac_stages.sv", "mac/mac_unit.sv"),
        parameters=(_WIDTH, _ACC, _MULTIPLIER, _CARRY_SAVE, _PIPELINE),
        ports=_unit_ports,
        golden=golden.mac_unit,
        stimulus=stimuli.mac_unit,
        corners=stimuli.mac_unit_corners,
        macs=_unit_macs,
        reject=_unit_reject,
        mutations=(
            Mutation("mac/mac_unit.sv", "b_q   <= take ? b_i : '0;", "b_q   <= b_i;", "idle cycles are accumulated"),
            Mutation(
                "mac/mac_unit.sv", "fresh_q <= last_i;", "fresh_q <= 1'b0;", "a packet goes on from the one before"
            ),
            Mutation(
                "common/booth_terms.sv",
                "~multiple[1] & ~multiple[0]",
                "~multiple[0]",
                "the last row's one is lost or doubled",
            ),
            Mutation("common/ent_encoder.sv", "(~a_i + 1'b1)", "(~a_i)", "one's complement magnitude"),
            Mutation(
                "common/result_register.sv", " + High'(low_q[Low])", "", "no carry between the halves of the result"
            ),
            Mutation(
                "mac/mac_unit.sv",
                "assign in_ready_o = ~busy_q | ~last_i;",
                "assign in_ready_o = 1'b1;",
                "results overrun",
            ),
        ),
        doc="Multiply-accumulate unit: five multipliers, resolved or carry-save accumulation.",
        source="EN-T, arXiv 2404.11887; OPT1 of arXiv 2503.06342 (HPCA 2025)",
    ),
    _digit_block("digit_mac", _columns(1), _encoders(1), "One element with its sparse encoder (OPT3)."),
    _digit_block("opt4c_column", _columns(4, 8, 16, 32), _encoders(1), "A column behind one sparse encoder (OPT4C)."),
    _digit_block("opt4e_group", _columns(1, 4, 8, 16), _encoders(2, 4), "Elements of several digits a cycle (OPT4E)."),
)
