"""Random traces, devices and controller settings: the checker finds nothing in what the engine did.

The checker shares no code with the engine and does not read the timing rows. Every request is a read or write of one
cache line: as many column commands as bursts in a line, each exactly once, in its own direction.
"""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from archgym.sims.dram import controller
from archgym.sims.dram.checker import RefreshBudget, check
from archgym.sims.dram.devices import DEVICES
from archgym.sims.dram.engine import Stats, decode, simulate_one
from archgym.sims.dram.spec import Device
from archgym.sims.dram.workloads import LINE_BYTES, Trace, load

# Numbers worth trying; the choices of the other knobs are all tried.
NUMBERS = {
    "RequestBufferSize": (1, 2, 3, 8, 32),
    "MaxActiveTransactions": (1, 2, 4, 128),
    "WriteHighWatermark": (0, 25, 80, 100),
    "WriteLowWatermark": (0, 20, 99),
    "RowHitLimit": (0, 1, 4),
    "TransactionQueueSize": (0,),
    "RefreshMaxPostponed": (0, 1, 4, 8),
    "RefreshMaxPulledin": (0, 1, 4, 8),
}


@st.composite
def runs(draw: st.DrawFn) -> tuple[Device, int, int, dict[str, object], Trace]:
    """A device, channels, ranks, controller settings and a trace that is busy, sparse, or both in turn."""
    device = draw(st.sampled_from(sorted(DEVICES.values(), key=lambda found: found.name)))
    knobs = {name: st.sampled_from(knob.choices or NUMBERS[name]) for name, knob in controller.KNOBS.items()}
    chosen = draw(st.fixed_dictionaries(knobs))
    chosen["RefreshPolicy"] = draw(st.sampled_from(controller.refresh_policies(device)))
    n = draw(st.integers(1, 120))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    span = draw(st.sampled_from([16, 1 << 12, 1 << 20]))  # cache lines: one row, some rows, everything
    gap = draw(st.sampled_from([0, 3, 40, 900, 5000]))
    gaps = rng.integers(0, gap + 1, n) * (rng.random(n) < draw(st.sampled_from([0.05, 0.5, 1.0])))
    write = rng.random(n) < draw(st.sampled_from([0.0, 0.3, 0.6, 1.0]))
    trace = Trace.of("drawn", rng.integers(0, span, n) * LINE_BYTES, write, np.cumsum(gaps).astype(np.int64))
    return device, draw(st.sampled_from([1, 2])), draw(st.sampled_from([1, 2])), chosen, trace


def violations(stats: Stats, chosen: dict[str, object], trace: Trace) -> list[object]:
    """What the checker says of a run."""
    device = stats.device
    bursts = decode(trace, str(chosen["AddressMapping"]), device, stats.channels, stats.ranks, LINE_BYTES).bursts
    assert bursts == LINE_BYTES // device.access_bytes
    requests = {burst: bool(trace.write[burst // bursts]) for burst in range(len(trace.write) * bursts)}
    command = controller.REFRESH_COMMANDS[str(chosen["RefreshPolicy"])]
    budget = None
    if command:
        late, early = int(str(chosen["RefreshMaxPostponed"])), int(str(chosen["RefreshMaxPulledin"]))
        budget = RefreshBudget(command[0], int(stats.log[:, 0].max()), late, early)
    return list(check(device, stats.ranks, stats.log, requests=requests, refresh=budget))


def run_and_check(run: tuple[Device, int, int, dict[str, object], Trace]) -> None:
    device, channels, ranks, chosen, trace = run
    stats = simulate_one(device, chosen, trace, channels=channels, ranks=ranks, log=True)
    assert violations(stats, chosen, trace) == []
    assert (stats.done >= stats.entered).all()
    assert stats.counts["reads"] + stats.counts["writes"] == len(trace.write)


COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}


@settings(max_examples=200, **COMMON)
@given(runs())
def test_the_checker_finds_nothing_in_any_run(run):
    run_and_check(run)


@pytest.mark.slow
@settings(max_examples=5000, **COMMON)
@given(runs())
def test_the_checker_finds_nothing_in_thousands_of_runs(run):
    run_and_check(run)


LONG = [
    (name, policy, late, early)
    for name in sorted(DEVICES)
    for policy in controller.refresh_policies(DEVICES[name])
    for late, early in ((0, 0), (4, 0), (0, 4))
    if policy != "NoRefresh"
]


@pytest.mark.parametrize(("name", "policy", "late", "early"), LONG)
@pytest.mark.parametrize("power_down", ["NoPowerDown", "Staggered"])
def test_refresh_keeps_its_rate_over_many_intervals(name, policy, late, early, power_down):
    trace = load("mix:n=3000,read=0.7,gap=25,seed=3")
    chosen = {
        **controller.DEFAULTS,
        "RefreshPolicy": policy,
        "RefreshMaxPostponed": late,
        "RefreshMaxPulledin": early,
        "PowerDownPolicy": power_down,
    }
    stats = simulate_one(name, chosen, trace, ranks=2, log=True)
    assert violations(stats, chosen, trace) == []
    assert stats.counts["n_refab"] + stats.counts["n_refpb"] + stats.counts["n_refsb"] > 0


def test_a_refresh_that_waits_for_more_than_an_interval_is_still_owed():
    # Strict order and a small window keep a bank busy for longer than the interval of per-bank refresh.
    chosen = {
        **controller.DEFAULTS,
        "PagePolicy": "OpenAdaptive",
        "Scheduler": "Fifo",
        "SchedulerBuffer": "ReadWrite",
        "RequestBufferSize": 32,
        "CmdMux": "Strict",
        "RefreshPolicy": "PerBank",
        "RefreshMaxPostponed": 4,
        "EntryFreed": "Activate",
        "AddressMapping": "RoCoRaBaBgCh",
    }
    trace = load("mix:n=3000,read=0.7,gap=12,seed=656")
    stats = simulate_one("GDDR6-14000-8Gb-x16", chosen, trace, log=True)
    assert violations(stats, chosen, trace) == []
