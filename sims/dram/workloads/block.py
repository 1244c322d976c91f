"""A block of trace text into columns: all lines at once when they are right, one by one to find the wrong one."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from archgym.sims.dram.workloads.formats import ADDRESS_BITS, CYCLE_BITS, Format
from archgym.sims.dram.workloads.request_trace import LINE_BYTES

MAX_LENGTH_BYTES: Final = 1 << 20
"""A request for more bytes than this is taken for a damaged file."""
REQUEST: Final = re.compile(rb"^[ \t\r]*[^\s#]", re.MULTILINE)
"""The beginning of a line that is neither blank nor a comment."""

Columns = tuple[NDArray[np.uint64], NDArray[np.bool_], NDArray[np.int64]]


class Malformed(Exception):
    """Raised with the index of the wrong line within the block, the line, and what was expected instead."""

    def __init__(self, text: bytes, request: int, expected: str) -> None:
        """Blame the request-th line of the text that holds a request."""
        lines = text.split(b"\n")
        self.line = [i for i, line in enumerate(lines) if REQUEST.match(line)][request]
        shown = lines[self.line].decode("utf-8", "backslashreplace").strip()
        self.got = repr(shown if len(shown) <= 60 else shown[:57] + "...")
        super().__init__(f"got {self.got}, expected {expected}")


def parse(text: bytes, form: Format, last_cycle: int) -> Columns:
    """Addresses, writes and arrivals of whole lines; `last_cycle` is the latest arrival before them.

    Raises:
        Malformed: for the first line that is not in the format, out of range, or earlier than the one before.
    """
    rows = form.line.findall(text)
    requests = REQUEST.findall(text)
    if len(rows) != len(requests):
        whole = [line for line in text.split(b"\n") if REQUEST.match(line)]
        wrong = next(i for i, line in enumerate(whole) if not form.line.match(line))
        raise Malformed(text, wrong, form.expected)
    fields = {name: [row[group - 1] for row in rows] for name, group in form.line.groupindex.items()}
    address = np.array([_number(token, form.hexadecimal) for token in fields["address"]], dtype=np.uint64)
    write = np.array([token.lower() in form.writes for token in fields["operation"]], dtype=np.bool_)
    cycle = np.array([int(token or b"0") for token in fields["cycle"]] if form.timed else [0] * len(rows), np.uint64)
    _refuse(text, address >= np.uint64(1 << ADDRESS_BITS), form.expected)
    _refuse(text, cycle >= np.uint64(1 << CYCLE_BITS), form.expected)
    arrival = cycle.astype(np.int64)
    _refuse(text, np.diff(arrival, prepend=last_cycle) < 0, "a cycle not before the previous request's")
    if any(fields.get("length", ())):
        return _split(text, fields["length"], address, write, arrival)
    return address, write, arrival


def _number(token: bytes, hexadecimal: bool) -> int:
    return int(token, 16) if hexadecimal or token[1:2] in {b"x", b"X"} else int(token)


def _refuse(text: bytes, wrong: NDArray[np.bool_], expected: str) -> None:
    if wrong.any():
        raise Malformed(text, int(wrong.argmax()), expected)


def _split(
    text: bytes, tokens: list[bytes], address: NDArray[np.uint64], write: NDArray[np.bool_], arrival: NDArray[np.int64]
) -> Columns:
    """One request for every line that a request of a given length touches; without a length, just its own line."""
    length = np.array([int(token or b"1") for token in tokens], dtype=np.int64)
    _refuse(text, (length < 1) | (length > MAX_LENGTH_BYTES), f"a length of 1 to {MAX_LENGTH_BYTES} bytes")
    first = (address // np.uint64(LINE_BYTES)).astype(np.int64)
    last = (address.astype(np.int64) + length - 1) // LINE_BYTES
    count = last - first + 1
    place = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)  # 0, 1, ... within each request
    lines = (np.repeat(first, count) + place).astype(np.uint64) * np.uint64(LINE_BYTES)
    split = np.where(place == 0, np.repeat(address, count), lines)
    return split.astype(np.uint64), np.repeat(write, count), np.repeat(arrival, count)
