"""Traffic of the NPU kernel: by hand, and against a scratchpad that follows every element."""

from __future__ import annotations

import math

import numpy as np
import pytest
from npu_cases import design, scored

from archgym.sims.npu import layout as L
from archgym.sims.npu.layers import gemm
from archgym.sims.npu.systolic import DATAFLOWS, compute_cycles, sram_accesses


class Pad:
    """Half a scratchpad: keeps the elements that come first until told to forget; counts what it moves."""

    def __init__(self, half, width):
        self.room, self.width = half // width, width
        self.kept, self.seen = set(), set()
        self.read = self.written = 0

    def operand(self, element):
        if element not in self.kept:
            self.read += self.width
            if len(self.kept) < self.room:
                self.kept.add(element)

    def total(self, element, visit, visits, result_width):
        """A partial sum is visited `visits` times; the last visit writes the result."""
        if visit and element not in self.kept:
            self.read += self.width
        if visit == visits - 1:
            self.written += result_width
        elif element not in self.kept and len(self.kept) < self.room:
            self.kept.add(element)
        elif element not in self.kept:
            self.written += self.width


def brute_streams(m, n, k, row):
    """The same with a long time cut: each stream in the better order; what stays in the array comes again for each."""
    flow, stream = DATAFLOWS[int(row[L.D_DATAFLOW])], int(row[L.D_STREAM])
    width, total, tiles = int(row[L.D_ELEMENT]), np.zeros(4), 0
    time = {"ws": m, "is": n, "os": stream}[flow]
    pad = Pad(row[L.D_FILTER if flow == "ws" else L.D_IFMAP], width)
    for start in range(0, time, stream):
        length = min(stream, time - start)
        sizes = {"ws": (length, n, k), "is": (m, length, k), "os": (m, n, k)}[flow]
        total += min((brute_traffic(*sizes, row, rows_first) for rows_first in (True, False)), key=sum)
        if flow != "os":
            stays = n * k if flow == "ws" else m * k
            total[1 if flow == "ws" else 0] -= stays * width
            for element in range(stays):
                pad.operand(element)
            tiles = pad.read
    total[1 if flow == "ws" else 0] += tiles
    return tuple(total)


def brute_traffic(m, n, k, row, rows_first):
    """Bytes (ifmap, filter, ofmap in, ofmap out) of one GEMM on one array, following every element of every fold."""
    rows, cols, flow = int(row[L.D_ROWS]), int(row[L.D_COLS]), DATAFLOWS[int(row[L.D_DATAFLOW])]
    width = int(row[L.D_ELEMENT])
    on_rows, on_cols = {"ws": (k, n), "os": (m, n), "is": (k, m)}[flow]
    a, b, c = Pad(row[L.D_IFMAP], width), Pad(row[L.D_FILTER], width), Pad(row[L.D_OFMAP], L.SUM_BYTES)
    high, wide = math.ceil(on_rows / rows), math.ceil(on_cols / cols)
    order = [(i, j) for i in range(high) for j in range(wide)] if rows_first else [
        (i, j) for j in range(wide) for i in range(high)]  # fmt: skip
    by_rows, by_cols = {"ws": (a, c), "os": (a, b), "is": (b, c)}[flow]
    before, tiles, out = None, {"ifmap": 0, "filter": 0}, 0
    for i, j in order:
        outer = i if rows_first else j
        if outer != before:  # what varies with the outer loop is not needed again
            (by_rows if rows_first else by_cols).kept.clear()
            before = outer
        r = range(i * rows, min((i + 1) * rows, on_rows))
        s = range(j * cols, min((j + 1) * cols, on_cols))
        if flow == "ws":
            tiles["filter"] += len(r) * len(s) * width
            for x in ((row_, kk) for kk in r for row_ in range(m)):
                a.operand(x)
            for y in ((row_, nn) for nn in s for row_ in range(m)):
                c.total(y, i, high, width)
        elif flow == "is":
            tiles["ifmap"] += len(r) * len(s) * width
            for x in ((kk, nn) for kk in r for nn in range(n)):
                b.operand(x)
            for y in ((mm, nn) for mm in s for nn in range(n)):
                c.total(y, i, high, width)
        else:
            out += len(r) * len(s) * width
            for x in ((mm, kk) for mm in r for kk in range(k)):
                a.operand(x)
            for y in ((kk, nn) for nn in s for kk in range(k)):
                b.operand(y)
    return a.read + tiles["ifmap"], b.read + tiles["filter"], c.read, c.written + out


