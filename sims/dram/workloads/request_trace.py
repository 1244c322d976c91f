"""What a memory controller is asked: one row a request, oldest first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym.errors import InvalidInput

LINE_BYTES = 64
"""A request moves one cache line; address bits below it do not matter to the simulator."""


@dataclass(frozen=True, eq=False)
class Trace:
    """n requests. Arrays are read-only, because traces are cached and shared.

    An address beyond the simulated capacity wraps round (modulo the capacity), in the engine's address mapping.
    A request whose turn comes before it has arrived waits for its `arrival`; one that finds the controller full waits
    outside, and later requests behind it: traces are open loop and do not know when earlier requests were answered.
    """

    name: str
    address: NDArray[np.uint64]
    """Byte address, uint64[n]."""
    write: NDArray[np.bool_]
    """True for a write, bool[n]."""
    arrival: NDArray[np.int64]
    """Earliest cycle the request may enter the controller, int64[n], never decreasing."""
    clock_ps: int = 0
    """Picoseconds per arrival cycle; 0: arrival counts memory-clock cycles of whichever device is simulated."""
    source: str = ""
    """Where the requests come from: a rule, a file, or the command they were captured from."""

    @classmethod
    def of(
        cls, name: str, address: ArrayLike, write: ArrayLike, arrival: ArrayLike, clock_ps: int = 0, source: str = ""
    ) -> Trace:
        """Build from anything array-like.

        Raises:
            InvalidInput: when it is empty, lengths differ, time goes backwards or the clock period is negative.
        """
        columns = (
            np.array(address, dtype=np.uint64),
            np.array(write, dtype=np.bool_),
            np.array(arrival, dtype=np.int64),
        )
        sizes = [len(column) for column in columns]
        if len(set(sizes)) != 1 or not sizes[0]:
            raise InvalidInput(f"trace {name!r}: got {sizes} addresses, writes, arrivals; all must be equal and > 0")
        if clock_ps < 0:
            raise InvalidInput(f"trace {name!r}: clock_ps must be >= 0 (0: the memory clock), got {clock_ps}")
        late = np.flatnonzero(np.diff(columns[2], prepend=0) < 0)
        if len(late):
            raise InvalidInput(f"trace {name!r}: request {late[0]} arrives at {columns[2][late[0]]}, before its turn")
        for column in columns:
            column.setflags(write=False)
        return cls(name, *columns, int(clock_ps), source)

    def __len__(self) -> int:
        """How many requests."""
        return len(self.address)

    @property
    def read_share(self) -> float:
        """Share of reads, 0 to 1."""
        return 1.0 - float(self.write.mean())

    @property
    def footprint_bytes(self) -> int:
        """Bytes of the distinct cache lines touched."""
        return LINE_BYTES * len(np.unique(self.address // np.uint64(LINE_BYTES)))

    @property
    def span_cycles(self) -> int:
        """Cycles from zero to the last arrival."""
        return int(self.arrival[-1])
