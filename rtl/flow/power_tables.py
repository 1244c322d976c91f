"""Energies from look-up tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from archgym.rtl.tech.liberty import Table

__all__ = ["look_up"]

Floats = NDArray[np.float64]


def look_up(table: Table, slew_ns: Floats, load_ff: Floats) -> Floats:
    """Bilinear between the entries of a table, and along the outermost cell beyond them (as OpenSTA extrapolates)."""
    row, along = _place(table.index_1, slew_ns)
    column, across = _place(table.index_2, load_ff)
    below, right = min(1, len(table.index_1) - 1), min(1, len(table.index_2) - 1)
    values = table.values
    first = values[row, column] * (1 - across) + values[row, column + right] * across
    second = values[row + below, column] * (1 - across) + values[row + below, column + right] * across
    found: Floats = first * (1 - along) + second * along
    return found


def _place(index: Floats, at: Floats) -> tuple[NDArray[np.intp], Floats]:
    """The entry before a point and the fraction of the way to the next, below 0 or above 1 outside."""
    if len(index) == 1:
        return np.zeros(len(at), dtype=np.intp), np.zeros(len(at))
    before = np.clip(np.searchsorted(index, at, side="right") - 1, 0, len(index) - 2)
    return before, (at - index[before]) / (index[before + 1] - index[before])
