"""Streams of values to flat bit vectors of ports, and back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from archgym.errors import InvalidInput
from archgym.rtl.block import Port

__all__ = ["pack", "unpack"]

_LARGEST = 64  # bits of a value; int64 holds the pattern of an unsigned one


def pack(port: Port, values: NDArray[np.int64]) -> list[int]:
    """Values int64[n] or int64[n, lanes] as n flat vectors, lane 0 in the lowest bits.

    Raises:
        InvalidInput: for a wrong shape, or a value that does not fit the port (says which).
    """
    rows = np.asarray(values, dtype=np.int64).reshape(len(values), -1)
    if rows.shape[1] != port.lanes:
        raise InvalidInput(f"port {port.name} has {port.lanes} lanes, got values of shape {np.shape(values)}")
    (low, high), numbers = bounds(port), port.numbers(rows)
    bad = np.argwhere((numbers < low) | (numbers > high))
    if len(bad):
        beat, lane = bad[0]
        raise InvalidInput(f"port {port.name}, beat {beat}, lane {lane}: {rows[beat, lane]} is not in {low} to {high}")
    bits = (rows[:, :, None] >> np.arange(port.width)) & 1  # arithmetic shift: two's complement
    packed = np.packbits(bits.astype(np.uint8).reshape(len(rows), port.bits), axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in packed]


def unpack(port: Port, vectors: Sequence[int]) -> NDArray[np.int64]:
    """Flat vectors as values, int64[n] of a port of one lane and int64[n, lanes] else."""
    size = -(-port.bits // 8)
    data = b"".join(vector.to_bytes(size, "little") for vector in vectors)
    packed = np.frombuffer(data, dtype=np.uint8).reshape(len(vectors), size)
    bits = np.unpackbits(packed, axis=1, count=port.bits, bitorder="little").astype(np.int64)
    weights = np.left_shift(np.int64(1), np.arange(port.width, dtype=np.int64))
    if port.signed:
        weights[-1] = -weights[-1]
    values: NDArray[np.int64] = bits.reshape(len(vectors), port.lanes, port.width) @ weights
    return values[:, 0] if port.lanes == 1 else values


def bounds(port: Port) -> tuple[int, int]:
    """Smallest and largest value of a lane.

    Raises:
        InvalidInput: for a lane that int64 cannot hold.
    """
    if port.width > _LARGEST:
        raise InvalidInput(f"port {port.name}: {port.width} bits a lane; at most {_LARGEST} fit int64")
    if port.signed:
        return -(1 << (port.width - 1)), (1 << (port.width - 1)) - 1
    return 0, (1 << port.width) - 1
