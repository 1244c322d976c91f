"""How often the nets of a netlist switch, and how long they are high."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from archgym.rtl.flow.gatesim_model import Model

__all__ = ["Activity", "activity_of"]

Floats = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class Activity:
    """Transitions and ones of every net, summed over all simulated lanes.

    Zero delay: a net changes at most once a cycle (the clock twice), so glitches are not in it.
    """

    toggles: Floats
    """float64[nets]: transitions."""
    ones: Floats
    """float64[nets]: cycles at whose end the net was high (the clock: half of the cycles)."""
    cycles: float
    """Clock cycles (of combinational circuits: steps from one vector to the next), over all lanes."""
    clock_nets: NDArray[np.bool_]
    """bool[nets]: the clock and its buffered copies."""

    @property
    def rate(self) -> Floats:
        """float64[nets]: transitions per clock cycle."""
        return self.toggles / max(self.cycles, 1.0)

    @property
    def duty(self) -> Floats:
        """float64[nets]: probability of being high."""
        return self.ones / max(self.cycles, 1.0)


def activity_of(model: Model, toggles: NDArray[np.int64], ones: NDArray[np.int64], cycles: float) -> Activity:
    """Counts by word of the simulation as counts by net of the netlist."""
    by_net, high = toggles[model.where].astype(np.float64), ones[model.where].astype(np.float64)
    by_net[:2] = 0.0
    high[:2] = (0.0, cycles)
    by_net[model.clock_nets] = 2.0 * cycles
    high[model.clock_nets] = 0.5 * cycles
    return Activity(by_net, high, cycles, model.clock_nets)
