"""Hill climbing with restarts: Aarts and Lenstra (eds.), "Local Search in Combinatorial Optimization", Wiley, 1997.

Looks at a few one-parameter changes at a time, in random order, and moves to the best of them as soon as one is better.
At a local optimum it starts again: from a random design, or from its best one with a few parameters changed (iterated
local search: Lourenço, Martin and Stützle, "Iterated Local Search", Handbook of Metaheuristics, 2003).
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, final

import numpy as np
from pydantic import Field

from archgym.core import Agent, Designs, Evaluations, Floats
from archgym.dialogue import Dialogue, Search
from archgym.hyper import HyperParameters, parse_hyper
from archgym.moves import step
from archgym.space import DesignSpace
from archgym.tradeoff import Tradeoff


@final
class HillClimb(Agent):
    """Moves to better neighbours until there is none, then restarts."""

    name = "hill-climb"

    class Hyper(HyperParameters):
        """Hyper-parameters of hill climbing."""

        neighbours: int = Field(
            4,
            ge=0,
            description="neighbours scored before a move: 1 first improvement, 0 all (steepest descent)",
        )
        kick: int = Field(
            0, ge=0, description="parameters changed in the local optimum to restart from; 0 restarts at random"
        )

    def __init__(self, space: DesignSpace, seed: int = 0, **hyper: Any) -> None:
        """Search `space`; the seed fixes every proposal."""
        self.space = space
        self.hyper = parse_hyper(self.Hyper, self.name, hyper)
        self._rng = np.random.default_rng(seed)
        self._tradeoff = Tradeoff()
        self._dialogue = Dialogue(self._search())

    def ask(self, n: int) -> Designs:
        """Neighbours of the current design."""
        return self._dialogue.ask(n)

    def tell(self, designs: Designs, evaluations: Evaluations, costs: Floats) -> None:
        """Move when one is better."""
        self._dialogue.tell(designs, costs)

    def _search(self) -> Search:
        start = self.space.sample(1, self._rng)[0]
        home: tuple[Designs, Floats] | None = None  # the local optimum that kicks start from
        while True:
            costs = yield start[None]
            self._tradeoff.see(costs)
            weights = self._rng.dirichlet(np.ones(costs.shape[1]))
            here, cost = start, costs[0]
            while (move := (yield from self._better(here, cost, weights))) is not None:
                here, cost = move
            if home is None or self._is_better(cost, home[1], weights):
                home = (here, cost)
            kick = self.hyper.kick
            start = step(self.space, home[0], self._rng, kick) if kick else self.space.sample(1, self._rng)[0]

    def _better(
        self, here: Designs, cost: Floats, weights: Floats
    ) -> Generator[Designs, Floats, tuple[Designs, Floats] | None]:
        """The next design to move to with its cost; None at a local optimum."""
        around = self._rng.permutation(self.space.neighbours(here))
        size = self.hyper.neighbours or max(1, len(around))
        for low in range(0, len(around), size):
            part = around[low : low + size]
            costs = yield part
            self._tradeoff.see(costs)
            scores = self._tradeoff.score(np.vstack([cost, costs]), weights)
            best = int(np.argmin(scores))
            if best:
                return part[best - 1], costs[best - 1]
        return None

    def _is_better(self, cost: Floats, than: Floats, weights: Floats) -> bool:
        new, old = self._tradeoff.score(np.stack([cost, than]), weights)
        return bool(new < old)
