"""Against the authors' simulator: commands counted alike, and the time of attention products in one channel.

Numbers of casys-kaist/NeuPIMs (revision f299af3, built -O2), one request on channel 0 of a block with E = 512 and four
heads: cycles of the operation LogitSoftmax from its start to the last answer, of Attend likewise, and all commands.
Their first figure holds softmax and the logits' way out too, which are no part of the channel.
"""

from __future__ import annotations

import pytest

from archgym.sims.pim.channel import program, simulate
from archgym.sims.pim.device import pim_device
from archgym.sims.pim.mapping import KvLayout

# mode: tokens, (start, end) of LogitSoftmax, (start, end) of Attend, GWRITE, G_ACT, COMP, READRES
RUNS = {
    "neupims-hbm2-code": [
        (128, (2216, 3136), (3136, 6692), (5, 160, 256, 32)),
        (512, (2216, 6561), (6561, 10306), (5, 256, 1024, 80)),
        (513, (2216, 6763), (6763, 14070), (9, 392, 1072, 100)),
        (2048, (2216, 20134), (20134, 33999), (17, 1024, 4096, 320)),
    ],
    "newton-hbm2-code": [
        (128, (2216, 3217), (3217, 7197), (5, 160, 256, 32)),
        (512, (2216, 6805), (6805, 12176), (5, 256, 1024, 80)),
        (513, (2216, 7023), (7023, 15474), (9, 392, 1072, 100)),
        (2048, (2216, 20363), (20363, 41433), (17, 1024, 4096, 320)),
    ],
}
CASES = [(name, *run) for name, runs in RUNS.items() for run in runs]


@pytest.mark.parametrize(("name", "tokens", "score", "attend", "commands"), CASES)
def test_commands_and_times_are_the_authors(name, tokens, score, attend, commands):
    pim = pim_device(name)
    layout = KvLayout(pim, 4, 128, tokens, first_row=1)
    runs = [
        (score, simulate(pim, program(layout.score_items(0, arrival=score[0])))),
        (attend, simulate(pim, program(layout.attend_items(0, arrival=attend[0])))),
    ]
    counted = [sum(run.counts[c] for _, run in runs) for c in ("GWRITE", "G_ACT", "COMP", "READRES")]
    assert tuple(counted) == commands
    for (start, end), run in runs:
        assert run.pim_cycles - start == pytest.approx(end - start, rel=0.13)
