"""The kernels without the compiler: the same numbers to the last bit, and every line of them seen by coverage.

Run as a script, this file prints the numbers it gets.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from interpreted import answer, interpreted

import archgym
from archgym.sims.duplex import kernel_serve as loop
from archgym.sims.duplex.serving import StageModel
from archgym.sims.duplex.system import System
from archgym.sims.duplex.workloads import workload

CASES = ("mixtral-in16-out5-batch6", "llama3-in40-out9-qps900")


def scores(name: str) -> list[list[str]]:
    """Metrics of random designs, as hexadecimal floats: exact."""
    simulator = archgym.simulator("duplex", overflow="shrink")
    designs = simulator.space.sample(3, np.random.default_rng(7))
    for knob, choices in {"stage_policy": (0, 1, 2), "cluster_scale": (1, 1, 3), "prefill_tokens_per_stage": 0}.items():
        designs[:, simulator.space.position(knob)] = choices
    return [[float(value).hex() for value in row] for row in simulator.simulate(designs, name).values]


def stages() -> list[list[str]]:
    """A stage in which both processors work side by side, and one in which nothing is gained by that."""
    decoder = replace(workload(CASES[0]).decoder, layers=2)
    model = StageModel(decoder, System(), exact_tokens=8, most_tokens=4100)
    full = np.full(64, 3000)
    found = [model.stage(full[:n], np.full(p, 2000)) for n, p in ((64, 2), (1, 1), (8, 0), (0, 2))]
    return [[float(value).hex() for value in row] for row in found]


def served() -> list[list[str]]:
    """A cache too small for everybody, answers of one token, and more stages than there is room for at first."""
    decoder = replace(workload("llama3-in8-out8-batch4").decoder, layers=1)
    model = StageModel(decoder, System(devices=1), exact_tokens=1, most_tokens=1)
    prompt, output = np.array([50, 30, 40, 9, 20, 8]), np.array([1, 300, 1, 5, 900, 2])
    found = []
    for policy, clients, cache in ((loop.MIXED, 0, 2000), (loop.PREFILL_FIRST, 0, 950), (loop.DECODE_FIRST, 3, 950)):
        none = np.zeros(6, dtype=np.int64)
        produced = np.array([0, 200, 0, 0, 0, 0]) if clients else none
        found += loop.serve(
            model.rates, model.rows, model.grid, model.table, np.zeros(6), prompt, output, produced,
            clients, 6, 3, cache, 60, policy,
        )  # fmt: skip
    return [[float(value).hex() for value in row] for row in found]


def numbers(case: str) -> list[list[str]]:
    return {"stages": stages, "served": served}.get(case, lambda: scores(case))()


@pytest.mark.parametrize("case", [*CASES, "stages", "served"])
def test_interpreted_and_compiled_kernels_agree_to_the_bit(case):
    assert interpreted(__file__, case) == numbers(case)


if __name__ == "__main__":
    answer(numbers)
