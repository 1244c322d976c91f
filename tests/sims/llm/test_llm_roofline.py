from __future__ import annotations

import numpy as np
import pytest

from archgym.errors import InvalidInput, UnknownName
from archgym.sims.llm.collectives import (
    LINKS,
    allgather_s,
    allreduce_s,
    alltoall_s,
    link,
    reduce_scatter_s,
    send_s,
)
from archgym.sims.llm.graph import block
from archgym.sims.llm.models import model
from archgym.sims.llm.parallel import Parallel
from archgym.sims.llm.roofline import PROCESSORS, Processor, processor
from archgym.sims.llm.stage import RooflineSystem, operator_times_s

TOY = Processor("toy", 1000.0, 10.0, 0.5, 0.25, 2.0, 1e3, "made up")


def test_the_longer_of_arithmetic_and_memory_by_hand():
    # 500 operations/s and 2.5 bytes/s are reached.
    assert TOY.time_s(1000, 2.5) == 2 + 2
    assert TOY.time_s(500, 10) == 4 + 2
    assert TOY.time_s([0, 500], [[0], [25]]).tolist() == [[2, 3], [12, 12]]
    assert TOY.ridge_op_per_byte == 200


def test_processors_have_the_peaks_of_their_data_sheets():
    assert {name: (p.flops_per_s, p.bytes_per_s, p.capacity_bytes) for name, p in PROCESSORS.items()} == {
        "a100-40gb": (312e12, 1555e9, 40e9),
        "a100-80gb": (312e12, 2039e9, 80e9),
        "h100": (989.4e12, 3352e9, 80e9),
        "mi210": (181e12, 1638.4e9, 64e9),
        "h100-ideal": (989.4e12, 3352e9, 80e9),
    }
    # Duplex, section 3: the ridge of an H100 is at 295 Op/B.
    assert processor("h100-ideal").ridge_op_per_byte == pytest.approx(295, abs=0.5)
    assert all(found.source for found in [*PROCESSORS.values(), *LINKS.values()])


def test_processors_change_by_field_and_refuse_the_rest():
    assert processor("H100", launch_s=0).launch_s == 0
    assert processor("h100").launch_s > 0
    for call, message in (
        (lambda: processor("h200"), "did you mean 'h100'"),
        (lambda: processor("h100", launch=0), "did you mean 'launch_s'"),
        (lambda: link("nvlink5"), "did you mean 'nvlink"),
    ):
        with pytest.raises(UnknownName, match=message):
            call()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("flops_per_s", 0), ("bytes_per_s", -1), ("compute_efficiency", 1.1), ("bandwidth_efficiency", 0),
        ("launch_s", -1e-6), ("capacity_bytes", -1), ("flops_per_s", float("nan")),
    ],
)  # fmt: skip
def test_impossible_processors_are_refused(field, value):
    with pytest.raises(InvalidInput, match=rf"h100: {field} .* is not allowed"):
        processor("h100", **{field: value})


# Matrix products in FP16 measured on an A100 with 80 GB (LLMCompass, ae/figure5/ab/real_hardware/matmul_A100.csv): ms.
A100_MS = {
    (64, 12288, 12288): 0.1900, (128, 12288, 12288): 0.2003, (256, 12288, 12288): 0.3185, (512, 12288, 12288): 0.6118,
    (1024, 12288, 12288): 1.1990, (2048, 12288, 12288): 2.3586, (4096, 12288, 12288): 4.4576,
    (8192, 12288, 12288): 8.6216, (16384, 12288, 12288): 17.0307, (32768, 12288, 12288): 35.4407,
    (8192, 64, 64): 0.0296, (8192, 128, 128): 0.0310, (8192, 256, 256): 0.0356, (8192, 512, 512): 0.0471,
    (8192, 1024, 1024): 0.0927, (8192, 2048, 2048): 0.2818, (8192, 4096, 4096): 1.0210, (8192, 8192, 8192): 3.9614,
    (8192, 16384, 16384): 15.0087, (8192, 32768, 32768): 61.1346,
}  # fmt: skip


def product_errors(chip, measured_ms):
    m, n, k = np.array(list(measured_ms)).T.astype(float)
    ours = chip.time_s(2 * m * n * k, 2 * (m * n + n * k + m * k)) * 1e3
    return ours / np.array(list(measured_ms.values())) - 1


# The same on an MI210, from which no constant but the launch time was taken (matmul_MI210.csv).
MI210_MS = {
    (32, 12288, 12288): 0.5493, (64, 12288, 12288): 0.5584, (128, 12288, 12288): 0.5932, (256, 12288, 12288): 0.7699,
    (512, 12288, 12288): 1.4054, (1024, 12288, 12288): 2.7173, (2048, 12288, 12288): 5.3905,
    (4096, 12288, 12288): 10.4494, (8192, 12288, 12288): 20.7849, (16384, 12288, 12288): 41.1353,
    (32768, 12288, 12288): 81.4046, (8192, 32, 32): 0.0333, (8192, 64, 64): 0.0345, (8192, 128, 128): 0.0396,
    (8192, 256, 256): 0.0485, (8192, 512, 512): 0.0863, (8192, 1024, 1024): 0.1950, (8192, 2048, 2048): 0.5822,
    (8192, 4096, 4096): 2.2901, (8192, 8192, 8192): 9.4150, (8192, 16384, 16384): 36.7552,
    (8192, 32768, 32768): 146.2553,
}  # fmt: skip


def test_the_a100_is_near_measured_products():
    error = product_errors(processor("a100-80gb"), A100_MS)
    assert np.abs(error).mean() < 0.12
    assert np.abs(error).max() < 0.28


