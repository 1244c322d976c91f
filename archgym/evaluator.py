"""Between a search and its simulator: collapse what cannot differ, answer repeats, simulate the rest in one call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias, final

import numpy as np

from archgym.core import FAILED, Designs, Evaluations, Simulator
from archgym.errors import ArchGymError

Row: TypeAlias = "tuple[tuple[float, ...], str, str]"  # metric values, status, reason

__all__ = ["Cache", "Evaluator", "MemoryCache", "Row"]


class Cache(Protocol):
    """What was evaluated already, by canonical design (the bytes of its int32 row)."""

    def get(self, keys: Sequence[bytes]) -> list[Row | None]:
        """The stored row of each key, or None."""

    def put(self, keys: Sequence[bytes], rows: Sequence[Row]) -> None:
        """Store rows; when this returns they are kept."""


@final
class MemoryCache:
    """A cache that lives as long as the process."""

    def __init__(self) -> None:
        """Start empty."""
        self._rows: dict[bytes, Row] = {}

    def get(self, keys: Sequence[bytes]) -> list[Row | None]:
        """The stored row of each key, or None."""
        return [self._rows.get(key) for key in keys]

    def put(self, keys: Sequence[bytes], rows: Sequence[Row]) -> None:
        """Store rows."""
        self._rows.update(zip(keys, rows, strict=True))


@final
class Evaluator:
    """Scores designs of one simulator on one workload, each distinct design once.

    Attributes:
        requested: designs asked for.
        simulated: distinct designs the simulator was given (those that break a constraint never reach it).
        cache_hits: distinct designs per call that were answered without simulating.
    """

    def __init__(self, simulator: Simulator, workload: str, cache: Cache | None = None) -> None:
        """Join a simulator, a workload and a cache (a fresh one in memory by default)."""
        self.simulator = simulator
        self.workload = workload
        self.cache: Cache = MemoryCache() if cache is None else cache
        self.requested = self.simulated = self.cache_hits = 0

    def keys(self, designs: Designs) -> list[bytes]:
        """The cache key of each design: its canonical representative's bytes."""
        canonical = self.simulator.space.validate(self.simulator.canonical(self.simulator.space.validate(designs)))
        return [row.astype("<i4").tobytes() for row in canonical]

    def evaluate(self, designs: Designs, keys: Sequence[bytes] | None = None) -> tuple[Evaluations, list[bytes]]:
        """Score int32[n, d]; return the evaluations, row for row, and the canonical key of each row.

        `keys` are what `keys(designs)` gave, where the caller has them already.

        A simulator that raises, or that returns NaN or infinity in a row it calls "ok", does not stop the search:
        those designs get the status "failed" with the reason.

        Raises:
            ArchGymError: what the framework itself refuses (an unknown workload, designs outside the space).
        """
        keys = self.keys(designs) if keys is None else list(keys)
        distinct = list(dict.fromkeys(keys))
        known = dict(zip(distinct, self.cache.get(distinct), strict=True))
        missing = [key for key in distinct if known[key] is None]
        if missing:
            fresh = self._simulate(np.array([np.frombuffer(key, dtype="<i4") for key in missing], dtype=np.int32))
            rows = [(tuple(map(float, v)), str(s), r) for v, s, r in zip(*_parts(fresh), strict=True)]
            self.cache.put(missing, rows)
            known.update(zip(missing, rows, strict=True))
        self.requested += len(keys)
        self.cache_hits += len(distinct) - len(missing)
        found = [row for key in keys if (row := known[key]) is not None]
        values, status, reasons = zip(*found, strict=True)
        table = np.array(values, dtype=np.float64).reshape(len(keys), len(self.simulator.metrics))
        return Evaluations.of(self.simulator.metrics, table, status, reasons), keys

    def _simulate(self, designs: Designs) -> Evaluations:
        """One simulator call; what it raises or leaves undefined becomes a status with a reason."""
        metrics, space = self.simulator.metrics, self.simulator.space
        allowed = space.feasible(designs)
        parts = Evaluations.unscored(metrics, len(designs), "infeasible", "")
        values, status, reasons = parts.values, parts.status, list(parts.reasons)
        for row in np.flatnonzero(~allowed):
            reasons[row] = "; ".join(space.violations(designs[row]))
        rows = np.flatnonzero(allowed)
        self.simulated += len(rows)
        if len(rows):
            scored = _checked(self._call(designs[rows]), len(rows))
            values[rows], status[rows] = scored.values, scored.status
            for row, reason in zip(rows, scored.reasons, strict=True):
                reasons[row] = reason
        return Evaluations.of(metrics, values, status, reasons)

    def _call(self, designs: Designs) -> Evaluations:
        try:
            return self.simulator.simulate(designs, self.workload)
        except ArchGymError:
            raise
        except Exception as error:  # noqa: BLE001 - a simulator may raise anything; the design fails, not the search
            if len(designs) > 1:  # one bad design must not condemn its batch
                return Evaluations.concatenate([self._call(designs[i : i + 1]) for i in range(len(designs))])
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            return Evaluations.unscored(self.simulator.metrics, 1, FAILED, reason)


def _parts(evaluations: Evaluations) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    return evaluations.values, evaluations.status, evaluations.reasons


def _checked(evaluations: Evaluations, expected: int) -> Evaluations:
    """Turn "ok" rows that are not finite into failures that name the metric."""
    if len(evaluations) != expected:
        return Evaluations.unscored(
            evaluations.metrics, expected, FAILED, f"simulator returned {len(evaluations)} rows for {expected} designs"
        )
    broken = evaluations.ok & ~np.isfinite(evaluations.values).all(axis=1)
    if not broken.any():
        return evaluations
    status, reasons = evaluations.status.copy(), list(evaluations.reasons)
    for row in np.flatnonzero(broken):
        column = int(np.flatnonzero(~np.isfinite(evaluations.values[row]))[0])
        reasons[row] = f"simulator returned {evaluations.values[row, column]} for {evaluations.metrics[column].name}"
    status[broken] = FAILED
    return Evaluations.of(evaluations.metrics, evaluations.values, status, reasons)
