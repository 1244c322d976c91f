"""Capacitance that drivers see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from archgym.rtl.flow.flat import Netlist

if TYPE_CHECKING:
    from archgym.rtl.tech.liberty import Library

__all__ = ["net_loads"]


def net_loads(netlist: Netlist, library: Library, output_load_ff: float) -> NDArray[np.float64]:
    """fF[nets, edge]: input pins (by edge), the wire-load model by fanout, and what hangs on output ports."""
    load = np.zeros((netlist.nets, 2))
    pins = [
        [library.cells[kind].pins[pin] for pin in of] for kind, of in zip(netlist.kinds, netlist.kind_pins, strict=True)
    ]
    for edge in range(2):
        tables = [
            np.array([(pin.rise_ff, pin.fall_ff)[edge] * (pin.direction == "input") for pin in of]) for of in pins
        ]
        if tables:
            weights = netlist.by_pin(tables).astype(np.float64)
            load[:, edge] = np.bincount(netlist.pin_net, weights=weights, minlength=netlist.nets)
    for nets in netlist.outputs.values():
        np.add.at(load, nets, output_load_ff)
    fanout = netlist.fanout
    counts, which = np.unique(fanout, return_inverse=True)
    wire = np.array([library.wire_load_ff(int(count)) for count in counts])
    total: NDArray[np.float64] = load + wire[which][:, None]
    return total
