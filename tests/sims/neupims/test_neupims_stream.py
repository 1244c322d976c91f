"""The stream of reads and the operators of the arrays, against closed forms and a second, event by event version."""

from __future__ import annotations

import heapq
import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from archgym.sims.neupims.kernel_gemm import gemm, stream_cycles, tree_passes, vector
from archgym.sims.neupims.kernel_memory import (
    BUSY,
    FREE,
    PTR,
    READ,
    SHARE,
    STATE,
    UNTIL,
    WRITTEN,
    advance,
    serve,
    store,
)
from archgym.sims.neupims.kernel_operators import Shape, attention
from archgym.sims.neupims.system import System, memory_of, system
from archgym.sims.neupims.times import bus_share, memory_times, npu_times

MEMORY = memory_times(memory_of(system("neupims")))
NEVER = MEMORY._replace(interval=1e15)  # without refresh
FAST = NEVER._replace(rate=1e9, latency=0.0, store=0.0)


def fresh(pointer: float = 0.0) -> np.ndarray:
    state = np.zeros(STATE)
    state[SHARE], state[PTR] = 1.0, pointer
    return state


def scratch(size: float, c=MEMORY) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n = int(size / c.sweep) + 4
    return np.zeros(n), np.zeros(n), np.zeros(int(c.sweep / c.row) + 2)


def test_constants_of_the_shipped_memory():
    """32 channels of 128 bits at 1 GHz, double data rate; a row of 1 KiB in 16 banks of every channel is a sweep."""
    assert MEMORY.rate == 1024.0
    assert MEMORY.sweep == 32 * 16 * 1024
    assert MEMORY.interval == 1950.0
    assert MEMORY.blocked == 16 + 14 + 260
    assert MEMORY.latency == 3 + 3 + 14 + 14 + 2


