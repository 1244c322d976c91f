"""Which parameter points of a block its benches visit: the extremes, then a sample that reaches every choice."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from archgym.errors import InvalidInput
from archgym.rtl.block import Block

__all__ = ["Point", "cost", "points", "rejected", "smallest"]

Point = dict[str, int]

_TRIES = 400  # random points looked at for each one taken
_ABOUT = 1.3
_WEIGHTS = {1: 1000, 2: 1}  # of a new choice, and of a new pair of choices


def cost(block: Block, point: Point) -> float:
    """A measure of the hardware's size, so that a bench stays short: bits of ports, and of multipliers (8 by 8)."""
    bits = sum(port.bits for port in block.ports(point))
    beats = block.stimulus(point, np.random.default_rng(0), 8)
    n = len(next(iter(beats.values())))
    return bits + 64.0 * block.macs(point, beats) / max(1, n)


def smallest(block: Block, *, seed: int = 0) -> Point:
    """The point of the first choices, or the nearest to it that is not refused.

    Raises:
        InvalidInput: when every point that was tried is refused.
    """
    first = {knob.name: int(knob.choices[0]) for knob in block.parameters}
    if not block.reject(first):
        return first
    rng = np.random.default_rng(seed)
    legal = [point for point in _random(block, rng, 10 * _TRIES) if not block.reject(point)]
    if not legal:
        raise InvalidInput(f"block {block.name}: every parameter point is refused, e.g. {block.reject(first)}")
    return min(legal, key=lambda point: _rank(block, point))


def points(block: Block, n: int, rng: np.random.Generator, *, limit: float) -> list[Point]:
    """At most n distinct points of cost up to `limit`: the smallest, the largest, then those with most that is new.

    Where the smallest is beyond the limit, others of about its size are taken.
    """
    found = [smallest(block)]
    if not block.parameters:
        return found
    limit = max(limit, _ABOUT * cost(block, found[0]))
    drawn = [*_random(block, rng, _TRIES), *_near(block, found[0], rng, _TRIES)]
    pool = [point for point in drawn if point != found[0] and not block.reject(point) and cost(block, point) <= limit]
    if pool and n > 2:
        found.append(max(pool, key=lambda point: cost(block, point)))
    covered = set().union(*(_reached(point) for point in found))
    fresh = [point for point in pool if point not in found]
    while len(found) < n and fresh:
        # Single choices first; then pairs of them, where most faults of a combination lie.
        best = max(fresh, key=lambda point: sum(_WEIGHTS[len(each)] for each in _reached(point) - covered))
        found.append(best)
        covered |= _reached(best)
        fresh = [point for point in fresh if point != best]
    return found[:n]


def _reached(point: Point) -> set[tuple[tuple[str, int], ...]]:
    """The choices of a point, alone and in pairs."""
    choices = sorted(point.items())
    return {(each,) for each in choices} | set(itertools.combinations(choices, 2))


def rejected(block: Block, n: int, rng: np.random.Generator) -> list[Point]:
    """At most n points that the block's description says are refused at elaboration, each for another reason.

    Of the points refused for a reason it is the smallest: elaborating thousands of elements takes minutes.
    """
    found: dict[str, Point] = {}
    for point in sorted(_random(block, rng, _TRIES), key=lambda point: _rank(block, point)):
        reason = block.reject(point)
        if reason:
            found.setdefault("".join(each for each in reason if not each.isdigit()), point)
    return list(found.values())[:n]


def _rank(block: Block, point: Point) -> int:
    """How far the choices are from the first ones."""
    return sum(knob.index(point[knob.name]) for knob in block.parameters)


def _random(block: Block, rng: np.random.Generator, n: int) -> Iterator[Point]:
    for _ in range(n):
        yield {knob.name: int(knob.choices[int(rng.integers(len(knob.choices)))]) for knob in block.parameters}


def _near(block: Block, point: Point, rng: np.random.Generator, n: int) -> Iterator[Point]:
    """Variations of a point: where few points are legal and small, most of them are near one that is."""
    for other, share in zip(_random(block, rng, n), rng.random(n)):
        yield {name: other[name] if rng.random() < share else value for name, value in point.items()}
