"""Continuous batching at iteration level (Orca, OSDI'22): who is in which stage, when, and what requests see of it.

A stage is one pass through the model. A request is admitted at a stage boundary, first come first served, when the
batch has a place and the cache has room for all the tokens it will ever hold; its first stage reads the prompt and
gives the first token, each later one gives one more. Between two admissions or completions contexts only grow by one,
so such a run of stages is timed at once where the system offers `stage_times`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from archgym.errors import InvalidInput
from archgym.sims.llm.parallel import DoesNotFit
from archgym.sims.llm.requests import Requests
from archgym.sims.llm.served import Run, Served

__all__ = ["StageTime", "StageTimes", "serve"]

Tokens = NDArray[np.int64]
Floats = NDArray[np.float64]

StageTime: TypeAlias = Callable[[Tokens, Tokens], float]
"""(tokens each decoding request attends to, prompt lengths) -> seconds of one stage."""
StageTimes: TypeAlias = Callable[[Tokens, int], Floats]
"""(the same at the first of them, number of stages) -> seconds of each; contexts grow by one a stage."""

# Stages timed ahead when the next arrival may end the run: a longer look-ahead would mostly be thrown away.
_AHEAD = 32


def serve(
    requests: Requests,
    stage_time: StageTime,
    *,
    max_batch: int,
    kv_capacity_tokens: int | None = None,
    kv_bytes_per_token: int = 0,
    mixed: bool = True,
    max_prefill_tokens: int | None = None,
    stage_times: StageTimes | None = None,
) -> Served:
    """Serve every request to its end.

    Args:
        requests: what arrives.
        stage_time: seconds of a stage, from the contexts of its decoding requests and the prompts it reads.
        max_batch: requests in the batch at most.
        kv_capacity_tokens: tokens whose keys and values fit; each request reserves prompt + output. None: no limit.
        kv_bytes_per_token: only for the message of `DoesNotFit`.
        mixed: prompts are read in a stage together with decoding requests; else in a stage of their own, which goes
            first.
        max_prefill_tokens: prompt tokens a stage reads at most (but always one prompt). None: no limit.
        stage_times: times a run of decode-only stages at once; it has to agree with `stage_time`.

    Raises:
        DoesNotFit: when a request can never be admitted, with tokens and bytes needed and available.
        InvalidInput: for a limit below 1, or stage times that are not finite and above 0.
    """
    for name, limit in (("max_batch", max_batch), ("max_prefill_tokens", max_prefill_tokens)):
        if limit is not None and limit < 1:
            raise InvalidInput(f"{name} {limit} is not allowed; allowed: 1 and more")
    needed = requests.prompt + requests.output
    if kv_capacity_tokens is not None and needed.max() > kv_capacity_tokens:
        worst = int(needed.argmax())
        raise DoesNotFit(
            f"request {worst} needs {needed[worst]} tokens of keys and values "
            f"({needed[worst] * kv_bytes_per_token} bytes), {kv_capacity_tokens} "
            f"({kv_capacity_tokens * kv_bytes_per_token} bytes) are available"
        )
    timer = _Timer(stage_time, stage_times)
    return _Loop(requests, timer, max_batch, kv_capacity_tokens, mixed, max_prefill_tokens).run()


class _Timer:
    """Asks the system for times and refuses nonsense."""

    def __init__(self, stage_time: StageTime, stage_times: StageTimes | None) -> None:
        self._one, self._many = stage_time, stage_times

    def ends(self, start_s: float, contexts: Tokens, prompts: Tokens) -> Floats:
        """When one stage ends, float64[1]."""
        return self._checked(np.array([start_s, self._one(contexts, prompts)]))

    def run_ends(self, start_s: float, contexts: Tokens, steps: int, until_s: float) -> Floats:
        """When the next decode-only stages end: `steps` of them, fewer where one ends at `until_s` or later."""
        if self._many is None:
            times, clock = [start_s], start_s
            for step in range(steps):
                times.append(self._one(contexts + step, _NONE))
                clock += times[-1]
                if clock >= until_s:
                    break
            return self._checked(np.array(times))
        steps = steps if until_s == math.inf else min(steps, _AHEAD)
        seconds = np.asarray(self._many(contexts, steps), dtype=np.float64)
        if seconds.shape != (steps,):
            raise InvalidInput(f"stage_times gave {seconds.shape} times for {steps} stages; allowed: ({steps},)")
        ends = self._checked(np.concatenate(([start_s], seconds)))
        return ends[: int(np.searchsorted(ends, until_s)) + 1]

    @staticmethod
    def _checked(start_and_seconds: Floats) -> Floats:
        seconds = start_and_seconds[1:]
        if not (np.isfinite(seconds).all() and (seconds > 0).all()):
            raise InvalidInput(f"a stage takes {seconds.min()} s; allowed: finite, above 0")
        return np.asarray(np.cumsum(start_and_seconds)[1:])


_NONE: Tokens = np.empty(0, dtype=np.int64)


class _Loop:
    """The state between stages: who waits, who decodes, and how far each is."""

    def __init__(
        self, requests: Requests, timer: _Timer, max_batch: int, capacity: int | None, mixed: bool, prefill: int | None
    ) -> None:
        self._requests, self._timer, self._mixed = requests, timer, mixed
        self._max_batch, self._prefill = max_batch, prefill
        self._free = math.inf if capacity is None else capacity
        self._clock, self._next = 0.0, 0
        self._running = _NONE
        self._produced = np.zeros(len(requests), dtype=np.int64)
        self._runs: list[Run] = []

    def run(self) -> Served:
        """Stage after stage until every request is finished."""
        while self._next < len(self._requests) or len(self._running):
            admitted = self._admit()
            if not len(admitted) and not len(self._running):
                self._clock = float(self._requests.arrival_s[self._next])
            else:
                self._stage(admitted) if len(admitted) else self._decode()
        return Served.of(self._requests, tuple(self._runs))

    def _fits(self, request: int, batch: int) -> bool:
        need = self._requests.prompt[request] + self._requests.output[request]
        return batch < self._max_batch and bool(need <= self._free)

    def _admit(self) -> Tokens:
        """Take from the head of the queue what has arrived and fits."""
        first, tokens = self._next, 0
        while self._next < len(self._requests) and self._requests.arrival_s[self._next] <= self._clock:
            prompt = int(self._requests.prompt[self._next])
            count = self._next - first
            full = self._prefill is not None and count and tokens + prompt > self._prefill
            if full or not self._fits(self._next, len(self._running) + count):
                break
            tokens += prompt
            self._free -= prompt + int(self._requests.output[self._next])
            self._next += 1
        return np.arange(first, self._next, dtype=np.int64)

    def _stage(self, admitted: Tokens) -> None:
        """One stage that reads prompts, with the decoding requests in it or not."""
        decode = self._running if self._mixed else _NONE
        contexts = self._contexts(decode)
        ends = self._timer.ends(self._clock, contexts, self._requests.prompt[admitted])
        self._running = np.concatenate((self._running, admitted))
        self._advance(Run(self._clock, decode, contexts, admitted, ends), np.concatenate((decode, admitted)))

    def _decode(self) -> None:
        """Decode-only stages until a request ends or may be admitted."""
        decode, contexts = self._running, self._contexts(self._running)
        steps = int((self._requests.output[decode] - self._produced[decode]).min())
        # Who waits already was refused for want of place or memory, which only a completion gives.
        waits = self._next < len(self._requests) and self._fits(self._next, len(decode))
        until = float(self._requests.arrival_s[self._next]) if waits else math.inf
        ends = self._timer.run_ends(self._clock, contexts, steps, until)
        self._advance(Run(self._clock, decode, contexts, _NONE, ends), decode)

    def _contexts(self, decode: Tokens) -> Tokens:
        return np.asarray(self._requests.prompt[decode] + self._produced[decode])

    def _advance(self, run: Run, produced: Tokens) -> None:
        """Count the tokens of a run of stages and let finished requests go."""
        self._runs.append(run)
        self._clock = float(run.ends_s[-1])
        self._produced[produced] += len(run.ends_s)
        done = self._produced[self._running] == self._requests.output[self._running]
        if done.any():
            gone = self._running[done]
            self._free += int((self._requests.prompt[gone] + self._requests.output[gone]).sum())
            self._running = self._running[~done]
