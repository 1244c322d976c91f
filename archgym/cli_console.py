"""Tables on the terminal; wide enough to keep a row on a line when the output goes to a file."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["console", "print_table"]

_FILE_WIDTH = 200


def console() -> Console:
    """The standard output."""
    return Console(width=None if sys.stdout.isatty() else _FILE_WIDTH)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str | None = None) -> None:
    """Print rows under headings; cells are text, never markup."""
    table = Table(*columns, box=None, title=title, title_justify="left", pad_edge=False)
    for row in rows:
        table.add_row(*("" if cell is None else cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    console().print(table)
