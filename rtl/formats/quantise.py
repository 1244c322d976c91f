"""Quantisers of the block formats, and the signal-to-noise ratio they leave.

The scale of a block is its largest magnitude over the largest element: rounded up to a power of two for UE8M0, so that
nothing clips, or to the nearest E4M3 of what remains under a scale for the whole tensor. Source: arXiv 2510.25602,
section 3; the tensor's scale: NVIDIA, NVFP4 (largest E4M3, 448, times the largest element).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from archgym.errors import InvalidInput
from archgym.rtl.floating.formats import E4M3, Words
from archgym.rtl.floating.rounding import Rules, encode
from archgym.rtl.formats.block_formats import SCALE_UE8M0, BlockFormat

__all__ = ["Crest", "Quantised", "crest", "predicted_qsnr_db", "qsnr_db", "quantise"]

Floats = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class Quantised:
    """Blocks in a format: `elements` int64[n, block] (signed integers or words), `scales` int64[n] (words)."""

    form: BlockFormat
    elements: Words
    scales: Words
    tensor_scale: float = 1.0

    def scale_values(self) -> Floats:
        """What the scales mean, float64[n], without the tensor's."""
        if self.form.scale == SCALE_UE8M0:
            return np.ldexp(1.0, self.scales - 127)
        return E4M3.values(self.scales)

    def values(self) -> Floats:
        """What the blocks mean, float64[n, block]."""
        return self.form.values(self.elements) * self.scale_values()[:, None] * self.tensor_scale


def quantise(form: BlockFormat, values: Floats) -> Quantised:
    """Round float64[n, block] to a format.

    Raises:
        InvalidInput: when the blocks have another length or a value is not finite.
    """
    if values.ndim != 2 or values.shape[1] != form.block:
        raise InvalidInput(f"{form.name} takes blocks of shape [n, {form.block}], got {list(values.shape)}")
    if not np.isfinite(values).all():
        raise InvalidInput(f"{form.name} takes finite values, got {values[~np.isfinite(values)][0]}")
    peak = np.abs(values).max(axis=1)
    if form.scale == SCALE_UE8M0:
        tensor_scale = 1.0
        exponent = np.ceil(np.log2(np.where(peak > 0, peak, 1.0) / form.largest))
        scales = np.clip(exponent, -127, 127).astype(np.int64) + 127
    else:
        tensor_scale = float(peak.max(initial=0.0)) / (float(E4M3.values(np.array(E4M3.largest))) * form.largest) or 1.0
        scales = encode(E4M3, peak / form.largest / tensor_scale, Rules(saturate=True))
    empty = Quantised(form, np.zeros(values.shape, dtype=np.int64), scales, tensor_scale)
    step = empty.scale_values() * tensor_scale
    units = values / np.where(step > 0, step, 1.0)[:, None]
    return Quantised(form, _elements(form, units), scales, tensor_scale)


def _elements(form: BlockFormat, units: Floats) -> Words:
    if form.integer:
        most = 2**form.man_width - 1
        return np.clip(np.round(units * 2.0 ** (form.man_width - 1)), -most, most).astype(np.int64)
    return encode(form.element, units, Rules(saturate=True))


def qsnr_db(form: BlockFormat, values: Floats) -> float:
    """10 log10 of signal power over quantisation noise power, dB."""
    noise = np.sum((quantise(form, values).values() - values) ** 2)
    with np.errstate(divide="ignore"):
        return float(10 * np.log10(np.sum(values**2) / noise))


@final
@dataclass(frozen=True)
class Crest:
    """What the formulas take from data: root mean squares over blocks."""

    kappa: float
    """Crest factor: a block's peak over the standard deviation."""
    rho: float
    """By how much scales exceed the ideal ones, weighted with the peaks."""


def crest(form: BlockFormat, values: Floats) -> Crest:
    """Crest factor and scale overhead of float64[n, block] in a format."""
    peak = np.abs(values).max(axis=1)
    quantised = quantise(form, values)
    steps = quantised.scale_values() * quantised.tensor_scale * form.largest
    power = float(np.mean(peak**2))
    return Crest(float(np.sqrt(power / np.mean(values**2))), float(np.sqrt(np.mean(steps**2) / power)))


def predicted_qsnr_db(form: BlockFormat, factors: Crest) -> float:
    """The closed form of arXiv 2510.25602, section 4.

    Integers of b bits: 4.78 + 6.02 b - 20 log10(rho) - 20 log10(kappa) with UE8M0 scales; with E4M3 scales without rho
    but plus 10 log10(g/(g-1)), as the largest of g elements is exact. Floating point with ample exponents and M
    mantissa bits: 13.80 + 6.02 M, whatever the data.
    """
    if not form.integer:
        return 13.80 + 6.02 * form.man_width
    noise = 4.78 + 6.02 * form.width - 20 * np.log10(factors.kappa)
    if form.scale == SCALE_UE8M0:
        return float(noise - 20 * np.log10(factors.rho))
    return float(noise + 10 * np.log10(form.block / (form.block - 1)))
