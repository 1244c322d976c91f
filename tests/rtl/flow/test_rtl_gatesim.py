"""The gate-level simulator against plain Python, on circuits written by hand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hand_cells import cell, library, net_named, netlist, random_cells, slow

from archgym.errors import InvalidInput, UnknownName
from archgym.rtl.block import Port
from archgym.rtl.flow import kernel_gates, kernel_lanes
from archgym.rtl.flow.gatesim import Reset, build_model, run_rows
from archgym.rtl.flow.gatesim_check import cut, exhaustive
from archgym.rtl.flow.gatesim_words import pack, unpack
from archgym.rtl.flow.netlist import CombinationalLoop
from archgym.rtl.tech.liberty import Flop


def bits(count, direction="in", prefix="i"):
    return tuple(Port(f"{prefix}{bit}", direction, 1) for bit in range(count))


@pytest.mark.parametrize("seed", range(6))
def test_random_circuits_give_what_plain_python_gives_for_every_input(seed):
    generator = np.random.default_rng(seed)
    names = [f"i{bit}" for bit in range(7)]
    cells = random_cells(generator, names, 60)
    nets = [wire for kind, wires in cells for pin, wire in wires.items() if pin in {"Y", "S", "CO"} and wire[-1] == "w"]
    outs = list(dict.fromkeys(nets))[-20:]
    circuit = netlist({name: [name] for name in names}, {f"o{i}": [net] for i, net in enumerate(outs)}, cells)
    model = build_model(circuit, library())
    ports = (*bits(7), *bits(len(outs), "out", "o"))
    seen = 0
    for streams, found in exhaustive(model, ports):
        for row, values in enumerate(zip(*(streams[name] for name in names), strict=True)):
            expected = slow(cells, dict(zip(names, map(int, values), strict=True)))
            assert [int(found[f"o{i}"][row]) for i in range(len(outs))] == [expected[net] for net in outs]
            seen += 1
    assert seen == 128


def test_toggles_and_ones_are_those_of_the_rows_in_order():
    rows = np.array([0, 1, 1, 0, 1, 0, 0, 0, 1, 1])
    circuit = netlist({"a": ["a"], "b": ["b"]}, {"y": ["y"]}, [("NAND2", {"A": "a", "B": "b", "Y": "y"})])
    model = build_model(circuit, library())
    ports = (Port("a", "in", 1), Port("b", "in", 1), Port("y", "out", 1))
    run = run_rows(model, ports, [{"a": rows, "b": np.ones(10, dtype=np.int64)}, {"a": 1 - rows, "b": rows}])
    assert run.outputs[0]["y"].tolist() == (1 - rows).tolist()
    a, b, y = (net_named(circuit, name) for name in "aby")
    assert run.activity.cycles == 18
    # rows change 5 times; in the second lane a and b are never 1 together, so y stays 1
    assert run.activity.toggles[[a, b, y]].tolist() == [10, 5, 5]
    assert run.activity.ones[[a, b, y]].tolist() == [5 + 4, 9 + 5, 4 + 9]
    assert run.activity.duty[1] == 1.0
    assert run.activity.rate[a] == pytest.approx(10 / 18)


def counter(width):
    """Bit k is inverted when all lower ones are set, by carries through NAND and INV; the enable is the first carry."""
    cells = []
    for k in range(width):
        cells += [
            ("XOR2", {"A": f"q{k}", "B": f"c{k}", "Y": f"d{k}"}),
            ("NAND2", {"A": f"q{k}", "B": f"c{k}", "Y": f"n{k}"}),
            ("INV", {"A": f"n{k}", "Y": f"c{k + 1}"}),
            ("DFFR", {"CK": "clk", "D": f"d{k}", "RN": "rst", "Q": f"q{k}"}),
        ]
    ports = {"clk_i": ["clk"], "rst_ni": ["rst"], "en": ["c0"]}
    return netlist(ports, {"q": [f"q{k}" for k in range(width)]}, cells)


def test_counter_counts_and_its_bits_toggle_half_as_often_each():
    circuit = counter(6)
    run = run_rows(
        build_model(circuit, library()),
        (Port("en", "in", 1), Port("q", "out", 6)),
        [{"en": np.ones(129, dtype=np.int64)}, {"en": np.zeros(129, dtype=np.int64)}],
        reset=Reset(),
    )
    assert run.outputs[0]["q"].tolist() == [row % 64 for row in range(129)]
    assert not run.outputs[1]["q"].any()
    toggles = [run.activity.toggles[net_named(circuit, f"q{k}")] for k in range(6)]
    assert toggles == [128, 64, 32, 16, 8, 4]
    assert run.activity.rate[net_named(circuit, "clk")] == 2.0
    assert run.activity.duty[net_named(circuit, "clk")] == 0.5


def test_shift_register_delays_each_lane_by_its_length():
    cells = [("DFF", {"CK": "clk", "D": f"q{k}", "Q": f"q{k + 1}", "QN": f"n{k + 1}"}) for k in range(5)]
    circuit = netlist({"clk_i": ["clk"], "q": ["q0"]}, {"y": ["q5"], "n": ["n5"]}, cells)
    ports = (Port("q", "in", 1), Port("y", "out", 1), Port("n", "out", 1))
    generator = np.random.default_rng(1)
    lanes = [{"q": generator.integers(0, 2, 20 + lane)} for lane in range(64)]
    run = run_rows(build_model(circuit, library()), ports, lanes, latency=5)
    for lane, streams in enumerate(lanes):
        assert run.outputs[lane]["y"].tolist() == streams["q"].tolist()
        assert run.outputs[lane]["n"].tolist() == (1 - streams["q"]).tolist()


def test_enable_and_edges_follow_the_flip_flops():
    """An enabled flop keeps its state; one at the falling edge gives its value half a cycle later, inverted."""
    cells = [
        ("DFFE", {"CK": "clk", "D": "d", "E": "e", "Q": "q"}),
        ("DFFN", {"CKN": "clk", "D": "q", "QN": "half"}),
        ("INV", {"A": "clk", "Y": "clkb"}),
        ("BUF", {"A": "clkb", "Y": "clkc"}),
        ("DFFN", {"CKN": "clkc", "D": "half", "QN": "again"}),
    ]
    circuit = netlist({"clk_i": ["clk"], "d": ["d"], "e": ["e"]}, {"q": ["q"], "half": ["half"], "r": ["again"]}, cells)
    ports = (*(Port(name, "in", 1) for name in "de"), *(Port(name, "out", 1) for name in ("q", "half", "r")))
    generator = np.random.default_rng(2)
    d, e = generator.integers(0, 2, 50), generator.integers(0, 2, 50)
    e[0] = 1
    model = build_model(circuit, library())
    assert model.clock_nets.sum() == 3
    run = run_rows(model, ports, [{"d": d, "e": e}])
    state, expected = 0, []
    for row in range(50):
        expected.append(state)
        state = int(d[row]) if e[row] else state
    found = run.outputs[0]
    assert found["q"].tolist()[1:] == expected[1:]
    # after the rising edge of a cycle: q is new; the falling edge before it took the q of the cycle before
    assert found["half"].tolist()[2:] == [1 - value for value in expected[1:-1]]
    assert found["r"].tolist()[2:] == expected[1:-1]


def test_asynchronous_clear_and_preset_act_without_an_edge():
    cells = [
        ("DFFR", {"CK": "clk", "D": "d", "RN": "rn", "Q": "q"}),
        ("DFFS", {"CK": "clk", "D": "d", "SN": "q", "Q": "s"}),  # preset by the other flop: needs settling twice
    ]
    circuit = netlist({"clk_i": ["clk"], "d": ["d"], "rn": ["rn"]}, {"q": ["q"], "s": ["s"]}, cells)
    ports = (*(Port(name, "in", 1) for name in ("d", "rn")), *(Port(name, "out", 1) for name in "qs"))
    d, rn = np.array([1, 1, 0, 1, 1, 0, 0, 1]), np.array([0, 1, 1, 1, 0, 1, 1, 1])
    found = run_rows(build_model(circuit, library()), ports, [{"d": d, "rn": rn}]).outputs[0]
    q, s, expected = 0, 1, []
    for row in range(8):
        q = q if rn[row] else 0
        s = 1 if not q else s
        expected.append((q, s))
        q, s = int(d[row]), int(d[row])
    assert list(zip(found["q"].tolist(), found["s"].tolist(), strict=True)) == expected


def test_flip_flops_power_up_in_any_state_but_reproducibly():
    cells = [("DFF", {"CK": "clk", "D": "q", "Q": "q", "QN": "n"}), ("BUF", {"A": "a", "Y": "y"})]
    circuit = netlist({"clk_i": ["clk"], "a": ["a"]}, {"q": ["q"]}, cells)
    lanes = [{"a": np.zeros(2, dtype=np.int64)}] * 64
    ports = (Port("a", "in", 1), Port("q", "out", 1))
    runs = [run_rows(build_model(circuit, library()), ports, lanes) for _ in range(2)]
    first, second = ([out["q"].tolist() for out in run.outputs] for run in runs)
    assert first == second
    assert {tuple(each) for each in first} == {(0, 0), (1, 1)}


def test_packing_keeps_every_bit_of_signed_and_wide_ports():
    generator = np.random.default_rng(3)
    ports = (Port("a", "in", 9, 5, signed=True), Port("b", "in", 64), Port("c", "in", 1), Port("d", "in", 33, 2))
    streams = {
        "a": generator.integers(-256, 256, (11, 5)),
        "b": generator.integers(-(1 << 63), (1 << 63) - 1, 11),
        "c": generator.integers(0, 2, 11),
        "d": generator.integers(0, 1 << 33, (11, 2)),
    }
    words = pack(ports, streams)
    assert words.shape == (11, 3)
    number = sum(int(word) << 64 * place for place, word in enumerate(words[4]))
    assert number & 0x1FF == int(streams["a"][4, 0]) % 512
    assert number >> 45 & (1 << 64) - 1 == int(streams["b"][4]) % (1 << 64)
    found = unpack(ports, words)
    for name, values in streams.items():
        assert found[name].shape == values.shape
        assert (found[name] == values).all()


def test_transposition_swaps_bits_and_rows():
    block = np.random.default_rng(4).integers(0, 1 << 64, 64, dtype=np.uint64)
    expected = [sum((int(block[row]) >> bit & 1) << row for row in range(64)) for bit in range(64)]
    kernel_lanes.transpose(block)
    assert [int(word) for word in block] == expected


def test_counting_counts_ones_in_the_lanes_that_live():
    generator = np.random.default_rng(5)
    values, previous = (generator.integers(0, 1 << 64, 9, dtype=np.uint64) for _ in range(2))
    live = np.uint64(0x0F0F_0000_FFFF_1234)
    toggles, ones = np.ones(9, dtype=np.int64), np.zeros(9, dtype=np.int64)
    changed = [1 + ((int(a) ^ int(b)) & int(live)).bit_count() for a, b in zip(values, previous, strict=True)]
    kernel_gates.count(values, previous, live, toggles, ones)
    assert toggles.tolist() == changed
    assert ones.tolist() == [(int(a) & int(live)).bit_count() for a in values]
    assert (previous == values).all()


def test_rows_are_cut_into_consecutive_pieces():
    pieces = cut({"a": np.arange(100)}, 64)
    assert len(pieces) == 64
    assert np.concatenate([each["a"] for each in pieces]).tolist() == list(range(100))


def test_all_vectors_of_several_ports_come_once():
    circuit = netlist(
        {"a": ["a0", "a1"], "b": ["b0", "b1"]}, {"y": ["y"]}, [("XOR2", {"A": "a1", "B": "b1", "Y": "y"})]
    )
    ports = (Port("a", "in", 2, signed=True), Port("b", "in", 1, 2), Port("y", "out", 1))
    [(streams, found)] = exhaustive(build_model(circuit, library()), ports)
    rows = {(int(a), int(b[0]), int(b[1])) for a, b in zip(streams["a"], streams["b"], strict=True)}
    assert rows == set(product((-2, -1, 0, 1), (0, 1), (0, 1)))
    assert (found["y"] == ((streams["a"] < 0) ^ (streams["b"][:, 1] == 1))).all()


def test_what_cannot_be_simulated_is_refused_by_name():
    odd = library(
        cell("LATCH", ["D", "G"], {"Q": "IQ"}, latch=True),
        cell("DARK", ["A"], {"Y": None}),
        cell("TRI", ["A", "E"], {"Y": "A"}, three_state="E"),
        cell("TWOCK", ["A", "B"], {"Q": "IQ"}, Flop("A&B", "A", None, None, "IQ", "IQN")),
        cell("MIXED", ["CK", "D"], {"Q": "IQ & D"}, Flop("CK", "D", None, None, "IQ", "IQN")),
    )

    def refused(kind, pins, error=InvalidInput, clock="clk_i"):
        circuit = netlist({"clk_i": ["clk"], "a": ["a"], "b": ["b"]}, {"y": ["y"]}, [(kind, pins)], odd)
        with pytest.raises(error) as caught:
            build_model(circuit, odd, clock)
        return str(caught.value)

    assert "LATCH (cell c0) is a latch" in refused("LATCH", {"D": "a", "G": "b", "Q": "y"})
    assert "output Y of library cell DARK has no function" in refused("DARK", {"A": "a", "Y": "y"})
    assert "output Y of library cell TRI is three-state" in refused("TRI", {"A": "a", "E": "b", "Y": "y"})
    assert "clocked on 'A&B'; one pin is expected" in refused("TWOCK", {"A": "a", "B": "b", "Q": "y"})
    assert "a function of its state only" in refused("MIXED", {"CK": "clk", "D": "a", "Q": "y"})
    message = refused("DFF", {"CK": "a", "D": "b", "Q": "y", "QN": "n"})
    assert "flip-flop c0 is clocked by a, neither clk_i nor a buffered copy" in message
    assert "clk_x" in refused("DFF", {"CK": "clk", "D": "b", "Q": "y", "QN": "n"}, UnknownName, "clk_x")
    loop = [("INV", {"A": "y", "Y": "x"}), ("BUF", {"A": "x", "Y": "y"})]
    with pytest.raises(CombinationalLoop):
        build_model(netlist({}, {"y": ["y"]}, loop), library(), None)


def test_ports_and_stimuli_that_do_not_fit_are_refused():
    circuit = netlist({"a": ["a"]}, {"y": ["y"]}, [("INV", {"A": "a", "Y": "y"})])
    model = build_model(circuit, library())
    a, y, row = Port("a", "in", 1), Port("y", "out", 1), {"a": np.zeros(3, dtype=np.int64)}
    with pytest.raises(UnknownName, match="input port of top"):
        run_rows(model, (Port("aa", "in", 1), y), [{"aa": row["a"]}])
    with pytest.raises(InvalidInput, match=r"port a of top has 1 bits; 6 are expected \(2 x 3\)"):
        run_rows(model, (Port("a", "in", 3, 2), y), [{"a": np.zeros((3, 2), dtype=np.int64)}])
    with pytest.raises(InvalidInput, match="no values for port a; got b"):
        run_rows(model, (a, y), [{"b": row["a"]}])
    with pytest.raises(InvalidInput, match=r"shape \[3, 2\]; \[3\] is expected"):
        run_rows(model, (a, y), [{"a": np.zeros((3, 2), dtype=np.int64)}])
    with pytest.raises(InvalidInput, match="65 stimuli, at most 64"):
        run_rows(model, (a, y), [row] * 65)
    with pytest.raises(InvalidInput, match="25 input bits are too many"):
        next(exhaustive(model, (Port("a", "in", 25), y)))
