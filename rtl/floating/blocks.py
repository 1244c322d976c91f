"""The blocks of the family."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from archgym.rtl.block import Block, Draw, Mutation, Parameters, Port, Streams, uniform
from archgym.rtl.floating import arithmetic, lmul
from archgym.rtl.floating.blocks_fused import DOT, FMA, PE
from archgym.rtl.floating.formats import Words
from archgym.rtl.floating.knobs import OPERANDS, RESULT, RULES, in_format, out_format, pipeline, rules
from archgym.rtl.floating.stimuli import operands, pairs, partners
from archgym.space import Parameter

__all__ = ["BLOCKS"]

_BASE = ("common/stream_register.sv", "common/optional_register.sv", "floating/fp_unpack.sv")
_ROUNDED = (*_BASE, "floating/fp_lzc.sv", "floating/fp_shift_sticky.sv", "floating/fp_round.sv")


def _ports(p: Parameters) -> tuple[Port, ...]:
    width = in_format(p).width
    result = Port("result_o", "out", out_format(p).width, doc="Result.")
    return (Port("a_i", "in", width, doc="First operand."), Port("b_i", "in", width, doc="Second operand."), result)


def _corners(p: Parameters) -> Streams:
    a, b = pairs(in_format(p))
    return {"a_i": a, "b_i": b}


def _factors(p: Parameters, rng: np.random.Generator, n: int, draw: Draw = uniform) -> Streams:
    form = in_format(p)
    return {"a_i": operands(form, rng, n, draw), "b_i": operands(form, rng, n, draw)}


def _summands(p: Parameters, rng: np.random.Generator, n: int, draw: Draw = uniform) -> Streams:
    a = operands(in_format(p), rng, n, draw)
    return {"a_i": a, "b_i": partners(in_format(p), a, rng, draw)}


def _binary(function: Callable[[Parameters, Words, Words], Words]) -> Callable[[Parameters, Streams], Streams]:
    return lambda p, streams: {"result_o": function(p, streams["a_i"], streams["b_i"])}


def _beats(_p: Parameters, streams: Streams) -> float:
    return float(len(streams["a_i"]))


def _unit(p: Parameters) -> lmul.LMul:
    return lmul.LMul(in_format(p), p["KeptBits"], p["OffsetShift"], bool(p["InputRound"]), bool(p["Saturate"]))


def _reject_l_mul(p: Parameters) -> str:
    if p["KeptBits"] > p["ManWidth"]:
        return f"KeptBits must be at most ManWidth ({p['ManWidth']}), got {p['KeptBits']}"
    if p["OffsetShift"] > p["KeptBits"]:
        return f"OffsetShift must be at most KeptBits ({p['KeptBits']}), got {p['OffsetShift']}"
    return ""


_MUL = Block(
    name="fp_mul",
    family="floating",
    top="fp_mul_stream",
    kind="stream",
    sources=(*_ROUNDED, "floating/fp_mul_front.sv", "floating/fp_mul_back.sv", "floating/fp_mul_stream.sv"),
    parameters=(*OPERANDS, *RESULT, *RULES, pipeline(3)),
    ports=_ports,
    golden=_binary(lambda p, a, b: arithmetic.multiply(in_format(p), a, b, rules(p), out_format(p))),
    stimulus=_factors,
    corners=_corners,
    macs=_beats,
    mutations=(
        Mutation("floating/fp_round.sv", "guard && (sticky || mantissa[0])", "guard", "ties round away from zero"),
        Mutation("floating/fp_round.sv", "assign overflow = rounded > WideWidth'(Largest)",
                 "assign overflow = rounded >= WideWidth'(Largest)", "the largest number overflows"),
        Mutation("floating/fp_mul_front.sv", "nan = a_nan || b_nan || invalid", "nan = a_nan || b_nan",
                 "infinity times zero is a number"),
        Mutation("floating/fp_mul_back.sv", "2 ** (ExpWidth - 1) - 1);", "2 ** (ExpWidth - 1) - 2);",
                 "the operands' bias is off by one"),
        Mutation("floating/fp_mul_front.sv", "a_sign ^ b_sign, exponent", "a_sign, exponent",
                 "the second sign is lost"),
    ),
    doc="Multiplier of any two formats, product rounded once to a third.",
    source="IEEE 754-2019; OCP 8-bit Floating Point Specification 1.0",
)  # fmt: skip

_ADD = Block(
    name="fp_add",
    family="floating",
    top="fp_add_stream",
    kind="stream",
    sources=(*_ROUNDED, "floating/fp_add_front.sv", "floating/fp_add_back.sv", "floating/fp_add_stream.sv"),
    parameters=(*OPERANDS, *RULES, pipeline(3)),
    ports=_ports,
    golden=_binary(lambda p, a, b: arithmetic.add(in_format(p), a, b, rules(p))),
    stimulus=_summands,
    corners=_corners,
    mutations=(
        Mutation("floating/fp_add_front.sv", "sum == '0) sign = 1'b0;", "sum == '0) sign = 1'b1;", "x - x is -0"),
        Mutation("floating/fp_add_front.sv", "{small_sig, 3'b000}", "{small_sig & {(ManWidth + 1) {1'b1}}, 3'b100}",
                 "the smaller summand is half a unit too large"),
        Mutation("floating/fp_add_back.sv", "(wide_zeros > wide_exponent) ? CountWidth'(wide_exponent) : zeros",
                 "zeros", "normalisation goes on below the smallest exponent"),
        Mutation("floating/fp_shift_sticky.sv", "moved[0] | (|held[2**s-1:0])", "moved[0]",
                 "bits that fall out are forgotten"),
        Mutation("floating/fp_lzc.sv", "assign count[n] = !leaves[2*n+1];", "assign count[n] = !leaves[2*n];",
                 "a pair's zeros are counted from the wrong end"),
    ),
    doc="Adder, sum rounded once.",
    source="IEEE 754-2019; OCP 8-bit Floating Point Specification 1.0",
)  # fmt: skip

_L_MUL = Block(
    name="l_mul",
    family="floating",
    top="l_mul_stream",
    kind="stream",
    sources=(*_BASE, "floating/l_mul_input.sv", "floating/l_mul.sv", "floating/l_mul_stream.sv"),
    parameters=(
        *OPERANDS,
        Parameter("KeptBits", (1, 2, 3, 4, 7, 10), "ordinal", "bit", "adder", "Mantissa bits of the adder."),
        Parameter("InputRound", (0, 1), "categorical", "", "adder", "Operands cut to nearest even (0), to zero (1)."),
        Parameter("OffsetShift", (0, 1, 2, 3, 4), "ordinal", "bit", "adder", "l of the offset 2**-l; 0: none."),
        RULES[2],
        pipeline(2),
    ),
    ports=_ports,
    golden=_binary(lambda p, a, b: lmul.l_mul(_unit(p), a, b)),
    stimulus=_factors,
    corners=_corners,
    macs=_beats,
    reject=_reject_l_mul,
    mutations=(
        Mutation("floating/l_mul.sv", "2 ** (KeptBits - OffsetShift)) - Bias", "0) - Bias", "the offset is left out"),
        Mutation("floating/l_mul.sv", "assign zero = a_zero || b_zero || ", "assign zero = a_zero || ",
                 "zero times a number is a number"),
        Mutation("floating/l_mul_input.sv", "guard && (sticky || kept[0])", "guard", "operands at a tie round up"),
        Mutation("floating/l_mul.sv", "assign overflow = wide > ", "assign overflow = 1'b0 & wide > ",
                 "overflow wraps"),
    ),
    doc="Approximate multiplier: one integer adder on the words.",
    source="H. Luo, W. Sun, arXiv 2410.00907, section 2.2",
)  # fmt: skip

BLOCKS = (_MUL, _ADD, FMA, PE, DOT, _L_MUL)
