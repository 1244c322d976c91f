"""The traces that are shipped: real programs behind a cache filter, 20,000 requests each (TRACES.md says how)."""

from __future__ import annotations

import hashlib
from importlib import resources
from pathlib import Path

from archgym.sims.dram.workloads import compact
from archgym.sims.dram.workloads.request_trace import Trace

CAPTURED: dict[str, str] = {
    "bzip2": "bzip2 sorting blocks of C headers: every line read in sequence and written back, little traffic",
    "compile": "gcc's cc1 -O2 on 300 functions: pointers through syntax trees, 0.4 GB/s",
    "json": "Python building and writing JSON: small objects, 3.4 GB/s",
    "mawk": "mawk summing into a 50,000-entry hash table: random updates",
    "sort": "sort merging 300,000 lines: half writes, at 4.0 GB/s the densest",
    "sqlite": "sqlite joining two indexed tables in memory: B-tree walks far apart in time",
    "xz": "xz compressing C headers: random look-ups in a match finder's tree",
}
"""What each shipped trace is, by name."""


def place(name: str) -> Path:
    """The file of a shipped trace."""
    return Path(str(resources.files("archgym.sims.dram"))) / "traces" / f"{name}.npz"


def shipped(name: str) -> Trace:
    """Read a shipped trace."""
    return compact.load(place(name), name)


def version(name: str) -> str:
    """Of the file's content, so that a trace captured again is another workload."""
    return hashlib.sha256(place(name).read_bytes()).hexdigest()[:12]
