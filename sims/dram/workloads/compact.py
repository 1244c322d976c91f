"""Traces as small .npz files: differences of addresses and arrivals in the narrowest integers, deflated."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archgym.errors import InvalidInput, TraceError
from archgym.sims.dram.workloads.request_trace import Trace

_VERSION = 1


def save(trace: Trace, path: Path) -> None:
    """Write a trace; the same trace gives the same bytes."""
    unit = int(np.gcd.reduce(trace.address)) or 1
    np.savez_compressed(
        path,
        version=_VERSION,
        unit=unit,
        step=_narrow(np.diff((trace.address // np.uint64(unit)).astype(np.int64), prepend=0)),
        wait=_narrow(np.diff(trace.arrival, prepend=0)),
        write=np.packbits(trace.write),
        clock_ps=trace.clock_ps,
        source=trace.source,
    )


def load(path: Path, name: str | None = None) -> Trace:
    """Read what `save` wrote; the trace is called by its path unless `name` is given.

    Raises:
        TraceError: when the file is no such trace or is damaged.
    """
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            if int(file["version"]) != _VERSION:
                raise TraceError(f"{path}: trace format version {file['version']}, expected {_VERSION}")
            address = np.cumsum(file["step"], dtype=np.int64).astype(np.uint64) * np.uint64(file["unit"])
            write = np.unpackbits(file["write"], count=len(address)).astype(np.bool_)
            arrival = np.cumsum(file["wait"], dtype=np.int64)
            return Trace.of(name or str(path), address, write, arrival, int(file["clock_ps"]), str(file["source"]))
    except (KeyError, ValueError, TypeError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        if isinstance(error, TraceError):
            raise
        detail = error if isinstance(error, InvalidInput) else f"not a trace saved by archgym, or damaged ({error})"
        raise TraceError(f"{path}: {detail}") from error


def _narrow(values: NDArray[np.int64]) -> NDArray[np.signedinteger]:
    """The same values in the narrowest signed type."""
    kind = np.promote_types(np.min_scalar_type(int(values.min())), np.min_scalar_type(-int(abs(values).max()) - 1))
    return values.astype(kind)
