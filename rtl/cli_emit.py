"""`archgym rtl emit`: a design as RTL, netlist and reports."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archgym.cli_console import console
from archgym.errors import InvalidInput

if TYPE_CHECKING:
    from archgym.rtl.emit.find import Found

__all__ = ["emit"]


def emit(
    name: Annotated[
        str, typer.Argument(metavar="WHAT", help="An environment, a block, a description (*.rtl.yaml), or a run.")
    ],
    settings: Annotated[
        list[str] | None, typer.Argument(metavar="[PARAMETER=VALUE]...", help="The design; not for a run.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The folder.")] = Path("emitted"),
    best: Annotated[bool, typer.Option("--best", help="WHAT is a run directory: its best design.")] = False,
    objective: Annotated[str, typer.Option(help="Of the run, where it has several.")] = "",
    workload: Annotated[str, typer.Option("--workload", "-w", help="Of the environment, or of the run.")] = "",
    option: Annotated[
        list[str] | None,
        typer.Option("--option", "-o", metavar="KEY=VALUE", help="What the environment is built with."),
    ] = None,
    technology: Annotated[str, typer.Option(help="Of a block: name of a technology, or path of a Liberty file.")] = "",
    clock_ns: Annotated[float | None, typer.Option(help="Of a block: period; the shortest by default.")] = None,
    effort: Annotated[str, typer.Option(help="Of a block: how many recipes are tried.")] = "normal",
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that holds files.")] = False,
) -> None:
    """Write a design: RTL with its parameters fixed, netlist, constraints, reports; lint and test what is written."""
    from archgym.rtl.emit.write import emit as write

    found = (
        _best(name, settings, objective, workload)
        if best or Path(name).is_dir()
        else _found(name, settings, option, workload, technology, clock_ns, effort)
    )
    done = write(found, out, force=force)
    lines = [found.origin, done.checked.lint, done.checked.bench, f"written to {out}:", *done.files]
    for line in lines:
        console().print(line, markup=False, highlight=False, soft_wrap=True)


def _best(name: str, settings: list[str] | None, objective: str, workload: str) -> Found:
    from archgym.rtl.emit.find import best_of

    if settings:
        raise InvalidInput(f"a run's best design is known already; leave out {' '.join(settings)}")
    return best_of(Path(name), objective, workload)


def _found(
    name: str,
    settings: list[str] | None,
    option: list[str] | None,
    workload: str,
    technology: str,
    clock_ns: float | None,
    effort: str,
) -> Found:
    from archgym.cli_inspect import parse_pairs, unique_pairs
    from archgym.errors import UnknownName
    from archgym.rtl.emit.find import block_point, in_environment, is_environment
    from archgym.rtl.library import blocks

    pairs = unique_pairs(settings)
    if is_environment(name):
        return in_environment(name, parse_pairs(option), pairs, workload)
    if name not in blocks() and not Path(name).is_file():
        from archgym import catalog

        raise UnknownName("environment, block, description or run", name, [*catalog.simulators(), *blocks()])
    return block_point(name, pairs, technology=technology, clock_ns=clock_ns, effort=effort)
