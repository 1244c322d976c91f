from __future__ import annotations

import itertools
import stat
import sys
from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from archgym.errors import InvalidInput, TraceError, UnknownName
from archgym.sims.dram.workloads import load
from archgym.sims.dram.workloads.cache import CacheFilter, CacheSize
from archgym.sims.dram.workloads.capture import MissingTool, capture
from archgym.sims.dram.workloads.lackey import FETCH, LOAD, STORE, LackeyParser

# As valgrind 3.19 prints it, shortened.
RECORDED = b"""==4242== Lackey, an example Valgrind tool
==4242== Command: /usr/bin/true
==4242==
I  04020290,3
I  04020293,5
 S 1ffeffffe8,8
I  04020f70,4
 L 04037e78,8
 M 0403a9c0,4
==4242== Exit code:       0
"""
ACCESSES = [
    (FETCH, 0x4020290, 3),
    (FETCH, 0x4020293, 5),
    (STORE, 0x1FFEFFFFE8, 8),
    (FETCH, 0x4020F70, 4),
    (LOAD, 0x4037E78, 8),
    (STORE, 0x403A9C0, 4),
]


def parsed(chunks):
    parser = LackeyParser()
    rows = [row for chunk in chunks for row in zip(*(c.tolist() for c in parser.feed(chunk)), strict=True)]
    parser.close()
    return rows


@settings(deadline=None, max_examples=50)
@given(cuts=st.lists(st.integers(0, len(RECORDED)), max_size=6).map(sorted))
def test_recorded_output_is_understood_however_it_is_cut(cuts):
    bounds = [0, *cuts, len(RECORDED)]
    assert parsed(RECORDED[a:b] for a, b in itertools.pairwise(bounds)) == ACCESSES


@pytest.mark.parametrize(
    "line",
    [
        b"X  04020290,3",
        b"I  ,3",
        b"I  0402zz,3",
        b"I  04020290;3",
        b" L 04020290",
        b" Q 0,1",
        b"I  0,0",
        b" ",
        b"I",
        b"",
    ],
)
def test_other_output_is_refused_with_its_line(line):
    parser = LackeyParser()
    parser.feed(b"I  04020290,3\n")
    with pytest.raises(TraceError, match=r"line 3: got .*expected 'I\|L\|S\|M address,size'"):
        parser.feed(b" L 10,4\n" + line + b"\nI  04020290,3\n")


def test_output_that_breaks_off_is_refused():
    parser = LackeyParser()
    parser.feed(b"I  04020290,3\nI  0402")
    with pytest.raises(TraceError, match="line 2: got b'I  0402', expected a whole line"):
        parser.close()


class SlowCache:
    """A list of recently used lines a set, oldest first."""

    def __init__(self, size):
        self.ways, self.sets = size.ways, [OrderedDict() for _ in range(size.sets)]

    def touch(self, line, dirty):
        """(hit, dirty line pushed out or None)."""
        lines = self.sets[line % len(self.sets)]
        hit = line in lines
        lines[line] = lines.pop(line, False) or dirty
        if len(lines) > self.ways:
            victim, was_dirty = lines.popitem(last=False)
            return hit, victim if was_dirty else None
        return hit, None


