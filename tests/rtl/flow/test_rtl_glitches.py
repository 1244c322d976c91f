"""Transitions with gate delays against an event-driven simulator in plain Python, and against Icarus Verilog."""

from __future__ import annotations

import heapq
import re
import shutil
import subprocess

import numpy as np
import pytest
from hand_cells import BEHAVIOUR, FUNCTIONS, library, net_named, netlist, random_cells
from interpreted import answer, interpreted
from power_case import CONSTRAINTS, circuit, states

from archgym.errors import InvalidInput
from archgym.rtl.block import Port
from archgym.rtl.flow.gatesim import build_model, run_rows
from archgym.rtl.flow.glitches import Glitches, count_glitches, gate_delays, with_glitches
from archgym.rtl.flow.timing import analyse

MEDIAN = 3  # steps; delays are given so that a step is one unit


def ripple(bits):
    """A ripple-carry adder: glitches run along the carries."""
    cells = [
        ("FA", {"A": f"a{k}", "B": f"b{k}", "C": "0" if k == 0 else f"c{k}", "S": f"s{k}", "CO": f"c{k + 1}"})
        for k in range(bits)
    ]
    inputs = [f"a{k}" for k in range(bits)] + [f"b{k}" for k in range(bits)]
    return cells, inputs, [f"s{k}" for k in range(bits)] + [f"c{bits}"]


def multiplier(bits):
    """An array multiplier: a row of full adders for each bit of b."""
    cells, inputs = [], [f"{name}{k}" for name in "ab" for k in range(bits)]
    for i in range(bits):
        for j in range(bits):
            cells += [
                ("NAND2", {"A": f"a{i}", "B": f"b{j}", "Y": f"n{i}_{j}"}),
                ("INV", {"A": f"n{i}_{j}", "Y": f"p{i}_{j}"}),
            ]
    row = [f"p{i}_0" for i in range(bits)] + ["0"]
    outs = [row[0]]
    for j in range(1, bits):
        carry, after = "0", []
        for i in range(bits):
            wires = {"A": row[i + 1], "B": f"p{i}_{j}", "C": carry, "S": f"s{i}_{j}", "CO": f"k{i}_{j}"}
            cells.append(("FA", wires))
            after.append(wires["S"])
            carry = wires["CO"]
        row = [*after, carry]
        outs.append(row[0])
    return cells, inputs, outs + row[1:]


def mixed(_bits):
    """Every kind of gate, at random."""
    inputs = [f"i{k}" for k in range(8)]
    cells = random_cells(np.random.default_rng(11), inputs, 80)
    return cells, inputs, [next(wires[pin] for pin in FUNCTIONS[kind]) for kind, wires in cells[-12:]]


CASES = {"ripple": (ripple, 8), "multiplier": (multiplier, 4), "mixed": (mixed, 0)}


