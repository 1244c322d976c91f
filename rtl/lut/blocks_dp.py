"""What the LUT core is compared with, and the block that makes its tables."""

from __future__ import annotations

import numpy as np

from archgym.rtl.block import Block, Draw, Mutation, Parameters, Port, Streams, uniform
from archgym.rtl.lut import golden
from archgym.space import Parameter

__all__ = ["DP_CORE", "PRECOMPUTE"]

_PAPER = "LUT Tensor Core, ISCA 2025, arXiv 2408.06003"
_SHORT = 0.3  # of the beats end a packet: sums begin and end often


def _dp_ports(p: Parameters) -> tuple[Port, ...]:
    weights = (
        Port("weights_i", "in", p["TileK"], p["TileN"] * p["WeightWidth"])
        if p["Serial"]
        else Port("weights_i", "in", p["WeightWidth"], p["TileN"] * p["TileK"], signed=True)
    )
    return (
        Port("acts_i", "in", p["ActWidth"], p["TileM"] * p["TileK"], signed=True),
        weights,
        Port("last_i", "in", 1),
        Port("acc_o", "out", p["AccWidth"], p["TileM"] * p["TileN"], signed=True),
    )


def _dp_stimulus(p: Parameters, rng: np.random.Generator, n: int, draw: Draw = uniform) -> Streams:
    last = (rng.random(n) < _SHORT).astype(np.int64)
    last[-1] = 1
    acts = draw(rng, (n, p["TileM"] * p["TileK"]), p["ActWidth"])
    if p["Serial"]:
        shape = (n, p["TileN"] * p["WeightWidth"])
        return {"acts_i": acts, "weights_i": rng.integers(0, 1 << p["TileK"], shape, dtype=np.int64), "last_i": last}
    return {"acts_i": acts, "weights_i": draw(rng, (n, p["TileN"] * p["TileK"]), p["WeightWidth"]), "last_i": last}


def _dp_corners(p: Parameters) -> Streams:
    half = 1 << (p["ActWidth"] - 1)
    codes = [0, 1, (1 << p["TileK"]) - 1] if p["Serial"] else [-(1 << (p["WeightWidth"] - 1)), -1, 0]
    pairs = [(act, code) for act in (-half, -1, 0, 1, half - 1) for code in codes]
    port = _dp_ports(p)[1]
    return {
        "acts_i": np.array([[act] * (p["TileM"] * p["TileK"]) for act, _ in pairs], dtype=np.int64),
        "weights_i": np.array([[code] * port.lanes for _, code in pairs], dtype=np.int64),
        "last_i": np.ones(len(pairs), dtype=np.int64),
    }


def _dp_macs(p: Parameters, streams: Streams) -> float:
    return float(len(streams["last_i"])) * p["TileM"] * p["TileN"] * p["TileK"]


def _dp_reject(p: Parameters) -> str:
    if p["AccWidth"] < p["ActWidth"] + p["WeightWidth"] + p["TileK"].bit_length():
        return f"AccWidth {p['AccWidth']} cannot hold one beat's sum"
    return ""


DP_CORE = Block(
    name="dp_core",
    family="lut",
    top="dp_core",
    kind="stream",
    sources=("lut/dp_pe.sv", "common/stream_register.sv", "lut/lut_sequence.sv", "lut/dp_core.sv"),
    parameters=(
        Parameter("TileM", (1, 2, 4, 8, 16), "ordinal", "", "tile", "Rows of activations."),
        Parameter("TileN", (1, 2, 4, 8, 16, 32, 64), "ordinal", "", "tile", "Columns of weights."),
        Parameter("TileK", (2, 4, 5, 8, 16), "ordinal", "", "tile", "Products of a beat and unit."),
        Parameter("ActWidth", (4, 8, 16), "ordinal", "bit", "operands", "Activations."),
        Parameter("WeightWidth", (1, 2, 4, 8, 16), "ordinal", "bit", "operands", "Weights."),
        Parameter("AccWidth", (24, 32, 40), "ordinal", "bit", "operands", "Accumulators."),
        Parameter("Serial", (0, 1), "ordinal", "", "operands", "One bit plane of +1/-1 weights a cycle."),
        Parameter("InputRegister", (0, 1), "ordinal", "", "timing", "Operands are held in the core."),
    ),
    ports=_dp_ports,
    golden=golden.dot_products,
    stimulus=_dp_stimulus,
    corners=_dp_corners,
    macs=_dp_macs,
    reject=_dp_reject,
    keep=("dp_pe",),
    mutations=(
        Mutation("lut/dp_pe.sv", "extended ^ {SumWidth{!bits_i[k]}}", "extended", "terms forget their sign"),
        Mutation(
            "lut/lut_sequence.sv",
            "plane_q <= top ? '0 : plane_q + 1'b1;",
            "plane_q <= '0;",
            "one plane is read again and again",
        ),
    ),
    doc="M x N dot-product units with multipliers or bit-serial adders, the rivals of a LUT core.",
    source=f"{_PAPER}, section 4.2",
)


def _ports(p: Parameters) -> tuple[Port, ...]:
    entries = 1 << (p["Group"] - 1 if p["Symmetric"] else p["Group"])
    width = golden.entry_width(p)
    return (
        Port("acts_i", "in", p["ActWidth"], p["Tables"] * p["Group"], signed=True),
        Port("table_o", "out", width, p["Tables"] * entries, signed=True),
    )


def _stimulus(p: Parameters, rng: np.random.Generator, n: int, draw: Draw = uniform) -> Streams:
    return {"acts_i": draw(rng, (n, p["Tables"] * p["Group"]), p["ActWidth"])}


def _corners(p: Parameters) -> Streams:
    half = 1 << (p["ActWidth"] - 1)
    lanes = p["Tables"] * p["Group"]
    rows = [np.resize(pair, lanes) for pair in ([-half, -half], [half - 1, -half], [half - 1, half - 1], [0, -1])]
    return {"acts_i": np.array(rows, dtype=np.int64)}


PRECOMPUTE = Block(
    name="lut_precompute",
    family="lut",
    top="lut_precompute",
    kind="stream",
    sources=("lut/lut_table_int.sv", "lut/lut_precompute.sv"),
    parameters=(
        Parameter("Tables", (1, 2, 4), "ordinal", "", "table", "Groups of activations of a beat."),
        Parameter("Group", (2, 3, 4, 5), "ordinal", "", "table", "Activations of a group."),
        Parameter("ActWidth", (4, 8, 16), "ordinal", "bit", "operands", "Activations."),
        Parameter("Symmetric", (0, 1), "ordinal", "", "table", "Half tables of +1/-1 weights."),
    ),
    ports=_ports,
    golden=golden.precompute,
    stimulus=_stimulus,
    corners=_corners,
    mutations=(
        Mutation("lut/lut_precompute.sv", "!valid_q || out_ready_i", "1'b1", "tables nobody took are overwritten"),
    ),
    doc="Tables of groups of activations: the operator that runs once per activation and feeds many cores.",
    source=f"{_PAPER}, section 3.1.1",
)
