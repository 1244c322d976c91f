"""HBM2 (JEDEC JESD235): one 128-bit channel as two 64-bit pseudo channels with separate row and column command buses.

A die of 8 Gb has two such channels; `ranks` are the stack IDs of a taller stack. The clock enable, one per channel in
the standard, is modelled per pseudo channel.
"""

from __future__ import annotations

from collections.abc import Mapping

from archgym.sims.dram.devices import rules
from archgym.sims.dram.spec import Device, Rail, Timing

# 2000 Mb/s per pin, cycles of 1 ns. HBM timings are vendor-specific and not public; this is the set of Ramulator 2.1,
# python/ramulator/dram/hbm2.py (HBM2_2000Mbps, pseudo-channel mode), where a line names no other source.
_TIMING = {
    "nCL": 14,
    "nCWL": 5,
    "nBL": 2,  # BL4 at two beats per clock: a pseudo channel moves 32 bytes in two cycles
    "nRCDRD": 14,
    "nRCDWR": 12,
    "nRP": 14,
    "nRPAB": 14,
    "nRAS": 34,
    "nRC": 48,
    "nRRDS": 4,
    "nRRDL": 6,  # DRAMsim3 configs/HBM2_8Gb_x128.ini and DRAMSys configs/memspec/HBM2.json; Ramulator has 4
    "nFAW": 16,  # DRAMSys; Ramulator has 15, DRAMsim3 30
    "nCCDS": 2,
    "nCCDL": 4,
    "nWR": 16,
    "nRTP": 5,
    "nWTRS": 6,
    "nWTRL": 8,
    "nRTRS": 1,  # between stack IDs
    "nRFC": 260,  # 260 ns for 4 Gb per channel
    "nREFI": 3900,
    "nRFCPB": 160,  # tRFCSB = 160 ns
    "nREFIPB": 243,  # tREFI over sixteen banks
    "nPBR2PBR": 8,  # tRREFD
    "nPBR2ACT": 8,  # tRREFD
    "nACT2PBR": 4,  # tRRD_S
    "nPD": 8,  # tCKE, DRAMsim3 and DRAMSys
    "nCKE": 8,
    "nXP": 8,  # DRAMsim3 and DRAMSys
    "nCKESR": 10,  # tCKSRE, DRAMsim3
    "nXS": 268,  # tRFC + 8, DRAMsim3
    "nACTPDEN": 2,
    "nPRPDEN": 2,
    "nREFPDEN": 2,
}

# mA per pseudo channel at 1.2 V. Vendors' IDD tables are not public. Standby and refresh: half of the values per
# channel of DRAMsim3 configs/HBM2_8Gb_x128.ini. Activate and burst: equivalent currents of published energies with I/O,
# 909 pJ per 1 KB activate and 3.48 pJ per bit, from O'Connor et al., MICRO 2017, as Duplex (MICRO 2024) uses them.
# Uncertainty: a factor of two. Measured on 36 stacks (CMU-SAFARI/HBM-Power): 444 pJ, 5.16 read and 3.47 write pJ per
# bit, 19 mA standby, 17 nJ per refresh (33 nJ here).
_VDD = 1.2
_ACTIVATE_PJ = 909.0
_BURST_PJ = 3.48 * 64 * 4
_IDD2N, _IDD3N = 40.0 / 2, 55.0 / 2


def _activate_ma() -> float:
    """IDD0 whose excess over standby, over tRC, is the activate energy."""
    standby = (_IDD3N * _TIMING["nRAS"] + _IDD2N * (_TIMING["nRC"] - _TIMING["nRAS"])) / _TIMING["nRC"]
    return standby + _ACTIVATE_PJ / (_VDD * _TIMING["nRC"])


_CURRENT_MA = {
    "IDD0": _activate_ma(),
    "IDD2N": _IDD2N,
    "IDD2P": 28.0 / 2,
    "IDD3N": _IDD3N,
    "IDD3P": 40.0 / 2,
    "IDD4R": _IDD3N + _BURST_PJ / (_VDD * _TIMING["nBL"]),
    "IDD4W": _IDD3N + _BURST_PJ / (_VDD * _TIMING["nBL"]),
    "IDD5B": 250.0 / 2,
    # One bank spends a sixteenth of the charge of an all-bank refresh (no public value).
    "IDD5PB": _IDD2N + (250.0 / 2 - _IDD2N) * _TIMING["nRFC"] / (16 * _TIMING["nRFCPB"]),
    "IDD6": 31.0 / 2,
}
REFRESH = ("REFAB", "REFPB")


def derived(t: Mapping[str, int]) -> dict[str, int]:
    """Parameters computed from others."""
    return {"nRTW": t["nCL"] + t["nBL"] - t["nCWL"] + 2, **rules.power_down_entry(t)}  # RL + BL/2 - WL + 2


def constraints(t: Mapping[str, int]) -> tuple[Timing, ...]:
    """Rows of an HBM2 pseudo channel with these named parameters; activates take two cycles of the row bus."""
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
HBM2_2000_8GB = Device(
    name="HBM2-2000-8Gb",
    standard="HBM2",
    tck_ps=1000,
    channel_width_bits=64,
    device_width_bits=64,
    pseudochannels=2,
    bankgroups=4,
    banks_per_group=4,
    rows=16384,
    columns=128,
    burst_length=4,
    clock_ratio=2,
    timing=TIMING,
    constraints=constraints(TIMING),
    refresh=REFRESH,
    dual_command_bus=True,
    rails=(Rail(_VDD, _CURRENT_MA),),
    sources=(
        "timing: CMU-SAFARI/ramulator2 python/ramulator/dram/hbm2.py; umd-memsys/DRAMsim3 configs/HBM2_8Gb_x128.ini",
        "currents: DRAMsim3 (standby, refresh), O'Connor et al., MICRO 2017 (activate, burst); within a factor of two",
    ),
)
