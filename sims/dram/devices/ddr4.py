"""DDR4 SDRAM (JEDEC JESD79-4)."""

from __future__ import annotations

from collections.abc import Mapping

from archgym.sims.dram.devices import rules
from archgym.sims.dram.spec import Device, Rail, Timing

# 8 Gb, x8. Cycles as in the public DRAMsim3 files configs/DDR4_8Gb_x8_2400.ini and DDR4_8Gb_x8_3200.ini, unless a line
# says otherwise; JESD79-4 gives the rule. (The other well-known set, Ramulator 2.1's DDR4_2400R and DDR4_3200AA, has
# CL, tRCD and tRP of 16 at 2400, tRFC 360 ns and two idle cycles between ranks: `variant(device, ...)` makes it.)
_TIMING_2400 = {
    "nCL": 17,
    "nCWL": 12,
    "nBL": 4,  # BL8 at two beats per clock
    "nRCDRD": 17,
    "nRCDWR": 17,
    "nRP": 17,
    "nRPAB": 17,  # DDR4 has one tRP for PRE and PREA
    "nRAS": 39,
    "nRC": 56,
    "nRRDS": 4,
    "nRRDL": 6,
    "nFAW": 26,
    "nCCDS": 4,
    "nCCDL": 6,
    "nWR": 18,
    "nRTP": 9,
    "nWTRS": 3,
    "nWTRL": 9,
    "nRTRS": 1,
    "nRFC": 420,  # 350 ns for 8 Gb
    "nREFI": 9360,  # 7.8 us
    "nPD": 6,  # tPD(min) = tCKE(min) = max(3 nCK, 5 ns)
    "nCKE": 6,
    "nXP": 8,
    "nCKESR": 7,  # tCKE + 1
    "nXS": 432,  # tRFC + 10 ns
    "nXSDLL": 768,  # tDLLK at 2400
    "nACTPDEN": 2,
    "nPRPDEN": 2,
    "nREFPDEN": 2,
}
_TIMING_3200 = {
    "nCL": 22,
    "nCWL": 16,
    "nBL": 4,
    "nRCDRD": 22,
    "nRCDWR": 22,
    "nRP": 22,
    "nRPAB": 22,
    "nRAS": 52,
    "nRC": 74,
    "nRRDS": 4,
    "nRRDL": 8,
    "nFAW": 34,
    "nCCDS": 4,
    "nCCDL": 8,
    "nWR": 24,
    "nRTP": 12,
    "nWTRS": 4,
    "nWTRL": 12,
    "nRTRS": 1,
    "nRFC": 560,  # 350 ns for 8 Gb
    "nREFI": 12480,  # 7.8 us
    "nPD": 8,
    "nCKE": 8,
    "nXP": 10,
    "nCKESR": 9,
    "nXS": 576,
    "nXSDLL": 1024,  # tDLLK at 3200
    "nACTPDEN": 2,
    "nPRPDEN": 2,
    "nREFPDEN": 2,
}

# mA per die at VDD = 1.2 V, same files. VPP (2.5 V) is left out: they give IPP0 3 mA and no standby value to subtract.
_CURRENT_2400_MA = {
    "IDD0": 48.0,
    "IDD2N": 34.0,
    "IDD2P": 25.0,
    "IDD3N": 43.0,
    "IDD3P": 37.0,
    "IDD4R": 135.0,
    "IDD4W": 123.0,
    "IDD5B": 250.0,
    "IDD6": 30.0,
}
_CURRENT_3200_MA = {
    "IDD0": 57.0,
    "IDD2N": 37.0,
    "IDD2P": 25.0,
    "IDD3N": 52.0,
    "IDD3P": 43.0,
    "IDD4R": 168.0,
    "IDD4W": 150.0,
    "IDD5B": 250.0,
    "IDD6": 30.0,
}
REFRESH = ("REFAB",)


def derived(t: Mapping[str, int]) -> dict[str, int]:
    """Parameters that JESD79-4 computes from others."""
    read_to_write = t["nCL"] + t["nBL"] - t["nCWL"] + 2  # 4.24: RL + BL/2 - WL + 1 + tWPRE, one-cycle preamble
    return {"nRTW": read_to_write, **rules.power_down_entry(t)}


def constraints(t: Mapping[str, int]) -> tuple[Timing, ...]:
    """Rows of a DDR4 device with these named parameters."""
    return rules.rows(
        REFRESH,
        rules.bank_rows(t),
        rules.activate_rows(t),
        rules.column_rows(t),
        rules.rank_switch_rows(t),
        rules.refresh_all_rows(t),
        rules.sleep_rows(t),
    )


def _device(rate: int, tck_ps: int, primary: Mapping[str, int], current_ma: Mapping[str, float]) -> Device:
    timing = {**primary, **derived(primary)}
    return Device(
        name=f"DDR4-{rate}-8Gb-x8",
        standard="DDR4",
        tck_ps=tck_ps,
        channel_width_bits=64,
        device_width_bits=8,
        pseudochannels=1,
        bankgroups=4,
        banks_per_group=4,
        rows=65536,
        columns=1024,
        burst_length=8,
        clock_ratio=2,
        timing=timing,
        constraints=constraints(timing),
        refresh=REFRESH,
        dual_command_bus=False,
        rails=(Rail(1.2, current_ma),),
        sources=(f"timing and currents: umd-memsys/DRAMsim3 configs/DDR4_8Gb_x8_{rate}.ini", "rules: JEDEC JESD79-4"),
    )


DDR4_2400_8GB_X8 = _device(2400, 833, _TIMING_2400, _CURRENT_2400_MA)
DDR4_3200_8GB_X8 = _device(3200, 625, _TIMING_3200, _CURRENT_3200_MA)
