"""Static timing of a mapped netlist by the tables of its library (NLDM).

Arrival times and slews of both edges go through the cells level by level; the clock is ideal (it arrives everywhere at
time 0 with a stated slew), nets have the capacitance of their pins plus the library's wire-load model and no
resistance. The conventions are those of OpenSTA, which `opensta.worst_path` runs on the same netlist.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from archgym.errors import InvalidInput
from archgym.rtl.flow import kernel_sta as K
from archgym.rtl.flow.flat import Netlist
from archgym.rtl.flow.timing_arcs import Arcs, compile_arcs
from archgym.rtl.flow.timing_clock import clock_nets
from archgym.rtl.flow.timing_loads import net_loads
from archgym.rtl.flow.timing_path import Arrivals, End, PathPoint, trace

if TYPE_CHECKING:
    from archgym.rtl.tech.liberty import Library

__all__ = ["GROUPS", "Constraints", "PathPoint", "Timing", "analyse"]

GROUPS = ("reg2reg", "in2reg", "reg2out", "in2out")
"""Groups of paths by where they start and end."""


@final
@dataclass(frozen=True)
class Constraints:
    """What surrounds the block."""

    clock_ns: float
    """Period."""
    clock: str = "clk_i"
    input_slew_ns: float = 0.0
    output_load_ff: float = 0.0
    input_delay_ns: float = 0.0
    """After the clock edge, when inputs arrive."""
    output_delay_ns: float = 0.0
    """Before the next clock edge, when outputs must be there."""
    clock_slew_ns: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is negative or not finite."""
        for name, value in vars(self).items():
            if name != "clock" and not (math.isfinite(value) and value >= 0):
                raise InvalidInput(f"{name} is {value}; a number of at least 0 is expected")


@final
@dataclass(frozen=True, eq=False)
class Timing:
    """Result of `analyse`."""

    clock_ns: float
    critical_ns: float
    """The shortest period that closes every path, input and output delays included; 0 without paths."""
    groups: Mapping[str, float]
    """The same by group of paths; groups without paths are left out."""
    path: tuple[PathPoint, ...]
    """The path that sets `critical_ns`, from its start to its end."""
    hold_slack_ns: float
    """Earliest arrival at a flip-flop minus its hold time, from registers and inputs; infinite without flip-flops."""
    hold_reg2reg_ns: float
    """The same from registers alone: inputs may come from anywhere, so `input_delay_ns` decides the other."""
    net_slew_rise_ns: NDArray[np.float64]
    """float64[nets]: 0 where a net never changes or is the ideal clock's."""
    net_slew_fall_ns: NDArray[np.float64]
    net_load_ff: NDArray[np.float64]
    """float64[nets]: pins (mean of rise and fall), wire and output load."""

    @property
    def slack_ns(self) -> float:
        """Period minus `critical_ns`."""
        return self.clock_ns - self.critical_ns

    def report(self) -> str:
        """The worst path as text, a line per point."""
        lines = [f"{'delay':>8} {'arrival':>8} {'slew':>8} {'load fF':>8}  point"]
        for point in self.path:
            where = f"{point.cell} ({point.kind}) {point.enter} -> {point.leave}" if point.kind else point.net
            numbers = (point.delay_ns, point.arrival_ns, point.slew_ns)
            lines.append(f"{' '.join(f'{x:8.4f}' for x in numbers)} {point.load_ff:8.2f} {point.edge} {where}")
        return "\n".join([*lines, f"critical {self.critical_ns:.4f} ns, slack {self.slack_ns:.4f} ns"])


