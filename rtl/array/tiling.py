"""Matrix products on an engine: tiles, cycles in closed form, utilisation.

The cycles are those of an engine that is never kept waiting: every beat is there in time, every result is taken.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

from archgym.errors import InvalidInput, UnknownName
from archgym.rtl.array.golden import depth, rows
from archgym.rtl.array.workloads import Gemm
from archgym.rtl.block import Parameters

__all__ = ["ENGINES", "Tiling", "peak", "tile_period", "tiling"]

ENGINES = ("systolic_os", "systolic_ws", "matrix2d", "cube", "adder_tree")
"""Blocks whose cycles do not depend on the operands."""


@final
@dataclass(frozen=True)
class Tiling:
    """What products cost on an engine."""

    tiles: int
    cycles: int
    """From the first beat to the last result."""
    macs: int
    utilisation: float
    """Multiply-accumulates asked for over those that the engine could do in the time, 0 to 1."""


def peak(p: Parameters) -> int:
    """Multiply-accumulates of an engine in a cycle."""
    return rows(p) * p["Cols"] * depth(p)


def _ceil(a: int, b: int) -> int:
    return -(-a // b)


def _wait(engine: str, p: Parameters) -> int:
    """Cycles from a tile's last step to its first row of results: L in the headers of the modules."""
    return (p["Cols"] + 1 if engine == "systolic_os" else 2) + p["Pipeline"] + p["ResultBuffer"]


def tile_period(engine: str, p: Parameters, beats: int) -> int:
    """Cycles between tiles of `beats` beats (rows of operands a for `systolic_ws`) in the steady state.

    Raises:
        UnknownName: for an engine without a closed form.
        InvalidInput: for a tile without beats.
    """
    if engine not in ENGINES:
        raise UnknownName("engine", engine, ENGINES)
    if beats < 1:
        raise InvalidInput(f"a tile needs at least 1 beat, got {beats}")
    if engine == "systolic_ws":
        loading = 2 * p["Rows"] + p["Cols"] - 2  # until the sums in flight let go of their weights, then Rows loads
        return max(beats, loading) if p["WeightBuffer"] else beats + loading
    reading = _wait(engine, p) + rows(p)
    return max(beats, reading) if p["ResultBuffer"] else beats + reading - 1


def _one(engine: str, p: Parameters, gemm: Gemm) -> tuple[int, int]:
    """Tiles and cycles of all repetitions of a product, one after another."""
    adders = 2 * p["CarrySave"]
    if engine == "systolic_ws":
        tiles = _ceil(gemm.k, p["Rows"]) * _ceil(gemm.n, p["Cols"]) * gemm.count
        ends = p["Rows"] + gemm.m + p["Rows"] + p["Cols"] + 3 + adders  # first weights, last tile, last sum
        return tiles, (tiles - 1) * tile_period(engine, p, gemm.m) + ends
    tiles = _ceil(gemm.m, rows(p)) * _ceil(gemm.n, p["Cols"]) * gemm.count
    beats = _ceil(gemm.k, depth(p))
    ends = beats + _wait(engine, p) + rows(p) + 1 + adders
    return tiles, (tiles - 1) * tile_period(engine, p, beats) + ends


def tiling(engine: str, p: Parameters, gemms: Iterable[Gemm]) -> Tiling:
    """Tiles, cycles and utilisation of products on an engine.

    Rows of results lie on `Rows` and columns on `Cols`, K in time (and on `Depth`); on the weight-stationary array K
    lies on `Rows`, columns on `Cols`, and all rows of A pass by; its sums over more than `Rows` are added outside.

    Raises:
        UnknownName: for an engine without a closed form.
        InvalidInput: when there is no product.
    """
    found = [(_one(engine, p, gemm), gemm.macs) for gemm in gemms]
    if not found:
        raise InvalidInput("no matrix product given; give at least one")
    tiles, cycles = sum(one[0] for one, _ in found), sum(one[1] for one, _ in found)
    macs = sum(macs for _, macs in found)
    return Tiling(tiles, cycles, macs, macs / (cycles * peak(p)))
