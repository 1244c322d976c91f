"""A flat netlist as plain structural Verilog (OpenSTA 2.0.17 does not take `signed`)."""

from __future__ import annotations

import re

from archgym.rtl.flow.flat import Netlist

__all__ = ["cell_label", "write_verilog"]

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*\Z")


def _escaped(name: str) -> str:
    return name if _PLAIN.match(name) else f"\\{name} "


def cell_label(cell: int) -> str:
    """Name of a cell in the written netlist; hierarchical names would need escapes that tools print differently."""
    return f"u{cell}"


def write_verilog(netlist: Netlist) -> str:
    """The netlist as one module; cells are u0, u1, ... in the order of the netlist, inner nets n2, n3, ..."""
    label = {0: "1'b0", 1: "1'b1"}
    assigns = []
    lines = [f"module {_escaped(netlist.name)} ({', '.join(map(_escaped, [*netlist.inputs, *netlist.outputs]))});"]
    for direction, ports in (("input", netlist.inputs), ("output", netlist.outputs)):
        for port, nets in ports.items():
            name = _escaped(port)
            lines.append(f"  {direction} {f'[{len(nets) - 1}:0] ' if len(nets) > 1 else ''}{name};")
            for bit, net in enumerate(nets.tolist()):
                place = f"{name}[{bit}]" if len(nets) > 1 else name
                if label.setdefault(net, place) != place:
                    assigns.append(f"  assign {place} = {label[net]};")
    inner = [net for net in range(2, netlist.nets) if net not in label]
    lines += [f"  wire n{net};" for net in inner]
    label.update({net: f"n{net}" for net in inner})
    starts, nets_of_pins = netlist.pin_start.tolist(), netlist.pin_net.tolist()
    for cell, kind in enumerate(netlist.cell_kind.tolist()):
        pins = zip(netlist.kind_pins[kind], nets_of_pins[starts[cell] : starts[cell + 1]], strict=True)
        wires = ", ".join(f".{pin}({label[net]})" for pin, net in pins)
        lines.append(f"  {_escaped(netlist.kinds[kind])} {cell_label(cell)} ({wires});")
    return "\n".join([*lines, *assigns, "endmodule", ""])
