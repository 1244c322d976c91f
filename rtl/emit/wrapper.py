"""A top with the values of a point fixed: what a flow outside takes without knowing the parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from archgym.errors import InvalidInput
from archgym.rtl.block import Block
from archgym.rtl.flow.parse import RtlPort

__all__ = ["wrapped", "wrapper_text"]


def wrapper_text(name: str, block: Block, parameters: Mapping[str, int], ports: Sequence[RtlPort]) -> str:
    """SystemVerilog of a module without parameters around a block.

    Args:
        name: of the new module.
        block: what it instantiates.
        parameters: their values.
        ports: of the block with these values.

    Raises:
        InvalidInput: an input of an enumeration that cannot be named here.
    """
    width = max(len(_type(port)) for port in ports)
    lines = []
    for index, port in enumerate(ports):
        comma = "," if index + 1 < len(ports) else ""
        doc = f"  // {port.doc}" if port.doc else ""
        direction = "input " if port.direction == "in" else "output"
        lines.append(f"  {direction} {_type(port):<{width}} {port.name}{comma}{doc}")
    values = ",\n".join(f"    .{key}({value})" for key, value in parameters.items())
    generics = f" #(\n{values}\n  )" if parameters else ""
    pins = ",\n".join(f"    .{port.name}({_driven(port, block.top)})" for port in ports)
    said = ", ".join(f"{key} = {value}" for key, value in parameters.items())
    return (
        f"// {block.top} with its parameters fixed{f': {said}' if said else ''}.\n"
        f"module {name} (\n" + "\n".join(lines) + f"\n);\n\n  {block.top}{generics} u_{block.top} (\n{pins}\n  );\n\n"
        "endmodule\n"
    )


def _driven(port: RtlPort, top: str) -> str:
    """What is connected; enumerations take no plain bits."""
    if port.enum is None or port.direction != "in":
        return port.name
    if not port.enum:
        raise InvalidInput(
            f"port {port.name} of {top} is of an enumeration that nothing outside {top} can name, so no top with fixed "
            "parameters can drive it: declare the type in a package"
        )
    return f"{port.enum}'({port.name})"


def _type(port: RtlPort) -> str:
    sign = " signed" if port.signed else ""
    return f"logic{sign}" + (f" [{port.width - 1}:0]" if port.width > 1 else "")


def wrapped(
    block: Block, parameters: Mapping[str, int], name: str, sources: Sequence[Path], include: Sequence[Path] = ()
) -> Block:
    """The block that a wrapper is: no parameters, the same golden model.

    Args:
        block: what is wrapped.
        parameters: their values.
        name: of the wrapper's module.
        sources: files in order of compilation, the wrapper's the last.
        include: folders of what they include.
    """
    p = dict(parameters)
    corners = block.corners
    return replace(
        block,
        name=name,
        top=name,
        sources=tuple(str(path.resolve()) for path in sources),
        parameters=(),
        ports=lambda _none: block.ports(p),
        golden=lambda _none, streams: block.golden(p, streams),
        stimulus=lambda _none, *rest, **named: block.stimulus(p, *rest, **named),
        corners=None if corners is None else lambda _none: corners(p),
        macs=lambda _none, streams: block.macs(p, streams),
        reject=lambda _none: "",
        latency=lambda _none: block.latency(p),
        mutations=(),
        include=tuple(str(path.resolve()) for path in include),
    )
