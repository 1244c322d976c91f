"""One trial, read once from the store and reduced to what the report needs (a run may hold millions of rows)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from archgym.core import Designs, Floats
from archgym.objectives import PENALTY
from archgym.report.checks import Checks

if TYPE_CHECKING:
    from archgym.result import History
    from archgym.store import Run, TrialRecord

__all__ = ["Candidates", "Curve", "TrialData", "load_trial", "merge"]

_KEPT = 24  # best designs kept per trial: more than the table shows, so that ties across trials are seen
_SAMPLED = 1000  # designs kept per trial for parameter importance, without their metrics: a run has many trials


@final
@dataclass(frozen=True)
class Curve:
    """A best-so-far staircase: after `at[i]` distinct evaluations the best cost was `cost[i]`. Strictly improving."""

    at: NDArray[np.int64]
    cost: Floats

    @classmethod
    def of(cls, costs: Floats, at: NDArray[np.int64] | None = None) -> Curve:
        """From costs in order of evaluation; infinite ones (nothing feasible) leave no step."""
        steps = np.arange(1, len(costs) + 1) if at is None else at
        best = np.minimum.accumulate(costs) if len(costs) else costs
        improved = np.isfinite(best) & np.concatenate([[True], best[1:] < best[:-1]])[: len(best)]
        return cls(steps[improved], best[improved])

    @property
    def final(self) -> float:
        """The best cost; infinite when nothing feasible was found."""
        return float(self.cost[-1]) if len(self.cost) else float("inf")

    def sample(self, grid: NDArray[np.int64]) -> Floats:
        """Best cost after each of the given numbers of evaluations."""
        padded = np.concatenate([[np.inf], self.cost])
        return np.asarray(padded[np.searchsorted(self.at, grid, side="right")])

    def reached(self, cost: float) -> float:
        """Evaluations until the best was at most `cost`; infinite when it never was."""
        hit = np.flatnonzero(self.cost <= cost)
        return float(self.at[hit[0]]) if len(hit) else float("inf")


@final
@dataclass(frozen=True)
class Candidates:
    """Designs with their costs [n, k], scalar [n] and metric values [n, m], feasible ones only."""

    designs: Designs
    costs: Floats
    scalar: Floats
    values: Floats

    def take(self, rows: NDArray[np.intp]) -> Candidates:
        """The given rows."""
        return Candidates(self.designs[rows], self.costs[rows], self.scalar[rows], self.values[rows])

    def __len__(self) -> int:
        return len(self.scalar)


def merge(parts: list[Candidates]) -> Candidates:
    """Join, drop repeats of the same design, sort by scalar cost (stable: earlier parts first); at least one part."""
    joined = Candidates(
        np.concatenate([part.designs for part in parts]),
        np.concatenate([part.costs for part in parts]),
        np.concatenate([part.scalar for part in parts]),
        np.concatenate([part.values for part in parts]),
    )
    _, first = np.unique(joined.designs, axis=0, return_index=True)
    first = np.sort(first)
    return joined.take(first[np.argsort(joined.scalar[first], kind="stable")])


@final
@dataclass
class TrialData:
    """What is kept of a trial. `accepted_at`: after how many evaluations each of `front` was found (k > 1 only)."""

    record: TrialRecord
    evaluated: int
    curve: Curve
    top: Candidates
    front: Candidates
    accepted_at: NDArray[np.int64]
    sample: Candidates
    statuses: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    broken: int = 0

    @property
    def finished(self) -> bool:
        """Whether it ran to its end; a stalled trial did: its agent had nothing new to propose."""
        return self.record.state in {"done", "stalled"}

    @property
    def final(self) -> float:
        """The best cost it found."""
        return self.curve.final


def load_trial(run: Run, record: TrialRecord, checks: Checks) -> TrialData:
    """Read a trial's history and reduce it; every row goes through `checks`."""
    history = run.history(record.id)
    checks.see(history.evaluations)
    feasible = np.flatnonzero(history.scalar < PENALTY)
    good = Candidates(
        history.designs[feasible],
        history.costs[feasible],
        history.scalar[feasible],
        history.evaluations.values[feasible],
    )
    ok = history.evaluations.ok
    accepted = _accepted(good.costs) if history.costs.shape[1] > 1 else np.zeros(0, dtype=np.intp)
    best = np.argsort(good.scalar, kind="stable")[:_KEPT]
    return TrialData(
        record,
        len(history),
        Curve.of(np.where(history.scalar < PENALTY, history.scalar, np.inf)),
        good.take(best),
        good.take(accepted),
        feasible[accepted] + 1,
        _sampled(good),
        Counter(str(status) for status in history.evaluations.status),
        _reasons(history),
        int(np.sum(ok & (history.scalar >= PENALTY))),
    )


def _sampled(good: Candidates) -> Candidates:
    rows = np.unique(np.linspace(0, max(len(good) - 1, 0), _SAMPLED).astype(np.intp))[: len(good)]
    some = good.take(rows)
    return Candidates(some.designs, some.costs[:, :0], some.scalar, some.values[:, :0])


def _accepted(costs: Floats) -> NDArray[np.intp]:
    """Rows that nothing before them dominates or equals: the steps at which the front of a search grew."""
    rows: list[int] = []
    front = np.empty((0, costs.shape[1]))
    for row, cost in enumerate(costs):
        if not np.any(np.all(front <= cost, axis=1)):
            front = np.concatenate([front[~np.all(front >= cost, axis=1)], cost[None]])
            rows.append(row)
    return np.array(rows, dtype=np.intp)


def _reasons(history: History) -> Counter[tuple[str, str]]:
    bad = np.flatnonzero(~history.evaluations.ok)
    return Counter((str(history.evaluations.status[row]), history.evaluations.reasons[row]) for row in bad)
