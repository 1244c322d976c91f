"""PIM devices: the published one in numbers, changes that follow through, and what is refused."""

from __future__ import annotations

import pytest

from archgym.errors import InvalidInput, UnknownName
from archgym.sims.dram import engine
from archgym.sims.pim.device import PIM_DEVICES, PimDevice, pim_device


def test_the_published_device():
    pim = pim_device()
    assert (pim.channels, pim.banks, pim.page_elements, pim.comps_per_page) == (32, 32, 512, 32)
    assert pim.device.access_bytes == 64
    assert pim.device.row_bytes == 1024
    assert pim.capacity_bytes == 32 << 30
    assert pim.external_bytes_per_s == pytest.approx(1.024e12)
    assert pim.peak_flops_per_s == pytest.approx(2 * 16 * 32 * 32 / 2e-9)
    assert pim.gwrite_cycles == 96
    assert pim.comp_cycles == 2


def test_its_memory_side_reaches_its_bandwidth():
    """The DRAM simulator itself runs on it: sequential reads use nearly all of 32 GB/s."""
    stats = engine.simulate_one(
        pim_device().device,
        {"AddressMapping": "RoRaBaBgCoCh", "RequestBufferSize": 64, "SchedulerBuffer": "Shared"},
        "stream:n=4000,read=1.0,gap=0",
        ranks=2,
    )
    assert 0.85 * 32 < stats.metrics["bandwidth_gbps"] <= 32


def test_changes_follow_through():
    changed = pim_device(page_bytes=2048, timing={"nRP": 20})
    assert changed.device.row_bytes == 2048
    assert changed.device.rows == 16384  # the same capacity
    assert changed.capacity_bytes == pim_device().capacity_bytes
    assert changed.device.timing["nRC"] == 34 + 20
    assert changed.device.timing["nRPAB"] == 20
    assert pim_device(timing={"nRP": 20, "nRC": 60}).device.timing["nRC"] == 60
    assert pim_device(banks_per_group=8).device.rows == 16384
    assert pim_device(rows=100).device.rows == 100
    assert {name: device.row_buffers for name, device in PIM_DEVICES.items()}["newton-hbm2"] == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ranks": 0}, "ranks=0"),
        ({"multipliers_per_bank": 1.5}, "multipliers_per_bank=1.5"),
        ({"channels": True}, "channels=True"),
        ({"row_buffers": 3}, "allowed: 1, 2"),
        ({"pipeline_fill": -1}, "pipeline_fill=-1"),
        ({"row_held_by": "result"}, "row_held_by=result with command set composite; allowed: compute, issue"),
        ({"command_set": "newton", "row_held_by": "issue"}, "with command set newton; allowed: compute, result"),
        ({"banks_per_activation": 3}, "does not divide the 16 banks"),
        ({"bankgroups": 2, "banks_per_group": 9, "banks_per_activation": 6}, "no part or multiple of the 9 banks"),
        ({"element_bytes": 3}, "no whole elements of 3"),
        ({"page_bytes": 100}, "multiples of 64"),
        ({"page_bytes": 0}, "page_bytes=0"),
        ({"banks_per_group": 1 << 20}, "leaves no row per bank"),
        ({"timing": {"nRP": 0}}, "timing parameter nRP=0"),
    ],
)
def test_wrong_sizes_are_refused(changes, message):
    with pytest.raises(InvalidInput, match=message):
        pim_device(**changes)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pim_device("neupims-hbm"), "did you mean 'neupims-hbm2'"),
        (lambda: pim_device(row_bufers=2), "did you mean 'row_buffers'"),
        (lambda: pim_device(timing={"nRPP": 1}), "unknown timing parameter 'nRPP'"),
        (lambda: pim_device(command_set="newtone"), "did you mean 'newton'"),
        (lambda: pim_device(precharge="banks"), "did you mean 'bank'"),
        (lambda: pim_device(row_held_by="isue"), "did you mean 'issue'"),
    ],
)
def test_wrong_names_are_refused_with_the_nearest(call, message):
    with pytest.raises(UnknownName, match=message):
        call()


def test_a_device_is_a_value():
    assert pim_device() == PimDevice(pim_device().device)
    assert pim_device(ranks=1) != pim_device()
