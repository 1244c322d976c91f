"""A layer fold by fold with explicit scratchpad contents: the slow reference of the kernel's closed form.

It moves what each fold needs when that fold runs, so a row of folds that begins with new operands waits for them. The
kernel spreads the same bytes evenly over the folds (a DMA engine that looks ahead, into the halves that are being
filled, can do that). Bytes are the same in both; time is never less here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from archgym.errors import InvalidInput
from archgym.sims.npu import kernel, layout as L
from archgym.sims.npu.layers import Layer
from archgym.sims.npu.systolic import DATAFLOWS
from archgym.sims.npu.table import layer_table

Floats = NDArray[np.float64]

__all__ = ["Run", "fold_by_fold"]


@final
@dataclass(frozen=True)
class Run:
    """What happened: one entry a fold, in order."""

    fold_cycles: float
    """Compute cycles of each fold."""
    moved: Floats
    """Bytes moved while each fold runs, float64[folds]."""
    first: float
    """Bytes that must be there before the first fold."""
    last: float
    """Bytes that leave after the last."""
    bytes_per_cycle: float

    @property
    def cycles(self) -> float:
        """Fold by fold: each takes the longer of its compute and its transfers; one less, as SCALE-Sim counts."""
        slots = np.maximum(self.fold_cycles, self.moved / self.bytes_per_cycle)
        edges = np.ceil(self.first / self.bytes_per_cycle) + np.ceil(self.last / self.bytes_per_cycle)
        return float(np.ceil(slots.sum()) - 1.0 + edges)

    @property
    def total_bytes(self) -> float:
        """All bytes over the link."""
        return float(self.moved.sum() + self.first + self.last)


def fold_by_fold(layer: Layer, design: Floats) -> Run:
    """Run a GEMM or convolution without groups on one array, in the loop order that moves fewer bytes.

    Args:
        layer: one instance only.
        design: a row of `layout.DESIGN_NAMES`, with one array.

    Raises:
        InvalidInput: for a vector layer, more than one instance, more than one array, or a stream that is cut.
    """
    if layer.kind == "vector" or layer.instances != 1 or design[L.D_ARRAYS] != 1:
        raise InvalidInput(f"layer {layer.name!r}: fold by fold runs one GEMM on one array only")
    time = {"ws": layer.rows, "is": layer.n, "os": 0}[DATAFLOWS[int(design[L.D_DATAFLOW])]]
    if time > design[L.D_STREAM]:
        raise InvalidInput(f"layer {layer.name!r}: fold by fold runs one stream, not {time} in {design[L.D_STREAM]:g}s")
    row = layer_table([layer])[0]
    orders = [_ordered(row, design, rows_first) for rows_first in (True, False)]
    return min(orders, key=lambda run: run.total_bytes)


def _ordered(row: Floats, design: Floats, rows_first: bool) -> Run:
    m, n, k, element = row[L.L_M], row[L.L_N], row[L.L_K], design[L.D_ELEMENT]
    rows, cols, flow = design[L.D_ROWS], design[L.D_COLS], DATAFLOWS[int(design[L.D_DATAFLOW])]
    ifmap, filters, ofmap = row[L.L_IFMAP] * element, n * k * element, m * n * element
    sums = m * n * L.SUM_BYTES
    on_rows, on_cols, time, x, y, z, half_x, half_y = {
        "ws": (k, n, m, ifmap, sums, filters, design[L.D_IFMAP], design[L.D_OFMAP]),
        "os": (m, n, k, ifmap, filters, ofmap, design[L.D_IFMAP], design[L.D_FILTER]),
        "is": (k, m, n, filters, sums, ifmap, design[L.D_FILTER], design[L.D_OFMAP]),
    }[flow]
    high, wide = _cuts(on_rows, rows), _cuts(on_cols, cols)
    x_parts, y_parts = x / on_rows * high, y / on_cols * wide
    # What of each part does not stay: one part at a time is held, or as many as fit, the first ones first.
    x_out = np.maximum(0.0, x_parts - half_x) if rows_first else _beyond(x_parts, half_x)
    y_out = _beyond(y_parts, half_y) if rows_first else np.maximum(0.0, y_parts - half_y)
    shape = (len(high), len(wide))
    i, j = np.indices(shape)
    x_moved = np.where(j == 0, x_parts[i], x_out[i])
    if flow == "os":
        y_moved = np.where(i == 0, y_parts[j], y_out[j])
    else:  # sums come back but in the first row of folds, and leave but in the last, when the outputs do
        out = ofmap / on_cols * wide
        y_moved = np.where(i > 0, y_out[j], 0.0) + np.where(i < shape[0] - 1, y_out[j], out[j])
    z_moved = z / (on_rows * on_cols) * high[i] * wide[j]
    if flow == "os":
        first = x / (on_rows * time) * high[0] + y / (on_cols * time) * wide[0]
        last = high[-1] * wide[-1] * element
    else:
        first = z_moved[0, 0] + x / (on_rows * time) * high[0]
        last = wide[-1] * element
    flat, tiles = ((part if rows_first else part.T).ravel() for part in (x_moved + y_moved, z_moved))
    if flow == "os":
        flat = flat + tiles
        flat[0] -= first
    else:  # the next fold's stationary tile is loaded beside this fold
        flat[:-1] += tiles[1:]
        flat[0] -= first - tiles[0]
    flat[-1] -= last
    load = 0.0 if flow == "os" else rows
    return Run(load + rows + cols - 2.0 + time, np.maximum(flat, 0.0), first, last, float(design[L.D_LINK]))


def _cuts(size: float, by: float) -> Floats:
    count = int(kernel.pieces(size, by))
    found = np.full(count, by)
    found[-1] = size - (count - 1) * by
    return found


def _beyond(parts: Floats, half: float) -> Floats:
    ends = np.cumsum(parts)
    found: Floats = np.minimum(parts, np.maximum(0.0, ends - half))
    return found
