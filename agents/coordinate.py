"""Coordinate search: Hooke and Jeeves, "Direct Search Solution of Numerical and Statistical Problems", JACM 8, 1961.

One parameter at a time, every choice of it at once, keep the best; from a new random design when a whole round of
parameters improves nothing. Without a baseline like this one, learned agents look better than they are.
"""

from __future__ import annotations

from typing import Any, final

import numpy as np
from pydantic import Field

from archgym.core import Agent, Designs, Evaluations, Floats
from archgym.dialogue import Dialogue, Search
from archgym.hyper import HyperParameters, parse_hyper
from archgym.space import DesignSpace
from archgym.tradeoff import Tradeoff


@final
class CoordinateSweep(Agent):
    """Sweeps the parameters in random order, from a new random design at each local optimum."""

    name = "coordinate"

    class Hyper(HyperParameters):
        """Hyper-parameters of the coordinate sweep."""

        starts: int = Field(1, ge=1, description="random designs scored at each (re)start; the best one is swept from")

    def __init__(self, space: DesignSpace, seed: int = 0, **hyper: Any) -> None:
        """Search `space`; the seed fixes every proposal."""
        self.space = space
        self.hyper = parse_hyper(self.Hyper, self.name, hyper)
        self._rng = np.random.default_rng(seed)
        self._tradeoff = Tradeoff()
        self._dialogue = Dialogue(self._search())

    def ask(self, n: int) -> Designs:
        """Choices of the parameter being swept."""
        return self._dialogue.ask(n)

    def tell(self, designs: Designs, evaluations: Evaluations, costs: Floats) -> None:
        """Move to the best choice once all are scored."""
        self._dialogue.tell(designs, costs)

    def _search(self) -> Search:
        while True:
            starts = self.space.sample(self.hyper.starts, self._rng)
            costs = yield starts
            self._tradeoff.see(costs)
            weights = self._rng.dirichlet(np.ones(costs.shape[1]))
            best = int(np.argmin(self._tradeoff.score(costs, weights)))
            yield from self._descend(starts[best], costs[best], weights)

    def _descend(self, here: Designs, cost: Floats, weights: Floats) -> Search:
        unimproved = 0  # parameters in a row that had nothing better to offer
        while True:
            for column in self._rng.permutation(len(self.space)):
                line = self._line(here, int(column))
                unimproved += 1
                if len(line):
                    costs = yield line
                    self._tradeoff.see(costs)
                    scores = self._tradeoff.score(np.vstack([cost, costs]), weights)
                    best = int(np.argmin(scores))
                    if best:
                        here, cost, unimproved = line[best - 1], costs[best - 1], 1
                if unimproved >= len(self.space):
                    return

    def _line(self, here: Designs, column: int) -> Designs:
        """The feasible designs that differ from `here` in this parameter only."""
        count = int(self.space.cardinalities[column])
        line = np.tile(here, (count, 1))
        line[:, column] = np.arange(count)
        line = line[np.arange(count) != here[column]]
        return np.asarray(line[self.space.feasible(line)])
