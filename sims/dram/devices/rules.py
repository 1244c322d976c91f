"""The JEDEC command-to-command rules as rows, written once: a family's file names its parameters and picks the groups.

Every group takes the named parameters of a device in clock cycles (`nRCDRD`, `nRAS`, ...). A command is stamped with
the cycle that completes it, so a command of k cycles on the bus keeps k - 1 cycles before it free (`bus_rows`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from archgym.sims.dram.spec import Level, Timing

READ = ("RD", "RDA")
WRITE = ("WR", "WRA")
COLUMN = READ + WRITE
PRECHARGE = ("PRE", "PREA")
REFRESH = ("REFAB", "REFPB", "REFSB")
ROW = ("ACT", *PRECHARGE, *REFRESH)
SLEEP = ("PDE", "PDX", "SREFE", "SREFX")
ROW_BUS = ROW + SLEEP
AWAKE = ROW + COLUMN + ("SREFE",)
"""Everything that a rank may be told while its clock is enabled, except to sleep again."""


def rows(refresh: tuple[str, ...], *groups: Iterable[Timing]) -> tuple[Timing, ...]:
    """Join groups for a device with these refresh commands.

    Drops rows that ensure nothing new (one command per cycle does it, or the same row at the level above is as long)
    and from the others the refreshes the device lacks.
    """
    absent = frozenset(REFRESH) - frozenset(refresh)
    every = [row for group in groups for row in group]
    found = []
    for row in (row for row in every if row.latency > 1 and not _implied(row, every)):
        before, after = (tuple(c for c in side if c not in absent) for side in (row.preceding, row.following))
        if before and after:
            found.append(replace(row, preceding=before, following=after))
    return tuple(found)


def power_down_entry(t: Mapping[str, int], read_delay: int = 0, write_delay: int = 0) -> dict[str, int]:
    """Entry to power-down after the last column command: the burst and, for writes, the recovery must be over."""
    write_end = t["nCWL"] + write_delay + t["nBL"] + t["nWR"]
    return {"nRDPDEN": t["nCL"] + read_delay + t["nBL"] + 1, "nWRPDEN": write_end, "nWRAPDEN": write_end + 1}


def _implied(row: Timing, others: Iterable[Timing]) -> bool:
    """Whether a bank-group row is no stricter than its rank's (no bank groups, or S equal to L)."""
    return row.level == "bankgroup" and any(
        other.level == "rank"
        and not other.sibling
        and (other.preceding, other.following, other.window) == (row.preceding, row.following, row.window)
        and other.latency >= row.latency
        for other in others
    )


def bank_rows(t: Mapping[str, int]) -> list[Timing]:
    """Within one bank: activate, read or write, precharge (also the precharge that RDA and WRA carry)."""
    write_recovery = t["nCWL"] + t["nBL"] + t["nWR"]
    return [
        Timing("bank", ("ACT",), READ, t["nRCDRD"], doc="tRCD (read)"),
        Timing("bank", ("ACT",), WRITE, t["nRCDWR"], doc="tRCD (write)"),
        Timing("bank", ("ACT",), ("PRE",), t["nRAS"], doc="tRAS"),
        Timing("rank", ("ACT",), ("PREA",), t["nRAS"], doc="tRAS"),
        Timing("bank", ("ACT",), ("ACT",), t["nRC"], doc="tRC"),
        Timing("bank", ("PRE",), ("ACT",), t["nRP"], doc="tRP"),
        Timing("rank", ("PREA",), ("ACT",), t["nRPAB"], doc="tRP (all banks)"),
        Timing("bank", ("RD",), ("PRE",), t["nRTP"], doc="tRTP"),
        Timing("rank", READ, ("PREA",), t["nRTP"], doc="tRTP"),
        Timing("bank", ("WR",), ("PRE",), write_recovery, doc="WL + BL/2 + tWR"),
        Timing("rank", WRITE, ("PREA",), write_recovery, doc="WL + BL/2 + tWR"),
        Timing("bank", ("RDA",), ("ACT",), t["nRTP"] + t["nRP"], doc="tRTP + tRP"),
        Timing("bank", ("WRA",), ("ACT",), write_recovery + t["nRP"], doc="WL + BL/2 + tWR + tRP"),
        Timing("bank", ("WR",), ("RDA",), write_recovery - t["nRTP"], doc="tWTRA: tWR before the precharge in RDA"),
        Timing("rank", PRECHARGE, PRECHARGE, t.get("nPPD", 0), doc="tPPD"),
    ]


