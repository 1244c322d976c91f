"""Which parameters matter: PED-ANOVA (Watanabe, Bansal and Hutter, IJCAI 2023, arXiv:2304.10255), as in Optuna.

It asks how differently a parameter is distributed among the best tenth of the designs and among all of them.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import final

import numpy as np

from archgym.core import Designs, Floats
from archgym.report.trials import Candidates
from archgym.space import DesignSpace

__all__ = ["Effect", "Importance", "importance"]

TOP_SHARE = 0.1
_FEWEST = 60  # designs; below, the best tenth is a handful and the answer noise
_MOST = 4000  # designs; more do not change the ranking and cost seconds


@final
@dataclass(frozen=True)
class Effect:
    """One parameter: its share of the importance, and the choice that the best designs favour most.

    `share_best` of the best tenth take `favourite`, against `share_all` of all designs.
    """

    name: str
    importance: float
    favourite: object
    share_best: float
    share_all: float


@final
@dataclass(frozen=True)
class Importance:
    """Every parameter, the most important first; `uniform` says whether the designs were a uniform sample."""

    effects: list[Effect]
    designs: int
    uniform: bool


def importance(space: DesignSpace, candidates: Candidates, *, uniform: bool) -> Importance | None:
    """Importance of each parameter for reaching the best tenth; None for too few designs or when all cost the same."""
    if len(candidates) < _FEWEST or len(np.unique(candidates.scalar)) < 2:
        return None
    rows = np.random.default_rng(0).permutation(len(candidates))[:_MOST]
    designs, scalar = candidates.designs[rows], candidates.scalar[rows]
    weights = _ped_anova(space, designs, scalar)
    best = designs[scalar <= np.quantile(scalar, TOP_SHARE)]
    effects = [_effect(space, column, weights.get(name, 0.0), best, designs) for column, name in enumerate(space.names)]
    return Importance(sorted(effects, key=lambda effect: -effect.importance), len(designs), uniform)


def _ped_anova(space: DesignSpace, designs: Designs, scalar: Floats) -> dict[str, float]:
    import optuna
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    varying = np.flatnonzero((designs != designs[0]).any(axis=0))
    every = space.to_optuna()
    distributions = {space.names[column]: every[space.names[column]] for column in varying}
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # its status before Optuna 5
            study = optuna.create_study(storage=optuna.storages.InMemoryStorage())
            study.add_trials(
                [
                    optuna.trial.create_trial(
                        params={space.names[column]: int(design[column]) for column in varying},
                        distributions=distributions,
                        value=float(cost),
                    )
                    for design, cost in zip(designs, scalar, strict=True)
                ]
            )
            # Local: against the designs that were evaluated, so that a search's own preferences do not count.
            evaluator = PedAnovaImportanceEvaluator(target_quantile=TOP_SHARE, evaluate_on_local=True)
            return dict(get_param_importances(study, evaluator=evaluator))
    finally:
        optuna.logging.set_verbosity(verbosity)


def _effect(space: DesignSpace, column: int, weight: float, best: Designs, designs: Designs) -> Effect:
    parameter = space.parameters[column]
    bins = len(parameter.choices)
    among_best = np.bincount(best[:, column], minlength=bins) / len(best)
    among_all = np.bincount(designs[:, column], minlength=bins) / len(designs)
    favoured = int(np.argmax(among_best - among_all))
    return Effect(
        parameter.name,
        float(weight),
        parameter.choices[favoured],
        float(among_best[favoured]),
        float(among_all[favoured]),
    )
