"""What a search found: the history of distinct designs, the best one, the Pareto front, the accounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from archgym.core import Designs, Evaluations, Floats

__all__ = ["Counts", "History", "Point", "Result", "pareto_rows"]


@final
@dataclass(frozen=True)
class Point:
    """One evaluated design: decoded, with its scalar cost (smaller is better) and its metrics by name."""

    design: Mapping[str, Any]
    cost: float
    metrics: Mapping[str, float]
    status: str


@final
@dataclass(frozen=True)
class History:
    """Every distinct design of one search, in the order it was first evaluated.

    `designs` int32[n, d], `costs` float64[n, k], `scalar` float64[n] (the one number the search is ranked by).
    """

    designs: Designs
    evaluations: Evaluations
    costs: Floats
    scalar: Floats

    def __len__(self) -> int:
        """How many distinct designs: what was charged to the budget."""
        return len(self.designs)

    @property
    def best_so_far(self) -> Floats:
        """Running minimum of the scalar cost, float64[n]."""
        return np.asarray(np.minimum.accumulate(self.scalar))


@final
@dataclass(frozen=True)
class Counts:
    """The accounts of one search.

    `proposals` designs were proposed; `distinct` of them were charged to the budget; `simulated` were run by the
    simulator, the rest of the distinct ones were answered by a shared cache; `seconds_*` are wall time.
    """

    proposals: int = 0
    distinct: int = 0
    simulated: int = 0
    seconds_total: float = 0.0
    seconds_agent: float = 0.0
    seconds_simulator: float = 0.0

    @property
    def repeats(self) -> int:
        """Proposals that were seen before in this search: answered, not charged."""
        return self.proposals - self.distinct


@final
@dataclass(frozen=True)
class Result:
    """Result of `archgym.search`. `stopped` is "budget", "exhausted" (every design seen) or "stalled"."""

    history: History
    best: Point
    pareto: list[Point]
    counts: Counts
    budget: int
    stopped: str


def pareto_rows(costs: Floats) -> NDArray[np.intp]:
    """Rows of float64[n, k] that no other row dominates (all costs minimised), first of equals only.

    Sorted by the first cost. O(n * front) after a lexicographic sort.
    """
    order = np.lexsort(costs.T[::-1])
    front: list[int] = []
    for row in order:
        kept = costs[front]
        if not len(front) or not bool(np.any(np.all(kept <= costs[row], axis=1))):
            front.append(int(row))
    return np.array(front, dtype=np.intp)
