from __future__ import annotations

import gzip

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from archgym.errors import InvalidInput, TraceError, UnknownName
from archgym.sims.dram.workloads import Trace, load, readers
from archgym.sims.dram.workloads.formats import FORMATS
from archgym.sims.dram.workloads.readers import read
from archgym.sims.dram.workloads.writers import write


def rows(trace):
    return list(zip(trace.address.tolist(), trace.write.tolist(), trace.arrival.tolist(), strict=True))


@st.composite
def traces(draw):
    n = draw(st.integers(1, 40))
    address = draw(st.lists(st.integers(0, 2**52 - 1), min_size=n, max_size=n))
    writes = draw(st.lists(st.booleans(), min_size=n, max_size=n))
    arrival = sorted(draw(st.lists(st.integers(0, 2**46), min_size=n, max_size=n)))
    return Trace.of("t", address, writes, arrival, draw(st.sampled_from([0, 500, 1250])), "drawn")


@settings(deadline=None, max_examples=60)
@given(trace=traces(), suffix=st.sampled_from([".stl", ".stl.gz", ".npz"]))
def test_formats_with_a_clock_give_back_what_was_written(trace, suffix, tmp_path_factory):
    path = tmp_path_factory.mktemp("roundtrip") / f"a{suffix}"
    write(trace, path)
    again = read(path)
    assert rows(again) == rows(trace)
    assert again.clock_ps == trace.clock_ps
    if suffix == ".npz":
        assert again.source == "drawn"


