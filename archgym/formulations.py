"""Three ways to see a search as episodes: what an action means, what is seen, when an episode ends.

Each class keeps the state of n episodes at once (one in `archgym.env`, a batch in `archgym.vector`) and knows nothing
of simulators: `act` says which rows now hold a whole design, the caller scores them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal, TypeAlias, final

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from archgym.core import Designs
from archgym.errors import InvalidInput, UnknownName
from archgym.space import DesignSpace

__all__ = ["FORMULATIONS", "DesignEncoding", "Formulation", "Rows", "View", "make_formulation"]

FORMULATIONS = ("design", "sequential", "local")
Rows: TypeAlias = NDArray[np.intp]
View: TypeAlias = NDArray[np.float32]
Flags: TypeAlias = NDArray[np.bool_]


@final
class DesignEncoding:
    """Designs as numbers in [0, 1]: one column an ordered parameter ((index + 1) / choices), one a choice otherwise.

    Parameters not chosen yet are all zero.
    """

    def __init__(self, space: DesignSpace) -> None:
        """Build the table of each parameter."""
        self._tables = [
            (np.arange(1, count + 1, dtype=np.float32) / count)[:, None]
            if parameter.kind != "categorical"
            else np.eye(count, dtype=np.float32)
            for parameter, count in zip(space.parameters, space.cardinalities.tolist(), strict=True)
        ]
        self.width = sum(table.shape[1] for table in self._tables)

    def encode(self, designs: Designs, chosen: Flags | None = None) -> View:
        """float32[n, width]; `chosen` bool[n, d] says which parameters count (all by default)."""
        parts = [table[designs[:, i]] for i, table in enumerate(self._tables)]
        if chosen is not None:
            parts = [part * chosen[:, i : i + 1] for i, part in enumerate(parts)]
        return np.asarray(np.concatenate(parts, axis=1), dtype=np.float32)


class Formulation(ABC):
    """State of n episodes over one space; `designs` int32[n, d] is each row's current design."""

    action_space: spaces.Space[NDArray[np.int64]] | spaces.Space[np.int64]
    observation_space: spaces.Box
    starts: Literal["scored", "asked", "empty"]
    """The design an episode starts from: always there and scored, only when asked for, or none."""
    ends_by: Literal["termination", "truncation"]
    """Whether reaching `horizon` is the end by nature or a time limit."""

    def __init__(self, space: DesignSpace, n: int, horizon: int) -> None:
        """Make room for n episodes of `horizon` steps."""
        self.space, self.horizon = space, horizon
        self.designs: Designs = np.zeros((n, len(space)), dtype=np.int32)
        self.steps = np.zeros(n, dtype=np.int64)

    def start(self, rows: Rows, designs: Designs) -> None:
        """Begin episodes in some rows, from the given designs."""
        self.designs[rows] = designs
        self.steps[rows] = 0

    @abstractmethod
    def act(self, rows: Rows, actions: NDArray[np.integer]) -> Flags:
        """Take one action in each of some rows; say which of them hold a whole design now, bool[len(rows)]."""

    @abstractmethod
    def observe(self, metrics: View) -> View:
        """What each row sees, float32[n, *]; `metrics` float32[n, m + 1] is the view of its last scored design."""

    def masks(self) -> NDArray[np.int8] | None:
        """Which actions are worth taking, int8[n, actions]; None where every one is."""
        return None

    def ended(self) -> Flags:
        """Rows that reached their horizon, bool[n]."""
        return self.steps >= self.horizon


@final
class _Design(Formulation):
    """One action is a whole design. Seen: the metrics of the last one."""

    starts = "asked"
    ends_by = "termination"

    def __init__(self, space: DesignSpace, n: int, horizon: int, metrics: int) -> None:
        super().__init__(space, n, horizon)
        self.action_space = space.to_gymnasium()
        self.observation_space = _box(metrics)

    def act(self, rows: Rows, actions: NDArray[np.integer]) -> Flags:
        self.designs[rows] = self.space.validate(actions)
        self.steps[rows] += 1
        return np.ones(len(rows), dtype=np.bool_)

    def observe(self, metrics: View) -> View:
        return np.array(metrics)


