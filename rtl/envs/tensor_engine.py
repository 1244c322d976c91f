"""Tensor engines on matrix products: engine, multiplier, accumulation, shape and clock to performance, power and area.

The engines are the four classic ones of arXiv 2503.06342 (systolic array in two forms, 3D cube, multiplier-adder tree,
2D matrix) with every multiplier of the library, and its sparse digit engines.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

import numpy as np

from archgym.core import Designs, Evaluations, Simulator
from archgym.errors import InvalidInput
from archgym.rtl.array import tiling
from archgym.rtl.array.digit_rows import packet
from archgym.rtl.array.golden import depth, rows
from archgym.rtl.array.stimuli import os_tiles, ws_tiles
from archgym.rtl.block import Draw, Parameters, Stimulus, Streams
from archgym.rtl.envs.clocks import check_flow, clock_parameter, period_ns
from archgym.rtl.envs.score import METRICS, VERSION, Job, buildable, score
from archgym.rtl.envs.workloads import NAMES as WORKLOADS, Work, work as find_work
from archgym.rtl.flow.point import Point, Workload
from archgym.rtl.library import block
from archgym.space import DesignSpace, Parameter

__all__ = ["ENGINES", "MULTIPLIERS", "TensorEngine"]

ENGINES = {
    "systolic-os": "systolic_os",
    "systolic-ws": "systolic_ws",
    "matrix-2d": "matrix2d",
    "cube": "cube",
    "adder-tree": "adder_tree",
    "digits": "digit_array",
}
"""Names of the space and blocks of the library."""
MULTIPLIERS = ("behavioural", "booth", "booth-edge", "ent-edge", "ent-buffer")
"""In the order of the RTL's parameter `Multiplier`."""

_SIZES = (4, 8, 16, 32, 64)
_LARGEST = 32
"""Of the default space: a design with 64 rows and columns takes two to five minutes of a core."""
_BEATS = 96  # of a stimulus
_LONGEST = 512
"""Products of a sum of digits that is played, at most: reading 32 columns four times is a tenth of its cycles."""


def _space(largest: int = _LARGEST) -> DesignSpace:
    sizes = tuple(size for size in _SIZES if size <= largest)
    return DesignSpace(
        [
            Parameter("engine", tuple(ENGINES), "categorical", "", "engine", "Arrangement of the elements."),
            Parameter("rows", sizes, "ordinal", "", "shape", "Rows (the adder tree has one)."),
            Parameter("cols", sizes, "ordinal", "", "shape", "Columns."),
            Parameter("depth", sizes, "ordinal", "", "shape", "Products an element adds up in space (cube, tree)."),
            Parameter("multiplier", MULTIPLIERS, "categorical", "", "element",
                      "Of the element; encoders of Booth or EN-T digits inside, at the edge, or before the buffer."),
            Parameter("carry_save", (False, True), "boolean", "", "element",
                      "Sums stay pairs until they leave the array (OPT1)."),
            Parameter("by_bit_weight", (False, True), "boolean", "", "element",
                      "Terms of a bit weight are added first, then shifted (OPT2; cube, tree)."),
            Parameter("width", (4, 8, 16), "ordinal", "bit", "operands", "Operands that the hardware takes."),
            Parameter("acc_width", (24, 32, 48), "ordinal", "bit", "operands", "Accumulators."),
            Parameter("pipeline", (False, True), "boolean", "", "timing", "A register before the accumulator."),
            Parameter("double_buffer", (False, True), "boolean", "", "timing",
                      "Reading results (or loading weights) overlaps the next tile."),
            Parameter("digits_per_cycle", (1, 2, 4), "ordinal", "", "digits", "Of an element: 1 is OPT4C, 4 OPT4E."),
            Parameter("skip_empty", (False, True), "boolean", "", "digits", "Groups of zeros take no cycle."),
            Parameter("slack", (0, 1, 2), "ordinal", "", "digits", "Beats that a row may be ahead of another."),
            Parameter("sum_in_element", (False, True), "boolean", "", "digits",
                      "Bit weights are added up in the elements, not once a pass outside."),
            clock_parameter(),
        ],
        canonical=_canonical,
    )  # fmt: skip


