"""The tables of a run's SQLite file, and how to open one.

SQLite in WAL mode: several worker processes append while a reader follows, and a process killed at any moment loses
nothing it committed. Everything is plain columns, JSON text and little-endian arrays, so that the file can be read
without ArchGym:

    meta         key -> value: store format, experiment (JSON), provenance (JSON)
    sources      what a stored number came from: simulator, version, options, space, workload content
    evaluations  one row per distinct design of a source; `metrics` is float64[m], `key` the canonical design's indices
    trials       one row per search, with its state and accounts
    history      which designs a trial was charged for, in order; `design` only where it differs from `key`
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archgym.errors import StoreError
from archgym.space import Designs

__all__ = [
    "ENUMERATION_FILE",
    "FORMAT",
    "RUN_FILE",
    "Codec",
    "connect",
    "create_tables",
    "find_store",
    "guarded",
    "read_meta",
    "transaction",
]

FORMAT = 1
"""Changes when the tables change; a store of another format is refused, not guessed at."""

RUN_FILE = "run.sqlite"
ENUMERATION_FILE = "enumeration.sqlite"

_BUSY_S = 120.0  # a writer waits this long for another's commit: far more than any commit takes

_TABLES = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sources (
    id INTEGER PRIMARY KEY, simulator TEXT NOT NULL, version TEXT NOT NULL, options TEXT NOT NULL,
    space_fingerprint TEXT NOT NULL, space TEXT NOT NULL, metrics TEXT NOT NULL,
    workload TEXT NOT NULL, workload_fingerprint TEXT NOT NULL,
    UNIQUE (simulator, version, options, space_fingerprint, workload, workload_fingerprint));
CREATE TABLE IF NOT EXISTS evaluations (
    source INTEGER NOT NULL, key BLOB NOT NULL, metrics BLOB NOT NULL, status TEXT NOT NULL, reason TEXT NOT NULL,
    trial INTEGER, PRIMARY KEY (source, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS trials (
    id INTEGER PRIMARY KEY, source INTEGER NOT NULL, environment TEXT NOT NULL, options TEXT NOT NULL,
    fix TEXT NOT NULL, workload TEXT NOT NULL, objective TEXT NOT NULL, spec TEXT NOT NULL,
    agent TEXT NOT NULL, hyper TEXT NOT NULL, seed INTEGER NOT NULL, budget INTEGER NOT NULL,
    batch INTEGER NOT NULL, timeout_s REAL,
    state TEXT NOT NULL DEFAULT 'pending', reason TEXT NOT NULL DEFAULT '', best REAL,
    requested INTEGER NOT NULL DEFAULT 0, distinct_designs INTEGER NOT NULL DEFAULT 0,
    simulated INTEGER NOT NULL DEFAULT 0,
    wall_s REAL NOT NULL DEFAULT 0, agent_s REAL NOT NULL DEFAULT 0, simulate_s REAL NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS history (
    trial INTEGER NOT NULL, step INTEGER NOT NULL, key BLOB NOT NULL, design BLOB,
    PRIMARY KEY (trial, step)) WITHOUT ROWID;
"""


class Codec:
    """Packs designs into the narrowest whole numbers that hold every choice of a space."""

    def __init__(self, largest_cardinality: int) -> None:
        """Choose the width for parameters of at most this many choices."""
        narrow = [name for name, limit in (("<u1", 1 << 8), ("<u2", 1 << 16)) if largest_cardinality <= limit]
        self.dtype = np.dtype(narrow[0] if narrow else "<i4")

    def pack(self, design: Designs) -> bytes:
        """The stored form of one design, int32[d]."""
        return design.astype(self.dtype).tobytes()

    def pack_key(self, key: bytes) -> bytes:
        """The stored form of an evaluator's key (the bytes of a canonical int32 row)."""
        return np.frombuffer(key, dtype="<i4").astype(self.dtype).tobytes()

    def unpack(self, packed: bytes) -> NDArray[np.int32]:
        """One design, int32[d]."""
        return np.frombuffer(packed, dtype=self.dtype).astype(np.int32)


@contextmanager
def guarded(path: Path) -> Iterator[None]:
    """Turn what SQLite or the disk refuses into one line that names the file and the way on."""
    try:
        yield
    except (sqlite3.OperationalError, sqlite3.DatabaseError) as error:
        text = str(error)
        if "full" in text or "disk I/O" in text:
            fix = "free some space and run again to continue; what was stored is kept"
        elif "readonly" in text or "unable to open" in text:
            fix = "check that the directory exists and may be written, or choose another with --out"
        elif "not a database" in text or "malformed" in text:
            fix = "this is not an ArchGym store, or it was damaged; start over with --fresh"
        else:
            fix = "run again to continue; what was stored is kept"
        raise StoreError(f"{path}: {text}; {fix}") from error


def connect(path: Path, *, write: bool = False) -> sqlite3.Connection:
    """Open a store; readers never create or change it.

    Raises:
        StoreError: when it cannot be opened.
    """
    if not write and not path.is_file():
        raise StoreError(f"{path}: no such store; a run directory made by 'archgym run' holds a {RUN_FILE}")
    with guarded(path):
        connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
        try:
            if write:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=NORMAL")  # survives kill -9; fsync at checkpoints only
            else:
                connection.execute("PRAGMA query_only=ON")
        except BaseException:
            connection.close()
            raise
        return connection


def find_store(path: Path) -> Path:
    """The store in a run or enumeration directory (or the file itself).

    Raises:
        StoreError: when there is none.
    """
    for candidate in (path, path / RUN_FILE, path / ENUMERATION_FILE):
        if candidate.is_file():
            return candidate
    raise StoreError(f"{path}: no stored evaluations; expected a directory that holds {RUN_FILE} or {ENUMERATION_FILE}")


def create_tables(path: Path) -> None:
    """Make the tables where they are missing and stamp the format."""
    with guarded(path), closing(connect(path, write=True)) as connection, transaction(connection):
        for statement in _TABLES.split(";\n"):
            connection.execute(statement)
        connection.execute("INSERT OR IGNORE INTO meta VALUES ('format', ?)", (str(FORMAT),))


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing; other writers wait their turn."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def read_meta(connection: sqlite3.Connection, path: Path) -> dict[str, str]:
    """The `meta` table.

    Raises:
        StoreError: when the file is no store, or one of another format.
    """
    with guarded(path):
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
            raise StoreError(f"{path}: not an ArchGym store (it has no 'meta' table); start over with --fresh")
        found = dict(connection.execute("SELECT key, value FROM meta"))
    if found.get("format") != str(FORMAT):
        raise StoreError(
            f"{path}: written in store format {found.get('format', 'none')}, this ArchGym reads format {FORMAT}; "
            "use the version that wrote it, or start over with --fresh"
        )
    return found
