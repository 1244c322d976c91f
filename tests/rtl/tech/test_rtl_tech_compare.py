"""Cells of technologies beside each other: found by function, measured in each one's own units."""

from __future__ import annotations

import numpy as np
import pytest

from archgym.rtl.tech.compare import FUNCTIONS, compare, fanout_of_four, markdown, matching, value_at
from archgym.rtl.tech.liberty import Table
from archgym.rtl.tech.technology import technology


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setenv("ARCHGYM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def test_cells_are_found_by_their_functions():
    library = technology().library
    for kind, functions in FUNCTIONS.items():
        cell = matching(library, functions)
        assert cell is not None
        assert cell.name == f"{kind}_X1"
    assert matching(library, ("A&!B",)) is None


def test_values_are_bilinear_and_held_at_the_borders():
    table = Table(np.array([0.0, 1.0]), np.array([0.0, 10.0]), np.array([[0.0, 10.0], [2.0, 12.0]]))
    assert value_at(table, 0.5, 5.0) == pytest.approx(6.0)
    assert value_at(table, 5.0, 50.0) == pytest.approx(12.0)


def test_a_technology_is_measured_in_its_own_units():
    found = technology()
    rows = compare(found)
    assert set(rows) == {*FUNCTIONS, "DFF"}
    assert rows["NAND2"].area == 1
    assert rows["INV"].pin == 1
    assert rows["INV"].delay == pytest.approx(1, rel=0.05)  # its slower edge over the mean of both
    delay, slew = fanout_of_four(found)
    assert 0.5 * slew < delay < 2 * slew
    assert rows["DFF"].clock is not None
    lines = markdown(["generic45"]).splitlines()
    assert lines[0] == "| | generic45 |"
    assert f"| area FA | {rows['FA'].area:.2f} |" in lines
