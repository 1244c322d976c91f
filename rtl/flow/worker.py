"""Synthesis workers: a crash, an error or a hang of a tool becomes a status, and the next job is not affected."""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, final

from archgym.child_process import one_thread
from archgym.core import FAILED, OK, TIMEOUT
from archgym.errors import MissingDependency
from archgym.rtl.flow import scratch
from archgym.rtl.flow.limits import RAISE, Limits
from archgym.rtl.flow.messages import out_of_memory, tool_message

__all__ = ["Outcome", "Steps", "Worker", "close_all", "worker"]


@final
@dataclass(frozen=True)
class Outcome:
    """How a job ended: "ok", "failed" or "timeout", the tool's own sentence, and what it cost."""

    status: str
    reason: str = ""
    cpu_s: float = 0.0


@final
@dataclass(frozen=True)
class Steps:
    """Yosys commands, and branches that each go on from where they lead, independently of each other."""

    commands: tuple[str, ...]
    branches: tuple[Steps, ...] = ()

    def plain(self) -> dict[str, Any]:
        """As the worker's program reads it."""
        return {"commands": list(self.commands), "branches": [branch.plain() for branch in self.branches]}


@final
class Worker:
    """A process with Yosys; jobs are Yosys commands run in a folder, with a fresh design each."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, steps: Steps | Sequence[str], folder: Path, limits: Limits) -> Outcome:
        """Run commands in a folder; the log is its `log.txt`.

        Raises:
            MissingDependency: when Yosys is not installed.
        """
        job = {
            "folder": str(folder),
            "steps": (steps if isinstance(steps, Steps) else Steps(tuple(steps))).plain(),
            "seconds": limits.seconds,
            "memory_mib": limits.memory_mib,
        }
        try:
            answer = self._ask(job)
        except BaseException:  # Ctrl-C: the job goes with who asked for it
            self.close()
            raise
        if answer is None:
            return Outcome(FAILED, "the worker process was ended from outside")
        if answer["late"]:
            advice = f"{RAISE} of seconds if it is worth more"
            return Outcome(TIMEOUT, f"no result within {limits.seconds:g} s; {advice}", answer["cpu_s"])
        if answer["code"] != 0:
            return Outcome(FAILED, _last_words(folder, answer["code"], limits), answer["cpu_s"])
        return Outcome(OK, "", answer["cpu_s"])

    def close(self) -> None:
        """End the process and everything it started."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(BrokenPipeError):
            process.stdin.close()  # an idle worker ends by itself
        try:
            process.wait(1.0)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait()
        process.stdout.close()

    def _ask(self, job: dict[str, Any]) -> dict[str, Any] | None:
        """The answer to a job; None if the process has ended."""
        process = self._ready()
        assert process.stdin is not None
        with suppress(BrokenPipeError):
            process.stdin.write(json.dumps(job).encode() + b"\n")
            process.stdin.flush()
        return self._answer(process)

    def _answer(self, process: subprocess.Popen[bytes]) -> dict[str, Any] | None:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            self.close()
            return None
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _ready(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.close()
        if find_spec("pyosys") is None:
            raise MissingDependency("pyosys", "rtl", "synthesis")
        paths = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
        with one_thread():
            self._process = subprocess.Popen(
                [sys.executable, "-m", "archgym.rtl.flow.worker_child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the parent
                # Yosys and ABC keep their own temporary files below, and the library in ABC's binary form.
                env={**os.environ, "PYTHONPATH": paths, "TMPDIR": str(scratch.process_folder())},
            )
        if self._answer(self._process) is None:
            raise MissingDependency("pyosys", "rtl", "synthesis (its process did not start)")
        return self._process


def _last_words(folder: Path, code: int, limits: Limits) -> str:
    file = folder / "log.txt"
    log = file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
    if out_of_memory(log):
        return f"needs more memory than {limits.memory_mib:,} MiB; {RAISE} of memory"
    if message := tool_message(log):
        return message
    last = next((line[3:] for line in reversed(log.splitlines()) if line.startswith(">> ")), "")
    how = signal.Signals(-code).name if code < 0 else f"exit status {code}"
    return f"Yosys ended with {how}" + (f" in {last.split()[0]!r}" if last else "")


_idle: list[Worker] = []
_guard = threading.Lock()


@contextmanager
def worker() -> Iterator[Worker]:
    """An idle worker of this process, or a new one; it goes back when done."""
    with _guard:
        mine = _idle.pop() if _idle else Worker()
    try:
        yield mine
    finally:
        with _guard:
            _idle.append(mine)


@atexit.register
def close_all() -> None:
    """End the idle workers of this process."""
    with _guard:
        while _idle:
            _idle.pop().close()
