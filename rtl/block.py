"""What a block of the library is: RTL, its parameters, its ports, a golden model and stimuli.

The benches, the flow and the environments know a block by this description alone. To add one: a `.sv` file, a golden
function and a `Block` in the `BLOCKS` of its family's `blocks.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from archgym.space import Parameter

__all__ = ["ROOT", "Block", "Draw", "Mutation", "Parameters", "Port", "Signals", "Stimulus", "Streams", "uniform"]

ROOT = Path(__file__).resolve().parent
"""The folder of the library; sources of blocks are named relative to it."""

Parameters: TypeAlias = Mapping[str, int]
"""Values of the SystemVerilog parameters of a top, by their names in the source."""

_WIDEST = 64  # bits of a value

Streams: TypeAlias = Mapping[str, NDArray[np.int64]]
"""Values by port: int64[n] for a port of one lane, int64[n, lanes] else; row i is beat (or vector) i.

Signed ports hold signed values, unsigned ports and floating-point words their bit patterns.
"""


Draw: TypeAlias = Callable[[np.random.Generator, tuple[int, ...], int], NDArray[np.int64]]
"""Operands of a shape and a width in bits."""

Stimulus: TypeAlias = Callable[..., Streams]


def uniform(rng: np.random.Generator, shape: tuple[int, ...], width: int) -> NDArray[np.int64]:
    """Signed integers of `width` bits, all equally likely."""
    return rng.integers(-(1 << (width - 1)), 1 << (width - 1), shape, dtype=np.int64)


@final
@dataclass(frozen=True)
class Port:
    """A data port: `lanes` values of `width` bits side by side in a flat vector, lane 0 in the lowest bits."""

    name: str
    direction: Literal["in", "out"]
    width: int
    lanes: int = 1
    signed: bool = False
    doc: str = ""

    @property
    def bits(self) -> int:
        """Bits of the whole port."""
        return self.width * self.lanes

    def numbers(self, values: NDArray[np.int64]) -> NDArray[Any]:
        """Values as arithmetic means them: uint64 where unsigned ones fill 64 bits, which int64 holds as patterns."""
        return values.astype(np.uint64) if self.width == _WIDEST and not self.signed else values


@final
@dataclass(frozen=True)
class Signals:
    """Names of the ports that are not data; an empty one is not there."""

    clock: str = "clk_i"
    reset: str = "rst_ni"
    active_low: bool = True
    """Whether the reset acts while it is 0."""
    in_valid: str = "in_valid_i"
    in_ready: str = "in_ready_o"
    out_valid: str = "out_valid_o"
    out_ready: str = "out_ready_i"


@final
@dataclass(frozen=True)
class Mutation:
    """A fault to plant: `old` (it occurs once in `source`) becomes `new`; the bench must notice."""

    source: str
    old: str
    new: str
    doc: str


@final
@dataclass(frozen=True)
class Block:
    """A parametrised piece of hardware and everything needed to test and measure it.

    Tops of kind "stream" have the ports `clk_i`, `rst_ni` (synchronous), `in_valid_i`, `in_ready_o`, `out_valid_o`,
    `out_ready_i` and the data ports; a beat moves on either side where valid and ready are both high at a rising edge.
    Tops of kind "combinational" have data ports only, and every output beat answers the input beat of the same row.
    Tops of kind "pipeline" take a row every cycle and give its answer `latency(parameters)` cycles later; inputs were
    0 before the first row.
    """

    name: str
    family: str
    top: str
    kind: Literal["stream", "combinational", "pipeline"]
    sources: tuple[str, ...]
    """Files in the order of compilation, relative to `rtl/` (or absolute)."""
    parameters: tuple[Parameter, ...]
    """Named as in the SystemVerilog; the choices are what the benches sample and the environments search."""
    ports: Callable[[Parameters], tuple[Port, ...]]
    golden: Callable[[Parameters, Streams], Streams]
    """Input beats to output beats, bit exact, vectorised over beats; there may be fewer output than input beats."""
    stimulus: Stimulus
    """`stimulus(parameters, rng, n, draw=uniform)`: about n legal random input beats (whole packets).

    `draw(rng, shape, width)` gives the operands (signed integers of `width` bits, or floating-point words), so that a
    workload's distribution replaces the uniform one; packets, flags and encodings stay the block's business.
    """
    corners: Callable[[Parameters], Streams] | None = None
    """Directed input beats: extreme operands on every lane."""
    macs: Callable[[Parameters, Streams], float] = field(default=lambda _parameters, _streams: 0.0)
    """Multiply-accumulates that these input beats ask for (one is two operations)."""
    reject: Callable[[Parameters], str] = field(default=lambda _parameters: "")
    """Why this combination is refused at elaboration, or nothing."""
    keep: tuple[str, ...] = ()
    """Modules that hierarchical synthesis maps once and instantiates often."""
    mutations: tuple[Mutation, ...] = ()
    icarus: bool = True
    """Whether Icarus Verilog 11 accepts it, too."""
    doc: str = ""
    source: str = ""
    """Paper and section, or repository, whose micro-architecture this is."""
    signals: Signals = Signals()
    """Blocks of the library keep the default."""
    latency: Callable[[Parameters], int] = field(default=lambda _parameters: 0)
    """Clock edges from a row of inputs to its outputs, of kind "pipeline"."""
    include: tuple[str, ...] = ()
    """Folders of include files, besides those of the sources."""
    fingerprint: str = ""
    """Of what decides its results and neither `sources` nor the functions' own files say."""

    def paths(self) -> tuple[Path, ...]:
        """The source files."""
        return tuple(ROOT / name for name in self.sources)
