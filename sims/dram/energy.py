"""Energy from data-sheet currents, by component, in pJ.

As DRAMPower and DRAMsim3 derive it: a command costs its current above the standby it interrupts, for as long as that
current was measured; standby and power-down cost their current for the time spent there. mA x V x ns = pJ, so every
product is multiplied by the clock period (DRAMsim3 leaves that out: its numbers are pJ only where tCK is 1 ns).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.sims.dram.spec import Device, Rail

Floats = NDArray[np.float64]

COMPONENTS = ("activate", "read", "write", "refresh", "background", "powerdown")

# Where a data sheet gives no separate current, the one that stands for it.
_INSTEAD: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "IDD2P": ("IDD2P1", "IDD2P0", "IDD2N"),
        "IDD3P": ("IDD3P1", "IDD3P0", "IDD2P", "IDD3N"),
        "IDD5B": ("IDD5AB", "IDD5"),
        "IDD5PB": ("IDD5SB",),
        "IDD6": ("IDD6N", "IDD6x"),
    }
)


def _current(rail: Rail, name: str) -> float:
    """A current of a rail in mA; 0 where the rail does not have it (a word-line supply has no read current)."""
    for key in (name, *_INSTEAD.get(name, ())):
        if key in rail.current_ma:
            return rail.current_ma[key]
    return 0.0


def energies_per_event(device: Device) -> dict[str, float]:
    """Energy in pJ of one command, or of one rank for one cycle in a mode; all dies of the rank, all rails.

    act = V (IDD0 tRC - IDD3N tRAS - IDD2N (tRC - tRAS)); rd = V (IDD4R - IDD3N) burst; wr likewise;
    refab = V (IDD5B - IDD2N) tRFC, because the rank is counted as precharged meanwhile, so that the total is IDD5B;
    refpb = V (IDD5PB - IDD2N) tRFCpb, or the share of refab that one bank has; refsb: one bank of every group.
    """
    t, found = device.timing, dict.fromkeys(
        ("act", "rd", "wr", "refab", "refpb", "refsb", "precharged", "active", "pd_precharged", "pd_active", "self"),
        0.0,
    )  # fmt: skip
    banks = device.bankgroups * device.banks_per_group
    for rail in device.rails:
        scale = rail.voltage_v * device.tck_ps / 1000.0 * device.devices_per_rank
        idd = {name: _current(rail, name) for name in
               ("IDD0", "IDD2N", "IDD2P", "IDD3N", "IDD3P", "IDD4R", "IDD4W", "IDD5B", "IDD5PB", "IDD6")}  # fmt: skip
        standby = idd["IDD3N"] * t["nRAS"] + idd["IDD2N"] * (t["nRC"] - t["nRAS"])
        found["act"] += scale * max(0.0, idd["IDD0"] * t["nRC"] - standby)
        found["rd"] += scale * max(0.0, idd["IDD4R"] - idd["IDD3N"]) * t["nBL"]
        found["wr"] += scale * max(0.0, idd["IDD4W"] - idd["IDD3N"]) * t["nBL"]
        refab = scale * max(0.0, idd["IDD5B"] - idd["IDD2N"]) * t["nRFC"]
        refpb = scale * max(0.0, idd["IDD5PB"] - idd["IDD2N"]) * t.get("nRFCPB", t.get("nRFCSB", 0))
        found["refab"] += refab
        found["refpb"] += refpb if refpb > 0 else refab / banks
        found["refsb"] += refpb if refpb > 0 and "nRFCSB" in t else refab / device.banks_per_group
        for mode, name in (("precharged", "IDD2N"), ("active", "IDD3N"), ("pd_precharged", "IDD2P"),
                           ("pd_active", "IDD3P"), ("self", "IDD6")):  # fmt: skip
            found[mode] += scale * idd[name]
    return found


def components(device: Device, counts: Mapping[str, NDArray[Any]]) -> dict[str, Floats]:
    """Energy in pJ by component, float64[n] each, from the counts and cycles a run reports (`layout.OUT_NAMES`)."""
    event = energies_per_event(device)
    number = {name: np.asarray(values, dtype=np.float64) for name, values in counts.items()}
    return {
        "activate": event["act"] * number["n_act"],
        "read": event["rd"] * (number["n_rd"] + number["n_rda"]),
        "write": event["wr"] * (number["n_wr"] + number["n_wra"]),
        "refresh": event["refab"] * number["n_refab"]
        + event["refpb"] * number["n_refpb"]
        + event["refsb"] * number["n_refsb"],
        "background": event["precharged"] * number["cycles_precharged"] + event["active"] * number["cycles_active"],
        "powerdown": event["pd_precharged"] * number["cycles_pd_precharged"]
        + event["pd_active"] * number["cycles_pd_active"]
        + event["self"] * number["cycles_self_refresh"],
    }
