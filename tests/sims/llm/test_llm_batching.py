from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from archgym.errors import InvalidInput
from archgym.sims.llm.batching import serve
from archgym.sims.llm.parallel import DoesNotFit
from archgym.sims.llm.requests import Requests, fixed, poisson


def linear(contexts, prompts):
    """A stage that reads weights, keys and prompts: exact in binary, so that both implementations see equal sums."""
    return 1 / 64 + float(contexts.sum()) / 1024 + float(prompts.sum()) / 256


def linear_run(contexts, steps):
    return 1 / 64 + (contexts.sum() + len(contexts) * np.arange(steps)) / 1024


def plain(requests, stage, max_batch, capacity, mixed, budget):
    """One stage after the other, one token after the other, in plain Python: token times of each request."""
    todo = [
        {"id": i, "at": a, "prompt": p, "left": o, "size": p + o, "tokens": []}
        for i, (a, p, o) in enumerate(
            zip(requests.arrival_s.tolist(), requests.prompt.tolist(), requests.output.tolist(), strict=True)
        )
    ]
    every, active, now = list(todo), [], 0.0
    while todo or active:
        fresh = []
        while todo and todo[0]["at"] <= now:
            load = sum(r["size"] for r in active + fresh) + todo[0]["size"]
            read = sum(r["prompt"] for r in fresh) + todo[0]["prompt"]
            if len(active) + len(fresh) == max_batch or (capacity is not None and load > capacity):
                break
            if budget is not None and fresh and read > budget:
                break
            fresh.append(todo.pop(0))
        if not active and not fresh:
            now = todo[0]["at"]
            continue
        decoding = active if mixed or not fresh else []
        contexts = np.array([r["prompt"] + len(r["tokens"]) for r in decoding], dtype=np.int64)
        now += stage(contexts, np.array([r["prompt"] for r in fresh], dtype=np.int64))
        for r in [*decoding, *fresh]:
            r["tokens"].append(now)
            r["left"] -= 1
        active = [r for r in [*active, *fresh] if r["left"]]
    return [r["tokens"] for r in every]


@st.composite
def loads(draw):
    n = draw(st.integers(1, 14))
    gaps = draw(st.lists(st.integers(0, 24), min_size=n, max_size=n))
    prompts = draw(st.lists(st.integers(1, 20), min_size=n, max_size=n))
    outputs = draw(st.lists(st.integers(1, 40), min_size=n, max_size=n))
    requests = Requests(np.cumsum(gaps) / 16, np.array(prompts), np.array(outputs))
    capacity = draw(st.none() | st.integers(60, 150))
    return requests, draw(st.integers(1, 6)), capacity, draw(st.booleans()), draw(st.none() | st.integers(1, 40))


@settings(max_examples=250, deadline=None)
@given(loads(), st.booleans())
def test_every_token_comes_when_the_plain_loop_says(load, vectorised):
    requests, max_batch, capacity, mixed, budget = load
    tokens = plain(requests, linear, max_batch, capacity, mixed, budget)
    served = serve(
        requests, linear, max_batch=max_batch, kv_capacity_tokens=capacity, mixed=mixed, max_prefill_tokens=budget,
        stage_times=linear_run if vectorised else None,
    )  # fmt: skip
    assert served.first_token_s.tolist() == [times[0] for times in tokens]
    assert served.finish_s.tolist() == [times[-1] for times in tokens]
    gaps = np.sort(np.concatenate([np.diff(times) for times in tokens]))
    assert np.repeat(served.gap_s, served.gap_count)[
        np.argsort(np.repeat(served.gap_s, served.gap_count))
    ].tolist() == (gaps.tolist())
    if len(gaps):
        for percent in (50, 90, 99):
            assert served.tbt_s(percent) == np.percentile(gaps, percent, method="inverted_cdf")
    assert served.tokens_per_s == pytest.approx(
        sum(len(times) for times in tokens) / (max(times[-1] for times in tokens) - requests.arrival_s[0])
    )


