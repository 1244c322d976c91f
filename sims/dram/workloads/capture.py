"""Traces of real programs: run one under valgrind, pass its accesses through caches, keep what reaches memory.

Time is counted in instructions: a request arrives `clock_ps` picoseconds times the instructions since the capture
began, as if the core retired one instruction every `clock_ps` and never waited for memory. That is a fair rate for the
order and the burstiness of requests, not a model of a core: an out-of-order core overlaps misses and stalls on others.
Only the first process is followed, not what it forks or what it turns into by exec: name the program itself, not a
shell or a wrapper script.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from archgym.errors import ArchGymError, InvalidInput
from archgym.sims.dram.workloads.cache import L1, LLC, CacheFilter, CacheSize
from archgym.sims.dram.workloads.lackey import LackeyParser
from archgym.sims.dram.workloads.request_trace import Trace
from archgym.sims.dram.workloads.writers import form_of, write

CLOCK_PS: Final = 500
"""Time of one instruction: 2e9 a second."""
_CHUNK_BYTES: Final = 4 << 20


class MissingTool(ArchGymError):
    """Raised when a program that ArchGym calls is not installed."""


@dataclass(frozen=True)
class Captured:
    """What a capture gave: the trace, and what it is a part of."""

    trace: Trace
    instructions: int
    """Instructions executed until the capture ended, the skipped ones included."""
    accesses: int
    """Cache lines the program asked its first-level caches for, after the skip."""
    complete: bool
    """Whether the program ran to its end; False: the limit was reached and it was stopped."""


def capture(
    command: Sequence[str],
    out: str | Path,
    *,
    l1: CacheSize = L1,
    llc: CacheSize = LLC,
    skip: int = 0,
    limit: int = 100_000,
    clock_ps: int = CLOCK_PS,
) -> Captured:
    """Run a command under valgrind and write the memory requests it would make.

    Args:
        command: program and arguments; its output is thrown away.
        out: trace file to write; its suffix says the format (see `writers.SUFFIXES`; .npz is the smallest).
        l1: first-level caches, instructions and data each.
        llc: last-level cache.
        skip: instructions that only warm the caches.
        limit: stop after this many requests.
        clock_ps: picoseconds an instruction takes.

    Raises:
        MissingTool: without valgrind.
        InvalidInput: for an option out of range, a command that is not found or fails, or one that never misses.
        TraceError: when valgrind's output is not understood.
    """
    out = Path(out)
    form_of(out)  # before the run, which may be long
    if clock_ps < 1:
        raise InvalidInput(f"capture: got clock_ps={clock_ps}, expected at least 1")
    cache = CacheFilter(l1, llc, skip, limit)
    complete = _trace(_valgrind(command), cache)
    address, writes, arrival = cache.requests
    if not len(address):
        raise InvalidInput(
            f"capture: {command[0]} made no memory request after {skip} of its {cache.instructions} instructions; "
            "expected a longer run, smaller caches or a smaller skip"
        )
    source = f"{shlex.join(command)}; L1 {l1}, LLC {llc}, skip {skip}, limit {limit}, {clock_ps} ps an instruction"
    trace = Trace.of(out.name.partition(".")[0], address, writes, arrival, clock_ps, source)
    write(trace, out)
    return Captured(trace, cache.instructions, cache.accesses, complete)


def _valgrind(command: Sequence[str]) -> list[str]:
    """Valgrind, its options and the command."""
    if not command:
        raise InvalidInput("capture: got no command, expected: archgym trace capture [OPTIONS] -- COMMAND...")
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise MissingTool("capturing a trace needs valgrind; install it with: sudo apt-get install valgrind")
    program = shutil.which(command[0])
    if program is None:
        raise InvalidInput(f"capture: command {command[0]!r} not found, expected a program on PATH or a path to one")
    options = ["--tool=lackey", "--trace-mem=yes", "--child-silent-after-fork=yes"]
    return [valgrind, *options, "--", program, *command[1:]]


def _trace(command: list[str], cache: CacheFilter) -> bool:
    """Feed the cache with the command's accesses; False when the cache's limit ended the run."""
    source, sink = os.pipe()
    with os.fdopen(source, "rb", buffering=0) as pipe, tempfile.TemporaryFile() as messages:
        try:
            process = subprocess.Popen(
                [command[0], f"--log-fd={sink}", *command[1:]],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=messages,
                pass_fds=(sink,),
                start_new_session=True,  # its own group, so that its children can be stopped with it
            )
        finally:
            os.close(sink)
        complete = False
        try:
            complete = _follow(pipe.fileno(), cache)
        finally:
            if not complete:
                os.killpg(process.pid, signal.SIGKILL)
            status = process.wait()
        if complete and status:
            messages.seek(0)
            said = messages.read().decode("utf-8", "replace").strip().splitlines() or ["(it said nothing)"]
            raise InvalidInput(f"capture: the command ended with status {status}: {said[-1]}")
    return complete


def _follow(pipe: int, cache: CacheFilter) -> bool:
    """Read to the end of the program (True) or until the cache wants no more (False)."""
    parser = LackeyParser()
    while chunk := os.read(pipe, _CHUNK_BYTES):
        if not cache.feed(parser.feed(chunk)):
            return False
    parser.close()
    return True
