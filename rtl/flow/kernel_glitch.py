"""Compiled simulation of gate delays inside a clock cycle: 64 lanes in the bits of every word, time in equal steps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from archgym.rtl.flow.kernel_cycles import Arrays
from archgym.rtl.flow.kernel_gates import evaluate, ones_in
from archgym.sims.jit import entry, lean

Words = NDArray[np.uint64]
Ints = NDArray[np.int32]
Longs = NDArray[np.int64]

_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_NONE = np.uint64(0)


@lean
def advance(
    history: Words, step: int, delays: Ints, first: int, live: np.uint64, values: Words, toggles: Longs
) -> bool:
    """Let outputs follow their functions where these were constant for the gate's delay (inertial delay).

    Args:
        history: uint64[longest delay, words], the functions at the last steps.
        step: now.
        delays: int32[words], steps.
        first: the first word that a gate drives.
        live: lanes whose transitions count.
        values: uint64[words], updated.
        toggles: int64[nets], added to.

    Returns:
        Whether anything changed, in any lane.
    """
    depth, changed = history.shape[0], _NONE
    for word in range(first, toggles.shape[0]):
        high, low = _ALL, _NONE
        for back in range(1, delays[word] + 1):
            then = history[(step - back) % depth, word]
            high &= then
            low |= then
        old = values[word]
        new = (old | high) & low
        values[word] = new
        changed |= old ^ new
        toggles[word] += np.int64(ones_in((old ^ new) & live))
    return bool(changed)


@entry
def run_pairs(
    model: Arrays, scratch: Words, shots: Words, lives: Words, delays: Ints, launch: Ints, first: int, limit: int,
    timed: Longs, settled: Longs,
) -> int:  # fmt: skip
    """Play the transitions from the first to the second cycle of every pair, with delays.

    Args:
        model: arrays of `Model`.
        scratch: room for the largest table.
        shots: uint64[2 pairs, words], settled values.
        lives: uint64[2 pairs], lanes whose transitions into the cycle count.
        delays: int32[words], steps from the inputs of a gate to its output, at least 1.
        launch: int32[words], the step at which an input port or a state takes its new value, -1 for other words.
        first: the first word that a gate drives.
        limit: steps after which a cycle is over, settled or not.
        timed: int64[nets], transitions with delays, added to.
        settled: int64[nets], transitions of the same cycles without delays, added to.

    Returns:
        Pairs that had not settled at the limit.
    """
    segments, functions, pins, tables = model[0], model[6], model[7], model[8]
    nets, words, longest, open_pairs = timed.shape[0], shots.shape[1], 1, 0
    for word in range(words):
        longest = max(longest, delays[word], launch[word])
    history = np.zeros((longest, words), np.uint64)
    for pair in range(shots.shape[0] // 2):
        before, after, live = shots[2 * pair], shots[2 * pair + 1], lives[2 * pair + 1]
        if live == _NONE:
            continue
        values = before.copy()
        history[:] = before
        for word in range(nets):
            settled[word] += np.int64(ones_in((before[word] ^ after[word]) & live))
        quiet, step = 0, 0
        while quiet <= longest and step < limit:
            moved = False
            for word in range(words):
                if launch[word] == step and values[word] != after[word]:
                    moved = True
                    if word < nets:
                        timed[word] += np.int64(ones_in((values[word] ^ after[word]) & live))
                    values[word] = after[word]
            moved |= advance(history, step, delays, first, live, values, timed)
            evaluate(segments, functions, pins, tables, scratch, values, history[step % longest])
            quiet = 0 if moved else quiet + 1
            step += 1
        open_pairs += quiet <= longest
    return open_pairs
