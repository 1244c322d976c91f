"""Compiled transport between lanes (one simulation's bits in a row) and words (one net's value in 64 simulations)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from archgym.sims.jit import inner, lean

Words = NDArray[np.uint64]
Ints = NDArray[np.int32]
Longs = NDArray[np.int64]

_LANES = 64
_NONE = np.uint64(0)
_ONE = np.uint64(1)
_SPREAD = 8  # bits of a probability


@lean
def transpose(block: Words) -> None:
    """Swap rows and columns of 64 x 64 bits by halves (H. S. Warren, Hacker's Delight, section 7-3)."""
    width, mask = 32, np.uint64(0x00000000FFFFFFFF)
    while width:
        shift, row = np.uint64(width), 0
        while row < _LANES:
            swap = ((block[row] >> shift) ^ block[row + width]) & mask
            block[row] ^= swap << shift
            block[row + width] ^= swap
            row = (row + width + 1) & ~width
        width >>= 1
        mask ^= mask << np.uint64(width) if width else _NONE


@inner
def sprinkle(state: Words, chance: int) -> np.uint64:
    """Ones in `chance` of 256 lanes on average, by xorshift (G. Marsaglia, J. Stat. Softw. 8(14), 2003)."""
    word: np.uint64 = _NONE
    for bit in range(_SPREAD):
        x = state[0]
        x ^= x << np.uint64(13)
        x ^= x >> np.uint64(7)
        x ^= x << np.uint64(17)
        state[0] = x
        word = word | x if chance >> bit & 1 else word & x
    return word


@lean
def drive(beats: Words, at: Longs, block: Words, pins: Ints, values: Words) -> None:
    """Put beat `at[lane]` of every lane (`beats[lane, beat, word]`) on the input words `pins`."""
    for word in range(beats.shape[2]):
        for lane in range(_LANES):
            block[lane] = beats[lane, at[lane], word]
        transpose(block)
        for bit in range(min(_LANES, pins.shape[0] - _LANES * word)):
            values[pins[_LANES * word + bit]] = block[bit]


@lean
def sample(outs: Words, at: Longs, emit: np.uint64, block: Words, pins: Ints, values: Words) -> None:
    """Store the output words `pins` as row `at[lane]` of `outs[lane]` in the lanes of `emit`."""
    for word in range(outs.shape[2]):
        for bit in range(_LANES):
            place = _LANES * word + bit
            block[bit] = values[pins[place]] if place < pins.shape[0] else _NONE
        transpose(block)
        for lane in range(_LANES):
            if emit >> np.uint64(lane) & _ONE and at[lane] < outs.shape[1]:
                outs[lane, at[lane], word] = block[lane]
