"""Golden models of the multiply-accumulate units: exact integer dot products of packets."""

from __future__ import annotations

import numpy as np

from archgym.rtl.block import Parameters, Streams
from archgym.rtl.common.digits import Integers, code_digits, decode, ent_code
from archgym.rtl.common.golden import packets, wrapped

__all__ = ["digit_cycles", "digit_engine", "mac_unit", "pair_width"]


def mac_unit(parameters: Parameters, streams: Streams) -> Streams:
    """Sum of a * b over each packet modulo 2^AccWidth; an incomplete packet at the end gives nothing."""
    edges = packets(streams["last_i"])
    products = decode(streams["a_i"], parameters["Width"], parameters["Multiplier"]) * streams["b_i"]
    sums = np.add.reduceat(products[: edges[-1]], edges[:-1]) if len(edges) > 1 else products[:0]
    return {"acc_o": wrapped(sums, parameters["AccWidth"])}


def pair_width(parameters: Parameters) -> int:
    """Bits of a digit element's registers: a whole result with Horner = 1, else the sum of one bit weight."""
    return parameters["AccWidth"] - (0 if parameters["Horner"] else parameters["Width"] - 2)


def _pass_digits(parameters: Parameters, streams: Streams) -> Integers:
    """The signed digits that the passes visit: int64[beats, encoders, lanes]."""
    width, passes = parameters["Width"], parameters["Width"] // 2
    codes = streams["a_i"] if parameters["Multiplier"] == 4 else ent_code(streams["a_i"], width)
    digits = code_digits(codes, width)
    number = np.concatenate([[0], np.cumsum(streams["last_i"])[:-1]]) % passes
    weight = passes - 1 - number if parameters["Horner"] else number
    visited = np.take_along_axis(digits, weight[:, None, None], axis=-1)[..., 0]
    return visited.reshape(len(number), parameters["Encoders"], parameters["Lanes"])


def digit_engine(parameters: Parameters, streams: Streams) -> Streams:
    """Dot products of packets of Width/2 passes, a column an output beat; as the hardware where a pass overflows."""
    columns, passes = parameters["Columns"], parameters["Width"] // 2
    edges = packets(streams["last_i"])[::passes]
    digits = _pass_digits(parameters, streams).reshape(len(streams["last_i"]), -1)
    b = streams["b_i"].reshape(len(digits), columns, -1)
    products = np.einsum("nk,nck->nc", digits, b)
    starts = packets(streams["last_i"])[: (len(edges) - 1) * passes]
    if not len(starts):
        return {"acc_o": np.zeros(0, dtype=np.int64)}
    sums = np.add.reduceat(products[: edges[-1]], starts).reshape(-1, passes, columns)
    return {"acc_o": _weighed(parameters, sums).ravel()}


def _weighed(parameters: Parameters, sums: Integers) -> Integers:
    """Sums of bit weights, int64[packets, passes, columns] in the order of the passes, to results."""
    width = pair_width(parameters)
    if parameters["Horner"]:
        weights = 4 ** np.arange(sums.shape[1])[::-1]
        return wrapped(np.einsum("pwc,w->pc", sums, weights), width)
    total, low = np.zeros_like(sums[:, 0]), np.zeros_like(sums[:, 0])
    for number in range(sums.shape[1]):
        low |= (total & 3) << 2 * (number - 1) if number else 0
        total = wrapped(sums[:, number] + (total >> 2), width)
    return (total << (parameters["Width"] - 2)) | low


def digit_cycles(parameters: Parameters, streams: Streams) -> int:
    """Cycles in which digits are visited, when no beat is skipped: the slowest encoder of each beat, at least one."""
    counts = np.count_nonzero(_pass_digits(parameters, streams), axis=-1)
    return int(np.maximum(counts.max(axis=-1), 1).sum())
