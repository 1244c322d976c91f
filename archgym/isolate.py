"""Time limits: a simulator in a process of its own, killed and restarted when it hangs or dies."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, final

from archgym.core import FAILED, TIMEOUT, Designs, Evaluations, Simulator
from archgym.errors import ArchGymError, InvalidInput, StoreError

__all__ = ["PLUGIN_TIMEOUT_S", "Isolated"]

PLUGIN_TIMEOUT_S = 600.0
"""Limit for one design of a simulator that another package provides, unless the experiment gives one."""

_START_S = 120.0  # importing and building a simulator on a busy machine, Numba compilation included
_LARGEST_CHUNK = 4096
_FILL = 0.5  # how much of the limit a batch may be expected to take, once the time of one design is known


@final
class Isolated(Simulator):
    """Runs `simulator` (as `build_simulator` makes it) in a child process, with a limit for each design.

    A batch is given the limit of one design; if that does not suffice, or the child dies, its designs are scored one by
    one, so that only those to blame have no numbers. Later batches are as large as fits the limit.
    """

    def __init__(
        self, inner: Simulator, environment: str, options: Mapping[str, Any], fix: Mapping[str, Any], timeout_s: float
    ) -> None:
        """Describe `inner` here and score its designs in a child built from the other arguments."""
        self.inner, self.timeout_s = inner, timeout_s
        self.name, self.version, self.space = inner.name, inner.version, inner.space
        self.metrics, self.workloads, self.options = inner.metrics, inner.workloads, inner.options
        self._recipe = (environment, dict(options), dict(fix))
        self._process: Any = None
        self._pipe: Connection | None = None
        self._chunk = _LARGEST_CHUNK

    def canonical(self, designs: Designs) -> Designs:
        """The simulator's own."""
        return self.inner.canonical(designs)

    def workload_fingerprint(self, workload: str) -> str:
        """The simulator's own."""
        return self.inner.workload_fingerprint(workload)

    def simulate(self, designs: Designs, workload: str) -> Evaluations:
        """Score designs; those that hang are "timeout", those that kill the process "failed".

        Raises:
            ArchGymError: what the simulator refuses on purpose; any other exception is raised as it was.
        """
        parts: list[Evaluations] = []
        start = 0
        while start < len(designs):
            chunk = designs[start : start + self._chunk]
            start += len(chunk)
            answer = self._ask(chunk, workload)
            if isinstance(answer, Evaluations):
                parts.append(answer)
            elif len(chunk) == 1:
                parts.append(Evaluations.unscored(self.metrics, 1, *answer))
            else:
                parts += self._one_by_one(chunk, workload)
        return Evaluations.concatenate(parts) if parts else self.inner.simulate(designs, workload)

    def _one_by_one(self, designs: Designs, workload: str) -> list[Evaluations]:
        parts: list[Evaluations] = []
        slowest_s = 0.0
        for row in range(len(designs)):
            began = time.monotonic()
            answer = self._ask(designs[row : row + 1], workload)
            if isinstance(answer, Evaluations):
                slowest_s = max(slowest_s, time.monotonic() - began)
                parts.append(answer)
            else:
                parts.append(Evaluations.unscored(self.metrics, 1, *answer))
        if slowest_s > 0:
            self._chunk = min(max(int(_FILL * self.timeout_s / slowest_s), 1), _LARGEST_CHUNK)
        return parts

    def close(self) -> None:
        """End the child and what it started."""
        if self._process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)  # programs it runs must not outlive it
            self._process.kill()
            self._process.join()
            self._process = None
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None

    def _ask(self, designs: Designs, workload: str) -> Evaluations | tuple[str, str]:
        """The child's answer, or the status and reason of a failure to answer."""
        pipe = self._pipe if self._process is not None and self._process.is_alive() else None
        pipe = pipe or self._start()
        try:
            pipe.send((designs, workload))
            if not pipe.poll(self.timeout_s):
                self.close()
                return TIMEOUT, f"no answer within {self.timeout_s:g} s"
            kind, answer = pipe.recv()
        except (EOFError, OSError):
            self._process.join()
            code = self._process.exitcode
            self.close()
            how = f"signal {signal.Signals(-code).name}" if code and code < 0 else f"exit status {code}"
            return FAILED, f"the simulator's process ended with {how}"
        if kind == "values":
            return Evaluations.of(self.metrics, *answer)
        raise _rebuilt(kind, answer)

    def _start(self) -> Connection:
        from archgym.child_process import shielded_from_interrupts

        self.close()
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._recipe), daemon=True, name="simulator")
        with shielded_from_interrupts():
            self._process.start()
        theirs.close()
        ready = self._pipe.poll(_START_S)
        problem = "did not start in time"
        try:
            if ready and (problem := self._pipe.recv()) == "":
                return self._pipe
        except EOFError:
            problem = "ended while it was built"
        self.close()
        raise StoreError(f"simulator {self._recipe[0]!r} in a process of its own: {problem}")


def _rebuilt(kind: str, text: str) -> Exception:
    """The child's exception: refusals stay refusals, anything else keeps its name in the message."""
    if kind == "refused":
        return InvalidInput(text)
    error: Exception = type(kind, (RuntimeError,), {})(text)
    return error


def _serve(pipe: Connection, recipe: tuple[str, dict[str, Any], dict[str, Any]]) -> None:
    """The child: build once, answer until the pipe closes."""
    from archgym.child_process import die_with_parent
    from archgym.restrict import build_simulator

    os.setsid()
    die_with_parent()
    try:
        simulator = build_simulator(*recipe)
    except Exception as error:  # noqa: BLE001 - whatever a third party raises is reported, not lost with the process
        pipe.send(f"{type(error).__name__}: {error}")
        return
    pipe.send("")
    while True:
        try:
            designs, workload = pipe.recv()
        except EOFError:
            return
        pipe.send(_answer(simulator, designs, workload))


def _answer(simulator: Simulator, designs: Designs, workload: str) -> tuple[str, Any]:
    try:
        found = simulator.simulate(designs, workload)
    except ArchGymError as error:
        return "refused", str(error)
    except Exception as error:  # noqa: BLE001 - goes to the parent, which turns it into a failed design
        return type(error).__name__, str(error)
    return "values", (found.values, found.status, found.reasons)
