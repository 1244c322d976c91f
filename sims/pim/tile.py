"""How long a tile takes, in closed form from the timings: one row of every bank against the channel's vector.

A cold tile of NeuPIMs: the ranks' group activates overlap, four banks per tFAW, so 3 x 30 cycles lie between the first
and the last; 14 (tRCD) later 32 COMPs follow two cycles apart: 90 + 14 + 64 = 168. With the precharge before (14) and
two commands' issue (the header, the second rank's turn on the command bus) it is the 184 of the paper's scheduler.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym.errors import InvalidInput
from archgym.sims.pim.device import PimDevice

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class TileTime:
    """A cold tile by phase, in cycles: its banks hold other rows."""

    precharge: int
    issue: int
    """The header, and the wait of the other ranks for the command bus."""
    activate: int
    """From the first group activate of a rank to its last."""
    row_to_column: int
    compute: int
    """The COMPs, and all result reads but the last, which the next tile's precharge hides."""

    @property
    def kernel(self) -> int:
        """From the first group activate to the last dot product: what the header announces."""
        return self.activate + self.row_to_column + self.compute

    @property
    def cycles(self) -> int:
        """The whole tile: what the scheduler counts."""
        return self.precharge + self.issue + self.kernel


def cold_tile(pim: PimDevice, comps: int | None = None, readouts: int = 1) -> TileTime:
    """Phases of a cold tile with `readouts` results per bank of `comps` COMPs each (a whole row in one by default)."""
    comps = pim.comps_per_page if comps is None else comps
    last, _ = activation_offsets(pim)
    first_of_next_rank = pim.device.pseudochannels * pim.ranks - 1
    return TileTime(
        precharge=pim.device.timing["nRPAB" if pim.precharge == "all" else "nRP"],
        issue=1 + first_of_next_rank,
        activate=last - first_of_next_rank,
        row_to_column=pim.device.timing["nRCDRD"],
        compute=_header_compute(pim, comps * readouts, readouts),
    )


