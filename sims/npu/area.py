"""Area of an NPU by part in mm2, and its leakage in mW; the totals are the sums."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym.sims.npu import technology as tech

Floats = NDArray[np.float64]

PARTS = ("arrays", "sram", "vector", "interface")
_MM2_PER_UM2 = 1e-6
_BITS_PER_KIB = 8 * 1024


def element_um2(precision: str) -> float:
    """One element of the array: multiply-accumulate, two operand registers and a sum."""
    numbers = tech.PRECISIONS[precision]
    return numbers.mac_um2 + tech.REGISTER_BIT_UM2 * (tech.SUM_BITS + 2 * 8 * numbers.element_bytes)


def parts(
    elements: ArrayLike, element_area_um2: ArrayLike, kib: ArrayLike, lanes: ArrayLike, peak_gbps: ArrayLike
) -> dict[str, Floats]:
    """Area in mm2 by part, float64[n] each.

    Args:
        elements: elements of all arrays.
        element_area_um2: of one (`element_um2`).
        kib: KiB of all scratchpads.
        lanes: vector lanes.
        peak_gbps: peak bandwidth of all DRAM channels.
    """
    lane = tech.LANE_UM2 + tech.REGISTER_BIT_UM2 * tech.LANE_REGISTER_BITS
    return {
        "arrays": _floats(elements) * _floats(element_area_um2) * _MM2_PER_UM2,
        "sram": _floats(kib) * (_BITS_PER_KIB * tech.SRAM_BIT_UM2 * _MM2_PER_UM2),
        "vector": _floats(lanes) * (lane * _MM2_PER_UM2),
        "interface": _floats(peak_gbps) * tech.INTERFACE_MM2_PER_GBPS,
    }


def leakage_mw(area_mm2: dict[str, Floats], kib: ArrayLike) -> Floats:
    """Leakage of scratchpads, arrays and vector units, float64[n]; the interface's is in the DRAM's standby."""
    sram: Any = _floats(kib) * (_BITS_PER_KIB * tech.SRAM_BIT_LEAKAGE_MW)
    return np.asarray(sram + (area_mm2["arrays"] + area_mm2["vector"]) * tech.LOGIC_LEAKAGE_MW_PER_MM2)


def _floats(values: ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)
