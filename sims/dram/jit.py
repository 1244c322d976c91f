"""How the kernel's functions are compiled."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from numba import njit

_F = TypeVar("_F", bound=Callable[..., Any])

# Functions of the inner loop allocate nothing, so they need no reference counts: without this, every call would count
# each array up and down with an atomic instruction, which took half of the time.
_LEAN: Any = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False}


def _digest() -> str:
    """Identify the sources that are compiled together."""
    here = Path(__file__).parent
    files = sorted(
        [*here.glob("kernel*.py"), *(here / name for name in ("jit.py", "layout.py", "spec.py", "timing.py"))]
    )
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


_STAMP = _digest()


def _stamped(compiled: Any) -> Any:
    """Let the cached machine code of a function expire when any of the sources changes.

    Numba looks at the file of the function only, but constants of `layout.py` and callees of other files are folded in.
    """
    cached: Any = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if hasattr(cached, "_source_stamp"):
        cached._source_stamp = _STAMP  # noqa: SLF001 - Numba has no public way
    return compiled


def lean(function: _F) -> _F:
    """Compile a function of the inner loop: no allocation in it, no exception out of it."""
    compiled: _F = _stamped(njit(**_LEAN)(function))
    return compiled


def entry(function: _F) -> _F:
    """Compile a function that allocates memory and calls lean ones."""
    compiled: _F = _stamped(njit(cache=True, nogil=True, error_model="numpy")(function))
    return compiled
