"""Trace files in, `Trace` out; what is wrong with a file is said with its line."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from archgym.errors import TraceError, UnknownName
from archgym.sims.dram.workloads import compact
from archgym.sims.dram.workloads.block import REQUEST, Columns, Malformed, parse
from archgym.sims.dram.workloads.formats import FORMATS, Format
from archgym.sims.dram.workloads.request_trace import Trace

_BLOCK_BYTES: Final = 16 << 20
_CLOCK: Final = re.compile(rb"^#[ \t]*clock_ps[ \t]*=[ \t]*([0-9]{1,6})[ \t\r]*$", re.MULTILINE)
_ZIP, _GZIP = b"PK\x03\x04", b"\x1f\x8b"


def read(path: str | Path, form: str | None = None, clock_ps: int | None = None) -> Trace:
    """Read a trace file, gzipped or not.

    Args:
        path: a file in one of `FORMATS`, or one that `write` made with the suffix .npz.
        form: the format's name; None: tell by the first request.
        clock_ps: picoseconds per cycle of the file's time stamps, 0 for the memory's own clock; None: what a comment
            `# clock_ps = N` in the file says, else 0.

    Raises:
        TraceError: when the file cannot be read, is damaged or malformed, or holds no request.
        UnknownName: for an unknown format.
    """
    if form is not None and form not in FORMATS:
        raise UnknownName("trace format", form, FORMATS)
    path = Path(path)
    try:
        with path.open("rb") as file:
            magic = file.read(4)
        if magic == _ZIP:
            return compact.load(path)
        blocks, clock = _parse(path, magic[:2] == _GZIP, FORMATS[form] if form else None)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise TraceError(f"{path}: truncated or damaged gzip file: {error}") from error
    except OSError as error:
        raise TraceError(f"{path}: cannot be read: {error.strerror or error}") from error
    if not blocks:
        raise TraceError(f"{path}: holds no request, expected at least one")
    address, write, arrival = (np.concatenate(column) for column in zip(*blocks, strict=True))
    return Trace.of(str(path), address, write, arrival, clock if clock_ps is None else clock_ps, f"file {path.name}")


def _parse(path: Path, gzipped: bool, form: Format | None) -> tuple[list[Columns], int]:
    """The columns of every block that holds requests, and the clock period the file names (0: none)."""
    if path.name.removesuffix(".gz").endswith(".rstl"):
        raise TraceError(f"{path}: stamps of an .rstl file count from the last answer, expected absolute cycles (.stl)")
    line, cycle, clock = 1, 0, 0
    columns: list[Columns] = []
    for text in _blocks(path, gzipped):
        if line == 1 and (stamp := _CLOCK.search(text)):
            clock = int(stamp[1])
        if first := REQUEST.search(text):
            try:
                form = form or _detect(text, first)
                columns.append(parse(text, form, cycle))
            except Malformed as wrong:
                raise TraceError(f"{path}: line {line + wrong.line}: {wrong}") from wrong
            cycle = int(columns[-1][2][-1])
        line += text.count(b"\n")
    return columns, clock


def _blocks(path: Path, gzipped: bool) -> Iterator[bytes]:
    """Whole lines, about `_BLOCK_BYTES` at a time."""
    rest = b""
    with gzip.open(path) if gzipped else path.open("rb") as file:
        while chunk := file.read(_BLOCK_BYTES):
            if b"\0" in chunk:
                raise TraceError(f"{path}: binary data, expected text ({', '.join(FORMATS)}), gzipped text or .npz")
            whole, newline, tail = chunk.rpartition(b"\n")
            if newline:
                yield rest + whole + newline
            rest = tail if newline else rest + chunk
            if len(rest) > _BLOCK_BYTES:
                raise TraceError(f"{path}: a line longer than {_BLOCK_BYTES} bytes, expected one request a line")
    if rest:
        yield rest


def _detect(text: bytes, first: re.Match[bytes]) -> Format:
    """The format of the first request."""
    line = text[first.start() :].partition(b"\n")[0]
    for form in FORMATS.values():
        if form.line.match(line):
            return form
    raise Malformed(text, 0, " or ".join(f"{form.shape!r} ({form.name})" for form in FORMATS.values()))
