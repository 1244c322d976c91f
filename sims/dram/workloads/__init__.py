"""Workloads by name, by specification ("mix:n=20000,gap=10") or by path: `load(name)` gives a `Trace`."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path

from archgym.errors import TraceError, UnknownName
from archgym.sims.dram.workloads.generators import GENERATORS
from archgym.sims.dram.workloads.registry import WORKLOADS, Workload
from archgym.sims.dram.workloads.request_trace import LINE_BYTES, Trace
from archgym.sims.dram.workloads.spec import parse

__all__ = ["GENERATORS", "LINE_BYTES", "WORKLOADS", "Trace", "Workload", "fingerprint", "load"]


def load(name_or_path: str | os.PathLike[str]) -> Trace:
    """Give the requests of a registered workload, a generator's specification, or a trace file.

    Raises:
        UnknownName: when it is none of them.
        TraceError: when the file cannot be read.
        InvalidInput: when a specification is wrong.
    """
    name = os.fspath(name_or_path)
    if name in WORKLOADS or _is_spec(name):
        return _made(name)
    path = _existing(name)
    status = path.stat()
    return _read(str(path), (status.st_mtime_ns, status.st_size))


def fingerprint(name_or_path: str | os.PathLike[str]) -> str:
    """Identify the requests: by name and version when they are made here, by content when they come from a file.

    Raises:
        UnknownName, TraceError, InvalidInput: as `load`.
    """
    name = os.fspath(name_or_path)
    if name in WORKLOADS:
        return f"{name}@{WORKLOADS[name].version}"
    if _is_spec(name):
        generator = parse(name)
        return f"{generator.label}@{generator.version}"
    try:
        return "sha256:" + hashlib.sha256(_existing(name).read_bytes()).hexdigest()
    except OSError as error:
        raise TraceError(f"{name}: cannot be read: {error.strerror}") from error


def _is_spec(name: str) -> bool:
    family, colon, _ = name.partition(":")
    return family in GENERATORS or bool(colon and family.isidentifier() and not Path(name).exists())


def _existing(name: str) -> Path:
    path = Path(name).expanduser()
    if path.is_file():
        return path
    if path.is_dir():
        raise TraceError(f"{name}: is a directory, expected a trace file")
    if path.suffix or path.parent != Path():
        raise TraceError(
            f"{name}: no such file; a workload is a path to a trace file, or one of: {', '.join(WORKLOADS)}"
        )
    raise UnknownName("workload (and no file has this name)", name, {*WORKLOADS, *GENERATORS})


@lru_cache(maxsize=32)
def _made(name: str) -> Trace:
    return WORKLOADS[name].make() if name in WORKLOADS else parse(name).make(name)


@lru_cache(maxsize=8)
def _read(path: str, stamp: tuple[int, int]) -> Trace:  # noqa: ARG001 - part of the key: an edited file is read again
    from archgym.sims.dram.workloads.readers import read

    return read(path)