@settings(max_examples=100, deadline=None)
@given(loads())
def test_stages_conserve_tokens_time_and_memory(load):
    requests, max_batch, capacity, mixed, budget = load
    served = serve(
        requests, linear, max_batch=max_batch, kv_capacity_tokens=capacity, mixed=mixed, max_prefill_tokens=budget,
        stage_times=linear_run,
    )  # fmt: skip
    made, clock, order = np.zeros(len(requests), dtype=int), 0.0, []
    for run in served.runs:
        # Time never goes back, and stages of one run take what the system said.
        assert run.start_s >= clock
        clock = run.ends_s[-1]
        for step, end in enumerate(run.ends_s):
            begun = run.ends_s[step - 1] if step else run.start_s
            assert end - begun == pytest.approx(linear(run.contexts + step, requests.prompt[run.prefill]))
        assert len(run.prefill) == 0 or run.steps == 1
        assert mixed or not (len(run.prefill) and len(run.decode))
        # Nobody starts before it came, decodes before it was read, or twice in a stage.
        assert (requests.arrival_s[run.prefill] <= run.start_s).all()
        assert (made[run.prefill] == 0).all()
        assert (made[run.decode] > 0).all()
        assert (run.contexts == requests.prompt[run.decode] + made[run.decode]).all()
        assert len(set(run.decode) | set(run.prefill)) == len(run.decode) + len(run.prefill)
        made[run.decode] += run.steps
        made[run.prefill] += run.steps
        order += run.prefill.tolist()
        held = np.flatnonzero((made > 0) & (made < requests.output))
        assert len(held) <= max_batch
        assert capacity is None or (requests.prompt + requests.output)[held].sum() <= capacity
    assert (made == requests.output).all()
    assert order == list(range(len(requests)))  # first come, first served
    assert served.gap_count.sum() == (requests.output - 1).sum()
    assert (served.t2ft_s > 0).all()
    assert (served.e2e_s >= served.t2ft_s).all()
    assert served.stages == sum(run.steps for run in served.runs)
    assert 1 <= served.mean_batch <= max_batch


def test_one_request_by_hand():
    # Prompt 4 takes 1/64 + 4/256; then contexts 5, 6 take 1/64 + 5/1024 and 1/64 + 6/1024.
    served = serve(Requests([1.0], [4], [3]), linear, max_batch=8)
    first = 1 / 64 + 4 / 256
    assert served.t2ft_s.tolist() == [first]
    assert served.e2e_s == pytest.approx([first + 2 / 64 + 11 / 1024])
    assert served.gap_s == pytest.approx([1 / 64 + 5 / 1024, 1 / 64 + 6 / 1024])
    assert served.summary() == pytest.approx(
        {
            "tokens_per_s": 3 / (first + 2 / 64 + 11 / 1024), "makespan_s": first + 2 / 64 + 11 / 1024, "mean_batch": 1,
            "t2ft_p50_s": first, "t2ft_p90_s": first, "t2ft_p99_s": first,
            "e2e_p50_s": first + 2 / 64 + 11 / 1024, "e2e_p90_s": first + 2 / 64 + 11 / 1024,
            "e2e_p99_s": first + 2 / 64 + 11 / 1024,
            "tbt_p50_s": 1 / 64 + 5 / 1024, "tbt_p90_s": 1 / 64 + 6 / 1024, "tbt_p99_s": 1 / 64 + 6 / 1024,
        }
    )  # fmt: skip


def test_a_prompt_of_its_own_stage_delays_the_others():
    # The first request decodes when the second comes: its gap would be 1/64 + 9/1024, but a prompt of 256 goes first.
    requests = Requests([0.0, 0.05], [8, 256], [30, 2])
    apart = serve(requests, linear, max_batch=2, mixed=False)
    together = serve(requests, linear, max_batch=2, mixed=True)
    assert apart.gap_s.max() > 1 + 2 / 64
    assert together.gap_s.max() == pytest.approx(1 + 1 / 64, abs=0.05)
    assert apart.stages == together.stages + 1
    assert not any(len(run.decode) and len(run.prefill) for run in apart.runs)


def test_single_tokens_wait_as_in_an_m_d_1_queue():
    # Poisson arrivals, one server, fixed service D: mean wait = rho D / (2 (1 - rho)) (Pollaczek-Khinchine).
    duration, load = 0.1, 0.6
    requests = fixed(1, 1, 60_000, rate_per_s=load / duration, seed=2)
    served = serve(requests, lambda contexts, prompts: duration, max_batch=1)
    assert served.t2ft_s.mean() - duration == pytest.approx(load * duration / (2 * (1 - load)), rel=0.05)
    assert np.isnan(served.tbt_s(50))
    assert served.mean_batch == 1


