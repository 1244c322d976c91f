"""Golden models of the primitives that are tops of their own."""

from __future__ import annotations

import numpy as np

from archgym.rtl.block import Parameters, Streams
from archgym.rtl.common.digits import Integers, booth_selects, code_digits, ent_code

__all__ = [
    "accumulate_stream", "booth_encoder", "ent_encoder", "multiplier", "packets", "sparse_digits", "stream_stage",
    "term_adder", "wrapped",
]  # fmt: skip


def wrapped(values: Integers, width: int) -> Integers:
    """Values modulo 2^width, as signed integers of `width` bits (at most 63)."""
    half = np.int64(1) << (width - 1)
    mask = (half - 1) * 2 + 1
    return np.asarray(((values + half) & mask) - half, dtype=np.int64)


def packets(last: Integers) -> Integers:
    """First beats of the complete packets, and one past the last of them: int64[packets + 1]."""
    return np.concatenate([[0], np.flatnonzero(last) + 1])


def booth_encoder(parameters: Parameters, streams: Streams) -> Streams:
    """Three select lines a digit."""
    return {"selects_o": booth_selects(streams["a_i"], parameters["Width"])}


def ent_encoder(parameters: Parameters, streams: Streams) -> Streams:
    """Two bits a digit and the sign."""
    return {"code_o": ent_code(streams["a_i"], parameters["Width"])}


def multiplier(_parameters: Parameters, streams: Streams) -> Streams:
    """Products."""
    return {"product_o": streams["a_i"] * streams["b_i"]}


def term_adder(parameters: Parameters, streams: Streams) -> Streams:
    """Sums over the terms."""
    return {"total_o": streams["terms_i"].reshape(-1, parameters["Inputs"]).sum(-1)}


def stream_stage(_parameters: Parameters, streams: Streams) -> Streams:
    """What goes in."""
    return {"data_o": streams["data_i"]}


def accumulate_stream(parameters: Parameters, streams: Streams) -> Streams:
    """Sums over packets modulo 2^Width."""
    edges = packets(streams["last_i"])
    totals = streams["terms_i"].reshape(len(streams["last_i"]), -1).sum(-1)
    sums = np.add.reduceat(totals[: edges[-1]], edges[:-1]) if len(edges) > 1 else totals[:0]
    return {"total_o": wrapped(sums, parameters["Width"])}


def sparse_digits(parameters: Parameters, streams: Streams) -> Streams:
    """Digits that are not zero, by group, bit weight and lane; an idle beat for each weight that has none."""
    width, lanes = parameters["Width"], parameters["Lanes"]
    digits = code_digits(ent_code(streams["a_i"], width), width).reshape(-1, lanes, width // 2).swapaxes(1, 2)
    shown = digits != 0
    idle = ~shown.any(-1)
    shown[..., 0] |= idle
    group, weight, lane = np.nonzero(shown)
    last = np.append(group[1:] != group[:-1], True) if len(group) else np.zeros(0, bool)
    codes = np.array([0, 3, 0, 1, 2])[digits[shown] + 2]  # -2 is 00, as is what an idle beat has
    return {
        "code_o": codes,
        "position_o": lane,
        "weight_o": weight,
        "idle_o": idle[group, weight].astype(np.int64),
        "last_o": last.astype(np.int64),
    }
