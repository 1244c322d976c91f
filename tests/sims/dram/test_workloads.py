from __future__ import annotations

import itertools
import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from archgym.errors import InvalidInput, TraceError, UnknownName
from archgym.sims.dram.workloads import GENERATORS, WORKLOADS, Trace, fingerprint, load
from archgym.sims.dram.workloads.prng import raw_words, uniforms


@pytest.mark.parametrize("name", [*WORKLOADS, *GENERATORS])
def test_every_name_loads_a_sound_trace(name):
    trace = load(name)
    assert len(trace) == len(trace.write) == len(trace.arrival) >= 1000
    assert (trace.address % 64 == 0).all()
    assert trace.arrival[0] >= 0
    assert (np.diff(trace.arrival) >= 0).all()
    assert trace.source
    with pytest.raises(ValueError, match="read-only"):
        trace.address[0] = 1


def test_stream_is_the_published_one_address_by_address():
    trace = load("stream")
    assert trace.address.tolist() == list(range(0, 0x9C3C0 + 1, 64))
    assert trace.arrival.tolist() == list(range(10_000))
    assert not trace.write.any()
    assert trace.clock_ps == 1250  # 800 MHz


def test_random_covers_one_gibibyte_evenly():
    trace = load("random")
    assert trace.arrival.tolist() == list(range(10_000))
    assert not trace.write.any()
    assert int(trace.address.max()) < 1 << 30
    tenths = np.bincount((trace.address // np.uint64((1 << 30) // 10 + 1)).astype(int), minlength=10)
    # 10,000 draws over ten bins: a bin has 1000 with a standard deviation of 30.
    assert abs(tenths - 1000).max() < 150
    assert len(np.unique(trace.address)) >= 9_990  # 3 coincidences expected among 2^24 lines


# Counted in the published files: blocks from stream, and changes between kinds of block.
@pytest.mark.parametrize(("name", "streamed", "changes"), [("cloud-1", 96, 98), ("cloud-2", 101, 112)])
def test_cloud_takes_the_next_block_of_stream_or_random(name, streamed, changes):
    blocks = load(name).address.reshape(200, 50)
    sources = {kind: iter(load(kind).address.reshape(200, 50)) for kind in ("stream", "random")}
    kinds = ["stream" if (np.diff(block.astype(np.int64)) == 64).all() else "random" for block in blocks]
    for kind, block in zip(kinds, blocks, strict=True):
        assert (next(sources[kind]) == block).all()
    assert kinds.count("stream") == streamed
    assert sum(a != b for a, b in itertools.pairwise(kinds)) == changes


def test_words_and_floats_are_pythons():
    expected = random.Random(11)
    assert raw_words(11, 2000).tolist() == [expected.getrandbits(32) for _ in range(2000)]
    expected = random.Random(2**40)
    assert uniforms(2**40, 1000).tolist() == [expected.random() for _ in range(1000)]


def plain(kind, *, n, seed, read, gap, lines, streams, hit):
    """The rule in plain Python, with nothing but the standard library."""
    draw, time = random.Random(seed), 0.0
    place = [draw.randrange(lines) for _ in range(streams)]
    for i in range(n):
        if kind == "stream":
            line = i % lines
        elif kind == "random":
            line = draw.randrange(lines)
        else:
            s = draw.randrange(streams)
            place[s] = (place[s] + 1) % lines if draw.random() < hit else draw.randrange(lines)
            line = place[s]
        yield line * 64, draw.random() >= read, int(time)
        if gap:
            time += draw.expovariate(1.0 / gap)


@settings(deadline=None, max_examples=60)
@given(
    kind=st.sampled_from(["stream", "random", "mix"]),
    n=st.integers(1, 300),
    seed=st.integers(0, 2**63 - 1),
    read=st.floats(0, 1),
    gap=st.just(0.0) | st.floats(0.1, 1e4),
    lines=st.integers(2, 1 << 26),
    streams=st.integers(1, 20),
    hit=st.floats(0, 1),
)
def test_recipe_draws_what_plain_python_draws(kind, n, seed, read, gap, lines, streams, hit):
    spec = f"{kind}:n={n},seed={seed},read={read!r},gap={gap!r},pace=exponential,capacity={lines * 64}"
    if kind == "mix":
        spec += f",streams={streams},hit={hit!r}"
    else:
        streams = 8  # the rule draws eight beginnings whether they are used or not
    trace = load(spec)
    rows = list(plain(kind, n=n, seed=seed, read=read, gap=gap, lines=lines, streams=streams, hit=hit))
    assert list(zip(trace.address.tolist(), trace.write.tolist(), trace.arrival.tolist(), strict=True)) == rows


@pytest.mark.parametrize(
    ("name", "kind", "seed", "read", "gap"),
    [
        ("mix60_sat", "mix", 1, 0.7, 0),
        ("mix60_gap20", "mix", 6, 0.7, 20.0),
        ("random_gap20", "random", 5, 0.7, 20.0),
        ("stream_rdonly", "stream", 7, 1.1, 0),
    ],
)
def test_reference_workloads_are_the_rule_with_these_numbers(name, kind, seed, read, gap):
    trace = load(name)
    assert len(trace) == 200_000
    assert trace.clock_ps == 0
    rows = plain(kind, n=20_000, seed=seed, read=read, gap=gap, lines=(4 << 30) // 64, streams=8, hit=0.6)
    head = slice(0, 20_000)
    columns = (trace.address[head].tolist(), trace.write[head].tolist(), trace.arrival[head].tolist())
    assert list(zip(*columns, strict=True)) == list(rows)


def test_strided_walks_columns():
    trace = load("strided:n=9,stride=256,footprint=1K")  # 16 lines, every fourth
    assert (trace.address // 64).tolist() == [0, 4, 8, 12, 1, 5, 9, 13, 2]
    assert load("strided:n=64,stride=320,footprint=1K").footprint_bytes == 1024  # 5 does not divide 16


def test_chase_visits_every_node_once_a_round():
    trace = load("chase:n=48,footprint=1K,gap=7")  # 16 nodes, three rounds
    rounds = (trace.address // 64).reshape(3, 16)
    assert sorted(rounds[0].tolist()) == list(range(16))
    assert (rounds == rounds[0]).all()
    assert trace.arrival.tolist() == [7 * i for i in range(48)]
    assert trace.address.tolist() != sorted(trace.address.tolist())


def test_chains_take_turns_and_hop_on_their_own_clock():
    one, two = load("chase:n=16,footprint=1K,gap=10"), load("chase:n=16,footprint=1K,gap=10,chains=2")
    assert two.address[0::2].tolist() == one.address[:8].tolist()
    assert two.address[1::2].tolist() == one.address[8:].tolist()
    assert two.arrival.tolist() == [10 * (i // 2) for i in range(16)]


def test_zipf_popularity_falls_as_a_power_of_rank():
    trace = load("zipf:n=200000,exponent=1,footprint=64K,gap=0")  # 1024 lines: harmonic sum 7.509
    counts = np.array([count for _, count in Counter(trace.address.tolist()).most_common()])
    expected = 200_000 / (np.arange(1, 1025) * 7.5092)
    head = slice(0, 8)
    assert counts[head] == pytest.approx(expected[head], rel=0.05)  # >= 3300 each, deviation below 2 %
    popular = Counter(trace.address.tolist()).most_common(8)
    assert sorted(address for address, _ in popular) != [64 * i for i in range(8)]  # not the first lines


@pytest.mark.parametrize("family", sorted(GENERATORS))
def test_reads_gaps_and_seeds_are_obeyed(family):
    trace = load(f"{family}:n=20000,read=0.25,gap=12,pace=exponential,clock_ps=500,seed=3")
    assert trace.read_share == pytest.approx(0.25, abs=0.02)  # five standard deviations are 0.015
    assert trace.span_cycles / 20_000 == pytest.approx(12, rel=0.05)
    assert trace.clock_ps == 500
    other = load(f"{family}:n=20000,read=0.25,gap=12,pace=exponential,clock_ps=500,seed=4")
    assert (trace.write != other.write).any()
    even = load(f"{family}:n=10,gap=1.5,pace=fixed")
    assert even.arrival.tolist() == [0, 1, 3, 4, 6, 7, 9, 10, 12, 13]


@pytest.mark.parametrize(
    ("name", "error", "parts"),
    [
        ("strem", UnknownName, ["'strem'", "did you mean 'stream'", "file"]),
        ("mixx:n=5", UnknownName, ["'mixx'", "did you mean 'mix'"]),
        ("mix:raed=0.5", UnknownName, ["'raed'", "did you mean 'read'", "capacity"]),
        ("mix:n=0", InvalidInput, ["mix:n=0", "n='0'", "greater than or equal to 1"]),
        ("mix:n=1e9", InvalidInput, ["n='1e9'", "integer"]),
        ("mix:read=1.5", InvalidInput, ["read='1.5'", "less than or equal to 1"]),
        ("mix:gap=nan", InvalidInput, ["gap='nan'", "finite"]),
        ("mix:gap=-1", InvalidInput, ["gap='-1'", "greater than or equal to 0"]),
        ("mix:pace=slow", InvalidInput, ["pace='slow'", "fixed", "exponential"]),
        ("mix:capacity=100", InvalidInput, ["capacity='100'"]),
        ("mix:capacity=4T", InvalidInput, ["capacity='4T'"]),
        ("mix:n", InvalidInput, ["got 'n'", "expected key=value"]),
        ("mix:n=3,n=4", InvalidInput, ["'n' is given twice"]),
        ("nowhere/there.stl", TraceError, ["nowhere/there.stl", "no such file", "mix60_sat"]),
    ],
)
def test_bad_names_say_what_is_wrong(name, error, parts):
    with pytest.raises(error) as caught:
        load(name)
    message = str(caught.value)
    assert "\n" not in message
    for part in parts:
        assert part in message
    with pytest.raises(error):
        fingerprint(name)


def test_units_of_bytes():
    assert load("random:capacity=1M,n=2000").footprint_bytes <= 1 << 20
    assert fingerprint("random:capacity=1M") == fingerprint("random:capacity=1048576")


def test_fingerprints_follow_the_requests(tmp_path):
    names = [*WORKLOADS, "mix:n=5", "mix:n=6", "mix:n=5,seed=1", "stream:n=5"]
    assert len({fingerprint(name) for name in names}) == len(names)
    assert fingerprint("mix:n=5,seed=1") == fingerprint("mix:seed=1,n=5")
    file = tmp_path / "a.stl"
    file.write_text("0: read 0x40\n")
    first = fingerprint(file)
    copy = tmp_path / "b.stl"
    copy.write_text("0: read 0x40\n")
    assert fingerprint(copy) == first
    file.write_text("0: read 0x80\n")
    assert fingerprint(file) != first


def test_edited_file_is_read_again_and_an_unchanged_one_is_not(tmp_path):
    file = tmp_path / "a.stl"
    file.write_text("0: read 0x40\n")
    first = load(file)
    assert load(str(file)) is first
    file.write_text("0: read 0x40\n1: write 0x80\n")
    assert load(file).address.tolist() == [0x40, 0x80]


def test_a_directory_is_not_a_trace(tmp_path):
    with pytest.raises(TraceError, match="is a directory"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("columns", "clock", "part"),
    [
        (([], [], []), 0, "must be equal and > 0"),
        (([1, 2], [0], [0, 0]), 0, "must be equal and > 0"),
        (([1, 2], [0, 0], [5, 4]), 0, "request 1 arrives at 4"),
        (([1], [0], [-1]), 0, "request 0 arrives at -1"),
        (([1], [0], [0]), -5, "clock_ps must be >= 0"),
    ],
)
def test_traces_that_make_no_sense_are_refused(columns, clock, part):
    with pytest.raises(InvalidInput, match=part):
        Trace.of("t", *columns, clock)


def test_trace_figures():
    trace = Trace.of("t", [0, 63, 64, 640], [0, 1, 1, 1], [0, 2, 2, 9])
    assert (len(trace), trace.read_share, trace.footprint_bytes, trace.span_cycles) == (4, 0.25, 3 * 64, 9)
