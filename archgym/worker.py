"""One trial in a worker process: every evaluation is stored before the agent hears of it."""

from __future__ import annotations

import inspect
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from archgym import catalog
from archgym.child_process import die_with_parent
from archgym.core import Agent, Simulator
from archgym.errors import ArchGymError, StoreError
from archgym.isolate import PLUGIN_TIMEOUT_S, Isolated
from archgym.named import Named
from archgym.restrict import build_simulator
from archgym.store import Run, TrialRecord
from archgym.store_schema import RUN_FILE, connect, find_store, guarded, read_meta
from archgym.store_write import RowCache, TrialWriter, canonical_json, set_state, source_id
from archgym.trial import run_trial

__all__ = ["initialise", "run_one", "trial_simulator"]

_simulators: dict[str, Simulator] = {}  # built once per process: compiling and reading traces takes seconds
_share = {"threads": 1}


def initialise(threads: int) -> None:
    """Prepare a fresh worker process, whose simulators may use this many threads each."""
    die_with_parent()
    _share["threads"] = threads


def run_one(directory: Path, reuse: Sequence[Path], trial_id: int) -> None:
    """Run or continue one trial.

    A trial that raises is recorded as failed, with the reason, and the run goes on.

    Raises:
        StoreError: when the store cannot be written; then the whole run must stop.
    """
    path = directory / RUN_FILE
    with guarded(path), ExitStack() as stack:
        connection = stack.enter_context(closing(connect(path, write=True)))
        run = Run(directory, connection, read_meta(connection, path))
        record = run.trial(trial_id)
        set_state(connection, trial_id, "running")
        try:
            simulator = trial_simulator(record.environment, record.options, record.fix, record.timeout_s)
            cache = RowCache(connection, record.source, run.source(record).codec, trial_id)
            for store in reuse:
                other = stack.enter_context(closing(connect(find_store(store))))
                source = source_id(other, simulator, record.workload, create=False)
                if source is not None:
                    cache.reuse(other, source)
            _search(record, simulator, cache, run)
        except (StoreError, sqlite3.Error):
            raise
        except Exception as error:  # noqa: BLE001 - one trial's trouble must not end the others
            kind = "" if isinstance(error, ArchGymError) else f"{type(error).__name__}: "
            set_state(connection, trial_id, "failed", f"{kind}{error}".strip().splitlines()[0])


def _search(record: TrialRecord, simulator: Simulator, cache: RowCache, run: Run) -> None:
    writer = TrialWriter(cache, simulator, record.id)
    result = run_trial(
        simulator,
        _agent(record, simulator),
        run.objective(record),
        workload=record.workload,
        budget=record.budget,
        batch=record.batch,
        seed=record.seed,
        cache=cache,
        observer=writer,
    )
    counts = result.counts
    if result.stopped == "stalled":
        reason = f"{counts.proposals:,} proposals gave only {counts.distinct:,} distinct designs"
        writer.finish(counts, "stalled", reason)
    else:
        writer.finish(counts, "done")


def _agent(record: TrialRecord, simulator: Simulator) -> Agent:
    if record.named:
        return Named(simulator.space, **record.hyper)
    return catalog.agent(record.agent, simulator.space, seed=record.seed, **record.hyper)


def trial_simulator(
    environment: str, options: Mapping[str, Any], fix: Mapping[str, Any], timeout_s: float | None
) -> Simulator:
    """The simulator of a trial, kept for the next; in a process of its own where a time limit applies."""
    key = canonical_json([environment, options, fix, timeout_s])
    if key not in _simulators:
        # A batch is spread over threads by simulators that can; how many changes no number.
        takes = inspect.signature(catalog.simulator_class(environment)).parameters
        options = {**_share, **options} if "threads" in takes else options
        inner = build_simulator(environment, options, fix)
        limit = timeout_s or (None if _ours(environment) else PLUGIN_TIMEOUT_S)
        _simulators[key] = inner if limit is None else Isolated(inner, environment, options, fix, limit)
    return _simulators[key]


def _ours(environment: str) -> bool:
    """Whether a simulator comes with ArchGym and is known not to hang."""
    return str(getattr(catalog.simulator_class(environment), "__module__", "")).startswith("archgym.")
