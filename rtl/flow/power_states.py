"""Probabilities of Boolean conditions on the pins of a cell, for many cells of one kind at once.

Pins are taken as independent of each other, as OpenSTA takes them; outputs are functions of the inputs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from archgym.rtl.tech.function import names_in, truth_table

if TYPE_CHECKING:
    from archgym.rtl.tech.liberty import Cell

__all__ = ["expanded", "probability", "sensitised", "state_probabilities"]

Floats = NDArray[np.float64]


def state_probabilities(cell: Cell, duty: Mapping[str, Floats]) -> dict[str, Floats]:
    """Add the flip-flop's state to the probabilities of the pins, as an output that shows it says."""
    found = dict(duty)
    if cell.flop is not None:
        for pin in cell.outputs:
            shown = (pin.function or "").replace(" ", "").strip("()")
            if shown in {cell.flop.q, cell.flop.qn}:
                straight = shown == cell.flop.q
                found[cell.flop.q] = duty[pin.name] if straight else 1.0 - duty[pin.name]
                found[cell.flop.qn] = 1.0 - found[cell.flop.q]
    return found


def expanded(expression: str, cell: Cell) -> str:
    """The condition with output pins written as their functions, so that impossible states have no weight."""
    for pin in cell.outputs:
        if pin.function is not None and pin.name in names_in(expression):
            expression = re.sub(rf"(?<![\w.$]){re.escape(pin.name)}(?![\w.$\[])", f"({pin.function})", expression)
    return expression


def probability(expression: str, duty: Mapping[str, Floats]) -> Floats:
    """float64[cells]: probability that the expression is true; names that are not known count as one half."""
    names = names_in(expression)
    return _folded(_rows(expression, names), names, duty)


def sensitised(function: str, pin: str, when: str, duty: Mapping[str, Floats]) -> Floats:
    """Probability that a change of `pin` changes the function while `when` holds before or after the change.

    The Boolean difference of the function with respect to the pin, both values of the pin alike.
    """
    names = (pin, *(name for name in dict.fromkeys(names_in(function) + names_in(when)) if name != pin))
    rows = _rows(function, names)
    changes = np.repeat(rows[0::2] != rows[1::2], 2)
    holds = _rows(when, names) if when else np.ones(len(rows))
    half = {**duty, pin: np.full_like(duty[pin], 0.5)}
    return _folded(changes * holds, names, half)


@lru_cache(maxsize=8192)
def _rows(expression: str, names: tuple[str, ...]) -> Floats:
    """float64[2^names]: the truth table, name 0 in the lowest bit of the row."""
    count = 1 << len(names)
    octets = truth_table(expression, names).to_bytes(max(count // 8, 1), "little")
    return np.unpackbits(np.frombuffer(octets, dtype=np.uint8), count=count, bitorder="little").astype(np.float64)


def _folded(rows: Floats, names: tuple[str, ...], duty: Mapping[str, Floats]) -> Floats:
    """Weigh the rows of a table by the probabilities of the names, one name at a time."""
    cells = len(next(iter(duty.values()))) if duty else 1
    table = np.repeat(rows[:, None], cells, axis=1)
    for name in names:
        high = duty[name] if name in duty else np.full(cells, 0.5)
        table = table[0::2] * (1.0 - high) + table[1::2] * high
    found: Floats = table[0]
    return found
