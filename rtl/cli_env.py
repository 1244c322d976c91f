"""`archgym rtl env`: an environment of anyone's module."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archgym.cli_console import console, print_table
from archgym.errors import InvalidInput

if TYPE_CHECKING:
    from archgym.rtl.own.description import Description
    from archgym.rtl.own.module import OwnModule

__all__ = ["env"]


def env(
    sources: Annotated[list[Path], typer.Argument(metavar="SOURCE...", help="SystemVerilog or Verilog files.")],
    golden: Annotated[Path, typer.Option(help="The golden model, a Python file with golden(parameters, inputs).")],
    top: Annotated[str, typer.Option(help="The module; the only one nobody instantiates by default.")] = "",
    param: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE,...", help="Choices of a parameter; may be repeated.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The description; TOP.rtl.yaml by default.")] = None,
    experiment: Annotated[Path | None, typer.Option(help="Write a first experiment on it here, too.")] = None,
    technology: Annotated[str, typer.Option(help="Name of a technology, or path of a Liberty file.")] = "generic45",
    clock_ns: Annotated[str, typer.Option(metavar="NS,...", help="Periods to search; 0: the shortest.")] = "",
    latency: Annotated[int | None, typer.Option(min=0, help="Clock edges from inputs to outputs.")] = None,
    clock: Annotated[str, typer.Option(help="The clock port, or none.")] = "",
    reset: Annotated[str, typer.Option(help="The reset port, or none.")] = "",
    reset_active: Annotated[str, typer.Option(help="When the reset acts: low or high; by its name by default.")] = "",
    lanes: Annotated[
        list[str] | None, typer.Option(metavar="PORT=N", help="A port of N values side by side; may be repeated.")
    ] = None,
    signed: Annotated[list[str] | None, typer.Option(metavar="PORT", help="A port with signed values.")] = None,
    include: Annotated[list[Path] | None, typer.Option(help="A folder of include files; may be repeated.")] = None,
    keep: Annotated[list[str] | None, typer.Option(help="A module to map once; may be repeated.")] = None,
    allow: Annotated[list[str] | None, typer.Option(help="What the RTL may reach: dpi, files, pli or system.")] = None,
    effort: Annotated[str, typer.Option(help="How many recipes are tried: quick, normal, high.")] = "normal",
    seconds: Annotated[float | None, typer.Option(min=0.001, help="Time of the tools for one design.")] = None,
    memory_mib: Annotated[int | None, typer.Option(min=1, help="Memory of each tool.")] = None,
    cells: Annotated[int | None, typer.Option(min=1, help="Standard cells of a design at most.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over files that exist.")] = False,
) -> None:
    """Make an environment of a module: read it, measure one point to see that all fits, write a description."""
    from archgym.rtl.flow.parse import parse
    from archgym.rtl.own.write import relative

    for each in include or ():
        if not each.is_dir():
            raise InvalidInput(f"--include {each}: there is no folder {each.resolve()}")
    name = top or parse(sources, include=include or (), allow=allow or ()).top
    target = out or Path(f"{name}.rtl.yaml")
    folder = _folder_of("--out", target, force)
    if experiment is not None:
        _folder_of("--experiment", experiment, force)
    limits = {"seconds": seconds, "memory_mib": memory_mib, "cells": cells}
    said: dict[str, Any] = {
        "name": name,
        "top": name,
        "sources": [relative(path, folder) for path in sources],
        "golden": relative(golden, folder),
        "parameters": _choices(param or []),
        "clocks_ns": _periods(clock_ns),
        "technology": relative(Path(technology), folder) if Path(technology).is_file() else technology,
        "clock": clock,
        "reset": reset,
        "reset_active": reset_active or None,
        "latency": latency,
        "ports": _ports(lanes or [], signed or []),
        "effort": effort,
        "keep": keep or [],
        "include": [relative(path, folder) for path in include or ()],
        "allow": allow or [],
        "limits": {name: value for name, value in limits.items() if value is not None},
    }
    if not said["clocks_ns"]:
        del said["clocks_ns"]
    module, point = _proved(_described(said), folder)
    _write(module, target, experiment, point)


def _folder_of(option: str, file: Path, force: bool) -> Path:
    """Where a file will be written, looked at before minutes of work.

    Raises:
        InvalidInput: there is no such folder, the file is one, or it exists and is not to be written over.
    """
    folder = file.resolve().parent
    if not folder.is_dir():
        raise InvalidInput(f"{option} {file}: there is no folder {folder}; make it first")
    if file.is_dir():
        raise InvalidInput(f"{option} {file}: is a folder; name a file in it")
    if file.exists() and not force:
        raise InvalidInput(f"{file} exists; add --force to write over it, or name another file with {option}")
    return folder


def _choices(words: list[str]) -> dict[str, int | list[int]]:
    found: dict[str, int | list[int]] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not name or not text:
            raise InvalidInput(f"--param {word!r} is not NAME=VALUE,VALUE,...; e.g. --param Width=4,8,16")
        if name in found:
            raise InvalidInput(f"--param {name} is given twice; list its values once: --param {name}=1,2")
        values = [_whole(f"--param {word}", each) for each in text.split(",")]
        found[name] = values[0] if len(values) == 1 else values
    return found


def _whole(what: str, text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        raise InvalidInput(f"{what}: {text!r} is no whole number; allowed: 8, -1, 0x1F, 0b101") from None


def _periods(text: str) -> list[float]:
    try:
        return sorted(float(each) for each in text.split(",")) if text else []
    except ValueError:
        raise InvalidInput(f"--clock-ns {text!r} is no list of periods in ns; e.g. --clock-ns 0,0.5,1") from None


def _ports(lanes: list[str], signed: list[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {name: {"signed": True} for name in signed}
    for word in lanes:
        name, _, count = word.partition("=")
        if not count:
            raise InvalidInput(f"--lanes {word!r} is not PORT=N, where N is a number or a parameter")
        found.setdefault(name, {})["lanes"] = int(count) if count.isdigit() else count
    return found


def _described(said: dict[str, Any]) -> Description:
    from pydantic import ValidationError

    from archgym.rtl.own.description import Description

    try:
        return Description.model_validate(said)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        option = str(first["loc"][0]).replace("clocks_ns", "clock_ns").replace("_", "-")
        told = first["msg"].removeprefix("Value error, ")
        got = "" if ", got " in told else f", got {first['input']!r}"
        raise InvalidInput(f"--{option}: {told}{got}") from None


def _proved(description: Description, folder: Path) -> tuple[OwnModule, dict[str, int]]:
    """The module, its latency found where nothing states it, and the point that was measured."""
    from archgym.rtl.flow.limits import Limits
    from archgym.rtl.own.module import OwnModule
    from archgym.rtl.own.prove import find_latency, first_point, prove
    from archgym.rtl.own.simulator import metrics_of, numbers_of
    from archgym.rtl.tech.technology import technology

    module = OwnModule(description, folder)
    technology(module.technology)
    limits = Limits(**description.limits.model_dump())
    point = first_point(module)
    out = console()
    if module.block.kind == "pipeline" and not module.states_latency:
        latency = find_latency(module, point, limits)
        if latency is not None:
            module = module.with_latency(latency)
            out.print(f"latency: {latency} cycles, found by simulation", markup=False, highlight=False)
    _describe(module, point)
    for warning in module.parsed(point).warnings:
        typer.echo(f"warning: {warning}", err=True)
    measured = numbers_of(module, prove(module, point, limits))
    rows = [(metric.name, f"{measured[metric.name]:.6g}", metric.unit) for metric in metrics_of(module)]
    said = ", ".join(f"{name}={value}" for name, value in point.items()) or "the defaults"
    print_table(("metric", "value", "unit"), rows, f"one point, simulated against the golden model: {said}")
    return module, point


def _describe(module: OwnModule, point: dict[str, int]) -> None:
    signals, parsed = module.block.signals, module.parsed(point)
    roles = {
        signals.clock: "clock",
        signals.reset: f"reset, active {'low' if signals.active_low else 'high'}",
        signals.in_valid: "input beat is valid",
        signals.in_ready: "input beat is taken",
        signals.out_valid: "output beat is valid",
        signals.out_ready: "output beat is taken",
    }
    data = {port.name: port for port in module.ports(point)}
    print_table(
        ("port", "direction", "bits", "what", "meaning"),
        [(p.name, p.direction, p.width, _kind(data[p.name]) if p.name in data else roles[p.name], p.doc)
         for p in parsed.ports],
        f"{module.block.top}: {module.block.kind}",
    )  # fmt: skip
    print_table(
        ("parameter", "choices", "default", "meaning"),
        [(p.name, ", ".join(map(str, module.choices.get(p.name, ["default"]))), _default(module, p.name), p.doc)
         for p in parsed.parameters],
    )  # fmt: skip


def _kind(port: Any) -> str:
    lanes = f"{port.lanes} x {port.width} bits, " if port.lanes > 1 else ""
    return f"{lanes}{'signed' if port.signed else 'unsigned'} data"


def _default(module: OwnModule, name: str) -> int | str | None:
    return next((each.value for each in module.plain.parameters if each.name == name), "")


def _write(module: OwnModule, target: Path, experiment: Path | None, point: dict[str, int]) -> None:
    from archgym.rtl.own.write import description_text, experiment_text

    target.write_text(description_text(module.description), encoding="utf-8")
    clock = module.description.clocks_ns[0]
    design = " ".join(f"{name}={value}" for name, value in {**point, "clock_ns": clock}.items())
    lines = [
        f"written: {target}",
        f"score a design: archgym evaluate rtl {design} --option description={target} --workload random",
    ]
    if experiment is None:
        lines.append("write an experiment: the same command with --force --experiment FILE")
    else:
        experiment.write_text(experiment_text(module, target.as_posix()), encoding="utf-8")
        lines += [f"written: {experiment}", f"search: archgym run {experiment}"]
    for line in lines:
        console().print(line, markup=False, highlight=False, soft_wrap=True)
