"""Cycles and scratchpad accesses of a systolic array, in closed form.

A GEMM [m, k] x [k, n] is cut into folds: two of its dimensions lie on the array, the third is time.

    dataflow  on the rows  on the columns  in time   stays in the array
    ws        k            n               m         filter (weights)
    os        m            n               k         ofmap (sums)
    is        k            m               n         ifmap (inputs)

A fold takes rows (to load what stays; not for os) + rows + cols - 2 (to fill and drain the skewed pipeline) + time
cycles, whatever part of the array it uses. The total is SCALE-Sim v3's, one less than the sum of the folds: SCALE-Sim
reports the number of the last cycle, counted from 0 (its issue 125 notes the difference from RTL).
Sources: SCALE-Sim v3 (scalesim-project/SCALE-Sim, revision 1d62b68, scalesim/compute/systolic_compute_{ws,os,is}.py);
Samajdar et al., "A systematic methodology for characterizing scalability of DNN accelerators using SCALE-Sim",
ISPASS 2020, section III.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym.errors import InvalidInput, UnknownName

__all__ = ["DATAFLOWS", "IS", "OS", "WS", "compute_cycles", "folds", "sram_accesses"]

Ints: TypeAlias = NDArray[np.int64]

DATAFLOWS = ("ws", "os", "is")
WS, OS, IS = range(3)


def dataflow_code(dataflow: str) -> int:
    """Position in `DATAFLOWS`.

    Raises:
        UnknownName: for another name.
    """
    if dataflow not in DATAFLOWS:
        raise UnknownName("dataflow", str(dataflow), DATAFLOWS)
    return DATAFLOWS.index(dataflow)


def compute_cycles(
    m: ArrayLike, n: ArrayLike, k: ArrayLike, rows: ArrayLike, cols: ArrayLike, dataflow: str
) -> Ints | np.int64:
    """Cycles of GEMMs [m, k] x [k, n] on rows x cols arrays when memory never makes them wait, int64, broadcast.

    Raises:
        InvalidInput: for a size below 1.
        UnknownName: for an unknown dataflow.
    """
    sizes = _sizes(m=m, n=n, k=k, rows=rows, cols=cols)
    on_rows, on_cols, time = _mapped(dataflow, *sizes[:3])
    load = 0 if dataflow == "os" else sizes[3]
    return folds(on_rows, on_cols, sizes[3], sizes[4]) * (load + sizes[3] + sizes[4] + time - 2) - 1


def folds(on_rows: Ints, on_cols: Ints, rows: Ints, cols: Ints) -> Ints:
    """How many pieces of rows x cols cover on_rows x on_cols."""
    return -(-on_rows // rows) * -(-on_cols // cols)


def sram_accesses(
    m: ArrayLike, n: ArrayLike, k: ArrayLike, rows: ArrayLike, cols: ArrayLike, dataflow: str
) -> tuple[Ints, Ints, Ints, Ints]:
    """Elements between array and scratchpads: ifmap reads, filter reads, ofmap reads, ofmap writes; int64, broadcast.

    What stays is read once (os: written once); what varies with the row folds only is read again in every column fold,
    and the other way round. Partial sums of ws and is are written in every row fold and read back in all but the first.

    Raises:
        InvalidInput: for a size below 1.
        UnknownName: for an unknown dataflow.
    """
    m, n, k, rows, cols = _sizes(m=m, n=n, k=k, rows=rows, cols=cols)
    on_rows, on_cols, _ = _mapped(dataflow, m, n, k)
    row_folds, col_folds = -(-on_rows // rows), -(-on_cols // cols)
    ifmap, filters, ofmap = m * k, k * n, m * n
    if dataflow == "os":
        return ifmap * col_folds, filters * row_folds, ofmap * 0, ofmap
    if dataflow == "ws":
        return ifmap * col_folds, filters, ofmap * (row_folds - 1), ofmap * row_folds
    return ifmap, filters * col_folds, ofmap * (row_folds - 1), ofmap * row_folds


def _mapped(dataflow: str, m: Ints, n: Ints, k: Ints) -> tuple[Ints, Ints, Ints]:
    return ((k, n, m), (m, n, k), (k, m, n))[dataflow_code(dataflow)]


def _sizes(**given: ArrayLike) -> list[Ints]:
    found = []
    for name, value in given.items():
        array = np.asarray(value)
        if not np.issubdtype(array.dtype, np.integer) or bool((array < 1).any()):
            raise InvalidInput(f"{name}={value!r} is out of range; allowed: whole numbers from 1")
        found.append(array.astype(np.int64))
    return found
