"""Arrival times at nets, and the way back from an end point to where its path starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from archgym.rtl.flow import kernel_sta as K
from archgym.rtl.flow.flat import Ints, Netlist
from archgym.rtl.flow.timing_arcs import Arcs

__all__ = ["Arrivals", "End", "PathPoint", "trace"]

_EDGES = ("rise", "fall")


@final
@dataclass(frozen=True, eq=False)
class Arrivals:
    """Arrays of `kernel_sta.propagate`, and the worst of each start at flip-flops as `kernel_sta.check` finds it."""

    arrival: NDArray[np.float64]
    slew: NDArray[np.float64]
    before: Ints
    load: NDArray[np.float64]
    worst: NDArray[np.float64]
    where: Ints


@final
@dataclass(frozen=True)
class End:
    """Where a path ends: a net, and the margin that an output delay or a setup time takes from the period there."""

    net: int
    edge: int
    start: int
    margin_ns: float
    name: str
    cell: int = -1
    arc: int = -1


@final
@dataclass(frozen=True)
class PathPoint:
    """A step of a path; the delays of all steps add up to the critical period."""

    net: str
    cell: str
    """Empty at ports."""
    kind: str
    enter: str
    """Pins of the cell."""
    leave: str
    edge: str
    """"rise" or "fall", of `net`."""
    delay_ns: float
    arrival_ns: float
    slew_ns: float
    load_ff: float


def trace(netlist: Netlist, arcs: Arcs, arrivals: Arrivals, end: End) -> tuple[PathPoint, ...]:
    """The points of the latest path to an end point, first to last."""
    total = float(arrivals.arrival[end.net, end.edge, end.start]) + end.margin_ns
    enter, leave, kind = "", end.name, ""
    if end.cell >= 0:
        enter, leave, kind = _pins(netlist, arcs, end.cell, end.arc)
    last = _point(netlist, arrivals, end.net, end.edge, end.margin_ns, total)
    points = [
        PathPoint(
            **{**vars(last), "cell": end.name, "kind": kind, "enter": leave, "leave": "setup" if kind else "output"}
        )
    ]
    net, edge = end.net, end.edge
    while True:
        arrival = float(arrivals.arrival[net, edge, end.start])
        code = int(arrivals.before[net, edge, end.start])
        if code < 0:
            points.append(_point(netlist, arrivals, net, edge, arrival, arrival))
            return tuple(points[::-1])
        cell, row = int(netlist.net_driver_cell[net]), arcs.rows[code >> 1]
        enter, leave, kind = _pins(netlist, arcs, cell, code >> 1)
        source = int(netlist.pin_net[int(netlist.pin_start[cell]) + int(row[K.FROM])])
        launch = row[K.ROLE] == K.LAUNCH
        before = 0.0 if launch else float(arrivals.arrival[source, code & 1, end.start])
        point = _point(netlist, arrivals, net, edge, arrival - before, arrival)
        points.append(
            PathPoint(**{**vars(point), "cell": netlist.cell_name(cell), "kind": kind, "enter": enter, "leave": leave})
        )
        if launch:
            return tuple(points[::-1])
        net, edge = source, code & 1


def _pins(netlist: Netlist, arcs: Arcs, cell: int, arc: int) -> tuple[str, str, str]:
    kind = int(netlist.cell_kind[cell])
    names, row = netlist.kind_pins[kind], arcs.rows[arc]
    return names[row[K.FROM]], names[row[K.TO]], netlist.kinds[kind]


def _point(netlist: Netlist, arrivals: Arrivals, net: int, edge: int, delay: float, arrival: float) -> PathPoint:
    slew, load = float(arrivals.slew[net, edge]), float(arrivals.load[net, edge])
    return PathPoint(netlist.net_name(net), "", "", "", "", _EDGES[edge], delay, arrival, slew, load)
