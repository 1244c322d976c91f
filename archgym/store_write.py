"""Writing a run: sources and trials when it starts, every evaluation before the agent hears of it."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any, final

import numpy as np

from archgym.core import TIMEOUT, Designs, Evaluations, Floats, Simulator
from archgym.errors import InvalidInput, StoreError
from archgym.evaluator import Row
from archgym.result import Counts
from archgym.store import TrialRecord
from archgym.store_schema import RUN_FILE, Codec, connect, create_tables, guarded, transaction

__all__ = ["RowCache", "TrialWriter", "canonical_json", "create_run", "set_state", "source_id", "telling_options"]

_NEUTRAL_OPTIONS = frozenset({"threads"})  # change how fast a simulator runs, never a number it returns


def canonical_json(value: Any) -> str:
    """One text for equal values, whatever the order of their keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def telling_options(simulator: Simulator) -> str:
    """The options that a simulator's numbers depend on, as one text."""
    return canonical_json({key: value for key, value in simulator.options.items() if key not in _NEUTRAL_OPTIONS})


def _identity(simulator: Simulator, workload: str) -> tuple[str, ...]:
    return (
        simulator.name,
        simulator.version,
        telling_options(simulator),
        simulator.space.fingerprint,
        workload,
        simulator.workload_fingerprint(workload),
    )


_INSERT_SOURCE = """
INSERT OR IGNORE INTO sources
    (simulator, version, options, space_fingerprint, workload, workload_fingerprint, space, metrics)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_SELECT_SOURCE = """
SELECT id FROM sources WHERE simulator = ? AND version = ? AND options = ? AND space_fingerprint = ? AND workload = ?
    AND workload_fingerprint = ?
"""
_INSERT_TRIAL = """
INSERT INTO trials
    (id, source, environment, options, fix, workload, objective, spec, agent, hyper, seed, budget, batch, timeout_s)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def source_id(connection: sqlite3.Connection, simulator: Simulator, workload: str, *, create: bool) -> int | None:
    """The id of a simulator and workload among a store's sources; None when it is not there and not to be created."""
    identity = _identity(simulator, workload)
    if create:
        space = json.dumps([asdict(parameter) for parameter in simulator.space.parameters])
        metrics = json.dumps([asdict(metric) for metric in simulator.metrics])
        connection.execute(_INSERT_SOURCE, (*identity, space, metrics))
    found = connection.execute(_SELECT_SOURCE, identity).fetchone()
    return None if found is None else int(found[0])


def create_run(
    directory: Path,
    experiment: Mapping[str, Any],
    provenance: Mapping[str, Any],
    trials: Sequence[tuple[TrialRecord, Simulator]],
) -> None:
    """Make a run's store: all or nothing.

    Raises:
        StoreError: when the directory cannot be written.
    """
    path = directory / RUN_FILE
    create_tables(path)
    known: dict[tuple[int, str], int | None] = {}
    with guarded(path), closing(connect(path, write=True)) as connection, transaction(connection):
        for name, value in (("experiment", experiment), ("provenance", provenance)):
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, json.dumps(value)))
        for record, simulator in trials:
            group = (id(simulator), record.workload)
            if group not in known:
                known[group] = source_id(connection, simulator, record.workload, create=True)
            connection.execute(_INSERT_TRIAL, (record.id, known[group], *_cells(record)))


def _cells(record: TrialRecord) -> tuple[Any, ...]:
    return (
        record.environment, json.dumps(record.options), json.dumps(record.fix), record.workload,
        record.objective, json.dumps(record.spec),
        record.agent, json.dumps(record.hyper), record.seed, record.budget, record.batch, record.timeout_s,
    )  # fmt: skip


def set_state(connection: sqlite3.Connection, trial: int, state: str, reason: str = "") -> None:
    """Record where a trial stands."""
    with transaction(connection):
        connection.execute("UPDATE trials SET state = ?, reason = ? WHERE id = ?", (state, reason, trial))


