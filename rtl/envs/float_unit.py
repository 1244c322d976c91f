"""Floating-point units, exact and approximate: format, rules and approximation to performance, cost and error."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.core import Designs, Evaluations, Metric, Simulator
from archgym.errors import UnknownName
from archgym.rtl.block import Block
from archgym.rtl.envs.clocks import check_flow, clock_parameter, period_ns
from archgym.rtl.envs.score import SETTLED, VERSION, Job, buildable, score
from archgym.rtl.floating.accuracy import draw, relative, snr_db
from archgym.rtl.floating.formats import BF16, E4M3, E5M2, FP16, FP32, Format, Words
from archgym.rtl.floating.rounding import encode
from archgym.rtl.flow.point import METRICS as MEASURED, Point, Workload
from archgym.rtl.library import block
from archgym.space import DesignSpace, Parameter

__all__ = ["METRICS", "FloatUnit"]

_FORMATS = {"bf16": BF16, "fp16": FP16, "e4m3": E4M3, "e5m2": E5M2}
_UNITS = {"multiply": "fp_mul", "l-mul": "l_mul", "fma": "fp_fma", "chain": "fma_pe", "dot": "fma_dot"}
_NORMALISE = ("none", "approximate", "exact")
_LENGTH, _SUMS, _PRODUCTS = 256, 256, 1 << 16  # of sums, sums, products that errors are measured on
_BEATS = 96

METRICS = (
    Metric("error_mean_percent", "%", "none", "Mean relative error of products (its sign is the bias)."),
    Metric("error_mean_abs_percent", "%", "minimize", "Mean relative size of the error of products."),
    Metric("error_max_percent", "%", "minimize", "Largest relative error of a product."),
    Metric("snr_db", "dB", "maximize", f"Signal over noise of sums of {_LENGTH} products; at most 200."),
    *MEASURED,
    SETTLED,
)

_WORKLOADS = {
    "gaussian": "standard normal operands",
    "uniform": "operands uniform in [-1, 1)",
}


def _space() -> DesignSpace:
    return DesignSpace(
        [
            Parameter("unit", tuple(_UNITS), "categorical", "", "unit",
                      "Multiplier, L-Mul, fused multiply-add, its element in a chain, or dot product of one element."),
            Parameter("format", tuple(_FORMATS), "categorical", "", "operands", "Of the operands."),
            Parameter("result", ("same", "fp32"), "categorical", "", "operands", "Format of the result."),
            Parameter("subnormals", (False, True), "boolean", "", "rules", "Subnormals are numbers, not zero."),
            Parameter("truncate", (False, True), "boolean", "", "rules", "Results are cut, not rounded to nearest."),
            Parameter("saturate", (False, True), "boolean", "", "rules", "Overflow gives the largest number."),
            Parameter("normalise", _NORMALISE, "categorical", "", "sum", "Partial sums of a chain."),
            Parameter("norm_k", (1, 2, 3), "ordinal", "bit", "sum", "First shift of approximate normalisation."),
            Parameter("norm_lambda", (1, 2, 3), "ordinal", "bit", "sum", "Its further shift."),
            Parameter("sum_width", (12, 16, 20, 24, 32), "ordinal", "bit", "sum", "Significand of partial sums."),
            Parameter("kept_bits", (1, 2, 3, 4, 7, 10), "ordinal", "bit", "l-mul", "Mantissa bits of the adder."),
            Parameter("input_truncate", (False, True), "boolean", "", "l-mul", "Operands are cut, not rounded."),
            Parameter("offset_shift", (0, 1, 2, 3, 4), "ordinal", "bit", "l-mul", "l of the offset 2**-l; 0: none."),
            Parameter("pipeline", (1, 2, 3), "ordinal", "", "timing", "Registers from input to output."),
            clock_parameter(),
        ],
        canonical=_canonical,
    )  # fmt: skip


_RULES = {"subnormals", "truncate", "saturate"}
_CHAIN = {"subnormals", "normalise", "norm_k", "norm_lambda", "sum_width"}
_LIVE = {
    "multiply": {"result", *_RULES},
    "l-mul": {"saturate", "kept_bits", "input_truncate", "offset_shift"},
    "fma": {"result", *_RULES},
    "chain": _CHAIN,
    "dot": {"result", *_RULES, *_CHAIN},
}
"""Parameters that mean something to a unit, beside format, pipeline and clock."""


def _canonical(designs: Designs) -> Designs:
    """What a unit does not have cannot matter."""
    found: Designs = designs.copy()
    for index, unit in enumerate(_UNITS):
        rows = found[:, 0] == index
        dead = [column for column, name in enumerate(_NAMES) if name in _OPTIONAL - _LIVE[unit]]
        found[np.ix_(rows, dead)] = 0
    other = found[:, _NAMES.index("normalise")] != _NORMALISE.index("approximate")
    found[np.ix_(other, [_NAMES.index("norm_k"), _NAMES.index("norm_lambda")])] = 0
    return found


_OPTIONAL = set().union(*_LIVE.values())
_SPACE = _space()
_NAMES = [parameter.name for parameter in _SPACE.parameters]


class FloatUnit(Simulator):
    """Floating-point units on random operands; see `rtl/VALIDATION.md`."""

    name = "float-unit"
    version = f"1-{VERSION}"
    metrics = METRICS
    workloads = tuple(_WORKLOADS)

    def __init__(self, technology: str = "generic45", effort: str = "normal") -> None:
        """Build for a technology.

        Args:
            technology: name of one, or path of a Liberty file.
            effort: how many recipes of synthesis are tried: "quick", "normal", "high".

        Raises:
            UnknownName: for an unknown technology or effort.
        """
        check_flow(technology, effort)
        self.space = _SPACE
        self.options = {"technology": technology, "effort": effort}

    def simulate(self, designs: Designs, workload: str) -> Evaluations:
        """Measure designs on operands of a distribution.

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
        unit, form = block(_UNITS[design["unit"]]), _FORMATS[design["format"]]
        parameters = {name: value for name, value in _parameters(design, form).items() if name in _names(unit)}
        reason = unit.reject(parameters)
        if reason:
            return Job(None, reason)
        draws = Workload(f"{workload} {design['format']}", _draw(form, workload), _BEATS)
        point = Point(
            unit,
            parameters,
            self.options["technology"],
            period_ns(design["clock_ns"]),
            draws,
            effort=self.options["effort"],
        )
        return Job(point, extra=_errors(unit.name, tuple(sorted(parameters.items())), form, workload))