def test_the_mi210_is_farther_off():
    error = product_errors(processor("mi210"), MI210_MS)
    assert np.abs(error).mean() < 0.24
    assert np.abs(error).max() < 0.55


@pytest.mark.parametrize(("name", "measured"), [("a100-80gb", A100_MS), ("mi210", MI210_MS)])
def test_an_ideal_roofline_is_never_slower_than_the_chip(name, measured):
    ideal = processor(name, compute_efficiency=1, bandwidth_efficiency=1, launch_s=0)
    assert (product_errors(ideal, measured) < 0).all()


def ring(ranks, size, bandwidth, latency):
    """All-reduce of real numbers by passing chunks round a ring, step by step; gives the sum and the time."""
    data = np.arange(ranks * ranks, dtype=float).reshape(ranks, ranks) ** 2  # [rank, chunk]
    total, clock = data.sum(axis=0), 0.0
    for phase, add in ((0, True), (1, False)):
        for step in range(ranks - 1):
            sent = {r: ((r + phase - step) % ranks, data[r, (r + phase - step) % ranks]) for r in range(ranks)}
            for r, (chunk, value) in sent.items():
                data[(r + 1) % ranks, chunk] = value + add * data[(r + 1) % ranks, chunk]
            clock += latency + size / ranks / bandwidth
    return data, total, clock


@pytest.mark.parametrize("ranks", [1, 2, 3, 8])
def test_a_ring_passed_by_hand_takes_the_closed_form(ranks):
    data, total, clock = ring(ranks, 4096, 1e3, 0.5)
    assert (data == total).all()
    assert allreduce_s(4096, ranks, 1e3, 0.5) == pytest.approx(clock)
    assert reduce_scatter_s(4096, ranks, 1e3, 0.5) + allgather_s(4096, ranks, 1e3, 0.5) == pytest.approx(clock)
    assert alltoall_s(4096, ranks, 1e3, 0.5) == pytest.approx((ranks - 1) * (0.5 + 4096 / ranks / 1e3))


def test_a_link_adds_its_start_and_efficiency():
    found = link("nvlink3")
    # 300 GB/s at 78 %; 6 steps of 0.8 us on 4 ranks, and 5 us to start.
    assert found.allreduce_s([4e9, 0], 4) == pytest.approx([5e-6 + 6 * (0.8e-6 + 1e9 / 234e9), 9.8e-6])
    assert found.allreduce_s(4e9, 1) == 0
    assert link("nvlink4").allreduce_s(4e9, 4) == allreduce_s(4e9, 4, 450e9, 0.8e-6)


# All-reduce on 4 A100 with NVLink (LLMCompass, ae/figure5/h/test_allreduce.py): bytes, us.
NVLINK_US = {2**26: 532.3, 2**28: 1883.7, 2**30: 7219.2, 2**32: 27944, 2**34: 110277}


def test_large_messages_take_the_measured_time():
    ours = link("nvlink3").allreduce_s(list(NVLINK_US), 4) * 1e6
    assert (np.abs(ours / np.array(list(NVLINK_US.values())) - 1) < 0.19).all()
    assert ours[-1] == pytest.approx(110277, rel=0.01)


def test_collectives_take_arrays_and_refuse_nonsense():
    assert allreduce_s([0, 4000], 2, 1e3, 0.5).tolist() == [1, 5]
    assert send_s(4000, 1e3, 0.5) == 4.5
    for arguments in ((-1, 2, 1e3, 0), (1, 0, 1e3, 0), (1, 2, 0, 0), (1, 2, 1e3, -1)):
        with pytest.raises(InvalidInput, match="a collective of"):
            allreduce_s(*arguments)


def test_a_stage_is_the_sum_of_its_layers():
    system = RooflineSystem(model("glam-143b"), processor("h100"), link("nvlink4"), Parallel(8, 2))
    decode, prefill = np.array([100, 200]), np.array([50])
    dense, sparse = system.block_s(decode, prefill), system.block_s(decode, prefill, moe=True)
    # One hand-over of 52 tokens of 4096 x 2 bytes; the output layer for 3 tokens over 8 ranks: weights dominate.
    words = 2 * (4096 * 32000 + 3 * 4096 + 3 * 32000) / (3352e9 * 0.85) + 21e-6
    hop = 0.8e-6 + 52 * 8192 / 450e9
    assert system.stage_s(decode, prefill) == pytest.approx(16 * (dense + sparse) + words + hop)


def test_operators_of_a_block_on_a_roofline_by_hand():
    operators = block(model("gpt3-7b"), decode=np.full(256, 300), tensor=4)
    times = operator_times_s(operators, processor("h100-ideal"), link("nvlink4"), 4)
    found = dict(zip([o.name for o in operators], times, strict=True))
    assert found["qkv"] == pytest.approx(28_835_840 / 3352e9)  # 223 Op/B is below the ridge of 295
    assert found["attention_score"] == pytest.approx(159_039_488 / 3352e9)
    # Twice: 6 steps of 0.8 us and a quarter of 2,097,152 bytes.
    assert found["allreduce"] == pytest.approx(2 * 6 * (0.8e-6 + 524_288 / 450e9))


def test_more_of_anything_is_never_slower():
    decode = np.full(64, 500)

    def seconds(ranks=4, **changes):
        chip = processor("a100-80gb", **changes)
        return RooflineSystem(model("llama3-70b"), chip, link("nvlink3"), Parallel(ranks)).stage_s(decode)

    base = seconds()
    assert seconds(flops_per_s=624e12) <= base
    assert seconds(bytes_per_s=4078e9) < base
    assert seconds(launch_s=0) < base
    assert seconds(ranks=8) < base < seconds(ranks=2)
    with pytest.raises(InvalidInput, match="tensor degree 3"):
        seconds(ranks=3)
