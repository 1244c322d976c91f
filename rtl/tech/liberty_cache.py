"""Parsed libraries by content, in the user's cache folder; a cache that cannot be used is no error."""

from __future__ import annotations

import gc
import hashlib
import io
import math
import os
import pickle
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, final

import numpy as np
from numpy.typing import NDArray

from archgym.rtl.tech.library_cells import Library
from archgym.rtl.tech.user_folders import cache_folder

__all__ = ["key", "load", "save"]

_VERSION = 4
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
    collecting = gc.isenabled()
    try:
        # Unpickling runs what the file says: only a file of this very user, as it is of code in the home folder.
        if hasattr(os, "getuid") and file.stat().st_uid != os.getuid():
            return None
        gc.disable()  # a hundred thousand new objects, none of them garbage
        with file.open("rb") as stream:
            found = _read(stream)
    except (OSError, pickle.UnpicklingError, EOFError, AttributeError, ImportError, LookupError, TypeError, ValueError):
        return None
    finally:
        if collecting:
            gc.enable()
    return found if isinstance(found, Library) else None


def save(name: str, library: Library) -> None:
    """Keep a library; readers see the whole file or none."""
    file = _file(name)
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as part:
            _dump(library, part)
        Path(part.name).replace(file)
    except OSError:
        return


@final
class _Saver(pickle.Pickler):
    """Collects the arrays instead of writing them: tens of thousands of small ones take most of the time of reading."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(stream, protocol=5)
        self.arrays: dict[int, NDArray[np.float64]] = {}

    def persistent_id(self, obj: object) -> int | None:
        if not isinstance(obj, np.ndarray):
            return None
        self.arrays.setdefault(id(obj), obj)
        return id(obj)


@final
class _Loader(pickle.Unpickler):
    """Puts the arrays back."""

    def __init__(self, stream: IO[bytes], arrays: dict[int, NDArray[np.float64]]) -> None:
        super().__init__(stream)
        self.persistent_load = arrays.__getitem__  # type: ignore[method-assign]


def _dump(library: Library, stream: IO[bytes]) -> None:
    objects = io.BytesIO()
    saver = _Saver(objects)
    saver.dump(library)
    arrays = saver.arrays
    values = np.concatenate([array.ravel() for array in arrays.values()]) if arrays else np.zeros(0)
    pickle.dump((list(arrays), [array.shape for array in arrays.values()], values), stream, protocol=5)
    stream.write(objects.getvalue())


def _read(stream: IO[bytes]) -> object:
    numbers, shapes, values = pickle.load(stream)  # noqa: S301 - see load()
    arrays, start = {}, 0
    for number, shape in zip(numbers, shapes, strict=True):
        size = math.prod(shape)
        arrays[number] = values[start : start + size].reshape(shape)
        start += size
    return _Loader(stream, arrays).load()
