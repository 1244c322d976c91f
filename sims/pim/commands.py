"""PIM commands as rows of data on top of a DRAM device: what each must wait for, with one row buffer per bank or two.

Sources: Newton (MICRO 2020) and NeuPIMs (ASPLOS 2024, table 1) for the commands; casys-kaist/NeuPIMs (revision
f299af3), extern/NewtonSim/src/timing.cc, for the constraints. Where the rows here differ from that file, the comment
beside the row says so.

GWRITE copies an open row to the channel's vector buffer, G_ACT opens a row in several banks, COMP multiplies one piece
of every bank's open row, READRES reads one result per bank over the data bus, PIM_PRE and PIM_PREA close PIM rows of a
bank or of a rank (two row buffers only; with one, PRE and PREA do), PWRITE writes into the PIM row buffer, HEADER
announces a kernel's size. COMPS_READRES(k) is one command on the bus that carries k COMPs and a READRES.
"""

from __future__ import annotations

from dataclasses import replace

from archgym.sims.dram.devices.rules import READ, WRITE
from archgym.sims.dram.spec import COMMANDS, JEDEC, CommandSet, Device, Timing
from archgym.sims.dram.timing import Tables, compile_device
from archgym.sims.pim.device import PimDevice

PIM_COMMANDS = (
    "GWRITE", "G_ACT", "COMP", "READRES", "PIM_PRE", "PIM_PREA", "PWRITE", "HEADER", "COMPS_READRES",
)  # fmt: skip
NAMES = COMMANDS + PIM_COMMANDS
"""Command codes of the logs: position in this tuple."""


def command_set(pim: PimDevice) -> CommandSet:
    """JEDEC's commands and PIM's; COMP and READRES go to all banks of the channel."""
    wide = JEDEC.wide | {"COMP", "READRES", "PIM_PREA"}
    return CommandSet(NAMES, wide, {"G_ACT": pim.banks_per_activation})


def rows(pim: PimDevice) -> tuple[Timing, ...]:
    """The PIM rows of a device; they come in addition to the rows of its DRAM commands."""
    groups = [_activate_rows(pim), _compute_rows(pim), _gwrite_rows(pim), _refresh_rows(pim)]
    groups.append(_dual_rows(pim) if pim.row_buffers == 2 else _single_rows(pim))
    return tuple(row for group in groups for row in group if row.latency > 0)


def extended(pim: PimDevice) -> Device:
    """The DRAM device with the PIM rows added."""
    return replace(pim.device, constraints=pim.device.constraints + rows(pim))


def tables(pim: PimDevice, refresh: str) -> Tables:
    """Rows of both kinds compiled for the channel kernel; `refresh` is "none" or the refresh command in use."""
    used = {"ACT", "PRE", "PREA", "RD", "WR", *PIM_COMMANDS} | ({refresh} - {"none"})
    return compile_device(extended(pim), pim.ranks, frozenset(used - {"COMPS_READRES", "HEADER"}), command_set(pim))


def _activate_rows(pim: PimDevice) -> list[Timing]:
    """Group activates among themselves and with activates: a group counts as so many activates at once.

    The authors let a group activate follow fewer than four activates at any distance from tRRD; here the banks it opens
    count against the four-activate window, as the current they draw does: a group and an activate never share one.
    """
    t = pim.device.timing
    window, held = pim.activation_window
    return [
        Timing("bank", ("G_ACT",), ("G_ACT",), t["nRC"], doc="tRC (PIM row)"),
        Timing("rank", ("G_ACT",), ("G_ACT",), t["nRRDS"], doc="tRRD_S"),
        Timing("bankgroup", ("G_ACT",), ("G_ACT",), t["nRRDL"], doc="tRRD_L"),
        Timing("rank", ("G_ACT",), ("G_ACT",), window, window=held, doc="tFAW, so many banks at once"),
        Timing("rank", ("G_ACT",), ("ACT",), window, doc="tFAW after a group activate"),
        Timing("rank", ("ACT",), ("G_ACT",), t["nFAW"], doc="tFAW before a group activate"),
        Timing("rank", ("G_ACT",), ("COMP",), t["nRCDRD"], doc="tRCD (COMP)"),
    ]


