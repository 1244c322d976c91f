"""Energy of decoder blocks by part, in pJ: counts of operations and bytes times what each costs.

The NPU's costs are those of `archgym.sims.npu` (45 nm, each with its source). DRAM commands cost what the data sheet's
currents give (`archgym.sims.dram.energy`), PIM commands what they are made of: a group activate opens four banks, a
COMP costs four read bursts (Newton, MICRO 2020), a GWRITE reads a row, a result read moves two bytes per bank
(casys-kaist/NeuPIMs f299af3, extern/NewtonSim/src/configuration.cc).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from archgym.sims.dram.energy import energies_per_event
from archgym.sims.npu import area as npu_area, energy as npu_energy, technology
from archgym.sims.pim.device import PimDevice
from archgym.sims.pim.gemv import Gemv

PARTS = ("mac", "vector", "sram", "dram", "pim", "background", "leakage", "gpu")
ELEMENT_BYTES = 2
MACRO_KIB = 1024
"""The scratchpad is made of macros of at most 1 MiB, the largest of Horowitz's table; wires between them are free."""
COMP_READS = 4
"""Read bursts that a COMP of all banks of a channel is worth (Newton, MICRO 2020, as NeuPIMs' program takes it)."""


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
    time_ns: float


def npu_parts(counts: Counts, scratchpad_kib: int, leakage_mw: float) -> dict[str, float]:
    """Arrays, vector units, scratchpad and leakage."""
    moved = counts.streamed_bytes + counts.read_bytes + counts.written_bytes
    return {
        "mac": counts.macs * npu_energy.mac_pj("fp16", "ws"),
        "vector": counts.vector_operations * technology.LANE_OPERATION_PJ,
        "sram": moved * float(npu_energy.sram_pj_per_byte(min(scratchpad_kib, MACRO_KIB))),
        "leakage": leakage_mw * counts.time_ns,
    }


def dram_parts(memory: PimDevice, counts: Counts) -> dict[str, float]:
    """Reads and writes of whole rows, refresh and standby of all channels."""
    event, device = energies_per_event(memory.device), memory.device
    bursts = (counts.read_bytes * event["rd"] + counts.written_bytes * event["wr"]) / device.access_bytes
    rows = (counts.read_bytes + counts.written_bytes) / device.row_bytes
    cycles = counts.time_ns * 1000.0 / device.tck_ps
    ranks = memory.channels * memory.ranks * device.pseudochannels
    standby = event["active"] * cycles + event["refab"] * cycles / device.timing["nREFI"]
    return {"dram": bursts + rows * event["act"], "background": standby * ranks}


def pim_pj(memory: PimDevice, work: Gemv) -> float:
    """PIM commands of all requests of `work`."""
    event, device = energies_per_event(memory.device), memory.device
    result_bytes = memory.banks * memory.element_bytes
    activates = memory.banks  # group activates open every bank once a tile
    return float(
        work.tiles.sum() * activates * event["act"]
        + work.comps.sum() * COMP_READS * event["rd"]
        + work.gwrites.sum() * (event["act"] + device.row_bytes / device.access_bytes * event["rd"])
        + work.readouts.sum() * result_bytes / device.access_bytes * event["rd"]
    )


def npu_leakage_mw(area: dict[str, float], scratchpad_kib: int) -> float:
    """Leakage of arrays, vector units and scratchpad."""
    parts = {name: np.asarray(value) for name, value in area.items()}
    return float(npu_area.leakage_mw(parts, scratchpad_kib))
