"""When a side of a stream is willing to move a beat: generators of idle cycles and of back-pressure.

The habit of the cocotb benches of verilog-axis (https://github.com/alexforencich/verilog-axis, tb/axis_fifo), whose
tests cross `idle_inserter` with `backpressure_inserter`.
"""

from __future__ import annotations

import numpy as np

from archgym.errors import UnknownName

__all__ = ["PATTERNS", "pattern"]

PATTERNS = ("always", "random", "bursts", "single")
"""Every cycle; half of the cycles at random; runs of 1 to 8 cycles with pauses of 1 to 8; one cycle, 1 to 4 pauses."""

_LENGTH = 1021  # cycles before a pattern repeats: prime, so that it does not repeat in step with packets
_RUN = 8
_PAUSE = 4


def pattern(name: str, rng: np.random.Generator) -> str:
    """A pattern as characters "1" (willing) and "0", to be repeated; the first is "1".

    Raises:
        UnknownName: suggests the nearest.
    """
    if name not in PATTERNS:
        raise UnknownName("pattern", name, PATTERNS)
    if name == "always":
        return "1"
    if name == "random":
        return "1" + "".join("01"[bit] for bit in rng.integers(0, 2, _LENGTH - 1))
    runs = rng.integers(1, _RUN + 1, (_LENGTH, 2))
    if name == "single":
        runs[:, 0] = 1
        runs[:, 1] = rng.integers(1, _PAUSE + 1, _LENGTH)
    return "".join("1" * on + "0" * off for on, off in runs)[:_LENGTH]
