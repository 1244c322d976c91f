"""A simulator with part of its space: some parameters fixed, others limited to a few of their choices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, final

import numpy as np

from archgym.core import Designs, Evaluations, Simulator
from archgym.errors import InvalidInput
from archgym.space import DesignSpace

__all__ = ["Restricted", "build_simulator", "simulator_name"]


@final
class Restricted(Simulator):
    """Wraps a simulator; every design of the smaller space is the same design of the whole one, same numbers."""

    def __init__(self, inner: Simulator, fix: Mapping[str, Any]) -> None:
        """Keep only the given value, or list of values, of each named parameter.

        Raises:
            UnknownName: for an unknown parameter or value.
            InvalidInput: for an empty list.
        """
        self.inner = inner
        kept = [self._kept(inner.space, name, value) for name, value in self._ordered(inner.space, fix).items()]
        self._tables = [np.array(columns, dtype=np.int32) for columns in kept]
        self.name, self.version, self.metrics = inner.name, inner.version, inner.metrics
        self.workloads, self.options = inner.workloads, inner.options
        self.space = DesignSpace(
            [
                replace(p, choices=choices, kind="categorical" if p.kind == "boolean" and len(choices) < 2 else p.kind)
                for p, columns in zip(inner.space.parameters, kept, strict=True)
                for choices in [tuple(p.choices[index] for index in columns)]
            ],
            inner.space.constraints,
            self._canonical,
        )

    @staticmethod
    def _ordered(space: DesignSpace, fix: Mapping[str, Any]) -> dict[str, Any]:
        for name in fix:
            space.position(name)
        return {name: fix.get(name) for name in space.names}

    @staticmethod
    def _kept(space: DesignSpace, name: str, value: Any) -> list[int]:
        parameter = space[name]
        if value is None:
            return list(range(len(parameter.choices)))
        values = value if isinstance(value, list) else [value]
        if not values:
            raise InvalidInput(f"fix.{name}: an empty list leaves no choice; give one value or more")
        return sorted({parameter.index(each) for each in values})

    def _widen(self, designs: Designs) -> Designs:
        rows = self.space.validate(designs)
        return np.stack([table[rows[:, i]] for i, table in enumerate(self._tables)], axis=1)

    def simulate(self, designs: Designs, workload: str) -> Evaluations:
        """Score the same designs in the whole space."""
        return self.inner.simulate(self._widen(designs), workload)

    def _canonical(self, designs: Designs) -> Designs:
        """The whole space's representative where the smaller space holds it; otherwise the design itself."""
        whole = self.inner.canonical(self._widen(designs))
        position = np.stack([np.searchsorted(t, whole[:, i]) for i, t in enumerate(self._tables)], axis=1)
        mapped: Designs = np.minimum(position, self.space.cardinalities - 1).astype(np.int32)
        inside = (self._widen(mapped) == whole).all(axis=1)
        return np.where(inside[:, None], mapped, self.space.validate(designs)).astype(np.int32)

    def workload_fingerprint(self, workload: str) -> str:
        """The wrapped simulator's."""
        return self.inner.workload_fingerprint(workload)


def simulator_name(environment: str) -> str:
    """The simulator behind a Gymnasium id; any other name as it is."""
    from archgym import catalog

    return catalog.environments().get(environment, environment)


def build_simulator(environment: str, options: Mapping[str, Any], fix: Mapping[str, Any] | None = None) -> Simulator:
    """A simulator from the catalog, by name or Gymnasium id, restricted where `fix` says so."""
    from archgym import catalog

    inner = catalog.simulator(simulator_name(environment), **options)
    return Restricted(inner, fix) if fix else inner
