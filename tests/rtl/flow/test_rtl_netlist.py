"""Netlists: flattened with their names, refused with names where a net has no driver, several, or is in a loop."""

from __future__ import annotations

import json
import time
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from linear_library import library, netlist_json

from archgym.errors import InvalidInput, UnknownName
from archgym.rtl.flow.netlist import CombinationalLoop, flatten, read_yosys_json, write_verilog


@pytest.fixture(scope="module")
def lib(tmp_path_factory):
    return library(tmp_path_factory.mktemp("linear"))


def flat(text, lib, top=""):
    return flatten(read_yosys_json(text), top, lib)


def one(lib, cells, inputs, outputs, **nets):
    return flat(netlist_json(cells, inputs=inputs, outputs=outputs, nets=nets), lib)


# `through` has a wire from input to output, a constant output and an inverter; `pair` has two of them in a row.
THROUGH = {
    "attributes": {},
    "ports": {
        "a": {"direction": "input", "bits": [2]},
        "same": {"direction": "output", "bits": [2]},
        "one": {"direction": "output", "bits": ["1"]},
        "not_a": {"direction": "output", "bits": [3]},
    },
    "cells": {"i": {"type": "INV", "connections": {"A": [2], "Y": [3]}}},
    "netnames": {"a": {"bits": [2]}, "not_a": {"bits": [3]}},
}
PAIR = {
    "attributes": {"top": "00000000000000000000000000000001"},
    "ports": {
        "x": {"direction": "input", "bits": [2]},
        "y": {"direction": "output", "bits": [5, 6, 7, "0"]},
    },
    "cells": {
        "u": {"type": "through", "connections": {"a": [2], "same": [3], "one": [4], "not_a": []}},
        "v": {"type": "through", "connections": {"a": [3], "same": [5], "one": [], "not_a": [6]}},
        "g": {"type": "NAND2", "connections": {"A": [4], "B": [6], "Y": [7]}},
        "scope": {"type": "$scopeinfo", "connections": {}},
    },
    "netnames": {"x": {"bits": [2]}, "y": {"bits": [5, 6, 7, "0"]}},
}


def test_wires_through_modules_become_one_net(lib):
    netlist = flat(json.dumps({"modules": {"through": THROUGH, "pair": PAIR}}), lib)
    x, y = netlist.inputs["x"], netlist.outputs["y"]
    assert netlist.counts() == {"INV": 2, "NAND2": 1}
    assert y[0] == x[0]
    assert y[3] == 0
    names = [netlist.cell_name(cell) for cell in range(netlist.cells)]
    assert sorted(names) == ["g", "u/i", "v/i"]
    for name in ("u/i", "v/i"):
        cell = names.index(name)
        assert netlist.pin_net[netlist.pin_start[cell]] == x[0]
    gate = names.index("g")
    assert netlist.pin_net[netlist.pin_start[gate] : netlist.pin_start[gate + 1]].tolist() == [1, y[1], y[2]]
    assert netlist.net_name(int(y[2])) == "y[2]"
    inner = netlist.pin_net[netlist.pin_start[names.index("u/i")] + 1]
    assert netlist.net_name(int(inner)) == "u/not_a"


def test_buffers_of_the_tool_are_wires(lib):
    netlist = one(lib, {"b": ("$_BUF_", {"A": 2, "Y": 3}), "i": ("INV", {"A": 3, "Y": 4})}, {"a": 2}, {"y": 4, "z": 3})
    assert netlist.counts() == {"INV": 1}
    assert netlist.outputs["z"][0] == netlist.inputs["a"][0]


def test_a_dont_care_is_tied_low_and_pins_may_be_left_open(lib):
    netlist = one(lib, {"i": ("INV", {"A": "x", "Y": 3}), "j": ("INV", {"A": 3})}, {}, {"y": 3})
    assert netlist.pin_net[0] == 0
    assert netlist.net_sinks[0][-1] == 2


