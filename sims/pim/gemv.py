"""Attention's two matrix-vector products on the banks of a channel: K^T q and logits times V, in closed form.

The layout is NeuPIMs' (ASPLOS 2024, section 5; src/operations/NeuPIMSLogitSoftmax.cc and NeuPIMSAttend.cc). A row of a
bank holds P elements, a channel has B banks, and a tile is one row of each bank.

- *Score* (K^T q): the keys of B tokens lie in B banks; a row holds as many heads of one token as fit. One GWRITE brings
  the queries of those heads, then every group of B tokens is a tile with one result per head and bank.
- *Attend* (logits V): the head_dim columns of a head lie in the banks, P tokens in a row. For every head and every P
  tokens one GWRITE brings the logits, then every B columns are a tile with one result per bank.

With fewer KV heads than heads (grouped queries), every query head makes its own pass over its group's tiles.
All counts and cycles are per channel, and arrays over requests.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym.errors import InvalidInput
from archgym.sims.pim.device import PimDevice
from archgym.sims.pim.tile import cold_tile, tile_period

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Gemv:
    """What a product of each request asks of its channel: int64[n] each, float64[n] for the stretched cycles."""

    gwrites: Ints
    tiles: Ints
    readouts: Ints
    """Result reads; each brings one element per bank."""
    comps: Ints
    """COMPs (of all banks at once)."""
    macs: Ints
    """Useful multiply-accumulates; comps * multipliers * banks counts the idle lanes too."""
    cycles: Ints
    """Back to back on an idle channel, without refresh."""
    scheduled_cycles: Ints
    """As the scheduler of NeuPIMs estimates it: a constant per GWRITE and one per cold tile of a whole row."""

    def __add__(self, other: Gemv) -> Gemv:
        """Add up two products, request by request."""
        return Gemv(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


def _checked(heads: int, head_dim: int, tokens: ArrayLike, kv_heads: int | None) -> tuple[Ints, int, int]:
    """Tokens as int64[n], KV heads, and query heads per KV head."""
    groups = heads if kv_heads is None else kv_heads
    for name, value in (("heads", heads), ("head_dim", head_dim), ("kv_heads", groups)):
        if value < 1:
            raise InvalidInput(f"{name}={value}; allowed: whole numbers from 1")
    if heads % groups:
        raise InvalidInput(f"{heads} heads do not divide over {groups} KV heads")
    lengths = np.asarray(tokens, dtype=np.int64)
    if lengths.size and lengths.min() < 1:
        raise InvalidInput(f"a request of {lengths.min()} tokens; allowed: whole numbers from 1")
    return lengths, groups, heads // groups


def gwrite_period(pim: PimDevice) -> int:
    """Cycles a GWRITE adds between two tiles that follow each other.

    With two row buffers its row stays open: it waits for the last result read, copies, and the next precharge follows.
    With one, the bank of the vector closes, opens and closes again around it.
    """
    t, result = pim.device.timing, 2 * pim.comp_cycles
    if pim.row_buffers == 1:
        waits = t["nRP"] + t["nRCDRD"]  # from the precharge that the next tile's would have been
    elif pim.row_held_by == "issue":
        waits = pim.comp_cycles - t["nRTP"]
    else:
        waits = result - t["nRTP"]
    if pim.overlap_gwrite and pim.row_buffers == 2:
        return max(0, waits + pim.gwrite_cycles - int(tile_period(pim, pim.pipeline_fill + 1)))
    # Elsewhere the header goes out while dot products run, or (precharges bank by bank) is part of every tile.
    header = 1 if pim.announces and pim.precharge == "all" else 0
    return max(0, waits + pim.gwrite_cycles + header)


def scheduled_constants(pim: PimDevice) -> tuple[int, int]:
    """Cycles per GWRITE (100 for NeuPIMs) and per tile (184) of the scheduler's estimate, from the timings."""
    return pim.gwrite_cycles + 2 * pim.comp_cycles, cold_tile(pim).cycles


def _gemv(pim: PimDevice, gwrites: Ints, kinds: list[tuple[Ints, Ints, int]], macs: Ints) -> Gemv:
    """Sum up kinds of tiles: how many, COMPs per result, results per tile."""
    tiles = sum((count for count, _, _ in kinds), np.zeros_like(macs))
    readouts = sum((count * results for count, _, results in kinds), np.zeros_like(macs))
    comps = sum((count * results * k for count, k, results in kinds), np.zeros_like(macs))
    busy = sum(
        (count * tile_period(pim, np.maximum(k, 1), results) for count, k, results in kinds), np.zeros_like(macs)
    )
    per_gwrite, per_tile = scheduled_constants(pim)
    return Gemv(
        gwrites,
        tiles,
        readouts,
        comps,
        macs,
        busy + gwrites * gwrite_period(pim),
        gwrites * per_gwrite + tiles * per_tile,
    )


