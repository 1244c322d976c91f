"""What a bench plays: directed corners, idle crossed with back-pressure, reset in flight, a long random run."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from archgym.errors import InvalidInput
from archgym.rtl.bench.patterns import PATTERNS, pattern
from archgym.rtl.bench.words import pack
from archgym.rtl.block import Block, Parameters, Port, Streams

__all__ = ["EXHAUSTIVE_BITS", "FULL", "QUICK", "Effort", "Part", "make_parts", "plan_of"]

EXHAUSTIVE_BITS = 16  # a combinational top with at most so many input bits is tried on every vector (65,536)
_RESET_CYCLES = 2
_DRAIN = 32  # cycles watched after the last beat
_PATIENCE = 4096  # cycles without a beat on either side after which a top counts as stuck


@final
@dataclass(frozen=True)
class Effort:
    """How much one bench does."""

    name: str
    cross: int
    """Beats of each of the 16 combinations of idle and back-pressure."""
    long: int
    """Beats of the long random run."""
    resets: int
    """Resets in flight."""
    vectors: int
    """Random vectors of a combinational top."""
    exhaustive_bits: int
    """Input bits up to which a combinational top is tried on every vector."""


QUICK = Effort("quick", cross=12, long=200, resets=8, vectors=1000, exhaustive_bits=10)
FULL = Effort("full", cross=64, long=4000, resets=16, vectors=20_000, exhaustive_bits=EXHAUSTIVE_BITS)


@final
@dataclass(frozen=True)
class Part:
    """Beats to send after a reset, how, and what must come out."""

    name: str
    inputs: Streams
    expected: Streams
    idle: str = "always"
    pressure: str = "always"
    stop: int | None = None
    """Cycles after which the next part's reset cuts it off; None: play to the end."""
    reset: int = _RESET_CYCLES

    @property
    def beats(self) -> int:
        """Input beats."""
        return len(next(iter(self.inputs.values())))

    @property
    def results(self) -> int:
        """Output beats."""
        return len(next(iter(self.expected.values())))


def make_parts(block: Block, parameters: Parameters, rng: np.random.Generator, effort: Effort) -> list[Part]:
    """The parts of a bench, in the order they are played.

    Raises:
        InvalidInput: when the block's stimulus or golden model lacks a port or gives columns of unequal lengths.
    """
    if block.kind == "combinational":
        return [_part(block, parameters, "vectors", _vectors(block, parameters, rng, effort))]
    return list(_stream_parts(block, parameters, rng, effort))


def _stream_parts(block: Block, parameters: Parameters, rng: np.random.Generator, effort: Effort) -> Iterator[Part]:
    def draw(n: int) -> Streams:
        return block.stimulus(parameters, rng, n)

    if block.corners is not None:
        yield _part(block, parameters, "corners", block.corners(parameters))
    for idle, pressure in itertools.product(PATTERNS, PATTERNS):
        yield _part(block, parameters, "cross", draw(effort.cross), idle, pressure)
    for _ in range(effort.resets):
        idle, pressure = (str(name) for name in rng.choice(PATTERNS, 2))
        cut = int(rng.integers(1, 2 * effort.cross))
        # One cycle of reset must be enough: the contract says synchronous, and that all control state has it.
        yield _part(block, parameters, "cut off", draw(cut + 8), idle, pressure, stop=cut)
        yield _part(block, parameters, "after a reset in flight", draw(effort.cross), idle, pressure, reset=1)
    yield _part(block, parameters, "long", draw(effort.long), "random", "random")


def _part(
    block: Block,
    parameters: Parameters,
    name: str,
    inputs: Streams,
    idle: str = "always",
    pressure: str = "always",
    stop: int | None = None,
    reset: int = _RESET_CYCLES,
) -> Part:
    ports = block.ports(parameters)
    _check_columns(block, "stimulus", [port for port in ports if port.direction == "in"], inputs)
    expected = block.golden(parameters, inputs)
    _check_columns(block, "golden model", [port for port in ports if port.direction == "out"], expected)
    return Part(name, inputs, expected, idle, pressure, stop, reset)


def _vectors(block: Block, parameters: Parameters, rng: np.random.Generator, effort: Effort) -> Streams:
    """Every vector where there are few enough, else corners and random ones."""
    ports = [port for port in block.ports(parameters) if port.direction == "in"]
    bits = sum(port.bits for port in ports)
    if bits <= effort.exhaustive_bits:
        return _all_vectors(ports, bits)
    chosen = [block.stimulus(parameters, rng, effort.vectors)]
    if block.corners is not None:
        chosen.insert(0, block.corners(parameters))
    return {port.name: np.concatenate([each[port.name] for each in chosen]) for port in ports}


def _all_vectors(ports: list[Port], bits: int) -> Streams:
    numbers = np.arange(1 << bits, dtype=np.int64)
    columns: dict[str, NDArray[np.int64]] = {}
    shift = 0
    for port in ports:
        lanes = []
        for _ in range(port.lanes):
            lane = (numbers >> shift) & ((1 << port.width) - 1)
            lanes.append(lane - ((lane >> (port.width - 1)) << port.width) * port.signed)
            shift += port.width
        columns[port.name] = lanes[0] if port.lanes == 1 else np.stack(lanes, axis=1)
    return columns


def plan_of(block: Block, parameters: Parameters, parts: list[Part], rng: np.random.Generator) -> Mapping[str, Any]:
    """The parts as the player in the simulator reads them.

    Raises:
        InvalidInput: when a value of the stimulus does not fit its port.
    """
    ports = block.ports(parameters)
    inputs = [port for port in ports if port.direction == "in"]
    outputs = [port for port in ports if port.direction == "out"]
    return {
        "kind": block.kind,
        "inputs": [port.name for port in inputs],
        "outputs": [port.name for port in outputs],
        "patience": _PATIENCE,
        "parts": [
            {
                "expected": part.results,
                "beats": [[f"{word:x}" for word in pack(port, part.inputs[port.name])] for port in inputs],
                "in": pattern(part.idle, rng),
                "out": pattern(part.pressure, rng),
                "stop": part.stop,
                "reset": part.reset,
                "drain": _DRAIN,
            }
            for part in parts
        ],
    }


def _check_columns(block: Block, what: str, ports: list[Port], streams: Streams) -> None:
    names = {port.name for port in ports}
    if set(streams) != names:
        raise InvalidInput(f"block {block.name}: its {what} gives {sorted(streams)}; the ports are {sorted(names)}")
    lengths = {len(column) for column in streams.values()}
    if len(lengths) != 1:
        raise InvalidInput(
            f"block {block.name}: its {what} gives columns of {sorted(lengths)} beats; they must be equal"
        )
