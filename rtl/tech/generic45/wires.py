"""Capacitance of nets that are not placed: a wire_load model from a stochastic wire-length distribution."""

from __future__ import annotations

import numpy as np

from archgym.rtl.tech.generic45.process import LAYOUT, WIRE_FF

__all__ = ["PER_SINK_FF", "average_gate_pitches"]

_RENT = 0.6
"""Exponent of Rent's rule for logic: Davis, De and Meindl, IEEE TED 45(3), 1998, part I, use 0.6."""
_GATES = 16384
"""The order of a PE array; the average length grows with its 0.1th power only."""
_UTILISATION = 0.7
"""Cell area over placed area, the usual target of placement (OpenROAD-flow-scripts' platforms: 0.55 to 0.8)."""
_PITCHES = 5
"""Gate pitches of a gate of average size, a NAND3 or a complex gate: see VALIDATION.md for mapped designs."""


def average_gate_pitches() -> float:
    """Mean length of a connection in gate pitches, by Davis, De and Meindl (1998), equations 13 to 16."""
    side = np.sqrt(_GATES)
    length = np.arange(1.0, 2 * side)
    near = length**3 / 3 - 2 * side * length**2 + 2 * _GATES * length
    far = (2 * side - length) ** 3 / 3
    density = np.where(length < side, near, far) * length ** (2 * _RENT - 4)
    return float((density * length).sum() / density.sum())


def per_sink_ff() -> float:
    """Wire capacitance that each connection of a net adds."""
    pitch = float(np.sqrt(_PITCHES * LAYOUT.pitch * LAYOUT.height / _UTILISATION))
    return average_gate_pitches() * pitch * WIRE_FF


PER_SINK_FF = per_sink_ff()