def _compute_rows(pim: PimDevice) -> list[Timing]:
    """COMPs follow each other in the internal column cycle; a result read is a burst that all ranks take part in."""
    t, step = pim.device.timing, pim.comp_cycles
    ranks = pim.ranks * pim.device.pseudochannels
    gap = t["nBL"] + (t["nRTRS"] if ranks > 1 else 0)
    turn = t["nCL"] + t["nBL"] + t["nRTRS"] - t["nCWL"]
    written = t["nCWL"] + t["nBL"]
    return [
        Timing("channel", ("COMP", "READRES"), ("COMP", "READRES"), step, doc="internal column cycle"),
        Timing("channel", READ, ("READRES",), gap, doc="burst + tRTRS"),
        Timing("channel", ("READRES",), READ, gap, doc="burst + tRTRS"),
        Timing("channel", ("READRES",), WRITE, turn, doc="RL + burst + tRTRS - WL"),
        Timing("rank", WRITE, ("READRES",), written + t["nWTRS"], doc="WL + BL/2 + tWTR_S (result read)"),
    ]


def _gwrite_rows(pim: PimDevice) -> list[Timing]:
    """GWRITE is a long read of its bank; the vector buffer belongs to the whole channel.

    The authors guard the other ranks' COMPs against an unfinished buffer by their controller, not by a row.
    """
    t, copy, step = pim.device.timing, pim.gwrite_cycles, pim.comp_cycles
    return [
        Timing("bank", ("ACT",), ("GWRITE",), t["nRCDRD"], doc="tRCD (GWRITE)"),
        Timing("rank", READ, ("GWRITE",), t["nCCDS"], doc="tCCD_S"),
        Timing("bankgroup", READ, ("GWRITE",), t["nCCDL"], doc="tCCD_L"),
        Timing("rank", WRITE, ("GWRITE",), t["nCWL"] + t["nBL"] + t["nWTRS"], doc="WL + BL/2 + tWTR_S"),
        Timing("bankgroup", WRITE, ("GWRITE",), t["nCWL"] + t["nBL"] + t["nWTRL"], doc="WL + BL/2 + tWTR_L"),
        Timing("channel", ("COMP", "READRES"), ("GWRITE",), step, doc="the buffer is read to its end"),
        Timing("channel", ("GWRITE",), ("COMP", "READRES", "GWRITE"), copy, doc="GWRITE"),
        Timing("bank", ("GWRITE",), (*READ, *WRITE, "PRE"), copy, doc="GWRITE (its bank)"),
        Timing("rank", ("GWRITE",), ("PREA",), copy, doc="GWRITE (its bank)"),
        Timing("rank", ("GWRITE",), READ, t["nCCDS"], doc="tCCD_S"),
        Timing("bankgroup", ("GWRITE",), READ, t["nCCDL"], doc="tCCD_L"),
        Timing("rank", ("GWRITE",), WRITE, t["nRTW"], doc="read to write"),
    ]


def _refresh_rows(pim: PimDevice) -> list[Timing]:
    """Refresh takes the bank away from both row buffers."""
    t = pim.device.timing
    return [
        Timing("rank", ("G_ACT",), ("REFAB",), t["nRC"], doc="tRC"),
        Timing("rank", ("REFAB",), ("G_ACT", "GWRITE"), t["nRFC"], doc="tRFC"),
        Timing("rank", ("REFAB",), ("COMP", "READRES"), t["nRFC"], doc="tRFC"),
        Timing("bank", ("G_ACT",), ("REFPB",), t["nRC"], doc="tRC"),
        Timing("bank", ("REFPB",), ("G_ACT",), t["nRFCPB"], doc="tRFCpb"),
        Timing("bank", ("REFPB",), ("PIM_PRE",), t["nRFCPB"], doc="tRFCpb"),
        Timing("rank", ("REFPB",), ("PIM_PREA",), t["nRFCPB"], doc="tRFCpb"),
        Timing("rank", ("REFPB",), ("G_ACT",), t["nPBR2ACT"], doc="refresh to activate, other bank"),
        Timing("rank", ("G_ACT",), ("REFPB",), t["nACT2PBR"], doc="activate to refresh, other bank"),
    ]


def _held_rows(pim: PimDevice, precharge: tuple[str, ...]) -> list[Timing]:
    """When a tile's rows may close: tRTP after COMP, in the authors' program also after READRES."""
    readers = ("COMP", "READRES") if pim.row_held_by == "result" else ("COMP",)
    return [Timing("channel", readers, precharge, pim.device.timing["nRTP"], doc="tRTP (COMP)")]


