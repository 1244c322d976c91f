"""Bank-level AttAcc (ASPLOS 2024) as a PIM device, and its attention in closed form, to compare with its simulator.

    python -m archgym.sims.pim.attacc ramulator.out

compares with the cached results that scale-snu/attacc_simulator ships: attention of one token on one HBM3 stack. Heads
are spread over the 16 channels; within one, pseudo channels, ranks and bank groups (16 in all) hold a share of the
tokens each, and the four banks of a group a share of the head's dimensions; all banks of a channel open a row and
multiply 32 bytes of it at once (src/../trace_gen/gen_trace_attacc_bank.py). Timings: HBM3_5.2Gbps of HBM3-PIM.cpp.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym.errors import InvalidInput
from archgym.sims.dram.devices import device, variant
from archgym.sims.pim.device import PimDevice
from archgym.sims.pim.tile import tile_period

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_CHANNELS, _GROUPS, _BANKS_PER_GROUP, _COLUMN_BYTES = 16, 16, 4, 32
_MAC_CYCLES = {True: 6, False: 4}
"""nCCDAB of HBM3_5.2Gbps with the power limit, and without (NPC)."""


def attacc(power_limit: bool = True, element_bytes: int = 2) -> PimDevice:
    """One channel: a group activate opens a row of every bank, outside the four-activate window, as its rows say."""
    cycles = _MAC_CYCLES[power_limit]
    base = variant(device("HBM3-5200-16Gb"), "AttAcc-HBM3-5200", nFAW=1, nCCDS=cycles, nCCDL=cycles)
    return PimDevice(
        replace(base, pseudochannels=1),
        channels=_CHANNELS,
        ranks=1,  # one command reaches all of them
        row_buffers=1,
        multipliers_per_bank=_COLUMN_BYTES // element_bytes,
        banks_per_activation=16,
        element_bytes=element_bytes,
        command_set="newton",
        pipeline_fill=0,  # results wait in registers until they are moved aside
    )


def attention_cycles(pim: PimDevice, heads: ArrayLike, head_dim: int, tokens: ArrayLike) -> Floats:
    """Cycles of K^T q and logits V of `heads` heads over `tokens` tokens each, float64[n].

    Moving vectors and softmax hide behind the other head's products (the trace interleaves two heads); refresh takes
    its share tRFC / tREFI.
    """
    length = np.asarray(tokens, dtype=np.int64)
    columns = -(-length // _GROUPS) * -(-head_dim // (_BANKS_PER_GROUP * pim.multipliers_per_bank))
    row = pim.comps_per_page
    rest = columns % row
    product = columns // row * tile_period(pim, row) + np.where(rest > 0, tile_period(pim, np.maximum(rest, 1)), 0)
    t = pim.device.timing
    rounds = -(-np.asarray(heads, dtype=np.int64) // _CHANNELS)
    return np.asarray(rounds * 2 * product * t["nREFI"] / (t["nREFI"] - t["nRFC"]), dtype=np.float64)


def compare(path: Path) -> Mapping[tuple[bool, int, int], Floats]:
    """Relative errors against a results file, by (power limit, head dimension, bytes per element).

    Raises:
        InvalidInput: when the file lacks the columns.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row.get("pim_type") == "BA"]
    if not rows:
        raise InvalidInput(f"{path} has no rows of pim_type BA; expected attacc_simulator's ramulator.out")
    found = {}
    keys = sorted({(row["power_constraint"] == "True", int(row["dhead"]), int(row["dbyte"])) for row in rows})
    for limit, dim, size in keys:
        mine = [
            r for r in rows if (r["power_constraint"] == "True", int(r["dhead"]), int(r["dbyte"])) == (limit, dim, size)
        ]
        tokens, heads, theirs = (np.array([int(row[name]) for row in mine]) for name in ("L", "nhead", "cycle"))
        found[limit, dim, size] = attention_cycles(attacc(limit, size), heads, dim, tokens) / theirs - 1.0
    return found


def main() -> None:
    """Print the errors."""
    for (limit, dim, size), error in compare(Path(sys.argv[1])).items():
        low, median, high = np.quantile(error, [0.1, 0.5, 0.9])
        sys.stdout.write(
            f"power limit {limit}, head {dim}, {size} byte: {len(error)} runs, median {median:+.1%}, "
            f"10-90 % {low:+.1%} to {high:+.1%}, mean absolute {np.abs(error).mean():.1%}\n"
        )


if __name__ == "__main__":
    main()
