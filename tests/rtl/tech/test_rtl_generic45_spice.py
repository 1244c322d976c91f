"""The transistor netlists that check the derivation; the simulator is played by a script that answers fixed times."""

from __future__ import annotations

import os
import re

import pytest

from archgym.rtl.tech.compare import value_at
from archgym.rtl.tech.generic45.cells import combinational
from archgym.rtl.tech.generic45.geometry import N_UM, P_UM
from archgym.rtl.tech.generic45.spice import Netlist, deck, errors
from archgym.rtl.tech.technology import technology

PLANS = {plan.name: plan for plan in combinational()}
TRANSISTOR = re.compile(r"m\d+ (\S+) (\S+) (\S+) (\S+) (\S+) l=50n w=(\S+)u")


def transistors(name: str) -> list[tuple[str, ...]]:
    return [match.groups() for line in Netlist(PLANS[name]).lines if (match := TRANSISTOR.match(line))]


@pytest.mark.parametrize(
    ("name", "count"),
    # Transistors of the textbook circuits (Weste and Harris, 4th ed., chapters 1 and 11).
    [
        ("INV_X1", 2),
        ("NAND2_X1", 4),
        ("NAND4_X1", 8),
        ("AOI221_X1", 10),
        ("XOR2_X1", 10),
        ("MUX2_X1", 12),
        ("FA_X1", 28),
    ],
)
def test_cells_have_the_transistors_of_their_circuits(name, count):
    found = transistors(name)
    assert len(found) == count
    assert sum(model == "nmos_vtg" for *_, model, _ in found) == count / 2


def test_networks_are_wired_in_series_and_in_parallel():
    by_gate = {(model, gate): (drain, source) for drain, gate, source, _, model, _ in transistors("NAND2_X1")}
    middle = by_gate["nmos_vtg", "A"][1]
    assert by_gate["nmos_vtg", "A"] == ("Y", middle)
    assert by_gate["nmos_vtg", "B"] == (middle, "0")
    assert by_gate["pmos_vtg", "A"] == by_gate["pmos_vtg", "B"] == ("Y", "vdd")


def test_wide_cells_are_folded():
    found = transistors("INV_X4")
    assert len(found) == 8
    assert sum(float(width) for *_, width in found) == pytest.approx(4 * (N_UM + P_UM), abs=1e-3)
    small = [float(width) for drain, *_, width in transistors("BUF_X1") if drain == "n"]
    assert small == pytest.approx([N_UM / 2, P_UM / 2], abs=1e-4)


def test_errors_are_relative_to_what_the_simulator_says(tmp_path, monkeypatch):
    half, begin, end = 1.05e-9, 1.04e-9, 1.06e-9  # the input is half way at 1 ns + 20 ps / 0.6 / 2
    simulator = tmp_path / "ngspice"
    simulator.write_text(f"#!/bin/sh\nprintf 'half = {half}\\nbegin = {begin}\\nend = {end}\\n'\n")
    simulator.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    found = errors(PLANS["INV_X1"], tmp_path / "models")
    (arc,) = technology().library.cells["INV_X1"].arcs
    delay = half * 1e9 - 1 - 0.02 / 0.6 / 2
    assert [pair[0] for pair in found] == pytest.approx(
        [value_at(arc.rise, 0.02, 8.0) / delay - 1, value_at(arc.fall, 0.02, 8.0) / delay - 1]
    )
    assert found[0][1] == pytest.approx(value_at(arc.rise_slew, 0.02, 8.0) / 0.02 - 1)


def test_the_deck_measures_the_last_transition_between_the_thresholds(tmp_path):
    text = deck(PLANS["XOR2_X1"], tmp_path / "models", "A", {"B": True}, "Y", rises=True)
    assert "vB B 0 1.1" in text
    assert "vA A 0 pwl(0 0.0 1.0n 0.0 1.0333" in text
    assert ".measure tran begin when v(Y)=0.88 fall=last" in text  # A ^ 1 falls
    assert f".include {tmp_path / 'models'}" in text
