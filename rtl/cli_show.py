"""`archgym rtl list` and `archgym rtl show`: what is in the library."""

from __future__ import annotations

import math
from typing import Annotated

import typer

from archgym.cli_console import console, print_table

__all__ = ["list_", "show"]


def list_(family: Annotated[str | None, typer.Option(help="Only this family.")] = None) -> None:
    """List the blocks with their parameters."""
    from archgym.rtl.library import blocks, family_blocks

    found = blocks().values() if family is None else family_blocks(family)
    rows = [
        (
            each.name,
            each.family,
            f"{math.prod(len(knob.choices) for knob in each.parameters):,}",
            ", ".join(knob.name for knob in each.parameters),
        )
        for each in found
    ]
    print_table(("block", "family", "points", "parameters"), rows)


def show(name: Annotated[str, typer.Argument(metavar="BLOCK", help="A block's name.")]) -> None:
    """Show a block: where it comes from, its parameters, ports, sources and planted faults."""
    from archgym.rtl.bench.points import smallest
    from archgym.rtl.library import block

    found = block(name)
    out = console()
    said = [
        found.doc,
        f"micro-architecture: {found.source}" if found.source else "",
        f"top: {found.top} ({found.kind})",
    ]
    for line in filter(None, said):
        out.print(line, markup=False, highlight=False)
    print_table(
        ("parameter", "choices", "unit", "meaning"),
        [(knob.name, ", ".join(map(str, knob.choices)), knob.unit, knob.doc) for knob in found.parameters],
    )
    point = smallest(found)
    ports = [
        (port.name, port.direction, port.lanes, port.width, "signed" if port.signed else "", port.doc)
        for port in found.ports(point)
    ]
    title = "ports at " + ", ".join(f"{knob}={value}" for knob, value in point.items()) if point else "ports"
    print_table(("port", "direction", "lanes", "bits", "", "meaning"), ports, title)
    print_table(("source",), [(str(path),) for path in found.paths()])
    faults = [(each.source, each.doc) for each in found.mutations]
    if faults:
        print_table(("planted fault in", "what it does"), faults)
