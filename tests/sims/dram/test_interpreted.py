"""The kernels without the compiler: the same numbers to the last bit, and every line of them seen by coverage.

The compiler may be wrong, and compiled code checks no bounds: an index that runs off an array raises only here. Run as
a script, this file prints the numbers it gets.
"""

from __future__ import annotations

import numpy as np
import pytest
from interpreted import answer, interpreted

import archgym
from archgym.errors import TraceError
from archgym.sims.dram import engine
from archgym.sims.dram.workloads.cache import CacheFilter, CacheSize
from archgym.sims.dram.workloads.lackey import LackeyParser

CASES = {  # device, channels, ranks
    "DDR3, the predecessor's": ("DDR3-1600-1Gb-x8", 1, 1),
    "bank groups, two ranks": ("DDR4-2400-8Gb-x8", 1, 2),
    "same-bank refresh, two channels": ("DDR5-4800-16Gb-x8", 2, 1),
    "per-bank refresh": ("LPDDR4-3200-8Gb-x16", 1, 1),
    "pseudo channels": ("HBM2-2000-8Gb", 1, 1),
}
RARE = {  # reads and writes scheduled together but kept apart: 1 random design in 36
    "Scheduler": "FrFcfsGrp", "SchedulerBuffer": "ReadWrite", "WriteHighWatermark": 0, "RequestBufferSize": 64,
    "Arbiter": "Fifo", "MaxActiveTransactions": 64,
}  # fmt: skip
WORKLOADS = (
    "mix:n=150,read=0.6,gap=4,seed=1",  # busy
    "mix:n=40,read=0.7,gap=900,seed=2",  # idle for long enough to power down, refresh in between
    "random:n=80,read=0.5,gap=0,seed=3",  # everything at once: full queues, write drains
)


def scores(case: str) -> list[list[str]]:
    """Metrics of random designs, as hexadecimal floats: exact."""
    device, channels, ranks = CASES[case]
    simulator = archgym.simulator("dram", device=device, channels=channels, ranks=ranks, space="full")
    designs = simulator.space.sample(16, np.random.default_rng(7))
    for name, choice in RARE.items():
        designs[:4, simulator.space.position(name)] = simulator.space[name].index(choice)
    tables = [simulator.simulate(designs, workload).values for workload in WORKLOADS]
    return [[float(value).hex() for value in row] for table in tables for row in table]


def commands() -> list[list[int]]:
    """The command log of one design."""
    return engine.simulate_one("DDR4-2400-8Gb-x8", {}, WORKLOADS[0], log=True).log.tolist()


def captured() -> list[list[int]]:
    """What is left of random accesses below two small caches, after a line of valgrind's own and two wrong lines."""
    rng = np.random.default_rng(5)
    kinds = rng.choice(["I ", " L", " S", " M"], 3000)
    text = "".join(f"{kind} {place:08x},{size}\n" for kind, place, size in zip(
        kinds, rng.integers(1 << 16, size=3000), rng.choice([1, 4, 8], 3000), strict=True))  # fmt: skip
    for wrong in ("X  04,4\n", "I  zz,4\n"):
        with pytest.raises(TraceError):
            LackeyParser().feed(wrong.encode())
    below = CacheFilter(CacheSize(1024, 2), CacheSize(4096, 4), skip=100, limit=2000)
    below.feed(LackeyParser().feed(f"==1== a message\n{text}".encode()))
    return [column.tolist() for column in below.requests]


def numbers(case: str) -> object:
    return {"commands": commands, "captured": captured}.get(case, lambda: scores(case))()


@pytest.mark.parametrize("case", [*CASES, "commands", "captured"])
def test_interpreted_and_compiled_kernels_agree_to_the_bit(case):
    found = interpreted(__file__, case)
    assert len(found) > 2
    assert found == numbers(case)


if __name__ == "__main__":
    answer(numbers)
