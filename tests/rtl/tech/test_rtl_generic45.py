"""The embedded technology: the file is what its derivation gives, and its physics holds together."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from archgym.rtl import tech
from archgym.rtl.tech.function import truth_table
from archgym.rtl.tech.generic45.cells import combinational
from archgym.rtl.tech.generic45.flops import flops
from archgym.rtl.tech.generic45.geometry import hanging_ff
from archgym.rtl.tech.generic45.leakage import _stack_na
from archgym.rtl.tech.generic45.process import NMOS, PMOS, VDD_V
from archgym.rtl.tech.generic45.stage import current, response, stack_penalty
from archgym.rtl.tech.generic45.timing import evaluate
from archgym.rtl.tech.generic45.topology import Parallel, Series, dual, width
from archgym.rtl.tech.generic45.wires import average_gate_pitches
from archgym.rtl.tech.generic45.write import liberty
from archgym.rtl.tech.liberty import Cell, Table, read_liberty
from archgym.rtl.tech.technology import technology

FILE = Path(tech.__file__).parent / "generic45.lib"


@pytest.fixture(scope="module")
def library():
    return read_liberty(FILE, cache=False)


def test_the_file_is_what_the_derivation_gives(tmp_path):
    fresh = tmp_path / "fresh.lib"
    fresh.write_text(liberty())
    old, new = read_liberty(FILE, cache=False), read_liberty(fresh, cache=False)
    assert list(old.cells) == list(new.cells)
    for name, cell in old.cells.items():
        other = new.cells[name]
        assert (cell.area_um2, cell.pins, cell.flop) == (other.area_um2, other.pins, other.flop), name
        assert_allclose(cell.leakage_nw, other.leakage_nw, rtol=1e-3)
        for arc, again in zip((*cell.arcs, *cell.power), (*other.arcs, *other.power), strict=True):
            for key, table in vars(arc).items():
                if isinstance(table, Table):
                    # Platforms' mathematical libraries differ in the last bits.
                    assert_allclose(table.values, vars(again)[key].values, rtol=1e-3, atol=1e-5, err_msg=name)
                else:
                    assert table == vars(again)[key], name


def test_it_has_what_designs_need(library):
    found = technology("generic45")
    assert found.nand2 == "NAND2_X1"
    assert found.inverter == "INV_X1"
    assert found.library.voltage_v == 1.1
    assert found.library.default_wire_load == "local"
    names = set(library.cells)
    for family in ("INV", "BUF", "NAND2", "NAND3", "NAND4", "NOR2", "NOR3", "NOR4", "AND2", "OR4", "AOI21", "OAI221"):
        assert {f"{family}_X1", f"{family}_X2"} <= names
    assert {"XOR2_X1", "XNOR2_X4", "MUX2_X1", "HA_X1", "FA_X1", "DFF_X1", "DFFR_X1", "DFFS_X1", "TIEHI_X1"} <= names


@pytest.mark.parametrize("plan", combinational(), ids=lambda plan: plan.name)
def test_stages_compute_the_function_that_the_file_states(plan, library):
    for bits in product((False, True), repeat=len(plan.inputs)):
        values = evaluate(plan, dict(zip(plan.inputs, bits, strict=True)))
        row = sum(bit << index for index, bit in enumerate(bits))
        for output in plan.outputs:
            function = library.cells[plan.name].pins[output].function
            assert values[output] == truth_table(function, plan.inputs) >> row & 1, (plan.name, bits)


@pytest.mark.parametrize("plan", combinational(), ids=lambda plan: plan.name)
def test_arcs_have_the_senses_of_the_function(plan, library):
    cell = library.cells[plan.name]
    for output, pin in product(plan.outputs, plan.inputs):
        names = (pin, *(name for name in plan.inputs if name != pin))
        table = truth_table(cell.pins[output].function, names)
        low = [table >> row & 1 for row in range(0, 1 << len(names), 2)]
        high = [table >> row & 1 for row in range(1, 1 << len(names), 2)]
        arcs = [arc for arc in cell.arcs if (arc.pin, arc.related) == (output, pin)]
        wanted = {
            "positive": [after > before for before, after in zip(low, high, strict=True)],
            "negative": [after < before for before, after in zip(low, high, strict=True)],
        }
        assert {arc.sense for arc in arcs} == {sense for sense, rows in wanted.items() if any(rows)}
        for arc in arcs:
            if arc.when:
                when = truth_table(arc.when, names[1:])
                assert [bool(when >> row & 1) for row in range(len(low))] == wanted[arc.sense]


def tables(cell: Cell, *, slews: bool = False) -> list[Table]:
    kinds = ("combinational", "rising_edge")
    arcs = [arc for arc in cell.arcs if arc.kind in kinds]
    found = [table for arc in arcs for table in ((arc.rise_slew, arc.fall_slew) if slews else (arc.rise, arc.fall))]
    return [table for table in found if table is not None]


def test_delays_and_slews_grow_with_the_load(library):
    for cell in library.cells.values():
        for table in (*tables(cell), *tables(cell, slews=True)):
            assert (np.diff(table.values, axis=1) > 0).all(), cell.name
        for table in tables(cell, slews=True):
            assert (table.values > 0).all(), cell.name


def test_wider_cells_drive_more(library):
    for name, cell in library.cells.items():
        if not name.endswith("_X1") or f"{name[:-1]}2" not in library.cells or name.startswith("TIE"):
            continue
        double = library.cells[f"{name[:-1]}2"]
        assert cell.area_um2 < double.area_um2 < 2 * cell.area_um2
        for one, two in zip(tables(cell), tables(double), strict=True):
            load = 30.0
            slow = np.interp(load, one.index_2, one.values[2])
            assert np.interp(load, two.index_2, two.values[2]) < slow, name


def test_sizes_and_delays_are_of_the_node(library):
    cells = library.cells
    inverter = cells["INV_X1"]
    load = 4 * inverter.pins["A"].capacitance_ff
    (arc,) = inverter.arcs
    slew = 0.02
    for _ in range(20):  # a chain settles
        slew = np.mean([at(table, slew, load) for table in (arc.rise_slew, arc.fall_slew)])
    fanout_of_four = np.mean([at(table, slew, load) for table in (arc.rise, arc.fall)])
    assert 0.013 < fanout_of_four < 0.025  # ns; published 45 nm inverters: 13 to 25 ps
    area = {name: cell.area_um2 / cells["NAND2_X1"].area_um2 for name, cell in cells.items()}
    assert 0.7 < cells["NAND2_X1"].area_um2 < 1.1
    # Bounds are the extremes of sky130, sg13g2, ASAP7 and the like, see VALIDATION.md.
    assert 4.5 < area["DFF_X1"] < 6.0
    assert 3.5 <= area["FA_X1"] < 6.0
    assert 1.8 < area["XOR2_X1"] < 2.5
    (clock,) = [arc for arc in cells["DFF_X1"].arcs if arc.kind == "rising_edge"]
    assert 2.5 < max(at(clock.rise, slew, load), at(clock.fall, slew, load)) / fanout_of_four < 5.5


def at(table: Table, slew: float, load: float) -> float:
    rows = [np.interp(load, table.index_2, row) for row in table.values]
    return float(np.interp(slew, table.index_1, rows))


def test_setup_and_hold_leave_a_window(library):
    for flop in flops():
        arcs = {arc.kind: arc for arc in library.cells[flop.name].arcs}
        for setup, hold in (
            (arcs["setup_rising"].rise, arcs["hold_rising"].rise),
            (arcs["setup_rising"].fall, arcs["hold_rising"].fall),
        ):
            assert (setup.values + hold.values > 0).all()  # D must be stable for some time
            assert setup.values[1, 1] > 0
            assert (np.diff(setup.values, axis=1) > 0).all()  # the slower D is, the earlier it must come


def test_energies_are_positive_and_near_the_charge_moved(library):
    for name, cell in library.cells.items():
        for arc in cell.power:
            for table in (arc.rise, arc.fall):
                assert (table.values > 0).all(), name
    (arc,) = library.cells["INV_X1"].power
    # A fast edge into a heavy load: hardly any short-circuit current, the own capacitance remains (1.5 to 3 fF).
    assert 1.5 < arc.rise.values[0, -1] / (VDD_V**2 / 2) < 3.0


def test_leakage_falls_where_transistors_are_stacked(library):
    one, two, three = (_stack_na(NMOS, count) for count in (1, 2, 3))
    assert one == pytest.approx(NMOS.off_na, rel=1e-6)
    assert 0.02 < two / one < 0.3  # a factor of 3 to 50, mostly by drain-induced barrier lowering
    assert three < two
    nand, nor = (dict(library.cells[name].leakage_when) for name in ("NAND2_X1", "NOR2_X1"))
    assert nand["(!A&!B)"] < min(nand["(A&!B)"], nand["(!A&B)"])
    assert nor["(A&B)"] < min(nor["(A&!B)"], nor["(!A&B)"])
    assert library.cells["NAND2_X1"].leakage_nw == pytest.approx(np.mean(list(nand.values())), rel=1e-3)


def test_a_step_into_a_capacitor_takes_the_current_integral():
    """Without opposing current the time to half the supply is the integral of C dV / I, done here by quadrature."""
    for falling, device in ((True, NMOS), (False, PMOS)):
        volts = np.linspace(VDD_V / 2, VDD_V, 20001)
        wanted = np.trapezoid(1 / current(device, np.full(volts.shape, VDD_V), volts), volts)  # ns um/fF
        delay, slew, lost = response(falling=falling).at(np.array([1e-5]), np.array([10.0]), 0.0)
        assert_allclose(delay, 10 * wanted, rtol=0.01)
        volts = np.linspace(0.2 * VDD_V, 0.8 * VDD_V, 20001)
        wanted = np.trapezoid(1 / current(device, np.full(volts.shape, VDD_V), volts), volts)
        assert_allclose(slew, 10 * wanted, rtol=0.01)
        assert_allclose(lost, 0.0)


def test_transistors_carry_their_published_currents():
    # FreePDK45 1.4, VTG: 1158 and 784 uA/um at 1.1 V by its own model cards; the law is fitted within some per cent.
    full = np.array(VDD_V)
    assert float(current(NMOS, full, full)) == pytest.approx(1158, rel=0.05)
    assert float(current(PMOS, full, full)) == pytest.approx(784, rel=0.05)
    assert current(NMOS, np.array(0.0), full) < 1e-3 * current(NMOS, full, full)


def test_series_transistors_cost_less_than_twice_as_much():
    for falling in (True, False):
        assert 0.4 < stack_penalty(falling=falling) < 1.0  # 1: no velocity saturation
    tree = Series(("A", Parallel(("B", "C"))))
    assert dual(tree) == Parallel(("A", Series(("B", "C"))))
    on = {"A": True, "B": True, "C": False}
    assert width(tree, on, 0.5) == pytest.approx(1 / 1.5)
    assert width(tree, {**on, "C": True}, 0.5) == pytest.approx(1 / 1.25)  # the pair is as wide as two
    assert width(tree, {**on, "A": False}, 0.5) == 0.0


def test_wires_are_a_few_gate_pitches_long():
    assert 2.0 < average_gate_pitches() < 5.0  # Davis, De and Meindl (1998): 10^4 to 10^5 gates at Rent's exponent 0.6


def test_nodes_hang_on_the_output_through_transistors_that_are_on():
    nand = Series(("A", "B"))  # A is next to the output
    node = hanging_ff(nand, {"A": True, "B": False}, "B", 1.0, falling=True)
    assert node > 0  # B went off: the node between follows the output through A
    assert hanging_ff(nand, {"A": False, "B": True}, "A", 1.0, falling=True) == 0
    assert hanging_ff(nand, {"A": True, "B": True}, "B", 1.0, falling=True) == 0  # the way that drives
    aoi = Parallel((nand, "C"))
    assert hanging_ff(aoi, {"A": True, "B": False, "C": True}, "C", 1.0, falling=True) == pytest.approx(node)
    assert hanging_ff(aoi, {"A": True, "B": False, "C": True}, "C", 2.0, falling=True) == pytest.approx(2 * node)
    assert hanging_ff(Series(("A", "B", "C")), {"A": True, "B": True, "C": False}, "C", 1.0, falling=True) == 2 * node
