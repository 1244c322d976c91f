"""A cache filter: what is left of a program's accesses below its caches, which is what a memory controller sees.

Two first-level caches (instructions, data) over one last-level cache, all set-associative, write-back,
write-allocate and exact LRU, with lines of 64 bytes. A store miss fetches its line. A dirty victim of a first-level
cache goes to the last level without a fetch, because all of the line is there; a dirty victim of the last level is a
write to memory, right after the read that pushed it out. Lines still dirty at the end stay in the cache. There is no
prefetcher, no write-combining and no inclusion.

Virtual pages of 4 KiB are given frames 0, 1, 2, ... in the order of first touch, so that addresses are physical,
dense, and the same on every run; neighbours in memory are neighbours in time of first use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from archgym.errors import InvalidInput
from archgym.sims.dram.workloads.lackey import FETCH, STORE, Accesses
from archgym.sims.dram.workloads.request_trace import LINE_BYTES

PAGE_BYTES: Final = 4096
_PAGE_SLOTS: Final = 1 << 21
"""Size of the page table: programs touching up to 8 GiB fit."""
_HIT, _CLEAN = -2, -1
_COUNTERS: Final = 6
_INSTRUCTIONS, _CLOCK, _REQUESTS, _PAGES, _ACCESSES, _FIRST_LEVEL_MISSES = range(_COUNTERS)


@dataclass(frozen=True)
class CacheSize:
    """Capacity in bytes and associativity of one cache."""

    size_bytes: int
    ways: int

    def __post_init__(self) -> None:
        """Refuse sizes that do not divide into sets."""
        if self.ways < 1 or self.size_bytes < 1 or self.size_bytes % (self.ways * LINE_BYTES):
            raise InvalidInput(
                f"cache of {self.size_bytes} bytes and {self.ways} ways: expected a positive multiple of "
                f"{max(self.ways, 1) * LINE_BYTES} bytes (ways x {LINE_BYTES}-byte lines)"
            )

    @property
    def sets(self) -> int:
        """Number of sets; an address's set is its line number modulo this."""
        return self.size_bytes // (self.ways * LINE_BYTES)

    def __str__(self) -> str:
        """For example 32K/8."""
        kib, rest = divmod(self.size_bytes, 1024)
        return f"{self.size_bytes}B/{self.ways}" if rest else f"{kib}K/{self.ways}"


L1: Final = CacheSize(32 << 10, 8)
"""First level, instructions and data each: 32 KiB, 8 ways, as most cores since 2008 have."""
LLC: Final = CacheSize(1 << 20, 16)
"""Last level: 1 MiB, 16 ways, one core's share on common servers."""


class CacheFilter:
    """Keeps the requests that leave the last-level cache. Feed it accesses in program order."""

    def __init__(self, l1: CacheSize = L1, llc: CacheSize = LLC, skip: int = 0, limit: int = 100_000) -> None:
        """Begin with empty caches.

        Args:
            l1: of the instruction and of the data cache.
            llc: of the cache below both.
            skip: instructions that only warm the caches; time begins after them.
            limit: keep at most this many requests.

        Raises:
            InvalidInput: for a negative skip or a limit below 1.
        """
        if skip < 0 or limit < 1:
            raise InvalidInput(f"capture: got skip={skip} and limit={limit}, expected skip >= 0 and limit >= 1")
        self._levels = tuple(_empty(size) for size in (l1, l1, llc))
        self._pages = np.full(_PAGE_SLOTS, -1, np.int64), np.zeros(_PAGE_SLOTS, np.int64)
        self._counters = np.zeros(_COUNTERS, np.int64)
        self._line, self._write = np.empty(limit, np.int64), np.empty(limit, np.bool_)
        self._arrival = np.empty(limit, np.int64)
        self._skip = skip

    def feed(self, accesses: Accesses) -> bool:
        """Filter some accesses; False once the limit is reached, and the rest is not looked at.

        Raises:
            InvalidInput: when the program touches more memory than the page table holds.
        """
        kept = (self._line, self._write, self._arrival)
        state: tuple[Any, ...] = (*accesses, *self._levels, *self._pages, self._counters, self._skip, *kept)
        more = _run(*state)
        if self._counters[_PAGES] >= _PAGE_SLOTS - 1:
            raise InvalidInput(
                f"the program touches more than {_PAGE_SLOTS * PAGE_BYTES >> 30} GiB; capture a shorter run"
            )
        return bool(more)

    @property
    def instructions(self) -> int:
        """Instructions executed, the skipped ones included."""
        return int(self._counters[_INSTRUCTIONS])

    @property
    def accesses(self) -> int:
        """Cache lines asked for, instructions and data, after the skip."""
        return int(self._counters[_ACCESSES])

    @property
    def requests(self) -> tuple[NDArray[np.uint64], NDArray[np.bool_], NDArray[np.int64]]:
        """Byte address, write and arrival (in instructions since the skip) of what left the last-level cache."""
        n = int(self._counters[_REQUESTS])
        address = self._line[:n].astype(np.uint64) * np.uint64(LINE_BYTES)
        return address, self._write[:n].copy(), self._arrival[:n].copy()


