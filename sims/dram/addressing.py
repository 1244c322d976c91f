"""From byte addresses to channel, rank, bank group, bank, row and column.

A mapping is an order of fields, most significant first: Ro row, Ra rank, Bg bank group, Ba bank, Co column (of bursts),
Ch channel (and pseudo channel below it). Sizes need not be powers of two; addresses wrap round at the capacity.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from archgym.errors import UnknownName
from archgym.sims.dram.layout import (
    A_ARRIVAL,
    A_BANK,
    A_COLUMN,
    A_FOLLOWING,
    A_ROW,
    A_WRITE,
    ACCESS_FIELDS,
    Accesses,
)  # fmt: skip
from archgym.sims.dram.spec import Device

MAPPINGS: Mapping[str, str] = MappingProxyType(
    {
        "RoRaBaBgCoCh": "row, bank, column (RBC): with one channel, the predecessor's am_ddr3_8x1Gbx8_dimm_p1KB_rbc",
        "RoChRaBaBgCo": "DRAMsim3's rochrababgco",
        "RoBaRaCoCh": "Ramulator 2's RoBaRaCoCh (bank above bank group, above rank)",
        "RoRaBaCoBgCh": "consecutive lines go to different bank groups",
        "RoCoRaBaBgCh": "row, column, bank (RCB): consecutive lines go to different banks",
        "RoRaBaBgCoCh-xor": "RBC with the bank number XORed with the low bits of the row (permutation-based)",
    }
)
"""Named mappings. XOR hash: Zhang, Zhu, Zhang, "A permutation-based page interleaving scheme", MICRO 2000."""

_ORDER = {"RoBaRaCoCh": ("Ro", "Ba", "Bg", "Ra", "Co", "Ch")}


def order(mapping: str) -> tuple[str, ...]:
    """Fields of a named mapping, most significant first.

    Raises:
        UnknownName: when there is no such mapping.
    """
    if mapping not in MAPPINGS:
        raise UnknownName("address mapping", mapping, MAPPINGS)
    name = mapping.partition("-")[0]
    return _ORDER.get(mapping, tuple(name[i : i + 2] for i in range(0, len(name), 2)))


def decode(
    address: NDArray[np.uint64], mapping: str, device: Device, channels: int = 1, ranks: int = 1
) -> dict[str, NDArray[np.int64]]:
    """Split addresses into fields "channel", "pseudochannel", "rank", "bankgroup", "bank", "row", "column".

    The column counts bursts within the row.

    Raises:
        UnknownName: when there is no such mapping.
    """
    sizes = {
        "Ro": device.rows, "Ra": ranks, "Bg": device.bankgroups, "Ba": device.banks_per_group,
        "Co": device.row_bytes // device.access_bytes, "Ch": channels * device.pseudochannels,
    }  # fmt: skip
    rest = (address // np.uint64(device.access_bytes)).astype(np.int64)
    fields = {}
    for name in reversed(order(mapping)):
        rest, fields[name] = np.divmod(rest, sizes[name])
    if mapping.endswith("-xor"):
        _hash(fields, device)
    return {
        "channel": fields["Ch"] // device.pseudochannels,
        "pseudochannel": fields["Ch"] % device.pseudochannels,
        "rank": fields["Ra"],
        "bankgroup": fields["Bg"],
        "bank": fields["Ba"],
        "row": fields["Ro"],
        "column": fields["Co"],
    }


def _hash(fields: dict[str, NDArray[np.int64]], device: Device) -> None:
    """XOR the row's low bits into bank and bank group (add, where their number is no power of two)."""
    row, shift = fields["Ro"], 1
    for name, size in (("Bg", device.bankgroups), ("Ba", device.banks_per_group)):
        low = row // shift % size
        fields[name] = fields[name] ^ low if size & (size - 1) == 0 else (fields[name] + low) % size
        shift *= size


def accesses(
    address: NDArray[np.uint64],
    write: NDArray[np.bool_],
    arrival: NDArray[np.int64],
    mapping: str,
    device: Device,
    channels: int,
    ranks: int,
    request_bytes: int,
) -> Accesses:
    """Decode requests of `request_bytes` into bursts: as many as one request needs, at consecutive addresses."""
    bursts = max(1, -(-request_bytes // device.access_bytes))
    n = len(address) * bursts
    if bursts > 1:
        base = address // np.uint64(request_bytes) * np.uint64(request_bytes)
        address = (base[:, None] + np.arange(bursts, dtype=np.uint64) * np.uint64(device.access_bytes)).reshape(-1)
    found = decode(address, mapping, device, channels, ranks)
    unit = found["channel"] * device.pseudochannels + found["pseudochannel"]
    bank = ((unit * ranks + found["rank"]) * device.bankgroups + found["bankgroup"]) * device.banks_per_group
    following, first = _chains(found["channel"], channels)
    table = np.empty((n, ACCESS_FIELDS), dtype=np.int64)
    table[:, A_BANK] = bank + found["bank"]
    table[:, A_ROW], table[:, A_COLUMN] = found["row"], found["column"]
    table[:, A_WRITE] = np.repeat(write, bursts)
    table[:, A_ARRIVAL] = np.repeat(arrival, bursts)
    table[:, A_FOLLOWING] = following
    return Accesses(table, first, bursts)


def _chains(channel: NDArray[np.int64], channels: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Link the accesses of each channel: the next of each, and the first of each channel (-1: none)."""
    following = np.full(len(channel), -1, dtype=np.int64)
    first = np.full(channels, -1, dtype=np.int64)
    order_ = np.argsort(channel, kind="stable")
    sorted_channel = channel[order_]
    same = sorted_channel[1:] == sorted_channel[:-1]
    following[order_[:-1][same]] = order_[1:][same]
    starts = np.flatnonzero(np.r_[True, ~same]) if len(channel) else np.empty(0, dtype=np.int64)
    first[sorted_channel[starts]] = order_[starts]
    return following, first
