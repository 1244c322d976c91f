"""The channel: a tile's commands cycle by cycle, policies, refresh, and random programs beside random traffic."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from archgym.errors import InvalidInput, UnknownName
from archgym.sims.dram.checker import RefreshBudget
from archgym.sims.pim.channel import POLICIES, REFRESH, Controller, gwrite, program, pwrite, simulate, tile
from archgym.sims.pim.checker import check, events
from archgym.sims.pim.commands import NAMES
from archgym.sims.pim.device import pim_device
from archgym.sims.pim.layout import ARRIVAL, COMPS, KIND, KIND_GWRITE, KIND_PWRITE, KIND_TILE, READOUTS, ROW

ALONE = Controller(refresh="none")
COMMAND = {"all-bank": "REFAB", "per-bank": "REFPB"}


def lines(run):
    """(cycle, command, bank over the ranks, row, column) of a log."""
    return [
        (int(r[0]), NAMES[r[8]], int(r[3] * 16 + r[4] * 4 + r[5]), int(r[6]), int(r[7])) for r in run.log
    ]  # fmt: skip


def stream(n, gap=2, row=1000, write=0):
    """Reads that go through row after row of bank after bank, as weights do."""
    i = np.arange(n)
    return {"arrival": i * gap, "bank": i // 16 % 32, "row": row + i // 512, "column": i % 16, "write": i * 0 + write}


def test_one_tile_cycle_by_cycle():
    """Header, the ranks' group activates in turn, 14 cycles, 32 COMPs in one command, precharges; then the next."""
    run = simulate(pim_device(), program([tile(5), tile(6)]), controller=ALONE, log=True)
    acts = [(1, 0), (2, 16), (31, 4), (32, 20), (61, 8), (62, 24), (91, 12), (92, 28)]
    expected = [
        (0, "HEADER", 0, 5, 32),
        *((at, "G_ACT", bank, 5, 0) for at, bank in acts),
        (106, "COMPS_READRES", 0, 5, 32),
    ]
    closed = 106 + 31 * 2 + 5  # tRTP after the last COMP
    expected += [(107, "HEADER", 0, 6, 32), (closed, "PIM_PREA", 0, 6, 0), (closed + 1, "PIM_PREA", 16, 6, 0)]
    expected += [(at + closed + 14 - 1, "G_ACT", bank, 6, 0) for at, bank in acts]
    expected += [(106 + 186, "COMPS_READRES", 0, 6, 32)]
    assert lines(run) == expected
    assert run.pim_cycles == 106 + 186 + 64 + 14 + 2  # the result follows 32 COMPs, and arrives RL + burst later


def test_newtons_commands_one_by_one():
    run = simulate(pim_device("newton-hbm2"), program([tile(5, comps=3, readouts=2)]), controller=ALONE, log=True)
    names = [name for _, name, _, _, _ in lines(run)]
    assert names == ["G_ACT"] * 8 + (["COMP"] * 3 + ["READRES"]) * 2
    times = [at for at, name, *_ in lines(run) if name in ("COMP", "READRES")]
    assert [at - times[0] for at in times] == [0, 2, 4, 12, 14, 16, 18, 26]  # a result needs six COMP times


def test_open_rows_are_not_opened_again():
    run = simulate(pim_device(), program([tile(5, 8), tile(5, 8), tile(6, 8)]), controller=ALONE)
    assert run.counts["G_ACT"] == 16
    assert run.counts["PIM_PREA"] == 2


def test_gwrite_opens_its_row_and_holds_the_vector_back():
    run = simulate(pim_device(), program([gwrite(9, bank=18), tile(5)]), controller=ALONE, log=True)
    found = lines(run)
    assert found[:3] == [(0, "ACT", 18, 9, 0), (14, "GWRITE", 18, 9, 0), (14 + 96, "HEADER", 0, 5, 32)]
    run = simulate(pim_device(overlap_gwrite=True), program([gwrite(9, bank=18), tile(5)]), controller=ALONE, log=True)
    assert lines(run)[2][:2] == (15, "HEADER")
    assert lines(run)[-1][:2] == (14 + 96 + 24, "COMPS_READRES")  # activates in the other rank's ACT window come late


def test_pwrite_goes_through_the_pim_row_buffer():
    run = simulate(pim_device(), program([tile(5, 1), pwrite(6, bank=2, column=3)]), controller=ALONE, log=True)
    assert [(name, bank) for _, name, bank, _, _ in lines(run)][-6:] == [
        ("PIM_PRE", 0), ("PIM_PRE", 1), ("PIM_PRE", 2), ("PIM_PRE", 3), ("G_ACT", 0), ("PWRITE", 2),
    ]  # fmt: skip
    assert lines(run)[-1][3:] == (6, 3)
    assert check(run.pim, run.log) == []