def activate_rows(t: Mapping[str, int], window: tuple[str, ...] = ("ACT",)) -> list[Timing]:
    """Activates of different banks of a rank: spacing and the four-activate window (`window`: what counts as one)."""
    return [
        Timing("rank", ("ACT",), ("ACT",), t["nRRDS"], doc="tRRD_S"),
        Timing("bankgroup", ("ACT",), ("ACT",), t["nRRDL"], doc="tRRD_L"),
        Timing("rank", window, window, t["nFAW"], window=4, doc="tFAW"),
    ]


def column_rows(t: Mapping[str, int]) -> list[Timing]:
    """Reads and writes of a rank: spacing within and across bank groups, and both turnarounds."""
    write_end = t["nCWL"] + t["nBL"]
    write_end_same_group = t["nCWL"] + t.get("nBLMAX", t["nBL"])
    return [
        Timing("rank", READ, READ, t["nCCDS"], doc="tCCD_S"),
        Timing("bankgroup", READ, READ, t["nCCDL"], doc="tCCD_L"),
        Timing("rank", WRITE, WRITE, t.get("nCCDSWR", t["nCCDS"]), doc="tCCD_S (write)"),
        Timing("bankgroup", WRITE, WRITE, t.get("nCCDLWR", t["nCCDL"]), doc="tCCD_L (write)"),
        Timing("rank", READ, WRITE, t["nRTW"], doc="read to write"),
        Timing("rank", WRITE, READ, write_end + t["nWTRS"], doc="WL + BL/2 + tWTR_S"),
        Timing("bankgroup", WRITE, READ, write_end_same_group + t["nWTRL"], doc="WL + BL/2 + tWTR_L"),
    ]


def rank_switch_rows(t: Mapping[str, int]) -> list[Timing]:
    """Bursts of different ranks leave `nRTRS` idle cycles on the data bus; `column_rows` keep those of one apart."""
    gap = t["nBL"] + t["nRTRS"]
    latency_difference = t["nCL"] - t["nCWL"]
    return [
        Timing("rank", READ, READ, gap, sibling=True, doc="burst + tRTRS, other rank"),
        Timing("rank", WRITE, WRITE, gap, sibling=True, doc="burst + tRTRS, other rank"),
        Timing("rank", READ, WRITE, gap + latency_difference, sibling=True, doc="RL + burst + tRTRS - WL, other rank"),
        Timing("rank", WRITE, READ, gap - latency_difference, sibling=True, doc="WL + burst + tRTRS - RL, other rank"),
    ]


def refresh_all_rows(t: Mapping[str, int]) -> list[Timing]:
    """All-bank refresh: every bank precharged before, nothing for tRFC after."""
    closed = [
        *_precharged("rank", "REFAB", t),
        Timing("rank", ("PREA",), ("REFAB",), t["nRPAB"], doc="tRP (all banks)"),
    ]
    after = tuple(command for command in AWAKE if command not in COLUMN)
    return [*closed, Timing("rank", ("REFAB",), after, t["nRFC"], doc="tRFC")]


def refresh_bank_rows(t: Mapping[str, int]) -> list[Timing]:
    """Per-bank refresh: the bank itself is busy for tRFCpb, the others wait a spacing.

    `nPBR2PBR` spaces refreshes of different banks, `nPBR2ACT` a refresh and an activate of another bank, `nACT2PBR` the
    reverse.
    """
    return [
        *_precharged("bank", "REFPB", t),
        Timing("bank", ("REFPB",), ("ACT", "PRE", "REFPB"), t["nRFCPB"], doc="tRFCpb"),
        Timing("rank", ("REFPB",), ("PREA", "REFAB", "SREFE"), t["nRFCPB"], doc="tRFCpb"),
        Timing("rank", ("REFPB",), ("REFPB",), t["nPBR2PBR"], doc="tpbR2pbR"),
        Timing("rank", ("REFPB",), ("ACT",), t["nPBR2ACT"], doc="refresh to activate, other bank"),
        Timing("rank", ("ACT",), ("REFPB",), t["nACT2PBR"], doc="activate to refresh, other bank"),
    ]