@settings(deadline=None, max_examples=60)
@given(trace=traces(), suffix=st.sampled_from([".trace", ".ramrw", ".trace.gz", ".ldst"]))
def test_formats_of_the_memory_clock_convert_to_it(trace, suffix, tmp_path_factory):
    path = tmp_path_factory.mktemp("roundtrip") / f"a{suffix}"
    write(trace, path, tck_ps=625)
    again = read(path)
    assert again.address.tolist() == trace.address.tolist()
    assert again.write.tolist() == trace.write.tolist()
    clock = trace.clock_ps or 625
    expected = [0 if suffix == ".ldst" else at * clock // 625 for at in trace.arrival.tolist()]
    assert again.arrival.tolist() == expected
    assert again.clock_ps == 0


def test_conversion_needs_the_memory_clock(tmp_path):
    trace = Trace.of("t", [0], [0], [3], 500)
    with pytest.raises(InvalidInput, match=r"500 ps.*got tck_ps=0"):
        write(trace, tmp_path / "a.trace")


def test_conversion_refuses_what_no_reader_would_take_back(tmp_path):
    trace = Trace.of("t", [2**52], [0], [0])
    with pytest.raises(InvalidInput, match="2\\^52"):
        write(trace, tmp_path / "a.stl")


EXAMPLES = {
    # DRAMSys, configs/README.md
    "stl": (
        """# Comment lines begin with #
31: read 0x400140
33: read 0x400160
56: write 0x7fff8000 0x123456789abcdef
81: (128) read 0x400180
""",
        [
            (0x400140, False, 31),
            (0x400160, False, 33),
            (0x7FFF8000, True, 56),
            (0x400180, False, 81),
            (0x4001C0, False, 81),
        ],
    ),
    # DRAMsim3, tests/example.trace, and the operations src/common.cc takes for writes
    "dramsim3": (
        "0x2000D5C0 READ  30\n1FF96FC0 WRITE   160\n0x40 P_MEM_WR 160\n0x80 BOFF 161\n0xC0 P_FETCH 162\n",
        [
            (0x2000D5C0, False, 30),
            (0x1FF96FC0, True, 160),
            (0x40, True, 160),
            (0x80, True, 161),
            (0xC0, False, 162),
        ],
    ),
    # Ramulator 2.1, loadstore_trace.cpp
    "ramulator-ldst": ("LD 0x12340\nST 4096\n", [(0x12340, False, 0), (4096, True, 0)]),
    "ramulator-rw": ("R 64 0\nW 0X80 7\n", [(64, False, 0), (128, True, 7)]),
}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\n\n   \n"])
def test_documented_examples_are_told_apart_and_read(form, ending, tmp_path):
    text, expected = EXAMPLES[form]
    path = tmp_path / "a.txt"
    path.write_bytes(text.replace("\n", ending).encode())
    assert rows(read(path)) == expected
    assert rows(read(path, form)) == expected
    path.write_bytes(gzip.compress(text.rstrip().encode()))  # no newline at the end, zipped without a .gz name
    assert rows(read(path)) == expected


def test_a_clock_is_taken_from_the_comment_or_the_caller(tmp_path):
    path = tmp_path / "a.stl"
    path.write_text("# clock_ps = 1250\n5: read 0x40\n")
    assert read(path).clock_ps == load(path).clock_ps == 1250
    assert read(path, clock_ps=0).clock_ps == 0


def test_a_request_of_some_length_becomes_a_request_for_every_line_it_touches(tmp_path):
    path = tmp_path / "a.stl"
    path.write_text("0: (4) read 0x3C\n1: (8) write 0x3C\n2: read 0x7F\n3: (130) read 0x41\n")
    assert rows(read(path)) == [
        (0x3C, False, 0),
        (0x3C, True, 1),
        (0x40, True, 1),
        (0x7F, False, 2),
        (0x41, False, 3),
        (0x80, False, 3),
        (0xC0, False, 3),
    ]


MALFORMED = {
    "misspelt operation": ("0: read 0x0\n# c\n1: raed 0x40\n", 3, "'1: raed 0x40'", "read|write"),
    "not hexadecimal": ("0: read 0xZZ\n", 1, "0xZZ", "hex-address"),
    "missing address": ("0: read 0x0\n1: read\n", 2, "'1: read'", "hex-address"),
    "negative cycle": ("0: read 0x0\n-1: read 0x0\n", 2, "'-1: read 0x0'", "0 <= cycle"),
    "negative first cycle": ("\n-1: read 0x0\n", 2, "'-1: read 0x0'", "LD|ST address"),
    "earlier cycle": ("5: read 0x0\n\n4: read 0x0\n", 3, "'4: read 0x0'", "not before"),
    "earlier in dramsim3": ("0x0 READ 5\n0x0 READ 4\n", 2, "'0x0 READ 4'", "not before"),
    "absurd address": ("0x0 READ 0\n0xfffffffffff0000 READ 1\n", 2, "0xfffffffffff0000", "2^52"),
    "absurder address": ("LD 5\nLD 99999999999999999999999999\n", 2, "9999", "2^52"),
    "absurd cycle": ("0x0 READ 999999999999999999\n", 1, "999999999999999999", "2^48"),
    "absurd length": ("0: (99999999) read 0x0\n", 1, "99999999", "1 to 1048576 bytes"),
    "no length": ("0: (0) read 0x0\n", 1, "(0)", "1 to 1048576 bytes"),
    "another format halfway": ("LD 5\nST 6\nR 7 3\n", 3, "'R 7 3'", "LD|ST"),
    "address vector": ("R 0,1,2,100,32\n", 1, "0,1,2", "R|W address"),
    "garbage": ("\x7fELF\x02\x01\n", 1, "ELF", "hex-address READ|WRITE cycle"),
    "cut off": ("0x0 READ 0\n0x40 REA", 2, "'0x40 REA'", "READ|WRITE cycle"),
    "a novel": ("0: read 0x0\n" + "x" * 5000, 2, "xxx...'", "read|write"),
}


@pytest.mark.parametrize("case", MALFORMED)
@pytest.mark.parametrize("zipped", [False, True])
def test_the_wrong_line_is_named(case, zipped, tmp_path):
    text, line, got, expected = MALFORMED[case]
    path = tmp_path / "bad.trace"
    path.write_bytes(gzip.compress(text.encode()) if zipped else text.encode())
    with pytest.raises(TraceError) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: line {line}: got ")
    assert got in message
    assert expected in message
    assert "\n" not in message
    assert len(message) < 600


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "holds no request"),
        (b"# only\n\n  # comments\n", "holds no request"),
        (gzip.compress(b""), "holds no request"),
        (gzip.compress(b"0: read 0x0\n" * 500)[:-12], "truncated or damaged gzip"),
        (gzip.compress(b"0: read 0x0\n")[:5], "truncated or damaged gzip"),
        (b"\x1f\x8bnonsense that is no gzip", "truncated or damaged gzip"),
        (bytes(range(256)) * 10, "binary data"),
        (b"PK\x03\x04 and then nothing of a zip", "damaged"),
    ],
)
def test_damaged_files_are_refused_in_one_line(content, part, tmp_path):
    path = tmp_path / "bad"
    path.write_bytes(content)
    with pytest.raises(TraceError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bytes_damaged_inside_a_gzip_are_noticed(tmp_path):
    rng = np.random.default_rng(0)
    text = "".join(f"{i}: read 0x{rng.integers(2**30):x}\n" for i in range(2000)).encode()
    zipped = bytearray(gzip.compress(text))
    zipped[len(zipped) // 2] ^= 0xFF
    path = tmp_path / "bad.stl.gz"
    path.write_bytes(zipped)
    with pytest.raises(TraceError, match=r"bad\.stl\.gz: "):
        read(path)


@pytest.mark.parametrize("missing", ["step", "write", "version"])
def test_other_npz_files_are_refused(missing, tmp_path):
    path = tmp_path / "a.npz"
    write(Trace.of("t", [0, 64], [0, 1], [0, 1]), path)
    with np.load(path) as file:
        kept = {key: file[key] for key in file if key != missing}
    np.savez(path, **kept)
    with pytest.raises(TraceError, match=r"a\.npz: not a trace saved by archgym"):
        read(path)


def test_npz_of_a_later_version_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    write(Trace.of("t", [0, 64], [0, 1], [0, 1]), path)
    with np.load(path) as file:
        content = dict(file)
    np.savez(path, **(content | {"version": 99}))
    with pytest.raises(TraceError, match="version 99, expected 1"):
        read(path)


def test_lines_and_time_are_counted_across_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(readers, "_BLOCK_BYTES", 64)
    lines = [f"{i}: {'write' if i % 3 else 'read'} 0x{64 * i:x}" for i in range(100)]
    path = tmp_path / "a.stl"
    path.write_text("\n".join(lines))
    assert rows(read(path)) == [(64 * i, i % 3 > 0, i) for i in range(100)]
    for wrong, expected in [("x", "got 'x'"), ("0: read 0x0", "not before")]:
        path.write_text("\n".join([*lines[:71], "# comment", "", wrong, *lines[71:]]))
        with pytest.raises(TraceError, match=rf"line 74: .*{expected}"):
            read(path)
    path.write_text("0: read 0x0\n" + "#" * 500)
    with pytest.raises(TraceError, match="a line longer than 64 bytes"):
        read(path)


def test_relative_stamps_and_unknown_names_are_refused(tmp_path):
    path = tmp_path / "a.rstl"
    path.write_text("31: read 0x40\n2: read 0x80\n")
    with pytest.raises(TraceError, match=r"\.rstl .* expected absolute cycles"):
        read(path)
    with pytest.raises(UnknownName, match="did you mean 'dramsim3'"):
        read(path, "dramsim")
    with pytest.raises(UnknownName, match="did you mean 'ramulator-rw'"):
        write(load("stream:n=1"), path, "ramulator_rw")
    with pytest.raises(UnknownName, match=r"'a\.slt'.*did you mean '\.stl'"):
        write(load("stream:n=1"), tmp_path / "a.slt")


def test_unreadable_files_say_why(tmp_path):
    with pytest.raises(TraceError, match="cannot be read: No such file"):
        read(tmp_path / "none.stl")
    with pytest.raises(TraceError, match="cannot be read: Is a directory"):
        read(tmp_path)
