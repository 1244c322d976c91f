"""The comparison of power with OpenSTA: constants as ports, errors of a row."""

from __future__ import annotations

import numpy as np
import pytest
from hand_cells import library, net_named, netlist
from power_case import CONSTRAINTS, activity, states

from archgym.rtl.block import Port
from archgym.rtl.flow import compare_power, opensta_power
from archgym.rtl.flow.gatesim import build_model, run_rows
from archgym.rtl.tech.technology import technology

L_MUL = {"ExpWidth": 4, "ManWidth": 3}


def test_constants_become_ports_that_never_change():
    cells = [
        ("HI", {"Y": "one"}),
        ("NAND2", {"A": "a", "B": "one", "Y": "x"}),
        ("NAND2", {"A": "x", "B": "1", "Y": "y"}),
        ("XOR2", {"A": "y", "B": "0", "Y": "z"}),
    ]
    nets = netlist({"a": ["a"]}, {"z": ["z"]}, cells)
    ports, rows = (Port("a", "in", 1), Port("z", "out", 1)), [{"a": np.array([0, 1, 1, 0])}]
    run = run_rows(build_model(nets, library()), ports, rows)
    plain, activity = opensta_power.untied(nets, library(), run.activity)
    tie0, tie1 = (int(plain.inputs[f"tie{level}"][0]) for level in (0, 1))
    sources = [plain.pin_net[plain.pin_start[cell] + 1] for cell in (1, 2, 3)]
    assert sources == [tie1, tie1, tie0]
    assert plain.net_name(tie1) == "tie1"
    assert plain.net_name(net_named(nets, "x")) == "x"
    assert activity.duty[[tie0, tie1]].tolist() == [0.0, 1.0]
    assert activity.rate[[tie0, tie1]].tolist() == [0.0, 0.0]
    with_ports = [{**rows[0], "tie0": np.zeros(4, dtype=np.int64), "tie1": np.ones(4, dtype=np.int64)}]
    more = (*ports, Port("tie0", "in", 1), Port("tie1", "in", 1))
    again = run_rows(build_model(plain, library()), more, with_ports)
    assert again.outputs[0]["z"].tolist() == run.outputs[0]["z"].tolist()
    assert again.activity.toggles[: nets.nets] == pytest.approx(run.activity.toggles)


@pytest.fixture
def recorded(monkeypatch):
    """Stand in for OpenSTA: what `power` gives by its rules, one cell made 2 % larger, internal power only."""

    def answer(netlist, cells, constraints, activity):
        timing = opensta_power.as_opensta(
            compare_power.analyse(netlist, cells, constraints), netlist, cells, constraints
        )
        found = compare_power.power(
            netlist, cells, timing, activity, 1e3 / constraints.clock_ns,
            clock_slew_ns=constraints.clock_slew_ns, opensta=True,
        )  # fmt: skip
        parts = [found.cell_internal_mw, found.cell_switching_mw, found.cell_leakage_mw]
        table = np.stack(parts, axis=1)
        table[int(np.argmax(table[:, 0])), 0] *= 1.02
        return table

    monkeypatch.setattr(compare_power, "cell_powers", answer)


def test_a_row_shows_the_cell_that_differs(recorded):
    row = compare_power.compare(technology("generic45"), "l_mul", L_MUL)
    assert row.cells > 50
    assert 0.001 < row.worst_cell < 0.02
    assert -0.01 < row.rules[0] < -1e-6
    assert row.rules[1:] == pytest.approx((0, 0), abs=1e-12)
    assert row.theirs_mw > row.ours_mw > 0


def test_the_table_has_a_line_for_each_design(recorded, monkeypatch, capsys):
    monkeypatch.setattr(compare_power, "DESIGNS", (("L-Mul FP8", "l_mul", L_MUL),))
    compare_power.main([])
    lines = capsys.readouterr().out.strip().splitlines()
    assert lines[0] == "### generic45"
    assert lines[-1].startswith("| L-Mul FP8 | ")
    assert lines[-1].count("|") == lines[-3].count("|") == lines[-2].count("|")


def test_opensta_is_given_every_activity_and_its_cells_are_read(tmp_path, monkeypatch):
    sta = tmp_path / "sta"
    sta.write_text(
        "#!/bin/sh\n"
        'if [ "$1" = -version ]; then echo 2.5.0; exit; fi\n'
        f"cat run.tcl > {tmp_path}/seen.tcl\n"
        'echo "  1.0e-06  2.0e-06  3.0e-09  3.003e-06 u1"\n'
        'echo "  4.0e-06  5.0e-06  6.0e-09  9.006e-06 u0"\n'
    )
    sta.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    cells = states()
    wires = [("INV", {"A": "a", "Y": "x"}), ("DFF", {"CK": "ck", "D": "x", "Q": "q"})]
    nets = netlist({"clk_i": ["ck"], "a": ["a"]}, {"q": ["q"]}, wires, cells)
    known = activity(nets)
    assert opensta_power.usable()
    found = opensta_power.cell_powers(nets, cells, CONSTRAINTS, known)
    assert found.tolist() == pytest.approx(np.array([[4e-3, 5e-3, 6e-6], [1e-3, 2e-3, 3e-6]]))
    seen = (tmp_path / "seen.tcl").read_text()
    rate, duty = (values[net_named(nets, "x")] for values in (known.rate, known.duty))
    assert f"set_power_activity -pins {{u0/Y}} -activity {rate:.9g} -duty {duty:.9g}" in seen
    assert f"set_power_activity -pins {{u1/D}} -activity {rate:.9g} -duty {duty:.9g}" in seen
    assert "set_power_activity -input_ports {a} " in seen
    assert "u1/CK" not in seen, "the clock is OpenSTA's own"
    assert "set_wire_load_model -name {small}" in seen
