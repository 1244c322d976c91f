"""What a stack and the units in it can do, from the timings of its banks, by hand."""

from __future__ import annotations

import pytest

from archgym.errors import InvalidInput
from archgym.sims.duplex.area import device_area
from archgym.sims.duplex.stack import HBM3
from archgym.sims.duplex.system import System
from archgym.sims.duplex.units import pim_unit, xpu


@pytest.mark.parametrize(("multiple", "banks", "sections"), [(2, 4, 4), (4, 8, 4), (8, 16, 2), (16, 32, 1)])
def test_twice_as_many_banks_as_the_multiple_because_tccd_l_is_twice_tccd_s(multiple, banks, sections):
    assert HBM3.banks_together(multiple) == banks
    assert HBM3.sections(multiple) == sections


@pytest.mark.parametrize("multiple", [0, 3, 32])
def test_multiples_that_need_no_whole_bundles_are_refused(multiple):
    with pytest.raises(InvalidInput, match=r"allowed: powers of two up to 16"):
        HBM3.banks_together(multiple)


def test_row_cycle_of_a_bundle_by_hand():
    # 32 bursts a row, tCCD_L 4; tRCD 19 before the first, tRTP 8 and tRP 19 after the last.
    assert HBM3.row_cycles(4) == (128, 19 + 31 * 4 + 8 + 19)
    # Sixteen banks of a rank at four activates per 39 cycles take 156: still less than the 170 of the row cycle.
    assert HBM3.row_cycles(16) == (128, 170)
    assert HBM3.refresh_share == pytest.approx(1 - 456 / 5070)
    assert HBM3.internal_share(4) == pytest.approx(128 / 170 * (1 - 456 / 5070))


def test_peaks_and_ridges_of_the_paper():
    duplex, bank = System(memory="peak"), System(pim="bank", pim_bandwidth=16, pim_op_per_byte=1, memory="peak")
    assert duplex.pim_flops_per_s / duplex.stacks == pytest.approx(21.3e12, rel=0.01)
    assert duplex.pim_bytes_per_s == pytest.approx(4 * 3.352e12)
    assert bank.pim_bytes_per_s == pytest.approx(16 * 3.352e12)
    assert duplex.xpu_bytes_per_s == pytest.approx(3.352e12)
    assert duplex.ridge_op_per_byte == (pytest.approx(295, abs=0.5), 8)
    assert bank.ridge_op_per_byte[1] == 1
    assert System(pim="none").ridge_op_per_byte[1] == 0
    assert duplex.capacity_bytes == 80 * 2**30


def test_a_byte_costs_less_the_nearer_to_the_cell_it_is_used():
    pins = System().xpu_pj_per_byte
    logic, group, bank = (System(pim=name).pim_pj_per_byte for name in ("logic", "bank-group", "bank"))
    assert bank < group < pins
    assert bank < logic < group
    # 3.48 and 1.81 pJ per bit plus 909 pJ per opened row of 1 KB.
    assert pins == pytest.approx(3.48 * 8 + 909 / 1024, rel=1e-3)
    assert logic == pytest.approx(1.81 * 8 + 909 / 1024, rel=2e-3)


def test_area_of_the_paper_per_stack():
    added = device_area(System()).pim_mm2 / 5
    assert added == pytest.approx(17.80, abs=0.05)
    assert added / 121 == pytest.approx(0.1471, abs=0.0005)
    bank = device_area(System(pim="bank", pim_bandwidth=16, pim_op_per_byte=1)).pim_mm2 / 5
    assert 0.20 < bank / (8 * 121) < 0.27
    assert device_area(System(pim="none")).pim_mm2 == 0
    area = device_area(System())
    assert area.total_mm2 == pytest.approx(814 + 5 * 9 * 121 + 5 * added)


def test_units_larger_than_their_dies_are_refused_with_both_areas():
    with pytest.raises(InvalidInput, match=r"bank units of 16x bandwidth and 8 Op/B need 1821 mm2 .* have 968 mm2"):
        device_area(System(pim="bank", pim_bandwidth=16, pim_op_per_byte=8))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"devices": 0}, "devices=0"),
        ({"devices": 12}, "multiples of 8"),
        ({"stacks": 2.5}, "stacks=2.5"),
        ({"max_batch": True}, "max_batch=True"),
        ({"prefill_tokens_per_stage": -1}, "whole numbers from 1"),
        ({"pim_op_per_byte": 0}, "above 0"),
        ({"link_gb_per_s": -3}, "above 0"),
        ({"pim_bandwidth": 3}, "powers of two"),
        ({"pim": "logik"}, "did you mean 'logic'"),
        ({"xpu": "h200"}, "unknown xpu 'h200'"),
        ({"stage_policy": "mixd"}, "did you mean 'mixed'"),
        ({"memory": "ideal"}, "allowed: peak, timings"),
    ],
)
def test_wrong_systems_are_refused_with_what_is_allowed(wrong, message):
    with pytest.raises(InvalidInput, match=message):
        System(**wrong)


def test_unknown_processors_are_named_with_the_known():
    with pytest.raises(InvalidInput, match=r"unknown xPU 'h1'.*allowed: a100, h100"):
        xpu("h1")
    with pytest.raises(InvalidInput, match=r"unknown PIM unit 'none'; .*bank, bank-group, logic"):
        pim_unit("none")


def test_nodes_of_eight():
    assert [(System(devices=d).nodes, System(devices=d).tensor) for d in (1, 4, 8, 16, 32)] == [
        (1, 1), (1, 4), (1, 8), (2, 8), (4, 8),
    ]  # fmt: skip