def _names(unit: Block) -> set[str]:
    return {parameter.name for parameter in unit.parameters}


def _parameters(design: Mapping[str, Any], form: Format) -> dict[str, int]:
    """Of all the units."""
    out = FP32 if design["result"] == "fp32" else form
    return {
        "ExpWidth": form.exp_width, "ManWidth": form.man_width, "Specials": form.specials,
        "OutExpWidth": out.exp_width, "OutManWidth": out.man_width, "OutSpecials": out.specials,
        "Subnormals": int(design["subnormals"]), "Round": int(design["truncate"]), "Saturate": int(design["saturate"]),
        "Normalise": _NORMALISE.index(design["normalise"]), "NormK": design["norm_k"],
        "NormLambda": design["norm_lambda"], "SumWidth": design["sum_width"], "KeptBits": design["kept_bits"],
        "InputRound": int(design["input_truncate"]), "OffsetShift": design["offset_shift"],
        "Pipeline": design["pipeline"],
    }  # fmt: skip


def _draw(form: Format, kind: str) -> Any:
    def words(rng: np.random.Generator, shape: tuple[int, ...], _width: int) -> Words:
        return encode(form, draw(kind, rng, shape))  # type: ignore[arg-type]  # a checked name

    return words


# -- accuracy -------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _errors(name: str, parameters: tuple[tuple[str, int], ...], form: Format, kind: str) -> dict[str, float]:
    """Errors of products of the operands as the format holds them; signal to noise against unrounded operands."""
    p = dict(parameters)
    rng = np.random.default_rng(0)
    x, y = draw(kind, rng, (2, _PRODUCTS))  # type: ignore[arg-type]  # a checked name
    a, b = encode(form, x), encode(form, y)
    single = relative(_products(name, p, form, a, b), form.values(a) * form.values(b))
    found = _sums(name, p, form, a.reshape(_SUMS, _LENGTH), b.reshape(_SUMS, _LENGTH))
    noise = snr_db(found, (x * y).reshape(_SUMS, _LENGTH).sum(axis=1))
    return {
        "error_mean_percent": 100 * single.mean,
        "error_mean_abs_percent": 100 * single.mean_abs,
        "error_max_percent": 100 * single.max_abs,
        "snr_db": float(np.clip(np.nan_to_num(noise, nan=-200.0), -200.0, 200.0)),
    }


def _products(name: str, p: dict[str, int], form: Format, a: Words, b: Words) -> NDArray[np.float64]:
    if name in {"fma_pe", "fma_dot"}:
        return _dots(p, form, a[:, None], b[:, None])
    streams = {"a_i": a, "b_i": b, "c_i": np.zeros_like(a)}
    return _out(p, form).values(block(name).golden(p, streams)["result_o"])


def _sums(name: str, p: dict[str, int], form: Format, a: Words, b: Words) -> NDArray[np.float64]:
    """Sums over the last axis; products of a multiplier are added exactly."""
    if name in {"fma_pe", "fma_dot"}:
        return _dots(p, form, a, b)
    if name != "fp_fma":
        return np.asarray(_products(name, p, form, a.ravel(), b.ravel()).reshape(a.shape).sum(axis=1))
    total = np.zeros(len(a), dtype=np.int64)
    for step in range(a.shape[1]):
        streams = {"a_i": a[:, step], "b_i": b[:, step], "c_i": total}
        total = block(name).golden(p, streams)["result_o"]
    return _out(p, form).values(total)


def _dots(p: dict[str, int], form: Format, a: Words, b: Words) -> NDArray[np.float64]:
    """Packets through a chain; what leaves an element alone is rounded to FP32."""
    rounded = {"Round": 0, "Saturate": 0, "OutExpWidth": 8, "OutManWidth": 23, "OutSpecials": 0}
    whole = {**rounded, **p}
    last = np.zeros(a.shape, dtype=np.int64)
    last[:, -1] = 1
    streams = {"a_i": a.ravel(), "b_i": b.ravel(), "last_i": last.ravel()}
    return _out(whole, form).values(block("fma_dot").golden(whole, streams)["result_o"])


def _out(p: dict[str, int], form: Format) -> Format:
    """Of the result; L-Mul's is that of the operands."""
    return Format(p["OutExpWidth"], p["OutManWidth"], p["OutSpecials"]) if "OutExpWidth" in p else form
