"""One process at a time on a run directory: an advisory lock the operating system drops when its holder dies."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

from archgym.errors import StoreError

__all__ = ["hold"]


@contextmanager
def hold(directory: Path) -> Iterator[None]:
    """Hold a run directory, creating it if needed.

    Raises:
        StoreError: when another process holds it (says who, where and since when) or it cannot be written.
    """
    path = directory / "lock"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        handle = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise StoreError(
            f"{directory}: cannot be written ({error.strerror}); choose another directory with --out"
        ) from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.seek(0)
            raise StoreError(
                f"{directory}: held by {_holder(handle.read())}; wait for it to end, or choose another with --out"
            ) from None
        handle.truncate(0)
        since = datetime.now(timezone.utc).isoformat(timespec="seconds")
        json.dump({"pid": os.getpid(), "host": socket.gethostname(), "since": since}, handle)
        handle.flush()
        yield  # the file stays: removing it would let two processes lock two files of one name


def _holder(text: str) -> str:
    try:
        known = json.loads(text)
        return f"process {known['pid']} on {known['host']} since {known['since']}"
    except (ValueError, KeyError, TypeError):
        return "another process"
