"""One design and its score as dictionaries, for tests of the NPU kernel."""

from __future__ import annotations

import numpy as np

from archgym.sims.npu import kernel, layout as L
from archgym.sims.npu.table import layer_table


def design(**changed):
    given = dict(zip(L.DESIGN_NAMES, (4, 4, 1, 0, 1 << 12, 1 << 12, 1 << 12, 8.0, 16, 1, 1 << 30), strict=True))
    given.update(changed)
    return np.array([given[name] for name in L.DESIGN_NAMES], dtype=np.float64)


def scored(layers, row):
    layers = layers if isinstance(layers, (list, tuple)) else [layers]
    out = np.zeros((1, L.OUTS))
    kernel.score(layer_table(layers), np.atleast_2d(row), out)
    return dict(zip(L.OUT_NAMES, out[0], strict=True))


def cycles(found):
    return found["compute_cycles"] + found["vector_cycles"] + found["stall_cycles"]


def dram(found):
    return sum(value for name, value in found.items() if name.startswith("dram"))
