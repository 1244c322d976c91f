"""Stages, packing and sub-batches of a block; the authors' program on the same requests."""

from __future__ import annotations

import csv
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from archgym.errors import InvalidInput, UnknownName
from archgym.sims.llm.models import model
from archgym.sims.llm.parallel import DoesNotFit
from archgym.sims.neupims.block import hardware, shape_of, simulate_block
from archgym.sims.neupims.kernel_packing import estimates, halve, pack, tiles_needed
from archgym.sims.neupims.system import SYSTEMS, System, memory_of, system
from archgym.sims.neupims.times import key_shape
from archgym.sims.neupims.workloads import CALIBRATION, decoder_named
from archgym.sims.pim.gemv import attention, kv_tiles, scheduled_constants

# casys-kaist/NeuPIMs f299af3, branches main and npu+pim, release build, shipped hardware: one block each.
AUTHORS = Path(__file__).with_name("authors_stages.csv")
SHIPPED = {"npu+pim": 60_811, "neupims": 42_570}


def authors() -> list[dict[str, str]]:
    with AUTHORS.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("program", ["neupims", "neupims+sub-batch", "npu+pim"])
def test_stages_are_near_those_of_the_authors_program(program):
    rows = [row for row in authors() if row["program"] == program]
    assert len(rows) > 20
    whole, attention = [], []
    for row in rows:
        lengths, channels, theirs = ([int(x) for x in row[name].split()] for name in (
            "lengths", "channels", "cycles_by_stage"))  # fmt: skip
        found = simulate_block(
            system(program.removesuffix("+sub-batch")),
            decoder_named(f"e{row['width']}-h{row['heads']}"),
            lengths,
            tensor=int(row["tensor"]),
            channels=channels,
            interleave=program.endswith("sub-batch"),
        )
        ours = found.stages[found.stages > 0]
        assert len(ours) == len(theirs)
        whole.append(found.cycles / sum(theirs) - 1)
        attention.append(ours[1] / theirs[1] - 1)
    assert np.abs(whole).mean() < 0.03
    assert np.abs(whole).max() < 0.12  # their products scatter by up to a fifth with the address counter
    assert np.abs(attention).mean() < 0.015  # PIM follows the same rules, command by command
    assert abs(np.mean(whole)) < 0.025


@pytest.mark.parametrize("name", SHIPPED)
def test_calibration_case(name):
    lengths, channels = CALIBRATION
    found = simulate_block(system(name), decoder_named("e512-h4"), lengths, channels=channels)
    assert found.cycles == pytest.approx(SHIPPED[name], rel=0.03)
    assert found.layers == 1
    assert (found.stages[[2, 3, 5]] == 0).all()


def test_stages_of_two_sub_batches():
    """A to F: both halves' projections, attention of the other half meanwhile; two layers."""
    decoder = decoder_named("e512-h4")
    found = simulate_block(system("neupims"), decoder, [600] * 64, interleave=True)
    assert found.layers == 2
    assert (found.stages > 0).all()
    assert found.pim[0] == found.pim[5] == 0.0  # nothing to attend to yet, or any more
    assert (found.pim[1:5] > 0).all()
    assert found.stages == pytest.approx(np.maximum(found.npu, found.pim))
    plain = simulate_block(system("neupims"), decoder, [600] * 64, interleave=False)
    assert found.read_bytes == pytest.approx(2 * (plain.read_bytes + 12 * 512 * 512 * 2), rel=0.02)  # weights twice


