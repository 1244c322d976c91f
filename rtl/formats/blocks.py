"""The blocks of the family."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from archgym.rtl.block import Block, Draw, Mutation, Parameters, Port, Streams, uniform
from archgym.rtl.common.sources import common
from archgym.rtl.floating.formats import Format, Words
from archgym.rtl.floating.stimuli import corner_words, last_flags, operands
from archgym.rtl.formats import golden
from archgym.space import Parameter

__all__ = ["BLOCKS"]

_PACKET = 4.0  # blocks of a packet, mean
_TAIL = (
    "common/optional_register.sv", "floating/fp_unpack.sv", "floating/fp_lzc.sv", "floating/fp_shift_sticky.sv",
    "floating/fp_round.sv", "floating/fp_add_front.sv", "floating/fp_add_back.sv", "floating/fp_add.sv",
    "formats/block_scale.sv", "formats/block_finish.sv",
)  # fmt: skip
_SHARED = (
    Parameter("Lanes", (4, 8, 16, 32), "ordinal", "", "block", "Elements of a block, all in one beat."),
    Parameter("Scale", (0, 1), "categorical", "", "block", "Scales: UE8M0 (0) or E4M3 (1)."),
    Parameter("Subnormals", (0, 1), "ordinal", "", "result", "FP32 subnormals are numbers (1) or zero (0)."),
    Parameter("Pipeline", (1, 2, 3, 4), "ordinal", "", "timing", "Registers from input to output."),
)
_TAIL_FAULTS = (
    Mutation("formats/block_finish.sv", "else if (take) first_q <= w_last;", "else if (take) first_q <= 1'b0;",
             "a sum goes on from the one before"),
    Mutation("formats/block_finish.sv", "assign w_ready = !w_last || done_ready;", "assign w_ready = 1'b1;",
             "a result is lost when nobody takes the one before"),
    Mutation("formats/block_scale.sv", "assign size = negative ? -sum_i : sum_i;", "assign size = sum_i;",
             "a negative sum keeps its two's complement"),
    Mutation("formats/block_scale.sv", "ExpInWidth'(254);", "ExpInWidth'(253);", "UE8M0 scales weigh twice"),
)  # fmt: skip
_SOURCE = "arXiv 2510.25602 (INT v.s. FP), hardware model; OCP Microscaling Formats Specification 1.0"


def _ports(width: Callable[[Parameters], int], *, signed: bool) -> Callable[[Parameters], tuple[Port, ...]]:
    return lambda p: (
        Port("a_i", "in", width(p), p["Lanes"], signed, "First block."),
        Port("b_i", "in", width(p), p["Lanes"], signed, "Second block."),
        Port("scale_a_i", "in", 8, doc="Scale of the first block."),
        Port("scale_b_i", "in", 8, doc="Scale of the second block."),
        Port("last_i", "in", 1, doc="The packet ends."),
        Port("result_o", "out", 32, doc="Sum of the products, FP32."),
    )


def _scales(p: Parameters, rng: np.random.Generator, n: int) -> Words:
    """Mostly scales around one, sometimes any code."""
    near = rng.integers(120, 135, n) if p["Scale"] == 0 else rng.integers(0x28, 0x50, n)
    return np.where(rng.random(n) < 1 / 8, rng.integers(0, 256, n), near).astype(np.int64)


def _beats(p: Parameters, rng: np.random.Generator, a: Words, b: Words) -> Streams:
    n = len(a)
    scales = {"scale_a_i": _scales(p, rng, n), "scale_b_i": _scales(p, rng, n)}
    return {"a_i": a, "b_i": b, **scales, "last_i": last_flags(rng, n, _PACKET)}


def _int_stimulus(p: Parameters, rng: np.random.Generator, n: int, draw: Draw = uniform) -> Streams:
    shape = (n, p["Lanes"])
    return _beats(p, rng, draw(rng, shape, p["Width"]), draw(rng, shape, p["Width"]))


def _form(p: Parameters) -> Format:
    return Format(p["ExpWidth"], p["ManWidth"], p["Specials"])


def _fp_stimulus(p: Parameters, rng: np.random.Generator, n: int, draw: Draw = uniform) -> Streams:
    form, shape = _form(p), (n, p["Lanes"])
    a, b = (operands(form, rng, n * p["Lanes"], draw).reshape(shape) for _ in range(2))
    if draw is uniform:  # one NaN spoils a packet: most blocks have none, some have a few numbers only
        wild = (form.is_nan(a) | form.is_inf(a)) & (rng.random((n, 1)) < 15 / 16)
        a = np.where(wild, 0, a)
        wild = (form.is_nan(b) | form.is_inf(b)) & (rng.random((n, 1)) < 15 / 16)
        b = np.where(wild, 0, b)
        a = np.where((rng.random((n, 1)) < 1 / 8) & (rng.random(shape) < 0.8), 0, a)
    return _beats(p, rng, a, b)


def _corner_beats(p: Parameters, words: list[int]) -> Streams:
    """Every pair of corner elements: on all lanes, then alternating with the pair's mirror image; packets of two."""
    lanes = np.arange(p["Lanes"])
    rows = []
    for x, y in itertools.product(words, repeat=2):
        rows.append((np.full(len(lanes), x), np.full(len(lanes), y)))
        rows.append((np.where(lanes % 2, x, y), np.where(lanes % 2, y, words[0])))
    a, b = (np.array(side, dtype=np.int64) for side in zip(*rows, strict=True))
    scales = np.array([0, 1, 127, 128, 254] if p["Scale"] == 0 else [0, 1, 0x38, 0x7E, 0xB9], dtype=np.int64)
    n = len(a)
    return {
        "a_i": a, "b_i": b, "scale_a_i": np.resize(scales, n), "scale_b_i": np.resize(scales[::-2], n),
        "last_i": np.arange(n, dtype=np.int64) % 2,
    }  # fmt: skip


