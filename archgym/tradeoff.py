"""One number from k costs, on whatever scales they come: for agents that need an order, or magnitudes.

Costs reach an agent as float64[n, k], finite, minimised, with infeasible rows at `PENALTY` or above. Agents that
compare designs use `Tradeoff.score`; agents that model magnitudes use `Tradeoff.bounded`.
"""

from __future__ import annotations

from typing import final

import numpy as np

from archgym.core import Floats
from archgym.objectives import PENALTY

__all__ = ["Tradeoff"]

_RHO = 0.05  # weight of the sum in the augmented Chebyshev norm: Knowles, "ParEGO", IEEE TEC 10(1), 2006, section III


@final
class Tradeoff:
    """Learns the scale of each cost from the feasible rows it is shown, and compares designs by it."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._count = 0
        self._low = self._high = self._total = np.zeros(0)

    def see(self, costs: Floats) -> None:
        """Learn from float64[n, k]; infeasible rows teach nothing."""
        good = costs[costs.max(axis=1) < PENALTY]
        if not len(good):
            return
        if not self._count:
            self._low, self._high, self._total = good[0].copy(), good[0].copy(), np.zeros(good.shape[1])
        self._low = np.minimum(self._low, good.min(axis=0))
        self._high = np.maximum(self._high, good.max(axis=0))
        self._total = self._total + good.sum(axis=0)
        self._count += len(good)

    def score(self, costs: Floats, weights: Floats) -> Floats:
        """One number per row, float64[n], lower is better.

        One cost is returned as it is. More are scaled (0 the best seen, 1 the mean) and joined by the augmented
        Chebyshev norm under `weights` (float64[k] or [n, k]), which also reaches the concave parts of a Pareto front.
        Infeasible rows stay above every feasible one, in the order of their violation.
        """
        if costs.shape[1] == 1:
            return np.array(costs[:, 0])
        infeasible = costs.max(axis=1) >= PENALTY
        weighted = weights * self._scaled(np.where(infeasible[:, None], 0.0, costs))
        joined = weighted.max(axis=1) + _RHO * weighted.sum(axis=1)
        return np.asarray(np.where(infeasible, costs.max(axis=1), joined))

    def bounded(self, costs: Floats) -> Floats:
        """The costs, float64[n, k], with infeasible rows brought down to just above the worst feasible one seen.

        Their order by violation is kept within one spread (worst minus best seen), so that a model of magnitudes is
        not flattened by a penalty of 1e12.
        """
        worst = costs.max(axis=1)
        violation = np.maximum(worst / PENALTY - 1.0, 0.0)
        step = 0.1 + violation / (1.0 + violation)
        high, spread = (self._high, self._spread()) if self._count else (np.zeros(costs.shape[1]), 1.0)
        return np.asarray(np.where((worst >= PENALTY)[:, None], high + spread * step[:, None], costs))

    def _spread(self) -> Floats:
        return np.asarray(np.where(self._high > self._low, self._high - self._low, 1.0))

    def _scaled(self, costs: Floats) -> Floats:
        if not self._count:
            return costs
        scale = self._total / self._count - self._low
        return np.asarray((costs - self._low) / np.where(scale > 0.0, scale, 1.0))
