"""One CMOS stage driven by a ramp: the differential equation behind every delay of the library.

C dV/dt = I_p(Vin, V) - I_n(Vin, V) is solved once, scaled: with the time in units of C / w (capacitance over width of
the transistor that drives the transition), only the scaled ramp and the ratio of the opposing to the driving width
remain. All stages of all cells are interpolated from that solution (compare Sakurai and Newton, JSSC 25(2), 1990).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import final

import numpy as np
from numpy.typing import NDArray

from archgym.rtl.tech.generic45.process import NMOS, PMOS, THERMAL_V, VDD_V, Transistor

__all__ = ["HIGH", "LOW", "Response", "current", "response", "stack_penalty"]

Floats = NDArray[np.float64]
LOW, HIGH = 0.2, 0.8
"""Slews are measured between these fractions of the supply."""
_RAMPS = np.geomspace(1e-6, 1.0, 61)
"""Scaled slews, ns um/fF: 1 ps into 500 fF/um up to 1 ns into 1 fF/um."""
_RATIOS = np.array([0.0, 0.25, 0.5, 1.0, 1.5, 2.5, 4.0])
"""Opposing over driving width."""
_STEPS = 1500


def current(device: Transistor, gate: Floats, drain: Floats, body: float | Floats = 0.0) -> Floats:
    """Drain current in uA per um of width; voltages from the source, as magnitudes."""
    width = device.onset * THERMAL_V
    threshold = device.threshold_v - device.dibl * drain + device.body * body
    over = width * np.logaddexp(0.0, (gate - threshold) / width)
    saturation = device.saturation_v * (over / (VDD_V - device.threshold_v)) ** (device.alpha / 2) + 3 * THERMAL_V
    fraction = np.clip(drain / saturation, 0.0, 1.0)
    return np.asarray(device.k_ua * over**device.alpha * (2 - fraction) * fraction)


@final
@dataclass(frozen=True)
class Response:
    """Scaled answers to a ramp, float64[ramps, ratios], for an output that falls or that rises."""

    delay: Floats
    slew: Floats
    short_circuit: Floats
    """Charge through both networks, per C x Vdd."""

    def at(self, slew_ns: Floats, ff_per_um: Floats, ratio: float) -> tuple[Floats, Floats, Floats]:
        """Delay (ns), output slew (ns) and short-circuit charge (fraction of C x Vdd) of a stage."""
        x = np.interp(np.log(slew_ns / ff_per_um), np.log(_RAMPS), np.arange(len(_RAMPS)))
        y = np.interp(ratio, _RATIOS, np.arange(len(_RATIOS)))
        i = np.minimum(x.astype(np.int64), len(_RAMPS) - 2)
        j = min(int(y), len(_RATIOS) - 2)
        u, v = x - i, y - j

        def look_up(table: Floats) -> Floats:
            low = table[i, j] * (1 - v) + table[i, j + 1] * v
            high = table[i + 1, j] * (1 - v) + table[i + 1, j + 1] * v
            return np.asarray(low * (1 - u) + high * u)

        scaled = look_up(self.delay) * ff_per_um, look_up(self.slew) * ff_per_um
        return scaled[0], scaled[1], look_up(self.short_circuit)


@lru_cache(maxsize=2)
def response(*, falling: bool) -> Response:
    """The solution for an output that falls (the n network drives) or rises (the p network)."""
    driver, opposer = (NMOS, PMOS) if falling else (PMOS, NMOS)
    ramps, ratios = np.meshgrid(_RAMPS, _RATIOS, indexing="ij")
    duration = ramps / (HIGH - LOW)
    own = VDD_V / float(current(driver, np.array(VDD_V), np.array(VDD_V)))  # ns um/fF to move Vdd at the on-current
    step = (duration + 12 * own) / _STEPS
    output = np.full(ramps.shape, VDD_V)  # distance of the output from the rail it goes to
    crossed = {level: np.full(ramps.shape, np.nan) for level in (HIGH, 0.5, LOW)}
    charge = np.zeros(ramps.shape)

    def slopes(time: Floats, left: Floats) -> tuple[Floats, Floats]:
        gate = VDD_V * np.clip(time / duration, 0.0, 1.0)
        against = ratios * current(opposer, VDD_V - gate, np.maximum(VDD_V - left, 0.0))
        return against - current(driver, gate, np.maximum(left, 0.0)), against

    for index in range(_STEPS):
        time = index * step
        first, lost = slopes(time, output)
        second, _ = slopes(time + step, output + first * step)
        moved = output + (first + second) / 2 * step
        charge += lost * step
        for level, when in crossed.items():
            now = np.isnan(when) & (moved <= level * VDD_V)
            share = (output - level * VDD_V) / np.maximum(output - moved, 1e-12)
            when[now] = (time + share * step)[now]
        output = np.clip(moved, 0.0, VDD_V)
    delay = crossed[0.5] - duration / 2
    return Response(delay, crossed[LOW] - crossed[HIGH], charge / VDD_V)


@lru_cache(maxsize=2)
def stack_penalty(*, falling: bool) -> float:
    """Resistance that a second series transistor adds, in units of the first.

    Of two equal transistors in series the effective current (half-way gate and full drain voltage, and the reverse: Na
    et al., IEDM 2002) is 1 / (1 + penalty) of one: less than one half, as velocity saturation makes the lower drain
    voltages of each cost little.
    """
    device = NMOS if falling else PMOS
    half, full = np.array(VDD_V / 2), np.array(VDD_V)

    def pair(upper_gate: float, drain: float) -> float:
        low, high = 0.0, drain
        for _ in range(60):  # the middle node, by bisection: both transistors carry the same current
            middle = (low + high) / 2
            over = float(current(device, np.array(upper_gate - middle), np.array(drain - middle), middle))
            under = float(current(device, full, np.array(middle)))
            low, high = (middle, high) if over > under else (low, middle)
        return under

    one = float(current(device, half, full) + current(device, full, half))
    two = pair(VDD_V / 2, VDD_V) + pair(VDD_V, VDD_V / 2)
    return one / two - 1
