"""Compare what came out of a simulation with the golden model, whole streams at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.rtl.bench.plan import Part
from archgym.rtl.bench.words import unpack
from archgym.rtl.block import Block, Parameters, Port

__all__ = ["compare"]


def compare(block: Block, parameters: Parameters, part: Part, seen: dict[str, Any]) -> str:
    """What is wrong with a part's record, or nothing: broken rules first, then the first value that differs."""
    where = f"{part.name} (idle {part.idle}, back-pressure {part.pressure})"
    if block.kind == "combinational":
        where = part.name
    if seen["faults"]:
        return f"{where}: {seen['faults'][0]}"
    outputs = [port for port in block.ports(parameters) if port.direction == "out"]
    for port, column in zip(outputs, seen["outputs"]):
        wrong = _differs(port, column, part.expected[port.name], whole=part.stop is None)
        if wrong:
            return f"{where}: {wrong}"
    return ""


def _differs(port: Port, column: list[str], expected: NDArray[np.int64], *, whole: bool) -> str:
    got = unpack(port, [int(text, 2) for text in column]).reshape(-1, port.lanes)
    wanted = expected.reshape(-1, port.lanes)
    n = min(len(got), len(wanted))
    unequal = np.argwhere(got[:n] != wanted[:n])
    if len(unequal):
        beat, lane = (int(index) for index in unequal[0])
        place = f"beat {beat}" if port.lanes == 1 else f"beat {beat}, lane {lane}"
        rest = f" ({len(unequal)} values differ)" if len(unequal) > 1 else ""
        values = _show(port, got[beat, lane]), _show(port, wanted[beat, lane])
        return f"{port.name}, {place}: got {values[0]}, expected {values[1]}{rest}"
    # A part that was cut off may end before its last result, never after.
    if len(got) > len(wanted) or (whole and len(got) < len(wanted)):
        return f"{port.name}: {len(got)} beats came out, expected {len(wanted)}"
    return ""


def _show(port: Port, value: np.int64) -> str:
    return str(value) if port.signed or port.width == 1 else f"0x{value:x}"