def _int_corners(p: Parameters) -> Streams:
    half = 1 << (p["Width"] - 1)
    return _corner_beats(p, [0, 1, -1, half - 1, 1 - half, -half])


def _fp_corners(p: Parameters) -> Streams:
    return _corner_beats(p, corner_words(_form(p)))


def _macs(p: Parameters, streams: Streams) -> float:
    return float(len(streams["last_i"])) * p["Lanes"]


_INT = Block(
    name="int_dot",
    family="formats",
    top="int_dot",
    kind="stream",
    sources=(
        *common("stream_register", "csa_tree", "booth_encoder", "ent_selects", "booth_terms", "operand_terms"), *_TAIL,
        "formats/int_dot_sum.sv", "formats/int_dot.sv",
    ),
    parameters=(
        Parameter("Width", (4, 6, 8), "ordinal", "bit", "block", "Elements."),
        *_SHARED,
        Parameter("Merge", (0, 1), "categorical", "", "adder", "Tree of all partial products (1), of products (0)."),
    ),
    ports=_ports(lambda p: p["Width"], signed=True),
    golden=golden.int_dot,
    stimulus=_int_stimulus,
    corners=_int_corners,
    macs=_macs,
    mutations=(
        *_TAIL_FAULTS,
        Mutation("formats/int_dot_sum.sv", "assign sum_o = sum + carry;", "assign sum_o = sum | carry;",
                 "the last adder carries nothing"),
    ),
    icarus=False,  # it accepts them, but wakes the whole tree for every bit: minutes
    doc="Dot products of blocks of integers with one scale a block (MXINT8, MXINT4, NVINT4).",
    source=_SOURCE,
)  # fmt: skip

_FP = Block(
    name="fp_dot",
    family="formats",
    top="fp_dot",
    kind="stream",
    sources=(
        *common("stream_register", "csa_tree"), *_TAIL, "formats/fp_dot_max.sv", "formats/fp_dot_sum.sv",
        "formats/fp_dot.sv",
    ),
    parameters=(
        Parameter("ExpWidth", (2, 3, 4, 5), "ordinal", "bit", "block", "Elements' exponent."),
        Parameter("ManWidth", (1, 2, 3), "ordinal", "bit", "block", "Elements' mantissa."),
        Parameter("Specials", (0, 1, 2), "categorical", "", "block", "As IEEE 754 (0), one NaN (1), numbers only (2)."),
        *_SHARED,
        Parameter("AlignWidth", (10, 12, 16, 20, 24, 32), "ordinal", "bit", "adder", "Window of the products."),
    ),
    ports=_ports(lambda p: _form(p).width, signed=False),
    golden=golden.fp_dot,
    stimulus=_fp_stimulus,
    corners=_fp_corners,
    macs=_macs,
    mutations=(
        *_TAIL_FAULTS,
        Mutation("formats/fp_dot_max.sv", "(left > right) ? left : right", "left", "the largest exponent is the first"),
        Mutation("formats/fp_dot_sum.sv", "terms[Lanes*SumWidth+:SumWidth] = SumWidth'(ones);",
                 "terms[Lanes*SumWidth+:SumWidth] = '0;", "negative lanes lack the one of two's complement"),
        Mutation("formats/fp_dot_sum.sv", "assign nan_o = |wild;", "assign nan_o = wild[0];",
                 "NaN is seen on lane 0 only"),
    ),
    icarus=False,  # it accepts them, but wakes the whole tree for every bit: minutes
    doc="Dot products of blocks of small floating-point numbers with one scale a block (MXFP8, MXFP4, NVFP4).",
    source=_SOURCE,
)  # fmt: skip

BLOCKS = (_INT, _FP)
