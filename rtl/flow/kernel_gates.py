"""Compiled evaluation of gates: 64 independent simulations in the bits of every word."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from archgym.sims.jit import inner, lean

Words = NDArray[np.uint64]
Ints = NDArray[np.int32]

_NONE = np.uint64(0)
_ONE = np.uint64(1)
_PAIRS = np.uint64(0x5555555555555555)
_FOURS = np.uint64(0x3333333333333333)
_BYTES = np.uint64(0x0F0F0F0F0F0F0F0F)
_COUNT = np.uint64(0x7F)


@inner
def ones_in(word: np.uint64) -> np.uint64:
    """Number of ones, by adding neighbours (H. S. Warren, Hacker's Delight, section 5-1)."""
    word = word - ((word >> _ONE) & _PAIRS)
    word = (word & _FOURS) + ((word >> np.uint64(2)) & _FOURS)
    word = (word + (word >> np.uint64(4))) & _BYTES
    word += word >> np.uint64(8)
    word += word >> np.uint64(16)
    word += word >> np.uint64(32)
    found: np.uint64 = word & _COUNT
    return found


@lean
def evaluate(
    segments: Ints, functions: Ints, pins: Ints, tables: Words, scratch: Words, values: Words, target: Words
) -> None:
    """Evaluate gates in order; a gate of k inputs is a tree of 2^k - 1 multiplexers over its truth table.

    Args:
        segments: int32[segments, 5]: inputs of each gate, gates, first output, first gate, first pin. The outputs of a
            segment are consecutive words.
        functions: int32[gates], where a gate's table starts in `tables`.
        pins: int32[pins], the words that are read.
        tables: per function 2^k words: even rows of the truth table (all ones or none), at odd places the difference
            of an even row and the next.
        scratch: room for half of the largest table.
        values: uint64[words], what is read.
        target: uint64[words], what is written: `values` again, so that gates see the outputs of those before them.
    """
    for segment in range(segments.shape[0]):
        arity, gates = segments[segment, 0], segments[segment, 1]
        out, gate, pin = segments[segment, 2], segments[segment, 3], segments[segment, 4]
        if arity == 1:
            for each in range(gates):
                at = functions[gate + each]
                target[out + each] = tables[at] ^ (values[pins[pin + each]] & tables[at + 1])
        elif arity == 2:
            for each in range(gates):
                at, first = functions[gate + each], pin + 2 * each
                a, b = values[pins[first]], values[pins[first + 1]]
                low = tables[at] ^ (a & tables[at + 1])
                high = tables[at + 2] ^ (a & tables[at + 3])
                target[out + each] = low ^ (b & (low ^ high))
        elif arity == 3:
            for each in range(gates):
                at, first = functions[gate + each], pin + 3 * each
                a, b, c = values[pins[first]], values[pins[first + 1]], values[pins[first + 2]]
                target[out + each] = three(tables, at, a, b, c)
        elif arity == 4:
            for each in range(gates):
                at, first = functions[gate + each], pin + 4 * each
                a, b, c = values[pins[first]], values[pins[first + 1]], values[pins[first + 2]]
                low, high = three(tables, at, a, b, c), three(tables, at + 8, a, b, c)
                target[out + each] = low ^ (values[pins[first + 3]] & (low ^ high))
        else:
            for each in range(gates):
                target[out + each] = many(
                    tables, functions[gate + each], pins, pin + arity * each, arity, scratch, values
                )


@inner
def three(tables: Words, at: int, a: np.uint64, b: np.uint64, c: np.uint64) -> np.uint64:
    """A function of three inputs."""
    first = tables[at] ^ (a & tables[at + 1])
    second = tables[at + 2] ^ (a & tables[at + 3])
    third = tables[at + 4] ^ (a & tables[at + 5])
    fourth = tables[at + 6] ^ (a & tables[at + 7])
    low, high = first ^ (b & (first ^ second)), third ^ (b & (third ^ fourth))
    found: np.uint64 = low ^ (c & (low ^ high))
    return found


@inner
def many(tables: Words, at: int, pins: Ints, pin: int, arity: int, scratch: Words, values: Words) -> np.uint64:
    """A function of any number of inputs: each input halves what is left of the table."""
    rows = 1 << (arity - 1)
    for row in range(rows):
        scratch[row] = tables[at + 2 * row] ^ (values[pins[pin]] & tables[at + 2 * row + 1])
    for place in range(1, arity):
        chosen = values[pins[pin + place]]
        rows >>= 1
        for row in range(rows):
            low = scratch[2 * row]
            scratch[row] = low ^ (chosen & (low ^ scratch[2 * row + 1]))
    found: np.uint64 = scratch[0]
    return found


@lean
def count(values: Words, previous: Words, live: np.uint64, toggles: NDArray[np.int64], ones: NDArray[np.int64]) -> None:
    """Add transitions since the last count and ones, in the lanes of `live`."""
    for word in range(toggles.shape[0]):
        now = values[word]
        toggles[word] += np.int64(ones_in((now ^ previous[word]) & live))
        ones[word] += np.int64(ones_in(now & live))
        previous[word] = now
