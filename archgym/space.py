"""A design space: an ordered tuple of parameters; a design is a vector of choice *indices*.

n designs are `int32[n, d]`, one row a design, one column a parameter. Every agent and every simulator uses this one
representation, so no agent searches a different space than another (the predecessor's three DRAM spaces did).
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from archgym.errors import InvalidInput, UnknownName

if TYPE_CHECKING:
    import gymnasium
    import optuna

Designs: TypeAlias = NDArray[np.int32]
Choice: TypeAlias = "str | int | float | bool"
Columns: TypeAlias = Mapping[str, NDArray[Any]]

__all__ = ["Choice", "Columns", "Constraint", "DesignSpace", "Designs", "Parameter"]

_REJECTION_ROUNDS = 1000  # sampling gives up after this many rounds without a single feasible design


@final
@dataclass(frozen=True)
class Parameter:
    """One knob: `choices` in order; "ordinal" means the order carries meaning (numbers, ascending)."""

    name: str
    choices: tuple[Choice, ...]
    kind: Literal["categorical", "ordinal", "boolean"] = "categorical"
    unit: str = ""
    group: str = ""
    doc: str = ""

    def __post_init__(self) -> None:
        """Refuse empty or repeated choices, and ordinals that do not ascend."""
        object.__setattr__(self, "choices", tuple(self.choices))
        keys = [(type(choice) is bool, choice) for choice in self.choices]
        if not keys or len(set(keys)) != len(keys):
            raise InvalidInput(f"parameter {self.name!r}: choices must be non-empty and distinct, got {self.choices}")
        if self.kind == "ordinal":
            numbers = [c for c in self.choices if isinstance(c, (int, float)) and not isinstance(c, bool)]
            if len(numbers) != len(keys) or any(a >= b for a, b in itertools.pairwise(numbers)):
                raise InvalidInput(f"parameter {self.name!r}: ordinal choices must be ascending numbers")
        if self.kind == "boolean" and self.choices != (False, True):
            raise InvalidInput(f"parameter {self.name!r}: boolean choices must be (False, True), got {self.choices}")

    def index(self, choice: Choice) -> int:
        """Position of a choice.

        Raises:
            UnknownName: when it is not one of the choices; suggests the nearest.
        """
        for position, own in enumerate(self.choices):
            if own == choice and isinstance(own, bool) == isinstance(choice, (bool, np.bool_)):
                return position
        raise UnknownName(f"value of {self.name}", str(choice), [str(c) for c in self.choices])


@final
@dataclass(frozen=True)
class Constraint:
    """A rule over decoded columns: `test` maps {name: array[n]} to bool[n], True where the design is allowed."""

    message: str
    test: Callable[[Columns], NDArray[np.bool_]]


@final
class DesignSpace:
    """The choices an architect has. Immutable."""

    def __init__(
        self,
        parameters: Sequence[Parameter],
        constraints: Sequence[Constraint] = (),
        canonical: Callable[[Designs], Designs] | None = None,
    ) -> None:
        """Build from parameters (at least one, distinct names), constraints and known equivalences.

        Args:
            parameters: in order; a design is one choice index of each.
            constraints: rules a design must meet.
            canonical: maps int32[n, d] to int32[n, d], designs that cannot differ to one representative.

        Raises:
            InvalidInput: when there is no parameter or a name appears twice.
        """
        self.parameters = tuple(parameters)
        self.constraints = tuple(constraints)
        self._canonical = canonical
        self.names = tuple(parameter.name for parameter in self.parameters)
        if not self.names or len(set(self.names)) != len(self.names):
            raise InvalidInput(f"a space needs parameters with distinct names, got {self.names}")
        self.cardinalities: Designs = np.array([len(p.choices) for p in self.parameters], dtype=np.int32)
        self.size: int = math.prod(len(p.choices) for p in self.parameters)
        self._tables = tuple(np.array(p.choices) for p in self.parameters)
        # Mixed radix, last parameter fastest. Python integers: exact beyond 2^63.
        self._radix = [math.prod(len(p.choices) for p in self.parameters[i + 1 :]) for i in range(len(self.parameters))]

    def __len__(self) -> int:
        """How many parameters (d)."""
        return len(self.parameters)

    def __repr__(self) -> str:
        """Name the parameters and the size."""
        return f"DesignSpace({', '.join(self.names)}; size={self.size:,})"

    def __getitem__(self, name: str) -> Parameter:
        """A parameter by name.

        Raises:
            UnknownName: when there is none.
        """
        return self.parameters[self.position(name)]

    def position(self, name: str) -> int:
        """Column of a parameter.

        Raises:
            UnknownName: when there is none.
        """
        try:
            return self.names.index(name)
        except ValueError:
            raise UnknownName("parameter", name, self.names) from None

    @property
    def groups(self) -> dict[str, tuple[int, ...]]:
        """Columns by group, in order of first appearance: the subsystems, and the roles of a multi-agent search."""
        found: dict[str, list[int]] = {}
        for column, parameter in enumerate(self.parameters):
            found.setdefault(parameter.group, []).append(column)
        return {group: tuple(columns) for group, columns in found.items()}

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that change when a name, a choice, a kind, an order or a constraint changes."""
        shape = [[p.name, [repr(c) for c in p.choices], p.kind] for p in self.parameters]
        text = json.dumps([shape, [c.message for c in self.constraints]])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    # -- checking ---------------------------------------------------------------------------------------------------

    def validate(self, designs: Any) -> Designs:
        """Return `designs` as int32[n, d].

        Raises:
            InvalidInput: for a wrong shape, a non-integer type or an index out of range (says which).
        """
        array = np.atleast_2d(np.asarray(designs))
        if array.ndim != 2 or array.shape[1] != len(self) or not np.issubdtype(array.dtype, np.integer):
            raise InvalidInput(
                f"designs must be integers of shape [n, {len(self)}], got {array.dtype} of shape {np.shape(designs)}"
            )
        bad = (array < 0) | (array >= self.cardinalities)
        if bad.any():
            row, column = np.argwhere(bad)[0]
            raise InvalidInput(
                f"design {row}: index {array[row, column]} of {self.names[column]} is out of range; "
                f"allowed: 0 to {self.cardinalities[column] - 1}"
            )
        return np.ascontiguousarray(array, dtype=np.int32)

    def feasible(self, designs: Designs) -> NDArray[np.bool_]:
        """Which designs meet every constraint, bool[n]."""
        allowed = np.ones(len(designs), dtype=np.bool_)
        if self.constraints:
            columns = self.columns(designs)
            for constraint in self.constraints:
                allowed &= np.asarray(constraint.test(columns), dtype=np.bool_)
        return allowed

    def violations(self, design: Designs) -> tuple[str, ...]:
        """Messages of the constraints one design breaks."""
        columns = self.columns(np.atleast_2d(design))
        return tuple(c.message for c in self.constraints if not bool(np.all(c.test(columns))))

    def canonical(self, designs: Designs) -> Designs:
        """One representative of all designs that are known not to differ, int32[n, d]; by default the design itself."""
        return designs if self._canonical is None else self._canonical(designs)

    # -- making designs ---------------------------------------------------------------------------------------------

    def sample(self, n: int, rng: np.random.Generator) -> Designs:
        """n feasible designs, uniform and independent, int32[n, d].

        Raises:
            InvalidInput: when no feasible design is found (the constraints may contradict each other).
        """
        parts: list[Designs] = []
        found, rounds = 0, 0
        while found < n:
            batch = rng.integers(self.cardinalities, size=(max(n, 64), len(self)), dtype=np.int32)
            batch = batch[self.feasible(batch)]
            parts.append(batch)
            found += len(batch)
            rounds += 1
            if found == 0 and rounds == _REJECTION_ROUNDS:
                rules = "; ".join(c.message for c in self.constraints)
                raise InvalidInput(f"no feasible design among {rounds * max(n, 64):,} samples; constraints: {rules}")
        return np.concatenate(parts)[:n] if parts else np.empty((0, len(self)), dtype=np.int32)

    def enumerate(self, chunk: int = 65_536, start: int = 0) -> Iterator[Designs]:
        """Every feasible design once, by flat index from `start`, in chunks of at most `chunk` rows."""
        for low in range(start, self.size, chunk):
            designs = self.from_index(range(low, min(low + chunk, self.size)))
            kept = designs[self.feasible(designs)]
            if len(kept):
                yield kept

    def neighbours(self, design: Designs) -> Designs:
        """Every feasible design that differs in exactly one parameter, int32[m, d]."""
        base = np.asarray(design, dtype=np.int32)
        rows = [
            np.concatenate([base[:column], np.array([value], dtype=np.int32), base[column + 1 :]])
            for column, count in enumerate(self.cardinalities)
            for value in range(count)
            if value != base[column]
        ]
        found = np.array(rows, dtype=np.int32).reshape(-1, len(self))
        return found[self.feasible(found)]

    # -- conversions ------------------------------------------------------------------------------------------------

    def to_index(self, designs: Designs) -> list[int]:
        """Flat index of each design: mixed radix, last parameter fastest, exact for any size."""
        return [sum(int(v) * r for v, r in zip(row, self._radix, strict=True)) for row in np.atleast_2d(designs)]

    def from_index(self, indices: Sequence[int] | range) -> Designs:
        """Designs with the given flat indices, int32[n, d].

        Raises:
            InvalidInput: for an index outside 0 to size - 1.
        """
        for index in (min(indices, default=0), max(indices, default=0)):
            if not 0 <= index < self.size:
                raise InvalidInput(f"flat index {index} is out of range; allowed: 0 to {self.size - 1}")
        fits = self.size <= np.iinfo(np.int64).max
        rest = np.asarray(indices, dtype=np.int64) if fits else np.array(list(indices), dtype=object)
        columns = [(rest // radix) % int(count) for radix, count in zip(self._radix, self.cardinalities, strict=True)]
        return np.stack(columns, axis=-1).astype(np.int32).reshape(-1, len(self))

    def columns(self, designs: Designs) -> dict[str, NDArray[Any]]:
        """Decoded values by parameter, {name: array[n]}: what vectorised constraints and closed-form models read."""
        rows = np.atleast_2d(designs)
        return {name: table[rows[:, i]] for i, (name, table) in enumerate(zip(self.names, self._tables, strict=True))}

    def decode(self, designs: Designs) -> Any:
        """Plain dictionaries {name: choice}: a list for int32[n, d], one for int32[d]."""
        rows = np.asarray(designs)
        if rows.ndim == 1:
            return {p.name: p.choices[int(v)] for p, v in zip(self.parameters, rows, strict=True)}
        return [self.decode(row) for row in rows]

    def encode(self, designs: Mapping[str, Choice] | Sequence[Mapping[str, Choice]]) -> Designs:
        """Inverse of `decode`: int32[d] for one dictionary, int32[n, d] for a list.

        Raises:
            UnknownName: for an unknown parameter or value; suggests the nearest.
            InvalidInput: when a parameter is missing.
        """
        if not isinstance(designs, Mapping):
            return np.array([self.encode(each) for each in designs], dtype=np.int32).reshape(-1, len(self))
        for name in designs:
            self.position(name)
        missing = [name for name in self.names if name not in designs]
        if missing:
            raise InvalidInput(f"design lacks {', '.join(missing)}; give every one of: {', '.join(self.names)}")
        return np.array([p.index(designs[p.name]) for p in self.parameters], dtype=np.int32)

    def to_gymnasium(self) -> gymnasium.spaces.MultiDiscrete:
        """The space as Gymnasium's MultiDiscrete of the cardinalities."""
        from gymnasium.spaces import MultiDiscrete

        return MultiDiscrete(self.cardinalities.astype(np.int64))

    def to_optuna(self) -> dict[str, optuna.distributions.BaseDistribution]:
        """Optuna distributions over choice *indices*: integers where the order means something, else categories."""
        from optuna.distributions import CategoricalDistribution, IntDistribution

        return {
            p.name: IntDistribution(0, len(p.choices) - 1)
            if p.kind == "ordinal"
            else CategoricalDistribution(tuple(range(len(p.choices))))
            for p in self.parameters
        }
