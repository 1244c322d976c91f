"""OpenSTA's `report_power` on the same netlist, library and activity: to compare with, never needed.

`set_power_activity -pins` is overridden by OpenSTA's own propagation before version 2.3, and the internal energy of
2.0 is another (rise and fall are added where later versions take the mean), so older versions are refused. Debian 12
has 2.0.17; tried with 2.5.0 (https://github.com/parallaxsw/OpenSTA, commit f6253af8).
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from archgym.errors import InvalidInput
from archgym.rtl.flow import opensta
from archgym.rtl.flow.flat import Netlist
from archgym.rtl.flow.gatesim_activity import Activity
from archgym.rtl.flow.timing import Constraints, Timing
from archgym.rtl.flow.timing_constants import constants
from archgym.rtl.flow.timing_loads import net_loads
from archgym.rtl.flow.verilog_out import cell_label

if TYPE_CHECKING:
    from archgym.rtl.tech.liberty import Library

__all__ = ["as_opensta", "cell_powers", "untied", "usable"]

_OLDEST = (2, 3)


def usable() -> bool:
    """Whether `sta` is on PATH and new enough."""
    if shutil.which("sta") is None:
        return False
    done = subprocess.run(["sta", "-version"], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    found = re.match(r"(\d+)\.(\d+)", done.stdout)
    return found is not None and (int(found[1]), int(found[2])) >= _OLDEST


def as_opensta(timing: Timing, netlist: Netlist, library: Library, constraints: Constraints) -> Timing:
    """The same timing with the loads that OpenSTA takes for power: the greater of the rising and the falling one."""
    return replace(timing, net_load_ff=net_loads(netlist, library, constraints.output_load_ff).max(axis=1))


def untied(netlist: Netlist, library: Library, activity: Activity) -> tuple[Netlist, Activity]:
    """The same with constants (tie cells' too) as inputs `tie0` and `tie1` that never change.

    OpenSTA 2.5 takes a pin that is constant to be low, whatever the constant.
    """
    first, value = netlist.nets, constants(netlist, library)[0].astype(np.int32)
    tied = (value[netlist.pin_net] >= 0) & ~netlist.pin_output
    pins = np.where(tied, first + value[netlist.pin_net], netlist.pin_net).astype(np.int32)
    ties = {f"tie{level}": np.array([first + level], dtype=np.int32) for level in (0, 1)}
    plain = replace(
        netlist,
        pin_net=pins,
        nets=first + 2,
        inputs={**netlist.inputs, **ties},
        net_name=lambda net: netlist.net_name(net) if net < first else f"tie{net - first}",
    )
    toggles, ones = np.append(activity.toggles, [0.0, 0.0]), np.append(activity.ones, [0.0, activity.cycles])
    return plain, Activity(toggles, ones, activity.cycles, np.append(activity.clock_nets, [False, False]))


def cell_powers(
    netlist: Netlist, library: Library, constraints: Constraints, activity: Activity
) -> NDArray[np.float64]:
    """mW[cells, 3]: internal, switching and leakage power of every cell by OpenSTA.

    Args:
        netlist: of cells of `library`; no pin tied to a constant, see `untied`.
        library: read from files.
        constraints: of the timing; its period is the clock's.
        activity: set on every pin.

    Raises:
        InvalidInput: `sta` is missing or too old, or it stops with an error.
    """
    if not usable():
        raise InvalidInput("comparing power needs OpenSTA 2.3 or later: `sta` on PATH; Debian 12 has 2.0.17")
    model = library.default_wire_load
    lines = [opensta.setup_script(netlist, constraints), "set_delay_calculator lumped_cap"]
    lines += [f"set_wire_load_model -name {{{model}}}"] if model else []
    rate, duty = activity.rate, activity.duty
    for port, nets in netlist.inputs.items():
        for bit, net in enumerate(nets.tolist() if port != constraints.clock else []):
            name = port if len(nets) == 1 else f"{port}[{bit}]"
            lines.append(_set(f"-input_ports {{{name}}}", rate[net], duty[net]))
    pins = zip(netlist.pin_cell.tolist(), netlist.pin_of_kind.tolist(), netlist.pin_net.tolist(), strict=True)
    for cell, place, net in pins:
        if not activity.clock_nets[net]:
            name = netlist.kind_pins[int(netlist.cell_kind[cell])][place]
            lines.append(_set(f"-pins {{{cell_label(cell)}/{name}}}", rate[net], duty[net]))
    lines.append("report_power -digits 7 -instances [get_cells *]")
    text = opensta.run(netlist, library, "\n".join(lines))
    found = np.full((netlist.cells, 3), np.nan)
    for match in re.finditer(rf"^\s*(\S+)\s+(\S+)\s+(\S+)\s+\S+ {cell_label(0)[:-1]}(\d+)\s*$", text, re.MULTILINE):
        found[int(match[4])] = [float(match[column]) * 1e3 for column in (1, 2, 3)]
    return found


def _set(what: str, rate: float, duty: float) -> str:
    return f"set_power_activity {what} -activity {rate:.9g} -duty {duty:.9g}"
