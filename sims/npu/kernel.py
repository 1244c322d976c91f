"""Cycles, stalls and traffic of layers on designs, compiled. `VALIDATION.md` derives the memory model.

Row folds are numbered i, column folds j. In every dataflow one operand varies with i only (X: it can be kept while j
runs), one with j only (Y: it can be kept while i runs), and one belongs to a single fold (Z: no choice).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from archgym.sims.jit import entry
from archgym.sims.npu.layout import (
    D_ARRAYS, D_COLS, D_DATAFLOW, D_ELEMENT, D_FILTER, D_IFMAP, D_LANES, D_LINK, D_OFMAP, D_ROWS, D_STREAM, FUSED,
    L_ELEMENTS, L_IFMAP, L_INSTANCES, L_K, L_KIND, L_M, L_N, L_PASSES, L_READS, L_SCALARS, L_TREES, L_WIDTH, MATRIX,
    O_COMPUTE, O_D_FILTER, O_D_IFMAP, O_D_READ, O_D_VREAD, O_D_VWRITE, O_D_WRITE, O_MACS, O_OPS, O_S_FILTER, O_S_IFMAP,
    O_S_READ, O_S_WRITE, O_STALL, O_VECTOR, OUTS, SUM_BYTES,
)  # fmt: skip
from archgym.sims.npu.systolic import OS, WS

Floats = NDArray[np.float64]


@entry
def pieces(size: float, by: float) -> float:
    """Quotient, rounded up."""
    found: float = np.ceil(size / by)
    return found


@entry
def excess(total: float, each: float, count: float, half: float) -> float:
    """What of `count` parts of `total` does not fit `half` when one at a time is held; all but the last are `each`."""
    return (count - 1.0) * max(0.0, each - half) + max(0.0, total - (count - 1.0) * each - half)


@entry
def duration(compute: float, moved: float, first: float, last: float, link: float) -> float:
    """Cycles of a layer: first operands, then compute beside the levelled transfers, then last results."""
    steady = max(0.0, moved - first - last)
    return pieces(first, link) + max(compute, pieces(steady, link)) + pieces(last, link)


@entry
def compute_cycles(
    on_rows: float, on_cols: float, time: float, instances: float, how: int, arrays: float, design: Floats
) -> float:
    """Compute cycles of a layer that `arrays` arrays share: 0 by columns, 1 by n or m elsewhere, 2 by instances.

    Between them the first two are the split over n and the split over m: in output stationary m lies on the rows, in
    the others the second dimension of the output is time, which may be cut into streams.
    """
    rows, cols = design[D_ROWS], design[D_COLS]
    stationary = design[D_DATAFLOW] != OS
    fixed = (rows if stationary else 0.0) + rows + cols - 2.0
    stream = design[D_STREAM] if stationary else time
    if how == 0:
        cols *= arrays
    elif how == 2:
        instances = pieces(instances, arrays)
    elif stationary:
        time = pieces(time, arrays)
    else:
        rows *= arrays
    count = instances * pieces(on_rows, rows) * pieces(on_cols, cols)
    cycles: float = count * (pieces(time, stream) * fixed + time) - 1.0
    return cycles


@entry
def again(
    x: float, x_fold: float, half_x: float, row_folds: float, y: float, y_fold: float, half_y: float, col_folds: float,
    ways: float,
) -> tuple[float, float, float]:  # fmt: skip
    """Bytes of X, of Y one way, and of both that are moved more than once, in the loop order that moves fewer.

    Rows first: a part of X stays while j runs, Y comes round once a row. Columns first: the other way.
    """
    x_rows = (col_folds - 1.0) * excess(x, x_fold, row_folds, half_x)
    y_rows = (row_folds - 1.0) * max(0.0, y - half_y)
    x_cols = (col_folds - 1.0) * max(0.0, x - half_x)
    y_cols = (row_folds - 1.0) * excess(y, y_fold, col_folds, half_y)
    by_rows, by_cols = x_rows + ways * y_rows, x_cols + ways * y_cols
    if by_rows <= by_cols:
        return x_rows, y_rows, by_rows
    return x_cols, y_cols, by_cols


@entry
def shared(layer: Floats, design: Floats, how: int, arrays: float, out: Floats) -> tuple[float, float]:
    """Score a GEMM layer that this many arrays share in one way; returns its cycles and the bytes it moves."""
    m, n, k, instances = layer[L_M], layer[L_N], layer[L_K], layer[L_INSTANCES]
    element, flow = design[D_ELEMENT], design[D_DATAFLOW]
    ifmap, filters, ofmap = layer[L_IFMAP] * element, n * k * element, m * n * element
    # Totals in bytes of what varies by row folds, by column folds and by fold; the halves that hold them; and how often
    # what does not fit is moved in each further pass: partial sums out and in, at their own width.
    half_z = 0.0
    if flow == WS:
        on_rows, on_cols, time, x, z = k, n, m, ifmap, filters
        y, half_x, half_y, ways, half_z = m * n * SUM_BYTES, design[D_IFMAP], design[D_OFMAP], 2.0, design[D_FILTER]
    elif flow == OS:
        on_rows, on_cols, time, x, z = m, n, k, ifmap, ofmap
        y, half_x, half_y, ways = filters, design[D_IFMAP], design[D_FILTER], 1.0
    else:
        on_rows, on_cols, time, x, z = k, m, n, filters, ifmap
        y, half_x, half_y, ways, half_z = m * n * SUM_BYTES, design[D_FILTER], design[D_OFMAP], 2.0, design[D_IFMAP]
    compute = compute_cycles(on_rows, on_cols, time, instances, how, arrays, design)
    rows = design[D_ROWS] * (arrays if how == 1 and flow == OS else 1.0)
    cols = design[D_COLS] * (arrays if how == 0 else 1.0)
    beside = arrays if how == 1 and flow != OS else 1.0
    together = min(arrays, instances) if how == 2 else 1.0
    half_x, half_y, half_z = half_x / together, half_y / together, half_z / together
    row_folds, col_folds = pieces(on_rows, rows), pieces(on_cols, cols)
    # Streams: all but the last are `stream` long, and what stays in the array comes again for each.
    stream = time if flow == OS else min(time, design[D_STREAM] * beside)
    streams = pieces(time, stream)
    ending = time - (streams - 1.0) * stream
    part_x, part_y = x / time, y / time
    x_again, y_again, both = again(
        part_x * ending, part_x * ending / on_rows * rows, half_x, row_folds,
        part_y * ending, part_y * ending / on_cols * cols, half_y, col_folds, ways,
    )  # fmt: skip
    if streams > 1.0:
        x_more, y_more, more = again(
            part_x * stream, part_x * stream / on_rows * rows, half_x, row_folds,
            part_y * stream, part_y * stream / on_cols * cols, half_y, col_folds, ways,
        )  # fmt: skip
        x_again += (streams - 1.0) * x_more
        y_again += (streams - 1.0) * y_more
        both += (streams - 1.0) * more
    z_again = (streams - 1.0) * max(0.0, z - half_z)
    # What must be there before the first cycle: what stays, and one element of every row (os: and column).
    used_rows, used_cols = min(rows, on_rows), min(cols, on_cols)
    last_cols = on_cols - (col_folds - 1.0) * cols
    at_once = min(beside, time)
    if flow == OS:
        first = x / (on_rows * time) * used_rows + y / (on_cols * time) * used_cols
        last = (on_rows - (row_folds - 1.0) * rows) * last_cols * element
    else:
        first = z / (on_rows * on_cols) * used_rows * used_cols + x / (on_rows * time) * used_rows * at_once
        last = last_cols * at_once * element
    moved = (ifmap + filters + ofmap + (both + z_again)) * instances
    at_end = instances - (pieces(instances, arrays) - 1.0) * arrays if how == 2 else 1.0
    cycles = duration(compute, moved, first * together, last * at_end, design[D_LINK])

    out[O_COMPUTE] = compute
    out[O_STALL] = cycles - compute
    out[O_MACS] = m * n * k * instances
    x_again, y_again, z_again = x_again * instances, y_again * instances, z_again * instances
    sums = m * n * instances * SUM_BYTES
    out[O_D_IFMAP], out[O_D_FILTER], out[O_D_WRITE] = ifmap * instances, filters * instances, ofmap * instances
    if flow == WS:
        out[O_S_IFMAP], out[O_S_FILTER] = m * k * instances * element * col_folds, filters * instances * streams
        out[O_D_IFMAP] += x_again
        out[O_D_FILTER] += z_again
    elif flow == OS:
        out[O_S_IFMAP], out[O_S_FILTER] = m * k * instances * element * col_folds, filters * instances * row_folds
        out[O_D_IFMAP] += x_again
        out[O_D_FILTER] += y_again
        out[O_S_WRITE] = ofmap * instances
        return cycles, moved
    else:
        out[O_S_IFMAP], out[O_S_FILTER] = m * k * instances * element * streams, filters * instances * col_folds
        out[O_D_IFMAP] += z_again
        out[O_D_FILTER] += x_again
    out[O_S_READ], out[O_S_WRITE] = sums * (row_folds - 1.0), sums * row_folds
    out[O_D_READ] = y_again
    out[O_D_WRITE] += y_again
    return cycles, moved


@entry
def matrix(layer: Floats, design: Floats, out: Floats) -> float:
    """Score a GEMM layer in the way to share it that takes the fewest cycles, then bytes; returns its cycles.

    Arrays may stay idle, half of them at a time: operands that all of them want at once may not fit the scratchpads.
    Compute cycles are those of the way that computes fastest, so that what memory adds to them is stalls.
    """
    arrays = design[D_ARRAYS]
    if arrays == 1.0:
        return shared(layer, design, 0, 1.0, out)[0]
    least, bytes_moved, best_how, best_arrays, compute = np.inf, np.inf, 0, 1.0, np.inf
    while arrays >= 1.0:
        for how in range(3 if arrays > 1.0 else 1):
            cycles, moved = shared(layer, design, how, arrays, out)
            compute = min(compute, out[O_COMPUTE])
            if cycles < least or (cycles == least and moved < bytes_moved):
                least, bytes_moved, best_how, best_arrays = cycles, moved, how, arrays
        arrays = np.floor(arrays / 2.0)
    out[:] = 0.0
    shared(layer, design, best_how, best_arrays, out)
    out[O_COMPUTE] = compute
    out[O_STALL] = least - compute
    return least


@entry
def tree(width: float, lanes: float) -> float:
    """Passes of an adder tree over `width` elements, `lanes` at a time, until one is left."""
    if lanes < 2.0:
        return width  # one lane adds one element after the other
    total = 1.0
    while width > lanes:
        width = pieces(width, lanes)
        total += width
    return total


@entry
def vector(layer: Floats, design: Floats, out: Floats) -> float:
    """Score a vector layer as if alone; returns the cycles of its operations."""
    lanes, element = design[D_LANES], design[D_ELEMENT]
    elements, width = layer[L_ELEMENTS], layer[L_WIDTH]
    busy: float = pieces(elements, lanes) * layer[L_PASSES]
    reductions = elements / width if width > 0.0 else 0.0
    if reductions > 0.0:
        busy += reductions * (layer[L_TREES] * tree(width, lanes) + layer[L_SCALARS])
    out[O_OPS] = elements * (layer[L_PASSES] + (layer[L_TREES] if width > 0.0 else 0.0)) + reductions * layer[L_SCALARS]
    out[O_S_READ] = layer[L_READS] * element
    out[O_S_WRITE] = elements * element
    return busy


@entry
def one(layer: Floats, design: Floats, slack: float, out: Floats) -> float:
    """Score a layer into `out`; returns in how many of its cycles the vector units still are idle."""
    out[:] = 0.0
    if layer[L_KIND] == MATRIX:
        return matrix(layer, design, out)
    busy = vector(layer, design, out)
    if layer[L_KIND] == FUSED:  # on the previous layer's results as they come, so only what takes longer is seen
        out[O_VECTOR] = max(0.0, busy - slack)
        return max(0.0, slack - busy)
    elements, reads, element = layer[L_ELEMENTS], layer[L_READS], design[D_ELEMENT]
    moved, first = (reads + elements) * element, reads / elements * element
    cycles = duration(busy, moved, first, element, design[D_LINK])
    out[O_VECTOR] = busy
    out[O_STALL] = cycles - busy
    out[O_D_VREAD] = reads * element
    out[O_D_VWRITE] = elements * element
    return cycles - busy


@entry
def by_layer(layers: Floats, design: Floats, out: Floats) -> None:
    """One design, layer by layer: float64[layers, OUTS]."""
    slack = 0.0
    for row in range(len(layers)):
        slack = one(layers[row], design, slack, out[row])


@entry
def score(layers: Floats, designs: Floats, out: Floats) -> None:
    """Every design on the whole network: float64[n, OUTS], sums over layers."""
    part = np.empty(OUTS)
    for row in range(len(designs)):
        slack = 0.0
        out[row] = 0.0
        for layer in range(len(layers)):
            slack = one(layers[layer], designs[row], slack, part)
            out[row] += part