def _single_rows(pim: PimDevice) -> list[Timing]:
    """One row buffer: a group activate is an activate for its banks, COMP a read of all of them."""
    t = pim.device.timing
    written = t["nCWL"] + t["nBL"]
    return [
        *_held_rows(pim, ("PRE", "PREA")),
        Timing("bank", ("ACT",), ("G_ACT",), t["nRC"], doc="tRC"),
        Timing("bank", ("G_ACT",), ("ACT",), t["nRC"], doc="tRC"),
        Timing("rank", ("ACT",), ("G_ACT",), t["nRRDS"], doc="tRRD_S"),
        Timing("bankgroup", ("ACT",), ("G_ACT",), t["nRRDL"], doc="tRRD_L"),
        Timing("bank", ("PRE",), ("G_ACT",), t["nRP"], doc="tRP"),
        Timing("rank", ("PREA",), ("G_ACT",), t["nRPAB"], doc="tRP (all banks)"),
        Timing("bank", ("G_ACT",), ("PRE",), t["nRAS"], doc="tRAS"),
        Timing("rank", ("G_ACT",), ("PREA",), t["nRAS"], doc="tRAS"),
        Timing("rank", READ, ("COMP",), t["nCCDL"], doc="tCCD_L (COMP)"),
        Timing("channel", ("COMP",), READ, t["nCCDL"], doc="tCCD_L (COMP)"),
        Timing("channel", ("COMP",), WRITE, t["nRTW"], doc="read to write (COMP)"),
        Timing("rank", WRITE, ("COMP",), written + t["nWTRL"], doc="WL + BL/2 + tWTR_L (COMP)"),
    ]


def _dual_rows(pim: PimDevice) -> list[Timing]:
    """Two row buffers: PIM rows open and close on their own, and COMP has a way of its own to the multipliers.

    Gone with the second buffer: tRC between ACT and G_ACT of a bank (tRRD_L is left), tCCD_L and the write recovery
    before COMP, tRTP between COMP and a precharge of memory. The authors' file keeps tCCD_S and tWTR_S between accesses
    of other bank groups and COMP, which, COMP going to all banks, hold for every access; here they are gone too.
    """
    t = pim.device.timing
    recovered = t["nCWL"] + t["nBL"] + t["nWR"]
    apart = [
        *_held_rows(pim, ("PIM_PRE", "PIM_PREA")),
        Timing("rank", ("ACT",), ("G_ACT",), t["nRRDS"], doc="tRRD_S"),
        Timing("bankgroup", ("ACT",), ("G_ACT",), t["nRRDL"], doc="tRRD_L"),
        Timing("bank", ("G_ACT",), ("ACT",), t["nRRDL"], doc="tRRD_L"),
        Timing("bank", ("PIM_PRE",), ("G_ACT", "REFPB"), t["nRP"], doc="tRP (PIM row)"),
        Timing("rank", ("PIM_PREA",), ("G_ACT", "REFPB", "REFAB"), t["nRPAB"], doc="tRP (PIM rows)"),
        Timing("rank", ("PIM_PRE",), ("REFAB",), t["nRP"], doc="tRP (PIM row)"),
        Timing("bank", ("G_ACT",), ("PIM_PRE",), t["nRAS"], doc="tRAS (PIM row)"),
        Timing("rank", ("G_ACT",), ("PIM_PREA",), t["nRAS"], doc="tRAS (PIM row)"),
        Timing("rank", ("REFAB",), ("PIM_PRE", "PIM_PREA"), t["nRFC"], doc="tRFC"),
    ]
    # PWRITE is a write that ends in the PIM row buffer.
    pwrite = [
        Timing("bank", ("G_ACT",), ("PWRITE",), t["nRCDWR"], doc="tRCD (PWRITE)"),
        Timing("bank", ("PWRITE",), ("PIM_PRE",), recovered, doc="WL + BL/2 + tWR"),
        Timing("rank", ("PWRITE",), ("PIM_PREA",), recovered, doc="WL + BL/2 + tWR"),
        Timing("rank", ("PWRITE",), ("COMP",), t["nCWL"] + t["nBL"] + t["nWTRL"], doc="WL + BL/2 + tWTR_L"),
    ]
    return apart + pwrite + _as_write(pim)


def _as_write(pim: PimDevice) -> list[Timing]:
    """Rows between PWRITE and the other column commands: those of WR (COMP and PWRITE excepted, see above)."""
    found = []
    for row in (*pim.device.constraints, *_compute_rows(pim), *_gwrite_rows(pim)):
        after_write = tuple(c for c in row.following if c in (*READ, "WR", "READRES", "GWRITE"))
        before_write = tuple(c for c in row.preceding if c in (*READ, "WR", "READRES", "GWRITE"))
        if row.level == "bank":
            continue  # the memory row buffer's
        if "WR" in row.preceding and after_write:
            found.append(replace(row, preceding=("PWRITE",), following=after_write))
        if "WR" in row.following and before_write:
            found.append(replace(row, preceding=before_write, following=("PWRITE",)))
        if "WR" in row.preceding and "WR" in row.following:
            found.append(replace(row, preceding=("PWRITE",), following=("PWRITE",)))
    return found
