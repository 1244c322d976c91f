"""Within 5 % (bank-bound traffic) and 10 % (streams) of DRAMsim3 and Ramulator 2.1, set up like each.

Cycles were counted by running the peers on the same traces, as VALIDATION.md tells.
"""

from __future__ import annotations

import random

import pytest

from archgym.sims.dram.engine import simulate_one
from archgym.sims.dram.peers import PEERS
from archgym.sims.dram.workloads import Trace

PEER_CYCLES = {
    ("DRAMsim3", "mix60_sat"): 921_641,
    ("DRAMsim3", "stream_rdonly"): 1_030_809,
    ("Ramulator", "mix60_sat"): 919_579,
    ("Ramulator", "stream_rdonly"): 1_262_997,
}
LIMIT = {"mix60_sat": 0.05, "stream_rdonly": 0.10}

LINE, CAPACITY, REQUESTS, STREAMS = 64, 4 << 30, 200_000, 8


def recipe(kind: str, seed: int, read_share: float) -> Trace:
    """The traces, request by request in plain Python."""
    draw = random.Random(seed)
    places = [draw.randrange(CAPACITY // LINE) * LINE for _ in range(STREAMS)]
    address, write = [], []
    for i in range(REQUESTS):
        if kind == "stream":
            at = i * LINE % CAPACITY
        else:
            stream = draw.randrange(STREAMS)
            goes_on = draw.random() < 0.6
            places[stream] = (places[stream] + LINE) % CAPACITY if goes_on else draw.randrange(CAPACITY // LINE) * LINE
            at = places[stream]
        address.append(at)
        write.append(draw.random() >= read_share)
    return Trace.of(kind, address, write, [0] * REQUESTS)


@pytest.fixture(scope="module")
def traces() -> dict[str, Trace]:
    return {"mix60_sat": recipe("mix", 1, 0.7), "stream_rdonly": recipe("stream", 7, 1.1)}


@pytest.mark.parametrize(("peer", "workload"), PEER_CYCLES)
def test_cycles_are_close_to_the_peer(peer: str, workload: str, traces: dict[str, Trace]) -> None:
    ours = simulate_one(PEERS[peer].device, PEERS[peer].settings, traces[workload], ranks=2)
    assert ours.counts["reads"] + ours.counts["writes"] == REQUESTS
    assert abs(ours.cycles / PEER_CYCLES[peer, workload] - 1) < LIMIT[workload]


@pytest.mark.parametrize(
    ("peer", "workload", "cycles", "latency"),
    [
        ("DRAMsim3", "mix60_gap10", 2_002_963, 69.60),
        ("DRAMsim3", "mix60_gap20", 4_009_235, 58.52),
        ("DRAMsim3", "random_gap20", 3_997_218, 76.31),
        ("DRAMsim3", "random_sat", 988_722, 741.65),
        ("Ramulator", "mix60_gap10", 2_002_970, 67.53),
        ("Ramulator", "mix60_gap20", 4_009_234, 55.39),
        ("Ramulator", "random_gap20", 3_997_089, 69.68),
        ("Ramulator", "random_sat", 926_160, 278.26),
    ],
)
def test_cycles_and_read_latency_are_close_to_the_peer(peer: str, workload: str, cycles: int, latency: float) -> None:
    ours = simulate_one(PEERS[peer].device, PEERS[peer].settings, workload, ranks=2)
    assert abs(ours.cycles / cycles - 1) < 0.05
    assert abs(ours.service_latency_cycles / latency - 1) < 0.05