def test_a_row_is_open_in_one_buffer_only():
    """Memory reads a row, PIM wants it, memory wants it back."""
    requests = {"arrival": [0, 400], "bank": [3, 3], "row": [5, 5], "column": [0, 1], "write": [0, 0]}
    run = simulate(pim_device(), program([tile(5, arrival=100)]), requests, ALONE, log=True)
    names = [(name, bank) for _, name, bank, _, _ in lines(run) if name != "G_ACT"]
    assert names == [
        ("ACT", 3),
        ("RD", 3),
        ("HEADER", 0),
        ("PRE", 3),
        ("COMPS_READRES", 0),
        ("PIM_PRE", 3),
        ("ACT", 3),
        ("RD", 3),
    ]
    assert check(run.pim, run.log) == []


def test_without_program_the_bus_is_the_limit():
    """32 GB/s: a burst of 64 bytes every two cycles, less a rank switch every 256 bursts."""
    run = simulate(pim_device(), program([]), stream(8000), ALONE)
    assert 0.97 * 32 < run.memory_bandwidth_gbps < 32
    assert run.counts["RD"] == 8000


def test_two_row_buffers_serve_memory_while_pim_works():
    items, requests = program([gwrite(0), *(tile(row) for row in range(1, 60))]), stream(8000)
    alone = simulate(pim_device(), items)
    runs = {name: simulate(pim_device(name), items, requests) for name in ("neupims-hbm2", "newton-hbm2")}
    dual, single = runs["neupims-hbm2"], runs["newton-hbm2"]
    assert dual.pim_cycles <= 1.01 * alone.pim_cycles  # memory costs PIM nothing
    assert dual.memory_bandwidth_gbps > 0.7 * 32
    assert single.memory_bandwidth_gbps < 0.3 * 32
    assert dual.cycles < 0.75 * single.cycles


def test_the_composite_command_leaves_the_bus_to_memory():
    """COMP by COMP, every second slot of the bus is PIM's and the reads it displaces slow both."""
    items, requests = program([gwrite(0), *(tile(row) for row in range(1, 60))]), stream(8000)
    composite, newton = (simulate(pim_device(command_set=name), items, requests) for name in ("composite", "newton"))
    assert composite.pim_cycles < newton.pim_cycles
    assert composite.cycles < newton.cycles
    assert composite.memory_bandwidth_gbps > newton.memory_bandwidth_gbps


def test_policies_order_who_is_done_first():
    items, requests = program([tile(row) for row in range(1, 40)]), stream(4000)
    for name in ("neupims-hbm2", "newton-hbm2"):
        runs = {policy: simulate(pim_device(name), items, requests, Controller(policy=policy)) for policy in POLICIES}
        pim = [runs[policy].pim_cycles for policy in ("pim-first", "round-robin", "memory-first")]
        memory = [runs[policy].memory_cycles for policy in ("memory-first", "round-robin", "pim-first")]
        assert pim == sorted(pim)
        assert memory[0] <= memory[1] * 1.08
        assert memory[0] <= memory[2]
        assert runs["blocked"].served_during == 0
        assert runs["blocked"].memory_cycles >= runs["pim-first"].memory_cycles
        assert runs["memory-first"].pim_cycles >= runs["memory-first"].memory_cycles or name == "neupims-hbm2"


def test_blocked_pim_is_as_fast_as_alone():
    items = program([tile(row) for row in range(1, 40)])
    for name in ("neupims-hbm2", "newton-hbm2"):
        alone = simulate(pim_device(name), items)
        assert (
            simulate(pim_device(name), items, stream(2000), Controller(policy="blocked")).pim_cycles == alone.pim_cycles
        )


def test_the_header_keeps_tiles_clear_of_refresh():
    """Nine tiles of 186, or eight, fit between the refreshes of the ranks, 1950 apart; no refresh waits for a tile."""
    run = simulate(pim_device(), program([tile(row) for row in range(1, 100)]), log=True)
    refreshes = [at for at, name, *_ in lines(run) if name == "REFAB"]
    assert len(refreshes) == run.cycles // 1950
    assert all(at - 1950 * (i + 1) <= 20 for i, at in enumerate(refreshes))  # precharge, tRP
    starts = run.item_times[:, 0]
    per_gap = np.histogram(starts, bins=np.arange(0, run.cycles + 1950, 1950))[0]
    assert set(per_gap[1:-1].tolist()) <= {8, 9}


