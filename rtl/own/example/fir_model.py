"""Golden model of fir.sv: what it computes, when, from which samples, and how much work that is."""

from __future__ import annotations

from math import comb
from typing import Any

import numpy as np


def golden(parameters: dict[str, int], inputs: dict[str, Any]) -> dict[str, Any]:
    """Rows of inputs to rows of outputs; row 0 comes after silence."""
    taps = parameters["Taps"]
    coefficients = [comb(taps - 1, k) for k in range(taps)]
    samples = inputs["x_i"]
    return {"y_o": np.convolve(samples, coefficients)[: len(samples)]}


def latency(parameters: dict[str, int]) -> int:
    """Clock edges from a sample to its output."""
    return 2 + parameters["Pipeline"]


def macs(parameters: dict[str, int], inputs: dict[str, Any]) -> float:
    """Multiply-accumulates of these rows: one a tap and sample."""
    return parameters["Taps"] * len(inputs["x_i"])


def stimulus_tone(parameters: dict[str, int], rng: np.random.Generator, n: int) -> dict[str, Any]:
    """A tone of random pitch at 3/4 of full scale with some noise: the workload `tone`."""
    full = 2 ** (parameters["Width"] - 1) - 1
    wave = 0.75 * np.sin(rng.uniform(0.02, 0.4) * np.arange(n) + rng.uniform(0, 6.28))
    noisy = full * (wave + rng.normal(0, 0.02, n))
    return {"x_i": np.clip(np.rint(noisy), -full - 1, full).astype(np.int64)}
