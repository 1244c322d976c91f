"""Elaborated blocks as bit-parallel functions: a netlist of simple gates, evaluated over packed vectors.

Independent of the flow: Yosys elaborates and maps to two-input gates in a child process, NumPy evaluates, 64 vectors a
word. Flip-flops are cut: their outputs become inputs and their next states outputs, so that one step of a sequential
block can be checked for every state and input (or solved).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.rtl.block import ROOT

_SCRIPT = """
import sys
from pyosys import libyosys
design = libyosys.Design()
for line in sys.argv[1:]:
    libyosys.run_pass(line, design)
"""


def yosys(*passes: str, cwd: Path) -> str:
    """Run passes in a child process (an error aborts it) and return the log.

    Raises:
        AssertionError: with the log, when a pass failed.
    """
    done = subprocess.run([sys.executable, "-c", _SCRIPT, *passes], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    return done.stdout


def read(top: str, sources: tuple[str, ...], parameters: Mapping[str, int]) -> str:
    """The pass that elaborates a top with its parameters."""
    settings = "".join(f" -G {name}={value}" for name, value in parameters.items())
    return f"read_slang --top {top}{settings} " + " ".join(str(ROOT / name) for name in sources)


class Gates:
    """A netlist of two-input gates; call it with a value array a port."""

    def __init__(self, module: Mapping[str, Any]) -> None:
        """Order the gates of a module of Yosys' JSON."""
        self.ports = module["ports"]
        self.driver: dict[int, tuple[str, list[Any]]] = {}
        for cell in module["cells"].values():
            pins = cell["connections"]
            if cell["type"].startswith(("$_DFF", "$_SDFF")):
                raise AssertionError(f"flip-flop {cell['type']} left: cut it with `expose`")
            self.driver[pins["Y"][0]] = (cell["type"], [pins[name][0] for name in "ABS" if name in pins])
        self.order = self._sorted()

    def _sorted(self) -> list[int]:
        order: list[int] = []
        done: set[int] = set()
        stack = [net for port in self.ports.values() if port["direction"] == "output" for net in port["bits"]]
        while stack:
            net = stack[-1]
            if net in done or net not in self.driver:
                stack.pop()
                continue
            waiting = [n for n in self.driver[net][1] if n in self.driver and n not in done]
            if waiting:
                stack.extend(waiting)
            else:
                order.append(net)
                done.add(net)
                stack.pop()
        return order

    def state(self) -> tuple[list[str], list[str]]:
        """Ports of the flip-flops that were cut: their outputs (inputs here), and their next states likewise."""
        held = [name for name, port in self.ports.items() if name.endswith(".q") and port["direction"] == "input"]
        return held, [name.removesuffix(".q") + ".d" for name in held]

    def __call__(self, **inputs: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """Outputs (unsigned, int64[n]; object integers beyond 63 bits) for inputs int64[n] or lists of bit arrays."""
        n = len(next(iter(inputs.values())))
        nets: dict[Any, NDArray[np.uint8]] = {"0": packed(np.zeros(n, bool)), "1": packed(np.ones(n, bool))}
        nets["x"] = nets["0"]
        for name, port in self.ports.items():
            if port["direction"] == "input":
                for bit, net in enumerate(port["bits"]):
                    nets[net] = packed((inputs[name] >> bit) & 1 != 0)
        for net in self.order:
            kind, pins = self.driver[net]
            nets[net] = gate(kind, [nets[p] for p in pins])
        return {
            name: self._word(port["bits"], nets, n)
            for name, port in self.ports.items()
            if port["direction"] == "output"
        }

    @staticmethod
    def _word(bits: list[Any], nets: Mapping[Any, NDArray[np.uint8]], n: int) -> NDArray[Any]:
        total = np.zeros(n, dtype=np.int64 if len(bits) < 63 else object)
        for bit, net in enumerate(bits):
            value = np.unpackbits(nets[net], count=n).astype(total.dtype)
            total += value * (1 << bit)
        return total


def packed(flags: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Eight vectors a byte."""
    return np.packbits(flags)


def gate(kind: str, pins: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """One gate of Yosys' simple library."""
    if kind == "$_NOT_":
        return ~pins[0]
    if kind == "$_MUX_":
        return (pins[0] & ~pins[2]) | (pins[1] & pins[2])
    return {"$_AND_": np.bitwise_and, "$_OR_": np.bitwise_or, "$_XOR_": np.bitwise_xor}[kind](*pins)


@lru_cache(maxsize=64)
def _gates(top: str, sources: tuple[str, ...], parameters: tuple[tuple[str, int], ...]) -> Gates:
    with tempfile.TemporaryDirectory() as folder:
        yosys(
            read(top, sources, dict(parameters)),
            f"hierarchy -top {top}",
            "proc",
            "flatten",
            "dffunmap",
            "expose -evert-dff",
            "techmap",
            "simplemap",
            "opt_expr; clean",
            "write_json out.json",
            cwd=Path(folder),
        )
        modules = json.loads((Path(folder) / "out.json").read_text())["modules"]
    return Gates(modules[top])


def gates(top: str, sources: tuple[str, ...], parameters: Mapping[str, int]) -> Gates:
    """A top of the library as simple gates, flip-flops cut."""
    return _gates(top, tuple(sources), tuple(parameters.items()))


def signed(values: NDArray[Any], width: int) -> NDArray[Any]:
    """Bit patterns as two's complement."""
    return values - ((values >> (width - 1)) & 1) * (1 << width)
