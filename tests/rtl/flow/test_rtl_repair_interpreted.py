"""The kernels of sizing and buffering without the compiler: the same netlist, the same times to the last bit.

Run as a script, this file prints the numbers it gets.
"""

from __future__ import annotations

import numpy as np
from interpreted import answer, interpreted
from linear_library import netlist_json

from archgym.rtl.flow.netlist import flatten, read_yosys_json
from archgym.rtl.flow.repair import repair
from archgym.rtl.flow.timing import Constraints, analyse
from archgym.rtl.tech.technology import technology


def numbers():
    """Kinds, pins and times of a small pipeline with a heavy net, as fast as possible and with time to spare."""
    library = technology("generic45").library
    rng = np.random.default_rng(5)
    nets, cells = [3, 4, 5], {"r": ("DFF_X1", {"CK": 2, "D": 3, "Q": 6})}
    for net in range(7, 35):
        a, b = (int(each) for each in rng.choice(nets[-6:], 2))
        kind = str(rng.choice(["INV_X1", "NAND2_X4", "XOR2_X1", "DFF_X1"]))
        pins = {"DFF_X1": {"D": a, "CK": 2, "Q": net}, "INV_X1": {"A": a, "Y": net}}
        cells[f"g{net}"] = kind, pins.get(kind, {"A": a, "B": b, "Y": net})
        cells[f"e{net}"] = "NOR3_X1", {"A": 6, "B": net, "C": 5, "Y": net + 100}
        nets.append(net)
    outputs = {"y": 34, "z": list(range(107, 135))}
    text = netlist_json(cells, inputs={"clk_i": 2, "a": 3, "b": 4, "c": 5}, outputs=outputs)
    before = flatten(read_yosys_json(text), "", library)
    around = Constraints(1.0, input_slew_ns=0.03, output_load_ff=5.0, clock_slew_ns=0.02)
    found = []
    for target in (None, 5.0):
        after = repair(before, library, around, target)
        timing = analyse(after, library, around)
        found += [timing.critical_ns, after.area_um2(library), *timing.net_load_ff, *after.cell_kind, *after.pin_net]
    return [float(value).hex() for value in found]


def test_interpreted_and_compiled_kernels_agree():
    assert interpreted(__file__) == numbers()


if __name__ == "__main__":
    answer(numbers)
