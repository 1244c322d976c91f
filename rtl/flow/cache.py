"""A folder of small results by content: many processes may read and write it, and it need not be writable."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import threading
import warnings
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, final

from archgym.rtl.tech.user_folders import cache_folder

__all__ = ["Cache", "CacheWarning", "clear", "file_hash", "folder"]

_LIMIT_BYTES = 512 << 20
_PRUNE_EVERY = 256  # writes of a process between two looks at the size
_KEPT = 0.75  # of the limit, after the oldest entries went


class CacheWarning(UserWarning):
    """Said once when results cannot be kept on disk; everything still works."""


def folder() -> Path:
    """Where caches of the RTL flow are: `$ARCHGYM_CACHE/rtl`, or below the user's cache folder."""
    stated = os.environ.get("ARCHGYM_CACHE", "")
    return (Path(stated).expanduser() if stated else cache_folder()) / "rtl"


def clear() -> int:
    """Remove every cached result; returns how many there were."""
    base = folder()
    count = sum(1 for _ in base.glob("*/??/*.json"))
    shutil.rmtree(base, ignore_errors=True)
    return count


@final
class Cache:
    """JSON values by key, in files named after the key."""

    def __init__(self, name: str, *, limit_bytes: int = _LIMIT_BYTES) -> None:
        """Use a folder of this name; it is made at the first write."""
        self._name, self._limit = name, limit_bytes
        self._writes = 0
        self._guard = threading.Lock()

    @property
    def path(self) -> Path:
        """The folder, by the environment as it is now."""
        return folder() / self._name

    def get(self, key: str) -> Any | None:
        """The value of a key; None if there is none that can be read."""
        try:
            return json.loads(self._file(key).read_bytes())
        except (OSError, ValueError):  # absent, or cut short by a full disk
            return None

    def put(self, key: str, value: Any) -> None:
        """Keep a value; a folder that cannot be written is said once and otherwise ignored."""
        file = self._file(key)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            descriptor, partial = tempfile.mkstemp(dir=file.parent, prefix=".")
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as out:
                    json.dump(value, out, separators=(",", ":"))
                Path(partial).replace(file)
            except BaseException:
                Path(partial).unlink(missing_ok=True)
                raise
        except OSError as problem:
            _warn(str(self.path), problem.strerror or str(problem))
            return
        with self._guard:
            self._writes += 1
            due = self._writes % _PRUNE_EVERY == 1
        if due:
            self.prune()

    def prune(self) -> int:
        """Remove the oldest entries where the folder is over its limit; returns how many went."""
        entries = []
        for file in self.path.glob("??/*"):
            with suppress(OSError):  # another process removed it
                status = file.stat()
                entries.append((status.st_mtime_ns, status.st_size, file))
        total, removed = sum(size for _, size, _ in entries), 0
        if total <= self._limit:
            return 0
        for _, size, file in sorted(entries):
            with suppress(OSError):
                file.unlink()
                removed += 1
            total -= size
            if total <= _KEPT * self._limit:
                break
        return removed

    def _file(self, key: str) -> Path:
        return self.path / key[:2] / f"{key}.json"


@lru_cache(maxsize=8)
def _warn(path: str, why: str) -> None:
    warnings.warn(f"results are not kept: {path}: {why}; set ARCHGYM_CACHE to a folder that can be written",
                  CacheWarning, stacklevel=4)  # fmt: skip


_hashes: dict[Path, tuple[tuple[int, int], str]] = {}


def file_hash(path: Path) -> str:
    """SHA-256 of a file, read again only when its size or time of change differs.

    Raises:
        OSError: it cannot be read.
    """
    status = path.stat()
    stamp = (status.st_mtime_ns, status.st_size)
    known = _hashes.get(path)
    if known is None or known[0] != stamp:
        known = _hashes[path] = (stamp, hashlib.sha256(path.read_bytes()).hexdigest())
    return known[1]
