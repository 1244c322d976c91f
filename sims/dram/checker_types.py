"""What the checker reads and reports: commands of a trace, violations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym.sims.dram.spec import COMMANDS

NEVER = -(10**12)
"""A cycle before every trace."""


@dataclass(frozen=True)
class Command:
    """One line of a command trace; `bank` counts within its bank group."""

    cycle: int
    channel: int
    pseudochannel: int
    rank: int
    bankgroup: int
    bank: int
    row: int
    column: int
    name: str
    request: int

    @classmethod
    def from_row(cls, row: NDArray[np.int64], names: Sequence[str] = COMMANDS) -> Command:
        """Read one row of the int64 trace; `names` of the command codes."""
        cycle, channel, pseudochannel, rank, bankgroup, bank, line, column, command, request = row.tolist()
        return cls(cycle, channel, pseudochannel, rank, bankgroup, bank, line, column, names[command], request)

    @property
    def is_write(self) -> bool:
        """Whether it moves data to the device."""
        return self.name in ("WR", "WRA")


@dataclass(frozen=True)
class Violation:
    """A broken rule: the command came at `cycle`, after `previous`, and was legal from `minimum` on."""

    rule: str
    cycle: int
    previous: int
    minimum: int
