"""HBM3 (JEDEC JESD238): one 64-bit channel as two 32-bit pseudo channels with separate row and column command buses.

The data strobe runs at twice the command clock, so a burst of 8 takes two command clocks. A die of 16 Gb has four such
channels; `ranks` are the stack IDs of a taller stack. The clock enable, one per channel in the standard, is modelled
per pseudo channel.
"""

from __future__ import annotations

from collections.abc import Mapping

from archgym.sims.dram.devices import rules
from archgym.sims.dram.spec import Device, Rail, Timing

# 5200 Mb/s per pin, cycles of 0.769 ns. HBM timings are vendor-specific and not public; this is the set of AttAcc
# (scale-snu/attacc_simulator, pim_ramulator_src/HBM3-PIM.cpp, HBM3_5.2Gbps), where a line names no other source. Its
# authors took the nanoseconds of DRAMsim3's HBM2.
_TIMING = {
    "nCL": 19,
    "nCWL": 6,
    "nBL": 2,  # BL8 at four beats per command clock
    "nRCDRD": 19,
    "nRCDWR": 19,
    "nRP": 19,
    "nRPAB": 19,
    "nRAS": 45,
    "nRC": 64,  # tRAS + tRP (AttAcc rounds the sum to 63)
    "nRRDS": 2,
    "nRRDL": 4,
    "nFAW": 39,
    "nPPD": 2,  # Ramulator 2.1
    "nCCDS": 2,
    "nCCDL": 4,
    "nWR": 21,
    "nRTP": 8,
    "nWTRS": 8,
    "nWTRL": 11,
    "nRTRS": 1,  # tCCD_R = tCCD_S + 1 between stack IDs (Ramulator 2.1)
    "nRFC": 456,  # 350 ns for 8 Gb per channel (JESD238 table 84, as Ramulator 2.1 reads it)
    "nREFI": 5070,  # 3.9 us
    "nRFCPB": 260,  # 200 ns
    "nREFIPB": 316,  # tREFI over sixteen banks
    "nPBR2PBR": 11,  # tRREFD = 8 ns
    "nPBR2ACT": 11,  # tRREFD
    "nACT2PBR": 2,  # tRRD_S
    "nPD": 11,  # 8 ns, as HBM2
    "nCKE": 11,
    "nXP": 11,  # 8 ns, as HBM2
    "nCKESR": 13,  # 10 ns, as HBM2
    "nXS": 467,  # tRFC + 8 ns, as HBM2
    "nACTPDEN": 2,
    "nPRPDEN": 2,
    "nREFPDEN": 2,
}

# mA per pseudo channel at VDDC = 1.1 V. Vendors' IDD tables are not public (JESD238 prints an empty one). Standby: as
# HBM2 (hbm2.py), scaled with the clock by 1.3. Activate and burst: equivalent currents of the energies Duplex (MICRO
# 2024) uses for HBM3, 909 pJ per 1 KB activate and 3.48 pJ per bit with I/O. Refresh: the energy of HBM2 (33 nJ), both
# refresh two rows per bank at a time. Uncertainty: a factor of two. SK hynix gave 3.4-4.3 pJ per bit for HBM3E and
# HBM2E streams (IEDM 2023).
_VDD = 1.1
_TCK_NS = 0.769
_ACTIVATE_PJ = 909.0
_BURST_PJ = 3.48 * 32 * 8
_REFRESH_PJ = 1.2 * (250.0 - 40.0) / 2 * 260
_IDD2N, _IDD3N = 1.3 * 40.0 / 2, 1.3 * 55.0 / 2


def _activate_ma() -> float:
    """IDD0 whose excess over standby, over tRC, is the activate energy."""
    standby = (_IDD3N * _TIMING["nRAS"] + _IDD2N * (_TIMING["nRC"] - _TIMING["nRAS"])) / _TIMING["nRC"]
    return standby + _ACTIVATE_PJ / (_VDD * _TIMING["nRC"] * _TCK_NS)


_CURRENT_MA = {
    "IDD0": _activate_ma(),
    "IDD2N": _IDD2N,
    "IDD2P": 1.3 * 28.0 / 2,
    "IDD3N": _IDD3N,
    "IDD3P": 1.3 * 40.0 / 2,
    "IDD4R": _IDD3N + _BURST_PJ / (_VDD * _TIMING["nBL"] * _TCK_NS),
    "IDD4W": _IDD3N + _BURST_PJ / (_VDD * _TIMING["nBL"] * _TCK_NS),
    "IDD5B": _IDD2N + _REFRESH_PJ / (_VDD * _TIMING["nRFC"] * _TCK_NS),
    "IDD5PB": _IDD2N + _REFRESH_PJ / 16 / (_VDD * _TIMING["nRFCPB"] * _TCK_NS),
    "IDD6": 31.0 / 2,
}
REFRESH = ("REFAB", "REFPB")


def derived(t: Mapping[str, int]) -> dict[str, int]:
    """Parameters computed from others."""
    return {"nRTW": t["nCL"] + t["nBL"] - t["nCWL"] + 3, **rules.power_down_entry(t)}  # AttAcc: 3 cycles of turnaround


def constraints(t: Mapping[str, int]) -> tuple[Timing, ...]:
    """Rows of an HBM3 pseudo channel with these named parameters.

    An activate takes one and a half cycles of the row bus; it is rounded up to two.
    """
    return rules.rows(
        REFRESH,
        rules.bank_rows(t),
        rules.activate_rows(t, ("ACT", "REFPB")),
        rules.column_rows(t),
        rules.rank_switch_rows(t),
        rules.refresh_all_rows(t),
        rules.refresh_bank_rows(t),
        rules.sleep_rows(t),
        rules.bus_rows({"ACT": 2}, [rules.ROW_BUS]),
    )


TIMING = {**_TIMING, **derived(_TIMING)}
HBM3_5200_16GB = Device(
    name="HBM3-5200-16Gb",
    standard="HBM3",
    tck_ps=769,
    channel_width_bits=32,
    device_width_bits=32,
    pseudochannels=2,
    bankgroups=4,
    banks_per_group=4,
    rows=16384,
    columns=256,
    burst_length=8,
    clock_ratio=4,
    timing=TIMING,
    constraints=constraints(TIMING),
    refresh=REFRESH,
    dual_command_bus=True,
    rails=(Rail(_VDD, _CURRENT_MA),),
    sources=(
        "timing: scale-snu/attacc_simulator pim_ramulator_src/HBM3-PIM.cpp (HBM3_5.2Gbps); tRFC from JEDEC JESD238",
        "currents: energies of O'Connor et al., MICRO 2017, and Duplex, MICRO 2024; standby from HBM2; factor of two",
    ),
)
