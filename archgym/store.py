"""Reading a run: `open_run(path)` gives its experiment, its provenance, its trials and every design they evaluated."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np

from archgym.core import Evaluations, Metric, Simulator
from archgym.errors import StoreError
from archgym.named import NAMED
from archgym.space import DesignSpace, Parameter
from archgym.store_schema import RUN_FILE, Codec, connect, guarded, read_meta

if TYPE_CHECKING:
    from archgym.objectives import Objective
    from archgym.result import History

__all__ = ["Run", "Source", "StoredRow", "TrialRecord", "open_run"]

_TRIALS = """
SELECT id, source, environment, options, fix, workload, objective, spec, agent, hyper, seed, budget, batch, timeout_s,
    state, reason, best, requested, distinct_designs AS "distinct", simulated, wall_s, agent_s, simulate_s
FROM trials
"""


@final
@dataclass(frozen=True)
class Source:
    """Where stored numbers came from; rows are shared only within one source."""

    id: int
    simulator: str
    version: str
    options: Mapping[str, Any]
    space_fingerprint: str
    parameters: tuple[Parameter, ...]
    metrics: tuple[Metric, ...]
    workload: str
    workload_fingerprint: str

    @property
    def codec(self) -> Codec:
        """How this source's designs are packed."""
        return Codec(max(len(parameter.choices) for parameter in self.parameters))

    @property
    def space(self) -> DesignSpace:
        """The parameters as a space, without the constraints (functions are not stored): to decode designs."""
        return DesignSpace(self.parameters)


@final
@dataclass(frozen=True)
class StoredRow:
    """One evaluation, packed as it is stored, and the first place in a trial's history that refers to it."""

    source: int
    key: bytes
    metrics: bytes
    status: str
    trial: int
    step: int


@final
@dataclass(frozen=True)
class TrialRecord:
    """One search of a run: what it was asked to do, how far it is, what it cost.

    `requested` designs were proposed, `distinct` charged to the budget, `simulated` run by the simulator on behalf of
    this trial, the other distinct ones (`cache_hits`) answered from what was stored. `best` is the scalar cost.
    """

    id: int
    environment: str
    options: Mapping[str, Any]
    fix: Mapping[str, Any]
    workload: str
    objective: str
    spec: Any
    agent: str
    hyper: Mapping[str, Any]
    seed: int
    budget: int
    batch: int
    timeout_s: float | None
    state: str
    requested: int
    cache_hits: int
    simulated: int
    distinct: int
    wall_s: float
    agent_s: float
    simulate_s: float
    reason: str = ""
    best: float | None = None
    source: int = field(default=0, repr=False)

    @property
    def named(self) -> bool:
        """Whether this is no search but one design that the experiment names."""
        return self.agent == NAMED

    @property
    def label(self) -> str:
        """The agent with its non-default hyper-parameters, `ga` or `ga(population=20)`; of a named design its name."""
        if self.named:
            return str(self.hyper["label"])
        given = ", ".join(f"{key}={value}" for key, value in self.hyper.items())
        return f"{self.agent}({given})" if given else self.agent


