"""Bit-exact models of the arrays: integer matrix products over the beats of a tile, vectorised."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from archgym.rtl.block import Parameters, Streams
from archgym.rtl.common.digits import decode, ent_code
from archgym.rtl.common.golden import packets, wrapped

__all__ = ["decode_a", "depth", "encode_a", "output_stationary", "rows", "tiles", "weight_stationary"]

Ints = NDArray[np.int64]


def rows(p: Parameters) -> int:
    """Rows of results of an engine; the multiplier-adder tree has one."""
    return p.get("Rows", 1)


def depth(p: Parameters) -> int:
    """Steps of K in a beat."""
    return p.get("Depth", 1)


def encode_a(values: Ints, p: Parameters) -> Ints:
    """Signed operands as they stand at port `a_i`: EN-T codes where Multiplier is 4."""
    return ent_code(values, p["Width"]) if p["Multiplier"] == 4 else values


def decode_a(words: Ints, p: Parameters) -> Ints:
    """The signed operands behind words of port `a_i`."""
    return decode(words, p["Width"], p["Multiplier"])


def tiles(last: Ints) -> list[slice]:
    """Beats of each whole tile, from the flags of last beats; beats after the last flag make no tile."""
    return [slice(int(start), int(end)) for start, end in itertools.pairwise(packets(last))]


def output_stationary(p: Parameters, streams: Streams) -> Streams:
    """Rows of results of tiles: `rows` output beats of `Cols` sums for the beats from one `last_i` to the next."""
    n = len(streams["last_i"])
    a = decode_a(streams["a_i"].reshape(n, rows(p), depth(p)), p)
    b = streams["b_i"].reshape(n, p["Cols"], depth(p))
    found = [np.tensordot(a[tile], b[tile], axes=((0, 2), (0, 2))) for tile in tiles(streams["last_i"])]
    sums = np.concatenate(found) if found else np.zeros((0, p["Cols"]), dtype=np.int64)
    return {"c_o": wrapped(sums, p["AccWidth"])}


def weight_stationary(p: Parameters, streams: Streams) -> Streams:
    """Sums of the computing beats, by the weights that are in use at each.

    Weights enter at the top and move down with every loading beat; with a buffer, those loaded before the latest
    `swap_i` are in use, else all of those loaded before.
    """
    computes = np.flatnonzero(streams["compute_i"])
    load, swap = streams["load_i"], streams["swap_i"]
    loaded = np.cumsum(load) - load  # before each beat
    if p["WeightBuffer"]:
        loaded = np.maximum.accumulate(np.where(swap == 1, loaded, 0))
    weights = streams["b_i"].reshape(len(load), p["Cols"])[load == 1]
    a = decode_a(streams["a_i"].reshape(len(load), p["Rows"]), p)
    found = np.zeros((len(computes), p["Cols"]), dtype=np.int64)
    for count in np.unique(loaded[computes]):
        chosen = loaded[computes] == count
        in_use = weights[count - p["Rows"] : count][::-1]  # the oldest is at the bottom
        found[chosen] = a[computes[chosen]] @ in_use
    return {"c_o": wrapped(found, p["AccWidth"])}
