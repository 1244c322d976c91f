"""The statistics of the report. Lower is better everywhere; infinity means "nothing feasible yet"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from archgym.core import Floats

__all__ = ["Spread", "bootstrap_median", "mean_ranks", "quantile", "spread", "win_share"]

RESAMPLES = 9999
LEVEL = 0.95


@final
@dataclass(frozen=True)
class Spread:
    """Median, quartiles and the bootstrap interval of the median (None for fewer than two values)."""

    n: int
    median: float
    q25: float
    q75: float
    interval: tuple[float, float] | None


def quantile(values: Floats, q: float) -> Floats:
    """Linear-interpolation quantile along the first axis; infinite values sort last and stay infinite.

    NumPy's own gives NaN where it interpolates between equal infinities.
    """
    ordered = np.sort(values, axis=0)
    position = q * (len(ordered) - 1)
    low, high = ordered[int(np.floor(position))], ordered[int(np.ceil(position))]
    fraction = position - np.floor(position)
    if fraction == 0:
        return np.asarray(low)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(low == high, low, low + fraction * (high - low)))


def bootstrap_median(values: Floats, level: float = LEVEL, seed: int = 0) -> tuple[float, float] | None:
    """Percentile bootstrap interval of the median (Efron and Tibshirani, 1993, chapter 13); None below two values."""
    if len(values) < 2:
        return None
    rng = np.random.default_rng(seed)  # fixed: the same run always gives the same report
    medians = quantile(rng.choice(values, size=(len(values), RESAMPLES)), 0.5)
    tail = (1 - level) / 2
    return float(quantile(medians, tail)), float(quantile(medians, 1 - tail))


def spread(values: Sequence[float] | Floats) -> Spread:
    """Summarise the final values of several seeds (at least one)."""
    array = np.asarray(values, dtype=np.float64)
    median, q25, q75 = (float(quantile(array, q)) for q in (0.5, 0.25, 0.75))
    return Spread(len(array), median, q25, q75, bootstrap_median(array))


def win_share(ours: Sequence[float] | Floats, theirs: Sequence[float] | Floats) -> float:
    """Share of (our seed, their seed) pairs in which ours is lower; a tie counts half (Mann-Whitney's U / nm)."""
    a, b = np.asarray(ours)[:, None], np.asarray(theirs)[None, :]
    return float(np.mean((a < b) + 0.5 * (a == b)))


def mean_ranks(table: Floats) -> Floats:
    """Mean rank of each row of float64[agents, problems], 1 is best, ties share their mean rank, NaN is left out."""
    smaller = np.nansum(table[None, :, :] < table[:, None, :], axis=1)
    equal = np.nansum(table[None, :, :] == table[:, None, :], axis=1)
    ranks = np.where(np.isnan(table), np.nan, smaller + (equal + 1) / 2)
    counted = np.sum(~np.isnan(ranks), axis=1)
    return np.where(counted > 0, np.nansum(ranks, axis=1) / np.maximum(counted, 1), np.nan)
