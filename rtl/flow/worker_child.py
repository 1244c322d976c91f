"""The program of a synthesis worker: loads Yosys once and forks for each job.

Yosys ends its process on every error, and the names it has seen before change the order in which it visits cells: a
fork for each job contains the first and makes netlists independent of what ran earlier. Jobs come as JSON lines on
standard input, answers go as JSON lines to standard output; what the tools said is in the log of the job.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import threading
import time
import traceback
from contextlib import suppress
from typing import Any, NoReturn

__all__ = ["main"]

_POLL_S = 0.2  # how long a job may outlive the parent
_running = {"group": 0}


def main() -> None:
    """Answer jobs until the parent closes the pipe or ends."""
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()
    signal.signal(signal.SIGTERM, _end)
    jobs, answers = _take_pipes()
    from pyosys import libyosys  # noqa: F401 - every job is a fork of this process

    _say(answers, {"ready": True})
    for line in jobs:
        _say(answers, _supervised(json.loads(line)))


def _take_pipes() -> tuple[Any, Any]:
    """The pipes to the parent, out of reach of what tools print and read."""
    jobs = os.fdopen(os.dup(0), "r", encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    return jobs, answers


def _say(answers: Any, message: dict[str, Any]) -> None:
    answers.write(json.dumps(message) + "\n")
    answers.flush()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_POLL_S)
    _kill(_running["group"])
    os._exit(1)


def _end(*_: object) -> NoReturn:
    _kill(_running["group"])
    os._exit(1)


def _kill(group: int) -> None:
    if group:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


def _supervised(job: dict[str, Any]) -> dict[str, Any]:
    """Run a job in a fork with a limit on its time; says how it ended and what it cost."""
    late = threading.Event()
    child = os.fork()
    if child == 0:
        _run(job)
    with suppress(PermissionError, ProcessLookupError):  # the child does the same: whoever comes first
        os.setpgid(child, child)
    _running["group"] = child

    def stop() -> None:
        late.set()
        _kill(child)

    timer = threading.Timer(job["seconds"], stop)
    timer.start()
    _, status, usage = os.wait4(child, 0)
    timer.cancel()
    _running["group"] = 0
    _kill(child)  # programs it had started
    return {
        "late": late.is_set(),
        "code": os.waitstatus_to_exitcode(status),
        "cpu_s": usage.ru_utime + usage.ru_stime,
    }


def _run(job: dict[str, Any]) -> NoReturn:
    code = 1
    try:
        os.setpgid(0, 0)  # ABC belongs to this group, too
        os.chdir(job["folder"])
        log = os.open("log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for standard in (1, 2):
            os.dup2(log, standard)
        _limit(job["memory_mib"])
        from pyosys import libyosys

        code = _branch(libyosys.Design(), job["steps"], log)
    except BaseException:  # noqa: BLE001 - this process ends here, and its log is all that remains
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(code)


def _branch(design: Any, steps: dict[str, Any], log: int) -> int:
    """Run commands, then each branch in a fork of its own: no branch sees what another did, or was called before it."""
    from pyosys import libyosys

    for command in steps["commands"]:
        os.write(log, f"\n>> {command}\n".encode())
        design.run_pass(command)
        libyosys.log_flush()
    for branch in steps["branches"]:
        child = os.fork()
        if child == 0:
            os._exit(_branch(design, branch, log))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code < 0:  # end as the branch did, so that the cause is told
            signal.signal(-code, signal.SIG_DFL)
            os.kill(os.getpid(), -code)
        if code:
            return code
    return 0


def _limit(memory_mib: int) -> None:
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    with suppress(ValueError, OSError):  # macOS refuses some values
        resource.setrlimit(resource.RLIMIT_AS, (memory_mib << 20, hard))


if __name__ == "__main__":
    main()
