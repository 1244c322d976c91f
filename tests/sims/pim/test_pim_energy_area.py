"""Energy per command by hand from NeuPIMs' currents, sums over a run, and area around the published points."""

from __future__ import annotations

import numpy as np
import pytest

from archgym.sims.pim.area import area
from archgym.sims.pim.channel import Controller, gwrite, program, pwrite, simulate, tile
from archgym.sims.pim.device import pim_device
from archgym.sims.pim.energy import COMPONENTS, energies_per_command, energy_pj, gemv_energy_pj, standby_mw
from archgym.sims.pim.gemv import attention
from archgym.sims.pim.mapping import KvLayout

READ = 1.2 * (390 - 55) * 2  # V x mA x ns, one device of 128 bits
WRITE = 1.2 * (500 - 55) * 2
ACTIVATE = 1.2 * (65 * 48 - 55 * 34 - 40 * 14)


def test_energy_per_command():
    """As configuration.cc derives it: a page in bursts, four activates, four reads, 32 results of 16 bits."""
    found = energies_per_command(pim_device())
    assert found["RD"] == pytest.approx(READ)
    assert found["PWRITE"] == pytest.approx(WRITE)
    assert found["G_ACT"] == pytest.approx(4 * ACTIVATE)
    assert found["GWRITE"] == pytest.approx(16 * READ)
    assert found["COMP"] == pytest.approx(4 * READ)
    assert found["READRES"] == pytest.approx(READ)


def test_energy_follows_the_size_of_a_command():
    half = energies_per_command(pim_device(multipliers_per_bank=8))
    assert half["COMP"] == pytest.approx(2 * READ)
    assert energies_per_command(pim_device(page_bytes=2048))["GWRITE"] == pytest.approx(32 * READ)
    for command, base in (("ACT", ACTIVATE), ("G_ACT", 4 * ACTIVATE)):  # twice the cells of a row
        assert energies_per_command(pim_device(page_bytes=2048))[command] == pytest.approx(2 * base)
    assert energies_per_command(pim_device(banks_per_activation=8))["G_ACT"] == pytest.approx(8 * ACTIVATE)
    assert energies_per_command(pim_device(ranks=1))["READRES"] == pytest.approx(READ / 2)


def test_a_run_adds_up():
    i = np.arange(200)
    requests = {"arrival": i * 3, "bank": i // 16, "row": i * 0 + 9, "column": i % 16, "write": i % 2}
    items = program([gwrite(1), tile(2), tile(3), pwrite(3, 0, 0)])
    run = simulate(pim_device(), items, requests, Controller(refresh="all-bank"))
    found = energy_pj(run)
    assert set(found) == set(COMPONENTS)
    assert found["comp"] == pytest.approx(64 * 4 * READ)
    assert found["readres"] == pytest.approx(2 * READ)
    assert found["gwrite"] == pytest.approx(16 * READ)
    assert found["pim_activate"] == pytest.approx(16 * 4 * ACTIVATE)
    assert found["read"] == pytest.approx(100 * READ)
    assert found["write"] == pytest.approx(101 * WRITE)
    assert found["activate"] == pytest.approx(run.counts["ACT"] * ACTIVATE)
    # Two ranks stand by, in one state or the other, for memory and once more for PIM.
    low, high = 2 * run.cycles * 1.2 * 40, 2 * run.cycles * 1.2 * 55
    assert low < found["background"] < high
    assert low < found["pim_background"] < high


def test_one_row_buffer_stands_by_once():
    run = simulate(pim_device("newton-hbm2"), program([tile(2), tile(3)]), controller=Controller(refresh="none"))
    found = energy_pj(run)
    assert found["pim_background"] == 0
    # All banks open from the first activates (0 and 1) to the first precharge, and from the next activates on.
    opened = int(run.open_cycles[0].sum())
    assert found["background"] == pytest.approx(1.2 * (55 * opened + 40 * (2 * run.cycles - opened)))
    assert 0 < opened < 2 * run.cycles


def test_energy_of_attention_is_that_of_its_commands_in_the_channel():
    pim = pim_device()
    layout = KvLayout(pim, 4, 128, 300, first_row=1)
    items = program([*layout.score_items(0), *layout.attend_items(0)])
    run = energy_pj(simulate(pim, items, controller=Controller(refresh="none")))
    for name, value in gemv_energy_pj(pim, attention(pim, 4, 128, [300])).items():
        assert value[0] == pytest.approx(run[name]), name


def test_standby_power():
    assert standby_mw(pim_device()) == pytest.approx(2 * 2 * 1.2 * 55)
    assert standby_mw(pim_device("newton-hbm2"), active=False) == pytest.approx(2 * 1.2 * 40)


def test_area_meets_the_published_points():
    dual, single = area(pim_device()), area(pim_device("newton-hbm2"))
    assert dual.dram_mm2 == pytest.approx(32 * 7.75 * 11.87, rel=1e-4)
    assert dual.row_buffer_mm2 / dual.dram_mm2 == pytest.approx(0.0311)
    assert single.row_buffer_mm2 == 0
    assert 0.20 <= single.overhead <= 0.27
    assert dual.overhead == pytest.approx(single.overhead + 0.0311)
    assert dual.total_mm2 == pytest.approx(dual.dram_mm2 * (1 + dual.overhead))


def test_area_grows_with_what_is_added():
    base = area(pim_device())
    assert area(pim_device(multipliers_per_bank=32)).multipliers_mm2 == pytest.approx(2 * base.multipliers_mm2)
    halved = area(pim_device(page_bytes=512))  # as many banks of as many rows' worth, half as long
    assert halved.row_buffer_mm2 == pytest.approx(base.row_buffer_mm2 / 2)
    assert halved.dram_mm2 == pytest.approx(base.dram_mm2)
    assert area(pim_device(channels=16)).total_mm2 == pytest.approx(base.total_mm2 / 2)
