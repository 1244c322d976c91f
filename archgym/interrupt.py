"""Ctrl-C and SIGTERM end a long command the same, clean way."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import final

__all__ = ["Interrupted", "interruptible"]


@final
class Interrupted(Exception):
    """Raised when Ctrl-C or SIGTERM ended a run; everything evaluated is stored."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn Ctrl-C and SIGTERM inside the block into `Interrupted`."""
    if threading.current_thread() is not threading.main_thread():  # only the main thread gets signals
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted("interrupted; everything evaluated so far is stored") from None
    finally:
        signal.signal(signal.SIGTERM, before)