def test_a_tile_longer_than_the_gap_makes_refresh_wait_for_its_end():
    pim = pim_device(multipliers_per_bank=1, timing={"nREFI": 1300})
    run = simulate(pim, program([tile(row) for row in range(1, 12)]), log=True)
    assert run.counts["COMP"] == 11 * 512
    assert run.counts["REFAB"] >= run.cycles // 650 - 6
    assert check(pim, run.log) == []


def test_refresh_goes_on_while_pim_waits_for_its_items():
    run = simulate(pim_device(), program([tile(1), tile(2, arrival=50_000)]), log=True)
    assert run.counts["REFAB"] == 50_000 // 1950
    assert run.item_times[1, 0] >= 50_000


def test_times_and_shares_are_consistent():
    run = simulate(pim_device(), program([gwrite(0), *(tile(row) for row in range(1, 30))]), stream(3000))
    assert 0 < run.pim_utilisation < 1
    assert 0 < run.bus_utilisation <= 1
    assert run.busy_cycles <= run.pim_cycles <= run.cycles
    assert run.cycles == max(run.pim_cycles, run.memory_cycles)
    assert (run.item_times[1:, 0] >= run.item_times[:-1, 0]).all()
    for cycles in run.open_cycles:
        assert (cycles <= run.cycles).all()
    assert run.done.min() > 0


def test_equal_runs_are_equal():
    items, requests = program([tile(row) for row in range(1, 20)]), stream(500)
    one, two = (simulate(pim_device(), items, requests, log=True) for _ in range(2))
    assert (one.log == two.log).all()
    assert one.counts == two.counts