def refresh_same_bank_rows(t: Mapping[str, int]) -> list[Timing]:
    """Same-bank refresh (DDR5 REFsb): bank b of every bank group; bank rows with REFSB hold for each of them."""
    return [
        *_precharged("bank", "REFSB", t),
        Timing("bank", ("REFSB",), ("ACT", "PRE", "REFSB"), t["nRFCSB"], doc="tRFCsb"),
        Timing("rank", ("REFSB",), ("PREA", "REFAB", "REFSB", "SREFE"), t["nRFCSB"], doc="tRFCsb"),
        Timing("rank", ("REFSB",), ("ACT",), t["nREFSBRD"], doc="tREFSBRD, other bank"),
        Timing("rank", ("ACT",), ("REFSB",), t["nRRDL"], doc="tRRD_L, other bank"),
    ]


def sleep_rows(t: Mapping[str, int]) -> list[Timing]:
    """Power-down and self refresh: entry after the last burst or recovery, least stay, exit."""
    return [
        Timing("rank", READ, ("PDE",), t["nRDPDEN"], doc="tRDPDEN"),
        Timing("rank", ("WR",), ("PDE",), t["nWRPDEN"], doc="tWRPDEN"),
        Timing("rank", ("WRA",), ("PDE",), t["nWRAPDEN"], doc="tWRAPDEN"),
        Timing("rank", ("ACT",), ("PDE",), t["nACTPDEN"], doc="tACTPDEN"),
        Timing("rank", PRECHARGE, ("PDE",), t["nPRPDEN"], doc="tPRPDEN"),
        Timing("rank", REFRESH, ("PDE",), t["nREFPDEN"], doc="tREFPDEN"),
        Timing("rank", ("PDE",), ("PDX",), t["nPD"], doc="tPD"),
        Timing("rank", ("PDX",), ("PDE",), t["nCKE"], doc="tCKE"),
        Timing("rank", ("PDX",), AWAKE, t["nXP"], doc="tXP"),
        *_precharged("rank", "SREFE", t),
        Timing("rank", READ, ("SREFE",), t["nRDPDEN"], doc="tRDPDEN"),
        Timing("rank", ("SREFE",), ("SREFX",), t["nCKESR"], doc="tCKESR"),
        Timing("rank", ("SREFX",), (*ROW, "PDE", "SREFE"), t["nXS"], doc="tXS"),
        # Without a DLL the activate that must come first has waited for tXS already.
        *([Timing("rank", ("SREFX",), COLUMN, t["nXSDLL"], doc="tXSDLL")] if "nXSDLL" in t else []),
    ]


def bus_rows(cycles: Mapping[str, int], buses: Iterable[tuple[str, ...]]) -> list[Timing]:
    """Commands that occupy their command bus for more than one cycle (two-cycle activates and the like)."""
    found = []
    for bus in buses:
        for length in sorted({cycles.get(command, 1) for command in bus}):
            long = tuple(command for command in bus if cycles.get(command, 1) == length)
            found.append(Timing("channel", bus, long, length, doc=f"{length}-cycle command"))
    return found


def _precharged(level: Level, command: str, t: Mapping[str, int]) -> list[Timing]:
    """Rows that let `command` start only when the banks below one node of `level` are precharged."""
    write_recovery = t["nCWL"] + t["nBL"] + t["nWR"]
    return [
        Timing(level, ("ACT",), (command,), t["nRC"], doc="tRC"),
        Timing(level, ("PRE",), (command,), t["nRP"], doc="tRP"),
        Timing("rank", ("PREA",), (command,), t["nRPAB"], doc="tRP (all banks)"),
        Timing(level, ("RDA",), (command,), t["nRTP"] + t["nRP"], doc="tRTP + tRP"),
        Timing(level, ("WRA",), (command,), write_recovery + t["nRP"], doc="WL + BL/2 + tWR + tRP"),
    ]
