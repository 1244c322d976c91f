"""DDR5 SDRAM (JEDEC JESD79-5): one 32-bit sub-channel of a DIMM, which has two."""

from __future__ import annotations

from collections.abc import Mapping

from archgym.sims.dram.devices import rules
from archgym.sims.dram.spec import Device, Rail, Timing

# 16 Gb, x8, speed bin 4800B (40-39-39). Cycles of 416 ps; the rule of JESD79-5 beside each number. The same rules give
# Ramulator 2.1's python/ramulator/dram/ddr5.py and gem5's DDR5_4400_4x8, where they cover them.
_TIMING = {
    "nCL": 40,
    "nCWL": 38,  # CL - 2
    "nBL": 8,  # BL16 at two beats per clock
    "nRCDRD": 39,
    "nRCDWR": 39,
    "nRP": 39,
    "nRPAB": 39,
    "nRAS": 77,  # 32 ns
    "nRC": 116,  # tRAS + tRP
    "nRRDS": 8,  # 8 nCK
    "nRRDL": 12,  # max(8 nCK, 5 ns)
    "nFAW": 32,  # max(32 nCK, 13.333 ns), 1 KB page
    "nPPD": 2,
    "nCCDS": 8,  # 8 nCK
    "nCCDL": 12,  # max(8 nCK, 5 ns)
    "nCCDLWR": 24,  # tCCD_L_WR2 = max(16 nCK, 10 ns): a BL16 write of a x8 die needs no read-modify-write
    "nWR": 72,  # 30 ns
    "nRTP": 18,  # max(12 nCK, 7.5 ns)
    "nWTRS": 6,  # max(4 nCK, 2.5 ns)
    "nWTRL": 24,  # max(16 nCK, 10 ns)
    "nRTRS": 2,  # not in the standard; two idle cycles as Ramulator 2.1 and gem5 have
    "nRFC": 710,  # tRFC1 = 295 ns for 16 Gb
    "nREFI": 9375,  # tREFI1 = 3.9 us
    "nRFCSB": 313,  # tRFCsb = 130 ns for 16 Gb
    "nREFISB": 1171,  # fine granularity: tREFI2 = 1.95 us over the four banks of a group
    "nREFSBRD": 73,  # 30 ns
    "nPD": 19,  # max(8 nCK, 7.5 ns)
    "nCKE": 19,  # PDX to PDE, covered by tXP
    "nXP": 19,  # max(8 nCK, 7.5 ns)
    "nCKESR": 25,  # tCSL = 10 ns
    "nXS": 710,  # tRFC1
    "nXSDLL": 1280,  # tDLLK at 4800
    "nACTPDEN": 2,
    "nPRPDEN": 2,
    "nREFPDEN": 2,
}

# mA per die: Micron 16 Gb DDR5 die revision A, x4/x8 column, 4800 (IDD0..IDD5B and IPP as Micron's power calculator has
# them, in the public repository Stardust-lf/ramulator2-latency-supported, illustration_script/chip_pow_config.py;
# IDD5C and IDD6N as gem5's src/mem/DRAMInterface.py, DDR5_4400_4x8, quotes the same data sheet). IDD3N is measured with
# all 32 banks open and the loop of IDD0 (103 mA) opens one: IDD0 here is what that loop would draw with the others open
# as well, so that IDD0 less standby over tRC is the energy of one activate (and not negative).
_OTHER_BANKS_OPEN = (142.0 - 92.0) * 31 / 32
_VDD_MA = {
    "IDD0": 103.0 + _OTHER_BANKS_OPEN * _TIMING["nRAS"] / _TIMING["nRC"],
    "IDD2N": 92.0,
    "IDD2P": 88.0,
    "IDD3N": 142.0,
    "IDD3P": 140.0,
    "IDD4R": 318.0,
    "IDD4W": 345.0,
    "IDD5B": 277.0,
    "IDD5C": 135.0,
    "IDD6": 102.0,
}
_VPP_MA = {  # JEDEC names them IPP0 ...; IPP3N is the limit in every standby state
    "IDD0": 8.0,
    "IDD2N": 7.0,
    "IDD2P": 7.0,
    "IDD3N": 7.0,
    "IDD3P": 7.0,
    "IDD4R": 9.0,
    "IDD4W": 36.0,
    "IDD5B": 28.0,
    "IDD5C": 11.9,  # no public value: between 7 and 28 as IDD5C is between IDD2N and IDD5B
    "IDD6": 7.0,
}
REFRESH = ("REFAB", "REFSB")
_TWO_CYCLES = dict.fromkeys(("ACT", *rules.COLUMN), 2)


def derived(t: Mapping[str, int]) -> dict[str, int]:
    """Parameters that JESD79-5 computes from others."""
    # RL - WL + BL/2 + 2 - read DQS offset (1) + (tRPST - 0.5 = 1) + tWPRE (2)
    read_to_write = t["nCL"] - t["nCWL"] + t["nBL"] + 4
    return {"nRTW": read_to_write, **rules.power_down_entry(t)}


def constraints(t: Mapping[str, int]) -> tuple[Timing, ...]:
    """Rows of a DDR5 device with these named parameters."""
    return rules.rows(
        REFRESH,
        rules.bank_rows(t),
        rules.activate_rows(t),
        rules.column_rows(t),
        rules.rank_switch_rows(t),
        rules.refresh_all_rows(t),
        rules.refresh_same_bank_rows(t),
        rules.sleep_rows(t),
        rules.bus_rows(_TWO_CYCLES, [rules.ROW_BUS + rules.COLUMN]),
    )


TIMING = {**_TIMING, **derived(_TIMING)}
DDR5_4800_16GB_X8 = Device(
    name="DDR5-4800-16Gb-x8",
    standard="DDR5",
    tck_ps=416,
    channel_width_bits=32,
    device_width_bits=8,
    pseudochannels=1,
    bankgroups=8,
    banks_per_group=4,
    rows=65536,
    columns=1024,
    burst_length=16,
    clock_ratio=2,
    timing=TIMING,
    constraints=constraints(TIMING),
    refresh=REFRESH,
    dual_command_bus=False,
    rails=(Rail(1.1, _VDD_MA), Rail(1.8, _VPP_MA)),
    sources=(
        "timing: JEDEC JESD79-5 (speed bin 4800B)",
        "currents: Micron 16 Gb DDR5 die revision A data sheet (x4/x8, 4800), in gem5/gem5 src/mem/DRAMInterface.py",
        "and Stardust-lf/ramulator2-latency-supported illustration_script/chip_pow_config.py; IPP5C estimated",
    ),
)
