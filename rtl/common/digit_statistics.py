"""How many digits are not zero: what sparse digit units gain over ones that take every digit."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from archgym.errors import InvalidInput, UnknownName
from archgym.rtl.common.digits import Integers, booth_digits, ent_digits, naf_digits

__all__ = ["ENCODINGS", "digit_counts", "distribution", "normal", "uniform"]

ENCODINGS: Mapping[str, Callable[[Integers, int], Integers]] = {
    "ent": ent_digits,
    "booth": booth_digits,
    "naf": naf_digits,
}
"""EN-T, modified Booth, and the non-adjacent form (radix 2: its digits lie anywhere)."""


def _operands(width: int) -> Integers:
    return np.arange(-(1 << (width - 1)), 1 << (width - 1))


def uniform(width: int) -> NDArray[np.float64]:
    """Probabilities of all operands of a width, from the lowest: all equal."""
    return np.full(1 << width, 0.5**width)


def normal(width: int, deviation: float) -> NDArray[np.float64]:
    """Probabilities of all operands: a normal distribution around 0, rounded to integers, cut at the ends.

    Raises:
        InvalidInput: for a deviation that is not above 0.
    """
    if not deviation > 0:
        raise InvalidInput(f"standard deviation: got {deviation}, it must be above 0")
    edges = np.append(_operands(width) - 0.5, (1 << (width - 1)) - 0.5) / (deviation * math.sqrt(2))
    below = np.array([math.erf(edge) for edge in edges])
    share = np.diff(below)
    return np.asarray(share / share.sum(), dtype=np.float64)


def digit_counts(encoding: str, width: int) -> Integers:
    """Digits that are not zero, for every operand of a width from the lowest: int64[2^width].

    Raises:
        UnknownName: for an encoding that is not one of ENCODINGS.
    """
    if encoding not in ENCODINGS:
        raise UnknownName("encoding", encoding, list(ENCODINGS))
    return np.asarray(np.count_nonzero(ENCODINGS[encoding](_operands(width), width), axis=-1), dtype=np.int64)


def distribution(encoding: str, width: int, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities of 0, 1, 2, ... digits that are not zero.

    Args:
        encoding: one of ENCODINGS.
        width: of the operands, bits.
        probabilities: float64[2^width] of the operands, from the lowest; they need not add up to one.

    Raises:
        UnknownName: for an encoding that is not one of ENCODINGS.
        InvalidInput: when there is not a probability for each operand.
    """
    counts = digit_counts(encoding, width)
    if np.shape(probabilities) != counts.shape:
        raise InvalidInput(
            f"probabilities of {len(counts)} operands of {width} bits: got shape {np.shape(probabilities)}"
        )
    return np.asarray(np.bincount(counts, probabilities) / np.sum(probabilities), dtype=np.float64)