def test_a_closed_batch_reaches_its_limit():
    # 64 requests of 10 tokens in a batch of 16, a stage of 1 s whatever is in it: 4 waves of 10 stages.
    served = serve(fixed(5, 10, 64), lambda contexts, prompts: 1.0, max_batch=16)
    assert served.makespan_s == 40
    assert served.tokens_per_s == 16
    assert served.mean_batch == 16
    assert np.unique(served.t2ft_s).tolist() == [1, 11, 21, 31]


def test_the_mean_batch_is_weighted_by_time():
    # A prompt stage of 3 s and one token in 2 s together, then 8 stages of 0.5 s for the longer request alone.
    def seconds(contexts, prompts):
        return 3.0 if len(prompts) else float(len(contexts)) - 0.5 * (len(contexts) == 1)

    served = serve(Requests([0.0, 0.0], [1, 1], [2, 10]), seconds, max_batch=2)
    assert served.makespan_s == 3 + 2 + 8 * 0.5
    assert served.mean_batch == (2 * 5 + 1 * 4) / 9


def test_stages_are_asked_for_in_runs_as_long_as_nothing_happens():
    asked = []

    def many(contexts, steps):
        asked.append(steps)
        return np.ones(steps)

    served = serve(fixed(3, 500, 4), lambda contexts, prompts: 1.0, max_batch=4, stage_times=many)
    assert (asked, served.stages) == ([499], 500)
    # With a place free for who comes at 100 s, no further ahead than pays: 99 stages, then both until one ends.
    asked.clear()
    served = serve(Requests([0.0, 100.0], [1, 1], [300, 300]), lambda c, p: 1.0, max_batch=2, stage_times=many)
    assert served.runs[-3].prefill.tolist() == [1]
    assert served.finish_s.tolist() == [300, 400]
    assert sum(asked) < 300 + 100 + 32


def test_memory_limits_the_batch():
    # Each request holds 15 tokens; 40 take two of them.
    served = serve(fixed(5, 10, 8), lambda contexts, prompts: 1.0, max_batch=16, kv_capacity_tokens=40)
    assert served.makespan_s == 40
    assert served.mean_batch == 2


def test_a_request_that_can_never_fit_is_named_with_bytes():
    requests = Requests([0.0, 0.0], [5, 50], [10, 51])
    message = r"request 1 needs 101 tokens of keys and values \(808 bytes\), 100 \(800 bytes\) are available"
    with pytest.raises(DoesNotFit, match=message):
        serve(requests, linear, max_batch=4, kv_capacity_tokens=100, kv_bytes_per_token=8)
    assert len(serve(requests, linear, max_batch=4, kv_capacity_tokens=101).finish_s) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_batch": 0}, r"max_batch 0 is not allowed; allowed: 1 and more"),
        ({"max_batch": 2, "max_prefill_tokens": 0}, r"max_prefill_tokens 0"),
        ({"max_batch": 2, "stage_time": lambda c, p: 0.0}, r"a stage takes 0.0 s; allowed: finite, above 0"),
        ({"max_batch": 2, "stage_time": lambda c, p: float("nan")}, r"a stage takes nan s"),
        ({"max_batch": 2, "stage_times": lambda c, n: np.ones(n + 1)}, r"stage_times gave \(5,\) times for 4 stages"),
        ({"max_batch": 2, "stage_times": lambda c, n: -np.ones(n)}, r"a stage takes -1.0 s"),
    ],
)
def test_nonsense_is_refused(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        serve(fixed(3, 5, 4), **{"stage_time": linear, **arguments})


def test_longer_waits_with_more_load():
    waits = [
        np.median(serve(poisson("alpaca", rate, 400, 1), linear, max_batch=32, stage_times=linear_run).t2ft_s)
        for rate in (0.1, 1, 10)
    ]
    assert waits == sorted(waits)
    assert waits[2] > 2 * waits[0]


def test_a_thousand_requests_of_500_tokens_are_quick():
    requests = fixed(100, 500, 1000, rate_per_s=5, seed=1)
    started = time.process_time()
    served = serve(requests, linear, max_batch=64, stage_times=linear_run)
    assert time.process_time() - started < 2
    assert served.gap_count.sum() == 1000 * 499
