"""Power against sums by hand and against what OpenSTA 2.5.0 said of every cell."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from hand_cells import cell, constant_table, library, net_named, netlist
from power_case import CONSTRAINTS, DATA, activity, circuit, states

from archgym.errors import InvalidInput
from archgym.rtl.block import Port
from archgym.rtl.flow import opensta, opensta_power
from archgym.rtl.flow.gatesim import build_model, run_rows
from archgym.rtl.flow.gatesim_activity import Activity
from archgym.rtl.flow.power import power
from archgym.rtl.flow.power_states import expanded, probability, sensitised
from archgym.rtl.flow.power_tables import look_up
from archgym.rtl.flow.timing import Timing, analyse
from archgym.rtl.tech.liberty import PowerArc, Table


def timing_of(circuit, load_ff=10.0, slew_ns=0.1):
    """Equal slews and loads everywhere, so that sums can be done by hand."""
    same = np.full(circuit.nets, 1.0)
    return Timing(1.0, 1.0, {}, (), 0.0, 0.0, slew_ns * same, slew_ns * same, load_ff * same)


def activity_of(circuit, rates, duties, clock=()):
    rate, duty = np.zeros(circuit.nets), np.zeros(circuit.nets)
    clocks = np.zeros(circuit.nets, dtype=np.bool_)
    for net in range(circuit.nets):
        rate[net] = rates.get(circuit.net_name(net), 0.0)
        duty[net] = duties.get(circuit.net_name(net), 0.0)
        clocks[net] = circuit.net_name(net) in clock
    return Activity(rate, duty, 1.0, clocks)


def arc(pin, related, energy, when="", supply=""):
    return PowerArc(pin, related, when, constant_table(energy), constant_table(energy), supply)


def test_every_cell_has_the_power_that_opensta_reported():
    cells, found = states(), json.loads((DATA / "opensta_power.json").read_text())
    nets = circuit(cells)
    timing = opensta_power.as_opensta(analyse(nets, cells, CONSTRAINTS), nets, cells, CONSTRAINTS)
    mine = power(nets, cells, timing, activity(nets), 250.0, clock_slew_ns=CONSTRAINTS.clock_slew_ns, opensta=True)
    by_cell = np.stack([mine.cell_internal_mw, mine.cell_switching_mw, mine.cell_leakage_mw], axis=1)
    assert len(found) == nets.cells == 72
    assert by_cell == pytest.approx(np.array(found), rel=1e-6, abs=1e-12)
    assert mine.total_mw == pytest.approx(np.sum(found), rel=1e-6)


@pytest.mark.skipif(not opensta_power.usable(), reason="sta 2.3 or later is not on PATH")
def test_every_cell_has_the_power_that_opensta_reports_now():
    cells = states()
    nets = circuit(cells)
    timing = opensta_power.as_opensta(analyse(nets, cells, CONSTRAINTS), nets, cells, CONSTRAINTS)
    mine = power(nets, cells, timing, activity(nets), 250.0, clock_slew_ns=CONSTRAINTS.clock_slew_ns, opensta=True)
    by_cell = np.stack([mine.cell_internal_mw, mine.cell_switching_mw, mine.cell_leakage_mw], axis=1)
    assert by_cell == pytest.approx(opensta_power.cell_powers(nets, cells, CONSTRAINTS, activity(nets)), rel=1e-6)


@pytest.mark.skipif(not opensta.installed(), reason="sta is not on PATH")
def test_switching_power_is_that_of_any_opensta_where_all_pins_have_one_activity():
    """2.0.17 leaves the wire load out where a net reaches an output port with a load: those cells are left out."""
    cells = states()
    nets = circuit(cells)
    lines = [opensta.setup_script(nets, CONSTRAINTS), "set_wire_load_model -name small"]
    lines += ["set_power_activity -global -activity 0.3 -duty 0.5"]
    lines += ["report_power -digits 7 -instances [get_cells *]"]
    text = opensta.run(nets, cells, "\n".join(lines))
    timing = opensta_power.as_opensta(analyse(nets, cells, CONSTRAINTS), nets, cells, CONSTRAINTS)
    flat = replace(activity(nets), toggles=np.full(nets.nets, 0.3), ones=np.full(nets.nets, 0.5))
    mine = power(nets, cells, timing, flat, 250.0).cell_switching_mw
    ports = {int(nets.net_driver_cell[net]) for bits in nets.outputs.values() for net in bits}
    rows = re.findall(r"^\s*\S+\s+(\S+)\s+\S+\s+\S+ u(\d+)\s*$", text, re.MULTILINE)
    found = {int(cell): float(watts) * 1e3 for watts, cell in rows if int(cell) not in ports}
    assert len(found) == 72 - len(ports)
    assert [mine[cell] for cell in found] == pytest.approx(list(found.values()), rel=1e-5)


def test_what_opensta_cannot_do_is_said(monkeypatch):
    monkeypatch.setenv("PATH", "")
    cells = states()
    nets = circuit(cells)
    assert not opensta_power.usable()
    with pytest.raises(InvalidInput, match=r"needs OpenSTA 2\.3 or later"):
        opensta_power.cell_powers(nets, cells, CONSTRAINTS, activity(nets))


def test_a_chain_of_two_gates_by_hand():
    cells = library(
        cell(
            "P", ["A"], {"Y": "!A"}, power=(arc("Y", "A", 3.0), arc("A", None, 0.5)), leakage=(("A", 7.0), ("!A", 2.0))
        )
    )
    chain = netlist({"a": ["a"]}, {"y": ["y"]}, [("P", {"A": "a", "Y": "x"}), ("P", {"A": "x", "Y": "y"})], cells)
    rates, duties = dict.fromkeys("axy", 0.25), {"a": 0.8, "x": 0.2, "y": 0.8}
    found = power(chain, cells, timing_of(chain), activity_of(chain, rates, duties), 100.0)
    # fJ a cycle and gate: 1/2 * 10 fF * 1 V^2 a transition; 3 at the output and 0.5 at the input
    assert found.switching_mw == pytest.approx(2 * 5.0 * 0.25 * 100 * 1e-6)
    assert found.internal_mw == pytest.approx(2 * 3.5 * 0.25 * 100 * 1e-6)
    assert found.leakage_mw == pytest.approx(((0.8 * 7 + 0.2 * 2) + (0.2 * 7 + 0.8 * 2)) * 1e-6)
    assert found.input_nets_mw == pytest.approx(5.0 * 0.25 * 100 * 1e-6)
    assert found.clock_mw == 0.0
    assert found.dynamic_mw == found.internal_mw + found.switching_mw
    assert found.cycle_pj == pytest.approx((2 * 8.5 * 0.25 + found.leakage_mw * 1e6 / 100) * 1e-3)


def test_energy_is_that_of_the_counted_transitions_and_power_follows_the_clock():
    cells = library(cell("P", ["A", "B"], {"Y": "A^B"}, power=(arc("Y", "A", 4.0), arc("Y", "B", 4.0))))
    nets = netlist({"a": ["a"], "b": ["b"]}, {"y": ["y"]}, [("P", {"A": "a", "B": "b", "Y": "y"})], cells)
    generator = np.random.default_rng(0)
    rows = {name: generator.integers(0, 2, 500) for name in "ab"}
    ports = (Port("a", "in", 1), Port("b", "in", 1), Port("y", "out", 1))
    run = run_rows(build_model(nets, cells), ports, [rows])
    transitions = np.count_nonzero(np.diff(rows["a"] ^ rows["b"]))
    for frequency in (10.0, 1000.0):
        found = power(nets, cells, timing_of(nets), run.activity, frequency)
        seconds = run.activity.cycles / (frequency * 1e6)
        assert found.dynamic_mw * 1e-3 * seconds == pytest.approx(transitions * (5.0 + 4.0) * 1e-15)
        assert found.leakage_mw == pytest.approx(1e-6)
        cells_sum = found.cell_internal_mw + found.cell_switching_mw + found.cell_leakage_mw
        assert found.total_mw == pytest.approx(cells_sum.sum())


def test_clock_pins_cost_energy_twice_a_cycle_and_clock_buffers_belong_to_the_clock():
    flop = library().cells["DFF"].flop
    cells = library(
        cell(
            "F", ["CK", "D"], {"Q": "IQ"}, flop, power=(arc("CK", None, 1.5), arc("D", None, 0.25), arc("Q", "CK", 2.0))
        ),
        cell("B", ["A"], {"Y": "A"}, power=(arc("Y", "A", 0.75),)),
    )
    body = [("B", {"A": "clk", "Y": "c"}), ("F", {"CK": "c", "D": "d", "Q": "q"})]
    nets = netlist({"clk_i": ["clk"], "d": ["d"]}, {"q": ["q"]}, body, cells)
    lanes = [{"d": np.array([0, 1] * 50)}]
    run = run_rows(build_model(nets, cells), (Port("d", "in", 1), Port("q", "out", 1)), lanes, latency=1)
    found = power(nets, cells, timing_of(nets), run.activity, 1000.0)
    d, q = (run.activity.rate[net_named(nets, name)] for name in "dq")
    assert found.clock_mw == pytest.approx((2 * 1.5 + 2 * (0.75 + 5.0)) * 1e-3)
    assert found.dynamic_mw == pytest.approx(found.clock_mw + (d * 0.25 + q * (2.0 + 5.0)) * 1e-3)
    assert found.input_nets_mw == pytest.approx((2 + d) * 5.0 * 1e-3)


def test_states_that_cannot_be_have_no_weight():
    """A NAND output is never high with both inputs high; OpenSTA gives that state weight, we do not."""
    leakage = (("A&B&!Y", 10.0), ("A&B&Y", 1000.0), ("!(A&B)&Y", 4.0))
    cells = library(cell("N", ["A", "B"], {"Y": "!(A&B)"}, leakage=leakage))
    nets = netlist({"a": ["a"], "b": ["b"]}, {"y": ["y"]}, [("N", {"A": "a", "B": "b", "Y": "y"})], cells)
    known = activity_of(nets, {}, {"a": 0.5, "b": 0.4, "y": 0.8})
    found = power(nets, cells, timing_of(nets), known, 1.0)
    assert found.leakage_mw == pytest.approx((0.2 * 10 + 0.8 * 4) * 1e-6)
    theirs = power(nets, cells, timing_of(nets), known, 1.0, opensta=True)
    shares = 0.2 * 0.2, 0.2 * 0.8, 0.8 * 0.8
    expected = shares[0] * 10 + shares[1] * 1000 + shares[2] * 4 + (1 - sum(shares)) * 1
    assert theirs.leakage_mw == pytest.approx(expected * 1e-6)


def test_arcs_of_an_output_are_weighed_by_what_changes_it():
    """Y = A & B: A matters while B is high, and the other way round."""
    arcs = (arc("Y", "A", 1.0), arc("Y", "B", 5.0), arc("Y", "A", 100.0, supply="VSS"))
    cells = library(cell("G", ["A", "B"], {"Y": "A&B"}, power=arcs))
    nets = netlist({"a": ["a"], "b": ["b"]}, {"y": ["y"]}, [("G", {"A": "a", "B": "b", "Y": "y"})], cells)
    known = activity_of(nets, {"a": 0.3, "b": 0.1, "y": 0.2}, {"a": 0.6, "b": 0.9, "y": 0.54})
    found = power(nets, cells, timing_of(nets), known, 1.0)
    by_a, by_b = 0.3 * 0.9, 0.1 * 0.6
    energy = (by_a * 1 + by_b * 5) / (by_a + by_b) + 100.0
    assert found.internal_mw == pytest.approx(0.2 * energy * 1e-6)


def test_arcs_without_an_input_count_unless_opensta_is_followed():
    cells = library(cell("G", ["A"], {"Y": "A"}, power=(arc("Y", None, 6.0),)))
    nets = netlist({"a": ["a"]}, {"y": ["y"]}, [("G", {"A": "a", "Y": "y"})], cells)
    known = activity_of(nets, {"a": 1.0, "y": 1.0}, {"a": 0.5, "y": 0.5})
    assert power(nets, cells, timing_of(nets), known, 1.0).internal_mw == pytest.approx(6e-6)
    assert power(nets, cells, timing_of(nets), known, 1.0, opensta=True).internal_mw == 0.0


def test_conditions_of_output_arcs_choose_the_arc_of_the_state():
    arcs = (arc("Y", "A", 2.0, when="B"), arc("Y", "A", 8.0, when="!B"))
    cells = library(cell("X", ["A", "B"], {"Y": "A^B"}, power=arcs))
    nets = netlist({"a": ["a"], "b": ["b"]}, {"y": ["y"]}, [("X", {"A": "a", "B": "b", "Y": "y"})], cells)
    known = activity_of(nets, {"a": 1.0, "y": 1.0}, {"a": 0.5, "b": 0.9})
    assert power(nets, cells, timing_of(nets), known, 1.0).internal_mw == pytest.approx((0.9 * 2 + 0.1 * 8) * 1e-6)
    assert power(nets, cells, timing_of(nets), known, 1.0, opensta=True).internal_mw == pytest.approx(5e-6)


def test_probabilities_are_sums_over_rows():
    duty = {name: np.array([p, 1 - p]) for name, p in (("A", 0.3), ("B", 0.6), ("C", 0.9))}
    assert probability("A&!B|C", duty) == pytest.approx([1 - (1 - 0.12) * 0.1, 1 - (1 - 0.7 * 0.6) * 0.9])
    assert probability("1", duty) == pytest.approx([1.0, 1.0])
    assert probability("unknown", duty) == pytest.approx([0.5, 0.5])
    # B changes (A&B)|C while A is high and C low
    assert sensitised("(A&B)|C", "B", "", duty) == pytest.approx([0.3 * 0.1, 0.7 * 0.9])
    assert sensitised("(A&B)|C", "B", "!A", duty) == pytest.approx([0.0, 0.0])
    full = library().cells["FA"]
    assert expanded("!CO & A", full) == "!((A&B)|(C&(A|B))) & A"


def test_tables_are_interpolated_and_extrapolated_along_their_last_cell():
    table = Table(np.array([1.0, 2.0, 4.0]), np.array([10.0, 30.0]), np.array([[0.0, 2.0], [1.0, 3.0], [5.0, 7.0]]))
    at = [(1.0, 10.0), (3.0, 20.0), (6.0, 50.0), (0.0, 0.0)]
    slew, load = np.array(at).T
    assert look_up(table, slew, load) == pytest.approx([0.0, 4.0, 9.0 + 4.0, -1.0 - 1.0])
    line = Table(np.array([1.0, 2.0]), np.zeros(1), np.array([[3.0], [5.0]]))
    assert look_up(line, slew[:2], load[:2]) == pytest.approx([3.0, 7.0])


@pytest.mark.parametrize("frequency", [0.0, -1.0, float("nan"), float("inf")])
def test_a_frequency_that_is_none_is_refused(frequency):
    cells = library()
    nets = netlist({"a": ["a"]}, {"y": ["y"]}, [("INV", {"A": "a", "Y": "y"})])
    with pytest.raises(InvalidInput, match="frequency_mhz is"):
        power(nets, cells, timing_of(nets), activity_of(nets, {}, {}), frequency)