@given(size=st.integers(64, 1 << 24), pointer=st.integers(0, 1 << 20), issue=st.integers(0, 10_000))
@settings(max_examples=100, deadline=None)
def test_reads_take_no_less_than_the_bus_needs(size, pointer, issue):
    state = fresh(float(pointer))
    ends, left, rows = scratch(size)
    last = serve(state, MEMORY, float(issue), float(size), ends, left, rows)
    shortest = issue + MEMORY.latency + size / MEMORY.rate
    assert last >= shortest - 1e-6
    refreshes = 2 + (last - issue) / MEMORY.interval
    assert last <= shortest + refreshes * (MEMORY.blocked + 1)
    assert state[READ] == size
    assert state[PTR] == pointer + size
    assert state[FREE] == pytest.approx(last)
    sweeps = int((pointer + size - 1) // MEMORY.sweep) - int(pointer // MEMORY.sweep) + 1
    assert (ends[:sweeps] > 0).all()


def test_a_stream_without_refresh_stays_in_a_rank_while_it_has_requests():
    """Eight sweeps: the first rank's four come first, because its next is offered just when one ends."""
    size = 8 * MEMORY.sweep
    ends, left, rows = scratch(size)
    serve(fresh(), NEVER, 0.0, size, ends, left, rows)
    one = MEMORY.sweep / MEMORY.rate
    order = [0, 2, 4, 6, 1, 3, 5, 7]
    assert np.argsort(ends[:8]).tolist() == order
    assert np.sort(ends[:8]) == pytest.approx([MEMORY.latency + (i + 1) * one for i in range(8)])


def test_a_refresh_moves_the_stream_to_the_other_rank():
    size = 2 * MEMORY.sweep
    ends, left, rows = scratch(size)
    issue = MEMORY.interval - 100.0 - MEMORY.latency  # rank 0 is refreshed 100 cycles after the first data
    serve(fresh(), MEMORY, issue, size, ends, left, rows)
    one = MEMORY.sweep / MEMORY.rate
    offered = MEMORY.interval - 100.0 + one / 2  # its requests come in twice as fast as they are served
    assert ends[1] == pytest.approx(offered + one)  # the other rank meanwhile, as a whole
    assert ends[0] == pytest.approx(offered + one + (one - 100.0))


@given(n=st.integers(1, 16), gap=st.floats(0.0, 32.0))
@settings(max_examples=50, deadline=None)
def test_first_rows_share_the_bus_like_a_processor(n, gap):
    """Equal rows of a sweep that come in one after another: each bank gets an equal part of the bus."""
    c = NEVER._replace(accept=1e9 if gap < 1.0 else NEVER.row / NEVER.rate / gap)
    ends, left, rows = scratch(n * c.row, c)
    serve(fresh(), c, 0.0, n * c.row, ends, left, rows)
    each = c.row / c.rate
    gap = c.row / (c.rate * c.accept)
    # event by event: remaining work of every row that has come in shrinks at the same pace
    left_of = {}
    t, done = c.latency, [0.0] * n
    arrivals = [(c.latency + i * gap, i) for i in range(n)]
    heapq.heapify(arrivals)
    while arrivals or left_of:
        upcoming = arrivals[0][0] if arrivals else math.inf
        if not left_of:
            t = max(t, upcoming)
        soonest = t + min(left_of.values()) * len(left_of) if left_of else math.inf
        until = min(upcoming, soonest)
        for i in left_of:
            left_of[i] -= (until - t) / len(left_of)
        t = max(t, until)
        for i in [i for i, rest in left_of.items() if rest <= 1e-9]:
            done[i] = t
            del left_of[i]
        while arrivals and arrivals[0][0] <= t + 1e-12:
            left_of[heapq.heappop(arrivals)[1]] = each
    assert rows[:n] == pytest.approx(done, rel=1e-6, abs=1e-3)


def test_a_shared_bus_is_slower_until_pim_is_done():
    state = fresh()
    state[SHARE], state[UNTIL] = 0.25, 100.0
    assert advance(state, 0.0, 20.0) == 80.0
    assert advance(state, 0.0, 30.0) == 105.0  # 25 of them in the first hundred cycles
    assert advance(state, 200.0, 30.0) == 230.0
    state[SHARE] = 0.0
    assert advance(state, 40.0, 7.0) == 107.0


def test_writes_are_posted_and_keep_the_bus_busy():
    state = fresh()
    assert store(state, MEMORY, 10.0, 4096.0) == 10.0 + 4096 / 2048
    assert state[FREE] == 10.0 + 4096 / 1024
    assert state[WRITTEN] == 4096


def events(u, m, k, n, arrive_with_all: float) -> tuple[float, float]:
    """A product whose operands are all there from one moment on, instruction by instruction: its end, cycles in use."""
    issue, pipeline, in_flight = arrive_with_all, [], []
    for _ in range(math.ceil(n / u.cols)):
        for _ in range(math.ceil(k / u.rows)):
            for block in range(math.ceil(m / u.cols)):
                outputs = min(u.cols, m - block * u.cols)
                cycles = max(math.ceil(outputs / u.arrays), 4)
                issue += 1
                if not pipeline or issue > pipeline[-1][1]:
                    start = issue + (2 * u.rows - 1 if block == 0 else 0)
                elif block == 0:
                    start = max(issue, pipeline[-1][0] + max(u.rows, pipeline[-1][2]))
                else:
                    start = max(issue, pipeline[-1][0] + pipeline[-1][2])
                pipeline.append((start, start + u.rows + u.cols - 2 + cycles, cycles))
                in_flight.append((issue, pipeline[-1][1]))
    points = np.arange(math.floor(arrive_with_all), math.ceil(pipeline[-1][1])) + 0.5
    used = np.zeros(len(points), dtype=bool)
    for since, until in in_flight:
        used |= (points > since) & (points < until)
    return pipeline[-1][1], float(used.sum())


@given(
    m=st.integers(1, 900),
    k=st.integers(1, 500),
    n=st.integers(1, 300),
    arrays=st.sampled_from([1, 8, 16]),
    side=st.sampled_from([(64, 64), (128, 128), (128, 32)]),
)
@settings(max_examples=80, deadline=None)
def test_products_agree_with_a_list_of_instructions_when_memory_is_no_limit(m, k, n, arrays, side):
    u = npu_times(System(arrays=arrays, array_rows=side[0], array_cols=side[1]))
    state = fresh()
    ends, left, rows = scratch(1 << 22)
    end = gemm(state, FAST, u, m, k, n, 50.0, ends, left, rows)
    expected, busy = events(u, m, k, n, 51.0)  # the tile issues in cycle 51
    assert end == pytest.approx(expected, abs=0.1)
    assert state[BUSY] == pytest.approx(busy, abs=1.0)
    assert state[READ] == 2 * (m * k + k * n)
    assert state[WRITTEN] == 2 * m * n


def test_a_compute_bound_product_takes_what_the_authors_rule_says():
    """N/128 K/128 (128 + (M/128 - 1) 16) + 255 + 270 - 128 (casys-kaist/NeuPIMs f299af3, NeuPIMSystolicWS.cc)."""
    u = npu_times(system("neupims"))
    ends, left, rows = scratch(1 << 24)
    end = gemm(fresh(), FAST, u, 1024, 512, 256, 0.0, ends, left, rows)
    chain = 2 * 4 * (128 + 7 * 16)
    assert end == pytest.approx(2 + chain + 255 + 270 - 128, abs=0.1)  # the tile and its first instruction issue


def test_a_product_is_cut_when_it_does_not_fit_half_the_scratchpad():
    small = npu_times(System(scratchpad_kib=1024))
    ends, left, rows = scratch(1 << 26)
    whole, cut = fresh(), fresh()
    gemm(whole, MEMORY, npu_times(system("neupims")), 3072, 4096, 256, 0.0, ends, left, rows)
    gemm(cut, MEMORY, small, 3072, 4096, 256, 0.0, ends, left, rows)
    assert whole[READ] == 2 * (3072 * 4096 + 4096 * 256)
    assert cut[READ] > whole[READ]  # activations are read again for every part of the outputs
    assert cut[WRITTEN] == whole[WRITTEN] == 2 * 3072 * 256
    tall = fresh()  # more tokens than outputs, and sides that halving does not fill
    gemm(tall, MEMORY, small, 130, 1025, 3000, 0.0, ends, left, rows)
    assert tall[WRITTEN] == 2 * 130 * 3000
    assert tall[READ] >= 2 * (130 * 1025 + 1025 * 3000)


def test_stream_and_tree():
    u = npu_times(system("neupims"))
    assert [stream_cycles(u, outputs) for outputs in (128, 100, 8)] == [16, 13, 4]
    assert [tree_passes(u, n) for n in (1, 128, 129, 2048, 128 * 128 * 2)] == [1, 1, 2 + 1, 16 + 1, 256 + 2 + 1]


def test_row_wise_operators_are_bound_by_memory_or_by_the_units():
    u = npu_times(system("neupims"))
    ends, left, rows = scratch(1 << 22)
    quick = vector(fresh(), NEVER, u, 256, 8192.0, 8192.0, 1, 0.0, ends, left, rows)
    moved = 256 * 8192 / 1024
    assert quick == pytest.approx(NEVER.latency + moved + moved / 2 + NEVER.store, rel=0.01)
    slow = vector(fresh(), NEVER, u, 256, 8.0, 8.0, 1000, 0.0, ends, left, rows)
    assert slow == pytest.approx(NEVER.latency + 256 / 8 * 1000 + NEVER.store, rel=0.01)


def shape(spread: bool, heads: int = 8, kv_heads: int = 8) -> Shape:
    return Shape(1024, 3072, 1024, 4096, 4096, heads, kv_heads, 128, False, spread, 4, 512, 16, 0.0)


def test_spread_attention_reads_keys_and_values_once_at_full_bandwidth():
    u = npu_times(system("npu-only"))
    lengths = np.full(64, 1000)
    ends, left, rows = scratch(1 << 29)
    state = fresh()
    end = attention(state, NEVER, u, shape(True), lengths, 0.0, ends, left, rows)
    size = 64 * 1000 * 2 * 2 * 1024
    assert state[READ] == size + 2 * 1024 * 64
    assert end == pytest.approx(size / 1024, rel=0.02)
    shared = fresh()  # grouped queries: a quarter of the keys and values
    attention(shared, NEVER, u, shape(True, 8, 2), lengths, 0.0, ends, left, rows)
    assert shared[READ] == size / 4 + 2 * 1024 * 64


def test_attention_in_order_fills_and_drains_the_arrays_for_every_head():
    """Per head: 255 + s/8 for the scores, the softmax, and 255 + 128/8 for every 128 tokens of the values."""
    u = npu_times(system("npu-only-in-order"))
    ends, left, rows = scratch(1 << 26)
    end = attention(fresh(), FAST, u, shape(False), np.array([512]), 0.0, ends, left, rows)
    head = 255 + 512 / 8 + (3 * 4 + 2 * 5) + 4 * (255 + 16)
    assert end == pytest.approx(8 * head, rel=0.25)  # and the tail of the last head
    assert end >= 8 * head


def test_less_of_the_bus_is_left_beside_shorter_tiles_and_none_beside_a_single_row_buffer():
    dual, single = memory_of(system("neupims")), memory_of(system("npu+pim"))
    # 32 precharges, 4 results that keep reads away for 2 + 2 cycles, half of a header and eight activates
    assert bus_share(dual, 197.0, 8, 4) == pytest.approx(1 - (32 + 16 + 4.5) / 197)
    assert bus_share(dual, 143.0, 8, 1) > bus_share(dual, 60.0, 8, 1) >= 0.0
    assert bus_share(single, 213.0, 8, 4) == 0.0
    fine = memory_of(system("neupims", pim_commands="fine"))
    # every COMP and READRES keeps reads away for two cycles: four times eight and one
    assert bus_share(fine, 213.0, 8, 4) == pytest.approx(1 - (32 + 72 + 4.5) / 213)
