"""What was written is linted, and simulated against the golden model, as it lies there."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from typing import final

from archgym.core import FAILED, OK
from archgym.errors import InvalidInput
from archgym.rtl.block import Block, Signals
from archgym.rtl.flow.design import Design
from archgym.rtl.flow.lint import lint
from archgym.rtl.flow.measure import measure_one
from archgym.rtl.flow.point import Point
from archgym.rtl.flow.results import Results

__all__ = ["Checked", "check"]


_WARNING = re.compile(r" \[[A-Z0-9_]+\]$")  # ends with its name; errors do not


@final
@dataclass(frozen=True)
class Checked:
    """What was found to be right, in sentences."""

    lint: str
    bench: str


def check(top: Block, point: Point) -> Checked:
    """Lint written sources and simulate them.

    Args:
        top: the wrapper as a block.
        point: what was measured.

    Raises:
        InvalidInput: they compute something else than the golden model, or Verilator does not take them.
        MissingDependency: Verilator or cocotb is not installed.
        MissingTool: there is no C++ compiler.
    """
    found = lint(Design.of(top, {}))
    errors = [text for text in found.messages if not _WARNING.search(text)]
    if found.status != OK and (errors or not found.messages):
        raise InvalidInput(f"the written RTL does not pass lint: {(errors or [found.status])[0]}")
    said = f"{len(found.messages)} warnings, first: {found.messages[0]}" if found.messages else "without a warning"
    return Checked(f"Verilator -Wall: {said}", _bench(top) if _standard(top) else _gates(top, point))


def _standard(top: Block) -> bool:
    """Whether the benches know the ports."""
    return top.kind != "pipeline" and top.signals == Signals() and not top.include


def _bench(top: Block) -> str:
    from archgym.rtl.bench.run import run

    if importlib.util.find_spec("cocotb") is None:
        from archgym.errors import MissingDependency

        raise MissingDependency("cocotb", "rtl", "testing the written RTL")
    found = run(top, {})
    if not found.passed:
        raise InvalidInput(f"the written RTL does not pass its bench: {found.fault}")
    return (
        f"cocotb bench passed: {found.beats:,} input beats in {found.cycles:,} cycles, idle and stalled cycles crossed"
    )


def _gates(top: Block, point: Point) -> str:
    """Pipelines and streams with other names: the gates made of the written RTL are simulated."""
    found = measure_one(Point(top, {}, point.technology, effort="quick"), results=Results())
    if found.status != OK:
        what = "fails" if found.status == FAILED else f"is {found.status}"
        raise InvalidInput(f"the written RTL {what}: {found.reason}")
    return f"gates of the written RTL agree with the golden model: {found.details['beats']:,.0f} rows"
