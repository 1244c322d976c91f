"""Functional coverage: what the benches of a block have exercised, as bins hit or not, merged over runs.

A small table instead of cocotb-coverage (2.0): that needs Python 3.11, and samples item by item inside the simulator,
where whole columns in NumPy after it cost next to nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from archgym.rtl.bench.patterns import PATTERNS
from archgym.rtl.bench.plan import Part
from archgym.rtl.bench.words import bounds
from archgym.rtl.block import Block, Parameters, Port

__all__ = ["Coverage", "observe"]

_PACKETS = ("1", "2", "3 to 8", "9 and more")


@final
@dataclass
class Coverage:
    """Cover points: by name, bins and how often each was hit."""

    points: dict[str, dict[str, int]] = field(default_factory=dict)

    def declare(self, point: str, bins: Iterable[str]) -> None:
        """Name a point's bins, so that one never hit counts as missing."""
        own = self.points.setdefault(point, {})
        for each in bins:
            own.setdefault(each, 0)

    def hit(self, point: str, each: str, times: int = 1) -> None:
        """Count a bin."""
        own = self.points.setdefault(point, {})
        own[each] = own.get(each, 0) + times

    def merge(self, other: Coverage) -> None:
        """Add another run's counts."""
        for point, bins in other.points.items():
            for each, times in bins.items():
                self.hit(point, each, times)

    @property
    def bins(self) -> int:
        """Bins of all points."""
        return sum(len(bins) for bins in self.points.values())

    @property
    def covered(self) -> int:
        """Bins hit at least once."""
        return sum(times > 0 for bins in self.points.values() for times in bins.values())

    @property
    def percent(self) -> float:
        """Share of bins that were hit; 100 of nothing."""
        return 100.0 * self.covered / self.bins if self.bins else 100.0

    def rows(self) -> list[tuple[str, str, int]]:
        """(point, bin, hits) of every bin."""
        return [(point, each, times) for point, bins in self.points.items() for each, times in bins.items()]

    def missing(self) -> list[str]:
        """Bins never hit, as "point: bin"."""
        return [f"{point}: {each}" for point, bins in self.points.items() for each, times in bins.items() if not times]


def observe(block: Block, parameters: Parameters, parts: list[Part], record: list[dict[str, Any]]) -> Coverage:
    """What one bench has exercised."""
    found = Coverage()
    for knob in block.parameters:
        found.declare(f"parameter {knob.name}", (str(choice) for choice in knob.choices))
        if knob.name in parameters:
            found.hit(f"parameter {knob.name}", str(int(parameters[knob.name])))
    played = list(zip(parts, record))
    for port in block.ports(parameters):
        found.declare(f"values {port.name}", _value_bins(port))
        for part, _seen in played:
            _hit_values(found, port, (part.inputs if port.direction == "in" else part.expected)[port.name])
    if block.kind == "stream":
        _observe_stream(found, parameters, block, played)
    return found


def _observe_stream(
    found: Coverage, parameters: Parameters, block: Block, played: list[tuple[Part, dict[str, Any]]]
) -> None:
    found.declare("idle x back-pressure", (f"{idle} x {pressure}" for idle in PATTERNS for pressure in PATTERNS))
    found.declare("input", ("moves", "waits", "rests"))
    found.declare("output", ("moves", "waits", "rests"))
    found.declare("reset in flight", ("before the first result", "between results"))
    for part, seen in played:
        if part.name == "cross":
            found.hit("idle x back-pressure", f"{part.idle} x {part.pressure}")
        for pair, cycles in seen["seen"].items():
            before, after = pair.split()
            found.hit("input", before, cycles)
            found.hit("output", after, cycles)
        if part.stop is not None and seen["sent"]:
            came = len(seen["outputs"][0])
            if came < part.results:
                found.hit("reset in flight", "between results" if came else "before the first result")
    for port in block.ports(parameters):
        if port.name == "last_i":
            found.declare("beats of a packet", _PACKETS)
            for part, _seen in played:
                _hit_packets(found, part.inputs[port.name])


def _value_bins(port: Port) -> tuple[str, ...]:
    if port.width == 1:
        return ("0", "1")
    if not port.signed:
        return ("zero", "low half", "high half")
    # An accumulator's extremes may be out of reach of any short packet, an operand's never are.
    return ("zero", "negative", "positive", *(("smallest", "largest") if port.direction == "in" else ()))


def _hit_values(found: Coverage, port: Port, column: NDArray[np.int64]) -> None:
    (low, high), column = bounds(port), port.numbers(column)
    half = 1 << (port.width - 1)
    tests = {
        "0": column == 0, "1": column == 1, "zero": column == 0, "largest": column == high, "smallest": column == low,
        "negative": column < 0, "positive": column > 0,
        "low half": (column > 0) & (column < half), "high half": column >= half,
    }  # fmt: skip
    for name in _value_bins(port):
        found.hit(f"values {port.name}", name, int(np.count_nonzero(tests[name])))


def _hit_packets(found: Coverage, last: NDArray[np.int64]) -> None:
    lengths = np.diff(np.flatnonzero(last), prepend=-1)
    for name, test in zip(_PACKETS, (lengths == 1, lengths == 2, (lengths > 2) & (lengths < 9), lengths > 8)):
        found.hit("beats of a packet", name, int(np.count_nonzero(test)))
