"""`archgym rtl`: the commands of the RTL library, each in a module of its own."""

from __future__ import annotations

import typer

from archgym.rtl.cli_cache import cache
from archgym.rtl.cli_emit import emit
from archgym.rtl.cli_env import env
from archgym.rtl.cli_measure import measure
from archgym.rtl.cli_show import list_, show
from archgym.rtl.cli_test import bench

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Test, measure and search hardware blocks in SystemVerilog.")
app.command("list")(list_)
app.command()(show)
app.command("test")(bench)
app.command()(env)
app.command()(cache)
app.command()(measure)
app.command()(emit)
