"""Synthetic workloads. `"mix:n=20000,read=0.7,hit=0.6,gap=10,seed=1"` names one; fields left out keep their defaults.

Every generator is deterministic in its fields, on every machine. All traffic is open loop: arrivals are fixed in
advance and do not wait for answers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from archgym.sims.dram.workloads import recipe
from archgym.sims.dram.workloads.prng import permutation, uniforms
from archgym.sims.dram.workloads.request_trace import LINE_BYTES, Trace

_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def _bytes(value: object) -> object:
    """Read `4G` as 4 GiB; anything else is left to the validation proper."""
    text = str(value).upper().removesuffix("IB")
    return int(text[:-1]) * _UNITS[text[-1]] if text[:-1].isdecimal() and text[-1] in _UNITS else value


# 2^30 lines = 64 GiB: more than any channel modelled, and within the 32 bits a draw has.
Capacity = Annotated[int, BeforeValidator(_bytes), Field(ge=2 * LINE_BYTES, le=1 << 36, multiple_of=LINE_BYTES)]
# A shuffled order of lines is held in memory: 2^24 of them at most.
Footprint = Annotated[int, BeforeValidator(_bytes), Field(ge=2 * LINE_BYTES, le=1 << 30, multiple_of=LINE_BYTES)]


class Generator(BaseModel, ABC):
    """Fields every generator has; subclasses are final."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    version: ClassVar[str] = "1"
    """Changes when the same fields give another trace."""

    n: int = Field(default=10_000, ge=1, le=10_000_000, description="number of requests")
    read: float = Field(default=1.0, ge=0, le=1, description="probability that a request is a read")
    gap: float = Field(default=1.0, ge=0, le=1e6, description="mean cycles between arrivals; 0: all at cycle 0")
    pace: Literal["fixed", "exponential"] = Field(
        default="fixed", description="equal or exponentially distributed gaps"
    )
    clock_ps: int = Field(
        default=1250, ge=0, le=1_000_000, description="picoseconds per cycle; 0: the memory's own clock"
    )
    seed: int = Field(default=0, ge=0, le=2**63 - 1, description="of Python's Mersenne Twister")

    @abstractmethod
    def make(self, name: str) -> Trace:
        """Draw the trace."""

    def _trace(self, name: str, line: NDArray[np.int64], write: NDArray[np.bool_], arrival: NDArray[np.int64]) -> Trace:
        address = line.astype(np.uint64) * np.uint64(LINE_BYTES)
        return Trace.of(name, address, write, arrival, self.clock_ps, self.label)

    @property
    def label(self) -> str:
        """Every field, so that it says all there is to say of the trace."""
        return f"{type(self).__name__}({self})"

    def _recipe(self, name: str, kind: int, capacity: int, streams: int = 8, hit: float = 0.0) -> Trace:
        paced = self.pace == "exponential"
        rows = recipe.draw(
            kind, self.n, capacity // LINE_BYTES,
            seed=self.seed, read=self.read, gap=self.gap, paced=paced, streams=streams, hit=hit,
        )  # fmt: skip
        return self._trace(name, *rows)

    def _from_array(self, name: str, line: NDArray[np.int64], draws: NDArray[np.float64]) -> Trace:
        """Reads, writes and arrivals of given lines from 2n uniform draws."""
        write = draws[: self.n] >= self.read
        gaps = np.full(self.n, self.gap) if self.pace == "fixed" else -np.log(1 - draws[self.n :]) * self.gap
        arrival = np.concatenate([[0.0], np.cumsum(gaps[:-1])]).astype(np.int64)
        return self._trace(name, line, write, arrival)


class Stream(Generator):
    """Consecutive lines from address 0."""

    capacity: Capacity = Field(
        default=1 << 30, description="bytes after which the stream wraps; 1G, 64M are understood"
    )

    def make(self, name: str) -> Trace:
        """Draw the trace."""
        return self._recipe(name, recipe.STREAM, self.capacity)


class RandomAccess(Generator):
    """Lines drawn uniformly and independently."""

    capacity: Capacity = Field(default=1 << 30, description="bytes the addresses are drawn from")

    def make(self, name: str) -> Trace:
        """Draw the trace."""
        return self._recipe(name, recipe.RANDOM, self.capacity)


