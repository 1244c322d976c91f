"""Which parameter points of a block its benches visit: the extremes, then a sample that reaches every choice."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from archgym.errors import InvalidInput
from archgym.rtl.block import Block

__all__ = ["Point", "cost", "points", "rejected", "smallest"]

Point = dict[str, int]

_TRIES = 400  # random points looked at for each one taken
_ABOUT = 1.3


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
    """At most n distinct points of cost up to `limit`: the smallest, the largest, then those with most new choices.

    Where the smallest is beyond the limit, others of about its size are taken.
    """
    found = [smallest(block)]
    if not block.parameters:
        return found
    limit = max(limit, _ABOUT * cost(block, found[0]))
    pool = [point for point in _random(block, rng, _TRIES) if not block.reject(point)]
    pool = [point for point in pool if cost(block, point) <= limit and point != found[0]]
    if pool and n > 2:
        found.append(max(pool, key=lambda point: cost(block, point)))
    covered = {pair for point in found for pair in point.items()}
    while len(found) < n:
        fresh = [point for point in pool if point not in found]
        if not fresh:
            break
        best = max(fresh, key=lambda point: len(set(point.items()) - covered))
        found.append(best)
        covered |= set(best.items())
    return found[:n]


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
