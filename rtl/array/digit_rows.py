"""The array of sparse digit engines: its block, golden model and stimuli, row by row those of one engine."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from archgym.rtl.array.stimuli import corner_values
from archgym.rtl.block import Block, Draw, Mutation, Parameters, Port, Streams, uniform
from archgym.rtl.common.digits import ent_code
from archgym.rtl.common.sources import common
from archgym.rtl.mac import golden
from archgym.space import Parameter

__all__ = ["DIGIT_ARRAY", "packet"]

Ints = NDArray[np.int64]

_LONGEST = 8  # beats of a random packet at most: each is played Width/2 times
_EMPTY = 0.1  # beats of a row whose operands are all zero, which are rare by chance


def _operands(p: Parameters) -> int:
    return p["Encoders"] * p["Lanes"]


def _rows(p: Parameters, streams: Streams) -> list[Streams]:
    """The beats of each row."""
    n = len(streams["last_i"])
    a = streams["a_i"].reshape(n, p["Rows"], _operands(p))
    return [{**streams, "a_i": a[:, row]} for row in range(p["Rows"])]


def digit_array(p: Parameters, streams: Streams) -> Streams:
    """Results of all rows, a column a beat."""
    return {"c_o": np.stack([golden.digit_engine(p, row)["acc_o"] for row in _rows(p, streams)], axis=1)}


def _passes(p: Parameters, a: Ints, b: Ints, lengths: Ints) -> Streams:
    """Packets of some lengths in beats, each played Width/2 times."""
    passes = p["Width"] // 2
    ends = np.cumsum(lengths)
    order = np.concatenate([np.tile(np.arange(end - n, end), passes) for n, end in zip(lengths, ends, strict=True)])
    last = np.zeros(len(order), dtype=np.int64)
    last[np.cumsum(np.repeat(lengths, passes)) - 1] = 1
    words = ent_code(a, p["Width"]) if p["Multiplier"] == 4 else a
    return {"a_i": words[order], "b_i": b[order], "last_i": last}


def packet(p: Parameters, a: Ints, b: Ints) -> Streams:
    """Input beats of one packet of given operands, Width/2 passes of it.

    Args:
        p: the array's parameters.
        a: int64[beats, Rows * Encoders * Lanes], signed operands.
        b: int64[beats, Columns * Encoders * Lanes], signed operands.
    """
    return _passes(p, a, b, np.array([len(a)]))


def _random(p: Parameters, rng: np.random.Generator, n: int, draw: Draw = uniform) -> Streams:
    """About n beats in packets of random length."""
    lengths = rng.integers(1, _LONGEST + 1, max(1, 4 * n // (p["Width"] * (_LONGEST + 1))))
    beats = int(lengths.sum())
    a = draw(rng, (beats, p["Rows"], _operands(p)), p["Width"])
    a = np.where(rng.random((beats, p["Rows"], 1)) < _EMPTY, 0, a).reshape(beats, -1)
    return _passes(p, a, draw(rng, (beats, p["Columns"] * _operands(p)), p["Width"]), lengths)


def _corners(p: Parameters) -> Streams:
    """Every pair of extreme operands on all lanes, neighbouring rows with different ones; then the largest sums."""
    values = corner_values(p["Width"])
    first, b = (grid.ravel() for grid in np.meshgrid(values, values, indexing="ij"))
    first, b = np.append(first, np.full(4, values[0])), np.append(b, np.full(4, values[0]))
    a = np.stack([first if row % 2 == 0 else np.resize(values, len(first)) for row in range(p["Rows"])], axis=1)
    wide_b = np.repeat(b[:, None], p["Columns"] * _operands(p), axis=1)
    return _passes(p, np.repeat(a, _operands(p), axis=1), wide_b, np.array([1] * 64 + [4]))


def _ports(p: Parameters) -> tuple[Port, ...]:
    encoded = p["Multiplier"] == 4
    a = Port(
        "a_i", "in", p["Width"] + encoded, p["Rows"] * _operands(p), signed=not encoded, doc="by row, encoder, lane"
    )
    b = Port("b_i", "in", p["Width"], p["Columns"] * _operands(p), signed=True, doc="by column, encoder, lane")
    c = Port("c_o", "out", p["AccWidth"], p["Rows"], signed=True, doc="dot product by row")
    return (a, b, Port("last_i", "in", 1, doc="ends a pass"), c)


def _macs(p: Parameters, streams: Streams) -> float:
    return len(streams["last_i"]) / (p["Width"] // 2) * _operands(p) * p["Rows"] * p["Columns"]


def _reject(p: Mapping[str, int]) -> str:
    least = 2 * p["Width"] + 4
    return "" if p["AccWidth"] >= least else f"AccWidth must be at least 2*Width + 4 = {least}, got {p['AccWidth']}"


_SOURCES = (
    *common(
        "ent_encoder", "csa_tree", "csa_tree_plus", "digit_finder", "sparse_encoder", "stream_register",
        "result_register",
    ),
    *(f"mac/{name}.sv" for name in ("digit_select", "digit_pe", "digit_drain", "digit_engine")),
    "array/digit_array.sv",
)  # fmt: skip

DIGIT_ARRAY = Block(
    name="digit_array",
    family="array",
    top="digit_array",
    kind="stream",
    sources=_SOURCES,
    parameters=(
        Parameter("Rows", (4, 8, 16, 32), "ordinal", "", "shape", "Rows, each behind its own sparse encoders."),
        Parameter("Columns", (4, 8, 16, 32), "ordinal", "", "shape", "Elements of a row."),
        Parameter("Width", (4, 8, 16), "ordinal", "bit", "operands", "Operands."),
        Parameter("AccWidth", (16, 24, 32, 40), "ordinal", "bit", "operands", "Results."),
        Parameter("Encoders", (1, 2, 4), "ordinal", "", "shape", "Encoders of a row: digits of an element a cycle."),
        Parameter("Lanes", (2, 4, 8), "ordinal", "", "shape", "Operands of an encoder's group."),
        Parameter("Multiplier", (3, 4), "categorical", "", "multiplier", "3 EN-T in the block, 4 before the port."),
        Parameter("Horner", (0, 1), "ordinal", "", "multiplier", "1: bit weights are added up in the elements."),
        Parameter("SkipEmpty", (0, 1), "ordinal", "", "timing", "1: beats without digits take no cycle."),
        Parameter("Slack", (0, 1, 2, 4), "ordinal", "", "timing", "Beats that a row may be ahead of another."),
    ),
    ports=_ports,
    golden=digit_array,
    stimulus=_random,
    corners=_corners,
    macs=_macs,
    reject=_reject,
    keep=("digit_pe", "digit_drain", "sparse_encoder"),
    mutations=(
        Mutation(
            "array/digit_array.sv", "in_ready_o ? '0 : done_q | ready;", "'0;", "a row takes a beat more than once"
        ),
        Mutation(
            "array/digit_array.sv", "(out_ready_i & out_valid_o)", "(out_ready_i)", "rows drop results of late rows"
        ),
        Mutation("array/digit_array.sv", "= &(done_q | ready);", "= |(done_q | ready);", "a beat passes a busy row"),
    ),
    doc="Rows of sparse digit engines on shared operands b, synchronised by beats with some slack.",
    source="arXiv 2503.06342 (HPCA 2025), OPT4C and OPT4E",
)
