"""The command behind the tables of multiply-accumulate units."""

from __future__ import annotations

import pytest

from archgym.rtl.flow import compare_macs
from archgym.rtl.flow.measure import measure_one
from archgym.rtl.flow.point import Point
from archgym.rtl.library import block
from archgym.rtl.tech.technology import technology


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    for table, kept in (("_ELEMENTS", "OPT1, Booth at the edge"), ("_UNITS", "MAC Booth edge")):
        monkeypatch.setattr(compare_macs, table, {kept: getattr(compare_macs, table)[kept]})


def test_elements_are_smaller_and_faster_than_the_units_around_them(capsys):
    compare_macs.main(["elements"])
    head, rule, row = capsys.readouterr().out.splitlines()
    assert (head, rule) == ("| elements | generic45: ns | um2 |", "|---|--:|--:|")
    delay_ns, area_um2 = (float(each.replace(",", "")) for each in row.split("|")[2:4])
    unit = {"Width": 8, "AccWidth": 32, "Multiplier": 2, "CarrySave": 1, "Pipeline": 0}
    whole = measure_one(Point(block("mac_unit"), unit)).metrics
    assert 0 < delay_ns < whole["critical_path_ns"]
    # Two registers of 32 bits are the least that a carry-save accumulator has.
    flop_um2 = min(cell.area_um2 for cell in technology().library.cells.values() if cell.flop is not None)
    assert 64 * flop_um2 < area_um2 < whole["area_um2"]


def test_units_compute_a_product_a_cycle(capsys):
    compare_macs.main(["units", "generic45", "generic45"])
    head, _rule, row = capsys.readouterr().out.splitlines()
    assert head.count("generic45: um2") == 2
    cells = [each.strip() for each in row.strip("|").split("|")]
    assert cells[1:6] == cells[6:11]
    assert (cells[0], cells[3]) == ("MAC Booth edge", "1")