_GROUPS_OF_DIGITS = 4  # operands of a group, as in the published RTL
_DIGITS = {"digits_per_cycle", "skip_empty", "slack", "sum_in_element"}
_DEAD = {
    "systolic-os": {"depth", "by_bit_weight", *_DIGITS},
    "systolic-ws": {"depth", "by_bit_weight", "pipeline", *_DIGITS},
    "matrix-2d": {"depth", "by_bit_weight", *_DIGITS},
    "cube": _DIGITS,
    "adder-tree": {"rows", *_DIGITS},
    "digits": {"depth", "carry_save", "by_bit_weight", "pipeline", "double_buffer"},
}
"""Parameters that mean nothing to an engine."""


def _canonical(designs: Designs) -> Designs:
    """What an engine does not have cannot matter; digits are always EN-T, at the edge unless before the buffer."""
    found: Designs = designs.copy()
    for index, engine in enumerate(ENGINES):
        rows = found[:, 0] == index
        found[np.ix_(rows, [_NAMES.index(name) for name in _DEAD[engine]])] = 0
    digits = found[:, 0] == list(ENGINES).index("digits")
    column, edge = _NAMES.index("multiplier"), MULTIPLIERS.index("ent-edge")
    found[digits, column] = np.maximum(found[digits, column], edge)
    return found


_NAMES = [parameter.name for parameter in _space().parameters]


class TensorEngine(Simulator):
    """Tensor engines in RTL, synthesised, timed and simulated; see `rtl/VALIDATION.md`."""

    name = "tensor-engine"
    version = f"1-{VERSION}"
    metrics = METRICS
    workloads = WORKLOADS

    def __init__(self, technology: str = "generic45", effort: str = "normal", largest: int = _LARGEST) -> None:
        """Build for a technology.

        Args:
            technology: name of one, or path of a Liberty file.
            effort: how many recipes of synthesis are tried: "quick", "normal", "high".
            largest: rows, columns and depth at most, 4 to 64; 32 takes about a minute a design, 64 two to five.

        Raises:
            UnknownName: for an unknown technology or effort.
            InvalidInput: for a `largest` that no array has.
        """
        check_flow(technology, effort)
        if largest not in _SIZES:
            raise InvalidInput(f"largest must be one of {', '.join(map(str, _SIZES))}, got {largest!r}")
        self.space = _space(largest)
        self.options = {"technology": technology, "effort": effort, "largest": largest}

    def simulate(self, designs: Designs, workload: str) -> Evaluations:
        """Measure designs on a matrix product.

        Raises:
            InvalidInput: for designs outside the space or a malformed workload.
            UnknownName: for an unknown workload.
        """
        work = find_work(workload)
        rows = self.space.validate(self.canonical(self.space.validate(designs)))
        return score([self._job(self.space.decode(row), work) for row in rows])

    def workload_fingerprint(self, workload: str) -> str:
        """The workload, spelt out.

        Raises:
            InvalidInput: for a malformed workload.
            UnknownName: for an unknown one.
        """
        return repr(find_work(workload))

    def point(self, design: Mapping[str, Any], workload: str) -> Point:
        """What a design is measured as, to build it (`archgym rtl emit`).

        Raises:
            InvalidInput: the design cannot be built.
            UnknownName: for an unknown workload.
        """
        return buildable(self._job(design, find_work(workload)))

    def _job(self, design: Mapping[str, Any], work: Work) -> Job:
        reason = _too_narrow(design, work)
        if reason:
            return Job(None, reason)
        unit = block(ENGINES[design["engine"]])
        every = _parameters(design)
        parameters = {parameter.name: every[parameter.name] for parameter in unit.parameters}
        reason = unit.reject(parameters)
        if reason:
            return Job(None, reason)
        steps = _steps(unit.name, work)
        point = Point(
            unit,
            parameters,
            self.options["technology"],
            period_ns(design["clock_ns"]),
            steps,
            effort=self.options["effort"],
        )
        if unit.name == "digit_array":  # its rate depends on the operands: as simulated
            return Job(point, slots=_slots(parameters, work), macs=work.macs)
        return Job(point, "", tiling.tiling(unit.name, parameters, work.products).cycles, work.macs)


