"""Energy of a run by part, in pJ, from the counts of the kernel; the total is their sum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.sims.npu import technology as tech

Floats = NDArray[np.float64]

PARTS = ("mac", "vector", "ifmap_sram", "filter_sram", "ofmap_sram", "dram", "static")


def mac_pj(precision: str, dataflow: str) -> float:
    """One multiply-accumulate with its registers; elements that do no work are taken to be gated.

    Clocked are the sum and the operands that move: one in weight and input stationary, both in output stationary.
    """
    numbers = tech.PRECISIONS[precision]
    moving = 2 if dataflow == "os" else 1
    return numbers.mac_pj + tech.REGISTER_BIT_PJ * (tech.SUM_BITS + moving * 8 * numbers.element_bytes)


def sram_pj_per_byte(kib: NDArray[Any] | float) -> Floats:
    """Reading or writing one byte of a scratchpad of this many KiB."""
    return np.asarray(tech.SRAM_PJ_PER_BYTE * np.sqrt(np.asarray(kib) / tech.SRAM_REFERENCE_KIB))


def parts(
    counts: Mapping[str, Floats],
    kib: Mapping[str, NDArray[Any]],
    mac: Floats,
    dram_pj_per_byte: Floats,
    background_mw: Floats,
    leakage_mw: Floats,
    latency_ns: Floats,
) -> dict[str, Floats]:
    """Energy in pJ by part, float64[n] each.

    Args:
        counts: columns of `layout.OUT_NAMES`.
        kib: sizes of the scratchpads "ifmap", "filter", "ofmap" in KiB.
        mac: pJ of a multiply-accumulate.
        dram_pj_per_byte: of a byte over the link.
        background_mw: of all DRAM channels, used or not.
        leakage_mw: of the chip.
        latency_ns: how long it takes.

    What comes from DRAM is written into a scratchpad, what goes there is read from one; vector units work on the ofmap
    scratchpad. mW x ns = pJ.
    """
    into = {
        "ifmap": counts["sram_ifmap_read"] + counts["dram_ifmap"],
        "filter": counts["sram_filter_read"] + counts["dram_filter"],
        "ofmap": counts["sram_ofmap_read"] + counts["sram_ofmap_write"] + counts["dram_ofmap_read"]
        + counts["dram_ofmap_write"] + counts["dram_vector_read"] + counts["dram_vector_write"],
    }  # fmt: skip
    moved = dram_bytes(counts)
    return {
        "mac": counts["macs"] * mac,
        "vector": counts["vector_ops"] * tech.LANE_OPERATION_PJ,
        **{f"{name}_sram": into[name] * sram_pj_per_byte(kib[name]) for name in into},
        "dram": moved * dram_pj_per_byte + background_mw * latency_ns,
        "static": leakage_mw * latency_ns,
    }


def dram_bytes(counts: Mapping[str, Floats]) -> Floats:
    """Bytes over the DRAM link, both ways."""
    total = counts["dram_ifmap"] + counts["dram_filter"] + counts["dram_ofmap_read"] + counts["dram_ofmap_write"]
    return np.asarray(total + counts["dram_vector_read"] + counts["dram_vector_write"])
