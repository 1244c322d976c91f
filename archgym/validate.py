"""Can a run be believed? Its rows are scored again by a fresh simulator and compared bit for bit."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from archgym.core import TIMEOUT, Floats, Simulator
from archgym.errors import StoreError
from archgym.evaluator import Evaluator
from archgym.store import Run, Source, StoredRow, open_run

__all__ = ["Mismatch", "Verdict", "validate_run"]

_BATCH = 256


@final
@dataclass(frozen=True)
class Mismatch:
    """A stored row that a fresh simulator does not reproduce."""

    trial: int
    step: int
    workload: str
    design: dict[str, object]
    detail: str

    def __str__(self) -> str:
        """One line that names the row."""
        values = ", ".join(f"{name}={value}" for name, value in self.design.items())
        return f"trial {self.trial}, step {self.step}, workload {self.workload}: {self.detail}; design: {values}"


@final
@dataclass(frozen=True)
class Verdict:
    """What a validation found: of `stored` rows `checked` were scored again; time-outs cannot be and are `skipped`."""

    stored: int
    checked: int
    skipped: int
    mismatches: tuple[Mismatch, ...]


def validate_run(path: Path, sample: int | None = None, seed: int = 0) -> Verdict:
    """Score stored rows again: all of them, or a random sample of this size.

    Raises:
        StoreError: when the path holds no run, its records contradict each other, or its simulator has changed.
    """
    with closing(open_run(path)) as run:
        _check_records(run)
        rows = run.stored_rows()
        chosen = list(range(len(rows)))
        if sample is not None and sample < len(rows):
            chosen = sorted(np.random.default_rng(seed).choice(len(rows), size=sample, replace=False).tolist())
        mismatches: list[Mismatch] = []
        skipped = 0
        for source in run.sources.values():
            mine = [rows[index] for index in chosen if rows[index].source == source.id]
            comparable = [row for row in mine if row.status != TIMEOUT]
            skipped += len(mine) - len(comparable)
            if comparable:
                mismatches += _check_source(run, source, comparable)
        return Verdict(len(rows), len(chosen) - skipped, skipped, tuple(mismatches))


def _check_records(run: Run) -> None:
    for trial in run.trials:
        length = run.history_length(trial.id)
        if length != trial.distinct:
            raise StoreError(f"{run.path}: trial {trial.id} was charged {trial.distinct} designs but holds {length}")


def _check_source(run: Run, source: Source, rows: Sequence[StoredRow]) -> list[Mismatch]:
    simulator = run.simulator(run.trial(rows[0].trial))
    _refuse_other(run, source, simulator)
    evaluator = Evaluator(simulator, source.workload)
    found: list[Mismatch] = []
    for start in range(0, len(rows), _BATCH):
        batch = rows[start : start + _BATCH]
        designs = np.stack([source.codec.unpack(row.key) for row in batch])
        fresh, _ = evaluator.evaluate(designs)
        for position, row in enumerate(batch):
            detail = _difference(source, row, fresh.values[position], str(fresh.status[position]))
            if detail:
                design = simulator.space.decode(designs[position])
                found.append(Mismatch(row.trial, row.step, source.workload, design, detail))
    return found


def _refuse_other(run: Run, source: Source, simulator: Simulator) -> None:
    there = (source.version, source.space_fingerprint, source.workload_fingerprint)
    here = (simulator.version, simulator.space.fingerprint, simulator.workload_fingerprint(source.workload))
    if there != here:
        raise StoreError(
            f"{run.path}: was written with simulator {source.simulator!r} version, space and workload {there}, "
            f"installed is {here}; install the version that wrote it to validate"
        )


def _difference(source: Source, row: StoredRow, values: Floats, status: str) -> str:
    if row.status != status:
        return f"status was {row.status!r}, is {status!r}"
    for metric, before, now in zip(source.metrics, np.frombuffer(row.metrics, dtype="<f8"), values, strict=True):
        if before.tobytes() != now.tobytes() and not (np.isnan(before) and np.isnan(now)):
            return f"{metric.name} was {float(before)!r}, is {float(now)!r}"
    return ""
