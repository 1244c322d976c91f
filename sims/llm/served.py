"""What serving a load gave: the stages that ran, and what each request saw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym.sims.llm.requests import Requests

__all__ = ["PERCENTILES", "Run", "Served"]

Tokens = NDArray[np.int64]
Floats = NDArray[np.float64]

PERCENTILES = (50, 90, 99)


@dataclass(frozen=True, eq=False)
class Run:
    """Stages that ran one after the other with the same requests; more than one only where no prompt is read.

    `decode` and `prefill` hold the numbers of the requests, `contexts` the tokens each of `decode` attends to in the
    first stage (one more in each later one), `ends_s` when each stage ended.
    """

    start_s: float
    decode: Tokens
    contexts: Tokens
    prefill: Tokens
    ends_s: Floats

    @property
    def steps(self) -> int:
        """Number of stages."""
        return len(self.ends_s)


@dataclass(frozen=True, eq=False)
class Served:
    """A served load.

    `first_token_s` and `finish_s` are points in time of each request; `gap_s` are the times between consecutive tokens
    of a request (time between tokens, TBT), each met `gap_count` times.
    """

    requests: Requests
    runs: tuple[Run, ...]
    first_token_s: Floats
    finish_s: Floats
    gap_s: Floats
    gap_count: Tokens

    @classmethod
    def of(cls, requests: Requests, runs: tuple[Run, ...]) -> Served:
        """Follow the runs and note when each request got its tokens."""
        first = np.zeros(len(requests))
        last = np.zeros(len(requests))
        gaps, counts = [np.empty(0)], [np.empty(0, dtype=np.int64)]
        for run in runs:
            if len(run.decode):
                # The first gap reaches back over stages the request was not in; later ones are one stage long.
                back, times = np.unique(run.ends_s[0] - last[run.decode], return_counts=True)
                gaps += [back, np.diff(run.ends_s)]
                counts += [times, np.full(run.steps - 1, len(run.decode), dtype=np.int64)]
            first[run.prefill] = last[run.prefill] = run.ends_s[-1]
            last[run.decode] = run.ends_s[-1]
        return cls(requests, runs, first, last, np.concatenate(gaps), np.concatenate(counts))

    @property
    def stages(self) -> int:
        """How many stages ran."""
        return sum(run.steps for run in self.runs)

    @property
    def t2ft_s(self) -> Floats:
        """Time to first token of each request, from its arrival."""
        return np.asarray(self.first_token_s - self.requests.arrival_s)

    @property
    def e2e_s(self) -> Floats:
        """Time of each request from arrival to last token."""
        return np.asarray(self.finish_s - self.requests.arrival_s)

    @property
    def makespan_s(self) -> float:
        """From the first arrival to the last token."""
        return float(self.finish_s.max() - self.requests.arrival_s[0])

    @property
    def tokens_per_s(self) -> float:
        """Output tokens of all requests over the makespan."""
        return float(self.requests.output.sum() / self.makespan_s)

    @property
    def mean_batch(self) -> float:
        """Requests in a stage, averaged over the time stages ran."""
        busy = [float(run.ends_s[-1] - run.start_s) for run in self.runs]
        size = [len(run.decode) + len(run.prefill) for run in self.runs]
        return float(np.average(size, weights=busy))

    def tbt_s(self, percentile: float) -> float:
        """Percentile (0 to 100) of the time between tokens, over all tokens; NaN when no request has two."""
        if not len(self.gap_s):
            return float("nan")
        quantile = np.quantile(self.gap_s, percentile / 100, weights=self.gap_count, method="inverted_cdf")
        return float(quantile)

    def summary(self) -> dict[str, float]:
        """Throughput and percentiles by name: `tokens_per_s`, `t2ft_p50_s`, ..., `tbt_p99_s`, `e2e_p99_s`."""
        found = {"tokens_per_s": self.tokens_per_s, "makespan_s": self.makespan_s, "mean_batch": self.mean_batch}
        for name, values in (("t2ft", self.t2ft_s), ("e2e", self.e2e_s)):
            quantiles = np.percentile(values, PERCENTILES, method="inverted_cdf")
            found |= {f"{name}_p{p}_s": float(value) for p, value in zip(PERCENTILES, quantiles, strict=True)}
        return found | {f"tbt_p{p}_s": self.tbt_s(p) for p in PERCENTILES}
