"""Streams to rows of bits in words of 64, as the compiled simulation reads them, and back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from archgym.errors import InvalidInput
from archgym.rtl.block import Port, Streams

__all__ = ["pack", "pack_lanes", "rows_of", "unpack", "words_of"]

Words = NDArray[np.uint64]

_WORD = 64
_CHUNK = 1 << 16  # rows whose single bits are in memory at once


def words_of(ports: Sequence[Port]) -> int:
    """Words that a row of all these ports takes."""
    return max(-(-sum(port.bits for port in ports) // _WORD), 1)


def rows_of(ports: Sequence[Port], streams: Streams) -> int:
    """Rows of the streams.

    Raises:
        InvalidInput: a port is missing, or has another shape than the first.
    """
    rows = -1
    for port in ports:
        if port.name not in streams:
            raise InvalidInput(f"no values for port {port.name}; got {', '.join(streams) or 'none'}")
        shape = np.shape(streams[port.name])
        rows = shape[0] if rows < 0 else rows
        if shape not in {(rows,), (rows, port.lanes)} or (len(shape) == 1 and port.lanes > 1):
            wanted = f"[{rows}]" if port.lanes == 1 else f"[{rows}, {port.lanes}]"
            raise InvalidInput(f"values of port {port.name} have the shape {list(shape)}; {wanted} is expected")
    return max(rows, 0)


def pack(ports: Sequence[Port], streams: Streams) -> Words:
    """uint64[rows, words]: the ports side by side, the first in the lowest bits."""
    rows = rows_of(ports, streams)
    packed = np.zeros((rows, words_of(ports) * 8), dtype=np.uint8)
    for start in range(0, rows, _CHUNK):
        parts = [_bits(port, streams[port.name][start : start + _CHUNK]) for port in ports]
        octets = np.packbits(np.concatenate(parts, axis=1), axis=1, bitorder="little")
        packed[start : start + len(octets), : octets.shape[1]] = octets
    return packed.view("<u8").astype(np.uint64, copy=False)


def _bits(port: Port, values: NDArray[np.int64]) -> NDArray[np.uint8]:
    """uint8[rows, bits] of one port."""
    octets = np.ascontiguousarray(values.astype("<i8").reshape(len(values), port.lanes, 1)).view(np.uint8)
    bits = np.unpackbits(octets, axis=2, count=port.width, bitorder="little")
    return bits.reshape(len(values), port.bits)


def unpack(ports: Sequence[Port], words: Words) -> dict[str, NDArray[np.int64]]:
    """The streams that rows of words hold."""
    parts: dict[str, list[NDArray[np.int64]]] = {port.name: [] for port in ports}
    for start in range(0, max(len(words), 1), _CHUNK):
        octets = np.ascontiguousarray(words[start : start + _CHUNK].astype("<u8")).view(np.uint8)
        bits, place = np.unpackbits(octets, axis=1, bitorder="little"), 0
        for port in ports:
            parts[port.name].append(_values(port, bits[:, place : place + port.bits]))
            place += port.bits
    return {name: np.concatenate(each) for name, each in parts.items()}


def _values(port: Port, bits: NDArray[np.uint8]) -> NDArray[np.int64]:
    """int64[rows] or int64[rows, lanes] of one port."""
    rows = len(bits)
    wide = np.zeros((rows, port.lanes, _WORD), dtype=np.uint8)
    wide[:, :, : port.width] = bits.reshape(rows, port.lanes, port.width)
    if port.signed:
        wide[:, :, port.width :] = wide[:, :, port.width - 1 : port.width]
    values = np.packbits(wide, axis=2, bitorder="little").view("<i8").astype(np.int64).reshape(rows, port.lanes)
    return values[:, 0] if port.lanes == 1 else values


def pack_lanes(ports: Sequence[Port], lanes: Sequence[Streams]) -> tuple[Words, NDArray[np.int64]]:
    """uint64[64, rows, words] and int64[64], the rows of each lane; lanes that are not given have none.

    Raises:
        InvalidInput: more than 64 lanes.
    """
    if len(lanes) > _WORD:
        raise InvalidInput(f"{len(lanes)} stimuli, at most {_WORD} run side by side")
    packed = [pack(ports, streams) for streams in lanes]
    lengths = np.zeros(_WORD, dtype=np.int64)
    lengths[: len(packed)] = [len(each) for each in packed]
    found = np.zeros((_WORD, max(int(lengths.max(initial=0)), 1), words_of(ports)), dtype=np.uint64)
    for lane, each in enumerate(packed):
        found[lane, : len(each)] = each
    return found, lengths
