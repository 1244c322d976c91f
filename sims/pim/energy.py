"""Energy of PIM commands in pJ, on top of the DRAM model: NeuPIMs' rules, from the currents of the device.

casys-kaist/NeuPIMs extern/NewtonSim/src/configuration.cc: GWRITE reads a page; G_ACT is an activate per bank; a COMP of
all banks costs four reads (Newton's estimate: 1 KB leaves the arrays, none of it the die); READRES moves one element
per bank; the PIM row buffers' standby costs what the memory ones' does.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from archgym.sims.dram.energy import energies_per_event
from archgym.sims.pim.channel import Run
from archgym.sims.pim.device import PimDevice
from archgym.sims.pim.gemv import Gemv

Floats = NDArray[np.float64]

COMPONENTS = (
    "activate", "read", "write", "refresh", "background", "pim_activate", "gwrite", "comp", "readres", "pim_background",
)  # fmt: skip

_COMP_READS, _COMP_BYTES = 4.0, 1024.0  # 16 multipliers of two bytes in each of 32 banks
_ROW_BYTES = 1024.0  # of the device whose currents are given: an activate charges as many bit lines as a row has cells


def energies_per_command(pim: PimDevice) -> dict[str, float]:
    """Energy in pJ of one command (COMP: of all banks), and of one rank for one cycle of standby."""
    event, device = energies_per_event(pim.device), pim.device
    comp_bytes = pim.multipliers_per_bank * pim.element_bytes * pim.banks
    activate = event["act"] * device.row_bytes / _ROW_BYTES
    return {
        "ACT": activate,
        "RD": event["rd"],
        "WR": event["wr"],
        "REFAB": event["refab"],
        "REFPB": event["refpb"],
        "GWRITE": event["rd"] * device.row_bytes / device.access_bytes,
        "G_ACT": activate * pim.banks_per_activation,
        "COMP": event["rd"] * _COMP_READS * comp_bytes / _COMP_BYTES,
        "READRES": event["rd"] * pim.banks * pim.element_bytes / device.access_bytes,
        "PWRITE": event["wr"],
        "active": event["active"],
        "precharged": event["precharged"],
    }


def energy_pj(run: Run) -> dict[str, float]:
    """Energy of a channel's run by component, pJ; the components sum to the whole."""
    per, n = energies_per_command(run.pim), run.counts
    ranks = run.pim.ranks * run.pim.device.pseudochannels
    memory_open, pim_open = (int(cycles.sum()) for cycles in run.open_cycles)
    idle = run.cycles * ranks
    found = {
        "activate": per["ACT"] * n["ACT"],
        "read": per["RD"] * n["RD"],
        "write": per["WR"] * n["WR"] + per["PWRITE"] * n["PWRITE"],
        "refresh": per["REFAB"] * n["REFAB"] + per["REFPB"] * n["REFPB"],
        "background": per["active"] * memory_open + per["precharged"] * (idle - memory_open),
        "pim_activate": per["G_ACT"] * n["G_ACT"],
        "gwrite": per["GWRITE"] * n["GWRITE"],
        "comp": per["COMP"] * n["COMP"],
        "readres": per["READRES"] * n["READRES"],
        "pim_background": 0.0,
    }
    if run.pim.row_buffers == 2:
        found["pim_background"] = per["active"] * pim_open + per["precharged"] * (idle - pim_open)
    return found


def gemv_energy_pj(pim: PimDevice, work: Gemv) -> Mapping[str, Floats]:
    """Energy of the PIM commands of a matrix-vector product, pJ, float64[n] by component; standby is the caller's.

    Every tile is cold: all its rows are activated.
    """
    per = energies_per_command(pim)
    activates = pim.activations_per_rank * pim.ranks * pim.device.pseudochannels
    return {
        "pim_activate": per["G_ACT"] * activates * work.tiles.astype(np.float64),
        "gwrite": per["GWRITE"] * work.gwrites.astype(np.float64),
        "comp": per["COMP"] * work.comps.astype(np.float64),
        "readres": per["READRES"] * work.readouts.astype(np.float64),
    }


def standby_mw(pim: PimDevice, *, active: bool = True) -> float:
    """Standby power of one channel, mW: all its ranks, and their PIM row buffers where there are two."""
    per = energies_per_command(pim)["active" if active else "precharged"]
    return per * pim.ranks * pim.device.pseudochannels * pim.row_buffers / (pim.device.tck_ps / 1000.0)
