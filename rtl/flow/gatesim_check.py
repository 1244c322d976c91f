"""Mapped netlists against golden models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from archgym.errors import InvalidInput
from archgym.rtl.block import Block, Parameters, Port, Streams
from archgym.rtl.flow.gatesim import LANES, Handshake, Reset, Run, build_model, run_rows, run_stream
from archgym.rtl.flow.gatesim_words import rows_of

if TYPE_CHECKING:
    from archgym.rtl.flow.flat import Netlist
    from archgym.rtl.flow.gatesim_model import Model
    from archgym.rtl.tech.liberty import Library

__all__ = ["Mismatch", "check", "cut", "difference", "exhaustive", "simulate", "stimuli"]

_EXTRA = 32  # cycles after the last expected beat in which another one would be noticed
_MOST_BITS = 24  # 16 M vectors take seconds
_CHUNK_BITS = 18
_FLUSH = 64  # cycles of zeros before the rows of a pipeline: delay lines without a reset are empty then


@final
@dataclass(frozen=True)
class Mismatch:
    """The first output of a simulation that is not what the golden model says."""

    port: str
    """Empty if no value is wrong but beats are missing or too many."""
    beat: int
    lane: int
    """Which stimulus."""
    expected: str
    got: str

    def __str__(self) -> str:
        where = f"port {self.port}, beat {self.beat}" if self.port else f"from beat {self.beat}"
        return f"stimulus {self.lane}, {where}: expected {self.expected}, got {self.got}"


def stimuli(block: Block, parameters: Parameters, *, beats: int, seed: int = 0, lanes: int = LANES) -> list[Streams]:
    """Independent stimuli of a block, one a lane; the first also begins with the block's corners, if it has any.

    Args:
        block: whose stimulus.
        parameters: of the block.
        beats: about how many a lane.
        seed: of the random generators.
        lanes: how many.
    """
    found: list[Streams] = [
        block.stimulus(parameters, np.random.default_rng([seed, lane]), beats) for lane in range(lanes)
    ]
    if block.corners is not None:
        corners = block.corners(parameters)
        found[0] = {name: np.concatenate([corners[name], values]) for name, values in found[0].items()}
    return found


def simulate(
    model: Model,
    block: Block,
    parameters: Parameters,
    lanes: Sequence[Streams],
    *,
    idle: float = 0.0,
    stall: float = 0.0,
    extra: int = 0,
    shots: int = 0,
) -> tuple[Run, list[Streams]]:
    """Simulate a block with one stimulus a lane.

    Args:
        model: the block's netlist.
        block: which.
        parameters: of the block.
        lanes: up to 64 stimuli.
        idle: see `run_stream`.
        stall: see `run_stream`.
        extra: see `run_stream`.
        shots: see `run_stream`.

    Returns:
        The run, and what the golden model says of each lane.
    """
    ports = block.ports(parameters)
    golden = [block.golden(parameters, streams) for streams in lanes]
    if block.kind == "combinational":
        return run_rows(model, ports, lanes, shots=shots), golden
    signals = block.signals
    if block.kind == "pipeline":
        reset = Reset(signals.reset, signals.active_low, _FLUSH)
        return run_rows(model, ports, lanes, latency=block.latency(parameters), shots=shots, reset=reset), golden
    reset = Reset(signals.reset, signals.active_low)
    handshake = Handshake(signals.in_valid, signals.in_ready, signals.out_valid, signals.out_ready)
    outs = [port for port in ports if port.direction == "out"]
    expected = [rows_of(outs, streams) for streams in golden]
    run = run_stream(
        model, ports, lanes, expected, idle=idle, stall=stall, extra=extra, shots=shots, reset=reset,
        handshake=handshake,
    )  # fmt: skip
    return run, golden


def check(
    block: Block,
    parameters: Parameters,
    netlist: Netlist,
    library: Library,
    lanes: Sequence[Streams] | None = None,
    *,
    beats: int = 64,
    seed: int = 0,
    patterns: Sequence[tuple[float, float]] = ((0.0, 0.0), (0.3, 0.4)),
) -> Mismatch | None:
    """Compare every output beat of a netlist with the golden model.

    Args:
        block: what the netlist should do.
        parameters: of the block.
        netlist: the mapped netlist.
        library: its cells.
        lanes: up to 64 stimuli; by default the block's own, 64 of them and its corners.
        beats: about how many input beats a lane, for the block's own.
        seed: of the random generators.
        patterns: probabilities of idle input and of stalled output cycles, a run each (stream tops only).

    Returns:
        The first mismatch, or None.
    """
    model = build_model(netlist, library, block.signals.clock)
    given = stimuli(block, parameters, beats=beats, seed=seed) if lanes is None else list(lanes)
    for idle, stall in patterns if block.kind == "stream" else patterns[:1]:
        run, golden = simulate(model, block, parameters, given, idle=idle, stall=stall, extra=_EXTRA)
        found = difference(block.ports(parameters), golden, run)
        if found is not None:
            return found
    return None


def difference(ports: Sequence[Port], golden: Sequence[Streams], run: Run) -> Mismatch | None:
    """The first output beat of a run that differs from the golden model, or None."""
    outs = [port for port in ports if port.direction == "out"]
    for lane, expected in enumerate(golden):
        wanted, given = rows_of(outs, expected), int(run.given[lane])
        rows = min(wanted, given)
        wrong = [
            (int(bad[0]), place)
            for place, port in enumerate(outs)
            if len(bad := _different(expected[port.name][:rows], run.outputs[lane][port.name][:rows]))
        ]
        if wrong:
            beat, place = min(wrong)
            port = outs[place]
            values = expected[port.name][beat], run.outputs[lane][port.name][beat]
            return Mismatch(port.name, beat, lane, *(str(port.numbers(np.asarray(each)).tolist()) for each in values))
        if given != wanted:
            got = f"{given} beats" + (f": {run.hang}" if run.hang else "")
            return Mismatch("", rows, lane, f"{wanted} beats", got)
    return None


def _different(expected: NDArray[np.int64], got: NDArray[np.int64]) -> NDArray[np.intp]:
    """Rows that differ; of one lane, both int64[n] and int64[n, 1] will do."""
    if not len(got):
        return np.zeros(0, np.intp)
    return np.flatnonzero((expected.reshape(len(got), -1) != got.reshape(len(got), -1)).any(axis=1))


def cut(streams: Streams, pieces: int = LANES) -> list[Streams]:
    """Divide rows without packets into pieces of consecutive rows, for `run_rows`."""
    rows = len(next(iter(streams.values())))
    ends = np.linspace(0, rows, min(pieces, max(rows, 1)) + 1).astype(np.int64)
    return [{name: values[a:b] for name, values in streams.items()} for a, b in pairwise(ends)]


def exhaustive(model: Model, ports: Sequence[Port]) -> Iterator[tuple[Streams, Streams]]:
    """All input vectors of a combinational netlist with its outputs, in chunks.

    Raises:
        InvalidInput: more than 24 input bits.
    """
    ins = [port for port in ports if port.direction == "in"]
    bits = sum(port.bits for port in ins)
    if bits > _MOST_BITS:
        raise InvalidInput(f"{bits} input bits are too many for all vectors; at most {_MOST_BITS}, or sample them")
    for start in range(0, 1 << bits, 1 << _CHUNK_BITS):
        rows = np.arange(start, min(start + (1 << _CHUNK_BITS), 1 << bits), dtype=np.int64)
        streams = _counting(ins, rows)
        run = run_rows(model, ports, cut(streams))
        names = run.outputs[0]
        yield streams, {name: np.concatenate([each[name] for each in run.outputs]) for name in names}


def _counting(ports: Sequence[Port], rows: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    """The bits of the row numbers, dealt to the ports."""
    found, place = {}, 0
    for port in ports:
        parts = rows[:, None] >> (place + port.width * np.arange(port.lanes)) & ((1 << port.width) - 1)
        if port.signed:
            parts -= (parts >> (port.width - 1)) << port.width
        found[port.name] = parts[:, 0] if port.lanes == 1 else parts
        place += port.bits
    return found
