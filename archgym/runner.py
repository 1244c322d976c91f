"""Runs an experiment: locks its directory, continues what is there, keeps every core busy, survives any death.

Results depend on the experiment alone: not on the number of workers, on reuse, or on how often a run was interrupted.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from archgym.child_process import usable_cores
from archgym.interrupt import interruptible
from archgym.lock import hold
from archgym.plan import make_plan
from archgym.pool import Pool
from archgym.progress import Display
from archgym.run_directory import check_reuse, prepare, remove
from archgym.store_schema import RUN_FILE, connect, guarded, transaction
from archgym.store_write import set_state
from archgym.worker import run_one

__all__ = ["default_directory", "run_experiment"]


def default_directory(path: Path) -> Path:
    """Where a run of an experiment file goes unless told otherwise."""
    return Path("runs") / path.stem


def run_experiment(
    path: Path,
    out: Path | None = None,
    *,
    fresh: bool = False,
    workers: int | None = None,
    reuse: Sequence[Path] = (),
    display: Display | None = None,
) -> Path:
    """Run or continue an experiment; returns the run directory.

    Args:
        path: the experiment file.
        out: the run directory; `runs/<file name>` by default.
        fresh: start over, removing what an earlier run stored there.
        workers: trials at a time; the file's, else all cores.
        reuse: more stores whose evaluations answer for the simulator.
        display: where progress is shown; nowhere by default.

    Raises:
        InvalidInput: for anything wrong with the experiment, before anything runs.
        StoreError: when the directory is held by another process, belongs to something else or cannot be written.
        Interrupted: after Ctrl-C or SIGTERM.
    """
    show = display or Display(None)
    plan = make_plan(path)
    directory = default_directory(path) if out is None else out
    stores = [*(_beside(path, name) for name in plan.experiment.reuse), *reuse]
    with hold(directory):
        if fresh:
            remove(directory)
        notices = [*plan.notices, *check_reuse(stores, plan)]  # before anything is written
        prepare(directory, plan)
        for notice in notices:
            show.say(f"note: {notice}")
        _execute(directory, stores, workers or plan.experiment.workers or usable_cores(), show)
    return directory


def _beside(path: Path, name: str) -> Path:
    return path.parent / name if (path.parent / name).exists() else Path(name)


def _execute(directory: Path, stores: Sequence[Path], workers: int, show: Display) -> None:
    path = directory / RUN_FILE
    with guarded(path), closing(connect(path, write=True)) as connection:
        trials = [row[0] for row in connection.execute("SELECT id FROM trials WHERE state = 'pending' ORDER BY id")]

        def suspects() -> set[int]:
            found = {row[0] for row in connection.execute("SELECT id FROM trials WHERE state = 'running'")}
            with transaction(connection):
                connection.execute("UPDATE trials SET state = 'pending' WHERE state = 'running'")
            return found

        def give_up(trial: int, reason: str) -> None:
            set_state(connection, trial, "failed", reason)

        def tell(line: str) -> None:
            show.say(f"note: {line}")

        pool = Pool(run_one, (directory, stores), workers, suspects=suspects, give_up=give_up, tell=tell)
        with interruptible(), show.watching(connection):
            pool.run(trials, lambda: show.update(connection))
