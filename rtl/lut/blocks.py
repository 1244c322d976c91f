"""The blocks of the family."""

from __future__ import annotations

import numpy as np

from archgym.rtl.block import Block, Draw, Mutation, Parameters, Port, Streams, uniform
from archgym.rtl.lut import golden
from archgym.rtl.lut.blocks_dp import DP_CORE, PRECOMPUTE
from archgym.rtl.lut.blocks_fp import CORE_FP, PRECOMPUTE_FP
from archgym.space import Parameter

__all__ = ["BLOCKS"]

_PAPER = "LUT Tensor Core, ISCA 2025, arXiv 2408.06003, sections 3 and 4"
_LONGEST = 6  # beats of a packet: sums begin and end often


def _ports(p: Parameters) -> tuple[Port, ...]:
    entries = 1 << (p["Group"] - 1 if p["Symmetric"] else p["Group"])
    acts = Port("table_i", "in", p["ActWidth"], p["TileM"] * p["TileK"], signed=True)
    tables = Port("table_i", "in", golden.entry_width(p), p["TileM"] * golden.groups(p) * entries, signed=True)
    return (
        acts if p["Precompute"] else tables,
        Port("weights_i", "in", p["Group"], p["TileN"] * golden.groups(p) * p["WeightBits"]),
        Port("last_i", "in", 1),
        Port("acc_o", "out", p["AccWidth"], p["TileM"] * p["TileN"], signed=True),
    )


def _beats(p: Parameters, acts: golden.Ints, codes: golden.Ints, last: golden.Ints) -> Streams:
    """Input beats of activations int64[n, M, K] and unsigned weight codes int64[n, N, K]."""
    n = len(last)
    grouped = acts.reshape(n, p["TileM"], golden.groups(p), p["Group"])
    operands = acts if p["Precompute"] else golden.table(grouped, symmetric=bool(p["Symmetric"]))
    return {
        "table_i": operands.reshape(n, -1),
        "weights_i": golden.encode_weights(codes, p).reshape(n, -1),
        "last_i": last,
    }


def _stimulus(p: Parameters, rng: np.random.Generator, n: int, draw: Draw = uniform) -> Streams:
    last = (rng.random(n) < 2 / (_LONGEST + 1)).astype(np.int64)
    last[-1] = 1
    acts = draw(rng, (n, p["TileM"], p["TileK"]), p["ActWidth"])
    codes = rng.integers(0, 1 << p["WeightBits"], (n, p["TileN"], p["TileK"]), dtype=np.int64)
    return _beats(p, acts, codes, last)


def _corners(p: Parameters) -> Streams:
    """Every pair of an extreme activation and an extreme weight, on all lanes at once and on alternate ones."""
    half = 1 << (p["ActWidth"] - 1)
    acts, weights = (-half, -half + 1, -1, 0, 1, half - 1), (0, 1, (1 << p["WeightBits"]) - 1)
    shapes = [(1, -1), (1, 1)]
    rows, cols = [], []
    for act in acts:
        for weight in weights:
            for _, sign in shapes:
                other = act if sign > 0 else -1 - act
                rows.append(np.resize([act, other], (p["TileM"], p["TileK"])))
                cols.append(np.full((p["TileN"], p["TileK"]), min(weight, (1 << p["WeightBits"]) - 1)))
    last = np.ones(len(rows), dtype=np.int64)
    return _beats(p, np.array(rows, dtype=np.int64), np.array(cols, dtype=np.int64), last)


def _macs(p: Parameters, streams: Streams) -> float:
    return float(len(streams["last_i"])) * p["TileM"] * p["TileN"] * p["TileK"]


def _reject(p: Parameters) -> str:
    if p["TileK"] % p["Group"]:
        return f"TileK must be a multiple of Group ({p['Group']}), got {p['TileK']}"
    if not p["Symmetric"] and p["OfflineNegation"]:
        return "OfflineNegation needs half tables (Symmetric 1)"
    if p["AccWidth"] < golden.entry_width(p) + p["WeightBits"] + golden.groups(p).bit_length():
        return f"AccWidth {p['AccWidth']} cannot hold one beat's sum"
    return ""


_CORE = Block(
    name="lut_core",
    family="lut",
    top="lut_core",
    kind="stream",
    sources=("lut/lut_table_int.sv", "lut/lut_pe.sv", "common/stream_register.sv",
             "lut/lut_sequence.sv", "lut/lut_core.sv"),
    parameters=(
        Parameter("TileM", (1, 2, 4, 8, 16), "ordinal", "", "tile", "Rows: each has its tables."),
        Parameter("TileN", (1, 2, 4, 8, 16, 32, 64, 128), "ordinal", "", "tile", "Columns of weights."),
        Parameter("TileK", (2, 3, 4, 5, 8, 16), "ordinal", "", "tile", "Activations of a beat."),
        Parameter("Group", (2, 3, 4, 5), "ordinal", "", "table", "Activations behind one table."),
        Parameter("ActWidth", (4, 8, 16), "ordinal", "bit", "operands", "Activations."),
        Parameter("WeightBits", (1, 2, 3, 4), "ordinal", "bit", "operands", "Weights."),
        Parameter("AccWidth", (20, 24, 32), "ordinal", "bit", "operands", "Accumulators."),
        Parameter("Symmetric", (0, 1), "ordinal", "", "table", "Half tables of +1/-1 weights."),
        Parameter("OfflineNegation", (0, 1), "ordinal", "", "table", "Index bits are stored inverted."),
        Parameter("Precompute", (0, 1), "ordinal", "", "table", "Tables are computed in the core."),
        Parameter("Pipeline", (0, 1), "ordinal", "", "timing", "A register after the look-up."),
        Parameter("InputRegister", (0, 1), "ordinal", "", "timing", "Tables and weights are held in the core."),
    ),
    ports=_ports,
    golden=golden.core,
    stimulus=_stimulus,
    corners=_corners,
    macs=_macs,
    reject=_reject,
    keep=("lut_pe",),
    mutations=(
        Mutation("lut/lut_pe.sv", "assign negate[g] = !bits[Group-1];", "assign negate[g] = bits[Group-1];",
                 "entries get the other sign"),
        Mutation("lut/lut_pe.sv", "(WeightBits > 1) ? wide << plane : wide", "wide",
                 "bit planes all weigh one"),
        Mutation("lut/lut_sequence.sv", "if (top) first_q <= last;", "if (top) first_q <= 1'b0;",
                 "a sum goes on from the one before"),
        Mutation("lut/lut_sequence.sv", "!done_q || out_ready_i", "1'b1", "results that nobody took are overwritten"),
        Mutation("lut/lut_table_int.sv", "minus[j*EntryWidth+:EntryWidth];", "plus[j*EntryWidth+:EntryWidth];",
                 "a table's entries forget the minus"),
    ),
    doc="M x N look-up units on a tile of M x N x K, integer tables, weights one bit plane a cycle.",
    source=_PAPER,
)  # fmt: skip

BLOCKS = (_CORE, CORE_FP, DP_CORE, PRECOMPUTE, PRECOMPUTE_FP)
