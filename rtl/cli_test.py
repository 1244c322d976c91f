"""`archgym rtl test`: the benches of the library."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archgym.cli_console import print_table
from archgym.errors import InvalidInput, UnknownName

if TYPE_CHECKING:
    from archgym.rtl.bench.suite import Report
    from archgym.rtl.block import Block

__all__ = ["bench"]

_COLUMNS = ("block", "points", "beats", "cycles", "coverage", "refused", "mutants killed", "")


def bench(
    names: Annotated[list[str] | None, typer.Argument(metavar="BLOCK...", help="Blocks; all by default.")] = None,
    family: Annotated[str | None, typer.Option(help="Only the blocks of this family.")] = None,
    full: Annotated[
        bool,
        typer.Option("--full/--quick", help="Extremes, a larger sample, long runs, mutants; or two points a block."),
    ] = False,
    simulator: Annotated[str, typer.Option(help="verilator, or icarus where it is installed.")] = "verilator",
    mutations: Annotated[
        bool | None, typer.Option("--mutations/--no-mutations", help="Plant faults; on in --full by default.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the sample of parameters and of every bench.")] = 0,
    jobs: Annotated[int | None, typer.Option(min=1, help="Simulations at a time; all cores by default.")] = None,
    settings: Annotated[
        str, typer.Option("--set", metavar="NAME=VALUE,...", help="One parameter point, instead of a sample.")
    ] = "",
    missing: Annotated[bool, typer.Option("--missing", help="List what the benches did not cover.")] = False,
    table: Annotated[Path | None, typer.Option(help="Write the merged coverage here, as CSV.")] = None,
) -> None:
    """Simulate blocks under cocotb against their golden models; plant faults and see that they are caught."""
    from dataclasses import replace

    from archgym.rtl.bench.run import SIMULATORS
    from archgym.rtl.bench.suite import FULL_SCOPE, QUICK_SCOPE, run_suite

    chosen = _chosen(names or [], family)
    point = _point(chosen, settings)
    scope = FULL_SCOPE if full else QUICK_SCOPE
    if mutations is not None:
        scope = replace(scope, mutations=mutations)
    if simulator not in SIMULATORS:
        raise UnknownName("simulator", simulator, SIMULATORS)
    reports = []
    for report in run_suite(
        chosen, scope, seed=seed, simulator=simulator, jobs=jobs or os.cpu_count() or 1,
        chosen=None if point is None else [point],
    ):  # fmt: skip
        reports.append(report)
        if sys.stderr.isatty():  # whoever watches sees that it goes on; the table comes at the end
            typer.echo(f"{report.block}: {'FAILED' if report.failures else 'ok'}", err=True)
        for line in report.failures:
            typer.echo(f"FAILED {report.block}: {line}", err=True)
    _print(reports)
    if missing:
        print_table(
            ("block", "not covered"), [(each.block, gap) for each in reports for gap in each.coverage.missing()]
        )
    if table is not None:
        _write(table, reports)
    raise typer.Exit(1 if any(report.failures for report in reports) else 0)


def _chosen(names: list[str], family: str | None) -> list[Block]:
    from archgym.rtl.library import block, blocks, family_blocks

    found = [block(name) for name in names] or list(blocks().values())
    if family is not None:
        allowed = {each.name for each in family_blocks(family)}
        found = [each for each in found if each.name in allowed]
        if not found:
            raise InvalidInput(f"none of {', '.join(names)} is in family {family!r}")
    return found


def _point(chosen: list[Block], settings: str) -> dict[str, int] | None:
    """A point in the form NAME=VALUE,...; parameters that are not named keep the smallest point's values."""
    if not settings:
        return None
    if len(chosen) != 1:
        raise InvalidInput(f"--set gives the parameters of one block, got {len(chosen)} blocks; name one")
    from archgym.rtl.bench.points import smallest

    point = smallest(chosen[0])
    for setting in settings.split(","):
        name, equals, value = setting.partition("=")
        if name not in point:
            raise UnknownName(f"parameter of {chosen[0].name}", name, point)
        if not equals or not value.strip().lstrip("-").isdigit():
            raise InvalidInput(f"--set {setting!r} is not NAME=VALUE with an integer")
        point[name] = int(value)
    return point


def _print(reports: list[Report]) -> None:
    rows = [
        (
            each.block,
            each.points,
            f"{each.beats:,}",
            f"{each.cycles:,}",
            f"{each.coverage.percent:.0f} %",
            each.refused,
            f"{each.killed} of {each.mutants}" if each.mutants else "",
            f"{len(each.failures)} FAILED" if each.failures else "ok",
        )
        for each in reports
    ]
    covered = sum(each.coverage.covered for each in reports)
    bins = sum(each.coverage.bins for each in reports)
    total = (
        f"{len(reports)} blocks",
        sum(each.points for each in reports),
        f"{sum(each.beats for each in reports):,}",
        f"{sum(each.cycles for each in reports):,}",
        f"{100 * covered / max(1, bins):.0f} %",
        sum(each.refused for each in reports),
        f"{sum(each.killed for each in reports)} of {sum(each.mutants for each in reports)}",
        "FAILED" if any(each.failures for each in reports) else "ok",
    )
    print_table(_COLUMNS, [*rows, total])


def _write(path: Path, reports: list[Report]) -> None:
    import csv

    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("block", "point", "bin", "hits"))
        for report in reports:
            writer.writerows((report.block, *row) for row in report.coverage.rows())
