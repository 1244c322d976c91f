"""What the arrays ask of the scratchpads, and what that costs: ports, banks, and designs that cannot be fed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from archgym.sims.npu import area, layout as L
from archgym.sims.npu.systolic import DATAFLOWS
from archgym.sims.npu.technology import PRECISIONS

Floats = NDArray[np.float64]
Columns: TypeAlias = Mapping[str, NDArray[Any]]
"""Decoded designs: {parameter: array[n]}."""


def shortages(columns: Columns) -> list[str]:
    """Per design, which scratchpad's half cannot hold one element of every row or column it serves; empty: none.

    Half a scratchpad feeds the arrays while the other is filled, so it must hold what they take in one cycle.
    """
    found = [""] * len(columns["rows"])
    for pad, needed in taken(columns).items():
        half = columns[f"{pad}_kib"] * 512
        for row in np.flatnonzero(needed > half).tolist():
            found[row] = found[row] or (
                f"half of the {pad} scratchpad holds {int(half[row])} B; the arrays take {int(needed[row])} B a cycle"
            )
    return found


def area_and_leakage(columns: Columns) -> tuple[Floats, Floats]:
    """Area in mm2 and leakage in mW of the three scratchpads, float64[n] each.

    Partial sums (ws, is) are read and written in the same cycle, which takes banks of one port twice.
    """
    area_mm2, leakage_mw = np.zeros(len(columns["rows"])), np.zeros(len(columns["rows"]))
    for pad, width in taken(columns).items():
        ports = np.where(columns["dataflow"] == "os", 1, 2) if pad == "ofmap" else 1
        each_mm2, each_mw = area.banked(columns[f"{pad}_kib"], width * ports)
        area_mm2, leakage_mw = area_mm2 + each_mm2, leakage_mw + each_mw
    return area_mm2, leakage_mw


def taken(columns: Columns) -> dict[str, Floats]:
    """Bytes the arrays take from, or give to, each scratchpad in a cycle: an element of every row or column."""
    side = {
        "ws": {"ifmap": "rows", "filter": "cols", "ofmap": "cols"},
        "os": {"ifmap": "rows", "filter": "cols", "ofmap": "cols"},
        "is": {"ifmap": "cols", "filter": "rows", "ofmap": "cols"},
    }
    element = decode(columns["precision"], {name: p.element_bytes for name, p in PRECISIONS.items()})
    flows = [columns["dataflow"] == flow for flow in DATAFLOWS]
    found = {}
    for pad in ("ifmap", "filter", "ofmap"):
        lanes = np.select(flows, [columns[side[flow][pad]] for flow in DATAFLOWS])
        width = np.maximum(element, L.SUM_BYTES) if pad == "ofmap" else element
        found[pad] = np.asarray(columns["arrays"] * lanes * width, dtype=np.float64)
    return found


def decode(names: NDArray[Any], values: Mapping[str, float]) -> Floats:
    """The number behind each name, float64[n]."""
    distinct, place = np.unique(names, return_inverse=True)
    return np.array([values[str(name)] for name in distinct], dtype=np.float64)[place.reshape(-1)]
