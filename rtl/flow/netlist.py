"""Mapped netlists: read from Yosys, flattened, written as Verilog.

modules = read_yosys_json(Path("mapped.json"))
netlist = flatten(modules, "top", library)
"""

from __future__ import annotations

from archgym.rtl.flow.flat import CombinationalLoop, Ints, Netlist
from archgym.rtl.flow.flatten import flatten
from archgym.rtl.flow.verilog_out import cell_label, write_verilog
from archgym.rtl.flow.yosys_json import Module, Modules, read_yosys_json

__all__ = [
    "CombinationalLoop",
    "Ints",
    "Module",
    "Modules",
    "Netlist",
    "cell_label",
    "flatten",
    "read_yosys_json",
    "write_verilog",
]
