"""Private folders for jobs: removed when done, and at the next start where their process was killed."""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

__all__ = ["clean", "folder", "process_folder", "root"]

_LOCK = ".lock"
_start = threading.Lock()


def root() -> Path:
    """Where the processes of this user keep their folders (under `TMPDIR`)."""
    return Path(tempfile.gettempdir()) / f"archgym-rtl-{os.getuid()}"


def clean() -> int:
    """Remove the folders of processes that ended without doing so; returns how many."""
    removed = 0
    for path in root().glob("*/"):
        try:
            held = (path / _LOCK).open("r+")
        except OSError:  # another process creates or removes it at this moment
            continue
        with held:
            try:
                # The kernel frees the lock with the process, however it ends: no process number can mislead.
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            shutil.rmtree(path, ignore_errors=True)
            removed += 1
    return removed


def process_folder() -> Path:
    """The folder of this process, made (and the left-overs of others removed) when first asked for."""
    with _start:
        return _folder_of(os.getpid())


@lru_cache(maxsize=1)
def _folder_of(pid: int) -> Path:
    base = root()
    base.mkdir(mode=0o700, parents=True, exist_ok=True)
    clean()
    path = Path(tempfile.mkdtemp(prefix=f"{pid}-", dir=base))
    unnamed = path / f"{_LOCK}.new"  # locked before it has its name: `clean` of another process never finds it free
    lock = unnamed.open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    unnamed.rename(path / _LOCK)
    atexit.register(_end, path, lock, pid)
    return path


def _end(path: Path, lock: object, pid: int) -> None:
    if pid == os.getpid():  # not in a fork of it
        del lock
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def folder(*, keep: Path | None = None) -> Iterator[Path]:
    """A fresh private folder; with `keep` its contents are copied there before it is removed."""
    path = Path(tempfile.mkdtemp(prefix="job-", dir=process_folder()))
    try:
        yield path
    finally:
        if keep is not None:
            with suppress(OSError):
                shutil.copytree(path, keep, symlinks=True, dirs_exist_ok=True)
        shutil.rmtree(path, ignore_errors=True)