ITEMS = st.lists(
    st.one_of(
        st.builds(gwrite, st.integers(50, 53), st.integers(0, 31), st.integers(0, 600)),
        st.builds(
            lambda row, r, k: tile(row, max(1, k // r), r), st.integers(0, 5), st.integers(1, 4), st.integers(1, 32)
        ),
        st.builds(
            pwrite,
            st.integers(0, 5),
            st.integers(0, 31),
            st.integers(0, 15),
        ),
    ),
    max_size=10,
)
DEVICES = st.sampled_from(
    [
        pim_device(
            name,
            command_set=commands,
            precharge=how,
            overlap_gwrite=how == "all",
            timing={"nREFI": interval, "nREFIPB": interval // 16},
        )
        for name in ("neupims-hbm2", "newton-hbm2")
        for commands in ("newton", "composite")
        for how in ("all", "bank")
        for interval in (1200, 3900)
    ]
    + [pim_device(banks_per_activation=n) for n in (1, 2, 8, 16)]
    + [pim_device(), pim_device("newton-hbm2-code")]
    + [pim_device(ranks=1), pim_device(ranks=4, bankgroups=2), pim_device("newton-hbm2", banks_per_group=2)]
)


def traffic(seed, banks, rows):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(0, 300))
    return {
        "arrival": np.sort(rng.integers(0, 1 + 3 * n, n)),
        "bank": rng.integers(0, banks, n),
        "row": rng.integers(0, rows, n),
        "column": rng.integers(0, 16, n),
        "write": rng.integers(0, 2, n),
    }


@settings(deadline=None, max_examples=120)
@given(
    DEVICES,
    ITEMS,
    st.sampled_from(POLICIES),
    st.sampled_from(REFRESH),
    st.integers(0, 10_000),
    st.sampled_from([4, 64]),
)
def test_random_programs_beside_random_traffic_break_no_rule_and_lose_no_work(pim, items, policy, refresh, seed, queue):
    work = program(items)
    work[work[:, KIND] != KIND_TILE, 2] %= pim.banks
    if pim.row_buffers == 1:
        work = work[work[:, KIND] != KIND_PWRITE]
    requests = traffic(seed, pim.banks, 7)
    controller = Controller(policy=policy, refresh=refresh, queue=queue)
    run = simulate(pim, work, requests, controller, log=True)
    budget = None
    if refresh != "none" and len(run.log):
        late = 1 if refresh == "per-bank" else 0
        budget = RefreshBudget(COMMAND[refresh], int(run.log[-1, 0]), late)
    assert check(pim, run.log, refresh=budget) == []

    # Every request is answered once, by its own direction and place; every item has all its work done, in order.
    answers = [line for line in run.log if NAMES[line[8]] in ("RD", "WR")]
    assert sorted(int(line[9]) for line in answers) == list(range(len(requests["bank"])))
    for line in answers:
        i = int(line[9])
        assert (line[3] * pim.banks_per_rank + line[4] * pim.device.banks_per_group + line[5]) == requests["bank"][i]
        assert (line[6], line[7]) == (requests["row"][i], requests["column"][i])
        assert (NAMES[line[8]] == "WR") == bool(requests["write"][i])
        assert run.done[i] > line[0] >= requests["arrival"][i]
    done: dict[int, list[str]] = {i: [] for i in range(len(work))}
    for command, _ in events(pim, run.log):
        if command.name in ("COMP", "READRES", "GWRITE", "PWRITE", "HEADER"):
            done[command.request].append(command.name)
            assert command.row == work[command.request, ROW]
    for i, item in enumerate(work):
        if item[KIND] == KIND_TILE:
            assert done[i].count("COMP") == item[COMPS] * item[READOUTS]
            assert done[i].count("READRES") == item[READOUTS]
            assert done[i].count("HEADER") == int(pim.announces)
        else:
            assert done[i] == ["GWRITE" if item[KIND] == KIND_GWRITE else "PWRITE"]
    first = [int(t) for t in run.item_times[:, 0]]
    assert first == sorted(first)
    assert all(at >= item[ARRIVAL] for at, item in zip(first, work, strict=True))


@settings(deadline=None, max_examples=60)
@given(ITEMS, st.integers(0, 10_000), st.sampled_from(["newton", "composite"]))
def test_two_row_buffers_are_never_slower_than_one(items, seed, commands):
    """PIM alone; but for the luck of first-ready scheduling at the end, also beside weights and random traffic.

    Vectors, keys and weights have rows of their own, and no refresh falls on either side of an end.
    """
    work = program(items)
    work = work[work[:, KIND] != KIND_PWRITE]
    work[:, ARRIVAL] = 0
    requests = traffic(seed, 32, 7)
    requests["row"] = requests["row"] + 100
    pair = [pim_device(row_buffers=n, command_set=commands) for n in (2, 1)]
    for beside, slack in ((None, 0), (stream(seed % 2000), 100), (requests, 200)):
        dual, single = (simulate(pim, work, beside, ALONE).cycles for pim in pair)
        assert dual <= single + slack


@pytest.mark.parametrize(
    ("items", "requests", "message"),
    [
        ([tile(40_000)], None, "row 40000 does not exist; allowed: 0 to 32767"),
        ([tile(-1)], None, "row -1 does not exist"),
        ([gwrite(1, bank=32)], None, "bank 32 does not exist; allowed: 0 to 31"),
        ([pwrite(1, 0, 16)], None, "column 16 does not exist; allowed: 0 to 15"),
        ([tile(1, 33)], None, "33 COMPs in a tile; allowed: 1 to 32"),
        ([tile(1, 8, 5)], None, "40 COMPs in a tile"),
        ([tile(1, -1)], None, "at least one COMP"),
        ([], {"arrival": [5, 4], "bank": [0, 0], "row": [0, 0], "column": [0, 0], "write": [0, 0]}, "order of arrival"),
        ([], {"arrival": [5], "bank": [0], "row": [0], "column": [99], "write": [0]}, "column 99 does not exist"),
    ],
)
def test_wrong_items_and_requests_are_refused(items, requests, message):
    if requests is not None:
        requests = {name: np.array(values) for name, values in requests.items()}
    with pytest.raises(InvalidInput, match=message):
        simulate(pim_device(), program(items), requests)


def test_wrong_controllers_are_refused():
    with pytest.raises(UnknownName, match="did you mean 'pim-first'"):
        Controller(policy="pim-frist")
    with pytest.raises(UnknownName, match="allowed: all-bank, none, per-bank"):
        Controller(refresh="same-bank")
    with pytest.raises(InvalidInput, match="queue=0"):
        Controller(queue=0)
    with pytest.raises(InvalidInput, match="postponed=9"):
        Controller(postponed=9)
    with pytest.raises(InvalidInput, match="PWRITE needs row_buffers=2"):
        simulate(pim_device("newton-hbm2"), program([pwrite(0, 0, 0)]))
    two_buses = pim_device()
    two_buses = replace(two_buses, device=replace(two_buses.device, dual_command_bus=True))
    with pytest.raises(InvalidInput, match="one command bus"):
        simulate(two_buses, program([tile(0)]))
