"""The kernels of netlists and timing without the compiler: the same numbers to the last bit.

Run as a script, this file prints the numbers it gets.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from interpreted import answer, interpreted
from linear_library import library, netlist_json

from archgym.rtl.flow.netlist import flatten, read_yosys_json
from archgym.rtl.flow.timing import Constraints, analyse


def numbers():
    """Times of a random pipeline with a multiple of every kind of cell, as hexadecimal floats: exact."""
    rng = np.random.default_rng(11)
    nets, cells = [3, 4, 5], {"b": ("$_BUF_", {"A": 5, "Y": 6})}
    for net in range(7, 90):
        a, b = (int(each) for each in rng.choice(nets[-9:], 2))
        kind = str(rng.choice(["INV", "NAND2", "XOR2", "AND2", "DFF"]))
        pins = {"DFF": {"D": a, "CK": 2, "Q": net}, "INV": {"A": a, "Y": net}}
        cells[f"g{net}"] = kind, pins.get(kind, {"A": a, "B": b, "Y": net})
        nets.append(net)
    text = netlist_json(cells, inputs={"clk_i": 2, "a": 3, "b": 4, "c": 5}, outputs={"y": 89, "z": 80})
    with tempfile.TemporaryDirectory() as folder:
        lib = library(Path(folder))
    netlist = flatten(read_yosys_json(text), "", lib)
    timing = analyse(netlist, lib, Constraints(1.0, input_slew_ns=0.03, output_load_ff=5.0, clock_slew_ns=0.02))
    found = [*timing.groups.values(), timing.hold_slack_ns, timing.hold_reg2reg_ns]
    found += [*timing.net_slew_rise_ns, *timing.net_slew_fall_ns, *timing.net_load_ff, *netlist.cell_level]
    return [float(value).hex() for value in found]


def test_interpreted_and_compiled_kernels_agree_to_the_bit():
    assert interpreted(__file__) == numbers()


if __name__ == "__main__":
    answer(numbers)
