"""How the kernels are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

_F = TypeVar("_F", bound=Callable[..., Any])


def compiled(function: _F) -> _F:
    """Compile for any thread; kept on disk until the file changes."""
    compiler: Any = njit(cache=True, nogil=True, error_model="numpy")
    found: _F = compiler(function)
    return found
