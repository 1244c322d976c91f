"""Operands and packets for the floating-point units: words of every class, close exponents, cancellation."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from archgym.rtl.block import Draw, uniform
from archgym.rtl.floating.formats import Format, Words

__all__ = ["corner_words", "last_flags", "operands", "pairs", "partners"]


def corner_words(form: Format) -> list[int]:
    """Words at the edges of every class, of both signs."""
    one = form.bias << form.man_width
    smallest_normal = 1 << form.man_width
    magnitudes = [0, 1, smallest_normal - 1, smallest_normal, one, one + 1, form.largest, form.infinity, form.nan]
    positive = list(dict.fromkeys(magnitudes))
    return positive + [word | form.sign_bit for word in positive]


def pairs(form: Format) -> tuple[Words, Words]:
    """Every pair of corner words."""
    table = np.array(list(itertools.product(corner_words(form), repeat=2)), dtype=np.int64)
    return table[:, 0], table[:, 1]


def operands(form: Format, rng: np.random.Generator, n: int, draw: Draw = uniform) -> Words:
    """n words: by default half with exponents near one, three eighths any bits, one eighth corners; else as drawn."""
    any_bits = draw(rng, (n,), form.width) & ((1 << form.width) - 1)
    if draw is not uniform:
        return np.asarray(any_bits, dtype=np.int64)
    span = min(4, form.bias)
    field = form.bias + rng.integers(-span, span + 1, n)
    near = field << form.man_width | (any_bits & ((1 << form.man_width) - 1)) | (any_bits & form.sign_bit)
    corner = rng.choice(np.array(corner_words(form), dtype=np.int64), n)
    kind = rng.integers(0, 8, n)
    return np.where(kind < 4, near, np.where(kind < 7, any_bits, corner))


def partners(form: Format, words: Words, rng: np.random.Generator, draw: Draw = uniform) -> Words:
    """Second summands: a third nearly cancel the first, which is where normalisation works hardest."""
    other = operands(form, rng, len(words), draw)
    if draw is not uniform:
        return other
    close = (words ^ form.sign_bit) + rng.integers(-3, 4, len(words))
    return np.where(rng.random(len(words)) < 1 / 3, close & ((1 << form.width) - 1), other)


def last_flags(rng: np.random.Generator, n: int, mean: float) -> NDArray[np.int64]:
    """Ends of packets with this mean length (geometric), the last beat included; int64[n] of 0 and 1."""
    last = (rng.random(n) < 1 / mean).astype(np.int64)
    last[-1:] = 1
    return last
