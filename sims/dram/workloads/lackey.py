"""The text valgrind's lackey tool prints: one line an instruction fetch (I), load (L), store (S) or modify (M).

Format (valgrind manual, "Lackey", --trace-mem): `I  04016b80,3`, ` L 1ffefffe7c,4`, ` S ...`, ` M ...`: hexadecimal
virtual address, comma, size in bytes. Lines that begin with `==` or `--` are valgrind's own messages.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from archgym.errors import TraceError

FETCH, LOAD, STORE = 0, 1, 2  # a modify is a store: both need the line and leave it dirty
_SHORTEST: Final = 5  # "I  0," and a digit would be six with its newline; no access is shorter
_NEWLINE, _COMMA, _SPACE, _EQUALS, _DASH = (ord(c) for c in "\n, =-")
_I, _L, _S, _M, _ZERO, _A = (ord(c) for c in "ILSM0a")

Accesses = tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]


class LackeyParser:
    """Turns chunks of text, cut anywhere, into accesses."""

    def __init__(self) -> None:
        """Begin at line 1."""
        self._rest = b""
        self._line = 1

    def feed(self, chunk: bytes) -> Accesses:
        """Kinds, addresses and sizes of the lines that are complete by now.

        Raises:
            TraceError: at a line that is neither an access nor a message of valgrind's.
        """
        whole, newline, self._rest = (self._rest + chunk).rpartition(b"\n")
        text = np.frombuffer(whole + newline, dtype=np.uint8)
        room = len(text) // _SHORTEST + 1
        kind, address, size = np.empty(room, np.uint8), np.empty(room, np.int64), np.empty(room, np.int64)
        count, lines, wrong = _parse(text, kind, address, size)
        if wrong >= 0:
            line = bytes(text[wrong : wrong + 60]).partition(b"\n")[0]
            expected = "'I|L|S|M address,size' or '==message'"
            raise TraceError(f"lackey output: line {self._line + lines}: got {line!r}, expected {expected}")
        self._line += lines
        return kind[:count], address[:count], size[:count]

    def close(self) -> None:
        """Check that the text ended with a whole line.

        Raises:
            TraceError: when it did not.
        """
        if self._rest:
            raise TraceError(f"lackey output: line {self._line}: got {self._rest[:60]!r}, expected a whole line")


@njit(cache=True, nogil=True)
def _digit(character: int) -> int:
    """A hexadecimal digit's value; -1 for any other character."""
    if _ZERO <= character < _ZERO + 10:
        return character - _ZERO
    if _A <= character < _A + 6:
        return character - _A + 10
    return -1


@njit(cache=True, nogil=True)
def _parse(text: Any, kind: Any, address: Any, size: Any) -> tuple[int, int, int]:
    """Fill the columns; returns accesses and lines read, and where the first wrong line begins (-1: none)."""
    count, lines, at = 0, 0, 0
    while at < len(text):
        start = at
        first = text[at]
        if first == _EQUALS or first == _DASH:
            while text[at] != _NEWLINE:
                at += 1
        elif first == _I or first == _SPACE:
            letter = first if first == _I else text[min(at + 1, len(text) - 1)]
            if letter != _I and letter != _L and letter != _S and letter != _M:
                return count, lines, start
            at += 2
            while at < len(text) and text[at] == _SPACE:
                at += 1
            value, digits = np.int64(0), 0
            while at < len(text) and _digit(np.int64(text[at])) >= 0 and digits < 15:
                value = value * 16 + _digit(np.int64(text[at]))
                at += 1
                digits += 1
            if digits == 0 or at >= len(text) or text[at] != _COMMA:
                return count, lines, start
            at += 1
            bytes_moved, digits = np.int64(0), 0
            while at < len(text) and 0 <= np.int64(text[at]) - _ZERO < 10 and digits < 6:
                bytes_moved = bytes_moved * 10 + (np.int64(text[at]) - _ZERO)
                at += 1
                digits += 1
            if bytes_moved == 0 or at >= len(text) or text[at] != _NEWLINE:
                return count, lines, start
            kind[count] = FETCH if letter == _I else (LOAD if letter == _L else STORE)
            address[count] = value
            size[count] = bytes_moved
            count += 1
        else:
            return count, lines, start
        at += 1
        lines += 1
    return count, lines, -1
