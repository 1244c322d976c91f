"""The HBM2 channel of NeuPIMs (ASPLOS 2024) as a DRAM device: 128 bits wide in legacy mode, one command bus, 1 GHz.

Source of every number without another one: casys-kaist/NeuPIMs (revision f299af3),
extern/NewtonSim/configs/HBM2_8Gb_x128_{dram,singlepim,dualpim}.ini, which agree in all but the row buffers. What the
files leave out is the default of extern/NewtonSim/src/configuration.cc: it asks for tRTP, tRTRS and tRFCb, the files
give tRTP_L, tRTP_S and nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from archgym.sims.dram.devices import rules
from archgym.sims.dram.spec import Device, Rail, Timing

_CCD_S, _CCD_L = 1, 2  # tCCD_S, tCCD_L of the files; a burst of two cycles makes both two for reads and writes
_GWRITE_BYTES = 32  # gwrite_delay = (tCCD_S + tCCD_L) * 32 in configuration.cc: a page of 1 KB in pieces of 32 bytes

_TIMING = {
    "nCL": 14,
    "nCWL": 4,
    "nBL": 2,  # BL4, two beats per clock
    "nRCDRD": 14,
    "nRCDWR": 14,
    "nRP": 14,
    "nRAS": 34,
    "nRRDS": 4,
    "nRRDL": 6,
    "nFAW": 30,
    "nCCDS": max(2, _CCD_S),
    "nCCDL": max(2, _CCD_L),
    "nWR": 16,
    "nRTP": 5,  # default of configuration.cc
    "nWTRS": 6,
    "nWTRL": 8,
    "nRTRS": 2,  # default of configuration.cc
    "nRFC": 260,
    "nREFI": 3900,
    "nRFCPB": 160,  # tRFCSB of HBM2 (JEDEC JESD235, as sims/dram/devices/hbm2.py); the authors refresh whole ranks
    "nREFIPB": 243,  # tREFI over the sixteen banks of a rank
    "nPBR2PBR": 8,  # tRREFD, as hbm2.py
    "nPBR2ACT": 8,
    "nACT2PBR": 4,
    "nPD": 8,  # tCKE
    "nCKE": 8,
    "nXP": 8,
    "nCKESR": 10,  # tCKSRE
    "nXS": 268,
    "nACTPDEN": 2,
    "nPRPDEN": 2,
    "nREFPDEN": 2,
}
REFRESH = ("REFAB", "REFPB")


def derived(t: Mapping[str, int]) -> dict[str, int]:
    """Parameters computed from others: tRC as configuration.cc, read to write as timing.cc."""
    return {
        "nRC": t["nRAS"] + t["nRP"],
        "nRPAB": t["nRP"],
        "nRTW": t["nCL"] + t["nBL"] - t["nCWL"] + t["nRTRS"],
        **rules.power_down_entry(t),
    }


def constraints(t: Mapping[str, int]) -> tuple[Timing, ...]:
    """Rows of the channel with these named parameters; every command takes one cycle of the command bus."""
    return rules.rows(
        REFRESH,
        rules.bank_rows(t),
        rules.activate_rows(t),
        rules.column_rows(t),
        rules.rank_switch_rows(t),
        rules.refresh_all_rows(t),
        rules.refresh_bank_rows(t),
        rules.sleep_rows(t),
    )


def gwrite_cycles(row_bytes: int) -> int:
    """Cycles in which a page of a bank is copied to the channel's vector buffer (96 for 1 KB)."""
    return (_CCD_S + _CCD_L) * -(-row_bytes // _GWRITE_BYTES)


TIMING = {**_TIMING, **derived(_TIMING)}
CURRENT_MA = {
    "IDD0": 65.0,
    "IDD2P": 28.0,
    "IDD2N": 40.0,
    "IDD3P": 40.0,
    "IDD3N": 55.0,
    "IDD4W": 500.0,
    "IDD4R": 390.0,
    "IDD5B": 250.0,  # IDD5AB
    "IDD6": 31.0,
}
NEUPIMS_HBM2 = Device(
    name="NeuPIMs-HBM2-8Gb-x128",
    standard="HBM",
    tck_ps=1000,
    channel_width_bits=128,
    device_width_bits=128,
    pseudochannels=1,
    bankgroups=4,
    banks_per_group=4,
    rows=32768,
    columns=64,
    burst_length=4,
    clock_ratio=2,
    timing=TIMING,
    constraints=constraints(TIMING),
    refresh=REFRESH,
    dual_command_bus=False,
    rails=(Rail(1.2, CURRENT_MA),),
    sources=("casys-kaist/NeuPIMs extern/NewtonSim/configs/HBM2_8Gb_x128_dualpim.ini and src/configuration.cc",),
)
