"""The closed-form gate counts of arXiv 2510.25602 (INT v.s. FP, hardware model), to stand beside measured gates.

A unit of a sub-block is one of each of its cells; area is the sum of count times area over sub-blocks and cells. The
engine is k lanes of multipliers, one adder tree aligned uniformly and one normaliser; dequantiser and FP32 accumulator
are shared by k lanes and not in the table of formulas.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from archgym.errors import UnknownName
from archgym.rtl.formats.block_formats import BlockFormat, align_width

__all__ = ["CELLS", "area", "areas", "counts"]

CELLS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "multiplier": ("AND", "FA", "HA"),
        "adder": ("FA", "HA"),
        "exponent adder": ("FA", "HA"),
        "exponent subtractor": ("XOR", "FA", "HA"),
        "comparator": ("XOR", "AND", "OR"),
        "aligner": ("MUX",),
        "normaliser": ("MUX", "OR"),
    }
)
"""Cells of a unit, by sub-block (table of the hardware model)."""


def counts(form: BlockFormat) -> dict[str, float]:
    """Units by sub-block of an engine of `block` lanes: k = block, x exponent bits, y mantissa bits."""
    k, x, y = form.block, form.exp_width, form.man_width
    if form.integer:
        return {"multiplier": k * (x + y + 1.0) ** 2, "adder": 2.0 * k * (x + y + 1)}
    n = align_width(x, y)
    return {
        "multiplier": k * (y + 1.0) ** 2,
        "adder": float(k * n),
        "exponent adder": float(k * x),
        "exponent subtractor": float(k * x),
        "comparator": float(k * x),
        "aligner": k * n * math.log2(n),
        "normaliser": n * math.log2(n),
    }


def areas(form: BlockFormat, cells: Mapping[str, float]) -> dict[str, float]:
    """Area by sub-block, in the unit of the cells' areas (AND, FA, HA, MUX, OR, XOR).

    Raises:
        UnknownName: when a cell's area is missing.
    """
    for name in sorted({cell for each in CELLS.values() for cell in each}):
        if name not in cells:
            raise UnknownName("cell of the gate model", name, list(cells))
    return {part: count * sum(cells[cell] for cell in CELLS[part]) for part, count in counts(form).items()}


def area(form: BlockFormat, cells: Mapping[str, float], *, per_lane: bool = True) -> float:
    """Area of an engine, of one of its lanes by default: the comparison at equal throughput."""
    return sum(areas(form, cells).values()) / (form.block if per_lane else 1)
