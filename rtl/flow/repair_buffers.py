"""Buffers behind heavy nets, a level of a tree at a time.

Sinks are sorted by slack; the most critical ones stay on the net, the others move behind buffers, which also takes
their load off the critical ones (fan-out optimisation after Berman, Carter and Day 1989 and Touati 1990: trees of
buffers over sinks in the order of their required times; van Ginneken 1990 for the delay model, here with straight lines
fitted to the tables). The inputs of new buffers are sinks like any others, so the next call builds the next level.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from archgym.rtl.flow.flat import Ints
from archgym.rtl.flow.kernel_buffers import split
from archgym.rtl.flow.repair_families import buffers
from archgym.rtl.flow.repair_insert import Branch
from archgym.rtl.flow.repair_sizes import line
from archgym.rtl.flow.repair_state import Slopes, State, Times

if TYPE_CHECKING:
    from archgym.rtl.tech.liberty import Library

__all__ = ["branches"]

Floats = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class _Drives:
    """The buffers of a library as numbers, smallest first."""

    names: tuple[str, ...]
    table: Floats
    """[buffers, 5]: input fF; ns at no load and ns/fF, with what the slew costs the cells behind; most fF; um2."""


def branches(state: State, times: Times, slopes: Slopes, near_ns: float, gain_ns: float) -> list[Branch]:
    """Where buffers help: nets above the limits of their drivers, and nets of critical paths.

    Args:
        state: netlist and sizes.
        times: its arrivals.
        slopes: its required times.
        near_ns: paths with more slack are not critical.
        gain_ns: what a buffer on a critical path has to bring.
    """
    drives = _drives(state.library)
    if not drives.names:
        return []
    netlist, sizes = state.base, state.sizes
    load = state.load.max(axis=1)
    driver = netlist.net_driver
    nets = np.flatnonzero((driver >= 0) & (state.phase < 0) & sizes.changing & (np.diff(netlist.net_sinks[0]) > 1))
    pins = driver[nets]
    lists, column = state.size[netlist.pin_cell[pins]], netlist.pin_of_kind[pins]
    limit, slope = sizes.most[lists, column], _slopes(state)[lists, column]
    heavy = load[nets] > limit
    slack = (slopes.need - times.arrival)[nets].min(axis=1)
    # A net whose load costs less than a buffer without load gains nothing from one.
    worth = (slack < near_ns) & (slope * load[nets] > drives.table[:, 1].min())
    found = []
    for at in np.flatnonzero(heavy | worth).tolist():
        net = int(nets[at])
        branch = _plan(
            state, slopes.room, drives, net, float(slope[at]), float(limit[at]) if heavy[at] else math.inf, near_ns,
            -math.inf if heavy[at] else gain_ns,
        )  # fmt: skip
        if branch is not None:
            found.append(branch)
    return found


def _plan(
    state: State,
    room: Floats,
    drives: _Drives,
    net: int,
    ns_per_ff: float,
    limit_ff: float,
    near_ns: float,
    gain_ns: float,
) -> Branch | None:
    """The best split of a net's sinks: how many stay, which buffer and how many of them drive the others."""
    netlist, sizes = state.base, state.sizes
    start, sinks = netlist.net_sinks
    pins = sinks[start[net] : start[net + 1]]
    order = np.argsort(room[pins], kind="stable")
    pins = pins[order]
    slack = np.minimum(room[pins], near_ns)
    caps = sizes.caps[state.size[netlist.pin_cell[pins]], netlist.pin_of_kind[pins]].max(axis=1)
    wire = state.library.wire_load_ff(len(pins)) / len(pins)
    kept = np.concatenate([[0.0], np.cumsum(caps + wire)])
    other = float(state.load[net].max() - kept[-1])  # output ports
    found = np.zeros(3, dtype=np.int32)
    score = split(kept, slack, other, ns_per_ff, limit_ff, near_ns, wire, drives.table, found)
    if score < slack[0] + gain_ns:
        return None
    row, stays, groups_ = found.tolist()
    parts = _parts(caps[stays:] + wire, groups_)
    return Branch(net, drives.names[row], tuple(part.astype(np.int32) for part in np.split(pins[stays:], parts)))


def _parts(loads: Floats, count: int) -> Ints:
    """Where to cut a list so that the loads of the parts are about equal; no part is empty."""
    middle = np.cumsum(loads) - loads / 2
    part = np.minimum((middle * (count / loads.sum())).astype(np.int64), count - 1)
    cuts: Ints = (np.flatnonzero(np.diff(part)) + 1).astype(np.int32)
    return cuts


@lru_cache(maxsize=8)
def _slew_cost(library: Library) -> float:
    """Delay of a cell per slew at its input: the mean over the library's buffers."""
    found = []
    for name in buffers(library):
        for arc in library.cells[name].arcs:
            for table in (arc.rise, arc.fall):
                if table is not None and len(table.index_1) > 1:
                    column = table.values[:, table.values.shape[1] // 2]
                    found.append((column[-1] - column[0]) / (table.index_1[-1] - table.index_1[0]))
    return float(np.mean(found)) if found else 0.0


@lru_cache(maxsize=8)
def _drives(library: Library) -> _Drives:
    names = buffers(library)
    lines = [line(library.cells[name], library.cells[name].outputs[0].name) for name in names]
    cost = _slew_cost(library)
    limits = []
    for name, each in zip(names, lines, strict=True):
        pin = library.cells[name].outputs[0]
        slew = min(value for value in (pin.max_slew_ns, library.default_max_slew_ns, math.inf) if value is not None)
        loads = (pin.max_load_ff, library.default_max_load_ff, each.load_ff(slew))
        limits.append(min(value for value in loads if value is not None))
    columns = [
        [max(library.cells[name].inputs[0].rise_ff, library.cells[name].inputs[0].fall_ff) for name in names],
        [each.delay_ns + cost * each.slew_ns for each in lines],
        [each.ns_per_ff + cost * each.slew_per_ff for each in lines],
        limits,
        [library.cells[name].area_um2 for name in names],
    ]
    return _Drives(names, np.ascontiguousarray(np.array(columns).T))


def _slopes(state: State) -> Floats:
    """ns/fF[lists, pins] at outputs: delay, and what the slew costs behind."""
    library, found = state.library, np.zeros(state.sizes.most.shape)
    cost = _slew_cost(library)
    pins_of = {}
    for kind, name in enumerate(state.base.kinds):
        pins_of[name] = state.base.kind_pins[kind]
    for row, name in enumerate(state.sizes.names):
        cell = library.cells[name]
        for column, pin in enumerate(pins_of.get(name, ())):
            if cell.pins[pin].direction == "output":
                each = line(cell, pin)
                found[row, column] = each.ns_per_ff + cost * each.slew_per_ff
    return found
