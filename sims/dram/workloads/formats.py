"""The text formats of other DRAM simulators: what one line looks like, and how to write one.

* stl: DRAMSys, configs/README.md "STL Traces" and src/DRAMSys/initiators/player/StlPlayer.cpp
* dramsim3: DRAMsim3, src/common.cc `operator>>(istream&, Transaction&)`
* ramulator-ldst: Ramulator 2.1, src/ramulator/frontend/impl/memory_trace/loadstore_trace.cpp
* ramulator-rw: `R|W address [cycle]`, one flat address; Ramulator 2.1's own R/W traces hold address vectors
  (channel,rank,...), which mean nothing without the device and mapping they were made for, and are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

ADDRESS_BITS: Final = 52
"""Addresses are below 2^52, the widest physical address of x86-64 and Armv8.2; more is taken for a damaged file."""
CYCLE_BITS: Final = 48
"""Arrival cycles are below 2^48 (days of simulated time), so that picoseconds fit 63 bits at any clock >= 31 MHz."""


@dataclass(frozen=True)
class Format:
    """One text format. The pattern's groups are named address, operation and, where it has them, cycle and length."""

    name: str
    shape: str
    """What a line looks like, for error messages."""
    line: re.Pattern[bytes]
    writes: frozenset[bytes]
    """Operations that write, in lower case; all others the pattern accepts read."""
    hexadecimal: bool
    """Whether addresses without 0x are hexadecimal."""
    render: Callable[[int, bool, int], str]
    """One line from address, write, cycle."""
    timed: bool = True
    """Whether lines carry cycles; without them, every request arrives at cycle 0."""

    @property
    def expected(self) -> str:
        """What a line must be, for error messages."""
        cycles = f" and 0 <= cycle < 2^{CYCLE_BITS}" if self.timed else ""
        return f"{self.shape!r} with 0 <= address < 2^{ADDRESS_BITS}{cycles}"


def _pattern(text: bytes) -> re.Pattern[bytes]:
    """A whole line; a tilde stands for at least one space or tab."""
    body = text.replace(b"~", rb"[ \t]+")
    return re.compile(rb"^[ \t]*" + body + rb"[ \t\r]*$", re.MULTILINE | re.IGNORECASE)


_NUMBER = rb"(?P<address>0x[0-9a-f]{1,16}|[0-9]{1,19})"
_HEX = rb"(?:0x)?(?P<address>[0-9a-f]{1,16})"
_CYCLE = rb"(?P<cycle>[0-9]{1,19})"
_LENGTH = rb"\([ \t]*(?P<length>[0-9]{1,9})[ \t]*\)"

FORMATS: Final = {
    "stl": Format(
        "stl",
        "cycle: [(bytes)] read|write hex-address [data]",
        _pattern(
            _CYCLE
            + rb"[ \t]*:[ \t]*(?:"
            + _LENGTH
            + rb"[ \t]*)?(?P<operation>read|write)~"
            + _HEX
            + rb"(?:~[0-9a-fx]+)?"
        ),
        frozenset([b"write"]),
        hexadecimal=True,
        render=lambda address, write, cycle: f"{cycle}:\t{'write' if write else 'read'}\t0x{address:X}",
    ),
    "dramsim3": Format(
        "dramsim3",
        "hex-address READ|WRITE cycle",
        _pattern(_HEX + rb"~(?P<operation>READ|WRITE|P_FETCH|P_MEM_RD|P_MEM_WR|BOFF)~" + _CYCLE),
        frozenset([b"write", b"p_mem_wr", b"boff"]),
        hexadecimal=True,
        render=lambda address, write, cycle: f"0x{address:x} {'WRITE' if write else 'READ'} {cycle}",
    ),
    "ramulator-ldst": Format(
        "ramulator-ldst",
        "LD|ST address",
        _pattern(rb"(?P<operation>LD|ST)~" + _NUMBER),
        frozenset([b"st"]),
        hexadecimal=False,
        render=lambda address, write, _: f"{'ST' if write else 'LD'} {address}",
        timed=False,
    ),
    "ramulator-rw": Format(
        "ramulator-rw",
        "R|W address [cycle]",
        _pattern(rb"(?P<operation>R|W)~" + _NUMBER + rb"(?:~" + _CYCLE + rb")?"),
        frozenset([b"w"]),
        hexadecimal=False,
        render=lambda address, write, cycle: f"{'W' if write else 'R'} {address} {cycle}",
    ),
}
"""Text formats by name."""
