"""A small library of cells and netlists written by hand, with the behaviour of each cell as plain Python.

The Python functions are the second opinion: nothing of them comes from the Liberty expressions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from archgym.rtl.flow.netlist import Netlist, flatten, read_yosys_json
from archgym.rtl.tech.liberty import Cell, Flop, Library, Pin, PowerArc, Table
from archgym.rtl.tech.library_cells import Thresholds

BEHAVIOUR: dict[str, dict[str, Callable[..., int]]] = {
    "INV": {"Y": lambda A: 1 - A},
    "BUF": {"Y": lambda A: A},
    "NAND2": {"Y": lambda A, B: 0 if A and B else 1},
    "XOR2": {"Y": lambda A, B: (A + B) % 2},
    "MUX2": {"Y": lambda A, B, S: B if S else A},
    "MAJ": {"Y": lambda A, B, C: int(A + B + C >= 2)},
    "AOI22": {"Y": lambda A, B, C, D: int(not ((A and B) or (C and D)))},
    "FA": {"S": lambda A, B, C: (A + B + C) % 2, "CO": lambda A, B, C: (A + B + C) // 2},
    "ODD6": {"Y": lambda A, B, C, D, E, F: (A + B + C + D + E + F) % 2},
    "HI": {"Y": lambda: 1},
}

FUNCTIONS: dict[str, dict[str, str]] = {
    "INV": {"Y": "!A"},
    "BUF": {"Y": "A"},
    "NAND2": {"Y": "(A B)'"},
    "XOR2": {"Y": "A ^ B"},
    "MUX2": {"Y": "(A & !S) | (B & S)"},
    "MAJ": {"Y": "A*B + A*C + B*C"},
    "AOI22": {"Y": "!((A&B)|(C&D))"},
    "FA": {"S": "A^B^C", "CO": "(A&B)|(C&(A|B))"},
    "ODD6": {"Y": "A^B^C^D^E^F"},
    "HI": {"Y": "1"},
}

FLOPS = {
    "DFF": (("CK", "D"), {"Q": "IQ", "QN": "IQN"}, Flop("CK", "D", None, None, "IQ", "IQN")),
    "DFFE": (("CK", "D", "E"), {"Q": "IQ"}, Flop("CK", "(D&E)|(IQ&!E)", None, None, "IQ", "IQN")),
    "DFFN": (("CKN", "D"), {"QN": "IQN"}, Flop("!CKN", "D", None, None, "IQ", "IQN")),
    "DFFR": (("CK", "D", "RN"), {"Q": "IQ"}, Flop("CK", "D", "!RN", None, "IQ", "IQN")),
    "DFFS": (("CK", "D", "SN"), {"Q": "IQ"}, Flop("CK", "D", None, "SN'", "IQ", "IQN")),
}


def pin(name: str, direction: str, function: str | None = None, **more: Any) -> Pin:
    """A pin of 2 fF."""
    return Pin(name, direction, 2.0, 2.0, 2.0, function, False, None, more.get("three_state"))


def cell(
    name: str,
    inputs: Sequence[str],
    outputs: Mapping[str, str | None],
    flop: Flop | None = None,
    power: tuple[PowerArc, ...] = (),
    leakage: tuple[tuple[str, float], ...] = (),
    latch: bool = False,
    three_state: str | None = None,
) -> Cell:
    """A cell of 1 um2 that leaks 1 nW."""
    pins = {each: pin(each, "input") for each in inputs}
    pins |= {each: pin(each, "output", function, three_state=three_state) for each, function in outputs.items()}
    return Cell(name, 1.0, 1.0, leakage, pins, (), power, flop, latch, False)


def constant_table(value: float) -> Table:
    """A table of one value."""
    return Table(np.zeros(1), np.zeros(1), np.full((1, 1), value))


def library(*more: Cell) -> Library:
    """All cells of this file and `more`, at 1 V."""
    cells = {}
    for name, functions in FUNCTIONS.items():
        inputs = "ABCDEF"[: {"HI": 0, "INV": 1, "BUF": 1, "MAJ": 3, "FA": 3, "AOI22": 4, "ODD6": 6}.get(name, 2)]
        cells[name] = cell(name, [*inputs, *("S" if name == "MUX2" else "")], functions)
    for name, (inputs, outputs, flop) in FLOPS.items():
        cells[name] = cell(name, inputs, outputs, flop)
    cells |= {each.name: each for each in more}
    return Library("hand", cells, 1.0, 25.0, Thresholds(), 1.0)


def netlist(
    inputs: Mapping[str, Sequence[str]],
    outputs: Mapping[str, Sequence[str]],
    cells: Sequence[tuple[str, Mapping[str, str]]],
    cell_library: Library | None = None,
) -> Netlist:
    """A netlist of named nets ("0" and "1" are constants); cells are (kind, net by pin)."""
    number: dict[str, Any] = {"0": "0", "1": "1"}

    def bit(net: str) -> Any:
        return number.setdefault(net, len(number))

    ports = {
        name: {"direction": direction, "bits": [bit(net) for net in nets]}
        for direction, group in (("input", inputs), ("output", outputs))
        for name, nets in group.items()
    }
    body = {
        f"c{i}": {"type": kind, "connections": {each: [bit(net)] for each, net in pins.items()}}
        for i, (kind, pins) in enumerate(cells)
    }
    names = {net: {"bits": [place], "hide_name": 0} for net, place in number.items() if isinstance(place, int)}
    text = json.dumps(
        {"modules": {"top": {"attributes": {"top": 1}, "ports": ports, "cells": body, "netnames": names}}}
    )
    return flatten(read_yosys_json(text), "top", cell_library or library())


def net_named(circuit: Netlist, name: str) -> int:
    """Number of a net."""
    return next(net for net in range(circuit.nets) if circuit.net_name(net) == name)


def random_cells(
    generator: np.random.Generator, sources: Sequence[str], gates: int
) -> list[tuple[str, dict[str, str]]]:
    """A random combinational circuit: every gate reads nets before it."""
    nets, found = [*sources, "0", "1"], []
    for gate in range(gates):
        kind = str(generator.choice(list(FUNCTIONS)))
        pins = [each.name for each in library().cells[kind].inputs]
        wires = {each: str(generator.choice(nets)) for each in pins}
        for place, each in enumerate(FUNCTIONS[kind]):
            wires[each] = f"{gate}" + "x" * place + "w"
            nets.append(wires[each])
        found.append((kind, wires))
    return found


def slow(cells: Sequence[tuple[str, Mapping[str, str]]], known: Mapping[str, int]) -> dict[str, int]:
    """Values of all nets of combinational cells that are given in order."""
    values = {"0": 0, "1": 1, **known}
    for kind, wires in cells:
        for out, function in BEHAVIOUR[kind].items():
            arguments = {name: values[net] for name, net in wires.items() if name not in BEHAVIOUR[kind]}
            values[wires[out]] = function(**arguments)
    return values
