"""The blocks of the family: what is proved for every input, or by the benches of streams."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from archgym.rtl.block import Block, Draw, Mutation, Parameters, Port, Streams, uniform
from archgym.rtl.common import golden
from archgym.rtl.common.sources import MULTIPLIER, STREAM, common
from archgym.space import Parameter

__all__ = ["BLOCKS"]

_WIDTH = Parameter("Width", (4, 8, 16), "ordinal", "bit", "operands", "Operands.")
_BOOTH = "O. L. MacSorley, High-speed arithmetic in binary computers, Proc. IRE 49(1), 1961"
_ENT = "EN-T, arXiv 2404.11887"


def _a(p: Parameters) -> Port:
    return Port("a_i", "in", p["Width"], signed=True, doc="operand")


def _operands(*names: str) -> Callable[..., Streams]:
    def stimulus(p: Parameters, rng: np.random.Generator, n: int, draw: Draw = uniform) -> Streams:
        return {name: draw(rng, (n,), p["Width"]) for name in names}

    return stimulus


def _extremes(p: Parameters) -> Streams:
    top = 1 << (p["Width"] - 1)
    values = np.array([-top, 1 - top, -2, -1, 0, 1, 2, top - 1])
    a, b = (grid.ravel() for grid in np.meshgrid(values, values))
    return {"a_i": a, "b_i": b}


def _booth_ports(p: Parameters) -> tuple[Port, ...]:
    return (_a(p), Port("selects_o", "out", 3 * p["Width"] // 2, doc="{negative, two, one} of each digit"))


def _ent_ports(p: Parameters) -> tuple[Port, ...]:
    return (_a(p), Port("code_o", "out", p["Width"] + 1, doc="{sign, digits}"))


def _multiplier_ports(p: Parameters) -> tuple[Port, ...]:
    b = Port("b_i", "in", p["Width"], signed=True, doc="operand")
    return (_a(p), b, Port("product_o", "out", 2 * p["Width"], signed=True, doc="product"))


def _adder_ports(p: Parameters) -> tuple[Port, ...]:
    total = p["Width"] + (p["Inputs"] - 1).bit_length()
    terms = Port("terms_i", "in", p["Width"], p["Inputs"], signed=True, doc="terms")
    return (terms, Port("total_o", "out", total, signed=True, doc="sum"))


def _terms(p: Parameters, rng: np.random.Generator, n: int, draw: Draw = uniform) -> Streams:
    terms = draw(rng, (n, p["Inputs"]), p["Width"])
    return {"terms_i": terms}


def _stage_ports(p: Parameters) -> tuple[Port, ...]:
    return (Port("data_i", "in", p["Width"], doc="beat"), Port("data_o", "out", p["Width"], doc="the same beat"))


def _beats(p: Parameters, rng: np.random.Generator, n: int, draw: Draw = uniform) -> Streams:
    return {"data_i": draw(rng, (n,), p["Width"]) & ((1 << p["Width"]) - 1)}


def _accumulate_ports(p: Parameters) -> tuple[Port, ...]:
    return (
        Port("terms_i", "in", p["Width"], p["Terms"], signed=True, doc="terms of a beat"),
        Port("last_i", "in", 1, doc="ends a packet"),
        Port("total_o", "out", p["Width"], signed=True, doc="sum of the packet"),
    )


def _packets(p: Parameters, rng: np.random.Generator, n: int, draw: Draw = uniform) -> Streams:
    shape = (n,) if p["Terms"] == 1 else (n, p["Terms"])
    last = (rng.random(n) < 0.2).astype(np.int64)
    last[-1] = 1
    return {"terms_i": draw(rng, shape, p["Width"]), "last_i": last}


def _sparse_ports(p: Parameters) -> tuple[Port, ...]:
    return (
        Port("a_i", "in", p["Width"], p["Lanes"], signed=True, doc="operands of a group"),
        Port("code_o", "out", 2, doc="digit with its sign"),
        Port("position_o", "out", (p["Lanes"] - 1).bit_length(), doc="its lane"),
        Port("weight_o", "out", (p["Width"] // 2 - 1).bit_length(), doc="its weight"),
        Port("idle_o", "out", 1, doc="no digit of this weight"),
        Port("last_o", "out", 1, doc="the group ends"),
    )


def _groups(p: Parameters, rng: np.random.Generator, n: int, draw: Draw = uniform) -> Streams:
    a = draw(rng, (n, p["Lanes"]), p["Width"])
    return {"a_i": np.where(rng.random(a.shape) < 0.4, a >> rng.integers(0, p["Width"], a.shape), a)}


def _extreme_groups(p: Parameters) -> Streams:
    values = _extremes(p)["a_i"]
    return {"a_i": np.repeat(values[:, None], p["Lanes"], axis=1)}


BLOCKS = (
    Block(
        name="booth_encoder",
        family="common",
        top="booth_encoder",
        kind="combinational",
        sources=common("booth_encoder"),
        parameters=(_WIDTH,),
        ports=_booth_ports,
        golden=golden.booth_encoder,
        stimulus=_operands("a_i"),
        mutations=(
            Mutation("common/booth_encoder.sv", "(~high & middle & low)", "(~high & middle & ~low)", "+2 where +1 is"),
        ),
        doc="Radix-4 Booth digits as select lines.",
        source=_BOOTH,
    ),
    Block(
        name="ent_encoder",
        family="common",
        top="ent_encoder",
        kind="combinational",
        sources=common("ent_encoder"),
        parameters=(_WIDTH,),
        ports=_ent_ports,
        golden=golden.ent_encoder,
        stimulus=_operands("a_i"),
        mutations=(
            Mutation("common/ent_encoder.sv", "(high & low) | (high & carry[i])", "(high & low)", "2 + carry is lost"),
        ),
        doc="EN-T digits: sign and two bits a digit.",
        source=_ENT,
    ),
    Block(
        name="multiplier",
        family="common",
        top="multiplier",
        kind="combinational",
        sources=(*MULTIPLIER, *common("multiplier")),
        parameters=(
            _WIDTH,
            Parameter(
                "Multiplier", (0, 1, 2, 3, 4), "categorical", "", "multiplier", "0 `*`, 1 and 2 Booth, 3 and 4 EN-T."
            ),
        ),
        ports=_multiplier_ports,
        golden=golden.multiplier,
        stimulus=_operands("a_i", "b_i"),
        corners=_extremes,
        macs=lambda _parameters, streams: float(len(streams["a_i"])),
        mutations=(
            Mutation("common/booth_terms.sv", "sign & ~last_carry", "sign", "a carry into the sign of row 0 is lost"),
            Mutation(
                "common/ent_selects.sv", "code_i[Width] ^ (high & low)", "code_i[Width] | (high & low)", "-(-1) is -1"
            ),
            Mutation(
                "common/booth_terms.sv", "negative & multiple[0])", "negative)", "the last row is not negated rightly"
            ),
        ),
        doc="Signed multiplier.",
        source=f"{_BOOTH}; {_ENT}",
    ),
    Block(
        name="term_adder",
        family="common",
        top="term_adder",
        kind="combinational",
        sources=common("csa_tree", "term_adder"),
        parameters=(
            Parameter("Inputs", (2, 3, 4, 5, 6, 7, 8, 16, 32), "ordinal", "", "shape", "Terms."),
            Parameter("Width", (2, 4, 8, 16), "ordinal", "bit", "operands", "Terms."),
        ),
        ports=_adder_ports,
        golden=golden.term_adder,
        stimulus=_terms,
        corners=lambda p: {
            "terms_i": np.repeat(
                np.array([[-1], [0], [1 - (1 << (p["Width"] - 1))], [-1 << (p["Width"] - 1)]]), p["Inputs"], 1
            )
        },
        mutations=(
            Mutation(
                "common/csa_tree.sv", "(x & y) | (x & z) | (y & z)", "(x & y) | (x & z)", "a full adder lacks a carry"
            ),
            Mutation("common/csa_tree.sv", "majority << 1", "majority", "carries weigh one"),
        ),
        doc="Carry-save tree and an adder.",
        source="C. S. Wallace, A suggestion for a fast multiplier, IEEE Trans. Electronic Computers 13(1), 1964",
    ),
    Block(
        name="stream_stage",
        family="common",
        top="stream_stage",
        kind="stream",
        sources=(*STREAM, *common("stream_stage")),
        parameters=(
            Parameter("Width", (1, 8, 32), "ordinal", "bit", "shape", "A beat."),
            Parameter("Spill", (0, 1), "ordinal", "", "timing", "1: ready comes from a register."),
        ),
        ports=_stage_ports,
        golden=golden.stream_stage,
        stimulus=_beats,
        mutations=(
            Mutation("common/stream_register.sv", "ready_o && valid_i", "valid_i", "a waiting beat is overwritten"),
            Mutation(
                "common/spill_register.sv", "spare_valid_q ? spare_q : data_i", "data_i", "the spare beat is lost"
            ),
        ),
        doc="Register in a stream.",
    ),
    Block(
        name="accumulate_stream",
        family="common",
        top="accumulate_stream",
        kind="stream",
        sources=common("csa_tree", "csa_accumulator", "accumulator", "result_register", "accumulate_stream"),
        parameters=(
            Parameter("Terms", (1, 2, 4, 8), "ordinal", "", "shape", "Terms of a beat."),
            Parameter("Width", (8, 16, 32, 48), "ordinal", "bit", "operands", "Terms and sum."),
            Parameter("CarrySave", (0, 1), "ordinal", "", "multiplier", "1: compressor and a pair of registers."),
        ),
        ports=_accumulate_ports,
        golden=golden.accumulate_stream,
        stimulus=_packets,
        mutations=(
            Mutation("common/csa_accumulator.sv", "clear_i ? '0 : carry_q", "carry_q", "carries survive the clear"),
            Mutation(
                "common/accumulate_stream.sv",
                "assign in_ready_o = ~done_q | move;",
                "assign in_ready_o = 1'b1;",
                "a sum is lost under back-pressure",
            ),
        ),
        doc="Compressor accumulator (3:2 for a term, 6:2 for four).",
        source="OPT1 of arXiv 2503.06342 (HPCA 2025)",
    ),
    Block(
        name="sparse_digits",
        family="common",
        top="sparse_digits",
        kind="stream",
        sources=common("ent_encoder", "digit_finder", "sparse_encoder", "stream_register", "sparse_digits"),
        parameters=(_WIDTH, Parameter("Lanes", (2, 4, 8), "ordinal", "", "shape", "Operands of a group.")),
        ports=_sparse_ports,
        golden=golden.sparse_digits,
        stimulus=_groups,
        corners=_extreme_groups,
        mutations=(
            Mutation("common/digit_finder.sv", "below[l-1] | flags_i[l-1]", "flags_i[l-1]", "two lanes are the first"),
            Mutation("common/sparse_encoder.sv", "{signs_i[l], 1'b0}", "2'b00", "signs of operands are lost"),
        ),
        doc="Digits that are not zero, one a cycle.",
        source="OPT3 of arXiv 2503.06342 (HPCA 2025)",
    ),
)
