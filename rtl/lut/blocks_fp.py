"""The LUT core with floating-point tables, and the block that makes them."""

from __future__ import annotations

import numpy as np

from archgym.rtl.block import Block, Draw, Mutation, Parameters, Port, Streams
from archgym.rtl.floating.formats import Words
from archgym.rtl.floating.rounding import encode
from archgym.rtl.lut import golden_fp
from archgym.space import Parameter

__all__ = ["CORE_FP", "PRECOMPUTE_FP"]

_PAPER = "LUT Tensor Core, ISCA 2025, arXiv 2408.06003"
_ADDER = tuple(
    f"floating/{name}.sv"
    for name in ("fp_lzc", "fp_shift_sticky", "fp_unpack", "fp_round", "fp_add_front", "fp_add_back", "fp_add")
)
_SHORT, _ODD = 0.3, 0.05  # beats that end a packet; words of any bit pattern: infinities, NaN, subnormals


def _words(p: Parameters, rng: np.random.Generator, shape: tuple[int, ...], draw: Draw | None) -> Words:
    """Words of the tables' format: what `draw` gives, or a normal distribution with some odd patterns."""
    form = golden_fp.table_format(p)
    if draw is not None:
        return draw(rng, shape, form.width)
    odd = rng.integers(0, 1 << form.width, shape, dtype=np.int64)
    return np.asarray(np.where(rng.random(shape) < _ODD, odd, encode(form, rng.normal(0, 4, shape))))


def _ports(p: Parameters) -> tuple[Port, ...]:
    return (
        Port("table_i", "in", golden_fp.table_format(p).width, p["TileM"] << (p["Group"] - 1)),
        Port("weights_i", "in", p["Group"], p["TileN"] * p["WeightBits"]),
        Port("last_i", "in", 1),
        Port("acc_o", "out", golden_fp.acc_format(p).width, p["TileM"] * p["TileN"]),
    )


def _stimulus(p: Parameters, rng: np.random.Generator, n: int, draw: Draw | None = None) -> Streams:
    last = (rng.random(n) < _SHORT).astype(np.int64)
    last[-1] = 1
    acts = _words(p, rng, (n, p["TileM"], p["Group"]), draw)
    return {
        "table_i": golden_fp.table(golden_fp.table_format(p), acts).reshape(n, -1),
        "weights_i": rng.integers(0, 1 << p["Group"], (n, p["TileN"] * p["WeightBits"]), dtype=np.int64),
        "last_i": last,
    }


def _corners(p: Parameters) -> Streams:
    """Zero, the smallest and the largest numbers, infinity and NaN in all entries, with both signs of weights."""
    form = golden_fp.table_format(p)
    smallest = 1 << form.man_width
    words = (0, form.sign_bit, 1, smallest, form.largest, form.sign_bit | form.largest, form.infinity, form.nan)
    pairs = [(word, code) for word in words for code in (0, (1 << p["Group"]) - 1)]
    entries, planes = p["TileM"] << (p["Group"] - 1), p["TileN"] * p["WeightBits"]
    return {
        "table_i": np.array([[word] * entries for word, _ in pairs], dtype=np.int64),
        "weights_i": np.array([[code] * planes for _, code in pairs], dtype=np.int64),
        "last_i": np.ones(len(pairs), dtype=np.int64),
    }


def _macs(p: Parameters, streams: Streams) -> float:
    return float(len(streams["last_i"])) * p["TileM"] * p["TileN"] * p["Group"]


def _reject(p: Parameters) -> str:
    if p["AccExpWidth"] < p["ExpWidth"] or p["AccManWidth"] < p["ManWidth"]:
        return "the accumulators' format must hold the tables'"
    return ""


