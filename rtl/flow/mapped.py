"""Mapped modules as `write_json` has them: what they instantiate, under which names, how many cells they make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

__all__ = ["Instance", "children", "count_cells", "instance_name", "renamed"]

Instance: TypeAlias = tuple[str, tuple[tuple[str, int], ...]]
"""A module and the values of its parameters."""

_WORD = 32  # bits of a parameter of type int


def children(body: Mapping[str, Any], modules: Sequence[str]) -> list[Instance]:
    """The distinct instances of some modules, in the order of their first occurrence."""
    cells = (cell for cell in body["cells"].values() if cell["type"] in modules)
    return list(dict.fromkeys((cell["type"], _parameters(cell)) for cell in cells))


def instance_name(module: str, parameters: Sequence[tuple[str, int]]) -> str:
    """A name for a module with these parameters."""
    return "$".join([module, *(f"{name}={value}" for name, value in parameters)])


def renamed(body: Mapping[str, Any], below: Sequence[Instance], *, top: bool) -> dict[str, Any]:
    """The module with its instances referring to modules with parameters in their names."""
    modules = {module for module, _ in below}
    cells = {
        name: {**cell, "type": instance_name(cell["type"], _parameters(cell))} if cell["type"] in modules else cell
        for name, cell in body["cells"].items()
    }
    attributes = {name: value for name, value in body["attributes"].items() if name != "top"}
    if top:
        attributes["top"] = "1"
    return {**body, "attributes": attributes, "cells": cells}


def _parameters(cell: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    return tuple((name, _value(bits)) for name, bits in sorted(cell["parameters"].items()))


def _value(bits: str | int) -> int:
    if isinstance(bits, int):
        return bits
    value = int(bits, 2)
    return value - (1 << _WORD) if len(bits) == _WORD and bits[0] == "1" else value


def count_cells(modules: Mapping[str, Any], top: str) -> Counter[str]:
    """Leaf cells below a module by kind, each instance counted."""
    counts: dict[str, Counter[str]] = {}

    def count(name: str) -> Counter[str]:
        if name not in counts:
            total: Counter[str] = Counter()
            for kind, number in Counter(cell["type"] for cell in modules[name]["cells"].values()).items():
                if kind in modules:
                    total.update({leaf: each * number for leaf, each in count(kind).items()})
                elif kind != "$scopeinfo":  # kept for messages only
                    total[kind] += number
            counts[name] = total
        return counts[name]

    return count(top)
