"""Compiled simulation of clock cycles: 64 lanes, each with its own beats and its own place in them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from archgym.rtl.flow.kernel_gates import count, evaluate
from archgym.rtl.flow.kernel_lanes import drive, sample, sprinkle
from archgym.sims.jit import entry, lean

Words = NDArray[np.uint64]
Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Arrays = tuple[Ints, Ints, Ints, Ints, Ints, Ints, Ints, Ints, Words]

_LANES = 64
_NONE = np.uint64(0)
_ONE = np.uint64(1)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


@lean
def settle(model: Arrays, scratch: Words, values: Words) -> None:
    """Evaluate all gates, again while asynchronous clears and presets change states."""
    segments, _rising, _falling, forced, moves, edges, functions, pins, tables = model
    evaluate(segments, functions, pins, tables, scratch, values, values)
    changed = edges[3] > edges[2]
    while changed:
        evaluate(forced, functions, pins, tables, scratch, values, values)
        changed = False
        for move in range(edges[2], edges[3]):
            changed |= values[moves[move, 0]] != values[moves[move, 1]]
            values[moves[move, 1]] = values[moves[move, 0]]
        if changed:
            evaluate(segments, functions, pins, tables, scratch, values, values)


@lean
def clock(model: Arrays, scratch: Words, values: Words) -> None:
    """A falling edge, where there are flip-flops for it, then a rising edge; the caller settles what follows."""
    _settle, rising, falling, _forced, moves, edges, functions, pins, tables = model
    if edges[2] > edges[1]:
        evaluate(falling, functions, pins, tables, scratch, values, values)
        for move in range(edges[1], edges[2]):
            values[moves[move, 1]] = values[moves[move, 0]]
        settle(model, scratch, values)
    evaluate(rising, functions, pins, tables, scratch, values, values)
    for move in range(edges[1]):
        values[moves[move, 1]] = values[moves[move, 0]]


@entry
def reset_cycles(model: Arrays, scratch: Words, values: Words, cycles: int) -> None:
    """Clock with the inputs as they are, and leave everything settled."""
    for _ in range(cycles):
        settle(model, scratch, values)
        clock(model, scratch, values)
    settle(model, scratch, values)


@lean
def keep(shots: Words, lives: Words, stride: int, cycle: int, live: np.uint64, values: Words) -> None:
    """Store the values of cycles 0, s, 2 s, ... and of the cycle after each, as pairs of rows of `shots`."""
    row = 2 * (cycle // stride) + cycle % stride
    if cycle % stride < 2 and row < shots.shape[0]:
        for word in range(values.shape[0]):
            shots[row, word] = values[word]
        lives[row] = live


@entry
def run_rows(
    model: Arrays, scratch: Words, values: Words, beats: Words, lengths: Longs, latency: int, in_pins: Ints,
    outs: Words, out_pins: Ints, toggles: Longs, ones: Longs, shots: Words, lives: Words, stride: int,
) -> int:  # fmt: skip
    """Drive a row of inputs every cycle, and store the outputs `latency` clock edges later.

    Args:
        model: arrays of `Model`.
        scratch: room for the largest table.
        values: uint64[words], as reset left them.
        beats: uint64[64, rows, input words].
        lengths: int64[64], rows of each lane.
        latency: 0 for combinational circuits.
        in_pins: int32[input bits], words of the inputs.
        outs: uint64[64, rows, output words], filled here.
        out_pins: int32[output bits].
        toggles: int64[nets], added to; the first row counts no transition.
        ones: int64[nets], added to, in the cycles whose transitions count.
        shots: uint64[2 n, words], filled as `keep` says.
        lives: uint64[2 n], lanes whose transitions into that cycle count.
        stride: cycles from a pair to the next, at least 2.

    Returns:
        Cycles that were counted, over all lanes.
    """
    block, previous = np.zeros(_LANES, np.uint64), np.zeros(toggles.shape[0], np.uint64)
    at, back = np.zeros(_LANES, np.int64), np.zeros(_LANES, np.int64)
    counted = 0
    for cycle in range(beats.shape[1] + latency):
        emit, live = _NONE, _NONE
        for lane in range(_LANES):
            at[lane] = max(min(cycle, lengths[lane] - 1), 0)
            back[lane] = cycle - latency
            if 0 <= back[lane] < lengths[lane]:
                emit |= _ONE << np.uint64(lane)
            if 0 < cycle < lengths[lane] + latency:
                live |= _ONE << np.uint64(lane)
                counted += 1
        drive(beats, at, block, in_pins, values)
        settle(model, scratch, values)
        count(values, previous, live, toggles, ones)
        keep(shots, lives, stride, cycle, live, values)
        sample(outs, back, emit, block, out_pins, values)
        clock(model, scratch, values)
    return counted


@entry
def run_stream(
    model: Arrays, scratch: Words, values: Words, beats: Words, lengths: Longs, in_pins: Ints, outs: Words,
    expected: Longs, out_pins: Ints, handshake: Ints, chances: Longs, seed: Words, limit: int, extra: int,
    toggles: Longs, ones: Longs, shots: Words, lives: Words, stride: int, taken: Longs, given: Longs, cycles: Longs,
) -> None:  # fmt: skip
    """Drive a valid/ready stream in every lane until each has given its expected beats.

    Args:
        model: arrays of `Model`.
        scratch: room for the largest table.
        values: uint64[words], as reset left them.
        beats: uint64[64, beats, input words].
        lengths: int64[64], beats of each lane.
        in_pins: int32[input bits], words of the data inputs.
        outs: uint64[64, rows, output words], filled here.
        expected: int64[64], beats that each lane is to give.
        out_pins: int32[output bits].
        handshake: int32[4], words of in_valid, in_ready, out_valid, out_ready.
        chances: int64[2], idle input cycles and stalled output cycles, of 256.
        seed: uint64[1], state of the random generator, not zero.
        limit: clock cycles in a row in which no lane that is not done may move a beat, before all is given up.
        extra: cycles after the last lane is done, which show beats too many.
        toggles: int64[nets], added to while a lane is not done.
        ones: int64[nets], as `toggles`.
        shots: uint64[2 n, words], filled as `keep` says.
        lives: uint64[2 n], lanes whose transitions into that cycle count.
        stride: cycles from a pair to the next, at least 2.
        taken: int64[64], beats accepted, added to.
        given: int64[64], beats given, added to.
        cycles: int64[64], cycles until a lane was done, added to.
    """
    block, previous = np.zeros(_LANES, np.uint64), values[: toggles.shape[0]].copy()
    at, held, after, still, cycle = np.zeros(_LANES, np.int64), _NONE, extra, 0, 0
    while still < limit:
        left, live = _NONE, _NONE
        for lane in range(_LANES):
            left |= np.uint64(taken[lane] < lengths[lane]) << np.uint64(lane)
            live |= np.uint64(given[lane] < expected[lane]) << np.uint64(lane)
            cycles[lane] += given[lane] < expected[lane]
        after = extra if live else after - 1
        if after < 0:
            break
        valid = left & (held | ~sprinkle(seed, chances[0])) if chances[0] else left
        ready = ~sprinkle(seed, chances[1]) if chances[1] else _ALL
        for lane in range(_LANES):  # the data lines keep the last beat until the next is valid
            if valid >> np.uint64(lane) & _ONE:
                at[lane] = taken[lane]
        drive(beats, at, block, in_pins, values)
        values[handshake[0]], values[handshake[3]] = valid, ready
        settle(model, scratch, values)
        count(values, previous, live, toggles, ones)
        keep(shots, lives, stride, cycle, live, values)
        cycle += 1
        accept, emit = valid & values[handshake[1]], values[handshake[2]] & ready
        held = valid & ~accept
        still = 0 if (accept | emit) & live else still + 1
        if emit:
            sample(outs, given, emit, block, out_pins, values)
        for lane in range(_LANES):
            taken[lane] += np.int64(accept >> np.uint64(lane) & _ONE)
            given[lane] += np.int64(emit >> np.uint64(lane) & _ONE)
        clock(model, scratch, values)
