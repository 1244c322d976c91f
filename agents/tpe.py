"""TPE: Bergstra et al., "Algorithms for Hyper-Parameter Optimization", NeurIPS 2011, by Optuna's TPESampler.

About 7 ms of CPU per proposal for ten parameters, however many designs were scored: the model holds `limit` of them.
Joint (multivariate) densities cost half of that and found worse designs: where no design is proposed twice, one density
per parameter is free to recombine.
"""

from __future__ import annotations

from typing import Any, final

import optuna
from pydantic import Field

from archgym.agents._optuna import Surrogate
from archgym.core import Agent, Designs, Evaluations, Floats
from archgym.dialogue import Dialogue
from archgym.hyper import HyperParameters, parse_hyper
from archgym.space import DesignSpace


@final
class TPE(Agent):
    """Proposes what is likely under a density of the best designs and unlikely under one of the rest."""

    name = "tpe"

    class Hyper(HyperParameters):
        """Hyper-parameters of TPE."""

        startup: int = Field(10, ge=1, description="random designs before the first model")
        candidates: int = Field(24, ge=1, le=10_000, description="samples of the good density per proposal")
        multivariate: bool = Field(False, description="model the parameters jointly, not one by one")
        limit: int = Field(150, ge=20, description="observations in the model; older and worse ones are thinned out")
        batch: int = Field(1, ge=1, le=1000, description="designs proposed from one model")

    def __init__(self, space: DesignSpace, seed: int = 0, **hyper: Any) -> None:
        """Search `space`; the seed fixes every proposal."""
        self.space = space
        self.hyper = parse_hyper(self.Hyper, self.name, hyper)
        own = self.hyper
        self._surrogate = Surrogate(space, seed, self._sampler, startup=own.startup, limit=own.limit, batch=own.batch)
        self._dialogue = Dialogue(self._surrogate.search())

    def ask(self, n: int) -> Designs:
        """The next proposals."""
        return self._dialogue.ask(n)

    def tell(self, designs: Designs, evaluations: Evaluations, costs: Floats) -> None:
        """Add the observations to the model."""
        self._dialogue.tell(designs, costs)

    def _sampler(self, seed: int) -> optuna.samplers.BaseSampler:
        return optuna.samplers.TPESampler(
            seed=seed,
            n_startup_trials=1,  # the random designs are drawn here, under the space's constraints
            n_ei_candidates=self.hyper.candidates,
            multivariate=self.hyper.multivariate,
            constant_liar=self.hyper.batch > 1,  # only a batch has proposals whose answers are still out
        )
