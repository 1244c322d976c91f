"""The kernels without the compiler: the same numbers to the last bit, and every line of them seen by coverage.

Run as a script, this file prints the numbers it gets.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import archgym
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


def numbers(case: str) -> list[list[str]]:
    return stages() if case == "stages" else scores(case)


@pytest.mark.parametrize("case", [*CASES, "stages"])
def test_interpreted_and_compiled_kernels_agree_to_the_bit(case):
    done = subprocess.run(
        [sys.executable, "-W", "error", __file__, case],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == numbers(case)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(numbers(sys.argv[1])))
