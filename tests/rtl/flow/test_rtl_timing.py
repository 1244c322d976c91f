"""Static timing: numbers worked out by hand and by walking every path, and the rules any timing must obey."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from linear_library import CAPS, GATES, HOLD, LOADS, MODEL, SECOND_PIN_NS, SETUP, library, linear, netlist_json

from archgym.errors import InvalidInput, UnknownName
from archgym.rtl.flow.netlist import CombinationalLoop, flatten, read_yosys_json
from archgym.rtl.flow.timing import Constraints, analyse

EDGES = ("rise", "fall")


@pytest.fixture(scope="module")
def lib(tmp_path_factory):
    return library(tmp_path_factory.mktemp("linear"))


def time_of(lib, cells, inputs, outputs, **constraints):
    netlist = flatten(read_yosys_json(netlist_json(cells, inputs=inputs, outputs=outputs)), "", lib)
    return analyse(netlist, lib, Constraints(**{"clock_ns": 1.0, **constraints}))


def test_two_inverters_by_hand(lib):
    timing = time_of(
        lib,
        {"u": ("INV", {"A": 2, "Y": 3}), "v": ("INV", {"A": 3, "Y": 4})},
        {"a": 2},
        {"y": 4},
        input_slew_ns=0.05,
        output_load_ff=4.0,
    )
    # u's output falls into v's pin (1.1 fF at a falling edge) when `a` rises, and rises into 1.0 fF when it falls.
    fall_u = 0.008 + 0.15 * 0.05 + 0.003 * 1.1
    slew_fall_u = 0.010 + 0.08 * 0.05 + 0.005 * 1.1
    rise_v = 0.010 + 0.20 * slew_fall_u + 0.004 * 4.0
    rise_u = 0.010 + 0.20 * 0.05 + 0.004 * 1.0
    slew_rise_u = 0.012 + 0.10 * 0.05 + 0.006 * 1.0
    fall_v = 0.008 + 0.15 * slew_rise_u + 0.003 * 4.0
    assert timing.critical_ns == pytest.approx(max(fall_u + rise_v, rise_u + fall_v), abs=1e-9)
    assert timing.slack_ns == pytest.approx(1.0 - timing.critical_ns)
    assert [(point.cell, point.edge) for point in timing.path] == [
        ("", "rise"),
        ("u", "fall"),
        ("v", "rise"),
        ("y[0]", "rise"),
    ]
    assert [point.delay_ns for point in timing.path] == pytest.approx([0, fall_u, rise_v, 0], abs=1e-9)
    assert timing.path[1].slew_ns == pytest.approx(slew_fall_u, abs=1e-9)
    assert timing.path[1].load_ff == pytest.approx(1.1)
    report = timing.report()
    assert "u (INV) A -> Y" in report
    assert f"slack {timing.slack_ns:.4f} ns" in report


def test_register_to_register_by_hand(lib):
    cells = {
        "f": ("DFF", {"D": 5, "CK": 2, "Q": 3}),
        "g": ("INV", {"A": 3, "Y": 4}),
        "h": ("DFF", {"D": 4, "CK": 2, "Q": 5}),
    }
    timing = time_of(lib, cells, {"clk_i": 2}, {}, clock_slew_ns=0.04)
    found, early = [], []
    for launch, inverted in (("rise", "fall"), ("fall", "rise")):
        delay, slew = MODEL["DFF"][launch]
        load = CAPS["INV"] + 0.1 * (launch == "fall")
        d1, s1 = linear(delay, 0.04, load), linear(slew, 0.04, load)
        delay, slew = MODEL["INV"][inverted]
        load = CAPS["DFF"] + 0.1 * (inverted == "fall")
        arrival, s2 = d1 + linear(delay, s1, load), linear(slew, s1, load)
        found.append(arrival + linear(SETUP[inverted], 0.04, s2))
        early.append(arrival - linear(HOLD[inverted], 0.04, s2))
        direct, slope = (linear(each, 0.04, CAPS["DFF"] + 0.1 * (launch == "fall")) for each in MODEL["DFF"][launch])
        found.append(direct + linear(SETUP[launch], 0.04, slope))
        early.append(direct - linear(HOLD[launch], 0.04, slope))
    assert timing.critical_ns == pytest.approx(max(found), abs=1e-9)
    assert timing.hold_slack_ns == timing.hold_reg2reg_ns == pytest.approx(min(early), abs=1e-9)
    assert set(timing.groups) == {"reg2reg"}
    assert timing.path[-1].leave == "setup"
    assert timing.path[0].enter == "CK"


def test_hold_can_be_left_out(lib):
    cells = {"f": ("DFF", {"D": 3, "CK": 2, "Q": 4})}
    text = netlist_json(cells, inputs={"clk_i": 2, "a": 3}, outputs={"y": 4})
    netlist = flatten(read_yosys_json(text), "", lib)
    full, quick = (analyse(netlist, lib, Constraints(1.0), hold=hold) for hold in (True, False))
    assert (quick.critical_ns, quick.groups) == (full.critical_ns, full.groups)
    assert quick.hold_slack_ns == math.inf > full.hold_slack_ns


def test_groups_of_paths_and_delays_at_ports(lib):
    cells = {
        "f": ("DFF", {"D": 3, "CK": 2, "Q": 4}),
        "g": ("NAND2", {"A": 4, "B": 3, "Y": 5}),
    }
    plain = time_of(lib, cells, {"clk_i": 2, "a": 3}, {"y": 5})
    moved = time_of(lib, cells, {"clk_i": 2, "a": 3}, {"y": 5}, input_delay_ns=0.3, output_delay_ns=0.2)
    assert set(plain.groups) == {"in2reg", "reg2out", "in2out"}
    shift = {"in2reg": 0.3, "reg2out": 0.2, "in2out": 0.5}
    assert {name: moved.groups[name] - plain.groups[name] for name in shift} == pytest.approx(shift)
    assert moved.critical_ns == max(moved.groups.values())
    assert moved.hold_slack_ns == pytest.approx(plain.hold_slack_ns + 0.3)
    assert moved.hold_reg2reg_ns == math.inf


def walk(cells, start_slew, load):
    """Latest arrival at each net by its own recursion: net, edge -> (arrival, slew)."""
    driver = {pins["Y"]: (kind, pins) for kind, pins in cells.values()}
    known = {}

    def at(net, edge):
        if net not in driver:
            return 0.0, start_slew
        if (net, edge) not in known:
            kind, pins = driver[net]
            sense, _, names = GATES[kind]
            delay, slew = MODEL[kind][edge]
            other = EDGES[1 - EDGES.index(edge)]
            into = {"positive_unate": [edge], "negative_unate": [other], "non_unate": EDGES}[sense]
            ways = [
                (at(pins[pin], enter), number * SECOND_PIN_NS) for number, pin in enumerate(names) for enter in into
            ]
            known[net, edge] = (
                max(arrival + linear(delay, s, load(net, edge)) + more for (arrival, s), more in ways),
                max(linear(slew, s, load(net, edge)) for (_, s), _ in ways),
            )
        return known[net, edge]

    return at


def random_gates(rng, count, inputs):
    nets, cells = list(range(2, 2 + inputs)), {}
    for number in range(count):
        kind = str(rng.choice(list(GATES)))
        pins = {pin: int(rng.choice(nets[-12:])) for pin in GATES[kind][2]}
        net = 2 + inputs + number
        cells[f"g{number}"] = kind, {**pins, "Y": net}
        nets.append(net)
    return cells


def load_of(cells, outputs, output_load):
    def load(net, edge):
        pins = [CAPS[kind] for kind, of in cells.values() for pin, at in of.items() if pin != "Y" and at == net]
        return sum(pins) + 0.1 * (edge == "fall") * len(pins) + output_load * outputs.count(net)

    return load


@given(st.integers(0, 2**32), st.integers(1, 60), st.sampled_from([0.0, 0.05, 0.5]), st.sampled_from([0.0, 3.0, 40.0]))
def test_worst_path_is_the_worst_of_all_paths(lib, seed, count, slew, output_load):
    cells = random_gates(np.random.default_rng(seed), count, 4)
    outputs = [5 + count, 2 + count]
    ports = {f"a{n}": n for n in range(2, 6)}
    timing = time_of(
        lib, cells, ports, {"y": outputs[0], "z": outputs[1]}, input_slew_ns=slew, output_load_ff=output_load
    )
    at = walk(cells, slew, load_of(cells, outputs, output_load))
    expected = max(at(net, edge)[0] for net in outputs for edge in EDGES)
    assert timing.critical_ns == pytest.approx(expected, rel=1e-7)  # tables are written with 9 digits
    assert sum(point.delay_ns for point in timing.path) == pytest.approx(timing.critical_ns)
    arrivals = [point.arrival_ns for point in timing.path]
    assert arrivals == sorted(arrivals)


@given(st.integers(0, 2**32), st.floats(0, 50), st.floats(0, 50))
def test_more_load_is_never_faster(lib, seed, load, more):
    cells = random_gates(np.random.default_rng(seed), 30, 4)
    ports, outputs = {f"a{n}": n for n in range(2, 6)}, {"y": 35, "z": 30}
    light = time_of(lib, cells, ports, outputs, output_load_ff=load)
    heavy = time_of(lib, cells, ports, outputs, output_load_ff=load + more)
    assert heavy.critical_ns >= light.critical_ns


def test_the_slowest_slew_goes_on_even_from_an_early_input(lib):
    # B arrives late with a fast slew, A early with a slow one: the output's slew is A's, as OpenSTA merges them.
    cells = {
        "slow": ("XOR2", {"A": 2, "B": 2, "Y": 3}),
        "g": ("NAND2", {"A": 4, "B": 3, "Y": 5}),
        "late": ("AND2", {"A": 3, "B": 3, "Y": 4}),
    }
    timing = time_of(lib, cells, {"a": 2}, {"y": 5}, input_slew_ns=0.01)
    at = walk(cells, 0.01, load_of(cells, [5], 0.0))
    assert timing.critical_ns == pytest.approx(max(at(5, edge)[0] for edge in EDGES), rel=1e-7)
    assert timing.path[-2].enter == "A"
    assert at(3, "rise")[1] > at(4, "rise")[1]
    assert timing.path[-2].slew_ns == pytest.approx(at(5, timing.path[-2].edge)[1], rel=1e-7)


def test_outside_of_the_tables_the_last_interval_continues(lib):
    one_gate = {"u": ("INV", {"A": 2, "Y": 3})}
    for slew, load in ((0.0, 0.0), (1.0, 10 * LOADS[1])):
        timing = time_of(lib, one_gate, {"a": 2}, {"y": 3}, input_slew_ns=slew, output_load_ff=load)
        assert timing.critical_ns == pytest.approx(
            max(linear(MODEL["INV"][edge][0], slew, load) for edge in EDGES), abs=1e-6
        )


def test_a_constant_blocks_the_paths_it_decides(lib):
    ports, outputs = {"a": 2}, {"y": 4}
    gate = {"u": ("INV", {"A": 2, "Y": 3}), "g": ("NAND2", {"A": 3, "B": "1", "Y": 4})}
    assert time_of(lib, gate, ports, outputs).critical_ns > 0
    gate["g"][1]["B"] = "0"
    blocked = time_of(lib, gate, ports, outputs)
    assert (blocked.critical_ns, blocked.path, blocked.groups) == (0.0, (), {})
    # Behind a tie cell and a gate that it decides the next gate is blocked, too.
    gate["t"] = ("TIE1", {"Y": 5})
    gate["i"] = ("INV", {"A": 5, "Y": 6})
    gate["g"][1]["B"] = 6
    assert time_of(lib, gate, ports, outputs).groups == {}


def test_a_constant_makes_an_exclusive_or_unate(lib):
    def worst(constant):
        timing = time_of(lib, {"x": ("XOR2", {"A": 2, "B": constant, "Y": 3})}, {"a": 2}, {"y": 3}, input_slew_ns=0.1)
        return [(point.edge) for point in timing.path[:2]]

    assert worst("0")[0] == worst("0")[1]
    assert worst("1")[0] != worst("1")[1]


def test_the_wire_load_model_adds_capacitance_by_fanout(tmp_path):
    lib = library(tmp_path, wires=True)
    cells = {f"u{n}": ("INV", {"A": 3, "Y": 10 + n}) for n in range(5)} | {"d": ("INV", {"A": 2, "Y": 3})}
    timing = time_of(lib, cells, {"a": 2}, {"y": 3})
    # Fanout 6: 2 fF per length x (2.0 at fanout 3 + 3 x 3 beyond it), and five pins of 1 and 1.1 fF.
    loads = sorted(set(np.round(timing.net_load_ff, 6)))
    assert loads[-1] == pytest.approx(2.0 * (2.0 + 3 * 3.0) + 5 * 1.05)


def test_clocks_through_buffers_are_ideal(lib):
    cells = {
        "c": ("INV", {"A": 2, "Y": 6}),
        "e": ("INV", {"A": 6, "Y": 7}),
        "f": ("DFF", {"D": 3, "CK": 7, "Q": 4}),
    }
    timing = time_of(lib, cells, {"clk_i": 2, "a": 3}, {"y": 4})
    direct = time_of(lib, {"f": ("DFF", {"D": 3, "CK": 2, "Q": 4})}, {"clk_i": 2, "a": 3}, {"y": 4})
    assert timing.groups == direct.groups
    falling = time_of(lib, {"f": ("DFFN", {"D": 3, "CK": 6, "Q": 4}), "c": cells["c"]}, {"clk_i": 2, "a": 3}, {"y": 4})
    assert falling.groups == direct.groups


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"l": ("LATCH", {"D": 3, "G": 2, "Q": 4})}, r"cell l \(LATCH\) is no flip-flop with one clock"),
        ({"f": ("DFF", {"D": 3, "CK": 3, "Q": 4})}, "flip-flop f is clocked by a, not by clk_i"),
        (
            {"f": ("DFF", {"D": 3, "CK": 2, "Q": 4}), "h": ("DFFN", {"D": 4, "CK": 2})},
            "sample on both edges of clk_i; .* use one edge",
        ),
    ],
)
def test_clocks_that_cannot_be_timed_are_refused(lib, cells, message):
    with pytest.raises(InvalidInput, match=message):
        time_of(lib, cells, {"clk_i": 2, "a": 3}, {"y": 4})


def test_wrong_constraints_are_refused(lib):
    flop = {"f": ("DFF", {"D": 3, "CK": 2, "Q": 4})}
    with pytest.raises(UnknownName, match="unknown clock port 'clk_i'; did you mean 'clk'"):
        time_of(lib, flop, {"clk": 2, "a": 3}, {"y": 4})
    with pytest.raises(InvalidInput, match=r"input_slew_ns is -1; a number of at least 0"):
        Constraints(1.0, input_slew_ns=-1)
    with pytest.raises(InvalidInput, match="clock_ns is nan"):
        Constraints(math.nan)
    loop = {"p": ("INV", {"A": 4, "Y": 3}), "q": ("INV", {"A": 3, "Y": 4})}
    with pytest.raises(CombinationalLoop, match=r"loop in top: .*q -> y -> p"):
        time_of(lib, loop, {}, {"y": 4})


def test_a_netlist_of_wires_takes_no_time(lib):
    timing = time_of(lib, {}, {"a": 2}, {"y": 2})
    assert (timing.critical_ns, timing.groups) == (0.0, {"in2out": 0.0})
    assert time_of(lib, {}, {}, {"y": "0"}).groups == {}
