"""MAX-MIN ant system: Stützle and Hoos, "MAX-MIN Ant System", Future Generation Computer Systems 16, 2000.

One pheromone per choice of each parameter, in the hyper-cube framework (Blum and Dorigo, IEEE Trans. SMC-B 34(2),
2004): the pheromones of a parameter sum to 1, and each iteration moves them towards the best ants by the evaporation
rate. So pheromone depends on the order of costs only, never on their sign or scale; a floor keeps every choice alive.
"""

from __future__ import annotations

from typing import Any, final

import numpy as np
from pydantic import Field

from archgym.core import Agent, Designs, Evaluations, Floats
from archgym.dialogue import Dialogue, Search
from archgym.hyper import HyperParameters, parse_hyper
from archgym.moves import repair
from archgym.space import DesignSpace
from archgym.tradeoff import Tradeoff


@final
class AntColony(Agent):
    """Ants draw each parameter in proportion to its pheromone; the best of them lay more."""

    name = "ant-colony"

    class Hyper(HyperParameters):
        """Hyper-parameters of the ant system."""

        ants: int = Field(10, ge=1, le=10_000, description="designs per iteration")
        evaporation: float = Field(0.2, gt=0, le=1, description="share of the pheromone replaced in each iteration")
        greediness: float = Field(0.0, ge=0, le=1, description="probability that an ant takes the strongest choice")
        elite: float = Field(0.5, ge=0, le=1, description="share of the deposit made by the best ant so far")
        deposits: int = Field(2, ge=1, description="best ants of an iteration that share the rest of the deposit")
        floor: float = Field(0.1, gt=0, lt=1, description="least pheromone of a choice, as a share of an even spread")
        patience: int = Field(30, ge=1, description="iterations without a better ant before the pheromone is reset")

    def __init__(self, space: DesignSpace, seed: int = 0, **hyper: Any) -> None:
        """Search `space`; the seed fixes every proposal."""
        self.space = space
        self.hyper = parse_hyper(self.Hyper, self.name, hyper)
        self._rng = np.random.default_rng(seed)
        self._tradeoff = Tradeoff()
        # Parameters have different numbers of choices: a [d, widest] table, zero where a parameter has no such choice.
        exists = np.arange(space.cardinalities.max()) < space.cardinalities[:, None]
        self._even: Floats = exists / space.cardinalities[:, None].astype(np.float64)
        self._dialogue = Dialogue(self._search())

    def ask(self, n: int) -> Designs:
        """Ants of the current iteration."""
        return self._dialogue.ask(n)

    def tell(self, designs: Designs, evaluations: Evaluations, costs: Floats) -> None:
        """Lay pheromone once all ants of the iteration are scored."""
        self._dialogue.tell(designs, costs)

    def _search(self) -> Search:
        while True:
            yield from self._colony()

    def _colony(self) -> Search:
        """Iterate from an even spread of pheromone until no better ant is found for a while."""
        pheromone = self._even
        best: tuple[Designs, Floats] | None = None
        idle = 0
        while idle < self.hyper.patience:
            ants = repair(self.space, self._walk(pheromone), self._rng)
            costs = yield ants
            self._tradeoff.see(costs)
            # Several costs: every iteration favours another part of the front.
            weights = self._rng.dirichlet(np.ones(costs.shape[1]))
            best = (ants[0], costs[0]) if best is None else best
            scores = self._tradeoff.score(np.vstack([best[1], costs]), weights)
            order = np.argsort(scores[1:], kind="stable")
            better = bool(scores[1:].min() < scores[0])
            best = (ants[order[0]], costs[order[0]]) if better else best
            idle = 0 if better else idle + 1
            pheromone = self._lay(pheromone, ants[order[: self.hyper.deposits]], best[0])

    def _walk(self, pheromone: Floats) -> Designs:
        """One design per ant, int32[ants, d]."""
        shape = (self.hyper.ants, len(self.space))
        reached = self._rng.random(shape)[:, :, None] < np.cumsum(pheromone, axis=1)
        reached[:, np.arange(len(self.space)), self.space.cardinalities - 1] = True  # even if the sum rounds below 1
        drawn = reached.argmax(axis=2)
        greedy = self._rng.random(shape) < self.hyper.greediness
        return np.asarray(np.where(greedy, pheromone.argmax(axis=1), drawn), dtype=np.int32)

    def _lay(self, pheromone: Floats, ants: Designs, best: Designs) -> Floats:
        """Evaporate, deposit, and keep every choice at or above its floor."""
        columns = np.arange(len(self.space))
        deposit = np.zeros_like(pheromone)
        for ant in ants:
            deposit[columns, ant] += (1.0 - self.hyper.elite) / len(ants)
        deposit[columns, best] += self.hyper.elite
        rate = self.hyper.evaporation
        laid = (1.0 - rate) * pheromone + rate * deposit
        bounded = np.maximum(laid, self.hyper.floor * self._even)
        return np.asarray(bounded / bounded.sum(axis=1, keepdims=True))