def analyse(netlist: Netlist, library: Library, constraints: Constraints, *, hold: bool = True) -> Timing:
    """Time a netlist.

    Args:
        netlist: of cells of `library`.
        library: delay, slew and constraint tables.
        constraints: period, slews, loads and delays at the ports.
        hold: also find the earliest arrivals, which takes as long again; else the hold slacks are infinite.

    Raises:
        InvalidInput: a combinational loop, a latch, a gated clock, or flip-flops on both edges (named).
        UnknownName: there are flip-flops and no clock port of that name.
    """
    phase = clock_nets(netlist, library, constraints.clock)
    arcs = compile_arcs(netlist, library)
    load = net_loads(netlist, library, constraints.output_load_ff)
    late = _arrivals(netlist, arcs, constraints, phase, load, 1.0)
    early = np.full(2, np.inf)
    if hold and len(netlist.sequential):
        early = _arrivals(netlist, arcs, constraints, phase, load, -1.0).worst
    ends = _ends(netlist, constraints, late)
    critical, end = max(ends.values(), key=lambda item: item[0], default=(0.0, None))
    slew = np.where(np.isfinite(late.slew), late.slew, 0.0)
    return Timing(
        clock_ns=constraints.clock_ns,
        critical_ns=critical,
        groups={name: value for name, (value, _) in ends.items()},
        path=trace(netlist, arcs, late, end) if end is not None else (),
        hold_slack_ns=float(early.min()),
        hold_reg2reg_ns=float(early[K.REGISTER]),
        net_slew_rise_ns=slew[:, K.RISING],
        net_slew_fall_ns=slew[:, K.FALLING],
        net_load_ff=load.mean(axis=1),
    )


def _arrivals(
    netlist: Netlist,
    arcs: Arcs,
    constraints: Constraints,
    phase: NDArray[np.int8],
    load: NDArray[np.float64],
    sign: float,
) -> Arrivals:
    """The latest (sign 1) or earliest (-1) arrivals at all nets and flip-flops."""
    found = Arrivals(
        arrival=np.full((netlist.nets, 2, 2), -sign * np.inf),
        slew=np.full((netlist.nets, 2), -sign * np.inf),
        before=np.full((netlist.nets, 2, 2), -1, dtype=np.int32),
        load=load,
        worst=np.full(2, -sign * np.inf),
        where=np.zeros((2, 4), dtype=np.int32),
    )
    for nets in netlist.inputs.values():
        data = nets[phase[nets] < 0]
        found.arrival[data, :, K.PORT] = constraints.input_delay_ns
        found.slew[data] = constraints.input_slew_ns
    order = np.concatenate([netlist.sequential, netlist.order])
    clock_slew = np.float64(constraints.clock_slew_ns)
    cells = (arcs.of_cell, arcs.start, arcs.rows, arcs.tables, arcs.pool, netlist.pin_start, netlist.pin_net)
    K.propagate(order, *cells, clock_slew, load, sign, found.arrival, found.slew, found.before)
    K.check(netlist.sequential, *cells, clock_slew, sign, found.arrival, found.slew, found.worst, found.where)
    return found


def _ends(netlist: Netlist, constraints: Constraints, late: Arrivals) -> dict[str, tuple[float, End]]:
    """The latest end point of each group and the period it needs."""
    found: dict[str, tuple[float, End]] = {}
    for start in (K.REGISTER, K.PORT):
        if late.worst[start] > -np.inf:
            cell, arc, net, edge = late.where[start].tolist()
            margin = float(late.worst[start] - late.arrival[net, edge, start])
            end = End(net, edge, start, margin, netlist.cell_name(cell), cell, arc)
            found[GROUPS[start]] = float(late.worst[start]), end
        worst: tuple[float, End] | None = None
        for port, nets in netlist.outputs.items():
            bit = int(late.arrival[nets, :, start].max(axis=1).argmax())
            edge = int(late.arrival[nets[bit], :, start].argmax())
            need = float(late.arrival[nets[bit], edge, start]) + constraints.output_delay_ns
            if need > (worst[0] if worst else -math.inf):
                worst = need, End(int(nets[bit]), edge, start, constraints.output_delay_ns, f"{port}[{bit}]")
        if worst:
            found[GROUPS[2 + start]] = worst
    return found
