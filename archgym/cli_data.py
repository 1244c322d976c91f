"""Commands on data: sweep a whole space, check a run, export it, query the export."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from archgym.cli_console import console, print_table
from archgym.cli_inspect import Environment, Options, build, parse_pairs
from archgym.interrupt import Interrupted, interruptible

__all__ = ["dataset", "enumerate_command", "validate"]

dataset = typer.Typer(help="Export a run as Parquet and query it.", no_args_is_help=True)

Run = Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")]


def enumerate_command(
    env: Environment,
    out: Annotated[Path, typer.Option(help="Directory for the store and the summaries.")],
    workload: Annotated[
        list[str] | None,
        typer.Option("--workload", "-w", help="A workload; may be repeated; all registered ones by default."),
    ] = None,
    option: Options = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; all cores by default.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show errors only.")] = False,
) -> None:
    """Score every design of a space; run again to continue. Later runs can --reuse the result."""
    from archgym.child_process import usable_cores
    from archgym.enumerate_space import enumerate_space
    from archgym.plan import resolve_workload

    simulator = build(env, option)
    workloads = [resolve_workload(simulator, name, Path()) for name in workload or simulator.workloads]
    watcher = None if quiet else _Lines(console())
    try:
        with interruptible():
            written = enumerate_space(
                env, parse_pairs(option), workloads, out, workers=workers or usable_cores(), watcher=watcher
            )
    except Interrupted as stop:
        typer.echo(f"{stop}; run the same command again to continue", err=True)
        raise typer.Exit(130) from None
    if not quiet:
        for path in written:
            typer.echo(f"summary written: {path}")


class _Lines:
    """Progress of an enumeration: a line a workload whenever it moved, at most every ten seconds."""

    def __init__(self, target: Console) -> None:
        self._console = target
        self._started = time.monotonic()
        self._first: dict[str, int] = {}
        self._spoke: dict[str, float] = {}
        self._last: dict[str, int] = {}

    def __call__(self, workload: str, done: int, total: int) -> None:
        from archgym.progress import duration

        now = time.monotonic()
        first = self._first.setdefault(workload, done)
        due = now - self._spoke.get(workload, -1e9) >= 10 or done == total
        if done == self._last.get(workload) or not due:
            return
        if done == first:
            self._started = now
        self._spoke[workload], self._last[workload] = now, done
        rate = (done - first) / max(now - self._started, 1e-9)
        left = f", {rate:,.0f}/s, time left {duration((total - done) / rate)}" if rate > 0 else ""
        self._console.print(
            f"{workload}: {done:,} of {total:,} distinct designs{left}", markup=False, highlight=False, soft_wrap=True
        )


def validate(
    run: Run,
    every: Annotated[bool, typer.Option("--all", help="Check every row instead of a sample.")] = False,
    sample: Annotated[int, typer.Option(min=1, help="How many rows to check.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Which sample.")] = 0,
) -> None:
    """Score stored rows again in a fresh simulator and compare bit for bit; exit status 1 when one differs."""
    from archgym.validate import validate_run

    verdict = validate_run(run, None if every else sample, seed)
    for mismatch in verdict.mismatches[:20]:
        typer.echo(f"mismatch: {mismatch}", err=True)
    skipped = f", {verdict.skipped} time-outs skipped" if verdict.skipped else ""
    outcome = f"{len(verdict.mismatches)} differ" if verdict.mismatches else "all identical"
    typer.echo(f"{verdict.checked:,} of {verdict.stored:,} rows scored again{skipped}: {outcome}")
    raise typer.Exit(1 if verdict.mismatches else 0)


@dataset.command("export")
def export_command(
    run: Run, target: Annotated[Path, typer.Argument(metavar="OUT.parquet", help="The file to write.")]
) -> None:
    """Write a row per evaluated design, with units, provenance and schema inside the file."""
    from archgym.dataset import export

    typer.echo(f"{export(run, target):,} rows written: {target}")


@dataset.command("query")
def query_command(
    file: Annotated[Path, typer.Argument(metavar="FILE.parquet", help="An exported run.")],
    sql: Annotated[str, typer.Argument(metavar="SQL", help="Such as: SELECT agent, min(cost) FROM data GROUP BY 1")],
) -> None:
    """Query an export with SQL; the file is the table `data`."""
    from archgym.dataset import query

    names, rows = query(file, sql)
    print_table(names, rows)
