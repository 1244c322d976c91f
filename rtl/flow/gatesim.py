"""Gate-level simulation: 64 stimuli side by side in the bits of machine words, zero delay, cycle by cycle.

model = build_model(netlist, library)
run = run_stream(model, ports, [streams, ...], expected=[beats, ...])
run.outputs[0], run.activity.rate, run.cycles

All gates are evaluated once a cycle in topological order, so outputs are exact and every net switches at most once
between clock edges: glitches are not in the activity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from archgym.errors import InvalidInput
from archgym.rtl.block import Port, Streams
from archgym.rtl.flow import kernel_cycles
from archgym.rtl.flow.flat import Ints
from archgym.rtl.flow.gatesim_activity import Activity, activity_of
from archgym.rtl.flow.gatesim_model import Model, build_model
from archgym.rtl.flow.gatesim_words import pack_lanes, unpack, words_of

__all__ = [
    "HANDSHAKE",
    "LANES",
    "Activity",
    "Handshake",
    "Model",
    "Reset",
    "Run",
    "Snapshots",
    "build_model",
    "run_rows",
    "run_stream",
]

LANES = 64
_POWER_UP = 0  # seed of the states before reset
_STILL = 4096  # cycles without a beat that count as a hang; the longest latency of the library's blocks is far below


@final
@dataclass(frozen=True)
class Reset:
    """A reset port and how long it is active before the stimulus."""

    port: str = "rst_ni"
    """Empty: there is none, and the cycles pass with all inputs low."""
    active_low: bool = True
    cycles: int = 4


@final
@dataclass(frozen=True)
class Handshake:
    """Names of the valid and ready ports of a stream top."""

    in_valid: str = "in_valid_i"
    in_ready: str = "in_ready_o"
    out_valid: str = "out_valid_o"
    out_ready: str = "out_ready_i"


HANDSHAKE = Handshake()
RESET = Reset()


@final
@dataclass(frozen=True, eq=False)
class Snapshots:
    """Settled values of pairs of consecutive cycles, spread over a run: rows 2 k and 2 k + 1 are a pair."""

    values: NDArray[np.uint64]
    """uint64[2 pairs, words]"""
    live: NDArray[np.uint64]
    """uint64[2 pairs]: lanes whose transitions into that cycle count."""
    stride: int
    """Cycles from a pair to the next."""


@final
@dataclass(frozen=True, eq=False)
class Run:
    """What a simulation gave."""

    outputs: tuple[Streams, ...]
    """By lane: the beats (or rows) that came out, in order."""
    activity: Activity
    cycles: NDArray[np.int64]
    """int64[lanes]: clock cycles after reset until the last expected beat."""
    taken: NDArray[np.int64]
    """int64[lanes]: beats accepted."""
    given: NDArray[np.int64]
    """int64[lanes]: beats that came out, those beyond the expected included."""
    snapshots: Snapshots
    """As many pairs of cycles as were asked for and fitted in; see `glitches`."""
    hang: str
    """Which lanes did not give what was expected, in a sentence; empty if all did."""


def run_stream(
    model: Model,
    ports: Sequence[Port],
    lanes: Sequence[Streams],
    expected: Sequence[int],
    *,
    idle: float = 0.0,
    stall: float = 0.0,
    seed: int = 1,
    extra: int = 0,
    shots: int = 0,
    still: int = _STILL,
    reset: Reset | None = RESET,
    handshake: Handshake = HANDSHAKE,
) -> Run:
    """Simulate a top that takes and gives beats by valid and ready, each lane with its own beats.

    Args:
        model: the netlist.
        ports: its data ports.
        lanes: up to 64 stimuli.
        expected: output beats that each lane is to give; a lane that has given them no longer counts for activity.
        idle: probability that a cycle offers no input beat (steps of 1/256).
        stall: probability that a cycle takes no output beat.
        seed: of idle and stalled cycles.
        extra: cycles after the last lane is done, to see beats too many.
        shots: pairs of cycles to keep, for `glitches`.
        still: cycles without any beat after which the run counts as hanging.
        reset: applied first, not counted; None for tops without.
        handshake: names of the ports.

    Raises:
        UnknownName: a port that the netlist lacks.
        InvalidInput: streams that do not fit the ports, more than 64, or a probability outside of [0, 1).
    """
    for name, chance in (("idle", idle), ("stall", stall)):
        if not 0.0 <= chance < 1.0:
            raise InvalidInput(f"{name} is a probability from 0 to below 1, got {chance}")
    ins, outs = _split(ports)
    beats, lengths = pack_lanes(ins, lanes)
    wanted = np.zeros(LANES, dtype=np.int64)
    wanted[: len(expected)] = expected
    rows = int(wanted.max()) + extra
    found = np.zeros((LANES, max(rows, 1), words_of(outs)), dtype=np.uint64)
    signals = np.array(
        [
            *model.input(handshake.in_valid),
            *model.output(handshake.in_ready),
            *model.output(handshake.out_valid),
            *model.input(handshake.out_ready),
        ],
        dtype=np.int32,
    )
    values, scratch = _start(model, reset, signals[[0, 3]])
    toggles, ones = np.zeros(model.nets, dtype=np.int64), np.zeros(model.nets, dtype=np.int64)
    kept = _snapshots(model, shots, beats.shape[1])
    taken, given, cycles = (np.zeros(LANES, dtype=np.int64) for _ in range(3))
    kernel_cycles.run_stream(
        model.arrays, scratch, values, beats, lengths, _words(model, ins), found, wanted, _words(model, outs),
        signals, np.array([round(idle * 256), round(stall * 256)]), _state(seed), still, extra,
        toggles, ones, kept.values, kept.live, kept.stride, taken, given, cycles,
    )  # fmt: skip
    count = len(lanes)
    outputs = tuple(unpack(outs, found[lane, : min(int(given[lane]), rows)]) for lane in range(count))
    hang = _hang(given[:count], wanted[:count], taken[:count], lengths[:count], still)
    activity = activity_of(model, toggles, ones, float(cycles.sum()))
    return Run(outputs, activity, cycles[:count], taken[:count], given[:count], kept, hang)


def run_rows(
    model: Model,
    ports: Sequence[Port],
    lanes: Sequence[Streams],
    *,
    latency: int = 0,
    shots: int = 0,
    reset: Reset | None = None,
) -> Run:
    """Drive a row of inputs every cycle and collect the outputs `latency` cycles later: no handshake.

    Args:
        model: the netlist, combinational or a pipeline of fixed latency.
        ports: its data ports.
        lanes: up to 64 stimuli; see `cut` for dividing a long one.
        latency: clock edges from inputs to outputs; 0 for combinational tops.
        shots: pairs of cycles to keep, for `glitches`.
        reset: applied first, not counted.

    Raises:
        UnknownName: a port that the netlist lacks.
        InvalidInput: streams that do not fit the ports, or more than 64.
    """
    ins, outs = _split(ports)
    beats, lengths = pack_lanes(ins, lanes)
    found = np.zeros((LANES, beats.shape[1], words_of(outs)), dtype=np.uint64)
    values, scratch = _start(model, reset, np.zeros(0, dtype=np.int32))
    toggles, ones = np.zeros(model.nets, dtype=np.int64), np.zeros(model.nets, dtype=np.int64)
    kept = _snapshots(model, shots, beats.shape[1] + latency)
    counted = kernel_cycles.run_rows(
        model.arrays, scratch, values, beats, lengths, latency, _words(model, ins), found, _words(model, outs),
        toggles, ones, kept.values, kept.live, kept.stride,
    )  # fmt: skip
    own = lengths[: len(lanes)]
    outputs = tuple(unpack(outs, found[lane, :rows]) for lane, rows in enumerate(own))
    return Run(outputs, activity_of(model, toggles, ones, float(counted)), own + latency, own, own, kept, "")


def _snapshots(model: Model, pairs: int, cycles: int) -> Snapshots:
    """Room for pairs of cycles, spread over at least so many cycles."""
    stride = max(cycles // max(pairs, 1), 2)
    return Snapshots(np.zeros((2 * pairs, model.words), np.uint64), np.zeros(2 * pairs, np.uint64), stride)


def _split(ports: Sequence[Port]) -> tuple[list[Port], list[Port]]:
    return [port for port in ports if port.direction == "in"], [port for port in ports if port.direction == "out"]


def _words(model: Model, ports: Sequence[Port]) -> Ints:
    """Words of all bits of the ports, the first port first.

    Raises:
        InvalidInput: a port of the netlist with another number of bits.
    """
    found = [np.zeros(0, dtype=np.int32)]
    for port in ports:
        bits = model.input(port.name) if port.direction == "in" else model.output(port.name)
        if len(bits) != port.bits:
            raise InvalidInput(
                f"port {port.name} of {model.netlist.name} has {len(bits)} bits; {port.bits} are expected "
                f"({port.lanes} x {port.width})"
            )
        found.append(bits)
    return np.concatenate(found)


def _start(model: Model, reset: Reset | None, low: Ints) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Values after reset with `low` and all other inputs low, and room for tables.

    Flip-flops power up with random states, another in each lane, so that what relies on an unreset one shows.
    """
    scratch = np.zeros(model.scratch, dtype=np.uint64)
    values = np.random.default_rng(_POWER_UP).integers(0, 1 << 64, size=model.words, dtype=np.uint64)
    values[0], values[1] = 0, ~np.uint64(0)
    for words in (*model.inputs.values(), low):
        values[words] = 0
    if reset is not None:
        words = model.input(reset.port) if reset.port else low[:0]
        values[words] = np.uint64(0) if reset.active_low else ~np.uint64(0)
        kernel_cycles.reset_cycles(model.arrays, scratch, values, reset.cycles)
        values[words] = ~values[words]
    kernel_cycles.reset_cycles(model.arrays, scratch, values, 0)
    return values, scratch


def _state(seed: int) -> NDArray[np.uint64]:
    """uint64[1]: a start of the xorshift generator, never zero."""
    return np.random.default_rng(seed).integers(1, 1 << 63, size=1, dtype=np.uint64)


def _hang(
    given: NDArray[np.int64],
    wanted: NDArray[np.int64],
    taken: NDArray[np.int64],
    lengths: NDArray[np.int64],
    still: int,
) -> str:
    late = np.flatnonzero(given < wanted)
    if not len(late):
        return ""
    lane = int(late[0])
    return (
        f"no beat moved for {still} cycles: {len(late)} of {len(given)} lanes hang, lane {lane} gave {given[lane]} of "
        f"{wanted[lane]} expected output beats and took {taken[lane]} of {lengths[lane]} input beats"
    )