def score(pim: PimDevice, heads: int, head_dim: int, tokens: ArrayLike, kv_heads: int | None = None) -> Gemv:
    """K^T q of one new token per request against `tokens` keys, for the heads of one tensor-parallel rank.

    Raises:
        InvalidInput: for a size below 1, or heads that do not divide over the KV heads.
    """
    lengths, groups, passes = _checked(heads, head_dim, tokens, kv_heads)
    rows_of_tokens = -(-lengths // pim.banks)
    kinds = []
    chunks = 0
    for count, results, elements in key_rows(pim, groups, head_dim):
        k = np.full_like(lengths, -(-elements // pim.multipliers_per_bank))
        kinds.append((count * passes * rows_of_tokens, k, results))
        chunks += count
    return _gemv(pim, np.full_like(lengths, chunks * passes), kinds, lengths * heads * head_dim)


def attend(pim: PimDevice, heads: int, head_dim: int, tokens: ArrayLike, kv_heads: int | None = None) -> Gemv:
    """Logits times V of one new token per request over `tokens` values; arguments and errors as `score`."""
    lengths, _, _ = _checked(heads, head_dim, tokens, kv_heads)
    page, columns = pim.page_elements, -(-head_dim // pim.banks)
    whole, rest = lengths // page, lengths % page
    per_row = np.full_like(lengths, pim.comps_per_page)
    kinds = [
        (heads * columns * whole, per_row, 1),
        (heads * columns * (rest > 0), -(-rest // pim.multipliers_per_bank), 1),
    ]
    return _gemv(pim, heads * -(-lengths // page), kinds, lengths * heads * head_dim)


def attention(pim: PimDevice, heads: int, head_dim: int, tokens: ArrayLike, kv_heads: int | None = None) -> Gemv:
    """Both products; arguments and errors as `score`."""
    return score(pim, heads, head_dim, tokens, kv_heads) + attend(pim, heads, head_dim, tokens, kv_heads)


def key_rows(pim: PimDevice, kv_heads: int, head_dim: int) -> list[tuple[int, int, int]]:
    """Rows that one token's keys fill: (how many alike, results per row, elements per result)."""
    page = pim.page_elements
    if head_dim > page:  # a head is cut into rows, whose results are added up outside
        whole, rest = divmod(head_dim, page)
        return [(kv_heads * whole, 1, page)] + ([(kv_heads, 1, rest)] if rest else [])
    heads_per_row = page // head_dim
    whole, rest = divmod(kv_heads, heads_per_row)
    return [(n, results, head_dim) for n, results in ((whole, heads_per_row), (1, rest)) if n and results]


def kv_tiles(pim: PimDevice, kv_heads: int, head_dim: int, tokens: ArrayLike) -> Ints:
    """Tiles that the keys and values of each request occupy, int64[n].

    Raises:
        InvalidInput: for a size below 1.
    """
    lengths, groups, _ = _checked(kv_heads, head_dim, tokens, None)
    rows = sum(count for count, _, _ in key_rows(pim, groups, head_dim))
    key = rows * -(-lengths // pim.banks)
    return np.asarray(key + groups * -(-head_dim // pim.banks) * -(-lengths // pim.page_elements), dtype=np.int64)


def refresh_stretch(pim: PimDevice, period: ArrayLike) -> Floats:
    """By how much all-bank refresh stretches kernels of `period` cycles that must fit between refreshes, float64[...].

    Ranks take turns within tREFI. A tile's own precharge hides behind tRFC, and no kernel starts whose header announces
    that it would end too late; bank by bank, precharges before the refresh take their time, and the header announces
    more for them than they need.
    """
    cycles = np.asarray(period, dtype=np.float64)
    t, ranks = pim.device.timing, pim.device.pseudochannels * pim.ranks
    interval, blocked, announced = t["nREFI"] / ranks, t["nRFC"], 0
    if pim.precharge == "bank":
        blocked += pim.banks_per_rank + t["nRP"]
        announced = max(0, pim.banks * t["nRTP"] - pim.banks - t["nRP"])
    fitting = np.maximum(1.0, np.floor((interval - blocked - announced) / cycles))
    return np.asarray(np.maximum(interval, fitting * cycles + blocked) / (fitting * cycles))
