"""The serving loop against two others: that of `sims/llm`, and one that follows every request in plain Python."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from archgym.errors import InvalidInput
from archgym.sims.duplex import kernel_serve as loop
from archgym.sims.duplex.serving import StageModel, serve
from archgym.sims.duplex.stack import HBM3
from archgym.sims.duplex.system import System
from archgym.sims.duplex.workloads import workload
from archgym.sims.llm import batching
from archgym.sims.llm.models import model
from archgym.sims.llm.requests import Requests

TINY = replace(
    model("mixtral-47b"), layers=2, hidden=256, heads=16, kv_heads=8, head_dim=16, ffn_hidden=512, vocab=1000
)
STAGES = StageModel(TINY, System(devices=2), exact_tokens=64, most_tokens=3000)
PLENTY = 10**9


def run(arrival, prompt, output, *, produced=None, clients=0, stop=None, batch=4, cache=PLENTY, read=PLENTY,
        policy=loop.MIXED):  # fmt: skip
    arrays = [np.array(x, dtype=np.int64) for x in (prompt, output, produced or [0] * len(prompt))]
    return loop.serve(
        STAGES.rates, STAGES.rows, STAGES.grid, STAGES.table, np.array(arrival, dtype=np.float64), *arrays,
        clients, stop or len(prompt), batch, cache, read, policy,
    )  # fmt: skip


def gaps_of(gaps, counts):
    """(gap, count) pairs, sorted, equal gaps together."""
    found: dict[float, float] = {}
    for gap, count in zip(np.round(gaps * 1e12).tolist(), counts.tolist(), strict=True):
        found[gap] = found.get(gap, 0) + count
    return sorted(found.items())


def plain(arrival, prompt, output, *, produced=None, clients=0, stop=None, batch=4, cache=PLENTY, read=PLENTY,
          policy=loop.MIXED):  # fmt: skip
    """Request by request: (arrival, first token, finish, token times) of each; stops as the loop does."""
    n, produced, stop = len(prompt), list(produced or [0] * len(prompt)), stop or len(prompt)
    arrival = [a if not clients or i < clients else None for i, a in enumerate(arrival)]
    times = [[] for _ in range(n)]
    first, finish, last = [None] * n, [None] * n, [None] * n
    running, waiting, now, done = [], list(range(n)), 0.0, 0

    def free():
        return cache - sum(size(r) for r in running)

    def size(request):
        return prompt[request] + output[request]

    while waiting and produced[waiting[0]] and len(running) < batch and free() >= size(waiting[0]):
        running.append(waiting.pop(0))
        last[running[-1]] = 0.0
    filling = False
    while done < stop:
        here = [r for r in waiting if arrival[r] is not None and arrival[r] <= now]
        if not running:
            filling = True
            if not here:
                now = min(arrival[r] for r in waiting if arrival[r] is not None)
                continue
        new = []
        for r in here:
            room = free() - sum(size(q) for q in new)
            tokens = sum(prompt[q] for q in new)
            blocked = policy == loop.DECODE_FIRST and not filling
            if blocked or len(running) + len(new) >= batch or size(r) > room:
                break
            if new and tokens + prompt[r] > read:
                break
            new.append(r)
        waiting = [r for r in waiting if r not in new]
        filling = filling and bool(new)
        decode = [] if new and policy != loop.MIXED else list(running)
        contexts = np.array([prompt[r] + produced[r] for r in decode], dtype=np.int64)
        now += STAGES.stage(contexts, np.array([prompt[r] for r in new], dtype=np.int64))[0]
        for r in (*decode, *new):
            produced[r] = produced[r] + 1 if r in decode else 1
            if r in new:
                first[r] = now
            else:
                times[r].append(now - last[r])
            last[r] = now
        running += new
        for r in [r for r in running if produced[r] == output[r]]:
            running.remove(r)
            finish[r] = now
            done += 1
            if clients:
                following = [q for q in range(n) if arrival[q] is None]
                if following:
                    arrival[following[0]] = now
    return arrival, first, finish, times, now


def agree(found, expected):
    arrival, first, finish, gaps, counts, totals = found
    for ours, theirs in ((first, expected[1]), (finish, expected[2])):
        np.testing.assert_allclose(ours, np.array(theirs, dtype=np.float64), rtol=1e-9)
    known = [i for i, at in enumerate(expected[0]) if at is not None]
    np.testing.assert_allclose(arrival[known], [expected[0][i] for i in known], rtol=1e-9)
    every = np.array([gap for each in expected[3] for gap in each])
    ours, theirs = gaps_of(gaps, counts), gaps_of(every, np.ones(len(every)))
    assert sum(count for _, count in ours) == len(every)
    np.testing.assert_allclose(
        np.repeat([g for g, _ in ours], [int(c) for _, c in ours]),
        np.repeat([g for g, _ in theirs], [int(c) for _, c in theirs]),
        rtol=1e-6, atol=2,
    )  # fmt: skip
    assert totals[loop.END] == pytest.approx(expected[4])
    tokens = len(every) + sum(at is not None for at in expected[1])
    assert totals[loop.TOKENS] == tokens


REQUESTS = st.lists(st.tuples(st.integers(1, 60), st.integers(1, 12), st.floats(0, 1e-4)), min_size=1, max_size=14)
POLICIES = st.sampled_from([loop.MIXED, loop.PREFILL_FIRST, loop.DECODE_FIRST])


@settings(max_examples=60, deadline=None)
@given(REQUESTS, st.integers(1, 5), st.sampled_from([80, 200, PLENTY]), st.sampled_from([1, 70, PLENTY]), POLICIES)
def test_open_loads_are_served_as_one_request_after_the_other_would_be(rows, batch, cache, read, policy):
    prompt, output = [r[0] for r in rows], [r[1] for r in rows]
    arrival = np.cumsum([r[2] for r in rows]).tolist()
    limits = {"batch": batch, "cache": cache, "read": read, "policy": policy}
    agree(run(arrival, prompt, output, **limits), plain(arrival, prompt, output, **limits))


@settings(max_examples=50, deadline=None)
@given(REQUESTS, st.integers(1, 5), st.integers(1, 5), st.sampled_from([160, PLENTY]), POLICIES, st.data())
def test_closed_loops_too(rows, clients, batch, cache, policy, data):
    rows = rows * 3
    prompt, output = [r[0] for r in rows], [max(2, r[1]) for r in rows]
    clients = min(clients, len(rows))
    produced = [data.draw(st.integers(1, output[i] - 1)) if i < clients else 0 for i in range(len(rows))]
    stop = data.draw(st.integers(1, len(rows)))
    arrival = [0.0] * len(rows)
    limits = {"clients": clients, "stop": stop, "batch": batch, "cache": cache, "policy": policy}
    # Requests met in the middle that find no room begin anew, as the loop has it.
    places, room = min(batch, clients), cache
    for i in range(clients):
        if i >= places or prompt[i] + output[i] > room:
            produced[i:] = [0] * (len(rows) - i)
            break
        room -= prompt[i] + output[i]
    agree(
        run(arrival, prompt, output, produced=produced, **limits),
        plain(arrival, prompt, output, produced=produced, **limits),
    )


@pytest.mark.parametrize("mixed", [True, False])
@pytest.mark.parametrize("cache", [900, None])
def test_the_loop_of_the_llm_family_agrees(mixed, cache):
    rng = np.random.default_rng(4)
    n = 60
    arrival = np.cumsum(rng.exponential(2e-5, n))
    prompt, output = rng.integers(1, 200, n), rng.integers(1, 40, n)
    theirs = batching.serve(
        Requests(arrival, prompt, output),
        lambda decode, prefill: float(STAGES.stage(decode, prefill)[0]),
        max_batch=8, kv_capacity_tokens=cache, mixed=mixed, max_prefill_tokens=256,
    )  # fmt: skip
    _, first, finish, gaps, counts, totals = run(
        arrival, prompt, output, batch=8, cache=cache or PLENTY, read=256,
        policy=loop.MIXED if mixed else loop.PREFILL_FIRST,
    )  # fmt: skip
    np.testing.assert_allclose(first, theirs.first_token_s, rtol=1e-9)
    np.testing.assert_allclose(finish, theirs.finish_s, rtol=1e-9)
    assert gaps_of(gaps, counts)[-1][0] == pytest.approx(np.max(theirs.gap_s) * 1e12, rel=1e-6)
    assert counts.sum() == theirs.gap_count.sum() == output.sum() - n
    assert totals[loop.STAGES] == theirs.stages


def test_a_served_load_adds_up():
    found = serve(workload("mixtral-in64-out32-batch16"), System())
    load = workload("mixtral-in64-out32-batch16").load(0)
    assert found.finished == load.stop
    assert found.tokens == found.gap_count.sum() + len(found.t2ft_s)
    assert found.mean_batch == pytest.approx(16, abs=0.01)
    assert 0 < found.mixed_stages < found.stages
    assert (found.t2ft_s > 0).all()
    assert found.e2e_s.min() > found.t2ft_s.min()
    # Everybody who finished got all tokens, one gap fewer than tokens.
    assert found.tokens >= load.output[: load.stop].sum() - load.produced.sum() - 16 * 32


def test_percentiles_count_every_token():
    found = serve(workload("mixtral-in64-out32-batch16"), System())
    every = np.sort(np.repeat(found.gap_s, found.gap_count.astype(int)))
    for percentile in (50, 90, 99):
        assert found.tbt_s(percentile) == np.quantile(every, percentile / 100, method="inverted_cdf")


def test_the_same_load_gives_the_same_numbers_and_another_seed_others():
    load = workload("mixtral-in64-out32-qps200")
    one, two, other = serve(load, System()), serve(load, System()), serve(load, System(), seed=1)
    assert one.seconds == two.seconds
    np.testing.assert_array_equal(one.e2e_s, two.e2e_s)
    assert one.seconds != other.seconds


def test_the_arrival_rate_bounds_the_throughput_of_a_fast_system():
    load = workload("mixtral-in64-out32-qps5")
    found = serve(load, System())
    tokens = load.load(0).output.sum()
    assert found.tokens == tokens
    assert found.seconds == pytest.approx(load.load(0).arrival_s[-1], rel=0.01)


def test_a_batch_that_does_not_fit_is_refused_or_made_smaller():
    load, system = workload("opt-in1024-out1024-batch64"), System(pim="none")
    with pytest.raises(
        InvalidInput, match=r"a batch of 64 requests of 2048 tokens need \d+ bytes on each of 4"
    ) as told:
        serve(load, system)
    needed, available = (int(word) for word in str(told.value).split() if word.isdigit() and len(word) > 9)
    assert needed > available
    # 64 layers x 2 x 18 heads x 128 x 2 bytes a token on each of four devices, and 1/4 of the weights.
    assert needed - available == pytest.approx(64 * 2048 * 64 * 2 * 18 * 128 * 2 - (80 * 2**30 - 33.0e9), rel=0.01)
    assert serve(load, system, overflow="shrink").mean_batch == pytest.approx(43, abs=1)


def test_one_request_too_long_for_the_memory_is_refused():
    # Weights of OPT leave 0.7 GB on each of these two devices, 1.2 MB a token: room for 581 tokens.
    system = System(pim="none", devices=2, stacks=4, stack=replace(HBM3, capacity_bytes=16.6e9))
    with pytest.raises(InvalidInput, match=r"the longest request \(2048 tokens\) need"):
        serve(workload("opt-in1024-out1024-batch1"), system, overflow="shrink")
    assert serve(workload("opt-in256-out256-batch1"), system, overflow="shrink").mean_batch == pytest.approx(1)
