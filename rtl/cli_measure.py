"""`archgym rtl measure`: one point of a block through the flow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from archgym.cli_console import console, print_table
from archgym.errors import InvalidInput
from archgym.rtl.flow.limits import Limits

if TYPE_CHECKING:
    from archgym.rtl.flow.point import Measured

__all__ = ["measure", "print_measured"]


def measure(
    name: Annotated[str, typer.Argument(metavar="BLOCK", help="A block's name, or a description (*.rtl.yaml).")],
    param: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A parameter; others have the smallest point's values."),
    ] = None,
    technology: Annotated[str, typer.Option(help="Name of a technology, or path of a Liberty file.")] = "",
    clock_ns: Annotated[float | None, typer.Option(help="Period; the shortest that closes by default.")] = None,
    effort: Annotated[str, typer.Option(help="How many recipes are tried: quick, normal, high.")] = "normal",
    beats: Annotated[
        int | None, typer.Option(min=1, max=1 << 16, help="About how many input beats a stimulus has.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.001, help="Time of the tools.")] = Limits.seconds,
    memory_mib: Annotated[int, typer.Option(min=1, help="Memory of the tools.")] = Limits.memory_mib,
    max_cells: Annotated[int, typer.Option(min=1, help="Standard cells at most.")] = Limits.cells,
    path: Annotated[bool, typer.Option("--path", help="Show the critical path.")] = False,
    cells: Annotated[bool, typer.Option("--cells", help="Show the cells by kind.")] = False,
) -> None:
    """Synthesise, time and simulate one point of a block, and print power, performance and area."""
    from archgym.cli_inspect import unique_pairs
    from archgym.core import OK
    from archgym.rtl.emit.find import block_point
    from archgym.rtl.flow.measure import measure_one

    found = block_point(name, unique_pairs(param), technology=technology, clock_ns=clock_ns, effort=effort, beats=beats)
    limits = Limits(seconds=seconds, memory_mib=memory_mib, cells=max_cells)
    measured = measure_one(found.point, limits=limits)
    values = ", ".join(f"{each}={value}" for each, value in found.point.parameters.items())
    if measured.status != OK:
        raise InvalidInput(f"{found.point.block.name} at {values} is {measured.status}: {measured.reason}")
    print_measured(measured, f"{found.point.block.name} in {found.point.technology}: {values}")
    if path:
        console().print(measured.details["path"], markup=False, highlight=False)
    if cells:
        print_table(("cell", "number"), measured.details["kinds"].items())


def print_measured(measured: Measured, title: str) -> None:
    """The metrics that a block has, with units."""
    from archgym.rtl.flow.point import METRICS

    values = measured.metrics
    rows = [
        (metric.name, f"{values[metric.name]:.6g}", metric.unit, metric.doc)
        for metric in METRICS
        if values[metric.name] == values[metric.name]  # those of MACs are NaN where there are none
    ]
    print_table(("metric", "value", "unit", ""), rows, title)
    details = measured.details
    said = f"recipe {details['recipe']}; glitches multiply transitions by {details['glitch_factor']:.2f}"
    console().print(said, markup=False, highlight=False)
