"""The kernels without the compiler: the same numbers, and every line of them seen by coverage.

The compiler may be wrong, and compiled code checks no bounds: an index that runs off an array raises only here. Run as
a script, this file prints the numbers it gets.
"""

from __future__ import annotations

import numpy as np
from interpreted import answer, interpreted

from archgym.sims.neupims.block import simulate_block
from archgym.sims.neupims.system import SYSTEMS, System, system
from archgym.sims.neupims.workloads import decoder_named


def numbers() -> list[list[str]]:
    """Stages of small blocks on many systems, as hexadecimal floats: exact."""
    rng = np.random.default_rng(5)
    lengths = [int(n) for n in rng.integers(1, 700, 12)]
    systems: list[System] = [found for found in SYSTEMS.values() if found.host == "npu"]
    systems += [
        system("neupims", sub_batching="on", packing="round-robin"),
        system("neupims", sub_batching="on", pim="single"),
        system("neupims", sub_batching="on", pim_commands="fine", pim_multipliers=64),
        system("neupims", scratchpad_kib=1024, array_rows=64, arrays=1, page_bytes=512, banks=16, channels=8),
        system("npu-only", scratchpad_kib=1024, frequency_mhz=700, banks=64, page_bytes=2048),
    ]
    found = []
    for each in systems:
        for decoder in (decoder_named("e768-h6"), decoder_named("e128-h1")):
            block = simulate_block(each, decoder, lengths)
            found.append([float(x).hex() for x in (*block.stages, block.read_bytes, block.written_bytes)])
    return found


def test_interpreted_and_compiled_kernels_agree_to_the_bit():
    found = interpreted(__file__)
    assert len(found) > 15
    assert found == numbers()


if __name__ == "__main__":
    answer(numbers)
