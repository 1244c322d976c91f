"""The channel kernel without the compiler: the same log, and every line of it seen by coverage.

Run as a script, this file prints the numbers it gets.
"""

from __future__ import annotations

import numpy as np
import pytest
from interpreted import answer, interpreted

from archgym.sims.pim.channel import POLICIES, REFRESH, Controller, gwrite, program, pwrite, simulate, tile
from archgym.sims.pim.device import PIM_DEVICES, pim_device


def numbers(name: str) -> list[list[int]]:
    """Logs of one device under all policies and refreshes, with items of every kind."""
    pim, rng, found = pim_device(name, timing={"nREFI": 1200, "nREFIPB": 75}), np.random.default_rng(3), []
    for policy in POLICIES:
        for refresh in REFRESH:
            items = [gwrite(1, 3), tile(2), tile(2, 4, 4), tile(3, 7, arrival=700), gwrite(0, 20), tile(4, 16)]
            if pim.row_buffers == 2:
                items += [pwrite(5, 9, 2), tile(5, 3), pwrite(5, 8, 1)]
            n = 60
            requests = {
                "arrival": np.sort(rng.integers(0, 600, n)), "bank": rng.integers(0, 32, n),
                "row": rng.integers(0, 7, n), "column": rng.integers(0, 16, n), "write": rng.integers(0, 2, n),
            }  # fmt: skip
            controller = Controller(policy=policy, refresh=refresh, queue=16, turn=4)
            run = simulate(pim, program(items), requests, controller, log=True)
            found += [line.tolist() for line in run.log] + [[run.cycles, run.pim_cycles, run.busy_cycles]]
    return found


@pytest.mark.parametrize("name", sorted(PIM_DEVICES))
def test_interpreted_and_compiled_kernels_agree(name):
    found = interpreted(__file__, name)
    assert len(found) > 1000
    assert found == numbers(name)


if __name__ == "__main__":
    answer(numbers)
