"""Commands on memory traces: capture a program's, look at one, list those with a name."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from archgym.cli_console import print_table
from archgym.errors import InvalidInput

__all__ = ["trace"]

trace = typer.Typer(help="Capture and inspect memory traces.", no_args_is_help=True)

# By name: the framework imports no simulator.
_WORKLOADS = "archgym.sims.dram.workloads"

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def _module(name: str = "") -> ModuleType:
    return importlib.import_module(f"{_WORKLOADS}.{name}" if name else _WORKLOADS)


@trace.command()
def capture(
    command: Annotated[list[str], typer.Argument(metavar="-- CMD...", help="The program and its arguments.")],
    out: Annotated[Path, typer.Option(help="Trace file to write; .npz is the smallest.")],
    l1: Annotated[str, typer.Option(help="First-level caches, SIZE/WAYS such as 32K/8.")] = "",
    llc: Annotated[str, typer.Option(help="Last-level cache, SIZE/WAYS such as 1M/16.")] = "",
    skip: Annotated[int, typer.Option(min=0, help="Instructions that only warm the caches.")] = 0,
    limit: Annotated[int, typer.Option(min=1, help="Stop after this many memory requests.")] = 100_000,
) -> None:
    """Run a program under valgrind and keep the requests that reach memory through its caches."""
    sizes = {name: _cache_size(name, text) for name, text in (("l1", l1), ("llc", llc)) if text}
    found = _module("capture").capture(command, out, skip=skip, limit=limit, **sizes)
    end = "the program ran to its end" if found.complete else "stopped at the limit"
    typer.echo(f"{len(found.trace.address):,} requests of {found.instructions:,} instructions written: {out} ({end})")


def _cache_size(name: str, text: str) -> object:
    match = re.fullmatch(r"(\d+)([KMG]?)/(\d+)", text)
    if match is None:
        raise InvalidInput(f"--{name}: expected SIZE/WAYS such as 32K/8, got {text!r}")
    size, unit, ways = match.groups()
    return _module("cache").CacheSize(int(size) * _UNITS[unit], int(ways))


@trace.command("list")
def list_workloads() -> None:
    """List the registered workloads."""
    print_table(("workload", "what it is"), [(name, each.doc) for name, each in _module().WORKLOADS.items()])


@trace.command()
def info(
    name: Annotated[str, typer.Argument(metavar="WORKLOAD", help="A registered workload or a trace file.")],
) -> None:
    """Say what is in a trace."""
    found = _module().load(name)
    requests, writes = len(found.address), int(found.write.sum())
    lines = len(set((found.address // _module().LINE_BYTES).tolist()))
    clock = f"{found.clock_ps} ps" if found.clock_ps else "the memory's clock"
    rows = [
        ("requests", f"{requests:,}"),
        ("reads", f"{requests - writes:,}"),
        ("writes", f"{writes:,}"),
        ("distinct lines", f"{lines:,} ({lines * _module().LINE_BYTES / 2**20:.1f} MiB)"),
        ("last arrival", f"cycle {int(found.arrival[-1]):,} of {clock}"),
        ("source", found.source or "not recorded"),
    ]
    print_table(("property", "value"), rows)
