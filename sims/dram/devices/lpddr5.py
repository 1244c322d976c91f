"""LPDDR5 SDRAM (JEDEC JESD209-5): one x16 channel in bank-group mode (4 groups of 4), WCK:CK = 4:1.

The command clock runs at an eighth of the data rate. WCK is taken as always synchronised, so no CAS command is spent on
it; a burst of 16 takes two command clocks, and another bank group can fill the gap that the same group must leave.
"""

from __future__ import annotations

from collections.abc import Mapping

from archgym.sims.dram.devices import rules
from archgym.sims.dram.spec import Device, Rail, Timing

# 16 Gb per x16 channel, 6400, read and write latency set A without link ECC. Cycles of 1.25 ns; the rule of JESD209-5B
# beside each number. Ramulator 2.1's python/ramulator/dram/lpddr5.py has the same numbers and names the tables.
_TIMING = {
    "nCL": 17,
    "nCWL": 9,
    "nBL": 2,  # BL/n_min: 16 beats at eight per clock
    "nBLMAX": 4,  # BL/n_max: column cycle of the same bank group
    "nRCDRD": 15,  # 18 ns
    "nRCDWR": 15,
    "nRP": 15,  # tRPpb = 18 ns
    "nRPAB": 17,  # tRPab = 21 ns
    "nRAS": 34,  # 42 ns
    "nRC": 49,  # tRAS + tRPpb
    "nRRDS": 4,  # 5 ns
    "nRRDL": 4,  # 5 ns
    "nFAW": 16,  # 20 ns
    "nPPD": 2,
    "nCCDS": 2,
    "nCCDL": 4,
    "nWR": 28,  # 34 ns
    "nRTP": 8,
    "nWTRS": 5,  # 6.25 ns
    "nWTRL": 10,  # 12 ns
    "nRTRS": 2,  # two idle cycles between ranks, as Ramulator 2.1 and gem5 have
    "nRFC": 224,  # tRFCab = 280 ns for 16 Gb
    "nREFI": 3125,  # 3.906 us
    "nRFCPB": 112,  # tRFCpb = 140 ns for 16 Gb
    "nREFIPB": 195,  # tREFI over sixteen banks (JESD209-5B refreshes them in pairs, every tREFI / 8)
    "nPBR2PBR": 72,  # 90 ns
    "nPBR2ACT": 6,  # 7.5 ns
    "nACT2PBR": 4,  # tRRD
    "nPD": 8,  # tCSPD = 10 ns
    "nCKE": 8,
    "nXP": 6,  # 7 ns
    "nCKESR": 12,  # tSR = 15 ns
    "nXS": 230,  # tXSR = tRFCab + 7.5 ns
    "nACTPDEN": 2,  # tCMDPD
    "nPRPDEN": 2,
    "nREFPDEN": 2,
}

# mA per channel: maxima of Micron's 16 Gb LPDDR5X die Y52P (MT62F1G32D2 data sheet revision H, table 18, x16, 7500
# column; read through a public transcription), with the burst part (IDD4 - IDD3N) scaled to 6400: energy per bit stays.
# IDD3P, IDD6 and the refresh current of VDD1 are not in it: they keep the ratio they have in LPDDR4 (lpddr4.py). Error
# of the sum: within 15 % at a given corner; a typical die draws about half of the maxima.
_RATE = 6400 / 7500


def _per_bank_ma(standby: float, all_bank: float) -> float:
    """Current of one per-bank refresh that spends a sixteenth of the charge of an all-bank one (no public value)."""
    return standby + (all_bank - standby) * _TIMING["nRFC"] / (16 * _TIMING["nRFCPB"])


_VDD1_MA = {
    "IDD0": 3.8,
    "IDD2N": 1.5,
    "IDD2P": 1.2,  # as LPDDR4
    "IDD3N": 2.8,
    "IDD3P": 1.2,  # as LPDDR4
    "IDD4R": 2.8 + (18.0 - 2.8) * _RATE,
    "IDD4W": 2.8 + (16.5 - 2.8) * _RATE,
    "IDD5B": 22.8,  # 205 * 10 / 90, the ratio of the rails in LPDDR4
    "IDD5PB": _per_bank_ma(1.5, 22.8),
    "IDD6": 0.3,  # as LPDDR4
}
_VDD2H_MA = {
    "IDD0": 53.0,
    "IDD2N": 32.5,
    "IDD2P": 3.9,
    "IDD3N": 40.0,
    "IDD3P": 11.7,  # 3.9 * 9 / 3, the ratio in LPDDR4
    "IDD4R": 40.0 + (390.0 - 40.0) * _RATE,
    "IDD4W": 40.0 + (265.0 - 40.0) * _RATE,
    "IDD5B": 205.0,
    "IDD5PB": _per_bank_ma(32.5, 205.0),
    "IDD6": 0.5,  # as LPDDR4
}
_VDDQ_MA = {
    "IDD0": 0.6,
    "IDD2N": 0.6,
    "IDD2P": 0.6,
    "IDD3N": 0.6,
    "IDD3P": 0.6,
    "IDD4R": 0.6 + (111.9 - 0.6) * _RATE,
    "IDD4W": 0.6,
    "IDD5B": 0.6,
    "IDD5PB": 0.6,
    "IDD6": 0.1,  # as LPDDR4
}
REFRESH = ("REFAB", "REFPB")
_BUS_CYCLES = {"ACT": 2}  # ACT-1 and ACT-2


def derived(t: Mapping[str, int]) -> dict[str, int]:
    """Parameters that JESD209-5B computes from others."""
    read_to_write = t["nCL"] + t["nBL"] - t["nCWL"] + 2  # RL + BL/n + tWCK2DQO - WL, rounded up
    return {"nRTW": read_to_write, **rules.power_down_entry(t)}


def constraints(t: Mapping[str, int]) -> tuple[Timing, ...]:
    """Rows of an LPDDR5 device with these named parameters."""
    return rules.rows(
        REFRESH,
        rules.bank_rows(t),
        rules.activate_rows(t),
        rules.column_rows(t),
        rules.rank_switch_rows(t),
        rules.refresh_all_rows(t),
        rules.refresh_bank_rows(t),
        rules.sleep_rows(t),
        rules.bus_rows(_BUS_CYCLES, [rules.ROW_BUS + rules.COLUMN]),
    )


TIMING = {**_TIMING, **derived(_TIMING)}
LPDDR5_6400_16GB_X16 = Device(
    name="LPDDR5-6400-16Gb-x16",
    standard="LPDDR5",
    tck_ps=1250,
    channel_width_bits=16,
    device_width_bits=16,
    pseudochannels=1,
    bankgroups=4,
    banks_per_group=4,
    rows=65536,
    columns=1024,
    burst_length=16,
    clock_ratio=8,
    timing=TIMING,
    constraints=constraints(TIMING),
    refresh=REFRESH,
    dual_command_bus=False,
    rails=(Rail(1.8, _VDD1_MA), Rail(1.05, _VDD2H_MA), Rail(0.5, _VDDQ_MA)),
    sources=(
        "timing: JEDEC JESD209-5B (as in CMU-SAFARI/ramulator2 python/ramulator/dram/lpddr5.py)",
        "currents: Micron Y52P (16 Gb LPDDR5X, MT62F1G32D2) data sheet table 18, burst scaled from 7500 to 6400",
    ),
)
