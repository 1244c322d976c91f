"""LPDDR4 SDRAM (JEDEC JESD209-4): one x16 channel of a die."""

from __future__ import annotations

from collections.abc import Mapping

from archgym.sims.dram.devices import rules
from archgym.sims.dram.spec import Device, Rail, Timing

# 8 Gb per x16 channel, 3200. Cycles of 0.625 ns as in the public DRAMSys file configs/memspec/
# JEDEC_8Gb_LPDDR4-3200_16bit.json. LPDDR4 commands take two or four cycles (ACT-1 + ACT-2, RD-1 + CAS-2): JESD209-4
# counts from the last, and so does this table; the file counts from the first and corrects with +-2.
_TDQSCK = 6
_TDQSS_DQS2DQ = 3  # tDQSS 1, tDQS2DQ 2
_TIMING = {
    "nCL": 28,
    "nCWL": 14,
    "nBL": 8,  # BL16 at two beats per clock
    "nRCDRD": 29,
    "nRCDWR": 29,
    "nRP": 29,
    "nRPAB": 34,
    "nRAS": 68,
    "nRC": 97,  # tRAS + tRPpb
    "nRRDS": 16,
    "nRRDL": 16,  # no bank groups
    "nFAW": 64,
    "nPPD": 4,
    "nCCDS": 8,
    "nCCDL": 8,
    "nWR": 30,  # tWR 29, counted one cycle after the burst (tDQSS)
    "nRTP": 12,
    "nWTRS": 17,  # tWTR 16, counted one cycle after the burst (tDQSS)
    "nWTRL": 17,
    "nRTRS": 1,
    "nRFC": 448,  # tRFCab = 280 ns for 8 Gb
    "nREFI": 6246,  # 3.904 us
    "nRFCPB": 224,  # tRFCpb = 140 ns for 8 Gb
    "nREFIPB": 780,  # tREFI over eight banks
    "nPBR2PBR": 224,  # one per-bank refresh at a time: tRFCpb
    "nPBR2ACT": 16,  # tRRD
    "nACT2PBR": 16,  # tRRD
    "nPD": 12,  # tCKE
    "nCKE": 12,
    "nXP": 12,
    "nCKESR": 24,  # tSR
    "nXS": 460,  # tXSR
    "nACTPDEN": 3,  # tCMDCKE
    "nPRPDEN": 3,
    "nREFPDEN": 3,
}


def _per_bank_ma(standby: float, average: float) -> float:
    """Current of one per-bank refresh, from JEDEC's average over its interval tREFIpb."""
    return standby + (average - standby) * _TIMING["nREFIPB"] / _TIMING["nRFCPB"]


# mA per channel, same file (VDD1 1.8 V, VDD2 1.1 V, VDDQ 1.1 V). Its IDD5 is the all-bank burst current; its IDD5PB, as
# JESD209-4 defines it, is an average over tREFIpb and is turned into a burst current here.
_VDD1_MA = {
    "IDD0": 3.5,
    "IDD2N": 2.0,
    "IDD2P": 1.2,
    "IDD3N": 2.25,
    "IDD3P": 1.2,
    "IDD4R": 2.25,
    "IDD4W": 2.25,
    "IDD5B": 10.0,
    "IDD5PB": _per_bank_ma(2.0, 2.5),
    "IDD6": 0.3,
}
_VDD2_MA = {
    "IDD0": 45.0,
    "IDD2N": 27.0,
    "IDD2P": 3.0,
    "IDD3N": 30.0,
    "IDD3P": 9.0,
    "IDD4R": 275.0,
    "IDD4W": 210.0,
    "IDD5B": 90.0,
    "IDD5PB": _per_bank_ma(27.0, 30.0),
    "IDD6": 0.5,
}
_VDDQ_MA = {
    "IDD0": 0.75,
    "IDD2N": 0.75,
    "IDD2P": 0.75,
    "IDD3N": 0.75,
    "IDD3P": 0.75,
    "IDD4R": 150.0,
    "IDD4W": 55.0,
    "IDD5B": 0.75,
    "IDD5PB": 0.75,
    "IDD6": 0.1,
}
REFRESH = ("REFAB", "REFPB")
_BUS_CYCLES = {**dict.fromkeys(("ACT", *rules.COLUMN), 4), **dict.fromkeys((*rules.PRECHARGE, *REFRESH), 2)}


def derived(t: Mapping[str, int]) -> dict[str, int]:
    """Parameters that JESD209-4 computes from others."""
    read_to_write = t["nCL"] + _TDQSCK + t["nBL"] - t["nCWL"] + 2  # RL + tDQSCK + BL/2 - WL + tWPRE + tRPST (0)
    # The recovery in nWR already has the cycle of tDQSS that entry to power-down counts.
    entry = rules.power_down_entry(t, _TDQSCK - 1, _TDQSS_DQS2DQ - 1)
    return {"nRTW": read_to_write, **entry, "nWRAPDEN": entry["nWRPDEN"] + 2}


def constraints(t: Mapping[str, int]) -> tuple[Timing, ...]:
    """Rows of an LPDDR4 device with these named parameters."""
    return rules.rows(
        REFRESH,
        rules.bank_rows(t),
        rules.activate_rows(t, ("ACT", "REFPB")),
        rules.column_rows(t),
        rules.rank_switch_rows(t),
        rules.refresh_all_rows(t),
        rules.refresh_bank_rows(t),
        rules.sleep_rows(t),
        rules.bus_rows(_BUS_CYCLES, [rules.ROW_BUS + rules.COLUMN]),
    )


TIMING = {**_TIMING, **derived(_TIMING)}
LPDDR4_3200_8GB_X16 = Device(
    name="LPDDR4-3200-8Gb-x16",
    standard="LPDDR4",
    tck_ps=625,
    channel_width_bits=16,
    device_width_bits=16,
    pseudochannels=1,
    bankgroups=1,
    banks_per_group=8,
    rows=65536,
    columns=1024,
    burst_length=16,
    clock_ratio=2,
    timing=TIMING,
    constraints=constraints(TIMING),
    refresh=REFRESH,
    dual_command_bus=False,
    rails=(Rail(1.8, _VDD1_MA), Rail(1.1, _VDD2_MA), Rail(1.1, _VDDQ_MA)),
    sources=(
        "timing and currents: tukl-msd/DRAMSys configs/memspec/JEDEC_8Gb_LPDDR4-3200_16bit.json",
        "rules: JEDEC JESD209-4",
    ),
)
