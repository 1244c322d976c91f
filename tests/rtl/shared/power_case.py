"""A circuit of `states.lib` whose power OpenSTA 2.5.0 was asked for, cell by cell.

`python tests/rtl/shared/power_case.py` asks again (sta on PATH, 2.3 or later) and writes the record.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from archgym.rtl.flow.gatesim_activity import Activity
from archgym.rtl.flow.netlist import Netlist
from archgym.rtl.flow.opensta_power import cell_powers
from archgym.rtl.flow.timing import Constraints
from archgym.rtl.tech.liberty import Library, read_liberty

DATA = Path(__file__).parents[1] / "flow" / "data"
CONSTRAINTS = Constraints(clock_ns=4.0, input_slew_ns=0.03, output_load_ff=3.0, clock_slew_ns=0.02)
PINS = {"INV": "A", "BUF": "A", "NAND2": "AB", "XOR2": "AB", "AOI21": "ABC", "FA": "ABC"}
OUTS = {"FA": ("S", "CO")}


def states() -> Library:
    """The library: invented figures, every kind of condition."""
    return read_liberty(DATA / "states.lib")


def circuit(library: Library) -> Netlist:
    """60 random gates between 12 flip-flops and 4 inputs."""
    from hand_cells import netlist

    generator = np.random.default_rng(2)
    nets, cells = [f"i{k}" for k in range(4)] + [f"q{k}" for k in range(12)], []
    for gate in range(60):
        kind = list(PINS)[gate % len(PINS)]
        wires = {pin: str(generator.choice(nets)) for pin in PINS[kind]}
        for place, pin in enumerate(OUTS.get(kind, ("Y",))):
            wires[pin] = f"w{gate}_{place}"
            nets.append(wires[pin])
        cells.append((kind, wires))
    for k in range(12):
        kind, pin = (("DFF", "Q"), ("DFFQN", "QN"))[k % 2]
        cells.append((kind, {"CK": "ck", "D": nets[-1 - k], pin: f"q{k}"}))
    inputs = {"clk_i": ["ck"], "a": nets[:4]}
    return netlist(inputs, {"y": nets[-20:-16], "z": [nets[-30]]}, cells, library)


def activity(netlist: Netlist) -> Activity:
    """Random rates and duties: power is to be right for any, possible or not."""
    generator = np.random.default_rng(3)
    rate, duty = generator.uniform(0, 1, netlist.nets), generator.uniform(0.1, 0.9, netlist.nets)
    clock = np.zeros(netlist.nets, dtype=np.bool_)
    clock[netlist.inputs["clk_i"]] = True
    rate[clock], duty[clock] = 2.0, 0.5
    return Activity(rate, duty, 1.0, clock)


def main() -> None:
    """Write the record."""
    library = states()
    netlist = circuit(library)
    found = cell_powers(netlist, library, CONSTRAINTS, activity(netlist))
    rows = [[float(f"{value:.7g}") for value in row] for row in found]
    (DATA / "opensta_power.json").write_text(json.dumps(rows).replace("], [", "],\n ["), encoding="utf-8")
    sys.stdout.write(f"{len(rows)} cells, total {found.sum():.6g} mW\n")


if __name__ == "__main__":
    main()
