"""Simulated annealing: Kirkpatrick, Gelatt and Vecchi, "Optimization by Simulated Annealing", Science 220, 1983.

The temperature is in units of the mean cost change seen so far, so the schedule needs no tuning to a cost's scale. It
falls geometrically over a cycle; then the search is heated again from the best design of the cycle, or, when the cycle
found nothing better, from a random one. Each cycle is longer than the one before.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Any, final

import numpy as np
from pydantic import Field

from archgym.core import Agent, Designs, Evaluations, Floats
from archgym.dialogue import Dialogue, Search
from archgym.hyper import HyperParameters, parse_hyper
from archgym.moves import step
from archgym.objectives import PENALTY
from archgym.space import DesignSpace
from archgym.tradeoff import Tradeoff

_LONGEST = 20  # a cycle grows to this many first cycles
_DRAWS = 16  # random designs looked at for a start that is new


@final
class SimulatedAnnealing(Agent):
    """Takes every better step, and worse ones with a probability that falls as it cools."""

    name = "annealing"

    class Hyper(HyperParameters):
        """Hyper-parameters of simulated annealing."""

        hot: float = Field(0.5, gt=0, le=100, description="first temperature of a cycle, in mean cost changes")
        cold: float = Field(0.01, gt=0, le=100, description="last temperature of a cycle, in mean cost changes")
        cycle: int = Field(200, ge=2, description="steps of the first cycle")
        growth: float = Field(1.5, ge=1, le=10, description="each cycle is this much longer than the one before")

    def __init__(self, space: DesignSpace, seed: int = 0, **hyper: Any) -> None:
        """Search `space`; the seed fixes every proposal."""
        self.space = space
        self.hyper = parse_hyper(self.Hyper, self.name, hyper)
        self._rng = np.random.default_rng(seed)
        self._tradeoff = Tradeoff()
        self._changes, self._total_change = 0, 0.0
        self._seen: set[bytes] = set()
        self._dialogue = Dialogue(self._search())

    def ask(self, n: int) -> Designs:
        """One step from the current design."""
        return self._dialogue.ask(n)

    def tell(self, designs: Designs, evaluations: Evaluations, costs: Floats) -> None:
        """Take the step, or not."""
        self._dialogue.tell(designs, costs)

    def _search(self) -> Search:
        length = self.hyper.cycle
        while True:
            here = self._start()
            cost = (yield here[None])[0]
            self._tradeoff.see(cost[None])
            self._seen.add(here.tobytes())
            k = len(cost)
            improved = True
            while improved:
                weights, before = self._rng.dirichlet(np.ones(k)), cost
                # Several costs: short cycles, each towards another part of the front.
                here, cost = yield from self._cool(here, cost, weights, max(2, length // k**2))
                new, old = self._tradeoff.score(np.stack([cost, before]), weights)
                improved = bool(new < old)
                length = min(math.ceil(length * self.hyper.growth), _LONGEST * self.hyper.cycle) if k == 1 else length

    def _start(self) -> Designs:
        """A random design, unseen if a few draws find one."""
        drawn = self.space.sample(_DRAWS, self._rng)
        return next((design for design in drawn if design.tobytes() not in self._seen), drawn[0])

    def _cool(
        self, here: Designs, cost: Floats, weights: Floats, length: int
    ) -> Generator[Designs, Floats, tuple[Designs, Floats]]:
        """One cycle; returns the best design met in it and its cost."""
        best, best_cost = here, cost
        around = int(np.sum(self.space.cardinalities - 1))  # how many neighbours a design has, constraints aside
        unmoved = unnew = 0  # steps since one was taken, and since one led to an unseen design
        for tick in range(length):
            temperature = self.hyper.hot * (self.hyper.cold / self.hyper.hot) ** (tick / (length - 1))
            there = step(self.space, here, self._rng)
            there_cost = (yield there[None])[0]
            self._tradeoff.see(there_cost[None])
            now, then, record = self._tradeoff.score(np.stack([cost, there_cost, best_cost]), weights)
            unmoved, unnew = unmoved + 1, unnew + 1
            if self._accepts(now, then, temperature):
                here, cost, unmoved = there, there_cost, 0
            if then < record:
                best, best_cost = there, there_cost
            if there.tobytes() not in self._seen:
                self._seen.add(there.tobytes())
                unnew = 0
            if unmoved > around or unnew > 4 * around:
                break
        return best, best_cost

    def _accepts(self, now: float, then: float, temperature: float) -> bool:
        """Metropolis' rule; a feasible design is never left for an infeasible one."""
        change = then - now
        if max(now, then) < PENALTY and change:
            self._changes += 1
            self._total_change += abs(change)
        if change <= 0.0 or then >= PENALTY:
            return change <= 0.0
        scale = self._total_change / self._changes
        return bool(self._rng.random() < np.exp(-change / (temperature * scale)))
