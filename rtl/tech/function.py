"""Liberty's Boolean expressions as truth tables.

Operators by precedence (Liberty User Guide, "function"): `!a` and `a'`; `^`; `&`, `*` and a blank; `|` and `+`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, final

from archgym.errors import InvalidInput

__all__ = ["names_in", "sense_of", "truth_table"]

_TOKEN = re.compile(r"\s*(?:([A-Za-z_][\w.$\[\]]*)|([01])|([!'()^&*|+])|(\S))")


def names_in(expression: str) -> tuple[str, ...]:
    """The variables of an expression, in the order they appear."""
    return tuple(dict.fromkeys(match[1] for match in _TOKEN.finditer(expression) if match[1]))


@lru_cache(maxsize=4096)
def truth_table(expression: str, names: tuple[str, ...]) -> int:
    """Bit i is the value where variable k of `names` is bit k of i.

    Raises:
        InvalidInput: for an expression that cannot be read, or that has a variable not in `names`.
    """
    parser = _Parser(expression, names)
    found = parser.either()
    if parser.word:
        raise parser.error(f"unexpected {parser.word!r}")
    return found


def sense_of(expression: str, pin: str) -> Literal["positive", "negative", "non"]:
    """Unateness of a function in one of its variables."""
    names = (pin, *(name for name in names_in(expression) if name != pin))
    table = truth_table(expression, names)
    rows = range(0, 1 << len(names), 2)
    rises = any(not table >> row & 1 and table >> row + 1 & 1 for row in rows)
    falls = any(table >> row & 1 and not table >> row + 1 & 1 for row in rows)
    if rises and falls:
        return "non"
    return "negative" if falls else "positive"


@final
class _Parser:
    """Recursive descent over masks of all rows at once."""

    def __init__(self, expression: str, names: Sequence[str]) -> None:
        self.expression = expression
        self.words = [match.group().strip() for match in _TOKEN.finditer(expression)]
        self.position = 0
        rows = 1 << len(names)
        self.ones = (1 << rows) - 1
        # Variable k is 2^k zeros, 2^k ones, and so on: the period's ones times 1 + 2^period + ...
        self.masks = {
            name: ((1 << (1 << k)) - 1 << (1 << k)) * (self.ones // ((1 << (2 << k)) - 1))
            for k, name in enumerate(names)
        }

    @property
    def word(self) -> str:
        return self.words[self.position] if self.position < len(self.words) else ""

    def take(self) -> str:
        word = self.word
        self.position += 1
        return word

    def error(self, message: str) -> InvalidInput:
        allowed = ", ".join(self.masks)
        return InvalidInput(
            f"Liberty expression {self.expression!r}: {message}; expected ! ' ^ & * | + ( ) of {allowed}"
        )

    def either(self) -> int:
        found = self.both()
        while self.word in {"|", "+"}:
            self.take()
            found |= self.both()
        return found

    def both(self) -> int:
        found = self.different()
        while self.word and self.word not in {"|", "+", ")"}:
            if self.word in {"&", "*"}:
                self.take()
            found &= self.different()
        return found

    def different(self) -> int:
        found = self.single()
        while self.word == "^":
            self.take()
            found ^= self.single()
        return found

    def single(self) -> int:
        word = self.take()
        if word == "!":
            return self.ones ^ self.single()
        if word == "(":
            found = self.either()
            if self.take() != ")":
                raise self.error("a parenthesis is not closed")
        elif word in {"0", "1"}:
            found = self.ones if word == "1" else 0
        elif word in self.masks:
            found = self.masks[word]
        else:
            raise self.error(f"unexpected {word!r}" if word else "it ends too early")
        while self.word == "'":
            self.take()
            found ^= self.ones
        return found