@final
class Run:
    """A run directory opened for reading; safe while the run goes on."""

    def __init__(self, path: Path, connection: sqlite3.Connection, meta: Mapping[str, str]) -> None:
        """Use `open_run`."""
        self.path = path
        self.experiment: dict[str, Any] = json.loads(meta.get("experiment", "{}"))
        self.provenance: dict[str, Any] = json.loads(meta.get("provenance", "{}"))
        self._connection = connection
        self._sources: dict[int, Source] = {}
        self._file = path / RUN_FILE

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    @property
    def trials(self) -> list[TrialRecord]:
        """Every trial, in the order of the experiment."""
        with guarded(self._file):
            cursor = self._connection.execute(_TRIALS + "ORDER BY id")
            names = [column[0] for column in cursor.description]
            return [_record(dict(zip(names, row))) for row in cursor]

    @property
    def sources(self) -> dict[int, Source]:
        """Every source by id."""
        with guarded(self._file):
            rows = self._connection.execute(
                "SELECT id, simulator, version, options, space_fingerprint, space, metrics, workload,"
                " workload_fingerprint FROM sources"
            ).fetchall()
        return {row[0]: _source(row) for row in rows}

    def trial(self, trial_id: int) -> TrialRecord:
        """One trial by id.

        Raises:
            StoreError: when there is none.
        """
        with guarded(self._file):
            cursor = self._connection.execute(_TRIALS + "WHERE id = ?", (int(trial_id),))
            names = [column[0] for column in cursor.description]
            row = cursor.fetchone()
        if row is None:
            raise StoreError(f"{self.path}: no trial {trial_id}; trials are numbered 0 to {len(self.trials) - 1}")
        return _record(dict(zip(names, row)))

    def source(self, trial: TrialRecord) -> Source:
        """Where a trial's numbers come from."""
        if trial.source not in self._sources:
            self._sources = self.sources
        return self._sources[trial.source]

    def history(self, trial_id: int) -> History:
        """The distinct designs of one trial in the order they were charged, with metrics and costs."""
        from archgym.result import History

        record = self.trial(trial_id)
        source, goal = self.source(record), self.objective(record)
        with guarded(self._file):
            rows = self._connection.execute(
                "SELECT COALESCE(h.design, h.key), e.metrics, e.status, e.reason FROM history h"
                " JOIN evaluations e ON e.source = ? AND e.key = h.key WHERE h.trial = ? ORDER BY h.step",
                (record.source, trial_id),
            ).fetchall()
        codec, width = source.codec, len(source.metrics)
        designs = np.frombuffer(b"".join(row[0] for row in rows), dtype=codec.dtype).astype(np.int32)
        values = np.frombuffer(b"".join(row[1] for row in rows), dtype="<f8").reshape(-1, width)
        evaluations = (
            Evaluations.of(
                source.metrics, values.astype(np.float64), [row[2] for row in rows], [row[3] for row in rows]
            )
            if rows
            else Evaluations.unscored(source.metrics, 0, "ok", "")
        )
        costs = goal.costs(evaluations)
        return History(designs.reshape(-1, len(source.parameters)), evaluations, costs, goal.scalar(costs))

    def history_length(self, trial_id: int) -> int:
        """How many designs a trial's history holds together with their evaluations."""
        with guarded(self._file):
            row = self._connection.execute(
                "SELECT COUNT(*) FROM history h JOIN trials t ON t.id = h.trial"
                " JOIN evaluations e ON e.source = t.source AND e.key = h.key WHERE h.trial = ?",
                (trial_id,),
            ).fetchone()
        return int(row[0])

    def stored_rows(self) -> list[StoredRow]:
        """Every evaluation some trial was charged for, once, with the first place that refers to it."""
        with guarded(self._file):
            rows = self._connection.execute(
                "SELECT t.source, h.key, e.metrics, e.status, MIN(h.trial), h.step FROM history h"
                " JOIN trials t ON t.id = h.trial JOIN evaluations e ON e.source = t.source AND e.key = h.key"
                " GROUP BY t.source, h.key ORDER BY t.source, MIN(h.trial), h.step"
            ).fetchall()
        return [StoredRow(*row) for row in rows]

    def simulator(self, trial: TrialRecord) -> Simulator:
        """The trial's simulator, built anew from the catalog."""
        from archgym.restrict import build_simulator

        return build_simulator(trial.environment, trial.options, trial.fix)

    def objective(self, trial: TrialRecord) -> Objective:
        """The trial's objective."""
        from archgym.objectives import objective

        return objective(trial.spec)


def open_run(path: str | Path) -> Run:
    """Open a run directory (or its `run.sqlite`) for reading.

    Raises:
        StoreError: when it is not a run directory, or was written by another version.
    """
    directory = Path(path)
    directory = directory.parent if directory.name == RUN_FILE else directory
    if not (directory / RUN_FILE).is_file():
        raise StoreError(
            f"{directory}: not a run directory (no {RUN_FILE}); make one with: archgym run EXPERIMENT.yaml"
        )
    connection = connect(directory / RUN_FILE)
    try:
        return Run(directory, connection, read_meta(connection, directory / RUN_FILE))
    except BaseException:
        connection.close()
        raise


def _record(row: dict[str, Any]) -> TrialRecord:
    for name in ("options", "fix", "spec", "hyper"):
        row[name] = json.loads(row[name])
    return TrialRecord(cache_hits=max(0, row["distinct"] - row["simulated"]), **row)


def _source(row: tuple[Any, ...]) -> Source:
    source_id, simulator, version, options, fingerprint, space, metrics, workload, workload_fingerprint = row
    parameters = tuple(Parameter(**{**each, "choices": tuple(each["choices"])}) for each in json.loads(space))
    return Source(
        id=source_id,
        simulator=simulator,
        version=version,
        options=json.loads(options),
        space_fingerprint=fingerprint,
        parameters=parameters,
        metrics=tuple(Metric(**each) for each in json.loads(metrics)),
        workload=workload,
        workload_fingerprint=workload_fingerprint,
    )
