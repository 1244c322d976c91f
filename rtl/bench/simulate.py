"""Run a simulation program under cocotb in a private folder, with a time limit; read the player's record."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from archgym.rtl.bench import tools

__all__ = ["Simulated", "simulate"]

_PLAYER = Path(__file__).with_name("player.py")
_MODULE = "archgym_player"  # the module cocotb imports: a name of its own, no package to load
_FILE_BYTES = 256 << 20
_MEMORY_BYTES = 8 << 30


@final
@dataclass(frozen=True)
class Simulated:
    """What a simulation left: the player's record by part, and what went wrong if anything did."""

    record: list[dict[str, Any]]
    fault: str
    """Nothing, or why the simulation itself failed: an assertion of the RTL, a crash, the time limit."""


def simulate(program: Path, top: str, plan: Mapping[str, Any], folder: Path, *, seed: int, seconds: float) -> Simulated:
    """Play a plan.

    Args:
        program: what `build` made; `.vvp` is run by Icarus.
        top: name of the top module.
        plan: for the player.
        folder: private to this run.
        seed: of the random initial values of registers (Verilator).
        seconds: wall time after which the simulation is stopped.
    """
    (folder / "plan.json").write_text(json.dumps(plan))
    (folder / f"{_MODULE}.py").symlink_to(_PLAYER)
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            _command(program, seed), cwd=folder, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            env=_environment(top, folder), start_new_session=True,
        )  # fmt: skip
        _confine(process.pid)
        try:
            status: int | None = process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    text = (folder / "log").read_text(errors="replace")
    path = folder / "record.json"
    record: list[dict[str, Any]] = json.loads(path.read_text()) if path.exists() else []
    if status is None:
        return Simulated(record, f"the simulation took over {seconds:g} s and was stopped")
    return Simulated(record, _fault(status, record, text))


def _confine(pid: int) -> None:
    """Bound what a simulation writes (a design may print for ever) and allocates; Linux alone lets a parent do this."""
    if not hasattr(resource, "prlimit"):
        return
    for kind, most in ((resource.RLIMIT_FSIZE, _FILE_BYTES), (resource.RLIMIT_AS, _MEMORY_BYTES)):
        _, hard = resource.getrlimit(kind)  # a user's own limit cannot be raised
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with suppress(ProcessLookupError):  # it has ended already
            resource.prlimit(pid, kind, (bound, bound))


def _command(program: Path, seed: int) -> list[str]:
    if program.suffix != ".vvp":
        # Verilator takes seeds of 31 bits, and 0 as "choose one".
        return [str(program), "+verilator+rand+reset+2", f"+verilator+seed+{1 + seed % (2**31 - 2)}"]
    import cocotb_tools.config

    return ["vvp", "-n", "-m", cocotb_tools.config.lib_entry("vpi", "icarus"), str(program), "-none"]


def _environment(top: str, folder: Path) -> dict[str, str]:
    """As cocotb's documentation of custom flows (https://docs.cocotb.org/en/stable/custom_flows.html) asks for."""
    return {
        **os.environ,
        "GPI_USERS": tools.gpi_users(),
        "PYGPI_PYTHON_BIN": sys.executable,
        "PYTHONPATH": str(folder),
        "COCOTB_TOPLEVEL": top,
        "COCOTB_TEST_MODULES": _MODULE,
        "COCOTB_RANDOM_SEED": "1",  # the plan has all that is random
        "COCOTB_TRUST_INERTIAL_WRITES": "1",
        "COCOTB_RESULTS_FILE": str(folder / "results.xml"),
        "NO_COLOR": "1",
        "TOPLEVEL_LANG": "verilog",
        "ARCHGYM_PLAN": str(folder / "plan.json"),
        "ARCHGYM_PARENT": str(os.getpid()),
    }


def _fault(status: int, record: list[dict[str, Any]], text: str) -> str:
    said = [line for line in text.splitlines() if re.search(r"%Error|%Fatal|ERROR:|FATAL:|\bError:|Segmentation", line)]
    if said:
        return said[0].strip()
    if record:  # a failed check of the player is in its record
        return ""
    lines = [line.strip() for line in text.splitlines() if re.search(r"Error|error|Exception", line)]
    ended = f"signal {-status}" if status < 0 else f"status {status}"
    return f"the simulation ended with {ended} and no record: {lines[-1] if lines else 'no message'}"
