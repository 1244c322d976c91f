"""The command line in this process, for tests of what it prints and of how it refuses."""

from __future__ import annotations

import sys

import pytest
from typer.testing import CliRunner

from archgym import cli


def invoke(*arguments, status=0):
    """Run a command; returns what it printed."""
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == status, result.output
    return result.output


def refused(monkeypatch, capsys, *arguments):
    """Run a command that must be refused; returns the one line it says why with."""
    monkeypatch.setattr(sys, "argv", ["archgym", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line
