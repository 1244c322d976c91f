"""Gaussian-process optimisation: Snoek et al., "Practical Bayesian Optimization", NeurIPS 2012, by Optuna's GPSampler.

The best agent per evaluation up to a few hundred designs, and the dearest per proposal: about half a CPU second, which
grows with the square to the cube of the designs in the model. So the model holds at most `limit` of them; for budgets
beyond that another agent finds the same designs sooner.
"""

from __future__ import annotations

import importlib.util
import warnings
from typing import Any, final

import optuna
from pydantic import Field

from archgym.agents._optuna import Surrogate
from archgym.core import Agent, Designs, Evaluations, Floats
from archgym.dialogue import Dialogue
from archgym.errors import MissingDependency
from archgym.hyper import HyperParameters, parse_hyper
from archgym.space import DesignSpace


@final
class GaussianProcess(Agent):
    """Models the costs and proposes the design with the largest expected improvement."""

    name = "gp"

    class Hyper(HyperParameters):
        """Hyper-parameters of the Gaussian process."""

        startup: int = Field(10, ge=2, description="random designs before the first model")
        limit: int = Field(200, ge=20, le=1000, description="observations in the model; older and worse ones go")
        batch: int = Field(1, ge=1, le=100, description="designs proposed from one model")

    def __init__(self, space: DesignSpace, seed: int = 0, **hyper: Any) -> None:
        """Search `space`; the seed fixes every proposal.

        Raises:
            MissingDependency: where torch is not installed.
        """
        for library in ("torch", "scipy"):
            if importlib.util.find_spec(library) is None:
                raise MissingDependency(library, "bo", "agent gp")
        import torch

        torch.set_num_threads(1)  # matrices this small are slower on two threads, and parallel sums differ in order
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
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # the flag is, its effect is not
            return optuna.samplers.GPSampler(seed=seed, n_startup_trials=1, deterministic_objective=True)
