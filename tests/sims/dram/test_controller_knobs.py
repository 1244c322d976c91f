"""Every knob has its mechanism: small hand-made traces whose command order can be told in advance."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest

from archgym.errors import InvalidInput, UnknownName
from archgym.sims.dram.devices import DEVICES
from archgym.sims.dram.engine import Stats, simulate_one
from archgym.sims.dram.spec import COMMANDS
from archgym.sims.dram.workloads import Trace

DEVICE = DEVICES["DDR3-1600-1Gb-x8"]
T = DEVICE.timing
ROW, BANK = 1 << 16, 1 << 13  # address steps of the default mapping: 8 KiB rows, eight banks


def run(requests: Sequence[tuple[int, str, int]], **settings: object) -> Stats:
    """Simulate (address, "R" or "W", arrival) without refresh, unless the settings say otherwise."""
    address, kind, arrival = zip(*requests, strict=True)
    trace = Trace.of("hand", np.array(address, dtype=np.uint64), [k == "W" for k in kind], arrival)
    return simulate_one(DEVICE, {"RefreshPolicy": "NoRefresh", **settings}, trace, log=True)


def commands(stats: Stats) -> list[str]:
    """Names of the commands in order."""
    return [COMMANDS[code] for code in stats.log[:, 8]]


def served(stats: Stats) -> list[int]:
    """Requests in the order of their column commands."""
    return [int(row[9]) for row in stats.log if COMMANDS[row[8]] in ("RD", "RDA", "WR", "WRA")]


def reads(*addresses: int) -> list[tuple[int, str, int]]:
    """Reads that all arrive at once."""
    return [(address, "R", 0) for address in addresses]


class TestPagePolicy:
    """Which column commands close their row."""

    def columns(self, policy: str, *addresses: int) -> list[str]:
        return [c for c in commands(run(reads(*addresses), PagePolicy=policy)) if c in ("RD", "RDA")]

    def test_open_never_closes(self) -> None:
        assert self.columns("Open", 0, 64, ROW) == ["RD", "RD", "RD"]

    def test_closed_always_closes(self) -> None:
        assert self.columns("Closed", 0, 64, ROW) == ["RDA", "RDA", "RDA"]

    def test_open_adaptive_closes_when_only_other_rows_wait(self) -> None:
        assert self.columns("OpenAdaptive", 0, 64, ROW) == ["RD", "RDA", "RD"]

    def test_closed_adaptive_keeps_open_while_a_hit_waits(self) -> None:
        assert self.columns("ClosedAdaptive", 0, 64, ROW) == ["RD", "RDA", "RDA"]


class TestScheduler:
    """Who is next within a bank."""

    def test_fifo_keeps_the_order(self) -> None:
        assert served(run(reads(0, ROW, 64), Scheduler="Fifo")) == [0, 1, 2]

    def test_frfcfs_takes_the_hit_first(self) -> None:
        assert served(run(reads(0, ROW, 64), Scheduler="FrFcfs")) == [0, 2, 1]

    def test_group_prefers_the_same_kind_among_hits(self) -> None:
        mixed = [(0, "R", 0), (64, "W", 0), (128, "R", 0)]
        assert served(run(mixed, Scheduler="FrFcfs")) == [0, 1, 2]
        assert served(run(mixed, Scheduler="FrFcfsGrp")) == [0, 2, 1]

    def test_group_never_overtakes_an_older_access_to_the_same_column(self) -> None:
        hazard = [(0, "R", 0), (64, "W", 0), (64, "R", 0), (128, "R", 0)]
        assert served(run(hazard, Scheduler="FrFcfsGrp")) == [0, 3, 1, 2]


class TestBuffers:
    """What the buffer size limits: requests that have entered and not had their column command."""

    def most_inside(self, stats: Stats, chosen: Sequence[int]) -> int:
        column = {int(row[9]): int(row[0]) for row in stats.log if COMMANDS[row[8]] in ("RD", "RDA", "WR", "WRA")}
        chosen = list(chosen)
        return max(sum(1 for i in chosen if stats.entered[i] <= stats.entered[now] < column[i]) for now in chosen)

    def trace(self) -> list[tuple[int, str, int]]:
        rng = np.random.default_rng(5)
        lines, writes = rng.integers(0, 1 << 20, 300), rng.random(300) < 0.4
        return [(int(line) * 64, "W" if write else "R", 0) for line, write in zip(lines, writes, strict=True)]

    @pytest.mark.parametrize("size", [1, 3, 8])
    def test_shared_limits_all(self, size: int) -> None:
        stats = run(self.trace(), SchedulerBuffer="Shared", RequestBufferSize=size)
        assert self.most_inside(stats, range(300)) == size

    @pytest.mark.parametrize("size", [1, 3, 8])
    def test_read_write_limits_each_kind(self, size: int) -> None:
        trace = self.trace()
        stats = run(trace, SchedulerBuffer="ReadWrite", RequestBufferSize=size)
        for kind in "RW":
            assert self.most_inside(stats, [i for i, r in enumerate(trace) if r[1] == kind]) == size

    @pytest.mark.parametrize("size", [1, 3])
    def test_bankwise_limits_each_bank(self, size: int) -> None:
        trace = self.trace()
        stats = run(trace, SchedulerBuffer="Bankwise", RequestBufferSize=size)
        banks = [[i for i, r in enumerate(trace) if r[0] // BANK % 8 == bank] for bank in range(8)]
        assert max(self.most_inside(stats, bank) for bank in banks) == size


class TestOrder:
    """Command multiplexer, response queue, arbiter."""

    def test_strict_keeps_column_commands_in_order_over_banks(self) -> None:
        order = [0, ROW, BANK, ROW + BANK, 2 * BANK]
        assert served(run(reads(*order), CmdMux="Strict")) == [0, 1, 2, 3, 4]
        assert served(run(reads(*order), CmdMux="Oldest")) != [0, 1, 2, 3, 4]

    @pytest.mark.parametrize("knobs", [{"RespQueue": "Reorder"}, {"Arbiter": "Reorder"}])
    def test_reorder_answers_in_order(self, knobs: dict[str, str]) -> None:
        out_of_order = reads(0, ROW, 64, BANK)
        assert (np.diff(run(out_of_order).done) < 0).any()
        assert (np.diff(run(out_of_order, **knobs).done) > 0).all()

    @pytest.mark.parametrize("arbiter", ["Fifo", "Reorder"])
    @pytest.mark.parametrize("limit", [1, 2, 5])
    def test_active_transactions_are_limited(self, arbiter: str, limit: int) -> None:
        rng = np.random.default_rng(3)
        stats = run(reads(*(rng.integers(0, 1 << 20, 200) * 64)), Arbiter=arbiter, MaxActiveTransactions=limit)
        active = [int((stats.entered <= now).sum() - (stats.done < now).sum()) for now in stats.entered]
        assert max(active) == limit

    def test_simple_arbiter_has_no_limit(self) -> None:
        requests = reads(*(np.arange(50) * BANK))
        assert run(requests, MaxActiveTransactions=1).cycles == run(requests, MaxActiveTransactions=128).cycles


class TestRefresh:
    """Refresh on time, postponed, pulled in; power-down."""

    def busy(self, cycles: int, step: int = 6) -> list[tuple[int, str, int]]:
        """One bank never without a request."""
        return [(i % 64 * 64, "R", i * step) for i in range(cycles // step)]

    def refreshes(self, stats: Stats) -> list[int]:
        return [int(row[0]) for row in stats.log if COMMANDS[row[8]] == "REFAB"]

    def test_on_time(self) -> None:
        times = self.refreshes(run(self.busy(8 * T["nREFI"]), RefreshPolicy="AllBank"))
        late = [time - (i + 1) * T["nREFI"] for i, time in enumerate(times)]
        assert len(times) == 7
        assert all(0 <= x <= T["nRAS"] + T["nRP"] for x in late)

    def test_postponed_while_busy(self) -> None:
        requests = [(i * 64 % BANK, "R", 0) for i in range(2 * T["nREFI"])]  # saturated: the bank always has requests
        busy = run(requests, RefreshPolicy="AllBank", RefreshMaxPostponed=4)
        assert min(self.refreshes(busy)) >= 5 * T["nREFI"] - 1 or not self.refreshes(busy)
        assert len(self.refreshes(run(requests, RefreshPolicy="AllBank"))) == busy.cycles // T["nREFI"]

    def test_pulled_in_while_idle(self) -> None:
        sparse = [(0, "R", 0), (0, "R", int(1.5 * T["nREFI"]))]
        stats = run(sparse, RefreshPolicy="AllBank", RefreshMaxPulledin=3)
        times = self.refreshes(stats)
        assert len(times) == 4
        assert [b - a for a, b in itertools.pairwise(times)] == [T["nRFC"]] * 3

    def test_no_refresh(self) -> None:
        assert self.refreshes(run(self.busy(3 * T["nREFI"]))) == []

    def test_finer_policies_go_round_all_banks(self) -> None:
        for name, policy, units in (("LPDDR4-3200-8Gb-x16", "PerBank", 8), ("DDR5-4800-16Gb-x8", "SameBank", 4)):
            device = DEVICES[name]
            lines = np.arange(6000, dtype=np.uint64) * 64
            trace = Trace.of("busy", lines, np.zeros(6000), np.arange(6000) * 8)
            stats = simulate_one(device, {"RefreshPolicy": policy}, trace, log=True)
            rows = stats.log[np.isin(stats.log[:, 8], [COMMANDS.index("REFPB"), COMMANDS.index("REFSB")])]
            turns = [tuple(row[3:6]) for row in rows[:units]]
            assert len(set(turns)) == units

    def test_staggered_power_down_then_self_refresh(self) -> None:
        requests = [(0, "R", 0), (0, "R", 5 * T["nREFI"])]
        found = commands(run(requests, RefreshPolicy="AllBank", PowerDownPolicy="Staggered"))
        # Active power-down; woken by the refresh: precharge, refresh, precharge power-down; woken again: self refresh,
        # and one refresh on leaving it.
        assert found == [
            "ACT", "RD", "PDE", "PDX", "PREA", "REFAB", "PDE", "PDX", "SREFE", "SREFX", "REFAB", "ACT", "RD",
        ]  # fmt: skip

    def test_power_down_saves_energy_and_costs_latency(self) -> None:
        lines = np.random.default_rng(0).integers(0, 1 << 20, 300)
        requests = [(int(line) * 64, "R", i * 400) for i, line in enumerate(lines)]
        awake, asleep = (run(requests, PowerDownPolicy=p) for p in ("NoPowerDown", "Staggered"))
        assert asleep.metrics["energy_pj"] < awake.metrics["energy_pj"]
        assert asleep.metrics["latency_ns"] > awake.metrics["latency_ns"]


class TestWrites:
    """Write-drain watermarks and the peers' mechanisms."""

    def test_writes_wait_until_the_high_watermark(self) -> None:
        requests = [(i * 64, "W" if i % 4 else "R", 0) for i in range(400)]
        knobs: dict[str, object] = {"SchedulerBuffer": "ReadWrite", "RequestBufferSize": 16}
        knobs |= {"WriteHighWatermark": 100, "WriteLowWatermark": 25}
        drained = [COMMANDS[c] == "WR" for c in run(requests, **knobs).log[:, 8] if COMMANDS[c] in ("RD", "WR")]
        mixed = run(requests, **{**knobs, "WriteHighWatermark": 0})
        switches = int(np.abs(np.diff(drained)).sum())
        both = [COMMANDS[c] == "WR" for c in mixed.log[:, 8] if COMMANDS[c] in ("RD", "WR")]
        assert switches < int(np.abs(np.diff(both)).sum()) / 2

    def test_row_hit_limit_lets_an_older_conflict_through(self) -> None:
        # Two banks take turns on the bus, so that a precharge becomes legal between two hits of one.
        requests = reads(0, ROW, *(64 * i + BANK * (i % 2) for i in range(1, 40)))
        knobs = {"SchedulerBuffer": "Shared", "RequestBufferSize": 64}
        assert served(run(requests, **knobs)).index(1) == 40
        assert served(run(requests, RowHitLimit=8, **knobs)).index(1) < 30

    def test_transaction_queue_feeds_the_banks_one_a_cycle(self) -> None:
        stats = run(reads(0, BANK, 2 * BANK), TransactionQueueSize=32, CmdMux="RoundRobin")
        acts = [int(row[0]) for row in stats.log if COMMANDS[row[8]] == "ACT"]
        assert acts[0] == 1

    def test_an_entry_freed_by_the_activate_lets_the_next_in(self) -> None:
        requests = reads(0, ROW, 2 * ROW)
        knobs = {"SchedulerBuffer": "Shared", "RequestBufferSize": 1}
        early, late = (run(requests, EntryFreed=freed, **knobs) for freed in ("Activate", "Column"))
        assert early.entered[1] == 1
        assert late.entered[1] == T["nRCDRD"]


class TestSpelling:
    """What bad settings get."""

    def test_unknown_knob(self) -> None:
        with pytest.raises(UnknownName, match="PagePolicy"):
            run(reads(0), PagePolicyy="Open")

    def test_unknown_value(self) -> None:
        with pytest.raises(UnknownName, match="did you mean 'FrFcfs'"):
            run(reads(0), Scheduler="FrFcf")

    @pytest.mark.parametrize("value", [0, -1, 1.5, True])
    def test_number_out_of_range(self, value: object) -> None:
        with pytest.raises(InvalidInput, match="RequestBufferSize"):
            run(reads(0), RequestBufferSize=value)

    def test_refresh_the_device_lacks(self) -> None:
        with pytest.raises(UnknownName, match="NoRefresh"):
            run(reads(0), RefreshPolicy="PerBank")

    @pytest.mark.parametrize("other", [{"CmdMux": "Strict"}, {"Arbiter": "Fifo"}, {"Arbiter": "Reorder"}])
    def test_a_transaction_queue_excludes_whoever_waits_for_one_write(self, other: dict[str, str]) -> None:
        with pytest.raises(InvalidInput, match="TransactionQueueSize above 0 needs"):
            run(reads(0), TransactionQueueSize=16, **other)