@given(counts=st.lists(st.integers(0, 9), min_size=1, max_size=12))
def test_every_channel_is_cut_in_halves_and_odd_ones_by_turns(counts):
    channels = np.repeat(np.arange(len(counts)), counts)
    half = np.full(len(channels), -1)
    halve(channels, np.zeros(len(counts), dtype=np.int64), half)
    odd = [n for n in counts if n % 2]
    first = [int((half[channels == ch] == 0).sum()) for ch in range(len(counts))]
    assert sum(first) == sum(n // 2 for n in counts) + (len(odd) + 1) // 2
    for ch, n in enumerate(counts):
        assert first[ch] in {n // 2, n - n // 2}
        assert half[channels == ch].tolist() == sorted(half[channels == ch].tolist())


@given(lengths=st.lists(st.integers(1, 2048), min_size=1, max_size=60), by_load=st.booleans())
@settings(max_examples=60, deadline=None)
def test_packing_against_plain_python(lengths, by_load):
    room = np.full(8, 10**9)
    load, channels = np.zeros(8, dtype=np.int64), np.full(len(lengths), -1)
    cost = np.array(lengths) * 10 + 7
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    assert pack(np.array(order), np.array(lengths), cost, by_load, room, load, channels) == -1
    expected = [0] * 8
    for turn, i in enumerate(order):
        best = min(range(8), key=lambda ch: (expected[ch], ch)) if by_load else turn % 8
        assert channels[i] == best
        expected[best] += int(cost[i])
    assert load.tolist() == expected
    assert (10**9 - room).sum() == sum(lengths)


def test_packing_passes_over_full_channels_and_names_who_does_not_fit():
    tiles, cost = np.array([5, 5, 5]), np.array([1, 1, 1])
    channels = np.zeros(3, dtype=np.int64)
    room = np.array([4, 9])
    assert pack(np.arange(3), tiles, cost, False, room, np.zeros(2, dtype=np.int64), channels) == 1
    assert channels[0] == 1


@given(lengths=st.lists(st.integers(1, 2048), min_size=1, max_size=20), heads=st.integers(1, 9))
@settings(max_examples=40, deadline=None)
def test_estimates_and_needs_agree_with_the_mapping_to_tiles(lengths, heads):
    memory = memory_of(system("neupims"))
    requests, keys = np.array(lengths), key_shape(memory, heads, heads, 128)
    found, needed = np.zeros(len(lengths), dtype=np.int64), np.zeros(len(lengths), dtype=np.int64)
    estimates(requests, keys, heads, 4, 512, *scheduled_constants(memory), found)
    assert found.tolist() == attention(memory, heads, 128, requests).scheduled_cycles.tolist()
    tiles_needed(requests, keys, heads, 4, 512, 512, 1, needed)  # whole rows of values
    assert needed.tolist() == kv_tiles(memory, heads, 128, requests).tolist()
    tiles_needed(requests, keys, heads, 4, 512, 16, 1, needed)  # short requests share them
    assert (needed <= kv_tiles(memory, heads, 128, requests)).all()


def cycles(changed: System, lengths: list[int], sub_batches: bool = False) -> float:
    return simulate_block(changed, decoder_named("e4096-h32"), lengths, tensor=4, interleave=sub_batches).cycles


@pytest.mark.parametrize("sub_batches", [False, True])
@pytest.mark.parametrize("batch", [48, 160])
def test_more_never_makes_slower(sub_batches, batch):
    lengths = np.random.default_rng(batch).integers(1, 1500, batch).tolist()
    for field, values in (
        ("channels", (16, 32, 64)),
        ("arrays", (2, 4, 8, 16)),
        ("frequency_mhz", (500, 1000, 1400)),
        ("pim_multipliers", (4, 8, 16, 32)),
    ):
        times = [cycles(system("neupims", **{field: value}), lengths, sub_batches) for value in values]
        # Refresh falls at other moments when something becomes faster: allow for a part of one interval per stage.
        assert all(b <= a * 1.01 + 2000 for a, b in pairwise(times)), (field, times)


@given(
    lengths=st.lists(st.integers(1, 2000), min_size=2, max_size=64),
    sub_batches=st.booleans(),
    commands=st.sampled_from(["fine", "composite"]),
)
@settings(max_examples=25, deadline=None)
def test_two_row_buffers_are_never_slower_than_one(lengths, sub_batches, commands):
    decoder = decoder_named("e512-h4")
    shared = {"pim_commands": commands, "packing": "min-load"}
    one = simulate_block(system("neupims", pim="single", **shared), decoder, lengths, interleave=sub_batches)
    two = simulate_block(system("neupims", pim="dual", **shared), decoder, lengths, interleave=sub_batches)
    assert two.cycles <= one.cycles * 1.01 + 2000  # as above


@given(lengths=st.lists(st.integers(1, 2000), min_size=1, max_size=40), name=st.sampled_from(["npu-only", "neupims"]))
@settings(max_examples=25, deadline=None)
def test_a_block_is_deterministic_and_moves_what_it_must(lengths, name):
    decoder = decoder_named("e512-h4")
    a = simulate_block(system(name), decoder, lengths, interleave=False)
    b = simulate_block(system(name), decoder, lengths, interleave=False)
    assert a.stages.tobytes() == b.stages.tobytes()
    weights = 12 * 512 * 512 * 2
    cache = 2 * 2 * 512 * sum(lengths) if name == "npu-only" else 0
    assert a.read_bytes >= weights + cache
    found = hardware(system(name))
    assert a.cycles * found.stream.rate >= a.read_bytes + a.written_bytes


def test_grouped_queries_and_gates_have_their_shape():
    decoder = model("llama3-8b")
    shape = shape_of(system("neupims"), decoder, 2)
    assert (shape.heads, shape.kv_heads, shape.qkv) == (16, 4, (16 + 2 * 4) * 128)
    assert (shape.up, shape.down) == (2 * 14336 // 2, 14336 // 2)
    assert simulate_block(system("neupims"), decoder, [100, 2000], tensor=2).cycles > 0


def test_a_batch_that_does_not_fit_says_how_much_is_needed():
    with pytest.raises(DoesNotFit, match=r"need \d+ bytes of one channel, at most \d+ are available"):
        simulate_block(system("neupims"), model("gpt3-7b"), [2048] * 400, tensor=1)


def test_refusals_name_what_is_allowed():
    decoder = decoder_named("e512-h4")
    with pytest.raises(InvalidInput, match="channel 40; the system has 32"):
        simulate_block(system("neupims"), decoder, [5], channels=[40])
    for lengths in ([], [0], [[1]]):
        with pytest.raises(InvalidInput, match="at least one request"):
            simulate_block(system("neupims"), decoder, lengths)
    with pytest.raises(UnknownName, match="neupims"):
        system("neupim")
    with pytest.raises(UnknownName, match="channels"):
        system("neupims", chanels=3)
    with pytest.raises(UnknownName, match="dual"):
        System(pim="duall")
    for wrong in ({"arrays": 0}, {"channels": -1}, {"banks": 20}, {"frequency_mhz": True}):
        with pytest.raises(InvalidInput, match="allowed"):
            System(**wrong)
    assert set(SYSTEMS) >= {"gpu-only", "npu-only", "npu+pim", "neupims"}
