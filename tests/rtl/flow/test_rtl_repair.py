"""Sizing and buffering: the function stays, times get no worse, small cells come back where there is time."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from linear_library import netlist_json

from archgym.rtl.block import Port
from archgym.rtl.flow.design import Design
from archgym.rtl.flow.gatesim import build_model
from archgym.rtl.flow.gatesim_check import check, exhaustive
from archgym.rtl.flow.netlist import flatten, read_yosys_json
from archgym.rtl.flow.repair import repair
from archgym.rtl.flow.repair_families import buffers, families
from archgym.rtl.flow.repair_state import State
from archgym.rtl.flow.synth import synthesise
from archgym.rtl.flow.target import target
from archgym.rtl.flow.timing import Constraints, analyse
from archgym.rtl.library import block
from archgym.rtl.tech.technology import technology

LIBRARY = technology("generic45").library
AROUND = Constraints(1.0, input_slew_ns=0.02, clock_slew_ns=0.02, output_load_ff=4.0)


def flat(cells, inputs, outputs):
    return flatten(read_yosys_json(netlist_json(cells, inputs=inputs, outputs=outputs)), "", LIBRARY)


def critical(netlist):
    return analyse(netlist, LIBRARY, AROUND).critical_ns


def area(netlist):
    return netlist.area_um2(LIBRARY)


def heavy_flop(sinks):
    """A flip-flop that enables many AND gates between others."""
    cells = {"source": ("DFF_X1", {"CK": 2, "D": 3, "Q": 4})}
    for i in range(sinks):
        a, y = 5 + i, 5 + sinks + i
        cells |= {f"g{i}": ("AND2_X1", {"A": 4, "B": a, "Y": y})}
        cells |= {f"r{i}": ("DFF_X1", {"CK": 2, "D": y, "Q": 5 + 2 * sinks + i})}
    outputs = {"y": list(range(5 + 2 * sinks, 5 + 3 * sinks))}
    return flat(cells, {"clk_i": 2, "en": 3, "a": list(range(5, 5 + sinks))}, outputs)


def random_logic(seed, gates=60, inputs=7):
    """Gates of every smallest size on each other; all inputs are pins of ports."""
    rng = np.random.default_rng(seed)
    kinds = ["NAND2_X1", "NOR2_X1", "XOR2_X1", "AOI21_X1", "FA_X1", "MUX2_X1", "INV_X1", "BUF_X1"]
    nets, cells, number = list(range(2, 2 + inputs)), {}, 2 + inputs
    for gate in range(gates):
        kind = str(rng.choice(kinds))
        pins = {}
        for pin in LIBRARY.cells[kind].pins.values():
            if pin.direction == "input":
                pins[pin.name] = int(rng.choice(nets[-8:]))
        for pin in LIBRARY.cells[kind].outputs:
            pins[pin.name] = number
            number += 1
        cells[f"g{gate}"] = kind, pins
        nets += [pins[pin.name] for pin in LIBRARY.cells[kind].outputs]
    return flat(cells, {f"i{k}": 2 + k for k in range(inputs)}, {f"o{k}": net for k, net in enumerate(nets[-20:])})


def table(netlist):
    """Every output for every input."""
    ports = [Port(name, "in", len(nets)) for name, nets in netlist.inputs.items()]
    ports += [Port(name, "out", len(nets)) for name, nets in netlist.outputs.items()]
    found = [outputs for _, outputs in exhaustive(build_model(netlist, LIBRARY), tuple(ports))]
    return {name: np.concatenate([each[name] for each in found]).tolist() for name in netlist.outputs}


def test_families_are_cells_of_one_function_by_truth_table():
    assert families(LIBRARY)["NAND2_X2"] == ("NAND2_X1", "NAND2_X2", "NAND2_X4")
    assert families(LIBRARY)["DFF_X1"] == ("DFF_X1", "DFF_X2")
    assert "DFF_X1" not in families(LIBRARY)["DFFR_X1"]
    assert buffers(LIBRARY) == ("BUF_X1", "BUF_X2", "BUF_X4", "BUF_X8", "BUF_X16")
    renamed = {name.replace("NAND2_X", "FOO"): cell for name, cell in LIBRARY.cells.items()}
    renamed = {name: dataclasses.replace(cell, name=name) for name, cell in renamed.items()}
    assert families(dataclasses.replace(LIBRARY, cells=renamed))["FOO2"] == ("FOO1", "FOO2", "FOO4")


def test_cells_that_must_not_be_used_are_in_no_family():
    cells = dict(LIBRARY.cells)
    cells["NAND2_X4"] = dataclasses.replace(cells["NAND2_X4"], dont_use=True)
    assert families(dataclasses.replace(LIBRARY, cells=cells))["NAND2_X1"] == ("NAND2_X1", "NAND2_X2")


@pytest.mark.parametrize("seed", range(8))
def test_random_logic_computes_the_same_and_is_no_slower(seed):
    before = random_logic(seed)
    was = critical(before)
    fastest = repair(before, LIBRARY, AROUND)
    assert critical(fastest) < was
    assert table(fastest) == table(before)
    for period in (0.95 * was, was, 3 * was):
        after = repair(before, LIBRARY, AROUND, period)
        assert critical(after) <= max(period, was) * (1 + 1e-12)
        assert table(after) == table(before)
    assert area(after) <= area(before)


def test_the_result_is_the_same_every_time():
    before = random_logic(3)
    first, second = (repair(before, LIBRARY, AROUND) for _ in range(2))
    assert first.kinds == second.kinds
    assert np.array_equal(first.cell_kind, second.cell_kind)
    assert np.array_equal(first.pin_net, second.pin_net)


def test_with_time_to_spare_every_cell_is_the_smallest_of_its_function():
    cells = {"a": ("INV_X16", {"A": 3, "Y": 4}), "b": ("NAND2_X4", {"A": 4, "B": 3, "Y": 5})}
    cells |= {"r": ("DFF_X2", {"CK": 2, "D": 5, "Q": 6}), "c": ("XOR2_X4", {"A": 6, "B": 4, "Y": 7})}
    after = repair(flat(cells, {"clk_i": 2, "a": 3}, {"y": 7}), LIBRARY, AROUND, 100.0)
    assert after.counts() == {"INV_X1": 1, "NAND2_X1": 1, "DFF_X1": 1, "XOR2_X1": 1}


def test_a_flip_flop_is_sized_by_its_load():
    cells = {"r": ("DFF_X1", {"CK": 2, "D": 3, "Q": 4})}
    cells |= {f"u{i}": ("NAND4_X1", {"A": 4, "B": 3, "C": 3, "D": 3, "Y": 5 + i}) for i in range(30)}
    before = flat(cells, {"clk_i": 2, "a": 3}, {"y": list(range(5, 35))})
    after = repair(before, LIBRARY, AROUND)
    assert critical(after) < critical(before)
    assert after.counts().get("DFF_X2", 0) == 1


@pytest.mark.parametrize("sinks", [40, 400, 4000])
def test_a_net_that_is_too_heavy_becomes_a_tree(sinks):
    before = heavy_flop(sinks)
    after = repair(before, LIBRARY, AROUND)
    timing = analyse(after, LIBRARY, AROUND)
    limit = {name: pin.max_load_ff for name, cell in LIBRARY.cells.items() for pin in cell.outputs}
    drivers = after.net_driver_cell
    for net in np.flatnonzero(drivers >= 0).tolist():
        name = after.kinds[after.cell_kind[drivers[net]]]
        assert timing.net_load_ff[net] <= limit[name] * (1 + 1e-9), (name, net)
    assert timing.net_slew_rise_ns.max() <= LIBRARY.default_max_slew_ns
    # A tree's delay grows with the logarithm of the sinks, that of a single driver with their number.
    assert timing.critical_ns < 0.25 + 0.06 * np.log2(sinks)
    assert critical(before) > timing.critical_ns
    assert after.cells - before.cells < sinks


def test_a_critical_sink_is_shielded_from_the_others():
    # One sink of a flip-flop is the start of a long chain; eighty others end at once.
    cells = {"r": ("DFF_X1", {"CK": 2, "D": 3, "Q": 4})}
    for k in range(12):
        cells[f"c{k}"] = "XOR2_X1", {"A": 4 + k, "B": 3, "Y": 5 + k}
    cells |= {f"f{k}": ("NAND2_X1", {"A": 4, "B": 3, "Y": 20 + k}) for k in range(80)}
    before = flat(cells, {"clk_i": 2, "a": 3}, {"y": 16, "z": list(range(20, 100))})
    after = repair(before, LIBRARY, AROUND)
    assert critical(after) < 0.85 * critical(before)
    root = int(after.pin_net[after.pin_start[0] + 2])
    first = after.kind_pins[after.cell_kind[1]].index("A")
    assert after.pin_net[after.pin_start[1] + first] == root
    others = after.pin_net[after.pin_start[13:93]]
    assert np.count_nonzero(others != root) > 60


def test_ports_and_constants_are_left_alone_and_clocks_get_no_buffer():
    cells = {f"r{k}": ("DFF_X1", {"CK": 2, "D": 3, "Q": 4 + k}) for k in range(300)}
    before = flat(cells, {"clk_i": 2, "d": 3}, {"q": list(range(4, 304))})
    after = repair(before, LIBRARY, AROUND)
    assert after.cells == before.cells
    assert {name: nets.tolist() for name, nets in after.inputs.items()} == {
        name: nets.tolist() for name, nets in before.inputs.items()
    }


def test_nothing_to_do():
    empty = flat({}, {"a": 2}, {"y": 2})
    assert repair(empty, LIBRARY, AROUND).cells == 0


def test_drives_above_their_limits_are_replaced_where_time_is_no_matter():
    # 25 gates of 4 pins are more than 64 fF, which is all that the smallest NOR may drive.
    cells = {"n": ("NOR2_X1", {"A": 2, "B": 3, "Y": 4})}
    cells |= {f"u{k}": ("NAND4_X1", {"A": 4, "B": 4, "C": 2, "D": 3, "Y": 5 + k}) for k in range(25)}
    before = flat(cells, {"a": 2, "b": 3}, {"y": list(range(5, 30))})
    assert analyse(before, LIBRARY, AROUND).net_load_ff.max() > LIBRARY.cells["NOR2_X1"].pins["Y"].max_load_ff
    after = repair(before, LIBRARY, AROUND, 50.0)
    assert after.counts().get("NOR2_X1", 0) == 0
    assert after.cells == before.cells
    assert table(after) == table(before)


def test_states_follow_changes_as_a_full_analysis_finds_them():
    state = State(random_logic(1), LIBRARY, AROUND)
    for _ in range(4):
        times = state.times()
        full = analyse(state.netlist(), LIBRARY, AROUND)
        assert times.critical_ns == pytest.approx(full.critical_ns, rel=1e-12)
        live = np.isfinite(times.slew[:, 0])
        assert times.slew[live, 0] == pytest.approx(full.net_slew_rise_ns[live], rel=1e-12)
        assert state.load.mean(axis=1) == pytest.approx(full.net_load_ff, rel=1e-12)
        state.speed_up(times, state.slopes(times, 0.02, 0.1), 0.1, 0.02, 0.0)


def test_slopes_are_those_of_finite_differences():
    """The derivative of the longest path by a net's load, with a spread so small that no other path counts."""
    state = State(random_logic(1), LIBRARY, AROUND)
    times = state.times()
    dear = state.slopes(times, 1e-5, 10.0).dear
    step, seen = 1e-3, 0
    for net in np.flatnonzero(dear.max(axis=1) > 0).tolist():
        for edge in range(2):
            saved = state.save()
            state.load[net, edge] += step
            found = (state.times().critical_ns - times.critical_ns) / step
            state.restore(saved)
            # 3e-6: of two arcs that give a net the same slew both count.
            assert found == pytest.approx(dear[net, edge], rel=1e-2, abs=3e-6), (net, edge)
            seen += found > 1e-4
    assert seen > 15


def test_a_mapped_multiply_accumulator_still_agrees_with_its_golden_model():
    unit, parameters = block("mac_unit"), {"Width": 4, "AccWidth": 16, "Multiplier": 1, "CarrySave": 0, "Pipeline": 1}
    tech = technology("generic45")
    mapped = synthesise(Design.of(unit, parameters), target(tech.library, tech.driver, tech.load_ff), clock_ns=1.0)
    before = flatten(read_yosys_json(mapped.netlist), mapped.top, LIBRARY)
    after = repair(before, LIBRARY, AROUND)
    assert critical(after) < critical(before)
    assert check(unit, parameters, after, LIBRARY) is None
