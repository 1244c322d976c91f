"""Groups of commands that live elsewhere and are imported when they are used, so that `archgym` itself stays light."""

from __future__ import annotations

import importlib
from typing import Any

import typer
from typer.core import TyperGroup

__all__ = ["GROUPS", "LazyGroup"]

GROUPS = {
    "rtl": ("archgym.rtl.cli:app", "Test, measure and search hardware blocks in SystemVerilog."),
    "tech": ("archgym.rtl.tech.cli:app", "Technologies: standard-cell libraries that RTL is mapped to."),
}
"""Name of the group -> where its Typer application is, and the line about it in `archgym --help`."""


class LazyGroup(TyperGroup):
    """The top level: its own commands, and the groups above."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names in the order of the help."""
        return [*super().list_commands(ctx), *GROUPS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a name, imported now when it is one of the groups; None when there is none."""
        if cmd_name not in GROUPS:
            return super().get_command(ctx, cmd_name)
        target, summary = GROUPS[cmd_name]
        module, _, attribute = target.partition(":")
        command = typer.main.get_command(getattr(importlib.import_module(module), attribute))
        command.name, command.help, command.short_help = cmd_name, summary, summary
        return command
