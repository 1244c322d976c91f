"""Energy of decoder blocks by part, in pJ: counts of operations and bytes times what each costs.

The NPU's costs are those of `archgym.sims.npu` (45 nm, each with its source). DRAM and PIM commands cost what
`archgym.sims.pim.energy` says of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from archgym.sims.npu import area as npu_area, energy as npu_energy, technology
from archgym.sims.pim.device import PimDevice
from archgym.sims.pim.energy import energies_per_command, gemv_energy_pj, standby_mw
from archgym.sims.pim.gemv import Gemv

PARTS = ("mac", "vector", "sram", "dram", "pim", "background", "leakage", "gpu")
ELEMENT_BYTES = 2
MACRO_KIB = 1024
"""The scratchpad is made of macros of at most 1 MiB, the largest of Horowitz's table; wires between them are free."""


@dataclass(frozen=True)
class Counts:
    """What one device does in some time."""

    macs: float
    """Multiply-accumulates on the arrays."""
    streamed_bytes: float
    """Operand bytes that enter the arrays, and result bytes that leave them."""
    vector_operations: float
    read_bytes: float
    written_bytes: float


def npu_parts(counts: Counts, scratchpad_kib: int) -> dict[str, float]:
    """Arrays, vector units and scratchpad."""
    moved = counts.streamed_bytes + counts.read_bytes + counts.written_bytes
    return {
        "mac": counts.macs * npu_energy.mac_pj("fp16", "ws"),
        "vector": counts.vector_operations * technology.LANE_OPERATION_PJ,
        "sram": moved * float(npu_energy.sram_pj_per_byte(min(scratchpad_kib, MACRO_KIB))),
    }


def dram_pj(memory: PimDevice, counts: Counts) -> float:
    """Reads and writes of whole rows."""
    per, device = energies_per_command(memory), memory.device
    bursts = (counts.read_bytes * per["RD"] + counts.written_bytes * per["WR"]) / device.access_bytes
    rows = (counts.read_bytes + counts.written_bytes) / device.row_bytes
    return bursts + rows * per["ACT"]


def background_mw(memory: PimDevice) -> float:
    """Standby of all channels (of both row buffers where there are two), and refresh."""
    device = memory.device
    refresh = energies_per_command(memory)["REFAB"] / (device.timing["nREFI"] * device.tck_ps / 1000.0)
    return memory.channels * (standby_mw(memory) + refresh * memory.ranks * device.pseudochannels)


def pim_pj(memory: PimDevice, work: Gemv) -> float:
    """PIM commands of all requests of `work`."""
    return float(sum(pj.sum() for pj in gemv_energy_pj(memory, work).values()))


def npu_leakage_mw(area: dict[str, float], scratchpad_kib: int) -> float:
    """Leakage of arrays, vector units and scratchpad."""
    parts = {name: np.asarray(value) for name, value in area.items()}
    return float(npu_area.leakage_mw(parts, scratchpad_kib))
