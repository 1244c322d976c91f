"""Where the clock goes: flip-flops are clocked by a port, directly or through buffers and inverters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from archgym.errors import InvalidInput, UnknownName
from archgym.rtl.flow.flat import Ints, Netlist
from archgym.rtl.tech.function import names_in, sense_of

if TYPE_CHECKING:
    from archgym.rtl.tech.liberty import Library

__all__ = ["clock_nets"]

_NONE, _SAME, _INVERTED = -1, 0, 1


def clock_nets(netlist: Netlist, library: Library, clock: str) -> NDArray[np.int8]:
    """Follow the clock.

    Returns:
        int8[nets]: 0 where the net has the phase of the port, 1 where it is inverted, -1 elsewhere.

    Raises:
        UnknownName: there are flip-flops and no such input.
        InvalidInput: a latch, a flip-flop with another clock, or flip-flops on both edges.
    """
    phase = np.full(netlist.nets, _NONE, dtype=np.int8)
    if clock in netlist.inputs:
        phase[netlist.inputs[clock]] = _SAME
        while _buffers(netlist, library, phase):
            pass
    elif len(netlist.sequential):
        raise UnknownName("clock port", clock, netlist.inputs)
    edges = {_edges(netlist, library, kind, clock, phase) for kind in np.flatnonzero(netlist.kind_sequential).tolist()}
    if len(edges - {""}) > 1 or "both" in edges:
        raise InvalidInput(
            f"flip-flops of {netlist.name} sample on both edges of {clock}; half-cycle paths are not supported: "
            "use one edge"
        )
    return phase


def _nets_of(netlist: Netlist, kind: int, pin: str) -> Ints:
    """Net of one pin of every cell of a kind."""
    cells = np.flatnonzero(netlist.cell_kind == kind)
    return netlist.pin_net[netlist.pin_start[cells] + netlist.kind_pins[kind].index(pin)]


def _buffers(netlist: Netlist, library: Library, phase: NDArray[np.int8]) -> bool:
    """Go through one level of buffers and inverters; whether any net was new."""
    before = np.count_nonzero(phase != _NONE)
    for kind, name in enumerate(netlist.kinds):
        cell = library.cells[name]
        if netlist.kind_sequential[kind] or len(cell.inputs) != 1 or len(cell.outputs) != 1:
            continue
        pin, function = cell.inputs[0].name, cell.outputs[0].function
        if function is not None and pin in names_in(function):
            into = phase[_nets_of(netlist, kind, pin)]
            clocked = into != _NONE
            flip = sense_of(function, pin) == "negative"
            phase[_nets_of(netlist, kind, cell.outputs[0].name)[clocked]] = into[clocked] ^ flip
    return bool(np.count_nonzero(phase != _NONE) > before)


def _edges(netlist: Netlist, library: Library, kind: int, clock: str, phase: NDArray[np.int8]) -> str:
    """Which edges of the port the flip-flops of a kind sample on: "rising", "falling", "both", or "" for none."""
    name = netlist.kinds[kind]
    flop = library.cells[name].flop
    pins = names_in(flop.clocked_on) if flop is not None else ()
    cells = np.flatnonzero(netlist.cell_kind == kind)
    if flop is None or len(pins) != 1:
        raise InvalidInput(
            f"cell {netlist.cell_name(int(cells[0]))} ({name}) is no flip-flop with one clock; latches and clock gates "
            "cannot be timed: describe registers on one clock edge"
        )
    nets = _nets_of(netlist, kind, pins[0])
    strange = np.flatnonzero(phase[nets] == _NONE)
    if len(strange):
        cell, net = netlist.cell_name(int(cells[strange[0]])), netlist.net_name(int(nets[strange[0]]))
        raise InvalidInput(
            f"flip-flop {cell} is clocked by {net}, not by {clock} or a buffered copy of it; gated and derived clocks "
            "cannot be timed: use an enable"
        )
    falling = (phase[nets] == _INVERTED) ^ (sense_of(flop.clocked_on, pins[0]) == "negative")
    return "both" if falling.any() and not falling.all() else "falling" if falling.any() else "rising"