CORE_FP = Block(
    name="lut_core_fp",
    family="lut",
    top="lut_core_fp",
    kind="stream",
    sources=(
        *_ADDER,
        "common/stream_register.sv",
        *(f"lut/{name}.sv" for name in ("fp_widen", "fp_scale", "lut_pe_fp", "lut_sequence", "lut_core_fp")),
    ),
    parameters=(
        Parameter("TileM", (1, 2, 4, 8, 16), "ordinal", "", "tile", "Rows: each has a table."),
        Parameter("TileN", (1, 2, 4, 8, 16, 32, 64, 128), "ordinal", "", "tile", "Columns of weights."),
        Parameter("Group", (2, 3, 4, 5), "ordinal", "", "table", "Activations behind one table: the tile's K."),
        Parameter("ExpWidth", (5, 8), "ordinal", "bit", "operands", "Exponent of the tables' format."),
        Parameter("ManWidth", (7, 10), "ordinal", "bit", "operands", "Mantissa of the tables' format."),
        Parameter("AccExpWidth", (5, 8), "ordinal", "bit", "operands", "Exponent of the accumulators' format."),
        Parameter("AccManWidth", (7, 10, 23), "ordinal", "bit", "operands", "Mantissa of the accumulators' format."),
        Parameter("WeightBits", (1, 2, 3, 4), "ordinal", "bit", "operands", "Weights."),
        Parameter("OfflineNegation", (0, 1), "ordinal", "", "table", "Index bits are stored inverted."),
        Parameter("Pipeline", (0, 1), "ordinal", "", "timing", "A register after the look-up."),
        Parameter("InputRegister", (0, 1), "ordinal", "", "timing", "Tables and weights are held in the core."),
    ),
    ports=_ports,
    golden=golden_fp.core,
    stimulus=_stimulus,
    corners=_corners,
    macs=_macs,
    reject=_reject,
    keep=("lut_pe_fp",),
    mutations=(
        Mutation("lut/fp_scale.sv", "exponent == '0", "exponent == '1", "zeros are scaled, as in the published RTL"),
        Mutation("lut/fp_scale.sv", "else if (beyond)", "else if (1'b0)", "exponents wrap, as in the published RTL"),
        Mutation("lut/lut_pe_fp.sv", "entry[Width-1] ^ !bits_i[Group-1]", "entry[Width-1]", "entries keep their sign"),
    ),
    doc="M x N look-up units with floating-point tables and accumulators, weights one bit plane a cycle.",
    source=f"{_PAPER}, sections 3 and 4",
)  # fmt: skip


def _table_ports(p: Parameters) -> tuple[Port, ...]:
    width = golden_fp.table_format(p).width
    return (
        Port("acts_i", "in", width, p["Tables"] * p["Group"]),
        Port("table_o", "out", width, p["Tables"] << (p["Group"] - 1)),
    )


def _table_stimulus(p: Parameters, rng: np.random.Generator, n: int, draw: Draw | None = None) -> Streams:
    return {"acts_i": _words(p, rng, (n, p["Tables"] * p["Group"]), draw)}


def _table_corners(p: Parameters) -> Streams:
    form = golden_fp.table_format(p)
    words = (0, form.sign_bit, 1, form.largest, form.sign_bit | form.largest, form.infinity, form.nan)
    return {"acts_i": np.array([[word] * (p["Tables"] * p["Group"]) for word in words], dtype=np.int64)}


PRECOMPUTE_FP = Block(
    name="lut_precompute_fp",
    family="lut",
    top="lut_precompute_fp",
    kind="stream",
    sources=(*_ADDER, "lut/lut_precompute_fp.sv"),
    parameters=(
        Parameter("Tables", (1, 2), "ordinal", "", "table", "Groups of activations of a beat."),
        Parameter("Group", (2, 3, 4, 5), "ordinal", "", "table", "Activations of a group."),
        Parameter("ExpWidth", (5, 8), "ordinal", "bit", "operands", "Exponent of the format."),
        Parameter("ManWidth", (7, 10), "ordinal", "bit", "operands", "Mantissa of the format."),
    ),
    ports=_table_ports,
    golden=golden_fp.precompute,
    stimulus=_table_stimulus,
    corners=_table_corners,
    mutations=(
        Mutation(
            "lut/lut_precompute_fp.sv", "(i >> (j - 1)) % 2 == 0", "(i >> (j - 1)) % 2 == 1", "signs are mirrored"
        ),
    ),
    doc="Half tables of groups of floating-point activations.",
    source=f"{_PAPER}, section 3.1.1",
)
