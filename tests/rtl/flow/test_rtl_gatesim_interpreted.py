"""The kernels of the gate-level simulator without the compiler: same numbers, bounds checked."""

from __future__ import annotations

import numpy as np
from hand_cells import library, net_named, netlist
from interpreted import answer, interpreted

from archgym.rtl.block import Port
from archgym.rtl.flow.gatesim import Reset, build_model, run_rows, run_stream


def numbers():
    """Outputs and toggles of a circuit with every kind of gate and flip-flop, by rows and as a stream."""
    cells = [
        ("INV", {"A": "out_ready", "Y": "block"}),
        ("NAND2", {"A": "in_valid", "B": "a", "Y": "x1"}),
        ("FA", {"A": "a", "B": "b", "C": "x1", "S": "x2", "CO": "x3"}),
        ("AOI22", {"A": "a", "B": "b", "C": "x2", "D": "x3", "Y": "x4"}),
        ("ODD6", {"A": "a", "B": "b", "C": "x1", "D": "x2", "E": "x3", "F": "block", "Y": "x5"}),
        ("HI", {"Y": "one"}),
        ("DFFE", {"CK": "clk", "D": "x5", "E": "one", "Q": "q1"}),
        ("DFFN", {"CKN": "clk", "D": "x4", "QN": "q2"}),
        ("DFFR", {"CK": "clk", "D": "x2", "RN": "rst", "Q": "q3"}),
        ("XOR2", {"A": "q1", "B": "q2", "Y": "x6"}),
    ]
    inputs = {"clk_i": "clk", "rst_ni": "rst", "in_valid_i": "in_valid", "out_ready_i": "out_ready", "a": "a", "b": "b"}
    outputs = {"in_ready_o": "out_ready", "out_valid_o": "in_valid", "y": "x6", "z": "q3"}
    circuit = netlist(
        {name: [net] for name, net in inputs.items()}, {name: [net] for name, net in outputs.items()}, cells
    )
    model = build_model(circuit, library())
    generator = np.random.default_rng(0)
    lanes = [{name: generator.integers(0, 2, 6 + lane) for name in "ab"} for lane in range(3)]
    ports = (Port("a", "in", 1), Port("b", "in", 1), Port("y", "out", 1), Port("z", "out", 1))
    runs = [
        run_rows(model, ports, lanes, latency=1, reset=Reset()),
        run_stream(model, ports, lanes, [6, 7, 8], idle=0.3, stall=0.3, extra=2),
    ]
    nets = [net_named(circuit, name) for name in ("x1", "x2", "x3", "x4", "x5", "x6", "q1", "q2", "q3")]
    return [
        [
            [each[name].tolist() for each in run.outputs for name in "yz"],
            run.activity.toggles[nets].tolist(),
            run.activity.ones[nets].tolist(),
            run.cycles.tolist(),
        ]
        for run in runs
    ]


def test_interpreted_and_compiled_kernels_give_the_same():
    assert interpreted(__file__) == numbers()


if __name__ == "__main__":
    answer(numbers)
