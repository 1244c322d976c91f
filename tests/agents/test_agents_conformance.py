"""Every registered agent keeps the contract, and the suite that says so catches agents that do not."""

from __future__ import annotations

import random

import numpy as np
import pytest

from archgym import catalog
from archgym.core import Agent
from archgym.errors import AgentMisuse, InvalidInput
from archgym.testing import check_agent

# Seconds per proposal, not milliseconds: fewer designs per check.
EVALUATIONS = {"gp": 12, "tpe": 30}
REQUIRED = {
    "annealing", "ant-colony", "cma-es", "coordinate", "genetic", "gp", "hill-climb", "ppo", "random", "tpe",
}  # fmt: skip


def test_the_catalog_has_every_method():
    assert set(catalog.agents()) >= REQUIRED


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_agent_conforms(name):
    check_agent(name, evaluations=EVALUATIONS.get(name, 60))


@pytest.mark.parametrize(
    ("name", "hyper"),
    [
        ("hill-climb", {"neighbours": 0, "kick": 2}),
        ("coordinate", {"starts": 5}),
        ("genetic", {"population": 12, "mutation": 0.3}),
        ("genetic", {"budget": 400}),
        ("ant-colony", {"greediness": 0.5, "patience": 2}),
        ("cma-es", {"population": 4, "growth": 1.0}),
        ("tpe", {"batch": 5, "multivariate": True, "limit": 20, "startup": 3}),
        ("ppo", {"formulation": "sequential", "rollout": 8, "width": 8}),
    ],
)
def test_agent_conforms_with_other_hyper_parameters(name, hyper):
    check_agent(name, evaluations=40, **hyper)


class Drawer(Agent):
    """Conforms; each subclass below breaks one rule."""

    name = "drawer"

    def __init__(self, space, seed=0, **hyper):
        for option in hyper:
            raise InvalidInput(f"unknown hyper-parameter {option}")
        self.space = space
        self.rng = np.random.default_rng(seed)

    def ask(self, n):
        return self.space.sample(n, self.rng)


class TooMany(Drawer):
    def ask(self, n):
        return self.space.sample(n + 1, self.rng)


class WrongType(Drawer):
    def ask(self, n):
        return super().ask(n).astype(np.int64)


class OneRow(Drawer):
    def ask(self, n):
        return super().ask(1)[0]


class OutOfRange(Drawer):
    def ask(self, n):
        return super().ask(n) + np.int32(1)


class Unconstrained(Drawer):
    def ask(self, n):
        return self.rng.integers(self.space.cardinalities, size=(n, len(self.space)), dtype=np.int32)


class Unseeded(Drawer):
    def __init__(self, space, seed=0, **hyper):
        super().__init__(space, **hyper)
        self.rng = np.random.default_rng()


class DeafToSeeds(Drawer):
    def __init__(self, space, seed=0, **hyper):
        super().__init__(space, 0, **hyper)


class GlobalDraws(Drawer):
    def ask(self, n):
        random.random()
        return super().ask(n)


class GlobalSeed(Drawer):
    def __init__(self, space, seed=0, **hyper):
        super().__init__(space, seed, **hyper)
        np.random.seed(seed)  # noqa: NPY002


class TakesAnything(Drawer):
    def __init__(self, space, seed=0, **hyper):
        super().__init__(space, seed)


class RaisesTypeError(Drawer):
    def __init__(self, space, seed=0):
        super().__init__(space, seed)


class NeverTheLast(Drawer):
    """The classic slip: an exclusive upper bound."""

    def ask(self, n):
        designs = super().ask(n)
        last = designs == self.space.cardinalities - 1
        return np.where(last & (self.space.cardinalities == 5), 0, designs).astype(np.int32)


class OneCostOnly(Drawer):
    def tell(self, designs, evaluations, costs):
        assert costs.shape[1] == 1, "one cost only"


class NeedsWholeBatches(Drawer):
    def ask(self, n):
        self.waiting = n
        return super().ask(n)

    def tell(self, designs, evaluations, costs):
        assert len(designs) == self.waiting, "whole batches only"


class Scribbler(Drawer):
    def tell(self, designs, evaluations, costs):
        costs[costs > 1e11] = 0.0


class SilentRefusal(Drawer):
    asked = False

    def ask(self, n):
        if self.asked:
            raise AgentMisuse("no")
        self.asked = True
        return super().ask(n)

    def tell(self, designs, evaluations, costs):
        self.asked = False


class StuckOnOne(Drawer):
    def ask(self, n):
        return np.zeros((1, len(self.space)), dtype=np.int32)


def test_a_correct_agent_passes():
    check_agent(Drawer)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (TooMany, r"1 to 1 designs, got 2"),
        (WrongType, "must return int32.*int64"),
        (OneRow, "must return int32"),
        (OutOfRange, "outside the space"),
        (Unconstrained, "breaks a constraint"),
        (Unseeded, "other designs with the same seed"),
        (DeafToSeeds, "same with another seed"),
        (GlobalDraws, "global random state"),
        (GlobalSeed, "global random state"),
        (TakesAnything, "accepted the unknown hyper-parameter"),
        (RaisesTypeError, "UnknownName"),
        (NeverTheLast, "never proposed p0=4"),
        (OneCostOnly, "one cost only"),
        (NeedsWholeBatches, "whole batches only"),
        (SilentRefusal, "must say what to call"),
        (StuckOnOne, "proposed 1 of 2 designs"),
    ],
)
def test_the_suite_catches(broken, message):
    with pytest.raises(AssertionError, match=message):
        check_agent(broken)


def test_the_suite_catches_writing_into_the_callers_arrays():
    with pytest.raises(ValueError, match="read-only"):
        check_agent(Scribbler)