def _empty(size: CacheSize) -> NDArray[np.int64]:
    """[tag, dirty, last use] of every way of every set; tag -1: empty, and unused since before time."""
    level = np.zeros((3, size.sets, size.ways), np.int64)
    level[0] = -1
    return level


@njit(cache=True, nogil=True)
def _access(level: Any, line: int, write: bool, clock: int) -> int:
    """Touch a line: _HIT, or after a miss the dirty line that was pushed out (_CLEAN: none)."""
    row = line % level.shape[1]
    oldest = 0
    for way in range(level.shape[2]):
        if level[0, row, way] == line:
            level[2, row, way] = clock
            level[1, row, way] |= write
            return _HIT
        if level[2, row, way] < level[2, row, oldest]:
            oldest = way
    victim = level[0, row, oldest] if level[1, row, oldest] else _CLEAN
    level[0, row, oldest] = line
    level[1, row, oldest] = write
    level[2, row, oldest] = clock
    return victim


@njit(cache=True, nogil=True)
def _frame(page: int, pages: Any, frames: Any, counters: Any) -> int:
    """The page's frame; a page seen for the first time gets the next one (open addressing, linear probing)."""
    slot = page % _PAGE_SLOTS  # a program's pages come in a few contiguous runs, which hardly meet
    while pages[slot] != page:
        if pages[slot] < 0:
            pages[slot] = page
            frames[slot] = counters[_PAGES]
            counters[_PAGES] += 1
            break
        slot = (slot + 1) % _PAGE_SLOTS
    return int(frames[slot])


@njit(cache=True, nogil=True)
def _keep(line: int, write: bool, skip: int, counters: Any, lines: Any, writes: Any, arrivals: Any) -> None:
    """Record a request, unless it belongs to the warm-up or there is no room."""
    n = counters[_REQUESTS]
    if counters[_INSTRUCTIONS] > skip and n < len(lines):
        lines[n], writes[n], arrivals[n] = line, write, counters[_INSTRUCTIONS] - skip - 1
        counters[_REQUESTS] += 1


@njit(cache=True, nogil=True)
def _run(
    kind: Any, address: Any, size: Any, l1i: Any, l1d: Any, llc: Any, pages: Any, frames: Any, counters: Any,
    skip: int, lines: Any, writes: Any, arrivals: Any,
) -> bool:  # fmt: skip
    """Pass accesses through the caches; False when the limit is reached or the page table is full."""
    per_page = PAGE_BYTES // LINE_BYTES
    for i in range(len(kind)):
        counters[_INSTRUCTIONS] += kind[i] == FETCH
        first, last = address[i] // LINE_BYTES, (address[i] + size[i] - 1) // LINE_BYTES
        for virtual in range(first, last + 1):
            if counters[_PAGES] >= _PAGE_SLOTS - 1:
                return False
            line = _frame(virtual // per_page, pages, frames, counters) * per_page + virtual % per_page
            counters[_CLOCK] += 1
            counters[_ACCESSES] += counters[_INSTRUCTIONS] > skip
            level1 = l1i if kind[i] == FETCH else l1d
            pushed = _access(level1, line, kind[i] == STORE, counters[_CLOCK])
            if pushed == _HIT:
                continue
            out = _access(llc, line, False, counters[_CLOCK])
            if out != _HIT:
                _keep(line, False, skip, counters, lines, writes, arrivals)
            if out >= 0:
                _keep(out, True, skip, counters, lines, writes, arrivals)
            if pushed >= 0:
                counters[_CLOCK] += 1
                out = _access(llc, pushed, True, counters[_CLOCK])
                if out >= 0:
                    _keep(out, True, skip, counters, lines, writes, arrivals)
            if counters[_REQUESTS] == len(lines):
                return False
    return True
