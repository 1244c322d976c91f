"""Genetic algorithm; NSGA-II where there are several costs: Deb et al., "NSGA-II", IEEE Trans. Evol. Comp. 6(2), 2002.

pymoo with the operators that do best on spaces of choices: uniform crossover, reset mutation (a parameter gets any
other choice) and no design twice. The budget is not known in advance, so unless a population is given it starts small
and grows with the square root of the designs scored: 20 after 100, 89 after 2,000.
"""

from __future__ import annotations

import math
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from pymoo.algorithms.base.genetic import GeneticAlgorithm
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.algorithms.soo.nonconvex.ga import GA
from pymoo.core.duplicate import DuplicateElimination
from pymoo.core.mutation import Mutation
from pymoo.core.population import Population
from pymoo.core.problem import Problem
from pymoo.core.repair import Repair
from pymoo.core.termination import NoTermination
from pymoo.operators.crossover.ux import UniformCrossover

from archgym.core import Agent, Designs, Evaluations, Floats
from archgym.dialogue import Dialogue, Search
from archgym.hyper import HyperParameters, parse_hyper
from archgym.moves import repair
from archgym.space import DesignSpace
from archgym.tradeoff import Tradeoff

_SMALLEST = 8  # a smaller population has too few parents to cross
_MATINGS = 20  # attempts to fill a generation with unseen children: pymoo's 100 are slow where few are left


@final
class Genetic(Agent):
    """Crosses and mutates the fittest designs; generations of distinct designs, restarted when they run dry."""

    name = "genetic"

    class Hyper(HyperParameters):
        """Hyper-parameters of the genetic algorithm."""

        population: int | None = Field(None, ge=2, le=100_000, description="designs kept; none: grows with the search")
        budget: int | None = Field(None, ge=1, description="designs that will be scored: fixes the population")
        crossover: float = Field(0.9, ge=0, le=1, description="probability that two parents are crossed")
        mutation: float | None = Field(None, ge=0, le=1, description="probability to reset a parameter; none: 1/d")
        patience: int = Field(20, ge=1, description="generations without an improvement before a fresh population")

    def __init__(self, space: DesignSpace, seed: int = 0, **hyper: Any) -> None:
        """Search `space`; the seed fixes every proposal."""
        self.space = space
        self.hyper = parse_hyper(self.Hyper, self.name, hyper)
        self._rng = np.random.default_rng(seed)
        self._tradeoff = Tradeoff()
        self._scored = 0
        self._dialogue = Dialogue(self._search())

    def ask(self, n: int) -> Designs:
        """Children of the current generation."""
        return self._dialogue.ask(n)

    def tell(self, designs: Designs, evaluations: Evaluations, costs: Floats) -> None:
        """Breed the next generation once all children are scored."""
        self._dialogue.tell(designs, costs)

    def _search(self) -> Search:
        seen: set[bytes] = set()
        k = len((yield self.space.sample(1, self._rng))[0])
        while True:
            before = self._scored
            yield from self._lineage(k, seen)
            if self._scored == before:  # no unseen design was found, the space may be exhausted: the caller decides
                yield self.space.sample(1, self._rng)

    def _lineage(self, k: int, seen: set[bytes]) -> Search:
        """Generations from a fresh population, until there is no new child or no improvement for a while."""
        algorithm = self._algorithm(k, seen)
        record, idle = np.inf, 0
        while idle < self.hyper.patience:
            algorithm.pop_size = algorithm.n_offsprings = self._population()
            children = algorithm.ask()
            if children is None or not len(children):
                return
            designs = children.get("X").astype(np.int32)
            costs = yield designs
            seen.update(design.tobytes() for design in designs)
            self._scored += len(designs)
            self._tradeoff.see(costs)
            children.set("F", self._tradeoff.bounded(costs) if k > 1 else costs)
            algorithm.tell(infills=children)
            best = float(self._tradeoff.score(costs, np.full(k, 1.0 / k)).min())
            record, idle = (best, 0) if best < record else (record, idle + 1)

    def _population(self) -> int:
        scored = self._scored if self.hyper.budget is None else self.hyper.budget
        return self.hyper.population or max(_SMALLEST, math.isqrt(4 * scored))

    def _algorithm(self, k: int, seen: set[bytes]) -> GeneticAlgorithm:
        """Set up pymoo's GA, or NSGA-II for k costs, on this space."""
        top = self.space.cardinalities - 1
        algorithm: GeneticAlgorithm = (GA if k == 1 else NSGA2)(
            pop_size=self._population(),
            sampling=self.space.sample(self._population(), self._rng),
            crossover=UniformCrossover(prob=self.hyper.crossover),
            mutation=_Reset(self.space, self.hyper.mutation),
            repair=_Feasible(self.space),
            eliminate_duplicates=_NeverTwice(seen),
            seed=int(self._rng.integers(2**31)),
        )
        algorithm.mating.n_max_iterations = _MATINGS
        algorithm.setup(Problem(n_var=len(self.space), n_obj=k, xl=0, xu=top, vtype=int), termination=NoTermination())
        return algorithm


class _Reset(Mutation):  # type: ignore[misc]  # pymoo is untyped
    """Gives each parameter, with some probability, any other choice."""

    def __init__(self, space: DesignSpace, probability: float | None) -> None:
        super().__init__(prob=1.0)
        self.cardinalities = space.cardinalities
        self.probability = 1.0 / len(space) if probability is None else probability

    def _do(self, problem: Any, X: Designs, *args: Any, random_state: np.random.Generator, **kwargs: Any) -> Designs:
        shift = random_state.integers(1, np.maximum(self.cardinalities, 2), size=X.shape)
        reset = random_state.random(X.shape) < self.probability
        return np.where(reset, (X + shift) % self.cardinalities, X)


class _Feasible(Repair):  # type: ignore[misc]  # pymoo is untyped
    """Replaces children that break a constraint by near ones that do not."""

    def __init__(self, space: DesignSpace) -> None:
        super().__init__()
        self.space = space

    def _do(self, problem: Any, X: Designs, random_state: np.random.Generator, **kwargs: Any) -> Designs:
        return repair(self.space, X, random_state)


class _NeverTwice(DuplicateElimination):  # type: ignore[misc]  # pymoo is untyped
    """Drops children that were scored before, in this lineage or an earlier one."""

    def __init__(self, seen: set[bytes]) -> None:
        super().__init__()
        self.seen = seen

    def _do(self, pop: Population, other: Population | None, is_duplicate: NDArray[np.bool_]) -> NDArray[np.bool_]:
        known = set(self.seen) if other is None else {_key(one) for one in other}
        for row, one in enumerate(pop):
            key = _key(one)
            is_duplicate[row] = key in known
            if other is None:
                known.add(key)
        return is_duplicate


def _key(individual: Any) -> bytes:
    return np.asarray(individual.X, dtype=np.int32).tobytes()