@final
class RowCache:
    """Stored evaluations of one source; read from this store first, then from stores given for reuse."""

    def __init__(self, connection: sqlite3.Connection, source: int, codec: Codec, trial: int | None = None) -> None:
        """Answer for `source`; `trial` is who the simulator works for."""
        self.connection, self.source, self.codec, self.trial = connection, source, codec, trial
        self._reused: list[tuple[sqlite3.Connection, int]] = []
        self._memory: dict[bytes, Row] = {}
        self._answered = time.perf_counter()
        self.borrowed: list[tuple[bytes, Row]] = []
        """Rows answered by a store for reuse and not yet copied into this one."""

    def reuse(self, connection: sqlite3.Connection, source: int) -> None:
        """Also answer from another store's source."""
        self._reused.append((connection, source))

    def get(self, keys: Sequence[bytes]) -> list[Row | None]:
        """The stored row of each key, or None."""
        found: list[Row | None] = []
        for key in keys:
            row = self._memory.get(key) or self._look_up(self.codec.pack_key(key))
            if row is not None:
                self._memory[key] = row
            found.append(row)
        self._answered = time.perf_counter()
        return found

    def _look_up(self, packed: bytes) -> Row | None:
        row = _select(self.connection, self.source, packed)
        if row is None:
            for connection, source in self._reused:
                if (row := _select(connection, source, packed)) is not None:
                    self.borrowed.append((packed, row))
                    break
        return row

    def put(self, keys: Sequence[bytes], rows: Sequence[Row]) -> None:
        """Store rows; when this returns they survive a kill."""
        seconds = time.perf_counter() - self._answered  # between get() and put() the simulator ran
        with transaction(self.connection):
            before = self.connection.total_changes
            packed = [(self.codec.pack_key(key), row) for key, row in zip(keys, rows, strict=True)]
            self._insert(packed, self.trial)
            added = self.connection.total_changes - before
            if added < len(packed):
                self._compare(packed)
            if self.trial is not None:
                self.connection.execute(
                    "UPDATE trials SET simulated = simulated + ?, simulate_s = simulate_s + ? WHERE id = ?",
                    (added, seconds, self.trial),
                )
            self.settle()
        self._memory.update(zip(keys, rows, strict=True))

    def _compare(self, rows: Sequence[tuple[bytes, Row]]) -> None:
        """Another trial may have stored the same designs meanwhile: it must have got the same numbers."""
        for packed, (values, status, _) in rows:
            stored = _select(self.connection, self.source, packed)
            if stored is None or TIMEOUT in {status, stored[1]}:  # time limits depend on the machine's load
                continue
            if stored[1] != status or not np.array_equal(stored[0], values, equal_nan=True):
                raise InvalidInput(
                    f"the simulator is not deterministic: one design gave {values} ({status}) and "
                    f"{stored[0]} ({stored[1]}); a run cannot be continued or checked with it"
                )

    def settle(self) -> None:
        """Copy what was borrowed into this store (inside the caller's transaction), so that the run stands alone."""
        borrowed, self.borrowed = self.borrowed, []
        self._insert(borrowed, None)

    def _insert(self, rows: Sequence[tuple[bytes, Row]], trial: int | None) -> None:
        self.connection.executemany(
            "INSERT OR IGNORE INTO evaluations VALUES (?, ?, ?, ?, ?, ?)",
            [
                (self.source, packed, np.asarray(values, dtype="<f8").tobytes(), status, reason, trial)
                for packed, (values, status, reason) in rows
            ],
        )


def _select(connection: sqlite3.Connection, source: int, packed: bytes) -> Row | None:
    row = connection.execute(
        "SELECT metrics, status, reason FROM evaluations WHERE source = ? AND key = ?", (source, packed)
    ).fetchone()
    return None if row is None else (tuple(np.frombuffer(row[0], dtype="<f8").tolist()), row[1], row[2])


@final
class TrialWriter:
    """Records one trial as it goes: the observer of `run_trial`.

    A trial that was interrupted is run again from its seed over the rows it left; what it proposes is compared with
    what it proposed before, because an agent that is not reproducible cannot be continued.
    """

    def __init__(self, cache: RowCache, simulator: Simulator, trial: int) -> None:
        """Write to the cache's store."""
        self.cache, self.simulator, self.trial = cache, simulator, trial
        self.step, self.best = 0, np.inf
        self._started = time.perf_counter()
        self._wall_s = cache.connection.execute("SELECT wall_s FROM trials WHERE id = ?", (trial,)).fetchone()[0]
        self.before: list[bytes] = [
            row[0]
            for row in cache.connection.execute("SELECT key FROM history WHERE trial = ? ORDER BY step", (trial,))
        ]

    def __call__(self, designs: Designs, evaluations: Evaluations, costs: Floats, scalar: Floats) -> None:
        """Store a batch of new designs; returns when they survive a kill.

        Raises:
            StoreError: when the trial proposes something else than before it was interrupted.
        """
        codec, connection = self.cache.codec, self.cache.connection
        self.best = min(self.best, float(scalar.min()))
        rows: list[tuple[int, int, bytes, bytes | None]] = []
        for design, canonical in zip(designs, self.simulator.canonical(designs), strict=True):
            key, own = codec.pack(canonical), codec.pack(design)
            if self.step < len(self.before):
                self._compare(key)
            else:
                rows.append((self.trial, self.step, key, None if own == key else own))
            self.step += 1
        if rows:
            with transaction(connection):
                self.cache.settle()
                connection.executemany("INSERT INTO history VALUES (?, ?, ?, ?)", rows)
                connection.execute(
                    "UPDATE trials SET distinct_designs = ?, best = ?, wall_s = ? WHERE id = ?",
                    (self.step, self.best, self.wall_s, self.trial),
                )

    @property
    def wall_s(self) -> float:
        """Seconds spent on this trial, those before an interruption included."""
        return float(self._wall_s) + time.perf_counter() - self._started

    def finish(self, counts: Counts, state: str, reason: str = "") -> None:
        """Record the accounts of a trial that ended."""
        connection = self.cache.connection
        with transaction(connection):
            connection.execute(
                "UPDATE trials SET state = ?, reason = ?, requested = ?, wall_s = ?, agent_s = ? WHERE id = ?",
                (state, reason, counts.proposals, self.wall_s, counts.seconds_agent, self.trial),
            )

    def _compare(self, key: bytes) -> None:
        if key != self.before[self.step]:
            raise StoreError(
                f"trial {self.trial} cannot be continued: design {self.step} differs from the one it proposed before "
                "it was interrupted, so its agent or simulator is not reproducible; start over with --fresh"
            )
