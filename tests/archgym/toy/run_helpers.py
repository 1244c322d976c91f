"""What tests of runs share: experiment files, runs in processes of their own, what a run must reproduce."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from archgym.store import open_run

SLOW = {"delay_s": 0.01}


def write(folder: Path, name: str = "x.yaml", **changes) -> Path:
    """An experiment file of the toy simulator."""
    content = {
        "environment": {"name": "toy", "options": changes.pop("options", {})},
        "workloads": ["plain"],
        "objectives": ["low-latency"],
        "agents": ["random"],
        "seeds": 2,
        "budget": 20,
        "batch": 5,
        **changes,
    }
    path = folder / name
    path.write_text(json.dumps(content), encoding="utf-8")  # JSON is YAML
    return path


def results(directory: Path) -> list:
    """What must be the same however a run went: every trial's accounts and history, bit for bit."""
    with closing(open_run(directory)) as run:
        return [
            (
                t.workload, t.objective, t.label, t.seed, t.state, t.reason, t.requested, t.distinct, t.best,
                run.history(t.id).designs.tobytes(), run.history(t.id).evaluations.values.tobytes(),
            )
            for t in run.trials
        ]  # fmt: skip


def start(path: Path, *arguments: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "archgym", "run", str(path), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # so that a signal to the group cannot reach the tests
    )


def stored(directory: Path) -> int:
    """Acknowledged designs so far."""
    path = directory / "run.sqlite"
    if not path.is_file():
        return 0
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'history'").fetchone():
            return 0
        return connection.execute("SELECT COUNT(*) FROM history").fetchone()[0]


def wait_for(condition, seconds: float = 60.0) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "waited too long"
        time.sleep(0.02)


def descendants(pid: int) -> set[int]:
    """Processes under `pid`, from /proc."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if fields[0] != "Z":
                parents[int(entry.name)] = int(fields[1])
    found, grown = {pid}, True
    while grown:
        more = {child for child, parent in parents.items() if parent in found} - found
        found, grown = found | more, bool(more)
    return found - {pid}


def alive(pids: set[int]) -> set[int]:
    return {pid for pid in pids if Path(f"/proc/{pid}").exists() and "Z" not in state_of(pid)}


def state_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "Z"
