"""Reading what Yosys writes with `write_json`: modules, their ports, cells and names of nets."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from archgym.errors import InvalidInput, UnknownName

__all__ = ["CONSTANT_NETS", "Instance", "Module", "Modules", "find_module", "local_nets", "read_yosys_json"]

CONSTANT_NETS = {"0": 0, "1": 1, "x": 0}
"""Numbers of the nets that are constant; a don't-care is tied low, which is one of its two legal values."""

# Cells that Yosys keeps for messages only (manual, "Internal cell library": $scopeinfo).
_NOT_HARDWARE = frozenset({"$scopeinfo"})


@final
@dataclass(frozen=True)
class Instance:
    """A cell of a module: of the library, or another module. Bits by pin, lowest first, as Yosys writes them."""

    name: str
    kind: str
    pins: Mapping[str, Sequence[int | str]]


@final
@dataclass(frozen=True, eq=False)
class Module:
    """A module of the file. Nets are numbered as in the file, from 2; 0 and 1 are the constants."""

    name: str
    inputs: Mapping[str, NDArray[np.int32]]
    outputs: Mapping[str, NDArray[np.int32]]
    cells: tuple[Instance, ...]
    nets: int
    netnames: Mapping[str, Any]

    @cached_property
    def names(self) -> Mapping[int, str]:
        """Names of the nets; one that the designer chose beats one that the tool made."""
        found: dict[int, str] = {}
        for name, net in sorted(self.netnames.items(), key=lambda item: -int(item[1].get("hide_name", 0))):
            bits = net["bits"]
            found.update(
                {bit: name if len(bits) == 1 else f"{name}[{i}]" for i, bit in enumerate(bits) if isinstance(bit, int)}
            )
        return found


@final
@dataclass(frozen=True, eq=False)
class Modules:
    """The modules of a file and which of them is marked as the top, if any."""

    by_name: Mapping[str, Module]
    top: str


def local_nets(bits: Sequence[int | str], where: str) -> list[int]:
    """Numbers of nets of a connection.

    Raises:
        InvalidInput: a bit is high-impedance.
    """
    if "z" in bits:
        raise InvalidInput(f"{where} is high-impedance (z): three-state nets are not supported; drive it with 0 or 1")
    return [bit if isinstance(bit, int) else CONSTANT_NETS[bit] for bit in bits]


def read_yosys_json(source: str | Path) -> Modules:
    """Read the output of `write_json`.

    Args:
        source: the text itself, or the path of a file.

    Raises:
        InvalidInput: it is not such a file.
    """
    text = source.read_text(encoding="utf-8") if isinstance(source, Path) else source
    try:
        bodies = json.loads(text)["modules"]
        modules = {name: _module(name, body) for name, body in bodies.items()}
        tops = [name for name, body in bodies.items() if len(bodies) == 1 or _is_set(body, "top")]
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as problem:
        what = str(source) if isinstance(source, Path) else "the netlist"
        raise InvalidInput(f"{what} is no output of Yosys's write_json: {problem!r}") from None
    if not modules:
        raise InvalidInput("the netlist has no module; synthesise a design before write_json")
    return Modules(modules, tops[0] if tops else "")


def find_module(modules: Modules, top: str) -> Module:
    """The module of that name; an empty name means the one marked as the top.

    Raises:
        UnknownName: there is none.
    """
    name = top or modules.top
    if name not in modules.by_name:
        raise UnknownName("top module", name, modules.by_name)
    return modules.by_name[name]


def _is_set(body: Mapping[str, Any], attribute: str) -> bool:
    """Whether an attribute (a string of binary digits or a number) is not zero."""
    return bool(int(str(body.get("attributes", {}).get(attribute, "0")), 2))


def _module(name: str, body: Mapping[str, Any]) -> Module:
    ports: dict[str, dict[str, NDArray[np.int32]]] = {"input": {}, "output": {}}
    highest = 1
    for port, description in body["ports"].items():
        direction, bits = description["direction"], description["bits"]
        if direction not in ports:
            raise InvalidInput(f"port {port} of module {name} is {direction}; only input and output are supported")
        ports[direction][port] = np.array(local_nets(bits, f"port {port} of module {name}"), dtype=np.int32)
        highest = max([highest, *ports[direction][port].tolist()])
    cells = []
    for cell, description in body["cells"].items():
        if description["type"] not in _NOT_HARDWARE:
            pins = description["connections"]
            cells.append(Instance(cell, description["type"], pins))
            for bits in pins.values():
                for bit in bits:
                    if type(bit) is int and bit > highest:
                        highest = bit
    return Module(name, ports["input"], ports["output"], tuple(cells), highest + 1, body["netnames"])
