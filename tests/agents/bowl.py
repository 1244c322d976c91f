"""A simulator whose optimum is known: what the agents' tests search."""

from __future__ import annotations

import numpy as np

from archgym.core import Designs, Evaluations, Metric, Simulator
from archgym.space import DesignSpace, Parameter

CARDINALITIES = (6, 4, 5, 3, 6, 4, 3)
BEST = (4, 1, 0, 2, 5, 2, 1)


class Valley(Simulator):
    """Squared distances to `BEST`, plus products of neighbouring distances: the only zero is at `BEST`.

    Two metrics pull apart (`cost` to `BEST`, `other` to the opposite corner), and some designs cannot be scored.
    """

    name = "valley"
    version = "1"
    metrics = (Metric("cost", "1"), Metric("other", "1"))
    workloads = ("w",)

    def __init__(self) -> None:
        self.space = DesignSpace(
            [
                Parameter(f"p{i}", tuple(range(count)), "ordinal" if i % 2 else "categorical")
                for i, count in enumerate(CARDINALITIES)
            ]
        )

    def simulate(self, designs: Designs, workload: str) -> Evaluations:
        away = np.abs(designs - np.array(BEST))
        cost = np.square(away).sum(axis=1) + (away[:, 1:] * away[:, :-1]).sum(axis=1)
        other = np.square(designs - (np.array(CARDINALITIES) - 1 - np.array(BEST))).sum(axis=1)
        # A corner far from the optimum cannot be built.
        broken = (designs[:, 0] == 0) & (designs[:, 4] == 0)
        status = np.where(broken, "infeasible", "ok")
        return Evaluations.of(
            self.metrics, np.column_stack([cost, other]), status, ["p0 = p4 = 0" if b else "" for b in broken]
        )
