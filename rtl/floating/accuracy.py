"""How far an approximate unit is from exact arithmetic: errors of products, signal-to-noise of dot products."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from archgym.errors import UnknownName
from archgym.rtl.floating.formats import Format, Words
from archgym.rtl.floating.fused import Chain, dot
from archgym.rtl.floating.rounding import encode

__all__ = [
    "DISTRIBUTIONS",
    "Error",
    "draw",
    "every_mantissa",
    "products",
    "relative",
    "snr_db",
    "sum_snr",
]

Floats: TypeAlias = NDArray[np.float64]
Distribution: TypeAlias = Literal["gaussian", "uniform"]
Unit: TypeAlias = Callable[[Words, Words], Words]
"""A two-operand unit on the words of one format."""

DISTRIBUTIONS: tuple[Distribution, ...] = ("gaussian", "uniform")


@final
@dataclass(frozen=True)
class Error:
    """Relative errors (found - exact) / exact where the exact value is neither zero nor infinite: ratios, not per cent.

    `lost` is the share of operands for which the unit gave no number although the exact value is one.
    """

    mean: float
    mean_abs: float
    max_abs: float
    rms: float
    lost: float = 0.0


def relative(found: Floats, exact: Floats) -> Error:
    """Relative errors of values of one shape; all NaN when there is nothing to compare."""
    fair = np.isfinite(exact) & (exact != 0)
    number = fair & np.isfinite(found)
    error = (found[number] - exact[number]) / exact[number]
    lost = 1 - int(number.sum()) / max(1, int(fair.sum()))
    if not len(error):
        return Error(np.nan, np.nan, np.nan, np.nan, lost)
    size = np.abs(error)
    return Error(float(error.mean()), float(size.mean()), float(size.max()), float(np.sqrt(np.mean(error**2))), lost)


def draw(kind: Distribution, rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Operands of mean 0: standard normal, or uniform in [-1, 1).

    Raises:
        UnknownName: for another distribution.
    """
    if kind == "gaussian":
        return rng.standard_normal(shape)
    if kind == "uniform":
        return rng.uniform(-1.0, 1.0, shape)
    raise UnknownName("distribution", str(kind), DISTRIBUTIONS)


def every_mantissa(form: Format) -> tuple[Words, Words]:
    """All pairs of mantissas at exponent 0: all that errors of a scale-free multiplier depend on."""
    words = (form.bias << form.man_width) + np.arange(1 << form.man_width, dtype=np.int64)
    return np.repeat(words, len(words)), np.tile(words, len(words))


def products(
    unit: Unit, form: Format, kind: Distribution | None = None, *, n: int = 1 << 16, seed: int = 0, source: bool = False
) -> Error:
    """Errors of a multiplier against the exact product.

    Operands are n random ones of a distribution, rounded to the format, or every pair of mantissas when `kind` is
    None. With `source` the exact product is that of the operands before they were rounded.
    """
    if kind is None:
        a, b = every_mantissa(form)
        x, y = form.values(a), form.values(b)
    else:
        x, y = draw(kind, np.random.default_rng(seed), (2, n))
        a, b = encode(form, x), encode(form, y)
    if not source:
        x, y = form.values(a), form.values(b)
    return relative(form.values(unit(a, b)), x * y)


def snr_db(found: Floats, exact: Floats) -> float:
    """10 log10 of signal power over noise power, dB; infinite without noise, NaN where a value is no number."""
    noise = float(np.sum((found - exact) ** 2))
    signal = float(np.sum(exact**2))
    with np.errstate(divide="ignore"):
        return float(10 * np.log10(np.float64(signal) / noise)) if noise else np.inf


def sum_snr(chain: Chain, out: Format, kind: Distribution, length: int, *, n: int = 256, seed: int = 0) -> float:
    """Signal-to-noise ratio, dB, of n dot products of `length` operands by a multiply-add chain.

    The reference is the sum in float64 of exact products of the operands as the format holds them.
    """
    x, y = draw(kind, np.random.default_rng(seed), (2, n * length))
    a, b = encode(chain.form, x), encode(chain.form, y)
    last = (np.arange(n * length, dtype=np.int64) % length == length - 1).astype(np.int64)
    exact = (chain.form.values(a) * chain.form.values(b)).reshape(n, length).sum(axis=1)
    return snr_db(out.values(dot(chain, a, b, last, out)), exact)