def test_derived_arrays_agree_with_a_count_by_hand(lib):
    cells = {"n": ("NAND2", {"A": 2, "B": 3, "Y": 4}), "f": ("DFF", {"D": 4, "CK": 5, "Q": 3})}
    netlist = one(lib, cells, {"a": 2, "clk_i": 5}, {"y": 4})
    net = {name: int(bits[0]) for name, bits in (netlist.inputs | netlist.outputs).items()}
    assert netlist.fanout[[net["a"], net["clk_i"], net["y"]]].tolist() == [1, 1, 2]
    assert netlist.net_driver_cell[[net["a"], net["y"]]].tolist() == [-1, 0]
    assert netlist.sequential.tolist() == [1]
    assert netlist.cell_level.tolist() == [0, -1]
    assert [part.tolist() for part in netlist.levels] == [[0], [0, 1]]
    assert netlist.area_um2(lib) == 5
    assert netlist.area_um2(lib, sequential=True) == 4
    start, pins = netlist.net_sinks
    assert pins[start[net["y"]] : start[net["y"] + 1]].tolist() == [netlist.pin_start[1]]


def test_levels_are_one_more_than_the_highest_input(lib):
    rng = np.random.default_rng(5)
    cells, level = {}, {2: -1, 3: -1}
    for net in range(4, 300):
        a, b = rng.choice(sorted(level), 2)
        cells[f"g{net}"] = ("NAND2", {"A": int(a), "B": int(b), "Y": net})
        level[net] = 1 + max(level[int(a)], level[int(b)])
    order = rng.permutation(list(cells))  # cells in any order
    netlist = one(lib, {name: cells[name] for name in order}, {"a": 2, "b": 3}, {"y": 299})
    assert netlist.cell_level.tolist() == [level[int(name[1:])] for name in order]
    place = {int(cell): position for position, cell in enumerate(netlist.order)}
    by = netlist.net_driver_cell[netlist.pin_net]
    reads = [(int(a), int(b)) for a, b in zip(by, netlist.pin_cell, strict=True) if a not in {-1, b}]
    assert len(place) == netlist.cells
    assert all(place[a] < place[b] for a, b in reads)
    ordered, starts = netlist.levels
    for number, (low, high) in enumerate(pairwise(starts)):
        assert set(netlist.cell_level[ordered[low:high]]) == {number}


def test_a_loop_is_refused_with_its_nets_and_cells(lib):
    cells = {
        "p": ("NAND2", {"A": 2, "B": 5, "Y": 3}),
        "q": ("INV", {"A": 3, "Y": 4}),
        "r": ("INV", {"A": 4, "Y": 5}),
        "after": ("INV", {"A": 4, "Y": 6}),
    }
    netlist = one(lib, cells, {"a": 2}, {"y": 6}, first=3, second=4, third=5)
    with pytest.raises(CombinationalLoop, match="loop in top: ") as caught:
        _ = netlist.levels
    for name in ("first", "second", "third", "p", "q", "r"):
        assert f" {name}" in str(caught.value)
    assert "after" not in str(caught.value)


def test_a_register_breaks_a_loop(lib):
    cells = {"q": ("INV", {"A": 3, "Y": 4}), "f": ("DFF", {"D": 4, "CK": 2, "Q": 3})}
    assert one(lib, cells, {"clk_i": 2}, {"y": 3}).cell_level.tolist() == [0, -1]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"i": ("INV", {"A": 9, "Y": 3})}, r"1 net of top read but not driven: lost \(read by i\.A\)"),
        ({"i": ("INV", {"Y": 3})}, r"read but not driven: .*i\.A"),
        ({"i": ("INV", {"A": 2, "Y": 2}), "j": ("INV", {"A": 2, "Y": 3})}, r"drivers: a \(driven by input a and i\.Y"),
        ({"i": ("INV", {"A": 2, "Y": 3}), "j": ("INV", {"A": 2, "Y": 3})}, r"drivers: y \(driven by i\.Y and j\.Y"),
        ({"i": ("INV", {"A": 2, "Y": "1"}), "j": ("INV", {"A": 2, "Y": 3})}, r"constant 1 and i\.Y"),
        ({"i": ("$_AND_", {"A": 2, "B": 2, "Y": 3})}, r"cell i of module top is not mapped to the library: \$_AND_"),
        ({"i": ("INVX", {"A": 2, "Y": 3})}, r"'INVX', no module and no cell of linear; did you mean 'INV'"),
        ({"i": ("INV", {"A": 2, "Z": 3})}, r"unknown pin of cell i \(INV\) 'Z'"),
        ({"i": ("INV", {"A": "z", "Y": 3})}, "high-impedance"),
        ({"b": ("$_BUF_", {"A": "0", "Y": "1"}), "i": ("INV", {"A": 2, "Y": 3})}, "constants 0 and 1 are connected"),
    ],
)  # fmt: skip
def test_what_is_no_netlist_is_refused_by_name(lib, cells, message):
    with pytest.raises(InvalidInput, match=message):
        one(lib, cells, {"a": 2}, {"y": 3}, lost=9)


