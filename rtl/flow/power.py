"""Power of a mapped netlist from simulated activity, by the definitions of OpenSTA's `report_power`.

Switching: C V^2 / 2 a transition of every net that a cell drives; C is pins, wire-load model and output load. What
charges nets of input ports (the clock among them) is spent by their driver outside; it is reported beside the total.
Internal: the library's `internal_power` at the slew and load of the net, states by their probabilities. Leakage: by
state, by its probability. There is no clock tree, and zero-delay activity has no glitches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from archgym.errors import InvalidInput
from archgym.rtl.flow.flat import Netlist
from archgym.rtl.flow.gatesim_activity import Activity
from archgym.rtl.flow.gatesim_cells import cells_by_kind
from archgym.rtl.flow.power_cells import Nets, internal_fj, leakage_nw, switching_fj

if TYPE_CHECKING:
    from archgym.rtl.flow.timing import Timing
    from archgym.rtl.tech.liberty import Library

__all__ = ["Power", "power"]

_MW = 1e-6  # mW of 1 nW, which is 1 fJ at 1 MHz


@final
@dataclass(frozen=True, eq=False)
class Power:
    """Power in mW, and by cell."""

    frequency_mhz: float
    internal_mw: float
    switching_mw: float
    leakage_mw: float
    clock_mw: float
    """Part of the dynamic power: internal energy at clock pins, and buffers of the clock."""
    input_nets_mw: float
    """Not part of any other figure: charging the nets of input ports, the clock's included."""
    cell_internal_mw: NDArray[np.float64]
    """float64[cells]"""
    cell_switching_mw: NDArray[np.float64]
    cell_leakage_mw: NDArray[np.float64]

    @property
    def dynamic_mw(self) -> float:
        """Internal and switching."""
        return self.internal_mw + self.switching_mw

    @property
    def total_mw(self) -> float:
        """Dynamic and leakage."""
        return self.dynamic_mw + self.leakage_mw

    @property
    def cycle_pj(self) -> float:
        """Energy of one clock cycle, leakage included."""
        return self.total_mw / self.frequency_mhz * 1e3


def power(
    netlist: Netlist,
    library: Library,
    timing: Timing,
    activity: Activity,
    frequency_mhz: float,
    *,
    clock_slew_ns: float = 0.0,
    opensta: bool = False,
) -> Power:
    """Power at a clock frequency.

    Args:
        netlist: cells of `library`.
        library: energies, leakage and supply voltage.
        timing: slews and loads of the nets.
        activity: transitions and duties of the nets, see `gatesim`.
        frequency_mhz: of the clock.
        clock_slew_ns: of the ideal clock at the clock pins.
        opensta: weigh states exactly as OpenSTA 2.5 does, to compare with it: outputs in a condition are independent of
            the inputs, conditions of output arcs are not looked at.

    Raises:
        InvalidInput: a frequency that is not positive, or a latch in the netlist.
    """
    if not 0 < frequency_mhz < float("inf"):
        raise InvalidInput(f"frequency_mhz is {frequency_mhz}; a positive number is expected")
    slews = [np.where(activity.clock_nets & (each == 0), clock_slew_ns, each) for each in _slews(timing)]
    nets = Nets(activity.rate, activity.duty, slews[0], slews[1], timing.net_load_ff, opensta)
    internal, switching, leakage, clock = (np.zeros(netlist.cells) for _ in range(4))
    for same in cells_by_kind(netlist, library):
        switching[same.cells] = switching_fj(same, nets, library.voltage_v)
        leakage[same.cells] = leakage_nw(same, nets)
        for pin, energy in internal_fj(same, nets).items():
            internal[same.cells] += energy
            clock[same.cells] += energy * activity.clock_nets[same.nets[pin]]
        for pin_of in same.cell.outputs:
            buffers = activity.clock_nets[same.nets[pin_of.name]]
            clock[same.cells[buffers]] += switching[same.cells[buffers]]
    ports = np.unique(np.concatenate([np.zeros(0, dtype=np.int32), *netlist.inputs.values()]))
    charge = 0.5 * library.voltage_v**2 * float(nets.load_ff[ports] @ nets.rate[ports])
    dynamic = _MW * frequency_mhz
    return Power(
        frequency_mhz,
        float(internal.sum()) * dynamic,
        float(switching.sum()) * dynamic,
        float(leakage.sum()) * _MW,
        float(clock.sum()) * dynamic,
        charge * dynamic,
        internal * dynamic,
        switching * dynamic,
        leakage * _MW,
    )


def _slews(timing: Timing) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return timing.net_slew_rise_ns, timing.net_slew_fall_ns
