"""Collects the gates of a netlist by function and lays them out for the compiled evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

import numpy as np
from numpy.typing import NDArray

from archgym.rtl.flow.flat import Ints
from archgym.rtl.tech.function import names_in, truth_table

__all__ = ["Gates", "Tables"]

_ALL = 0xFFFF_FFFF_FFFF_FFFF


@final
class Tables:
    """Truth tables as the compiled evaluation reads them, each stored once."""

    def __init__(self) -> None:
        self._at: dict[tuple[int, int], int] = {}
        self._words: list[int] = []
        self.widest = 1

    def place(self, table: int, inputs: int) -> int:
        """Where the table of a function begins; bit i of `table` is the value in row i."""
        key = (table, inputs)
        if key not in self._at:
            self._at[key] = len(self._words)
            self.widest = max(self.widest, inputs)
            for row in range(0, 1 << inputs, 2):
                low, high = table >> row & 1, table >> row + 1 & 1
                self._words += [_ALL * low, _ALL * (low ^ high)]
        return self._at[key]

    def words(self) -> NDArray[np.uint64]:
        """uint64[n]: all tables."""
        return np.array(self._words or [0], dtype=np.uint64)


@final
@dataclass
class Gates:
    """Gates as they come, by batches of one function; `laid_out` sorts them by level and number of inputs."""

    tables: Tables
    _levels: list[Ints] = field(default_factory=list)
    _functions: list[Ints] = field(default_factory=list)
    _outs: list[Ints] = field(default_factory=list)
    _pins: list[Ints] = field(default_factory=list)
    _arities: list[Ints] = field(default_factory=list)

    def add(self, levels: Ints, expression: str, outs: Ints, sources: Mapping[str, Ints]) -> None:
        """Add gates of one function.

        Args:
            levels: int32[gates].
            expression: Liberty's; its names are keys of `sources`.
            outs: int32[gates], nets.
            sources: int32[gates] by name, nets.
        """
        names = names_in(expression)
        for name in names:
            if name not in sources:
                truth_table(expression, tuple(sources))  # says which name is unknown
        table = truth_table(expression, names)
        pins = [sources[name] for name in names]
        if not names:  # a constant, as a function of net 0 that ignores it
            table, pins = table * 3, [np.zeros_like(outs)]
        gates, arity = len(outs), len(pins)
        self._levels.append(levels)
        self._functions.append(np.full(gates, self.tables.place(table, arity), dtype=np.int32))
        self._outs.append(outs)
        self._pins.append(np.stack(pins, axis=1).reshape(-1))
        self._arities.append(np.full(gates, arity, dtype=np.int32))

    def laid_out(self) -> tuple[Ints, Ints, Ints, Ints]:
        """The gates in the order of evaluation.

        Returns:
            int32[segments, 5] as `kernel_gates.evaluate` reads them (places from 0), functions int32[gates], pins
            int32[pins] and outputs int32[gates], the last two by net.
        """
        none = np.zeros(0, dtype=np.int32)
        level, function, out, pin, arity = (
            np.concatenate([none, *parts])
            for parts in (self._levels, self._functions, self._outs, self._pins, self._arities)
        )
        order = np.lexsort((function, arity, level))
        first = np.concatenate([[0], np.cumsum(arity)])[:-1]
        level, function, out, arity, first = (each[order] for each in (level, function, out, arity, first))
        place = np.concatenate([[0], np.cumsum(arity)])
        within = np.arange(place[-1]) - np.repeat(place[:-1], arity)
        pins = pin[np.repeat(first, arity) + within]
        changes = np.flatnonzero((np.diff(level) != 0) | (np.diff(arity) != 0)) + 1
        starts = np.concatenate([[0], changes])[: len(changes) + (len(order) > 0)].astype(np.int64)
        counts = np.diff(np.concatenate([starts, [len(order)]]))[: len(starts)]
        segments = np.stack([arity[starts], counts, starts, starts, place[starts]], axis=1)
        return segments.astype(np.int32), function, pins.astype(np.int32), out
