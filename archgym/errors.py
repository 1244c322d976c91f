"""Every error ArchGym raises on purpose, and the did-you-mean helper.

    ArchGymError
    ├── InvalidInput (ValueError)         a value the user gave is wrong
    │   ├── UnknownName                   a name that is not in a list; suggests the nearest
    │   └── TraceError                    a workload file that cannot be read
    ├── AgentMisuse (RuntimeError)        ask/tell called in an order that makes no sense
    ├── MissingDependency (ImportError)   an optional library is not installed; names the command
    └── StoreError (OSError)              a run directory that cannot be written, read or continued

The command line prints the message in one line and exits with status 2; anything else is a bug and keeps its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "AgentMisuse",
    "ArchGymError",
    "InvalidInput",
    "MissingDependency",
    "StoreError",
    "TraceError",
    "UnknownName",
    "nearest",
]


class ArchGymError(Exception):
    """Base of all errors raised on purpose."""


class InvalidInput(ArchGymError, ValueError):
    """Raised when a value given by the user is not allowed."""


class UnknownName(InvalidInput):
    """Raised when a name is not one of a known list."""

    def __init__(self, what: str, got: str, allowed: Iterable[str]) -> None:
        """Say that `got` is no `what`, suggest the nearest of `allowed`, and list them."""
        names = sorted(str(name) for name in allowed)
        hint = nearest(got, names)
        listing = ", ".join(names) if names else "none"
        super().__init__(f"unknown {what} {got!r}{hint}; allowed: {listing}")


class TraceError(InvalidInput):
    """Raised when a workload file is unreadable, truncated or malformed."""


class AgentMisuse(ArchGymError, RuntimeError):
    """Raised when `ask` and `tell` are called in an order that makes no sense."""


class MissingDependency(ArchGymError, ImportError):
    """Raised when an optional library is needed and not installed."""

    def __init__(self, library: str, extra: str, needed_for: str) -> None:
        """Name the library, what needs it, and the command that installs it."""
        super().__init__(f"{needed_for} needs {library}; install it with: pip install 'archgym[{extra}]'")


class StoreError(ArchGymError, OSError):
    """Raised when a run directory cannot be written, read or continued."""


def nearest(got: str, allowed: Iterable[str]) -> str:
    """Return `"; did you mean 'x'?"` for the closest of `allowed`, or an empty string."""
    names = {str(name).casefold(): str(name) for name in allowed}
    match = difflib.get_close_matches(str(got).casefold(), names, n=1, cutoff=0.5)
    return f"; did you mean {names[match[0]]!r}?" if match else ""
