"""Dot products of block formats (MX and NV, integer and floating point): format and pipeline to cost and accuracy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, final

import numpy as np

from archgym.core import Designs, Evaluations, Metric, Simulator
from archgym.errors import InvalidInput, UnknownName
from archgym.rtl.block import Draw, Parameters, Streams
from archgym.rtl.envs.clocks import check_flow, clock_parameter, period_ns
from archgym.rtl.envs.score import SETTLED, VERSION, Job, buildable, score
from archgym.rtl.floating.accuracy import draw as draw_values
from archgym.rtl.flow.point import METRICS as MEASURED, Point, Workload
from archgym.rtl.formats.block_formats import FORMATS, BlockFormat, block_format
from archgym.rtl.formats.quantise import qsnr_db, quantise
from archgym.rtl.library import block
from archgym.space import DesignSpace, Parameter

__all__ = ["METRICS", "BlockDot"]

_WORKLOADS = {"gaussian": "standard normal tensors", "uniform": "tensors uniform in [-1, 1)"}
_BLOCKS = 4096  # on which quantisation noise is measured
_BEATS = 64
_LANES = (None, 4, 8, 16)

METRICS = (
    Metric("qsnr_db", "dB", "maximize", "Signal over quantisation noise of a tensor in the format."),
    Metric("area_per_mac_um2", "um2", "minimize", "Area over multiply-accumulates a cycle."),
    *MEASURED,
    SETTLED,
)


def _space() -> DesignSpace:
    return DesignSpace(
        [
            Parameter("format", tuple(each.name.lower() for each in FORMATS), "categorical", "", "format",
                      "Elements and scales; blocks of 32 (MX) or 16 (NV) elements, all in one beat."),
            Parameter("align_width", (10, 12, 16, 20, 24, 32), "ordinal", "bit", "adder",
                      "Window in which products are aligned (floating point)."),
            Parameter("merge", (False, True), "boolean", "", "adder",
                      "One tree of all partial products instead of products and a tree (integers)."),
            Parameter("subnormals", (False, True), "boolean", "", "result", "FP32 subnormals are numbers, not zero."),
            Parameter("pipeline", (1, 2, 3, 4), "ordinal", "", "timing", "Registers from input to output."),
            clock_parameter(),
        ],
        canonical=_canonical,
    )  # fmt: skip


def _canonical(designs: Designs) -> Designs:
    """Integers need no alignment, and floating point has no tree of partial products."""
    found: Designs = designs.copy()
    integer = np.array([form.integer for form in FORMATS])[found[:, 0]]
    found[integer, 1] = 0
    found[~integer, 2] = 0
    return found


class BlockDot(Simulator):
    """Dot products of blocks with shared scales; see `rtl/VALIDATION.md`."""

    name = "block-dot"
    version = f"1-{VERSION}"
    metrics = METRICS
    workloads = tuple(_WORKLOADS)

    def __init__(self, technology: str = "generic45", effort: str = "normal", lanes: int | None = None) -> None:
        """Build for a technology.

        Args:
            technology: name of one, or path of a Liberty file.
            effort: how many recipes of synthesis are tried: "quick", "normal", "high".
            lanes: elements of a block in a beat; None: all of them.

        Raises:
            UnknownName: for an unknown technology or effort.
            InvalidInput: for lanes that do not divide the blocks.
        """
        check_flow(technology, effort)
        if lanes not in _LANES:
            raise InvalidInput(f"lanes must be 4, 8 or 16, or null for whole blocks; got {lanes!r}")
        self.space = _space()
        self.options = {"technology": technology, "effort": effort, "lanes": lanes}

    def simulate(self, designs: Designs, workload: str) -> Evaluations:
        """Measure designs on tensors of a distribution, quantised to the format.

        Raises:
            InvalidInput: for designs outside the space.
            UnknownName: for an unknown workload.
        """
        if workload not in _WORKLOADS:
            raise UnknownName("workload", workload, _WORKLOADS)
        rows = self.space.validate(self.canonical(self.space.validate(designs)))
        return score([self._job(self.space.decode(row), workload) for row in rows], METRICS)

    def point(self, design: Mapping[str, Any], workload: str) -> Point:
        """What a design is measured as, to build it (`archgym rtl emit`).

        Raises:
            InvalidInput: the design cannot be built.
            UnknownName: for an unknown workload.
        """
        if workload not in _WORKLOADS:
            raise UnknownName("workload", workload, _WORKLOADS)
        return buildable(self._job(design, workload))

    def _job(self, design: Mapping[str, Any], workload: str) -> Job:
        form = block_format(design["format"].upper())
        unit = block("int_dot" if form.integer else "fp_dot")
        lanes = self.options["lanes"] or form.block
        every = _parameters(design, form, lanes)
        parameters = {parameter.name: every[parameter.name] for parameter in unit.parameters}
        reason = unit.reject(parameters)
        if reason:
            return Job(None, reason)
        steps = Workload(f"{workload} {form.name}", beats=_BEATS, make=_Tensor(form, workload))
        point = Point(
            unit,
            parameters,
            self.options["technology"],
            period_ns(design["clock_ns"]),
            steps,
            effort=self.options["effort"],
        )
        return Job(point, extra={"qsnr_db": _noise(form, workload)})


def _parameters(design: Mapping[str, Any], form: BlockFormat, lanes: int) -> dict[str, int]:
    """Of both blocks."""
    return {
        "Width": 1 + form.man_width, "Lanes": lanes, "Scale": form.scale,
        "Subnormals": int(design["subnormals"]), "Pipeline": design["pipeline"], "Merge": int(design["merge"]),
        "ExpWidth": form.exp_width, "ManWidth": form.man_width, "Specials": form.specials,
        "AlignWidth": design["align_width"],
    }  # fmt: skip


@final
@dataclass(frozen=True)
class _Tensor:
    """Beats of one packet: random tensors in a format."""

    form: BlockFormat
    kind: str

    def __call__(self, p: Parameters, rng: np.random.Generator, n: int, _draw: Draw) -> Streams:
        values = draw_values(self.kind, rng, (2, n, self.form.block))  # type: ignore[arg-type]  # a checked name
        a, b = quantise(self.form, values[0]), quantise(self.form, values[1])
        last = np.zeros(n, dtype=np.int64)
        last[-1] = 1
        here = slice(p["Lanes"])
        return {
            "a_i": a.elements[:, here], "b_i": b.elements[:, here], "scale_a_i": a.scales, "scale_b_i": b.scales,
            "last_i": last,
        }  # fmt: skip


@lru_cache(maxsize=64)
def _noise(form: BlockFormat, kind: str) -> float:
    values = draw_values(kind, np.random.default_rng(0), (_BLOCKS, form.block))  # type: ignore[arg-type]
    return qsnr_db(form, values)
