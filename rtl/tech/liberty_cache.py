"""Parsed libraries by content, in the user's cache folder; a cache that cannot be used is no error."""

from __future__ import annotations

import hashlib
import os
import pickle
import tempfile
from collections.abc import Sequence
from pathlib import Path

from archgym.rtl.tech.library_cells import Library
from archgym.rtl.tech.user_folders import cache_folder

__all__ = ["key", "load", "save"]

_VERSION = 2
"""Raised when the reader or the classes change."""


def key(data: Sequence[bytes]) -> str:
    """Identity of the libraries in these files' contents (packed as they are)."""
    digest = hashlib.blake2b(f"liberty {_VERSION}".encode(), digest_size=16)
    for each in data:
        digest.update(len(each).to_bytes(8, "little"))
        digest.update(each)
    return digest.hexdigest()


def _file(name: str) -> Path:
    return cache_folder() / "liberty" / f"{name}.pickle"


def load(name: str) -> Library | None:
    """The library kept under a key, or None."""
    file = _file(name)
    try:
        # Unpickling runs what the file says: only a file of this very user, as it is of code in the home folder.
        if hasattr(os, "getuid") and file.stat().st_uid != os.getuid():
            return None
        found = pickle.loads(file.read_bytes())  # noqa: S301
    except (OSError, pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, TypeError, ValueError):
        return None
    return found if isinstance(found, Library) else None


def save(name: str, library: Library) -> None:
    """Keep a library; readers see the whole file or none."""
    file = _file(name)
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as part:
            pickle.dump(library, part, protocol=5)
        Path(part.name).replace(file)
    except OSError:
        return
