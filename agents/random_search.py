"""Random search: Bergstra and Bengio, "Random Search for Hyper-Parameter Optimization", JMLR 13, 2012.

The shortest agent, and so the example of how to write one: only `ask` is required.
"""

from __future__ import annotations

from typing import Any, final

import numpy as np

from archgym.core import Agent, Designs
from archgym.hyper import HyperParameters, parse_hyper
from archgym.space import DesignSpace


@final
class RandomSearch(Agent):
    """Proposes feasible designs uniformly at random: the baseline every other agent must beat."""

    name = "random"
    Hyper = HyperParameters  # none of its own

    def __init__(self, space: DesignSpace, seed: int = 0, **hyper: Any) -> None:
        """Search `space`; the seed fixes every proposal."""
        parse_hyper(self.Hyper, self.name, hyper)
        self.space = space
        self._rng = np.random.default_rng(seed)

    def ask(self, n: int) -> Designs:
        """Propose n designs."""
        return self.space.sample(n, self._rng)
