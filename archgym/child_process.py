"""How worker processes live and die: one thread each, deaf to Ctrl-C, gone when their parent is."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import connection, parent_process, resource_tracker

__all__ = ["die_with_parent", "one_thread", "shielded_from_interrupts", "usable_cores"]

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)


def die_with_parent() -> None:
    """End this process when its parent ends, however it ends, so that no orphan competes with a resumed run."""
    parent = parent_process()
    if parent is None:
        return
    if sys.platform == "linux":
        # The kernel does it even while a library holds the interpreter lock.
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent.pid:  # it died before the call above
            os._exit(1)
    threading.Thread(target=_watch, args=(parent.sentinel,), daemon=True, name="parent-watch").start()


def _watch(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


@contextmanager
def one_thread() -> Iterator[None]:
    """Children started inside use one thread each in every numerical library (read when those are imported)."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def shielded_from_interrupts() -> Iterator[None]:
    """Children started inside never see Ctrl-C: the terminal sends it to all, and only the parent acts on it."""
    resource_tracker.ensure_running()  # started later, it would unblock the signal again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def usable_cores() -> int:
    """Cores this process may run on (a container or `taskset` may allow fewer than there are)."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