def slow_filter(accesses, l1, llc, skip):
    instruction_cache, data_cache, last = SlowCache(l1), SlowCache(l1), SlowCache(llc)
    frames, executed, requests = {}, 0, []

    def keep(line, write):
        if executed > skip:
            requests.append((64 * line, write, executed - skip - 1))

    for kind, address, size in accesses:
        executed += kind == FETCH
        for virtual in range(address // 64, (address + size - 1) // 64 + 1):
            line = frames.setdefault(virtual // 64, len(frames)) * 64 + virtual % 64
            hit, pushed = (instruction_cache if kind == FETCH else data_cache).touch(line, kind == STORE)
            if hit:
                continue
            hit, out = last.touch(line, False)
            if not hit:
                keep(line, False)
            if out is not None:
                keep(out, True)
            if pushed is not None:
                _, out = last.touch(pushed, True)
                if out is not None:
                    keep(out, True)
    return requests


def columns(accesses):
    kind, address, size = zip(*accesses, strict=True)
    return np.array(kind, np.uint8), np.array(address, np.int64), np.array(size, np.int64)


def kept(cache):
    return list(zip(*(column.tolist() for column in cache.requests), strict=True))


ACCESS = st.tuples(
    st.sampled_from([FETCH, LOAD, STORE, STORE]),
    # Few pages far apart, so that sets conflict, lines are revisited, and accesses straddle lines and pages.
    st.builds(lambda page, at: page * 0x7F31000 + at, st.integers(0, 5), st.integers(0, 4095)),
    st.sampled_from([1, 4, 8, 32, 128]),
)


@settings(deadline=None, max_examples=150)
@given(
    accesses=st.lists(ACCESS, min_size=1, max_size=300),
    l1=st.sampled_from([CacheSize(64, 1), CacheSize(256, 2), CacheSize(192, 1)]),
    llc=st.sampled_from([CacheSize(64, 1), CacheSize(512, 4), CacheSize(1024, 2), CacheSize(768, 12)]),
    skip=st.sampled_from([0, 3, 20]),
    cut=st.integers(0, 300),
)
def test_filter_keeps_what_a_plain_lru_model_keeps(accesses, l1, llc, skip, cut):
    cache = CacheFilter(l1, llc, skip)
    for part in (accesses[:cut], accesses[cut:]):
        assert not part or cache.feed(columns(part))
    assert kept(cache) == slow_filter(accesses, l1, llc, skip)
    assert cache.instructions == sum(kind == FETCH for kind, _, _ in accesses)


def test_a_stream_of_stores_reads_each_line_and_writes_it_back_when_pushed_out():
    cache = CacheFilter(CacheSize(64, 1), CacheSize(256, 4))
    stores = [row for i in range(8) for row in ((FETCH, 0, 1), (STORE, 4096 + 64 * i, 8))]
    cache.feed(columns(stores))
    reads = [address for address, write, _ in kept(cache) if not write]
    writes = [address for address, write, _ in kept(cache) if write]
    # Line 0 is code; data lines follow in the second frame. The last level ends with the four latest lines, 4 to 7, and
    # those before were pushed out of it.
    assert reads == [0, *(4096 + 64 * i for i in range(8))]
    assert writes == [4096 + 64 * i for i in range(4)]
    assert cache.accesses == 16


def test_limit_stops_the_filter():
    cache = CacheFilter(limit=5)
    assert not cache.feed(columns([(FETCH, 64 * i, 8) for i in range(100)]))
    assert kept(cache) == [(64 * i, False, i) for i in range(5)]


def test_a_program_of_over_eight_gibibytes_is_refused():
    pages = np.arange(1 << 21, dtype=np.int64)  # of 4 KiB
    cache = CacheFilter(limit=1 << 22)
    with pytest.raises(InvalidInput, match="touches more than 8 GiB"):
        cache.feed((np.full(len(pages), FETCH, np.uint8), pages * 4096, np.ones(len(pages), np.int64)))


@pytest.mark.parametrize(("size", "ways"), [(0, 1), (100, 1), (64, 0), (64, 2), (-64, 1)])
def test_caches_that_do_not_divide_are_refused(size, ways):
    with pytest.raises(InvalidInput, match=f"cache of {size} bytes and {ways} ways: expected a positive multiple"):
        CacheSize(size, ways)


@pytest.fixture
def valgrind(tmp_path, monkeypatch):
    """Puts a stand-in on PATH that prints a text to --log-fd and then does as told."""

    def install(text, then="", program="sys.exit(0)"):
        folder = tmp_path / "bin"
        folder.mkdir()
        (folder / "lackey.txt").write_bytes(text)
        script = f"""#!{sys.executable}
import os, sys
log = next(int(a.partition("=")[2]) for a in sys.argv if a.startswith("--log-fd="))
assert "--tool=lackey" in sys.argv and "--trace-mem=yes" in sys.argv
assert sys.argv[-2:] == [{str(folder / "prog")!r}, "arg"]
text = open({str(folder / "lackey.txt")!r}, "rb").read()
with os.fdopen(log, "wb") as out:
    out.write(text)
    {then or "pass"}
print("this goes nowhere")
{program}
"""
        for name, content in (("valgrind", script), ("prog", "#!/bin/sh\n")):
            file = folder / name
            file.write_text(content)
            file.chmod(file.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(folder))

    return install


def test_capture_writes_a_trace_that_loads(valgrind, tmp_path, capfd):
    valgrind(RECORDED)
    found = capture(["prog", "arg"], tmp_path / "a.npz", clock_ps=400)
    assert found.complete
    assert found.instructions == 3
    assert found.accesses == 6  # none of them straddles two lines
    trace = load(tmp_path / "a.npz")
    assert trace.clock_ps == 400
    assert trace.source == "prog arg; L1 32K/8, LLC 1024K/16, skip 0, limit 100000, 400 ps an instruction"
    # Pages in order of first touch: 0x4020, 0x1ffeffff, 0x4037, 0x403a.
    assert trace.address.tolist() == [0x280, 0x1FC0, 0xF40, 0x2E40, 0x39C0]
    assert trace.arrival.tolist() == [0, 1, 2, 2, 2]
    assert not trace.write.any()
    assert "nowhere" not in "".join(capfd.readouterr())


def test_capture_stops_a_program_at_the_limit(valgrind, tmp_path):
    endless = "while True:\n        out.write(text)"
    valgrind(b"".join(b"I  %08x,4\n" % (64 * i) for i in range(1000)), then=endless)
    found = capture(["prog", "arg"], tmp_path / "a.stl", limit=7)
    assert not found.complete
    assert load(tmp_path / "a.stl").address.tolist() == [64 * i for i in range(7)]


@pytest.mark.parametrize(
    ("text", "program", "error", "part"),
    [
        (RECORDED, "sys.exit('disk on fire')", InvalidInput, "status 1: disk on fire"),
        (RECORDED, "sys.exit(3)", InvalidInput, "status 3: (it said nothing)"),
        (b"I  0402zz,3\n" * 9, "", TraceError, "line 1: got b'I  0402zz,3'"),
        (b"I  0402", "", TraceError, "line 1: got b'I  0402'"),
        (b"", "", InvalidInput, "no memory request after 0 of its 0 instructions"),
    ],
)
def test_capture_that_goes_wrong_leaves_no_file(valgrind, tmp_path, text, program, error, part):
    valgrind(text, program=program)
    with pytest.raises(error) as caught:
        capture(["prog", "arg"], tmp_path / "a.npz")
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "a.npz").exists()


def test_capture_says_what_is_missing(valgrind, tmp_path, monkeypatch):
    valgrind(RECORDED)
    with pytest.raises(InvalidInput, match="command 'porg' not found"):
        capture(["porg"], tmp_path / "a.npz")
    with pytest.raises(InvalidInput, match="got no command"):
        capture([], tmp_path / "a.npz")
    with pytest.raises(UnknownName, match="suffix of the trace file"):
        capture(["prog"], tmp_path / "a.xyz")
    for options in ({"skip": -1}, {"limit": 0}, {"clock_ps": 0}):
        with pytest.raises(InvalidInput, match="capture: got "):
            capture(["prog"], tmp_path / "a.npz", **options)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingTool, match="sudo apt-get install valgrind"):
        capture(["prog"], tmp_path / "a.npz")
