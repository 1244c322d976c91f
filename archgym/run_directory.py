"""A run directory: made for one experiment, continued only by the same experiment on the same simulators."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

from archgym.errors import StoreError
from archgym.plan import Plan
from archgym.store import Run, open_run
from archgym.store_schema import RUN_FILE, connect, find_store, guarded, transaction
from archgym.store_write import canonical_json, create_run, source_id

__all__ = ["check_reuse", "prepare", "remove"]

_IRRELEVANT = frozenset({"name", "description", "claims", "workers", "reuse"})  # change no number
_OWNED = (
    *("run.sqlite", "run.sqlite-wal", "run.sqlite-shm", "experiment.yaml"),
    *("report/index.html", "report/*.png", "report/summary.*", "report/designs.csv", "report/claims.csv"),
)
_LIBRARIES = frozenset(
    {"archgym", "numpy", "numba", "gymnasium", "optuna", "pymoo", "cmaes", "torch", "stable-baselines3"}
)


def remove(directory: Path) -> None:
    """Delete what an earlier run stored, its report included, and only that."""
    for pattern in _OWNED:
        for path in directory.glob(pattern):
            path.unlink(missing_ok=True)


def prepare(directory: Path, plan: Plan) -> None:
    """Create the store, or make sure that the one there is of this experiment and these simulators."""
    path = directory / RUN_FILE
    if not path.exists() or not _complete(path):
        pairs = [(trial, plan.simulator) for trial in plan.trials]
        create_run(directory, plan.resolved, _provenance(plan), pairs)
        _write_experiment(directory, plan)
        return
    with closing(open_run(directory)) as run:
        _refuse_other_experiment(directory, plan, run)
        _refuse_other_simulator(directory, plan, run)
    with guarded(path), closing(connect(path, write=True)) as connection, transaction(connection):
        connection.execute("UPDATE trials SET state = 'pending', reason = '' WHERE state NOT IN ('done', 'stalled')")
        connection.execute("UPDATE meta SET value = ? WHERE key = 'experiment'", (json.dumps(plan.resolved),))
    _write_experiment(directory, plan)


def _write_experiment(directory: Path, plan: Plan) -> None:
    try:
        (directory / "experiment.yaml").write_text(yaml.safe_dump(plan.resolved, sort_keys=False), "utf-8")
    except OSError as error:
        raise StoreError(f"{directory}: {error.strerror}; choose another directory with --out") from error


def _complete(path: Path) -> bool:
    """Whether the store was set up to the end (a kill may have come between its tables and its trials)."""
    with guarded(path), closing(connect(path)) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables:
            return False
        if "meta" not in tables or "trials" not in tables:
            return True  # something else; opening it says what
        return connection.execute("SELECT 1 FROM meta WHERE key = 'experiment'").fetchone() is not None


def _refuse_other_experiment(directory: Path, plan: Plan, run: Run) -> None:
    there, here = _essence(run.experiment), _essence(plan.resolved)
    for key in sorted({*there, *here}):
        if there.get(key) != here.get(key):
            before, now = _differing(run.experiment.get(key), plan.resolved.get(key))
            raise StoreError(
                f"{directory}: was started with {key} = {before}, {plan.path} now says {now}; "
                "undo the change, choose another directory with --out, or start over with --fresh"
            )
    if len(run.trials) != len(plan.trials):
        raise StoreError(f"{directory}: holds {len(run.trials)} trials, expected {len(plan.trials)}; use --fresh")


def _essence(experiment: dict[str, Any]) -> dict[str, str]:
    """What of an experiment decides its numbers; what is not given and what is empty are the same."""
    given = {key: value for key, value in experiment.items() if key not in _IRRELEVANT}
    return {key: canonical_json(value) for key, value in given.items() if value not in ({}, [], None)}


def _differing(before: Any, now: Any) -> tuple[str, str]:
    """Two values as text; of two mappings only what is not the same in both."""
    if isinstance(before, dict) and isinstance(now, dict):
        same = [key for key in before if key in now and before[key] == now[key]]
        before, now = ({key: value for key, value in each.items() if key not in same} for each in (before, now))
    return canonical_json(before), canonical_json(now)


def _refuse_other_simulator(directory: Path, plan: Plan, run: Run) -> None:
    simulator = plan.simulator
    for source in run.sources.values():
        pairs = {
            "version": (source.version, simulator.version),
            "space fingerprint": (source.space_fingerprint, simulator.space.fingerprint),
            "workload content": (source.workload_fingerprint, simulator.workload_fingerprint(source.workload)),
        }
        for what, (there, here) in pairs.items():
            if there != here:
                raise StoreError(
                    f"{directory}: was written with simulator {source.simulator!r} {what} {there} "
                    f"(workload {source.workload}), now it is {here}; the numbers would not compare: "
                    "choose another directory with --out, or start over with --fresh"
                )


def check_reuse(stores: Sequence[Path], plan: Plan) -> Iterator[str]:
    """What each store for reuse can answer; one that can answer nothing was given by mistake.

    Raises:
        StoreError: when a store is missing or holds nothing of this simulator.
    """
    workloads = list(dict.fromkeys(trial.workload for trial in plan.trials))
    for store in stores:
        with closing(connect(find_store(store))) as connection:
            known = [w for w in workloads if source_id(connection, plan.simulator, w, create=False) is not None]
        if not known:
            raise StoreError(
                f"{store}: holds nothing of simulator {plan.simulator.name!r} version {plan.simulator.version} with "
                f"these options, space and workloads ({', '.join(workloads)}); remove it from reuse"
            )
        yield f"evaluations of {', '.join(known)} are reused from {store}"


def _provenance(plan: Plan) -> dict[str, Any]:
    installed = {found.metadata["Name"]: found.version for found in metadata.distributions()}
    return {
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "experiment_file": str(plan.path),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpu": _cpu(),
        "cores": os.cpu_count() or 1,
        "host": platform.node(),
        "versions": {name: installed[name] for name in sorted(_LIBRARIES & set(installed))},
        "simulator": plan.simulator.name,
        "simulator_version": plan.simulator.version,
        "simulator_options": dict(plan.simulator.options),
        "space_fingerprint": plan.simulator.space.fingerprint,
        "space_size": plan.simulator.space.size,
    }


def _cpu() -> str:
    """The processor's model where the system says it (Linux); else what Python knows."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
