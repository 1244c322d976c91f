"""What is known of points already: results by everything they depend on, in memory and in the user's cache folder."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from inspect import getsourcefile
from pathlib import Path
from typing import Any, final

import numpy as np

from archgym.core import TIMEOUT
from archgym.rtl.block import Block, Streams
from archgym.rtl.flow.cache import Cache, file_hash
from archgym.rtl.flow.limits import RAISE, Limits
from archgym.rtl.flow.point import Measured, Point
from archgym.rtl.flow.recipe import VERSION as RECIPE_VERSION
from archgym.rtl.tech.technology import technology

__all__ = ["VERSION", "Results", "tool_version"]

VERSION = 5
"""Counts up whenever a metric of an unchanged point can change."""

_KEPT = 4096  # results in memory


@final
class Results:
    """Results by content, in memory and in a cache folder (None: in memory only)."""

    def __init__(self, cache: Cache | None = None) -> None:
        self._cache = cache
        self._memory: OrderedDict[str, Measured] = OrderedDict()
        self._guard = threading.Lock()

    def key(self, point: Point, limits: Limits) -> str:
        """Everything that a result depends on, hashed."""
        block, workload = point.block, point.workload
        functions = (block.golden, block.macs, workload.make or block.stimulus)
        content = [
            [VERSION, RECIPE_VERSION, tool_version()],
            [block.name, block.top, block.kind, block.keep, point.keeps_hierarchy, *_unusual(block, point)],
            [[path.name, file_hash(path)] for path in block.paths()],
            [[path.name, file_hash(path)] for path in _models(functions)],
            sorted(point.parameters.items()),
            [file_hash(path) for path in technology(point.technology).paths],
            [point.clock_ns, point.effort, point.frequency_mhz, point.glitches],
            [workload.name, workload.beats, workload.seed, [_digest_of(streams) for streams in workload.streams]],
            [limits.cells],
        ]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    def get(self, key: str) -> Measured | None:
        """A result that is known."""
        with self._guard:
            found = self._memory.get(key)
            if found is not None:
                self._memory.move_to_end(key)
                return found
        raw = self._cache.get(key) if self._cache is not None else None
        if not isinstance(raw, dict) or set(raw) != {"status", "reason", "metrics", "details"}:
            return None
        # JSON has no NaN; metrics of blocks without MACs have.
        metrics = {name: float("nan") if value is None else value for name, value in raw["metrics"].items()}
        found = Measured(raw["status"], raw["reason"], metrics, raw["details"])
        self._remember(key, found)
        return found

    def put(self, key: str, found: Measured) -> None:
        """Keep a result, unless it says more about the machine than about the point."""
        if found.status == TIMEOUT or RAISE in found.reason or "worker process" in found.reason:
            return
        self._remember(key, found)
        if self._cache is not None:
            metrics = {name: None if np.isnan(value) else value for name, value in found.metrics.items()}
            raw: dict[str, Any] = {**vars(found), "metrics": metrics}
            self._cache.put(key, raw)

    def _remember(self, key: str, found: Measured) -> None:
        with self._guard:
            self._memory[key] = found
            while len(self._memory) > _KEPT:
                self._memory.popitem(last=False)


def _unusual(block: Block, point: Point) -> list[str]:
    """What only modules from outside the library have."""
    if not block.fingerprint:
        return []
    latency = block.latency(point.parameters) if block.kind == "pipeline" else 0
    return [block.fingerprint, str(block.signals), str(block.ports(point.parameters)), str(latency)]


@lru_cache(maxsize=1)
def tool_version() -> str:
    """Of the synthesis tools, which come as one package."""
    try:
        return version("pyosys")
    except PackageNotFoundError:  # installed by other means: the recipes' version is all that is known
        return ""


def _models(functions: Sequence[Callable[..., Any]]) -> list[Path]:
    """The Python files that say what a block computes: those of these functions and their neighbours."""
    folders = {_folder(function) for function in functions}
    return sorted(path for folder in folders if folder is not None for path in _neighbours(folder))


@lru_cache(maxsize=1024)
def _folder(function: Callable[..., Any]) -> Path | None:
    try:
        file = getsourcefile(function)
    except TypeError:  # a partial, or compiled
        return None
    return Path(file).resolve().parent if file else None


@lru_cache(maxsize=256)
def _neighbours(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(folder.glob("*.py")))


def _digest_of(streams: Streams) -> str:
    digest = hashlib.sha256()
    for name, values in sorted(streams.items()):
        digest.update(f"{name} {values.shape} {values.dtype}".encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()
