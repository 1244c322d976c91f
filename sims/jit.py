"""How the kernels of every family are compiled."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from numba import njit

_F = TypeVar("_F", bound=Callable[..., Any])

_BASE: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
# Functions of the inner loop allocate nothing, so they need no reference counts: without this, every call would count
# each array up and down with an atomic instruction, which took half of the time.
_LEAN: dict[str, Any] = {**_BASE, "_nrt": False}
# What kernels fold in beside each other: constants and small functions of these modules.
_FOLDED = ("commands.py", "layout.py", "spec.py", "systolic.py", "timing.py")
_BELOW = Path(__file__).parent / "dram"  # PIM's kernels fold in its layout


@lru_cache(maxsize=16)
def _stamp(folder: Path) -> str:
    """Identify the sources that are compiled together."""
    files = [Path(__file__)]
    for family in (_BELOW, folder):
        files += [*sorted(family.glob("kernel*.py")), *(family / name for name in _FOLDED)]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files if file.exists())).hexdigest()


def _stamped(compiled: Any, function: Callable[..., Any]) -> Any:
    """Let the cached machine code of a function expire when any of the sources changes.

    Numba looks at the file of the function only, but constants of `layout.py` and callees of other files are folded in.
    """
    cached: Any = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if hasattr(cached, "_source_stamp"):
        cached._source_stamp = _stamp(Path(function.__code__.co_filename).parent)  # noqa: SLF001 - Numba has no public way
    return compiled


def _compile(function: _F, options: dict[str, Any]) -> _F:
    try:
        compiled: _F = _stamped(njit(cache=True, **options)(function), function)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written: compile in every process
        compiled = njit(**options)(function)
    return compiled


def lean(function: _F) -> _F:
    """Compile a function of the inner loop: no allocation in it, no exception out of it."""
    return _compile(function, _LEAN)


def inner(function: _F) -> _F:
    """As `lean`, for functions only compiled code calls: without the ways in from Python they compile faster."""
    return _compile(function, {**_LEAN, "no_cpython_wrapper": True, "no_cfunc_wrapper": True})


def entry(function: _F) -> _F:
    """Compile a function that allocates memory and calls lean ones."""
    return _compile(function, _BASE)