@final
class _Sequential(Formulation):
    """One action chooses one parameter, in order. Seen: the choices so far, and which parameter is next.

    The action space is Discrete(M), M the largest number of choices. A parameter with fewer choices c reads action a as
    choice floor(a * c / M): every action is valid, every choice is reached by at least one, order is kept. The mask
    leaves one action a choice, the first.
    """

    starts = "empty"
    ends_by = "termination"

    def __init__(self, space: DesignSpace, n: int, horizon: int, metrics: int) -> None:
        super().__init__(space, n, len(space))
        actions = int(space.cardinalities.max())
        self.action_space = spaces.Discrete(actions)
        self._choice = (np.arange(actions) * space.cardinalities[:, None].astype(np.int64)) // actions
        first = np.diff(self._choice, axis=1, prepend=-1) > 0
        self._mask = np.concatenate([first, np.ones((1, actions), dtype=np.bool_)]).astype(np.int8)  # last row: done
        self._encoding = DesignEncoding(space)
        self.observation_space = _box(self._encoding.width + len(space), low=0.0)

    def act(self, rows: Rows, actions: NDArray[np.integer]) -> Flags:
        _check_range(actions, self._choice.shape[1])
        position = self.steps[rows]
        self.designs[rows, position] = self._choice[position, actions]
        self.steps[rows] += 1
        return self.ended()[rows]

    def observe(self, metrics: View) -> View:
        columns = np.arange(len(self.space))
        chosen = columns < self.steps[:, None]
        following = (columns == self.steps[:, None]).astype(np.float32)
        return np.concatenate([self._encoding.encode(self.designs, chosen), following], axis=1)

    def masks(self) -> NDArray[np.int8]:
        return self._mask[self.steps]


@final
class _Local(Formulation):
    """One action sets one parameter of the current design to one choice. Seen: the design and its metrics.

    Action a of Discrete(sum of choices) is the a-th (parameter, choice) in order; the mask leaves out the choices the
    design has already. Every design is at most d moves away.
    """

    starts = "scored"
    ends_by = "truncation"

    def __init__(self, space: DesignSpace, n: int, horizon: int, metrics: int) -> None:
        super().__init__(space, n, horizon)
        counts = space.cardinalities
        self.action_space = spaces.Discrete(int(counts.sum()))
        self._column = np.repeat(np.arange(len(space)), counts)
        self._value = np.concatenate([np.arange(count, dtype=np.int32) for count in counts])
        self._encoding = DesignEncoding(space)
        self.observation_space = _box(self._encoding.width + metrics)

    def act(self, rows: Rows, actions: NDArray[np.integer]) -> Flags:
        _check_range(actions, len(self._value))
        self.designs[rows, self._column[actions]] = self._value[actions]
        self.steps[rows] += 1
        return np.ones(len(rows), dtype=np.bool_)

    def observe(self, metrics: View) -> View:
        return np.concatenate([self._encoding.encode(self.designs), metrics], axis=1)

    def masks(self) -> NDArray[np.int8]:
        return np.asarray(self.designs[:, self._column] != self._value, dtype=np.int8)


def make_formulation(name: str, space: DesignSpace, n: int, metrics: int, horizon: int | None) -> Formulation:
    """Build a formulation for n episodes; `metrics` is the width of the view of a scored design.

    Raises:
        UnknownName: for a name that is not one of the three.
        InvalidInput: for a horizon that makes no sense.
    """
    if name not in FORMULATIONS:
        raise UnknownName("formulation", name, FORMULATIONS)
    if horizon is not None and not (type(horizon) is int and horizon >= 1):
        raise InvalidInput(f"horizon must be a whole number of at least 1, got {horizon!r}")
    if name == "sequential":
        if horizon not in {None, len(space)}:
            raise InvalidInput(f"a sequential episode has one step a parameter ({len(space)}); leave horizon out")
        return _Sequential(space, n, len(space), metrics)
    if name == "local":
        return _Local(space, n, horizon or 2 * len(space), metrics)  # enough to change every parameter twice
    return _Design(space, n, horizon or 1, metrics)


def _box(width: int, low: float = -1.0) -> spaces.Box:
    return spaces.Box(low, 1.0, shape=(width,), dtype=np.float32)


def _check_range(actions: NDArray[np.integer], count: int) -> None:
    bad = (actions < 0) | (actions >= count)
    if bad.any():
        raise InvalidInput(f"action {int(actions[bad][0])} is out of range; allowed: 0 to {count - 1}")
