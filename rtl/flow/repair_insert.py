"""Putting buffers into a flat netlist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

import numpy as np

from archgym.rtl.flow.flat import Ints, Netlist

if TYPE_CHECKING:
    from archgym.rtl.tech.liberty import Library

__all__ = ["Branch", "insert"]


@final
@dataclass(frozen=True, eq=False)
class Branch:
    """Sinks of a net that move behind buffers, one buffer for each group."""

    net: int
    buffer: str
    groups: tuple[Ints, ...]
    """Input pins."""


def insert(netlist: Netlist, library: Library, branches: Sequence[Branch]) -> Netlist:
    """A netlist with the buffers; its cells and nets come after those that there are."""
    if not branches:
        return netlist
    kinds, kind_pins = list(netlist.kinds), list(netlist.kind_pins)
    outputs, sequential = list(netlist.kind_outputs), netlist.kind_sequential.tolist()
    for name in dict.fromkeys(branch.buffer for branch in branches):
        if name not in kinds:
            pins = tuple(library.cells[name].pins)
            kinds.append(name)
            kind_pins.append(pins)
            outputs.append(np.array([library.cells[name].pins[pin].direction == "output" for pin in pins]))
            sequential.append(False)
    pin_net = netlist.pin_net.copy()
    new_kinds, new_pins, net = [], [], netlist.nets
    for branch in branches:
        kind = kinds.index(branch.buffer)
        for group in branch.groups:
            pin_net[group] = net
            new_kinds.append(kind)
            new_pins += [net if output else branch.net for output in outputs[kind].tolist()]
            net += 1
    cells, nets = netlist.cells, netlist.nets
    cell_kind = np.concatenate([netlist.cell_kind, np.array(new_kinds, dtype=np.int32)])
    width = np.array([len(pins) for pins in kind_pins], dtype=np.int32)
    old_cell, old_net = netlist.cell_name, netlist.net_name
    return replace(
        netlist,
        kinds=tuple(kinds),
        kind_pins=tuple(kind_pins),
        kind_outputs=tuple(outputs),
        kind_sequential=np.array(sequential, dtype=np.bool_),
        cell_kind=cell_kind,
        pin_start=np.concatenate([[0], np.cumsum(width[cell_kind])]).astype(np.int32),
        pin_net=np.concatenate([pin_net, np.array(new_pins, dtype=np.int32)]),
        nets=net,
        cell_name=lambda cell: old_cell(cell) if cell < cells else f"load_buffer_{cell}",
        net_name=lambda each: old_net(each) if each < nets else f"load_net_{each}",
    )