@pytest.mark.parametrize("dataflow", DATAFLOWS)
@pytest.mark.parametrize("seed", range(12))
def test_traffic_is_that_of_a_scratchpad_that_follows_every_element(dataflow, seed):
    rng = np.random.default_rng(seed)
    for _ in range(4):
        m, n, k = (int(size) for size in rng.integers(1, 14, 3))
        element = int(rng.choice([1, 2]))
        row = design(
            rows=int(rng.integers(1, 5)), cols=int(rng.integers(1, 5)), dataflow=DATAFLOWS.index(dataflow),
            half_ifmap=element * int(rng.integers(1, 90)), half_filter=element * int(rng.integers(1, 90)),
            half_ofmap=L.SUM_BYTES * int(rng.integers(1, 90)), element_bytes=element,
        )  # fmt: skip
        found = scored(gemm("g", m, n, k), row)
        orders = [brute_traffic(m, n, k, row, rows_first) for rows_first in (True, False)]
        got = tuple(found[f"dram_{name}"] for name in ("ifmap", "filter", "ofmap_read", "ofmap_write"))
        assert sum(got) == min(sum(each) for each in orders)
        assert got in orders


@pytest.mark.parametrize("dataflow", DATAFLOWS)
@pytest.mark.parametrize("seed", range(12))
def test_streams_cut_the_time_and_bring_what_stays_again(dataflow, seed):
    rng = np.random.default_rng(50 + seed)
    for _ in range(4):
        m, n, k = (int(size) for size in rng.integers(1, 14, 3))
        rows, cols, length = (int(size) for size in rng.integers(1, 6, 3))
        row = design(
            rows=rows, cols=cols, dataflow=DATAFLOWS.index(dataflow), stream=length,
            half_ifmap=int(rng.integers(1, 90)), half_filter=int(rng.integers(1, 90)),
            half_ofmap=L.SUM_BYTES * int(rng.integers(1, 50)),
        )  # fmt: skip
        found = scored(gemm("g", m, n, k), row)
        got = tuple(found[f"dram_{name}"] for name in ("ifmap", "filter", "ofmap_read", "ofmap_write"))
        assert sum(got) == sum(brute_streams(m, n, k, row))
        # Each stream is a GEMM of its own, and takes as long as one; they follow each other as folds do.
        pieces_ = [(m, n, k)]
        if dataflow != "os":
            time = m if dataflow == "ws" else n
            lengths = [min(length, time - start) for start in range(0, time, length)]
            pieces_ = [(each, n, k) if dataflow == "ws" else (m, each, k) for each in lengths]
        alone = [int(compute_cycles(*each, rows, cols, dataflow)) for each in pieces_]
        assert found["compute_cycles"] == sum(alone) + len(alone) - 1
        accesses = np.sum([sram_accesses(*each, rows, cols, dataflow) for each in pieces_], axis=0)
        width = 1 if dataflow == "os" else L.SUM_BYTES
        names = ("sram_ifmap_read", "sram_filter_read", "sram_ofmap_read", "sram_ofmap_write")
        assert [found[name] for name in names] == [*accesses[:2], *(accesses[2:] * width)]


def test_several_arrays_share_a_stream():
    # 4000 rows over four arrays in streams of 300: 1000 each, in 4 streams of one fold of 22 cycles beside.
    row = design(rows=8, cols=8, arrays=4, stream=300)
    assert scored(gemm("g", 4000, 8, 8), row)["compute_cycles"] == 4 * 22 + 1000 - 1


def test_traffic_by_hand():
    # 4x4 array, weight stationary, [8, 8] x [8, 8]: 2 x 2 folds. Nothing fits but a row: inputs come once per column
    # fold, each of the two row folds touches all sums: out and in once, then the results.
    found = scored(gemm("g", 8, 8, 8), design(half_ifmap=0, half_filter=16, half_ofmap=0))
    assert found["dram_ifmap"] == 2 * 64
    assert found["dram_filter"] == 64
    assert found["dram_ofmap_read"] == 64 * 4
    assert found["dram_ofmap_write"] == 64 * 4 + 64
    # Sums of one column fold (8 x 4) fit: columns first, no sum leaves, inputs still come twice.
    found = scored(gemm("g", 8, 8, 8), design(half_ifmap=0, half_filter=16, half_ofmap=8 * 4 * 4))
    assert [found[f"dram_{name}"] for name in ("ifmap", "filter", "ofmap_read", "ofmap_write")] == [128, 64, 0, 64]
