"""How this folder's kernels are compiled: cached, and compiled again when any of their sources changes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from numba import njit

_F = TypeVar("_F", bound=Callable[..., Any])
_HERE = Path(__file__).parent
_STAMP = hashlib.sha256(
    b"".join(file.read_bytes() for file in sorted([*_HERE.glob("kernel*.py"), _HERE / "layout.py"]))
)


def compiled(function: _F) -> _F:
    """Compile a kernel function; division follows NumPy, so that nothing in it can raise."""
    made: Any = njit(cache=True, nogil=True, error_model="numpy")(function)
    # Numba looks at the function's own file only, but constants and callees of other files are folded in.
    cached: Any = getattr(getattr(made, "_cache", None), "_cache_file", None)
    if hasattr(cached, "_source_stamp"):
        cached._source_stamp = _STAMP.hexdigest()  # noqa: SLF001 - Numba has no public way
    found: _F = made
    return found
