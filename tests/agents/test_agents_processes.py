"""The same seed and answers give the same proposals in every process: that is how a killed search resumes."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from archgym import catalog
from archgym.space import DesignSpace, Parameter

# One fresh interpreter for all agents; prints one digest each.
SCRIPT = """
import hashlib, sys
import numpy as np
from archgym import catalog
from archgym.space import DesignSpace, Parameter

for name in sys.argv[1:]:
    kinds = ("categorical", "ordinal") * 3
    space = DesignSpace([Parameter(f"p{i}", tuple(range(4 + i % 3)), kind) for i, kind in enumerate(kinds)])
    agent = catalog.agent(name, space, seed=11)
    digest = hashlib.sha256()
    for turn in range(30 if name == "gp" else 120):
        designs = agent.ask(3)
        digest.update(designs.tobytes())
        costs = np.square(designs - 2.0).sum(axis=1, keepdims=True)
        agent.tell(designs, None, costs)
    print(name, digest.hexdigest())
"""


def digests(hash_seed: str) -> list[str]:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-c", SCRIPT, *catalog.agents()]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()


def test_proposals_are_the_same_in_fresh_processes():
    first, second = digests("1"), digests("2")
    assert len(first) == len(catalog.agents())
    assert first == second


def drive(agents, turns, cost):
    """Ask the agents in turn, as concurrent searches in one process would; returns what each proposed."""
    proposed = [[] for _ in agents]
    for _ in range(turns):
        for agent, rows in zip(agents, proposed, strict=True):
            designs = agent.ask(2)
            rows.append(designs)
            agent.tell(designs, None, cost(designs))
    return [np.concatenate(rows) for rows in proposed]


@pytest.mark.parametrize("name", ["genetic", "ppo", "tpe"])
def test_searches_in_one_process_do_not_disturb_each_other(name):
    space = DesignSpace([Parameter(f"p{i}", tuple(range(5))) for i in range(5)])

    def cost(designs):
        return np.square(designs - 1.0).sum(axis=1, keepdims=True)

    (alone,) = drive([catalog.agent(name, space, seed=3)], 60, cost)
    among = drive([catalog.agent(name, space, seed=seed) for seed in (1, 3, 7)], 60, cost)
    assert np.array_equal(alone, among[1])
