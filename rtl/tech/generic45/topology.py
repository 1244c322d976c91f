"""Series-parallel networks of transistors, and the stages and cells made of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import final

__all__ = ["CellPlan", "Parallel", "Series", "Stage", "Tree", "conducts", "dual", "leaves", "width"]


@final
@dataclass(frozen=True)
class Series:
    """Conducts when all parts do; the first part is next to the output."""

    parts: tuple[Tree, ...]


@final
@dataclass(frozen=True)
class Parallel:
    """Conducts when any part does."""

    parts: tuple[Tree, ...]


Tree = Series | Parallel | str
"""A network; a name is one transistor with its gate at that signal."""


def dual(tree: Tree) -> Tree:
    """The pull-up network of a pull-down network."""
    if isinstance(tree, str):
        return tree
    parts = tuple(dual(part) for part in tree.parts)
    return Parallel(parts) if isinstance(tree, Series) else Series(parts)


def leaves(tree: Tree) -> Iterator[str]:
    """The gates' signals, one per transistor."""
    if isinstance(tree, str):
        yield tree
    else:
        for part in tree.parts:
            yield from leaves(part)


def conducts(tree: Tree, on: Mapping[str, bool]) -> bool:
    """Whether a network of transistors that conduct where `on` says so connects its ends."""
    if isinstance(tree, str):
        return on[tree]
    test = all if isinstance(tree, Series) else any
    return test(conducts(part, on) for part in tree.parts)


def width(tree: Tree, on: Mapping[str, bool], penalty: float) -> float:
    """Width of the one transistor, in units of the network's, that drives like the conducting part; 0 if none does.

    `penalty` is what each further series transistor adds to the resistance (`stage.stack_penalty`).
    """
    if isinstance(tree, str):
        return float(on[tree])
    widths = [width(part, on, penalty) for part in tree.parts]
    if isinstance(tree, Parallel):
        return sum(widths)
    if min(widths) <= 0:
        return 0.0
    resistances = sorted(1 / each for each in widths)
    return 1 / (resistances[-1] + penalty * sum(resistances[:-1]))


@final
@dataclass(frozen=True)
class Stage:
    """A static CMOS stage: the output is low where the pull-down network conducts."""

    output: str
    pull_down: Tree
    fingers: float = 1.0
    """Widths in units of the tallest transistors that fit; above 1 in as many parallel fingers."""
    pull_up: Tree | None = None
    """Where it is not the dual: mirror adders, clocked stages."""
    clocked: bool = False
    """n and p gates differ in one column, and it keeps its value while both networks are off."""

    @property
    def up(self) -> Tree:
        """The pull-up network."""
        return dual(self.pull_down) if self.pull_up is None else self.pull_up

    @property
    def inputs(self) -> tuple[str, ...]:
        """Signals of the gates."""
        return tuple(dict.fromkeys((*leaves(self.pull_down), *leaves(self.up))))


@final
@dataclass(frozen=True)
class CellPlan:
    """A cell: its stages in order of evaluation and the Boolean functions of its outputs (Liberty's syntax)."""

    name: str
    inputs: tuple[str, ...]
    outputs: Mapping[str, str]
    stages: tuple[Stage, ...]
    extra_columns: int = 0
    """Gate columns beyond the transistors': diffusion breaks and crossings of clock phases."""
