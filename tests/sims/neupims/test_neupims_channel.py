"""PIM kernels of a channel against a second implementation that steps through every cycle and issues every command."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from archgym.sims.neupims.kernel_pim import LAST, PLACES, attend, period, score
from archgym.sims.neupims.system import memory_of, system
from archgym.sims.neupims.times import key_shape, pim_times
from archgym.sims.pim.channel import program, simulate
from archgym.sims.pim.mapping import KvLayout

INTERVAL, RFC, RTP, RP, RCD, FAW, GWRITE = (
    1950,
    260,
    5,
    14,
    14,
    30,
    96,
)  # casys-kaist/NeuPIMs, HBM2_8Gb_x128_dualpim.ini


class Channel:
    """One command a cycle: precharges bank by bank, group activates rank by rank, refresh when it is due."""

    def __init__(self, dual: bool, start: int) -> None:
        self.dual, self.t = dual, start
        self.open = [False] * 32
        self.vector_row = False
        self.column = -(10**9)  # last column command
        # a refresh that fell before the start may still keep its rank closed
        self.refreshes = max(0, start // INTERVAL - 1)
        self.due = (self.refreshes + 1) * INTERVAL
        self.closed_until = [0, 0]  # ranks, by refresh
        self.precharged = [-(10**9)] * 32

    def left(self) -> int:
        return -(self.t + 1) % INTERVAL

    def refresh(self) -> None:
        """Close the rank that is due and refresh it, when the time has come and its rows may be closed."""
        rank, at = self.refreshes % 2, self.due
        banks = [bank for bank in range(rank * 16, rank * 16 + 16) if self.open[bank]]
        for bank in banks:
            at = max(at, self.column + RTP)
            self.open[bank] = False
            at += 1
        if banks:
            at += RP - 1
        self.closed_until[rank] = at + RFC
        if rank == 0 or not self.dual:
            self.vector_row = False
        self.t = max(self.t, at + 1)
        self.due += INTERVAL
        self.refreshes += 1

    def catch_up(self) -> None:
        while self.due <= self.t:
            self.refresh()

    def gwrite(self) -> None:
        self.t = max(self.t, self.column + 1)
        self.catch_up()
        while True:
            blocked = not self.vector_row and not self.dual and self.open[0]
            estimate = GWRITE + (0 if self.vector_row else RP + RCD + (RTP if blocked else 0))
            if self.left() > estimate:
                break
            self.refresh()
        if self.vector_row:
            self.t = max(self.t, self.column + 2)
        elif blocked:
            self.t = max(self.t, self.column + RTP) + RP + RCD
        else:
            self.t = max(self.t, self.closed_until[0]) + RCD
        self.vector_row = True
        self.t += GWRITE
        self.column = max(self.column, self.t - RTP)

    def tile(self, comps: int, results: int) -> int:
        rounded = 1
        while rounded < comps * results:
            rounded *= 2
        base = 3 * FAW + RCD + 2 * max(rounded, 6) + 2 * (results - 1)
        self.t = max(self.t, self.column + (RTP if any(self.open) else 1))
        self.catch_up()
        while self.left() <= base + RTP * sum(self.open):
            self.refresh()
        for bank in range(32):  # one precharge a cycle
            if self.open[bank]:
                self.precharged[bank] = self.t
                self.t += 1
        self.t += 1  # the header
        acts: list[list[int]] = [[], []]
        while len(acts[0]) + len(acts[1]) < 8:
            for rank in (0, 1):
                group = len(acts[rank])
                if group == 4:
                    continue
                ready = max(self.closed_until[rank], acts[rank][-1] + FAW if acts[rank] else 0)
                banks = range(rank * 16 + group * 4, rank * 16 + group * 4 + 4)
                ready = max(ready, *(self.precharged[bank] + RP for bank in banks))
                if self.t >= ready:
                    acts[rank].append(self.t)
                    break
            self.t += 1
        first = max(acts[0][-1], acts[1][-1]) + RCD
        self.open = [True] * 32
        if self.dual:
            self.column = first + (results - 1) * 2 * (max(comps, 6) + 1)
        else:
            self.vector_row = False
            at = first
            for _ in range(results):  # a result is read no sooner than six dot products after the first
                read = at + 2 * max(comps, 6)
                for _ in range(comps):
                    self.column, at = at, at + 2
                self.column, at = read, read + 2
        self.t = self.column + 1
        return first


def kernel(name: str, lengths: list[int], heads: int, begin: int) -> tuple[float, float]:
    """Last commands of both products by the kernels, all requests in one channel."""
    found = system(name, pim_issue="per-channel")
    memory = memory_of(found)
    p = pim_times(memory, False, 1000)._replace(transport=0.0, answer=0.0)
    state = np.zeros((1, PLACES))
    state[:, LAST] = -1e9
    requests, channels = np.array(lengths), np.zeros(len(lengths), dtype=np.int64)
    ready = np.zeros(len(lengths))
    score(p, requests, channels, key_shape(memory, heads, heads, 128), float(begin), 0.0, state, ready)
    middle = float(state[0, LAST])
    attend(p, requests, channels, heads, 4, 512, 16, middle + 50.0, 0.0, state)
    return middle, float(state[0, LAST])


def stepped(dual: bool, lengths: list[int], heads: int, begin: int) -> tuple[int, int]:
    """The same, cycle by cycle."""
    channel = Channel(dual, begin)
    for n in lengths:
        for chunk in range(-(-heads // 4)):
            channel.gwrite()
            for _ in range(-(-n // 32)):
                channel.tile(8, min(4, heads - 4 * chunk))
    middle = channel.column
    channel.t = middle + 50
    for n in lengths:
        for _ in range(heads):
            for chunk in range(-(-n // 512)):
                channel.gwrite()
                for _ in range(4):
                    channel.tile(-(-min(512, n - 512 * chunk) // 16), 1)
    return middle, channel.column


@pytest.mark.parametrize("name", ["neupims", "npu+pim"])
@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    lengths=st.lists(st.integers(1, 1400), min_size=1, max_size=4),
    heads=st.integers(1, 8),
    interval=st.integers(0, 4),
    offset=st.integers(400, 1949),
)
def test_kernels_agree_with_a_channel_that_steps_through_every_cycle(name, lengths, heads, interval, offset):
    """Not from within a refresh on: there, activates of both ranks may meet on the command bus, one cycle apart."""
    begin = interval * INTERVAL + offset
    assert kernel(name, lengths, heads, begin) == stepped(name == "neupims", lengths, heads, begin)


@pytest.mark.parametrize(
    ("name", "comps", "results", "cycles"),
    [
        # Command traces of the authors' program (casys-kaist/NeuPIMs f299af3), header to header of the same request.
        ("neupims", 8, 4, 197),  # keys of four heads
        ("neupims", 8, 1, 143),
        ("neupims", 32, 1, 143),  # values: a composite command keeps its rows for no longer than one dot product
        ("npu+pim", 8, 4, 213),
        ("npu+pim", 32, 1, 207),
    ],
)
def test_tiles_follow_each_other_as_in_the_authors_traces(name, comps, results, cycles):
    p = pim_times(memory_of(system(name)), False, 1000)
    assert period(p, comps, results) == cycles


def test_shared_issue_delays_the_requests_of_later_channels():
    """One command a cycle in order: channel 1 hears of its first GWRITE after all commands of channel 0."""
    memory = memory_of(system("npu+pim"))
    p = pim_times(memory, True, 1000)
    state = np.zeros((2, PLACES))
    state[:, LAST] = -1e9
    ready = np.zeros(2)
    keys = key_shape(memory, 4, 4, 128)
    score(p, np.array([320, 32]), np.array([0, 1]), keys, 0.0, 0.0, state, ready)
    commands = 1 + 10 * (1 + 4 * (8 + 1))  # GWRITE; per tile a header and four times eight COMPs and a READRES
    # the GWRITE's row is closed (14), the copy takes 96; header and activates 1 + 91, then 14 and 4 x (8 x 2 + 2)
    assert state[1, LAST] == 3 + commands + 14 + 96 + 1 + 91 + 14 + 72 - 2
    assert ready[1] == state[1, LAST] + 14 + 2 + 3
    alone = np.zeros((1, PLACES))
    alone[:, LAST] = -1e9
    score(p._replace(per_cycle=0.0), np.array([32]), np.array([0]), keys, 0.0, 0.0, alone, ready[:1])
    assert state[1, LAST] - alone[0, LAST] == commands


def test_traffic_of_the_npu_slows_kernels_down_and_only_while_it_lasts():
    memory = memory_of(system("neupims"))
    p, keys = pim_times(memory, False, 1000), key_shape(memory, 8, 8, 128)

    def last(until: float) -> float:
        state, ready = np.zeros((1, PLACES)), np.zeros(1)
        state[:, LAST] = -1e9
        score(p, np.array([2000]), np.array([0]), keys, 0.0, until, state, ready)
        return float(state[0, LAST])

    times = [last(until) for until in (0.0, 500.0, 5000.0, 1e9)]
    assert times[0] <= times[1] <= times[2] <= times[3]
    assert times[0] < times[3]


@pytest.mark.parametrize(("name", "near"), [("neupims", 0.003), ("npu+pim-sequencers", 0.1)])
def test_kernels_are_near_the_channel_model_that_simulates_every_command(name, near):
    """`sims.pim` counts on until the last result is outside: up to 66 dot product and 16 read cycles later."""
    memory = memory_of(system(name))
    p = pim_times(memory, False, 1000)._replace(transport=0.0, answer=0.0)
    rng = np.random.default_rng(4)
    errors = []
    for heads in (1, 4, 8):
        lengths = rng.integers(200, 1500, 3)
        items: list[list[tuple[int, ...]]] = [[], []]
        row = 1
        for n in lengths:
            layout = KvLayout(memory, heads, 128, int(n), row)
            row += layout.rows
            items[0] += layout.score_items(0)
            items[1] += layout.attend_items(0)
        exact = [simulate(memory, program(each)).cycles for each in items]
        one, channels = np.zeros((2, 1, PLACES)), np.zeros(3, dtype=np.int64)
        one[:, :, LAST] = -1e9
        score(p, lengths, channels, key_shape(memory, heads, heads, 128), 0.0, 0.0, one[0], np.zeros(3))
        attend(p, lengths, channels, heads, 4, 512, 16, 0.0, 0.0, one[1])
        for theirs, ours in zip(exact, one[:, 0, LAST], strict=True):
            assert ours == pytest.approx(theirs, rel=near, abs=90)
            errors.append(ours / theirs - 1)
    assert abs(np.mean(errors)) < 0.05
