"""Conservation checks on every stored row: what must hold between metrics, whatever the simulator.

They read the units from the metrics' names, as everything here does: a picojoule per nanosecond is a milliwatt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from archgym.core import Evaluations, Floats

__all__ = ["Check", "Checks"]

_TOLERANCE = 1e-6  # relative; sums of some twenty doubles round many orders below


@final
@dataclass(frozen=True)
class Check:
    """One rule, on how many rows it was tried and how many broke it."""

    rule: str
    rows: int
    broken: int


@final
class Checks:
    """Collects rows and counts which rules they break."""

    def __init__(self) -> None:
        """Nothing seen yet."""
        self._counts: dict[str, list[int]] = {}

    def see(self, evaluations: Evaluations) -> None:
        """Check every scored row."""
        scored = evaluations.values[evaluations.ok]
        if not len(scored):
            return
        names = [metric.name for metric in evaluations.metrics]
        columns = {name: scored[:, position] for position, name in enumerate(names)}
        self._note("every metric is a finite number", np.asarray(np.isfinite(scored).all(axis=1)))
        for name, column in columns.items():
            if name.rsplit("_", 1)[-1] in {"ns", "pj", "mw", "gbps", "um2"}:
                self._note("times, energies, powers, bandwidths and areas are not negative", column >= 0)
        self._energy(columns)
        self._order(columns)

    def _energy(self, columns: dict[str, Floats]) -> None:
        if {"energy_pj", "power_mw", "time_ns"} <= columns.keys():
            product = columns["power_mw"] * columns["time_ns"]
            self._note("energy = average power × time", _close(columns["energy_pj"], product))
        parts = [column for name, column in columns.items() if name.startswith("energy_") and name.endswith("_pj")]
        parts = [part for part in parts if part is not columns.get("energy_pj")]
        if "energy_pj" in columns and len(parts) > 1:
            self._note("energy = sum of its components", _close(columns["energy_pj"], np.sum(parts, axis=0)))

    def _order(self, columns: dict[str, Floats]) -> None:
        ladder = [f"latency_{step}_ns" for step in ("p50", "p95", "p99", "max")]
        if set(ladder) <= columns.keys():
            table = np.stack([columns[name] for name in ladder])
            self._note("latency p50 ≤ p95 ≤ p99 ≤ max", np.asarray((np.diff(table, axis=0) >= 0).all(axis=0)))

    def _note(self, rule: str, holds: NDArray[np.bool_]) -> None:
        # `rows` counts rows × columns for a rule that looks at several columns one by one.
        counted = self._counts.setdefault(rule, [0, 0])
        counted[0] += len(holds)
        counted[1] += int(np.sum(~holds))

    @property
    def results(self) -> list[Check]:
        """Every rule that could be tried."""
        return [Check(rule, rows, broken) for rule, (rows, broken) in self._counts.items()]


def _close(a: Floats, b: Floats) -> NDArray[np.bool_]:
    return np.asarray(np.isclose(a, b, rtol=_TOLERANCE, atol=0.0))
