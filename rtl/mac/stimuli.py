"""Input beats of the multiply-accumulate units: random packets and extreme operands."""

from __future__ import annotations

import numpy as np

from archgym.rtl.block import Draw, Parameters, Stimulus, Streams, uniform
from archgym.rtl.common.digits import Integers, ent_code

__all__ = [
    "digit_engine",
    "digit_engine_corners",
    "dot_products",
    "extremes",
    "lengths",
    "mac_unit",
    "mac_unit_corners",
]


def extremes(width: int) -> Integers:
    """Operands at which widths, signs and digits go wrong: int64[8], for 8 bits -128, -127, -2, -1, 0, 1, 2, 127."""
    top = 1 << (width - 1)
    return np.array([-top, 1 - top, -2, -1, 0, 1, 2, top - 1])


def lengths(rng: np.random.Generator, n: int, longest: int = 24) -> Integers:
    """Lengths of packets, 1 to `longest`, that add up to n (n >= 1): one-beat packets are common."""
    drawn = np.where(rng.random(n) < 0.3, 1, rng.integers(1, longest + 1, n))
    ends = np.cumsum(drawn)
    count = int(np.searchsorted(ends, n)) + 1
    drawn[count - 1] -= ends[count - 1] - n
    return np.asarray(drawn[:count], dtype=np.int64)


def _last(each: Integers) -> Integers:
    last = np.zeros(int(each.sum()), dtype=np.int64)
    last[np.cumsum(each) - 1] = 1
    return last


def _operand_a(parameters: Parameters, operands: Integers) -> Integers:
    return ent_code(operands, parameters["Width"]) if parameters["Multiplier"] == 4 else operands


def mac_unit(parameters: Parameters, rng: np.random.Generator, n: int, draw: Draw = uniform) -> Streams:
    """n beats in packets of random length."""
    width = parameters["Width"]
    a, b = draw(rng, (n,), width), draw(rng, (n,), width)
    return {"a_i": _operand_a(parameters, a), "b_i": b, "last_i": _last(lengths(rng, n))}


def mac_unit_corners(parameters: Parameters) -> Streams:
    """Every pair of extreme operands as a packet of one beat, then all of them as one packet, then the largest sums."""
    values = extremes(parameters["Width"])
    a, b = (grid.ravel() for grid in np.meshgrid(values, values, indexing="ij"))
    low = np.full(40, values[0])
    a, b = np.concatenate([a, a, low, low]), np.concatenate([b, b, low, np.full(40, values[-1])])
    last = _last(np.array([1] * 64 + [64, 40, 40]))
    return {"a_i": _operand_a(parameters, a), "b_i": b, "last_i": last}


def _passes(parameters: Parameters, a: Integers, b: Integers, each: Integers) -> Streams:
    """Packets of `each` beats, every one played once a bit weight, as a local buffer reads them again."""
    passes = parameters["Width"] // 2
    ends = np.cumsum(each)
    order = np.concatenate([np.tile(np.arange(end - n, end), passes) for n, end in zip(each, ends, strict=True)])
    last = _last(np.repeat(each, passes))
    return {"a_i": _operand_a(parameters, a)[order], "b_i": b[order], "last_i": last}


def digit_engine(parameters: Parameters, rng: np.random.Generator, n: int, draw: Draw = uniform) -> Streams:
    """About n beats in packets of random length, each played Width/2 times."""
    width, operands = parameters["Width"], parameters["Encoders"] * parameters["Lanes"]
    beats = max(1, 2 * n // width)
    a = draw(rng, (beats, operands), width)
    a = np.where(rng.random((beats, 1)) < 0.1, 0, a)  # beats without digits, which are rare by chance
    return _passes(parameters, a, draw(rng, (beats, parameters["Columns"] * operands), width), lengths(rng, beats, 8))


def digit_engine_corners(parameters: Parameters) -> Streams:
    """Every pair of extreme operands on all lanes, one beat a packet, then all in one packet, then the largest sums."""
    values = extremes(parameters["Width"])
    a, b = (grid.ravel() for grid in np.meshgrid(values, values, indexing="ij"))
    low = np.full(6, values[0])
    a, b = np.concatenate([a, a, low]), np.concatenate([b, b, low])
    operands = parameters["Encoders"] * parameters["Lanes"]
    wide = (np.repeat(a[:, None], operands, axis=1), np.repeat(b[:, None], operands * parameters["Columns"], axis=1))
    return _passes(parameters, *wide, np.array([1] * 64 + [64, 6]))


def dot_products(length: int) -> Stimulus:
    """Stimulus of dot products of one length, for either kind of unit: what a matrix product asks for.

    Args:
        length: products in a dot product; of sparse engines rounded up to whole beats.

    Returns:
        A stimulus of at least one packet, of about n beats.
    """

    def stimulus(parameters: Parameters, rng: np.random.Generator, n: int, draw: Draw = uniform) -> Streams:
        width = parameters["Width"]
        if "Lanes" not in parameters:
            total = length * max(1, round(n / length))
            a, b = draw(rng, (total,), width), draw(rng, (total,), width)
            return {"a_i": _operand_a(parameters, a), "b_i": b, "last_i": _last(np.full(total // length, length))}
        operands = parameters["Encoders"] * parameters["Lanes"]
        beats = -(-length // operands)
        count = max(1, round(n / (beats * width // 2)))
        a = draw(rng, (beats * count, operands), width)
        b = draw(rng, (beats * count, parameters["Columns"] * operands), width)
        return _passes(parameters, a, b, np.full(count, beats))

    return stimulus
