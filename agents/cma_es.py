"""CMA-ES with restarts: Hansen, "The CMA Evolution Strategy: A Tutorial", arXiv 1604.00772, by the `cmaes` library.

The unit interval of each parameter is cut into as many equal parts as it has choices: x decodes to floor(x * choices).
A run that converged, or has proposed nothing new for a few generations, restarts from a random mean with a population
twice as large (Auger and Hansen, "A Restart CMA Evolution Strategy With Increasing Population Size", CEC 2005).
"""

from __future__ import annotations

from typing import Any, final

import numpy as np
from cmaes import CMA
from pydantic import Field

from archgym.core import Agent, Designs, Evaluations, Floats
from archgym.dialogue import Dialogue, Search
from archgym.hyper import HyperParameters, parse_hyper
from archgym.moves import repair
from archgym.space import DesignSpace
from archgym.tradeoff import Tradeoff


@final
class CmaEs(Agent):
    """Adapts a Gaussian over the unit cube to the best designs of each generation."""

    name = "cma-es"

    class Hyper(HyperParameters):
        """Hyper-parameters of CMA-ES."""

        sigma: float = Field(0.3, gt=0, le=1, description="first step size, as a share of a parameter's range")
        population: int | None = Field(
            None, ge=4, le=10_000, description="designs per generation of the first run; none: 4 + 3 ln d"
        )
        growth: float = Field(2.0, ge=1, le=10, description="each restart multiplies the population by this")
        largest: int = Field(100, ge=4, le=100_000, description="the population grows up to this")
        patience: int = Field(5, ge=1, description="generations without a new design before a restart")

    def __init__(self, space: DesignSpace, seed: int = 0, **hyper: Any) -> None:
        """Search `space`; the seed fixes every proposal."""
        self.space = space
        self.hyper = parse_hyper(self.Hyper, self.name, hyper)
        self._rng = np.random.default_rng(seed)
        self._tradeoff = Tradeoff()
        self._dialogue = Dialogue(self._search())

    def ask(self, n: int) -> Designs:
        """Designs of the current generation."""
        return self._dialogue.ask(n)

    def tell(self, designs: Designs, evaluations: Evaluations, costs: Floats) -> None:
        """Adapt the Gaussian once the whole generation is scored."""
        self._dialogue.tell(designs, costs)

    def _search(self) -> Search:
        size = float(self.hyper.population or 4 + int(3 * np.log(len(self.space))))
        while True:
            yield from self._run(int(size))
            size = max(size, min(size * self.hyper.growth, self.hyper.largest))

    def _run(self, size: int) -> Search:
        """One CMA-ES run, until it converges or only repeats itself."""
        d = len(self.space)
        unit = np.tile([0.0, 1.0], (d, 1))
        mean, seed = self._rng.random(d), int(self._rng.integers(2**31))
        cma = CMA(mean=mean, sigma=self.hyper.sigma, bounds=unit, population_size=size, seed=seed)
        weights: Floats | None = None
        seen: set[bytes] = set()
        idle = 0
        while idle < self.hyper.patience and not cma.should_stop():
            points = np.stack([cma.ask() for _ in range(size)])
            designs = repair(self.space, self._decode(points), self._rng)
            costs = yield designs
            weights = self._rng.dirichlet(np.ones(costs.shape[1])) if weights is None else weights
            self._tradeoff.see(costs)
            # Ranks, not costs: CMA-ES uses the order only, and its stopping rules would trip over penalties of 1e12.
            _, ranks = np.unique(self._tradeoff.score(costs, weights), return_inverse=True)
            cma.tell(list(zip(points, ranks.astype(np.float64), strict=True)))
            before = len(seen)
            seen.update(design.tobytes() for design in designs)
            idle = 0 if len(seen) > before else idle + 1

    def _decode(self, points: Floats) -> Designs:
        """Choice indices of points in the unit cube; 1.0 belongs to the last choice."""
        indices = np.floor(points * self.space.cardinalities).astype(np.int32)
        return np.asarray(np.clip(indices, 0, self.space.cardinalities - 1))
