"""Compiled: continuous batching, stage after stage.

The rules are those of `archgym.sims.llm.batching.serve`, which follows each request; here a stage costs the same
whatever the batch, because contexts enter as a sum and a request's last stage is known when it is admitted. Two more
things: a closed loop, in which a finished request is followed by the next, and request-level batching.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from archgym.sims.jit import entry
from archgym.sims.duplex.kernel_stage import OUTPUTS, TIME, Rates, stage

MIXED, PREFILL_FIRST, DECODE_FIRST = 0, 1, 2
# Places in the totals after those of `kernel_stage`.
END, STAGES, MIXED_STAGES, BATCH_SECONDS, TOKENS = OUTPUTS, OUTPUTS + 1, OUTPUTS + 2, OUTPUTS + 3, OUTPUTS + 4
TOTALS = OUTPUTS + 5

Floats: TypeAlias = NDArray[np.float64]


@entry
def _grown(array: NDArray[np.float64], used: int) -> NDArray[np.float64]:
    """The array, twice as long when it is full."""
    if used < len(array):
        return array
    longer = np.zeros(2 * len(array))
    longer[:used] = array
    return longer


@entry
def serve(
    rates: Rates,
    rows: NDArray[np.float64],
    grid: NDArray[np.int64],
    table: NDArray[np.float64],
    arrival: NDArray[np.float64],
    prompt: NDArray[np.int64],
    output: NDArray[np.int64],
    produced: NDArray[np.int64],
    clients: int,
    stop: int,
    max_batch: int,
    cache_tokens: int,
    prefill_tokens: int,
    policy: int,
) -> tuple[Floats, Floats, Floats, Floats, Floats, Floats]:
    """Serve until `stop` requests are finished.

    Args:
        rates: see `kernel_stage.stage`, as for `rows`, `grid` and `table`.
        arrival: float64[n] seconds, ascending; with `clients`, those of the first requests only.
        prompt: int64[n].
        output: int64[n].
        produced: int64[n], tokens a request has when serving starts (it runs then, if there is room); 0: none.
        clients: 0: requests arrive by themselves; else so many are in the system, each followed by the next.
        stop: finished requests after which to stop.
        max_batch: requests in the batch at most.
        cache_tokens: tokens whose keys and values fit; a request reserves prompt and output.
        prefill_tokens: prompt tokens a stage reads at most, but always one prompt.
        policy: `MIXED`, `PREFILL_FIRST` or `DECODE_FIRST`.

    Returns:
        (arrival, first token, finish of each request, NaN where it did not happen; gaps between tokens and how often;
        totals float64[12]: those of `stage`, end, stages, stages that read prompts, batch x seconds, tokens).
    """
    n = len(prompt)
    arrived = arrival.copy()
    first, finish = np.full(n, np.nan), np.full(n, np.nan)
    gaps, weights = np.zeros(1024), np.zeros(1024)
    totals, one = np.zeros(TOTALS), np.zeros(OUTPUTS)
    # Requests that end with the same decode stage form a list that starts in `head` at that stage, modulo its length.
    head = np.full(output.max() + 2, -1, dtype=np.int64)
    after = np.full(n, -1, dtype=np.int64)
    group_size, group_last = np.zeros(n + 1, dtype=np.int64), np.zeros(n + 1)
    groups, used, now, tick = 1, 0, 0.0, 0
    running, context, free, done, upcoming = 0, 0, cache_tokens, 0, 0
    known = clients or 0
    filling = False
    while upcoming < n and produced[upcoming] > 0 and running < max_batch:
        need = prompt[upcoming] + output[upcoming]
        if need > free:
            break
        place = (output[upcoming] - produced[upcoming] - 1) % len(head)
        after[upcoming] = head[place]
        head[place] = upcoming
        running += 1
        context += prompt[upcoming] + produced[upcoming]
        free -= need
        upcoming += 1
    group_size[0] = running
    while done < stop:
        while clients == 0 and known < n and arrived[known] <= now:
            known += 1
        if running == 0:
            if upcoming >= known:
                now = arrived[known]
                continue
            filling = True
        # Admission, first come first served.
        begin, tokens, pairs = upcoming, 0, 0
        while upcoming < known and running + upcoming - begin < max_batch and (policy != DECODE_FIRST or filling):
            need = prompt[upcoming] + output[upcoming]
            if need > free or (upcoming > begin and tokens + prompt[upcoming] > prefill_tokens):
                break
            free -= need
            tokens += prompt[upcoming]
            pairs += prompt[upcoming] * (prompt[upcoming] + 1) // 2
            upcoming += 1
        admitted = upcoming - begin
        filling = filling and admitted > 0
        decoding = running if policy == MIXED or admitted == 0 else 0
        stage(rates, rows, grid, table, decoding, context if decoding else 0, admitted, tokens, pairs, one)
        for place in range(OUTPUTS):
            totals[place] += one[place]
        now += one[TIME]
        totals[STAGES] += 1
        totals[MIXED_STAGES] += admitted > 0
        totals[BATCH_SECONDS] += one[TIME] * (running + admitted)
        totals[TOKENS] += decoding + admitted
        if decoding:
            for group in range(groups):
                if group_size[group]:
                    gaps, weights = _grown(gaps, used), _grown(weights, used)
                    gaps[used], weights[used] = now - group_last[group], group_size[group]
                    used += 1
            groups = 1
            group_last[0] = now
            context += running
        for request in range(begin, upcoming):
            first[request] = now
            if output[request] == 1:
                finish[request] = now
                free += prompt[request] + 1
                done += 1
                if clients and known < n:
                    arrived[known] = now
                    known += 1
                continue
            # The next decode stage has number `tick` + 1 if this one decoded (or was the first of a mixed batch).
            last = tick + output[request] - (1 if policy == MIXED else 2)
            after[request] = head[last % len(head)]
            head[last % len(head)] = request
            context += prompt[request] + 1
            running += 1
        if policy == MIXED or decoding:
            request = head[tick % len(head)]
            head[tick % len(head)] = -1
            while request >= 0:
                finish[request] = now
                running -= 1
                context -= prompt[request] + output[request]
                free += prompt[request] + output[request]
                done += 1
                if clients and known < n:
                    arrived[known] = now
                    known += 1
                request = after[request]
            tick += 1
            group_size[0] = running
        elif admitted:
            group_size[groups] = running - group_size[:groups].sum()
            group_last[groups] = now
            groups += 1
        if policy == MIXED:
            group_last[0] = now
    totals[END] = now
    return arrived, first, finish, gaps[:used], weights[:used], totals
