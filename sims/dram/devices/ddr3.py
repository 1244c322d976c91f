"""DDR3 SDRAM (JEDEC JESD79-3F)."""

from __future__ import annotations

from collections.abc import Mapping

from archgym.sims.dram.devices import rules
from archgym.sims.dram.spec import Device, Rail, Timing

# Micron MT41J128M8 (1 Gb, 128 Meg x 8, die G), speed bin -125 used at CL 10. Cycles of 1.25 ns as in the public DRAMSys
# file configs/memspec/MICRON_1Gb_DDR3-1600_8bit_G.json, unless a line says otherwise; JESD79-3F gives the rule.
_TIMING = {
    "nCL": 10,
    "nCWL": 8,
    "nBL": 4,  # BL8 at two beats per clock
    "nRCDRD": 10,
    "nRCDWR": 10,
    "nRP": 10,
    "nRPAB": 10,  # DDR3 has one tRP for PRE and PREA
    "nRAS": 28,
    "nRC": 38,
    "nRRDS": 5,
    "nRRDL": 5,  # no bank groups: same as tRRD
    "nFAW": 24,
    "nCCDS": 4,
    "nCCDL": 4,  # no bank groups: same as tCCD
    "nWR": 12,
    "nRTP": 6,
    "nWTRS": 6,
    "nWTRL": 6,  # no bank groups: same as tWTR
    "nRTRS": 1,
    "nRFC": 88,  # 110 ns for 1 Gb
    "nREFI": 6240,  # 7.8 us
    "nPD": 3,  # tPD(min) = tCKE(min)
    "nCKE": 3,
    "nXP": 6,  # fast exit (MR0 A12 = 1)
    "nCKESR": 4,
    "nXS": 96,
    "nXSDLL": 512,  # tDLLK
    "nACTPDEN": 1,
    "nPRPDEN": 1,
    "nREFPDEN": 1,
}

# mA per die at 1.5 V, same file (from the Micron data sheet). Power-down is the fast-exit kind, so IDD2P is IDD2P1.
_CURRENT_MA = {
    "IDD0": 70.0,
    "IDD2N": 45.0,
    "IDD2P": 30.0,
    "IDD3N": 45.0,
    "IDD3P": 35.0,
    "IDD4R": 140.0,
    "IDD4W": 145.0,
    "IDD5B": 170.0,
    "IDD6": 8.0,
}

REFRESH = ("REFAB",)


def derived(t: Mapping[str, int]) -> dict[str, int]:
    """Parameters that JESD79-3F computes from others."""
    read_to_write = t["nCL"] + t["nCCDS"] + 2 - t["nCWL"]  # 4.13.2: RL + tCCD + 2 tCK - WL
    return {"nRTW": read_to_write, **rules.power_down_entry(t)}


def constraints(t: Mapping[str, int]) -> tuple[Timing, ...]:
    """Rows of a DDR3 device with these named parameters."""
    return rules.rows(
        REFRESH,
        rules.bank_rows(t),
        rules.activate_rows(t),
        rules.column_rows(t),
        rules.rank_switch_rows(t),
        rules.refresh_all_rows(t),
        rules.sleep_rows(t),
    )


TIMING = {**_TIMING, **derived(_TIMING)}
DDR3_1600_1GB_X8 = Device(
    name="DDR3-1600-1Gb-x8",
    standard="DDR3",
    tck_ps=1250,
    channel_width_bits=64,
    device_width_bits=8,
    pseudochannels=1,
    bankgroups=1,
    banks_per_group=8,
    rows=16384,
    columns=1024,
    burst_length=8,
    clock_ratio=2,
    timing=TIMING,
    constraints=constraints(TIMING),
    refresh=REFRESH,
    dual_command_bus=False,
    rails=(Rail(1.5, _CURRENT_MA),),
    sources=(
        "timing, currents: tukl-msd/DRAMSys configs/memspec/MICRON_1Gb_DDR3-1600_8bit_G.json (Micron MT41J128M8, G)",
        "rules: JEDEC JESD79-3F",
    ),
)
