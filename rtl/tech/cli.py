"""`archgym tech`: the libraries of standard cells that designs can be mapped to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archgym.cli_console import print_table

if TYPE_CHECKING:
    from archgym.rtl.tech.library_cells import Cell

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Libraries of standard cells: list, add, show, remove.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="A technology's name, or a Liberty file.")]


@app.command("list")
def list_() -> None:
    """List the technologies: embedded, added, found on this machine."""
    from archgym.rtl.tech.technology import technologies

    rows = [
        (each.name, _node(each.node_nm), each.source, each.origin, ", ".join(path.name for path in each.paths))
        for each in technologies().values()
    ]
    print_table(("name", "node (nm)", "how", "from", "files"), rows)


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call it.")],
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Its Liberty files, .lib or .lib.gz.")],
    node: Annotated[
        float | None, typer.Option("--node", metavar="NM", min=0.1, help="The process node's name in nm.")
    ] = None,
) -> None:
    """Add a library under a name; it is read first, and refused if designs cannot be mapped to it."""
    from archgym.rtl.tech.technology import add as remember

    made = remember(name, list(files), node)
    typer.echo(f"added {name}: {len(made.library.cells)} cells at {made.voltage_v:g} V")


@app.command()
def show(name: Name) -> None:
    """Show a technology: its corner, its units of measure, its cells."""
    from archgym.rtl.tech.technology import technology, usable

    found = technology(name)
    library = found.library
    unit = library.cells[found.nand2]
    facts = [
        ("library", library.name),
        ("files", ", ".join(map(str, found.paths))),
        ("corner", f"{library.voltage_v:g} V, {library.temperature_c:g} C"),
        ("gate equivalent", f"{unit.name}, {unit.area_um2:g} um2"),
        ("driver of inputs", found.driver),
        ("load of outputs", f"{found.load_ff:.3g} fF, four of {found.inverter}"),
        ("wires", library.default_wire_load or "none"),
    ]
    print_table(("", ""), facts, title=f"{found.name} ({found.source}, {_node(found.node_nm) or '?'} nm)")
    typer.echo()
    rows = [_row(cell, unit.area_um2) for cell in library.cells.values() if usable(cell)]
    print_table(("cell", "area (um2)", "gate equivalents", "leakage (nW)", "function"), rows)
    left_out = len(library.cells) - len(rows)
    if left_out:
        kinds = "latches, clock gates, tri-state, power management, dont_use, cells without outputs"
        typer.echo(f"\n{left_out} cells are left out: {kinds}")


def _row(cell: Cell, unit_um2: float) -> tuple[str, str, str, str, str]:
    what = "; ".join(f"{pin.name} = {pin.function}" for pin in cell.outputs if pin.function)
    if cell.flop is not None:
        what = f"flip-flop, {cell.flop.q} <= {cell.flop.next_state} at {cell.flop.clocked_on}"
    return cell.name, f"{cell.area_um2:.4g}", f"{cell.area_um2 / unit_um2:.2f}", f"{cell.leakage_nw:.3g}", what


def _node(node_nm: float | None) -> str:
    return "" if node_nm is None else f"{node_nm:g}"


@app.command()
def remove(name: Annotated[str, typer.Argument(metavar="NAME", help="A technology that was added.")]) -> None:
    """Forget a technology that was added; its files stay."""
    from archgym.rtl.tech.technology import remove as forget

    forget(name)
    typer.echo(f"removed {name}")
