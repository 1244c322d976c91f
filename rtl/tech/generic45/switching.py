"""One stage of a cell when one of its inputs moves: delay, slew and energy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from archgym.rtl.tech.generic45.geometry import N_UM, P_UM, hanging_ff, output_ff, series_ff
from archgym.rtl.tech.generic45.process import VDD_V
from archgym.rtl.tech.generic45.stage import response, stack_penalty
from archgym.rtl.tech.generic45.topology import Stage, Tree, width

__all__ = ["Event", "fire", "strength_um"]

Floats = NDArray[np.float64]


@final
@dataclass(frozen=True)
class Event:
    """A signal's transition: when it crosses half the supply, its slew, and what it cost."""

    rises: bool
    arrival: Floats
    """ns after the cell's input."""
    slew: Floats
    energy_fj: Floats
    """Dissipated by the stage, without the energy of what is connected outside the cell."""


def _um(tree: Tree, on: Mapping[str, bool], fingers: float, *, falling: bool) -> float:
    tall = N_UM if falling else P_UM
    gates = on if falling else {name: not value for name, value in on.items()}
    return width(tree, gates, stack_penalty(falling=falling)) * tall * fingers


def strength_um(stage: Stage, values: Mapping[str, bool], *, falling: bool) -> float:
    """Width of the transistor that drives like the stage's network to that rail; 0 if it does not conduct."""
    return _um(stage.pull_down if falling else stage.up, values, stage.fingers, falling=falling)


def fire(
    stage: Stage,
    moving: str,
    cause: Event,
    *,
    before: Mapping[str, bool],
    after: Mapping[str, bool],
    inside_ff: float,
    load_ff: Floats | float,
) -> Event:
    """The output's transition when `moving` goes from its value in `before` to that in `after`.

    `inside_ff` is the gates that the output drives within the cell, `load_ff` what is connected outside.
    """
    rises = strength_um(stage, after, falling=True) <= 0
    tree = stage.up if rises else stage.pull_down
    driving = strength_um(stage, after, falling=not rises)
    opposing = strength_um(stage, before, falling=rises)
    own = output_ff(stage) + series_ff(tree, moving, stage.fingers, falling=not rises) + inside_ff
    for network, falling in ((stage.pull_down, True), (stage.up, False)):
        own += hanging_ff(network, after, moving, stage.fingers, falling=falling)
    total = own + np.asarray(load_ff, dtype=np.float64)
    slew, per_um = np.broadcast_arrays(cause.slew, total / driving)
    delay, out, lost = response(falling=not rises).at(slew, per_um, opposing / driving)
    energy = own * VDD_V**2 / 2 + lost * total * VDD_V**2
    return Event(rises, cause.arrival + delay, out, energy)
