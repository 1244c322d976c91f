"""Bit-exact models of the LUT tensor core with integer tables, vectorised over beats.

Weights of b bits are read as q' = 2q - (2^b - 1), so that every bit plane counts +2^j or -2^j (LUT Tensor Core, ISCA
2025, arXiv 2408.06003, section 3.1.2); with full tables they are two's complement, as in UNPU (ISSCC 2018).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from archgym.rtl.block import Parameters, Streams
from archgym.rtl.common.golden import packets, wrapped

__all__ = [
    "core", "dot_products", "encode_weights", "entry_width", "groups", "packet_sums", "precompute", "table",
    "values",
]  # fmt: skip

Ints = NDArray[np.int64]


def groups(p: Parameters) -> int:
    """Tables of a row."""
    return p["TileK"] // p["Group"]


def entry_width(p: Parameters) -> int:
    """Bits of an entry of an integer table, signed: Group activations are summed."""
    return p["ActWidth"] + (p["Group"] - 1).bit_length()


def table(acts: Ints, *, symmetric: bool) -> Ints:
    """Tables of groups of activations, int64[..., group] -> int64[..., entries].

    Symmetric: entry i is the last activation plus or minus each other one, as bit j of i says. Otherwise the sum of
    those whose bit is set.
    """
    group = acts.shape[-1]
    bits = group - 1 if symmetric else group
    index = np.arange(1 << bits)
    chosen = (index[:, None] >> np.arange(bits)) & 1  # [entries, bits]
    if symmetric:
        signs = np.concatenate([2 * chosen - 1, np.ones((len(index), 1), dtype=np.int64)], axis=1)
        return np.asarray(acts @ signs.T)
    return np.asarray(acts @ chosen.T)


def encode_weights(codes: Ints, p: Parameters) -> Ints:
    """Weights as the core stores them: unsigned codes int64[..., K] -> int64[..., groups, planes] of Group bits each.

    With half tables and OfflineNegation the low index bits are inverted where the sign bit (the highest) is clear.
    """
    group = p["Group"]
    grouped = codes.reshape(*codes.shape[:-1], groups(p), group)
    planes = (grouped[..., None, :] >> np.arange(p["WeightBits"])[:, None]) & 1
    packed = planes @ (1 << np.arange(group))
    if p["Symmetric"] and p["OfflineNegation"]:
        low = (1 << (group - 1)) - 1
        packed = np.where(packed >> (group - 1), packed, packed ^ low)
    return np.asarray(packed)


def values(codes: Ints, p: Parameters) -> Ints:
    """What unsigned codes of weights mean: odd numbers with half tables, two's complement with full ones."""
    bits = p["WeightBits"]
    if p["Symmetric"]:
        return 2 * codes - ((1 << bits) - 1)
    return wrapped(codes, bits)


def packet_sums(steps: Ints, last: Ints) -> Ints:
    """Sums of int64[n, ...] over packets that end where `last` is set; an unfinished one is left out."""
    total = np.concatenate([np.zeros((1, *steps.shape[1:]), dtype=np.int64), np.cumsum(steps, axis=0)])
    return np.asarray(np.diff(total[packets(last)], axis=0))


def look_up(tables: Ints, stored: Ints, p: Parameters) -> Ints:
    """One beat's sums: tables int64[n, M, groups, entries], stored int64[n, N, groups, planes] -> int64[n, M, N]."""
    group = p["Group"]
    plane = np.arange(p["WeightBits"])
    if p["Symmetric"]:
        low = (1 << (group - 1)) - 1
        positive = (stored >> (group - 1)) & 1
        index = stored & low
        if not p["OfflineNegation"]:
            index = np.where(positive, index, index ^ low)
        signs = (2 * positive - 1) << plane
    else:
        index = stored
        signs = np.broadcast_to(np.where(plane == plane[-1], -1, 1) << plane, stored.shape)
    n, rows = tables.shape[:2]
    found = np.zeros((n, rows, stored.shape[1]), dtype=np.int64)
    beats = np.arange(n)[:, None]
    for m in range(rows):
        for g in range(tables.shape[2]):
            for b in plane:
                found[:, m] += signs[:, :, g, b] * tables[beats, m, g, index[:, :, g, b]]
    return found


def core(p: Parameters, streams: Streams) -> Streams:
    """Output beats of `lut_core`: M x N sums per packet, by row and column."""
    operands = streams["table_i"].reshape(len(streams["last_i"]), p["TileM"], groups(p), -1)
    tables = table(operands, symmetric=bool(p["Symmetric"])) if p["Precompute"] else operands
    stored = streams["weights_i"].reshape(len(operands), p["TileN"], groups(p), p["WeightBits"])
    sums = packet_sums(look_up(tables, stored, p), streams["last_i"])
    return {"acc_o": wrapped(sums, p["AccWidth"]).reshape(len(sums), -1)}


def precompute(p: Parameters, streams: Streams) -> Streams:
    """Output beats of `lut_precompute`: the tables of each beat's groups of activations."""
    acts = streams["acts_i"].reshape(len(streams["acts_i"]), p["Tables"], p["Group"])
    return {"table_o": table(acts, symmetric=bool(p["Symmetric"])).reshape(len(acts), -1)}


def dot_products(p: Parameters, streams: Streams) -> Streams:
    """Output beats of `dp_core`: M x N sums per packet, by row and column."""
    n, lanes = len(streams["last_i"]), p["TileK"]
    acts = streams["acts_i"].reshape(n, p["TileM"], lanes)
    if p["Serial"]:
        stored = streams["weights_i"].reshape(n, p["TileN"], p["WeightWidth"])
        bits = (stored[..., None] >> np.arange(lanes)) & 1  # [n, N, planes, K]
        weights = ((2 * bits - 1) << np.arange(p["WeightWidth"])[:, None]).sum(axis=2)
    else:
        weights = streams["weights_i"].reshape(n, p["TileN"], lanes)
    sums = packet_sums(np.einsum("bmk,bnk->bmn", acts, weights), streams["last_i"])
    return {"acc_o": wrapped(sums, p["AccWidth"]).reshape(len(sums), -1)}
