"""GDDR6 SGRAM (JEDEC JESD250): one x16 channel of a device, which has two.

The command clock runs at an eighth of the data rate, so a burst of 16 takes two command clocks.
"""

from __future__ import annotations

from collections.abc import Mapping

from archgym.sims.dram.devices import rules
from archgym.sims.dram.spec import Device, Rail, Timing

# Samsung K4Z80325BC (8 Gb: two channels of 4 Gb), 14 Gb/s at 1.35 V, as Ramulator 2.1 carries it over from the data
# sheet (python/ramulator/dram/gddr6.py, GDDR6_14000_1350mV_double), where a line names no other source. Cycles of
# 0.571 ns. JESD250 leaves AC timings to the vendors.
_TIMING = {
    "nCL": 24,
    "nCWL": 6,
    "nBL": 2,  # BL16 at eight beats per command clock
    "nRCDRD": 27,
    "nRCDWR": 16,
    "nRP": 27,
    "nRPAB": 27,
    "nRAS": 53,
    "nRC": 80,  # tRAS + tRP (the data sheet rounds 45 ns to 79)
    "nRRDS": 8,
    "nRRDL": 8,
    "nFAW": 29,
    "nPPD": 1,
    "nCCDS": 2,
    "nCCDL": 4,
    "nWR": 27,
    "nRTP": 4,
    "nWTRS": 9,
    "nWTRL": 11,
    "nRTRS": 1,  # clamshell neighbours; tRTRS of DRAMsim3 configs/GDDR6_8Gb_x16.ini
    "nRFC": 211,  # tRFCab = 120 ns
    "nREFI": 3333,  # 1.9 us
    "nRFCPB": 106,  # tRFCpb = 60 ns
    "nREFIPB": 208,  # tREFI over sixteen banks
    "nPBR2PBR": 15,  # tRREFD
    "nPBR2ACT": 15,  # tRREFD
    "nACT2PBR": 8,  # tRRD
    "nPD": 8,  # tCKE as tCKESR of DRAMsim3
    "nCKE": 8,
    "nXP": 14,  # 7.9 ns, DRAMsim3 (12 cycles of 0.66 ns)
    "nCKESR": 8,  # DRAMsim3
    "nXS": 217,  # tRFCab + 6 cycles, DRAMsim3
    "nACTPDEN": 2,
    "nPRPDEN": 2,
    "nREFPDEN": 2,
}

# mA per channel: half of the maxima per device (both channels run the loops together) of the Samsung K4Z80325BC data
# sheet revision 1.3, table 82, 14 Gb/s, VDD = 1.35 V, read through a public transcription. IDD3P and IDD6 are not in
# it: IDD3P keeps IDD2P's share of standby, IDD6 is DRAMsim3's. A typical die draws about half of the maxima.
_IDD2N, _IDD2P, _IDD3N, _IDD5B = 310.0 / 2, 230.0 / 2, 460.0 / 2, 790.0 / 2


def _per_bank_ma(standby: float, all_bank: float) -> float:
    """Current of one per-bank refresh that spends a sixteenth of the charge of an all-bank one (no public value)."""
    return standby + (all_bank - standby) * _TIMING["nRFC"] / (16 * _TIMING["nRFCPB"])


_VDD_MA = {
    "IDD0": 430.0 / 2,
    "IDD2N": _IDD2N,
    "IDD2P": _IDD2P,
    "IDD3N": _IDD3N,
    "IDD3P": _IDD2P * _IDD3N / _IDD2N,
    "IDD4R": 1220.0 / 2,
    "IDD4W": 1470.0 / 2,
    "IDD5B": _IDD5B,
    "IDD5PB": _per_bank_ma(_IDD2N, _IDD5B),
    "IDD6": 35.0,
}
_VPP_MA = {  # the same table: IPP0 14, IPP3N 10 (the limit in every standby state), IPP5 77 mA per device at 1.8 V
    "IDD0": 14.0 / 2,
    "IDD2N": 10.0 / 2,
    "IDD2P": 10.0 / 2,
    "IDD3N": 10.0 / 2,
    "IDD3P": 10.0 / 2,
    "IDD4R": 10.0 / 2,
    "IDD4W": 10.0 / 2,
    "IDD5B": 77.0 / 2,
    "IDD5PB": _per_bank_ma(10.0 / 2, 77.0 / 2),
    "IDD6": 10.0 / 2,
}
REFRESH = ("REFAB", "REFPB")


def derived(t: Mapping[str, int]) -> dict[str, int]:
    """Parameters computed from others."""
    return {"nRTW": t["nCL"] + t["nBL"] - t["nCWL"] + 2, **rules.power_down_entry(t)}  # RL + burst - WL + 2


def constraints(t: Mapping[str, int]) -> tuple[Timing, ...]:
    """Rows of a GDDR6 channel with these named parameters."""
    return rules.rows(
        REFRESH,
        rules.bank_rows(t),
        rules.activate_rows(t, ("ACT", "REFPB")),
        rules.column_rows(t),
        rules.rank_switch_rows(t),
        rules.refresh_all_rows(t),
        rules.refresh_bank_rows(t),
        rules.sleep_rows(t),
    )


TIMING = {**_TIMING, **derived(_TIMING)}
GDDR6_14000_8GB_X16 = Device(
    name="GDDR6-14000-8Gb-x16",
    standard="GDDR6",
    tck_ps=571,
    channel_width_bits=16,
    device_width_bits=16,
    pseudochannels=1,
    bankgroups=4,
    banks_per_group=4,
    rows=16384,
    columns=1024,
    burst_length=16,
    clock_ratio=8,
    timing=TIMING,
    constraints=constraints(TIMING),
    refresh=REFRESH,
    dual_command_bus=False,
    rails=(Rail(1.35, _VDD_MA), Rail(1.8, _VPP_MA)),
    sources=(
        "timing: Samsung K4Z80325BC through CMU-SAFARI/ramulator2 python/ramulator/dram/gddr6.py; rules: JEDEC JESD250",
        "currents: Samsung K4Z80325BC data sheet revision 1.3 table 82 (per device, halved per channel)",
    ),
)
