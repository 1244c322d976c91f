"""Scores every design of a space, in chunks, resumable; what cannot differ is simulated once.

The store it leaves answers for the simulator in later runs (`archgym run --reuse DIR`), and its summaries hold the
known optimum of every registered objective.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any, Protocol, final

import numpy as np
from numpy.typing import NDArray

from archgym.core import Designs, Simulator
from archgym.errors import InvalidInput, StoreError
from archgym.evaluator import Evaluator
from archgym.lock import hold
from archgym.pool import Pool
from archgym.restrict import build_simulator, simulator_name
from archgym.space import DesignSpace
from archgym.store_schema import ENUMERATION_FILE, Codec, connect, create_tables, guarded, read_meta, transaction
from archgym.store_write import RowCache, canonical_json, source_id, telling_options
from archgym.worker import trial_simulator

__all__ = ["Collapse", "collapse", "enumerate_space", "flat_index"]

LARGEST_SPACE = 1 << 30  # one 8-byte counter a design; a larger space would take years anyway
CHUNK = 8192  # at most this many designs of the space make a task
_BATCH_S = 2.0  # batches grow until they take this long: what a kill can lose
_COLLAPSE_ROWS = 1 << 16

_CHUNKS = """
CREATE TABLE IF NOT EXISTS chunks (
    source INTEGER NOT NULL, chunk INTEGER NOT NULL, designs INTEGER NOT NULL, PRIMARY KEY (source, chunk))
"""

Recipe = tuple[str, "dict[str, Any]"]


class Watcher(Protocol):
    """Told of an enumeration's progress."""

    def __call__(self, workload: str, done: int, total: int) -> None:
        """`done` of `total` distinct designs are stored for a workload."""


@final
class Collapse:
    """What a simulator's `canonical` makes of a space.

    `representatives` int64[r] are flat indices, ascending; `multiplicity` int64[r] counts the feasible designs each
    stands for.
    """

    def __init__(self, representatives: NDArray[np.int64], multiplicity: NDArray[np.int64]) -> None:
        self.representatives, self.multiplicity = representatives, multiplicity
        self.feasible = int(multiplicity.sum())


def flat_index(space: DesignSpace, designs: Designs) -> NDArray[np.int64]:
    """Flat indices of designs, vectorised; for spaces below 2^63."""
    radix = np.ones(len(space), dtype=np.int64)
    radix[:-1] = np.cumprod(space.cardinalities[:0:-1].astype(np.int64))[::-1]
    return np.asarray(designs.astype(np.int64) @ radix)


def collapse(simulator: Simulator) -> Collapse:
    """Count the designs behind each representative, over the whole space.

    Raises:
        InvalidInput: when the space is too large to enumerate.
    """
    space = simulator.space
    if space.size > LARGEST_SPACE:
        raise InvalidInput(
            f"the space of {simulator.name!r} has {space.size:,} designs; at most {LARGEST_SPACE:,} can be enumerated: "
            "choose a smaller one by an option"
        )
    counts = np.zeros(space.size, dtype=np.int32)
    for designs in space.enumerate(_COLLAPSE_ROWS):
        np.add.at(counts, flat_index(space, simulator.canonical(designs)), 1)
    representatives = np.flatnonzero(counts)
    return Collapse(representatives, counts[representatives].astype(np.int64))


def enumerate_space(
    environment: str,
    options: Mapping[str, Any],
    workloads: Sequence[str],
    directory: Path,
    *,
    workers: int,
    watcher: Watcher | None = None,
    chunk: int = CHUNK,
) -> list[Path]:
    """Sweep a simulator's whole space on some workloads; continues where an earlier sweep stopped.

    Args:
        environment: a registered simulator.
        options: what it is built with.
        workloads: registered names or absolute paths.
        directory: where the store and the summaries go.
        workers: processes.
        watcher: told of progress.
        chunk: most designs of the space a task covers; a sweep must go on with the number it began with.

    Returns:
        The summaries, one JSON file a workload, beside the store `enumeration.sqlite`.

    Raises:
        InvalidInput: for an unknown name or a space too large.
        StoreError: when the directory is in use, cannot be written, or holds another sweep.
    """
    from archgym.enumerate_summary import write_summary

    environment = simulator_name(environment)
    simulator = build_simulator(environment, options)
    with hold(directory):
        path = directory / ENUMERATION_FILE
        with guarded(path):
            create_tables(path)
            with closing(connect(path, write=True)) as connection:
                read_meta(connection, path)
                _claim(connection, directory, simulator, chunk)
                found = collapse(simulator)
                sources = [_source(connection, simulator, workload) for workload in workloads]
                chunks = chunk_count(simulator.space, chunk)
                stored = {(s, c): n for s, c, n in connection.execute("SELECT source, chunk, designs FROM chunks")}
                tasks = [
                    number * chunks + position
                    for number, source in enumerate(sources)
                    for position in range(chunks)
                    if (source, position) not in stored
                ]

                def report() -> None:
                    done = dict(connection.execute("SELECT source, SUM(designs) FROM chunks GROUP BY source"))
                    for source, workload in zip(sources, workloads, strict=True):
                        if watcher is not None:
                            watcher(workload, done.get(source, 0), len(found.representatives))

                recipe = (environment, dict(options))
                pool = Pool(
                    sweep_chunk,
                    (directory, recipe, tuple(workloads), chunks),
                    workers,
                    suspects=set,
                    give_up=_give_up,
                    tell=lambda _: None,  # nothing was lost, and the progress lines go on
                )
                report()
                pool.run(tasks, report, 2.0)
                return [
                    write_summary(directory, connection, simulator, workload, source, found)
                    for workload, source in zip(workloads, sources, strict=True)
                ]


