"""`archgym rtl cache`: what the flow keeps on disk."""

from __future__ import annotations

from typing import Annotated

import typer

from archgym.cli_console import print_table

__all__ = ["cache"]


def cache(clear: Annotated[bool, typer.Option("--clear", help="Remove it all.")] = False) -> None:
    """Show where results of the RTL flow are kept and how many there are, or remove them."""
    from archgym.rtl.flow import cache as kept

    folder = kept.folder()
    if clear:
        typer.echo(f"{kept.clear():,} results removed from {folder}")
        return
    rows = []
    for each in sorted(path for path in folder.glob("*") if path.is_dir()):
        sizes = [file.stat().st_size for file in each.rglob("*") if file.is_file()]
        rows.append((each.name, f"{len(sizes):,}", f"{sum(sizes) / 1e6:.1f} MB"))
    print_table(("kind", "files", "size"), rows, str(folder))
