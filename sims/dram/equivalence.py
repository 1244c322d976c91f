"""Which settings cannot differ: each rule follows from the mechanism, and a brute-force test holds them to it.

Rules work on coded columns {knob: int64[n]} (`controller.Knob.code`) and replace dead or equivalent values by one
representative. `bursts` is accesses per request; a limit on requests under way is `bursts` times as many accesses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym.sims.dram import layout as L
from archgym.sims.dram.addressing import MAPPINGS, order
from archgym.sims.dram.controller import watermark_entries
from archgym.sims.dram.spec import Device
from archgym.space import DesignSpace

Columns = dict[str, NDArray[np.int64]]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Setting:
    """What the rules need to know besides the knobs."""

    device: Device
    channels: int
    ranks: int
    bursts: int
    choices: Mapping[str, tuple[int, ...]]
    """Codes on offer, per knob: a representative is one of them."""

    @property
    def single(self) -> bool:
        """One data bus, so that answers leave the controller in the order of the column commands."""
        return self.channels * self.device.pseudochannels == 1


def collapse(columns: Columns, at: Setting) -> Columns:
    """Replace what cannot make a difference."""
    c = {name: values.copy() for name, values in columns.items()}
    strict = c["CmdMux"] == L.MUX_STRICT
    _put(c, at, "Scheduler", L.FIFO, strict)  # nothing may overtake
    draining = (c["SchedulerBuffer"] == L.READ_WRITE) & (c["WriteHighWatermark"] > 0) & ~strict
    _watermarks(c, at, draining)
    for knob in ("RefreshMaxPostponed", "RefreshMaxPulledin"):
        _first(c, at, knob, c["RefreshPolicy"] == L.NO_REFRESH)
    _never_full(c, at, draining)
    _one_request(c, at, draining)
    # A closed row is opened for the oldest request and closed by it: FrFcfs never finds another hit.
    _put(c, at, "Scheduler", L.FIFO, (c["PagePolicy"] == L.CLOSED) & (c["Scheduler"] == L.FRFCFS) & ~draining)
    _responses(c, at)
    _arbiter(c, at)
    _mappings(c, at)
    return c


def without_writes(columns: Columns, at: Setting) -> Columns:
    """As `collapse`, for a trace of reads only: nothing to group, no write buffer."""
    c = {name: values.copy() for name, values in columns.items()}
    everything = np.ones(len(c["Scheduler"]), dtype=np.bool_)
    _put(c, at, "Scheduler", L.FRFCFS, c["Scheduler"] == L.FRFCFS_GRP)
    _put(c, at, "SchedulerBuffer", L.SHARED, c["SchedulerBuffer"] == L.READ_WRITE)
    _first(c, at, "WriteHighWatermark", everything)
    _first(c, at, "WriteLowWatermark", everything)
    return collapse(c, at)


def _put(c: Columns, at: Setting, knob: str, code: int, where: Mask) -> None:
    """Set a code if the space has it (a knob that is no parameter has one choice, its fixed value)."""
    if code in at.choices[knob]:
        c[knob][where] = code


def _first(c: Columns, at: Setting, knob: str, where: Mask) -> None:
    c[knob][where] = at.choices[knob][0]


def _watermarks(c: Columns, at: Setting, draining: Mask) -> None:
    """Dead without draining; else only the numbers of writes they come to matter."""
    _first(c, at, "WriteHighWatermark", (c["WriteHighWatermark"] > 0) & ~draining)
    _first(c, at, "WriteLowWatermark", ~draining)
    size = c["RequestBufferSize"]
    high, low = watermark_entries(size, c["WriteHighWatermark"], c["WriteLowWatermark"])
    for value in reversed([v for v in at.choices["WriteHighWatermark"] if v > 0]):
        same = draining & (watermark_entries(size, np.full_like(size, value), c["WriteLowWatermark"])[0] == high)
        c["WriteHighWatermark"][same] = value
    for value in reversed(at.choices["WriteLowWatermark"]):
        same = draining & (watermark_entries(size, c["WriteHighWatermark"], np.full_like(size, value))[1] == low)
        c["WriteLowWatermark"][same] = value


def _never_full(c: Columns, at: Setting, draining: Mask) -> None:
    """A buffer with room for all requests under way never fills: neither its size nor its kind matters."""
    under_way = c["MaxActiveTransactions"] * at.bursts
    roomy = (c["Arbiter"] != L.ARB_SIMPLE) & (c["RequestBufferSize"] >= under_way) & ~draining
    _put(c, at, "SchedulerBuffer", L.BANKWISE, roomy)
    for size in reversed(at.choices["RequestBufferSize"]):
        c["RequestBufferSize"][roomy & (size >= under_way)] = size


def _one_request(c: Columns, at: Setting, draining: Mask) -> None:
    """With at most one request in a bank there is nothing to choose, and no "further" request."""
    one = c["RequestBufferSize"] == 1
    lonely = (c["Arbiter"] != L.ARB_SIMPLE) & (c["MaxActiveTransactions"] * at.bursts == 1)
    in_channel = (one & (c["SchedulerBuffer"] == L.SHARED)) | (lonely & ~draining)
    in_bank = in_channel | (one & (c["SchedulerBuffer"] == L.BANKWISE))
    _put(c, at, "CmdMux", L.MUX_OLDEST, in_channel)
    _put(c, at, "Scheduler", L.FIFO, in_bank)
    _put(c, at, "PagePolicy", L.OPEN, in_bank & (c["PagePolicy"] == L.OPEN_ADAPTIVE))
    _put(c, at, "PagePolicy", L.CLOSED, in_bank & (c["PagePolicy"] == L.CLOSED_ADAPTIVE))


def _responses(c: Columns, at: Setting) -> None:
    """Answers that come in order need no sorting; and sorting twice is sorting once."""
    one = (c["RequestBufferSize"] == 1) & (c["SchedulerBuffer"] == L.SHARED)
    lonely = (c["Arbiter"] != L.ARB_SIMPLE) & (c["MaxActiveTransactions"] * at.bursts == 1)
    in_order = one | lonely | (c["CmdMux"] == L.MUX_STRICT)
    _put(c, at, "RespQueue", L.RESP_FIFO, in_order)
    if not at.single:
        return
    _put(c, at, "Arbiter", L.ARB_FIFO, in_order & (c["Arbiter"] == L.ARB_REORDER))
    sorted_ = (c["Arbiter"] == L.ARB_FIFO) & (c["RespQueue"] == L.RESP_REORDER)
    if L.ARB_REORDER in at.choices["Arbiter"] and L.RESP_FIFO in at.choices["RespQueue"]:
        c["Arbiter"][sorted_] = L.ARB_REORDER
        c["RespQueue"][c["Arbiter"] == L.ARB_REORDER] = L.RESP_FIFO


def _arbiter(c: Columns, at: Setting) -> None:
    """MaxActiveTransactions is the Fifo and Reorder arbiters'; where it can never bind, Fifo is Simple."""
    if at.single:
        t, device = at.device.timing, at.device
        banks = at.ranks * device.bankgroups * device.banks_per_group
        size, kind = c["RequestBufferSize"], c["SchedulerBuffer"]
        held = np.select([kind == L.BANKWISE, kind == L.READ_WRITE], [size * banks, 2 * size], size)
        # Between column command and room for a successor: the answer, and the cycle after it.
        longest, apart = max(t["nCL"], t["nCWL"]) + t["nBL"] + 1, min(t["nCCDS"], t["nBL"])
        under_way = held + -(-longest // apart) + 1
        free = c["MaxActiveTransactions"] * at.bursts >= under_way
        _put(c, at, "Arbiter", L.ARB_SIMPLE, free & (c["Arbiter"] == L.ARB_FIFO) & (c["RespQueue"] == L.RESP_FIFO))
    _first(c, at, "MaxActiveTransactions", c["Arbiter"] == L.ARB_SIMPLE)


def _mappings(c: Columns, at: Setting) -> None:
    """Orders of fields that differ only in fields of size one."""
    device = at.device
    sizes = {
        "Ro": device.rows, "Ra": at.ranks, "Bg": device.bankgroups, "Ba": device.banks_per_group,
        "Co": device.row_bytes // device.access_bytes, "Ch": at.channels * device.pseudochannels,
    }  # fmt: skip
    names = tuple(MAPPINGS)
    found: dict[tuple[tuple[str, ...], bool], int] = {}
    for code in at.choices["AddressMapping"]:
        key = (tuple(field for field in order(names[code]) if sizes[field] > 1), names[code].endswith("-xor"))
        c["AddressMapping"][c["AddressMapping"] == code] = found.setdefault(key, code)


def codes_of(
    space: DesignSpace, fixed: Mapping[str, int], code: Mapping[str, tuple[int, ...]]
) -> dict[str, tuple[int, ...]]:
    """Codes on offer per knob: those of the space's parameters, or the fixed value."""
    return {**{knob: (value,) for knob, value in fixed.items()}, **{name: code[name] for name in space.names}}