class Mix(Generator):
    """Several streams: each request goes on in one of them (with probability `hit`) or moves it somewhere random."""

    read: float = Field(default=0.7, ge=0, le=1, description="probability that a request is a read")
    gap: float = Field(default=10.0, ge=0, le=1e6, description="mean cycles between arrivals; 0: all at cycle 0")
    pace: Literal["fixed", "exponential"] = Field(default="exponential", description="equal or exponential gaps")
    clock_ps: int = Field(default=0, ge=0, le=1_000_000, description="picoseconds per cycle; 0: the memory's own clock")
    hit: float = Field(default=0.6, ge=0, le=1, description="probability that a stream goes on to its next line")
    streams: int = Field(default=8, ge=1, le=1024, description="number of streams")
    capacity: Capacity = Field(default=4 << 30, description="bytes the streams live in")

    def make(self, name: str) -> Trace:
        """Draw the trace."""
        return self._recipe(name, recipe.MIX, self.capacity, self.streams, self.hit)


class Strided(Generator):
    """Every `stride` bytes, round and round `footprint`, one line further each time, as a walk down the columns."""

    stride: Annotated[int, BeforeValidator(_bytes)] = Field(
        default=4096, ge=LINE_BYTES, le=1 << 30, multiple_of=LINE_BYTES, description="bytes between requests"
    )
    footprint: Capacity = Field(default=64 << 20, description="bytes walked over, a multiple of the line size")

    def make(self, name: str) -> Trace:
        """Compute the trace."""
        lines, stride = self.footprint // LINE_BYTES, self.stride // LINE_BYTES
        place = np.arange(self.n, dtype=np.int64)
        per_round = -(-lines // stride)
        line = (place % per_round * stride + place // per_round) % lines
        return self._from_array(name, line, uniforms(self.seed, 2 * self.n))


class Chase(Generator):
    """Walks of linked lists whose nodes, one a line, lie in random order; the lists take turns.

    A hop needs the answer to the hop before. An open-loop trace cannot wait for it, so each list makes its next hop
    `gap` cycles after its last: choose the latency the program would see. The default, 60 cycles of 1.25 ns = 75 ns, is
    in the range of measured idle load-to-use latencies of servers with DDR3 and DDR4.
    """

    gap: float = Field(default=60.0, ge=0, le=1e6, description="cycles from one hop of a list to its next")
    footprint: Footprint = Field(default=64 << 20, description="bytes of all nodes")
    chains: int = Field(default=1, ge=1, le=1024, description="lists walked side by side")

    def make(self, name: str) -> Trace:
        """Draw the trace."""
        lines, hop = self.footprint // LINE_BYTES, np.arange(self.n, dtype=np.int64)
        draws = uniforms(self.seed, lines + 2 * self.n)
        # The order of a random permutation is one random cycle through all nodes; list c begins c/chains of it along.
        order = permutation(draws[:lines])
        line = order[(hop % self.chains * (lines // self.chains) + hop // self.chains) % lines].astype(np.int64)
        trace = self._from_array(name, line, draws[lines:])
        arrival = trace.arrival[hop // self.chains]
        return Trace.of(name, trace.address, trace.write, arrival, self.clock_ps, trace.source)


class Zipf(Generator):
    """Lines drawn by Zipf's law: the k-th most popular with probability proportional to 1/k^exponent."""

    read: float = Field(default=0.95, ge=0, le=1, description="probability that a request is a read")
    gap: float = Field(default=10.0, ge=0, le=1e6, description="mean cycles between arrivals; 0: all at cycle 0")
    pace: Literal["fixed", "exponential"] = Field(default="exponential", description="equal or exponential gaps")
    # 0.99 and 95 % reads: YCSB's zipfian constant and its workload B (Cooper et al., SoCC 2010).
    exponent: float = Field(default=0.99, ge=0, le=10, description="skew; 0 is uniform")
    footprint: Footprint = Field(
        default=64 << 20, description="bytes of all lines; popularity does not follow the address"
    )

    def make(self, name: str) -> Trace:
        """Draw the trace."""
        lines = self.footprint // LINE_BYTES
        draws = uniforms(self.seed, lines + 3 * self.n)
        popularity = np.cumsum(np.arange(1, lines + 1, dtype=np.float64) ** -self.exponent)
        rank = np.searchsorted(popularity, draws[lines : lines + self.n] * popularity[-1], side="right")
        line = permutation(draws[:lines])[np.minimum(rank, lines - 1)].astype(np.int64)
        return self._from_array(name, line, draws[lines + self.n :])


GENERATORS: dict[str, type[Generator]] = {
    "stream": Stream, "random": RandomAccess, "strided": Strided, "chase": Chase, "zipf": Zipf, "mix": Mix,
}  # fmt: skip
"""Generators by the name a specification begins with."""
