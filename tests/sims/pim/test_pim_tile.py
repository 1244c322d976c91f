"""The time of a tile from the timings: the paper's numbers, other devices by hand, the channel command by command."""

from __future__ import annotations

import numpy as np
import pytest

from archgym.errors import InvalidInput
from archgym.sims.pim.channel import Controller, gwrite, program, simulate, tile
from archgym.sims.pim.device import PIM_DEVICES, pim_device
from archgym.sims.pim.gemv import gwrite_period, scheduled_constants
from archgym.sims.pim.tile import cold_tile, header_estimate, readout_cycles, tile_period

ALONE = Controller(refresh="none")


def test_a_cold_tile_takes_168_cycles_and_184_with_precharge_and_issue():
    """NeuPIMs: 3 x tFAW + tRCD + 32 COMPs of two cycles; before it tRP, and two commands wait for the bus."""
    found = cold_tile(pim_device())
    assert (found.activate, found.row_to_column, found.compute) == (3 * 30, 14, 32 * 2)
    assert found.kernel == 168
    assert (found.precharge, found.issue) == (14, 2)
    assert found.cycles == 184
    assert pim_device().tile_bytes == 32 * 1024
    assert scheduled_constants(pim_device()) == (100, 184)


@pytest.mark.parametrize(
    ("changes", "kernel"),
    [
        ({"multipliers_per_bank": 8}, 90 + 14 + 128),
        ({"multipliers_per_bank": 64}, 90 + 14 + 16),
        ({"multipliers_per_bank": 512}, 90 + 14 + 12),  # one COMP, but the pipeline takes six to fill
        ({"page_bytes": 2048}, 90 + 14 + 128),
        ({"banks_per_activation": 8}, 60 + 14 + 64),  # one gap of two windows
        ({"banks_per_activation": 16}, 0 + 14 + 64),
        ({"banks_per_activation": 2}, 90 + 4 + 14 + 64),  # pairs in two bank groups, tRRD_S apart, then a window
        ({"bankgroups": 2}, 30 + 14 + 64),
        ({"ranks": 1}, 90 + 14 + 64),
        ({"timing": {"nFAW": 16}}, 48 + 14 + 64),
        ({"timing": {"nRCDRD": 20}}, 90 + 20 + 64),
    ],
)
def test_a_cold_tile_follows_the_device(changes, kernel):
    assert cold_tile(pim_device(**changes)).kernel == kernel


@pytest.mark.parametrize(
    ("comps", "readouts", "activations", "precharges", "cycles"),
    [
        (32, 1, 8, 0, 168),
        (32, 4, 8, 32, 5 * 32 + 90 + 14 + 64 + 2 * 3),  # 334: the authors' estimate of a tile of keys
        (32, 1, 8, 32, 5 * 32 + 168),
        (20, 1, 8, 0, 168),  # the header has room for powers of two
        (3, 1, 0, 0, 2 * 6),  # rows open already; the pipeline must fill
        (8, 1, 2, 0, 14 + 16),
    ],
)
def test_the_header_announces_what_the_authors_estimate(comps, readouts, activations, precharges, cycles):
    assert header_estimate(pim_device(), comps, readouts, activations, precharges) == cycles


def test_tiles_of_the_authors_follow_each_other_as_in_their_traces():
    """From command traces of their program: keys with four heads in a row, and values."""
    code = pim_device("neupims-hbm2-code")
    assert tile_period(code, 32, 1) == 143
    assert tile_period(code, 8, 4) == 143 + 3 * 18
    code = pim_device("newton-hbm2-code")
    assert tile_period(code, 32, 1) == 207
    assert tile_period(code, 8, 4) == 213


def measured_period(pim, comps, readouts):
    run = simulate(pim, program([tile(row, comps, readouts) for row in range(1, 12)]), controller=ALONE)
    ends = run.item_times[:, 1]
    return (ends[-1] - ends[5]) / 5


