"""How much a point may cost before it is given up, and how its end is reported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from archgym.errors import InvalidInput

__all__ = ["RAISE", "Limits"]

RAISE = "raise the limit"
"""How every message ends that says a limit was met: options, files and Python name limits differently."""


@final
@dataclass(frozen=True)
class Limits:
    """Bounds on one job of a worker: what goes beyond is stopped and reported, the next job is not affected."""

    seconds: float = 600.0
    """Wall time of one job."""
    memory_mib: int = 4096
    """Address space of the worker and of each program it starts (not enforced where the kernel ignores it: macOS)."""
    cells: int = 4_000_000
    """Standard cells after mapping, hierarchy expanded."""

    def __post_init__(self) -> None:
        for name in ("seconds", "memory_mib", "cells"):
            value = getattr(self, name)
            if not value > 0:
                raise InvalidInput(f"limit {name} = {value!r}; it must be above 0")
