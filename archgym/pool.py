"""Runs trials in worker processes; a broken pool is rebuilt and its work submitted again."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.process import BaseProcess
from typing import Any, final

from archgym.child_process import one_thread, shielded_from_interrupts, usable_cores
from archgym.errors import StoreError
from archgym.worker import initialise

__all__ = ["Pool"]

_ATTEMPTS_ALONE = 2  # a trial that kills its process this often with nobody else to blame is given up


@final
class Pool:
    """Executes `work(*arguments, task)` for every task, in order, on `workers` processes.

    Attributes:
        suspects: asked when the pool breaks: which of the unfinished tasks had started.
        give_up: told of a task that kept killing its process, with the reason.
        tell: told, in a line, that the pool broke and what is done about it.
    """

    def __init__(
        self,
        work: Callable[..., None],
        arguments: Sequence[Any],
        workers: int,
        *,
        suspects: Callable[[], set[int]],
        give_up: Callable[[int, str], None],
        tell: Callable[[str], None],
    ) -> None:
        self._work, self._arguments, self._workers = work, arguments, workers
        self._suspects, self._give_up, self._tell = suspects, give_up, tell
        self._cause = "its worker process ended"

    def run(self, tasks: Iterable[int], every: Callable[[], None], seconds: float = 0.5) -> None:
        """Run all tasks; `every` is called about once in `seconds` and after each task.

        A task that raises ends the run with that exception: workers record a trial's own trouble themselves.

        Raises:
            StoreError: when worker processes die before they begin.
        """
        left, idle_rounds = list(tasks), 0
        before = len(left) + 1
        while left := self._round(left, self._workers, every, seconds):
            # Whoever ran when the pool broke goes on alone, so that a killer cannot take its neighbours down again.
            started = self._suspects()
            idle_rounds = 0 if started or len(left) < before else idle_rounds + 1
            before = len(left)
            if idle_rounds == _ATTEMPTS_ALONE:
                raise StoreError(f"worker processes end before they begin: {self._cause}")
            self._tell(f"{self._cause}; going on with new workers, first with what was running, one at a time")
            for task in [each for each in left if each in started]:
                self._alone(task, every, seconds)
            left = [each for each in left if each not in started]

    def _alone(self, task: int, every: Callable[[], None], seconds: float) -> None:
        for _ in range(_ATTEMPTS_ALONE):
            if not self._round([task], 1, every, seconds):
                return
        self._give_up(task, self._cause)

    def _round(self, tasks: list[int], workers: int, every: Callable[[], None], seconds: float) -> list[int]:
        """One executor's life; returns the tasks it broke on."""
        if not tasks:
            return []
        others = multiprocessing.active_children()
        context = multiprocessing.get_context("spawn")
        workers = min(workers, len(tasks))
        share = max(1, usable_cores() // workers)
        executor = ProcessPoolExecutor(workers, mp_context=context, initializer=initialise, initargs=(share,))
        try:
            with one_thread(), shielded_from_interrupts():
                futures = {executor.submit(self._work, *self._arguments, task): task for task in tasks}
                processes = [each for each in multiprocessing.active_children() if each not in others]
            broken = self._wait(futures, every, seconds)
            executor.shutdown(wait=True)
            self._cause = _cause(processes)
            return broken
        except BrokenProcessPool:  # it broke while tasks were submitted
            executor.shutdown(wait=True)
            return tasks
        except BaseException:
            # Workers hold nothing that is not stored: they are killed rather than asked.
            for process in multiprocessing.active_children():
                if process not in others:
                    process.kill()
            executor.shutdown(wait=True, cancel_futures=True)
            raise

    def _wait(self, futures: dict[Future[None], int], every: Callable[[], None], seconds: float) -> list[int]:
        pending, broken = set(futures), []
        while pending:
            finished, pending = wait(pending, timeout=seconds, return_when=FIRST_COMPLETED)
            for future in finished:
                error = future.exception()
                if isinstance(error, BrokenProcessPool):
                    broken.append(futures[future])
                elif error is not None:
                    raise error
            every()
        return sorted(broken)


def _cause(processes: Sequence[BaseProcess]) -> str:
    """Why a pool broke: how the first process died that was not ended by the pool itself (with SIGTERM)."""
    for code in (process.exitcode for process in processes):
        if code is not None and code < 0 and code != -signal.SIGTERM:
            hint = " (out of memory?)" if code == -signal.SIGKILL else ""
            return f"its worker process was ended by {signal.Signals(-code).name}{hint}"
        if code is not None and code > 0:
            return f"its worker process ended with exit status {code}"
    return "its worker process ended"