@pytest.mark.parametrize("name", sorted(PIM_DEVICES))
def test_the_closed_form_is_the_channel_command_by_command(name):
    pim = pim_device(name)
    for comps, readouts in ((32, 1), (8, 4), (17, 1), (6, 1), (4, 1), (1, 1), (3, 2), (1, 8)):
        assert measured_period(pim, comps, readouts) == tile_period(pim, comps, readouts), (comps, readouts)


@pytest.mark.parametrize("name", ["neupims-hbm2", "newton-hbm2"])
@pytest.mark.parametrize(
    "changes",
    [
        {"banks_per_activation": 1}, {"banks_per_activation": 2}, {"banks_per_activation": 8},
        {"banks_per_activation": 16}, {"ranks": 1}, {"ranks": 4}, {"page_bytes": 512}, {"page_bytes": 2048},
        {"bankgroups": 2}, {"banks_per_group": 8}, {"timing": {"nFAW": 16}}, {"timing": {"nRP": 20, "nRTP": 9}},
        {"timing": {"nRAS": 90}}, {"multipliers_per_bank": 64}, {"pipeline_fill": 0},
    ],
    ids=str,
)  # fmt: skip
def test_the_closed_form_holds_for_other_devices(name, changes):
    pim = pim_device(name, **changes)
    for comps, readouts in ((pim.comps_per_page, 1), (2, 4), (1, 1)):
        assert measured_period(pim, comps, readouts) == tile_period(pim, comps, readouts), (comps, readouts)


@pytest.mark.parametrize("changes", [{}, {"page_bytes": 2048}, {"timing": {"nFAW": 16}}, {"multipliers_per_bank": 8}])
@pytest.mark.parametrize("name", sorted(PIM_DEVICES))
def test_a_gwrite_adds_its_period(name, changes):
    pim = pim_device(name, **changes)
    items = program([item for row in range(1, 9) for item in (gwrite(0), tile(row))])
    ends = simulate(pim, items, controller=ALONE).item_times[1::2, 1]
    assert ends[-1] - ends[-2] == tile_period(pim) + gwrite_period(pim)


def test_an_overlapped_gwrite_hides_behind_the_next_activates():
    pim = pim_device(overlap_gwrite=True)
    items = program([item for row in range(1, 9) for item in (gwrite(0), tile(row))])
    ends = simulate(pim, items, controller=ALONE).item_times[1::2, 1]
    assert gwrite_period(pim) == 0
    assert tile_period(pim) <= ends[-1] - ends[-2] <= tile_period(pim) + 2


def test_more_multipliers_larger_windows_and_second_buffers_never_slow_a_tile():
    periods = [int(tile_period(pim_device(multipliers_per_bank=n))) for n in (1, 2, 4, 8, 16, 32, 64, 512)]
    assert periods == sorted(periods, reverse=True)
    windows = [int(tile_period(pim_device(timing={"nFAW": n}))) for n in (8, 16, 24, 30, 40, 64)]
    assert windows == sorted(windows)
    for comps, readouts in ((32, 1), (8, 4), (1, 1)):
        dual, single = (pim_device(n, command_set="composite") for n in ("neupims-hbm2", "newton-hbm2"))
        assert tile_period(dual, comps, readouts) <= tile_period(single, comps, readouts)


def test_arrays_broadcast():
    pim = pim_device()
    found = tile_period(pim, np.array([8, 16, 32]), np.array([[1], [2]]))
    assert found.shape == (2, 3)
    assert found[1, 2] == tile_period(pim, 32, 2)
    assert readout_cycles(pim, [1, 6, 7]).tolist() == [14, 14, 16]


@pytest.mark.parametrize(("comps", "readouts"), [(0, 1), (1, 0), ([4, -1], 1)])
def test_a_tile_without_work_is_refused(comps, readouts):
    with pytest.raises(InvalidInput, match="at least one COMP"):
        tile_period(pim_device(), comps, readouts)