def delays_of(cells, seed):
    """A delay for every driven net, odd and even, the median on the middle."""
    generator = np.random.default_rng(seed)
    outs = [wires[pin] for kind, wires in cells for pin in FUNCTIONS[kind]]
    values = generator.integers(1, 2 * MEDIAN, len(outs))
    values[: len(outs) // 2 + 1] = MEDIAN
    return dict(zip(outs, values.tolist(), strict=True))


def case(name, rows=40):
    build, bits = CASES[name]
    cells, inputs, outs = build(bits)
    nets = netlist({each: [each] for each in inputs}, {f"out{k}": [net] for k, net in enumerate(outs)}, cells)
    generator = np.random.default_rng(5)
    stimulus = {each: generator.integers(0, 2, rows) for each in inputs}
    ports = [Port(each, "in", 1) for each in inputs] + [Port(f"out{k}", "out", 1) for k in range(len(outs))]
    return cells, inputs, nets, stimulus, ports


def ours(name):
    """Transitions by net: all consecutive rows, 64 lanes wide."""
    cells, inputs, nets, stimulus, ports = case(name)
    by_net = delays_of(cells, 6)
    delays = np.zeros(nets.nets)
    for net in range(2, nets.nets):
        delays[net] = by_net.get(nets.net_name(net), 0)
    model = build_model(nets, library())
    # each lane plays one pair of rows, so that all transitions are in one pair of cycles
    lanes = [{each: stimulus[each][row : row + 2] for each in inputs} for row in range(39)]
    run = run_rows(model, ports, lanes, shots=1)
    found = count_glitches(model, run.snapshots, delays, steps=MEDIAN)
    assert found.cycles == 39
    assert (found.settled == run.activity.toggles).all()
    return {nets.net_name(net): float(found.timed[net]) for net in range(2, nets.nets)}, found


class Events:
    """Event-driven simulation with inertial delays: a scheduled change is dropped when its cause goes away in time."""

    def __init__(self, cells, delays, values):
        self.delays, self.values, self.toggles = delays, {"0": 0, "1": 1, **values}, {}
        self.readers, self.gates, self.pending, self.queue, self.serial = {}, {}, {}, [], 0
        for kind, wires in cells:
            inputs = {pin: net for pin, net in wires.items() if pin not in BEHAVIOUR[kind]}
            for pin, function in BEHAVIOUR[kind].items():
                self.gates[wires[pin]] = (function, inputs)
                self.values[wires[pin]] = function(**{pin: self.values[net] for pin, net in inputs.items()})
                for net in inputs.values():
                    self.readers.setdefault(net, set()).add(wires[pin])

    def change(self, net, value, touched):
        if self.values[net] != value:
            self.values[net] = value
            self.toggles[net] = self.toggles.get(net, 0) + 1
            touched |= self.readers.get(net, set())

    def react(self, now, touched):
        for net in touched:
            function, inputs = self.gates[net]
            value = function(**{pin: self.values[source] for pin, source in inputs.items()})
            if net in self.pending and self.pending[net][1] != value:
                del self.pending[net]
            if value != self.values[net] and net not in self.pending:
                self.serial += 1
                self.pending[net] = (self.serial, value)
                heapq.heappush(self.queue, (now + self.delays[net], self.serial, net))

    def play(self, changes):
        touched = set()
        for net, value in changes.items():
            self.change(net, value, touched)
        self.react(0, touched)
        while self.queue:
            now, touched = self.queue[0][0], set()
            while self.queue and self.queue[0][0] == now:
                _, serial, net = heapq.heappop(self.queue)
                if self.pending.get(net, (0, 0))[0] == serial:
                    self.change(net, self.pending.pop(net)[1], touched)
            self.react(now, touched)


@pytest.mark.parametrize("name", CASES)
def test_every_net_toggles_as_often_as_in_an_event_driven_simulation(name):
    cells, inputs, _nets, stimulus, _ports = case(name)
    found, glitches = ours(name)
    events = Events(cells, delays_of(cells, 6), {each: int(stimulus[each][0]) for each in inputs})
    for row in range(1, 40):
        events.play({each: int(stimulus[each][row]) for each in inputs})
    assert found == {net: events.toggles.get(net, 0) for net in found}
    assert glitches.factor > 1.1


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus Verilog is not on PATH")
def test_icarus_counts_the_same_transitions(tmp_path):
    """Continuous assignments with delays are inertial in Verilog, too (IEEE 1364-2005, 6.1.3)."""
    cells, inputs, _nets, stimulus, _ports = case("multiplier")
    delays = delays_of(cells, 6)
    lines = ["module tb;", f"  reg {', '.join(inputs)};"]
    for kind, wires in cells:
        for pin, function in FUNCTIONS[kind].items():
            text = re.sub(r"\((\w) (\w)\)'", r"~(\1&\2)", function).replace("!", "~")
            text = re.sub(r"\b[A-F]\b", lambda match, wires=wires: f"{{{wires[match[0]]}}}", text)
            text = text.replace("{0}", "1'b0").replace("{", "").replace("}", "")
            lines.append(f"  wire {wires[pin]}; assign #{delays[wires[pin]]} {wires[pin]} = {text};")
    watched = [*inputs, *delays]
    for place, net in enumerate(watched):
        lines.append(f"  integer count{place} = 0; always @({net}) count{place} = count{place} + 1;")
    lines.append("  initial begin")
    for row in range(40):
        lines += [f"    {each} = {int(stimulus[each][row])};" for each in inputs]
        lines.append("    #500;")
        if row == 0:
            lines += [f"    count{place} = 0;" for place in range(len(watched))]
    lines += [f'    $display("{net} %0d", count{place});' for place, net in enumerate(watched)]
    lines += ["  end", "endmodule"]
    (tmp_path / "tb.v").write_text("\n".join(lines))
    subprocess.run(["iverilog", "-o", "tb", "tb.v"], cwd=tmp_path, check=True)
    said = subprocess.run(["vvp", "-n", "tb"], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    counted = {line.split()[0]: float(line.split()[1]) for line in said.splitlines()}
    found, _ = ours("multiplier")
    assert {net: found[net] for net in counted} == counted


def test_glitches_add_to_the_activity_of_the_whole_run_but_not_to_the_clock():
    nets = circuit(states())
    model = build_model(nets, states())
    generator = np.random.default_rng(0)
    lanes = [{"a": generator.integers(0, 16, 100)} for _ in range(64)]
    ports = (Port("a", "in", 4), Port("y", "out", 4), Port("z", "out", 1))
    run = run_rows(model, ports, lanes, latency=1, shots=10)
    delays = gate_delays(model, states(), analyse(nets, states(), CONSTRAINTS))
    found = count_glitches(model, run.snapshots, delays)
    # the first pair begins before the first row, the others count in every lane
    assert found.cycles == 10 * 64
    with_them = with_glitches(run.activity, found)
    extra = with_them.toggles - run.activity.toggles
    assert extra == pytest.approx((found.timed - found.settled) / 640 * run.activity.cycles)
    assert extra[net_named(nets, "ck")] == 0.0
    assert extra.sum() > 0
    flops = [net_named(nets, f"q{k}") for k in range(12)]
    assert extra[flops] == pytest.approx(np.zeros(12)), "flip-flops have no glitches"
    assert found.factor == pytest.approx(found.timed.sum() / found.settled.sum())


def test_delays_are_the_means_of_the_tables():
    cells = states()
    nets = circuit(cells)
    timing = analyse(nets, cells, CONSTRAINTS)
    delays = gate_delays(build_model(nets, cells), cells, timing)
    cell = next(c for c in range(nets.cells) if nets.kinds[nets.cell_kind[c]] == "BUF")
    source, out = nets.pin_net[nets.pin_start[cell] : nets.pin_start[cell + 1]]
    arc = cells.cells["BUF"].arcs[0]
    slew = (timing.net_slew_rise_ns[source] + timing.net_slew_fall_ns[source]) / 2
    at = []
    for table in (arc.rise, arc.fall):
        by_load = [np.interp(timing.net_load_ff[out], table.index_2, row) for row in table.values]
        at.append(np.interp(slew, table.index_1, by_load))
    assert delays[out] == pytest.approx(np.mean(at))


def test_what_glitches_need_is_said():
    cells = [("DFFN", {"CKN": "clk", "D": "d", "QN": "q"})]
    model = build_model(netlist({"clk_i": ["clk"], "d": ["d"]}, {"q": ["q"]}, cells), library())
    lanes, ports = [{"d": np.array([0, 1])}], (Port("d", "in", 1), Port("q", "out", 1))
    with pytest.raises(InvalidInput, match="simulate with shots=16"):
        count_glitches(model, run_rows(model, ports, lanes).snapshots, np.ones(model.netlist.nets))
    with pytest.raises(InvalidInput, match="all flip-flops sample at the rising edge"):
        count_glitches(model, run_rows(model, ports, lanes, shots=1).snapshots, np.ones(model.netlist.nets))
    assert Glitches(np.zeros(2), np.zeros(2), 0).factor == 0.0


def numbers():
    """Transitions of the adder."""
    return ours("ripple")[0]


def test_interpreted_and_compiled_kernels_give_the_same():
    assert interpreted(__file__) == numbers()


if __name__ == "__main__":
    answer(numbers)
