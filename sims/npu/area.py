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
    elements: ArrayLike,
    element_area_um2: ArrayLike,
    kib: ArrayLike,
    lanes: ArrayLike,
    peak_gbps: ArrayLike,
    sram_mm2: ArrayLike | None = None,
) -> dict[str, Floats]:
    """Area in mm2 by part, float64[n] each.

    Args:
        elements: elements of all arrays.
        element_area_um2: of one (`element_um2`).
        kib: KiB of all scratchpads.
        lanes: vector lanes.
        peak_gbps: peak bandwidth of all DRAM channels.
        sram_mm2: of all scratchpads with their ports (`banked`); by default `kib` of the densest macro.
    """
    lane = tech.LANE_UM2 + tech.REGISTER_BIT_UM2 * tech.LANE_REGISTER_BITS
    dense = _floats(kib) * (_BITS_PER_KIB * tech.SRAM_BIT_UM2 * _MM2_PER_UM2)
    return {
        "arrays": _floats(elements) * _floats(element_area_um2) * _MM2_PER_UM2,
        "sram": dense if sram_mm2 is None else _floats(sram_mm2),
        "vector": _floats(lanes) * (lane * _MM2_PER_UM2),
        "interface": _floats(peak_gbps) * tech.INTERFACE_MM2_PER_GBPS,
    }


def banked(kib: ArrayLike, bytes_per_cycle: ArrayLike) -> tuple[Floats, Floats]:
    """Area in mm2 and leakage in mW of a double-buffered scratchpad, float64[n] each.

    Args:
        kib: KiB of both halves.
        bytes_per_cycle: what each half must deliver or take; each bank does 8 bytes.
    """
    banks = 2.0 * np.ceil(_floats(bytes_per_cycle) * 8.0 / tech.SRAM_WORD_BITS)
    words = _floats(kib) * _BITS_PER_KIB / tech.SRAM_WORD_BITS / banks
    deepest = tech.SRAM_MACRO_WORDS[-1]
    area, leakage = (
        banks * np.maximum(1.0, words / deepest) * np.interp(words, tech.SRAM_MACRO_WORDS, macro)
        for macro in (tech.SRAM_MACRO_UM2, tech.SRAM_MACRO_LEAKAGE_MW)
    )
    return area * _MM2_PER_UM2, leakage


def leakage_mw(area_mm2: dict[str, Floats], kib: ArrayLike, sram_mw: ArrayLike | None = None) -> Floats:
    """Leakage of scratchpads, arrays and vector units, float64[n]; the interface's is in the DRAM's standby."""
    dense: Any = _floats(kib) * (_BITS_PER_KIB * tech.SRAM_BIT_LEAKAGE_MW)
    sram = dense if sram_mw is None else _floats(sram_mw)
    return np.asarray(sram + (area_mm2["arrays"] + area_mm2["vector"]) * tech.LOGIC_LEAKAGE_MW_PER_MM2)


def _floats(values: ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)
