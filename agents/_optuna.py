"""What the agents built on Optuna share: Akiba et al., "Optuna", KDD 2019, through ask and tell over in-memory studies.

A study here is a model to be rebuilt, not a record. It holds at most `limit` observations: past that it is thinned to
the best half and a random sample of the rest, so the time per proposal stays bounded. A proposal that was scored before
is replaced by an unseen design a parameter or two away: the answer is known, asking again would return the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias, final

import numpy as np
import optuna

from archgym.core import Designs, Floats
from archgym.dialogue import Search
from archgym.moves import repair, steps
from archgym.space import DesignSpace
from archgym.tradeoff import Tradeoff

__all__ = ["MakeSampler", "Surrogate"]

MakeSampler: TypeAlias = Callable[[int], optuna.samplers.BaseSampler]
"""Builds a sampler from a seed."""

_TRIES = 20  # steps of each length tried in search of an unseen design
_OUTLIER = 5.0  # costs are cut this many (median - best) above the median: a model of magnitudes needs the good end


@final
class Surrogate:
    """Designs proposed by an Optuna sampler, as a search for `archgym.dialogue`."""

    def __init__(
        self, space: DesignSpace, seed: int, sampler: MakeSampler, *, startup: int, limit: int, batch: int
    ) -> None:
        """Score `startup` random designs, then propose `batch` at a time from at most `limit` observations."""
        self.space, self.startup, self.limit, self.batch = space, startup, limit, batch
        self._sampler = sampler
        self._rng = np.random.default_rng(seed)
        self._distributions = space.to_optuna()
        self._tradeoff = Tradeoff()
        self._seen: set[bytes] = set()
        self._designs = np.empty((0, len(space)), dtype=np.int32)  # what the study holds, oldest first
        self._costs = np.empty((0, 0))
        optuna.logging.set_verbosity(optuna.logging.WARNING)  # one line a trial is the caller's to print

    def search(self) -> Search:
        """Random designs first, then the sampler's."""
        yield from self._observe(self.space.sample(self.startup, self._rng))
        study = self._study()
        rebuild = 2 * len(self._designs)
        while True:
            before = len(self._designs)
            yield from self._observe(self._proposals(study))
            if len(self._designs) >= min(self.limit, rebuild):
                self._thin()
                study = self._study()  # also brings earlier costs up to date with the outliers and penalties seen since
                rebuild = 2 * len(self._designs)
            else:
                study.add_trials(self._trials(before))

    def _observe(self, designs: Designs) -> Search:
        costs = yield designs
        self._tradeoff.see(costs)
        self._seen.update(self._keys(designs))
        self._designs = np.concatenate([self._designs, designs])
        self._costs = np.concatenate([self._costs.reshape(-1, costs.shape[1]), costs])

    def _proposals(self, study: optuna.Study) -> Designs:
        asked = [study.ask(self._distributions) for _ in range(self.batch)]
        designs = np.array([[trial.params[name] for name in self.space.names] for trial in asked], dtype=np.int32)
        for trial in asked:
            # It may be repaired or replaced below, so the design that is scored is added as a trial of its own.
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        return np.stack([self._unseen(design) for design in repair(self.space, designs, self._rng)])

    def _unseen(self, design: Designs) -> Designs:
        """The design itself, or one near it that was not scored yet (nor one the space knows to be the same)."""
        for changes in range(4):
            tried = steps(self.space, design, self._rng, changes, _TRIES) if changes else design[None]
            for candidate, key in zip(tried, self._keys(tried), strict=True):
                if key not in self._seen:
                    return np.asarray(candidate)
        return design

    def _keys(self, designs: Designs) -> list[bytes]:
        return [row.tobytes() for row in self.space.canonical(designs)]

    def _thin(self) -> None:
        """Keep the best half of `limit` and a random sixth of it from the rest, in order of age."""
        if len(self._designs) < self.limit:
            return
        order = np.argsort(self._tradeoff.score(self._costs, np.full(self._costs.shape[1], 1.0)), kind="stable")
        best, rest = order[: self.limit // 2], order[self.limit // 2 :]
        kept = np.sort(np.concatenate([best, self._rng.choice(rest, size=max(1, self.limit // 6), replace=False)]))
        self._designs, self._costs = self._designs[kept], self._costs[kept]

    def _study(self) -> optuna.Study:
        """A study of what was kept, with a sampler of its own: samplers cannot move from one study to another."""
        directions: list[Literal["minimize"]] = ["minimize"] * self._costs.shape[1]
        study = optuna.create_study(directions=directions, sampler=self._sampler(int(self._rng.integers(2**31))))
        study.add_trials(self._trials())
        return study

    def _trials(self, start: int = 0) -> list[optuna.trial.FrozenTrial]:
        """The observations from `start` on, as finished trials."""
        return [
            optuna.trial.create_trial(
                params=dict(zip(self.space.names, design.tolist(), strict=True)),
                distributions=self._distributions,
                values=values.tolist(),
            )
            for design, values in zip(self._designs[start:], self._values()[start:], strict=True)
        ]

    def _values(self) -> Floats:
        costs = self._tradeoff.bounded(self._costs)
        middle, best = np.median(costs, axis=0), costs.min(axis=0)
        return np.asarray(np.minimum(costs, middle + _OUTLIER * (middle - best)))
