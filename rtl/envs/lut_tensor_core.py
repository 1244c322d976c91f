"""LUT tensor cores and their rivals on products with low-bit weights: tile, table and pipeline to performance and cost.

A core computes M x N x K products a step. Tables come from a precompute operator outside, as in the paper, unless
`precompute` puts it inside; products of a row with all columns share its tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any, TypeAlias

import numpy as np

from archgym.core import Designs, Evaluations, Simulator
from archgym.errors import InvalidInput
from archgym.rtl.block import Block, Draw, Parameters, Stimulus, Streams
from archgym.rtl.envs.clocks import check_flow, clock_parameter, period_ns
from archgym.rtl.envs.lut_workloads import LOW_BIT, LowBit, low_bit
from archgym.rtl.envs.score import METRICS as SCORED, SETTLED, VERSION, Job, buildable, score
from archgym.rtl.flow.point import Point, Workload
from archgym.rtl.library import block
from archgym.space import Constraint, DesignSpace, Parameter

__all__ = ["METRICS", "LutTensorCore"]

METRICS = (*SCORED, SETTLED)

_FP32 = (8, 23)
_UNITS = ("lut", "multiply", "add")
_ACCUMULATORS = ("same", "wide")
_STEPS = 24  # input beats of a stimulus
_LEAST = 2  # products of the smallest tile


def _space(largest: int) -> DesignSpace:
    within = Constraint(
        f"tile_m * tile_n * tile_k must be at most {largest}",
        lambda c: c["tile_m"] * c["tile_n"] * c["tile_k"] <= largest,
    )
    return DesignSpace(
        [
            Parameter("unit", _UNITS, "categorical", "", "unit",
                      "Look-ups, or the rivals: multipliers of the activations' width, bit-serial adders."),
            Parameter("tile_m", (1, 2, 4, 8, 16), "ordinal", "", "tile", "Rows of activations."),
            Parameter("tile_n", (1, 2, 4, 8, 16, 32, 64, 128), "ordinal", "", "tile", "Columns of weights."),
            Parameter("tile_k", (2, 3, 4, 5, 8, 16), "ordinal", "", "tile", "Products added in one step."),
            Parameter("group", (2, 3, 4, 5), "ordinal", "", "table", "Activations behind one table (lut)."),
            Parameter("symmetric", (False, True), "boolean", "", "table",
                      "Weights as +1/-1, so that half of a table is enough (lut, integer activations)."),
            Parameter("offline_negation", (False, True), "boolean", "", "table",
                      "Stored index bits carry the inversion that the sign bit asks for (lut, half tables)."),
            Parameter("precompute", (False, True), "boolean", "", "table",
                      "Tables are computed inside the core (lut, integer activations)."),
            Parameter("pipeline", (False, True), "boolean", "", "timing", "A register after the look-up (lut)."),
            Parameter("input_register", (False, True), "boolean", "", "timing", "Operands are held in the core."),
            Parameter("accumulator", _ACCUMULATORS, "categorical", "", "operands",
                      "24 or 32 bits for integers; the activations' format or FP32 for floating point."),
            clock_parameter(),
        ],
        [within],
        canonical=_canonical,
    )  # fmt: skip


_TABLE = (4, 5, 6, 7, 8)
_SYMMETRIC, _OFFLINE = 5, 6  # columns


def _canonical(designs: Designs) -> Designs:
    """Tables mean nothing to the rivals, and full tables have no stored negation."""
    found: Designs = designs.copy()
    rival = found[:, 0] != _UNITS.index("lut")
    found[np.ix_(rival, _TABLE)] = 0
    found[found[:, _SYMMETRIC] == 0, _OFFLINE] = 0
    return found


class LutTensorCore(Simulator):
    """A tensor core for weights of 1 to 4 bits; see `rtl/VALIDATION.md`."""

    name = "lut-tensor-core"
    version = f"1-{VERSION}"
    metrics = METRICS
    workloads = tuple(LOW_BIT)

    def __init__(self, technology: str = "generic45", effort: str = "normal", largest: int = 1024) -> None:
        """Build for a technology.

        Args:
            technology: name of one, or path of a Liberty file.
            effort: how many recipes of synthesis are tried: "quick", "normal", "high".
            largest: products of a step at most; large tiles take tens of seconds each.

        Raises:
            UnknownName: for an unknown technology or effort.
            InvalidInput: for a `largest` that admits no tile.
        """
        check_flow(technology, effort)
        if isinstance(largest, bool) or not isinstance(largest, int) or largest < _LEAST:
            raise InvalidInput(f"largest must be a whole number of at least {_LEAST}, got {largest!r}")
        self.space = _space(largest)
        self.options = {"technology": technology, "effort": effort, "largest": largest}

    def simulate(self, designs: Designs, workload: str) -> Evaluations:
        """Measure designs on a product with low-bit weights.

        Raises:
            InvalidInput: for designs outside the space or a malformed workload.
            UnknownName: for an unknown workload.
        """
        work = low_bit(workload)
        rows = self.space.validate(self.canonical(self.space.validate(designs)))
        return score([self._job(self.space.decode(row), work, workload) for row in rows], METRICS)

    def workload_fingerprint(self, workload: str) -> str:
        """The workload, spelt out.

        Raises:
            InvalidInput: for a malformed workload.
            UnknownName: for an unknown one.
        """
        return repr(low_bit(workload))

    def point(self, design: Mapping[str, Any], workload: str) -> Point:
        """What a design is measured as, to build it (`archgym rtl emit`).

        Raises:
            InvalidInput: the design cannot be built.
            UnknownName: for an unknown workload.
        """
        return buildable(self._job(design, low_bit(workload), workload))

    def _job(self, design: Mapping[str, Any], work: LowBit, name: str) -> Job:
        made = _tile(design, work)
        if isinstance(made, str):
            return Job(None, made)
        top, parameters, planes = made
        tile = (design["tile_m"], design["tile_n"], design["tile_k"])
        steps = ceil(work.m / tile[0]) * ceil(work.n / tile[1]) * ceil(work.k / tile[2])
        point = Point(
            block(top),
            parameters,
            self.options["technology"],
            period_ns(design["clock_ns"]),
            Workload(f"{name} {work}", work.draw, _STEPS, make=_one_sum(block(top))),
            effort=self.options["effort"],
        )
        return Job(point, "", steps * planes + 1 + design["pipeline"] + design["input_register"], work.macs)


_Made: TypeAlias = "tuple[str, dict[str, int], int] | str"


def _one_sum(unit: Block) -> Stimulus:
    """All beats of a stimulus are one sum: layers have hundreds of steps."""

    def beats(p: Parameters, rng: np.random.Generator, n: int, draw: Draw) -> Streams:
        last = np.zeros(n, dtype=np.int64)
        last[-1] = 1
        return {**unit.stimulus(p, rng, n, draw), "last_i": last}

    return beats


def _tile(design: Mapping[str, Any], work: LowBit) -> _Made:
    """Block, its parameters and cycles a step; or why there is none."""
    shape = {"TileM": design["tile_m"], "TileN": design["tile_n"]}
    wide = design["accumulator"] == "wide"
    if design["unit"] == "lut":
        return _floating(design, work, shape, wide) if work.form else _integer(design, work, shape, wide)
    if work.form:
        return "rivals of floating-point look-ups are measured as archgym/FloatUnit-v0; choose unit = lut"
    serial = design["unit"] == "add"
    width = work.weight_bits if serial else work.act_width
    parameters = {
        **shape, "TileK": design["tile_k"], "ActWidth": work.act_width, "WeightWidth": width,
        "AccWidth": 32 if wide else 24, "Serial": int(serial), "InputRegister": int(design["input_register"]),
    }  # fmt: skip
    return "dp_core", parameters, work.weight_bits if serial else 1


def _integer(design: Mapping[str, Any], work: LowBit, shape: dict[str, int], wide: bool) -> _Made:
    parameters = {
        **shape, "TileK": design["tile_k"], "Group": design["group"], "ActWidth": work.act_width,
        "WeightBits": work.weight_bits, "AccWidth": 32 if wide else 24, "Symmetric": int(design["symmetric"]),
        "OfflineNegation": int(design["offline_negation"]), "Precompute": int(design["precompute"]),
        "Pipeline": int(design["pipeline"]), "InputRegister": int(design["input_register"]),
    }  # fmt: skip
    return "lut_core", parameters, work.weight_bits


def _floating(design: Mapping[str, Any], work: LowBit, shape: dict[str, int], wide: bool) -> _Made:
    form = work.form
    assert form is not None
    if design["tile_k"] != design["group"]:
        return f"floating-point sums have one table a step: tile_k must be group, {design['group']}"
    if not design["symmetric"] or design["precompute"]:
        return "floating-point tables are half tables from outside: symmetric on, precompute off"
    out = _FP32 if wide else (form.exp_width, form.man_width)
    parameters = {
        **shape, "Group": design["group"], "ExpWidth": form.exp_width, "ManWidth": form.man_width,
        "AccExpWidth": out[0], "AccManWidth": out[1], "WeightBits": work.weight_bits,
        "OfflineNegation": int(design["offline_negation"]), "Pipeline": int(design["pipeline"]),
        "InputRegister": int(design["input_register"]),
    }  # fmt: skip
    return "lut_core_fp", parameters, work.weight_bits
