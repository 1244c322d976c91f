"""Small steps in a design space that several agents take: change a few parameters, or make a proposal feasible."""

from __future__ import annotations

import numpy as np

from archgym.core import Designs
from archgym.space import DesignSpace

__all__ = ["repair", "step", "steps"]

_TRIES = 64  # candidate steps looked at before a fresh sample is taken instead


def step(space: DesignSpace, design: Designs, rng: np.random.Generator, changes: int = 1) -> Designs:
    """A feasible design, int32[d], that differs from `design` in up to `changes` random parameters.

    Where no such step is found it is a random feasible design; a space of one design returns that.
    """
    allowed = steps(space, design, rng, changes, _TRIES if space.constraints else 1)
    return np.asarray(allowed[0] if len(allowed) else space.sample(1, rng)[0], dtype=np.int32)


def steps(space: DesignSpace, design: Designs, rng: np.random.Generator, changes: int, n: int) -> Designs:
    """The feasible ones of n random designs that differ from `design` in up to `changes` parameters, int32[*, d]."""
    tried = _steps(space, design, rng, changes, n)
    return tried[space.feasible(tried)]


def repair(space: DesignSpace, designs: Designs, rng: np.random.Generator) -> Designs:
    """The designs, int32[n, d], each infeasible row replaced by a feasible one as near as a few tries find."""
    rows = np.array(designs, dtype=np.int32)
    for row in np.flatnonzero(~space.feasible(rows)):
        for changes in (1, 2):
            allowed = steps(space, rows[row], rng, changes, _TRIES)
            if len(allowed):
                rows[row] = allowed[0]
                break
        else:
            rows[row] = step(space, rows[row], rng, changes=3)
    return rows


def _steps(space: DesignSpace, design: Designs, rng: np.random.Generator, changes: int, n: int) -> Designs:
    """Make n designs that each differ from `design` in up to `changes` parameters."""
    tried = np.tile(np.asarray(design, dtype=np.int32), (n, 1))
    free = np.flatnonzero(space.cardinalities > 1)
    rows = np.arange(n)
    for _ in range(changes if len(free) else 0):
        column = rng.choice(free, size=n)
        # A shift by 1 to cardinality - 1 reaches every other choice with equal probability.
        shift = rng.integers(1, space.cardinalities[column])
        tried[rows, column] = (tried[rows, column] + shift) % space.cardinalities[column]
    return tried
