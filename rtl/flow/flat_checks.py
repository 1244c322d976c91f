"""Each net of a netlist must have exactly one driver."""

from __future__ import annotations

import numpy as np

from archgym.errors import InvalidInput
from archgym.rtl.flow.flat import Ints, Netlist

__all__ = ["check_drivers"]

_SHOWN = 5  # names in a message


def check_drivers(netlist: Netlist) -> None:
    """Refuse nets with several drivers, and nets that are read and have none.

    Raises:
        InvalidInput: names the nets and what drives or reads them.
    """
    drivers = np.bincount(netlist.pin_net[netlist.pin_output], minlength=netlist.nets)
    drivers[:2] += 1
    for nets in netlist.inputs.values():
        drivers += np.bincount(nets, minlength=netlist.nets)
    many = np.flatnonzero(drivers > 1).astype(np.int32)
    if len(many):
        shown = ", ".join(f"{netlist.net_name(int(net))} ({_drivers(netlist, int(net))})" for net in many[:_SHOWN])
        raise InvalidInput(f"{_nets(many)} of {netlist.name} with several drivers: {shown}; drive each from one place")
    none = np.flatnonzero((drivers == 0) & (netlist.fanout > 0)).astype(np.int32)
    if len(none):
        shown = ", ".join(f"{netlist.net_name(int(net))} ({_readers(netlist, int(net))})" for net in none[:_SHOWN])
        raise InvalidInput(f"{_nets(none)} of {netlist.name} read but not driven: {shown}; drive or tie them")


def _nets(nets: Ints) -> str:
    return "1 net" if len(nets) == 1 else f"{len(nets)} nets"


def _drivers(netlist: Netlist, net: int) -> str:
    ports = [f"input {name}" for name, bits in netlist.inputs.items() if net in bits]
    constant = [f"constant {net}"] if net < 2 else []
    pins = np.flatnonzero((netlist.pin_net == net) & netlist.pin_output)
    return "driven by " + " and ".join(constant + ports + [_pin(netlist, int(pin)) for pin in pins[:_SHOWN]])


def _readers(netlist: Netlist, net: int) -> str:
    ports = [f"output {name}" for name, bits in netlist.outputs.items() if net in bits]
    pins = np.flatnonzero((netlist.pin_net == net) & ~netlist.pin_output)
    return "read by " + " and ".join((ports + [_pin(netlist, int(pin)) for pin in pins[:_SHOWN]])[:_SHOWN])


def _pin(netlist: Netlist, pin: int) -> str:
    cell = int(netlist.pin_cell[pin])
    kind = int(netlist.cell_kind[cell])
    return f"{netlist.cell_name(cell)}.{netlist.kind_pins[kind][pin - int(netlist.pin_start[cell])]}"