def test_wrong_files_ports_and_tops_are_refused(lib):
    with pytest.raises(InvalidInput, match="no output of Yosys's write_json"):
        read_yosys_json("{")
    with pytest.raises(InvalidInput, match="no output of Yosys's write_json"):
        read_yosys_json('{"modules": {"a": {}}}')
    with pytest.raises(InvalidInput, match="has no module"):
        read_yosys_json('{"modules": {}}')
    with pytest.raises(UnknownName, match="unknown top module 'pai'; did you mean 'pair'"):
        flat(json.dumps({"modules": {"pair": PAIR}}), lib, "pai")
    inout = {"attributes": {}, "ports": {"p": {"direction": "inout", "bits": [2]}}, "cells": {}, "netnames": {}}
    with pytest.raises(InvalidInput, match="port p of module m is inout"):
        read_yosys_json(json.dumps({"modules": {"m": inout}}))
    wrong = {**PAIR, "cells": {"u": {"type": "through", "connections": {"b": [2]}}}}
    with pytest.raises(UnknownName, match=r"port of cell u \(through\) in pair 'b'"):
        flat(json.dumps({"modules": {"through": THROUGH, "pair": wrong}}), lib)


def test_a_file_is_read_as_its_text(lib, tmp_path):
    path = tmp_path / "netlist.json"
    path.write_text(json.dumps({"modules": {"through": THROUGH, "pair": PAIR}}))
    assert flatten(read_yosys_json(path), "through", lib).counts() == {"INV": 1}


def tile(gates):
    """A module with a chain of inverters between two registered ports."""
    cells = {f"i{n}": {"type": "INV", "connections": {"A": [n + 3], "Y": [n + 4]}} for n in range(gates)}
    cells["f"] = {"type": "DFF", "connections": {"D": [gates + 3], "CK": [2], "Q": [gates + 4]}}
    ports = {"clk_i": ("input", 2), "d": ("input", 3), "q": ("output", gates + 4)}
    return {
        "attributes": {},
        "ports": {name: {"direction": direction, "bits": [net]} for name, (direction, net) in ports.items()},
        "cells": cells,
        "netnames": {},
    }


def test_a_thousand_large_instances_flatten_in_seconds(lib):
    count, gates = 1024, 700
    cells = {f"t{n}": {"type": "tile", "connections": {"clk_i": [2], "d": [n + 3], "q": [n + 4]}} for n in range(count)}
    ports = {"clk_i": ("input", 2), "d": ("input", 3), "q": ("output", count + 3)}
    top = {
        "attributes": {"top": "1"},
        "ports": {name: {"direction": direction, "bits": [net]} for name, (direction, net) in ports.items()},
        "cells": cells,
        "netnames": {},
    }
    modules = read_yosys_json(json.dumps({"modules": {"tile": tile(gates), "top": top}}))
    begin = time.process_time()
    netlist = flatten(modules, "", lib)
    seconds = time.process_time() - begin
    assert netlist.counts() == {"INV": count * gates, "DFF": count}
    assert netlist.cell_name(netlist.cells - 1) == "t1023/f"
    assert len(netlist.levels[1]) == gates + 1
    assert seconds < 20  # 1.5 on a quiet core


def test_written_verilog_has_every_pin_and_port(lib):
    netlist = flat(json.dumps({"modules": {"through": THROUGH, "pair": PAIR}}), lib)
    text = write_verilog(netlist)
    assert text.startswith("module pair (x, y);\n  input x;\n  output [3:0] y;\n")
    assert "  assign y[0] = x;\n" in text
    assert "  assign y[3] = 1'b0;\n" in text
    assert "NAND2 u0 (.A(1'b1), .B(y[1]), .Y(y[2]));" in text
    kinds = Counter(line.split()[0] for line in text.splitlines() if " u" in line)
    assert kinds == {"NAND2": 1, "INV": 2}


def test_names_that_are_no_identifiers_are_escaped(lib):
    netlist = one(lib, {"i": ("INV", {"A": 2, "Y": 3})}, {"a.b": 2}, {"y": 3})
    assert "input \\a.b ;" in write_verilog(netlist)