def header_estimate(pim: PimDevice, comps: int, readouts: int, activations: int, precharges: int) -> int:
    """Cycles of a kernel as the controller estimates them from its header, to place it between refreshes.

    As NeuPIMs (EstimatePIMOperationLatency in channel_state.cc): the header gives `comps` of the whole kernel, rounded
    up to a power of two; `activations` group activates of all ranks and `precharges` banks are found by the controller.
    """
    rounded = 1 << (comps - 1).bit_length()
    per_rank = -(-activations // (pim.device.pseudochannels * pim.ranks))
    cycles = precharges * pim.device.timing["nRTP"] + _header_compute(pim, rounded, readouts)
    if per_rank:
        cycles += activation_offsets(pim, per_rank)[1] + pim.device.timing["nRCDRD"]
    return cycles


def _header_compute(pim: PimDevice, comps: int, readouts: int) -> int:
    return pim.comp_cycles * max(comps, pim.pipeline_fill) + max(
        pim.device.timing["nBL"], pim.device.timing["nCCDL"]
    ) * (readouts - 1)


def readout_cycles(pim: PimDevice, comps: ArrayLike) -> Ints:
    """From one COMPS_READRES(k) to the next, int64[...]: k COMPs, at least the pipeline's fill, and the result read."""
    return np.asarray(pim.comp_cycles * (np.maximum(np.asarray(comps, dtype=np.int64), pim.pipeline_fill) + 1))


def tile_period(pim: PimDevice, comps: ArrayLike | None = None, readouts: ArrayLike = 1) -> Ints:
    """Cycles from tile to tile when tiles follow each other, nothing else goes on, and each needs other rows.

    Args:
        pim: the device.
        comps: COMPs per result, int[...]; a whole row by default.
        readouts: results per bank and tile, int[...].

    Raises:
        InvalidInput: for less than one COMP or result.
    """
    k = np.asarray(pim.comps_per_page if comps is None else comps, dtype=np.int64)
    results = np.asarray(readouts, dtype=np.int64)
    if k.size and results.size and (k.min() < 1 or results.min() < 1):
        raise InvalidInput("a tile needs at least one COMP and one result; got comps or readouts below 1")
    t = pim.device.timing
    acts = _activates_after_precharges(pim)
    last_act = max(acts)
    one = readout_cycles(pim, k)
    last_issue = last_act + t["nRCDRD"] + (results - 1) * one  # of the last COMPS_READRES, or its first COMP
    last_comp = last_issue + pim.comp_cycles * (k - 1)
    held = {"compute": last_comp, "issue": last_issue, "result": last_issue + one - pim.comp_cycles}[pim.row_held_by]
    bounds = [
        held + t["nRTP"],
        np.broadcast_to(_row_active(pim, acts), k.shape),
        last_issue + 2 if pim.command_set == "composite" else last_issue + one - pim.comp_cycles + 1,
        results * one,
        np.broadcast_to(_window_bound(pim), k.shape),
    ]
    return np.asarray(np.max(np.broadcast_arrays(*bounds), axis=0), dtype=np.int64)


def _row_active(pim: PimDevice, acts: tuple[int, ...]) -> int:
    """Earliest next precharge by tRAS: the j-th precharge goes out j cycles after the first."""
    t, per_rank = pim.device.timing, pim.activations_per_rank
    if pim.precharge == "all":
        last = [max(acts[i : i + per_rank]) for i in range(0, len(acts), per_rank)]
        return max(at + t["nRAS"] - rank for rank, at in enumerate(last))
    in_turn = sorted(acts)  # the rows open longest close first
    return max(at + t["nRAS"] - i * pim.banks_per_activation for i, at in enumerate(in_turn))


def _window_bound(pim: PimDevice) -> int:
    """No tile is shorter than a row cycle, nor than its activates take at the rate the device can sustain."""
    window, held = pim.activation_window
    return max(pim.device.timing["nRC"], -(-pim.activations_per_rank * window // held))


@lru_cache(maxsize=4096)
def _activation_schedule(
    ranks: int, per_rank: int, at_once: int, per_group: int, spacing: tuple[int, int, int, int], ready: tuple[int, ...]
) -> tuple[int, ...]:
    """Times of all group activates, first ready first, lowest rank and bank first among equals.

    `spacing` is tRRD_S, tRRD_L, the window and how many group activates it holds; `ready[i]` the earliest time of the
    i-th set of banks, counted over the ranks.
    """
    short, long, window, in_window = spacing
    times: list[list[int]] = [[] for _ in range(ranks)]
    groups: dict[tuple[int, int], int] = {}
    issued = [-1] * len(ready)
    now, left = 0, set(range(len(ready)))
    while left:
        best, best_at = -1, 1 << 60
        for i in sorted(left):
            rank, place = divmod(i, per_rank)
            at = max(now, ready[i])
            if times[rank]:
                at = max(at, times[rank][-1] + short)
            if len(times[rank]) >= in_window:
                at = max(at, times[rank][-in_window] + window)
            for group in _groups_of(place, at_once, per_group):
                at = max(at, groups.get((rank, group), -long) + long)
            if at < best_at:
                best, best_at = i, at
        rank, place = divmod(best, per_rank)
        times[rank].append(best_at)
        for group in _groups_of(place, at_once, per_group):
            groups[rank, group] = best_at
        issued[best], now = best_at, best_at + 1
        left.remove(best)
    return tuple(issued)


def _groups_of(place: int, at_once: int, per_group: int) -> range:
    """Bank groups that the `place`-th set of banks of a rank touches."""
    return range(place * at_once // per_group, (place * at_once + at_once - 1) // per_group + 1)


def _schedule(pim: PimDevice, ready: tuple[int, ...], per_rank: int) -> tuple[int, ...]:
    t = pim.device.timing
    spacing = (t["nRRDS"], t["nRRDL"], *pim.activation_window)
    return _activation_schedule(
        pim.device.pseudochannels * pim.ranks,
        per_rank,
        pim.banks_per_activation,
        pim.device.banks_per_group,
        spacing,
        ready,
    )


def activation_offsets(pim: PimDevice, per_rank: int | None = None) -> tuple[int, int]:
    """Last group activate after the first, in cycles: over all ranks, and within the first rank."""
    per_rank = pim.activations_per_rank if per_rank is None else per_rank
    ranks = pim.device.pseudochannels * pim.ranks
    times = _schedule(pim, (0,) * (ranks * per_rank), per_rank)
    return max(times), max(times[:per_rank])


def _activates_after_precharges(pim: PimDevice) -> tuple[int, ...]:
    """Times of a cold tile's group activates, counted from its first precharge; precharges go out one per cycle."""
    t, per_rank = pim.device.timing, pim.activations_per_rank
    ranks = pim.device.pseudochannels * pim.ranks
    header = 1 if pim.announces else 0  # bank by bank, it follows the precharges
    ready = []
    for i in range(ranks * per_rank):
        if pim.precharge == "all":
            ready.append(max(ranks, i // per_rank + t["nRPAB"]))
        else:
            ready.append(max(pim.banks + header, (i + 1) * pim.banks_per_activation - 1 + t["nRP"]))
    return _schedule(pim, tuple(ready), per_rank)
