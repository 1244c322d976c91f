"""What every benchmark does alike: time on one core, name the machine, print the tables and keep them."""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

REPEATS = 5


def best_cpu_seconds(work: Callable[[], Any]) -> float:
    """CPU time of the quickest of a few runs on this thread, after one that compiles and warms."""
    work()
    best = float("inf")
    for _ in range(REPEATS):
        start = time.thread_time()
        work()
        best = min(best, time.thread_time() - start)
    return best


def machine() -> str:
    """Where the figures were taken, in a few words."""
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def main(doc: str | None, name: str, measure: Callable[[], dict[str, Any]], markdown: Callable[[Any], str]) -> None:
    """Measure, print, write `--out` with .json and .md behind it."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0] if doc else None)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results") / name, help="files without suffix")
    out: Path = parser.parse_args().out
    found = measure()
    out.parent.mkdir(parents=True, exist_ok=True)
    out.with_suffix(".json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    out.with_suffix(".md").write_text(markdown(found), encoding="utf-8")
    print(markdown(found))