def _one_tile(p: Parameters, rng: np.random.Generator, n: int, draw: Draw) -> Streams:
    """A tile of n steps: the sums of layers are hundreds of products long."""
    deep = depth(p)
    a, b = draw(rng, (n, rows(p) * deep), p["Width"]), draw(rng, (n, p["Cols"] * deep), p["Width"])
    return os_tiles(p, [(a, b)])


def _one_load(p: Parameters, rng: np.random.Generator, n: int, draw: Draw) -> Streams:
    """Weights once, then n rows of operands: layers have hundreds."""
    return ws_tiles(p, [(draw(rng, (p["Rows"], p["Cols"]), p["Width"]), draw(rng, (n, p["Rows"]), p["Width"]))])


def _packets(products: int) -> Stimulus:
    """Whole sums of so many products, a packet each: a digit engine's rate depends on how often it reads them."""

    def make(p: Parameters, rng: np.random.Generator, n: int, draw: Draw) -> Streams:
        operands = p["Encoders"] * p["Lanes"]
        beats = ceil(products / operands)
        each = []
        for _ in range(max(1, n // _BEATS)):
            a = draw(rng, (beats, p["Rows"] * operands), p["Width"])
            each.append(packet(p, a, draw(rng, (beats, p["Columns"] * operands), p["Width"])))
        return {name: np.concatenate([streams[name] for streams in each]) for name in each[0]}

    return make


def _steps(name: str, work: Work) -> Workload:
    """What is played to a block."""
    title = f"{work.bits} {work.deviation}"
    if name == "digit_array":
        products = min(work.longest, _LONGEST)
        return Workload(f"{title} {products}", work.draw, _BEATS, make=_packets(products))
    return Workload(title, work.draw, _BEATS, make=_one_load if name == "systolic_ws" else _one_tile)


def _slots(p: Parameters, work: Work) -> float:
    """Multiply-accumulates of the products with their tiles filled up."""
    group = p["Encoders"] * p["Lanes"]
    return float(
        sum(
            ceil(each.m / p["Rows"]) * p["Rows"] * ceil(each.n / p["Columns"]) * p["Columns"]
            * ceil(each.k / group) * group * each.count
            for each in work.products
        )
    )  # fmt: skip


def _too_narrow(design: Mapping[str, Any], work: Work) -> str:
    """Why the hardware cannot hold the workload's numbers, or nothing."""
    if design["width"] < work.bits:
        return f"width {design['width']} is too narrow for operands of {work.bits} bits"
    if design["acc_width"] < work.sum_bits:
        return f"acc_width {design['acc_width']} cannot hold sums of {work.longest} products: {work.sum_bits} bits"
    return ""


def _parameters(design: Mapping[str, Any]) -> dict[str, int]:
    """Of all the engines."""
    return {
        "Rows": design["rows"], "Cols": design["cols"], "Columns": design["cols"], "Depth": design["depth"],
        "Width": design["width"], "AccWidth": design["acc_width"],
        "Multiplier": MULTIPLIERS.index(design["multiplier"]), "CarrySave": int(design["carry_save"]),
        "Reduction": int(design["by_bit_weight"]), "Pipeline": int(design["pipeline"]),
        "ResultBuffer": int(design["double_buffer"]), "WeightBuffer": int(design["double_buffer"]),
        "Encoders": design["digits_per_cycle"], "Lanes": _GROUPS_OF_DIGITS, "SkipEmpty": int(design["skip_empty"]),
        "Slack": design["slack"], "Horner": int(design["sum_in_element"]),
    }  # fmt: skip