def _give_up(task: int, reason: str) -> None:
    raise StoreError(f"chunk {task} of the enumeration: {reason}; run again to continue")


def _claim(connection: Any, directory: Path, simulator: Simulator, chunk: int) -> None:
    """Make sure that the directory is empty or holds a sweep of the same simulator."""
    what = [simulator.name, simulator.version, telling_options(simulator), simulator.space.fingerprint, chunk]
    mine = canonical_json(what)
    with transaction(connection):
        connection.execute(_CHUNKS)
        connection.execute("INSERT OR IGNORE INTO meta VALUES ('enumeration', ?)", (mine,))
        there = connection.execute("SELECT value FROM meta WHERE key = 'enumeration'").fetchone()[0]
    if there != mine:
        raise StoreError(
            f"{directory}: holds an enumeration of {json.loads(there)}, asked for {json.loads(mine)} (name, "
            "version, options, space, chunk); choose another directory with --out"
        )


def _source(connection: Any, simulator: Simulator, workload: str) -> int:
    with transaction(connection):
        source = source_id(connection, simulator, workload, create=True)
    assert source is not None
    return source


def chunk_count(space: DesignSpace, chunk: int) -> int:
    """How many chunks of at most about `chunk` designs a space makes.

    A chunk holds every combination of the leading parameters with one combination of the trailing ones, that is every
    `chunk_count`-th flat index: designs a simulator may find equal (on a trace without writes, say) come together.
    """
    leading = 1
    for cardinality in space.cardinalities.tolist():
        if leading * cardinality > chunk:
            break
        leading *= cardinality
    return space.size // leading


@cache
def _duty(environment: str, options: str, first: int, chunks: int) -> Designs:
    """The designs of a chunk that stand for themselves; the others are some chunk's representative's duty."""
    simulator = trial_simulator(environment, json.loads(options), {}, None)
    space = simulator.space
    designs = space.from_index(range(first, space.size, chunks))
    designs = designs[space.feasible(designs)]
    return designs[(simulator.canonical(designs) == designs).all(axis=1)] if len(designs) else designs


_batch = {"designs": 16}  # grows with what is learnt of the simulator's speed, in this process


def sweep_chunk(directory: Path, recipe: Recipe, workloads: Sequence[str], chunks: int, task: int) -> None:
    """Score one chunk on one workload, in a worker process; every batch is stored before the next begins."""
    environment, options = recipe
    simulator = trial_simulator(environment, options, {}, None)
    number, chunk = divmod(task, chunks)
    workload = workloads[number]
    designs = _duty(environment, canonical_json(options), chunk, chunks)
    path = directory / ENUMERATION_FILE
    with guarded(path), closing(connect(path, write=True)) as connection:
        source = _source(connection, simulator, workload)
        rows = RowCache(connection, source, Codec(int(simulator.space.cardinalities.max())))
        evaluator = Evaluator(simulator, workload, rows)
        start = 0
        while start < len(designs):
            began = time.monotonic()
            evaluator.evaluate(designs[start : start + _batch["designs"]])
            start += _batch["designs"]
            if time.monotonic() - began < _BATCH_S / 2:
                _batch["designs"] = min(2 * _batch["designs"], CHUNK)
        with transaction(connection):
            connection.execute("INSERT OR REPLACE INTO chunks VALUES (?, ?, ?)", (source, chunk, len(designs)))
