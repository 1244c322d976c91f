from __future__ import annotations

import numpy as np
import pytest

from archgym.sims.dram.workloads import LINE_BYTES, WORKLOADS, fingerprint, load
from archgym.sims.dram.workloads.captured import CAPTURED, place


@pytest.mark.parametrize("name", CAPTURED)
def test_shipped_traces_could_have_left_a_write_back_cache(name):
    trace = load(name)
    assert trace.name == name
    assert len(trace) == 20_000
    assert trace.clock_ps == 500
    assert "LLC 256K/8" in trace.source
    assert not trace.source.startswith("/root")
    # A write is a line brought in before: by a read here, or before the capture began and still cached then.
    cached = (256 + 32) * 1024 // LINE_BYTES
    assert (np.cumsum(trace.write) <= cached + np.cumsum(~trace.write)).all()
    assert 0.45 < trace.read_share < 1
    lines = trace.address // np.uint64(LINE_BYTES)
    assert (trace.address % LINE_BYTES == 0).all()
    assert (np.diff(lines[~trace.write].astype(np.int64)) != 0).all()  # a line just read is in the cache
    assert (trace.address < 64 << 20).all()  # pages are dense: the programs touch less than 64 MiB


def test_shipped_traces_differ_and_are_small():
    assert len({fingerprint(name) for name in CAPTURED}) == len(CAPTURED) >= 4
    assert sum(place(name).stat().st_size for name in CAPTURED) < 1 << 20
    assert {path.stem for path in place("sort").parent.glob("*.npz")} == set(CAPTURED)
    assert all(WORKLOADS[name].doc.startswith("captured: ") for name in CAPTURED)
    rates = [len(trace) / trace.span_cycles for trace in map(load, CAPTURED)]
    assert max(rates) > 20 * min(rates)


def test_the_table_tells_the_truth():
    text = (place("sort").parents[1] / "workloads" / "TRACES.md").read_text(encoding="utf-8")
    rows = {line.split("|")[1].strip(" `"): line for line in text.splitlines() if line.startswith("| `")}
    assert set(rows) == set(CAPTURED)
    for name, row in rows.items():
        trace = load(name)
        for figure in (f"{len(trace):,}", f"{100 * trace.read_share:.0f} %", f"{trace.footprint_bytes / 1024:.0f} KiB"):
            assert f"| {figure} |" in row
    script = (place("sort").parent / "regenerate.sh").read_text(encoding="utf-8")
    for name in CAPTURED:
        assert f"\ncapture {name} " in script
