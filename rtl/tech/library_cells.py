"""What a library of standard cells says, in one set of units: ns, fF, fJ, nW, um2, V.

Names and meanings follow the Liberty User Guide; units, index order and defaults are made uniform at reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Arc", "Cell", "Flop", "Library", "Pin", "PowerArc", "Table", "Thresholds", "WireLoad"]

Variable: TypeAlias = Literal["input_slew", "related_slew", "load", "constrained_slew"]


@final
@dataclass(frozen=True, eq=False)
class Table:
    """A look-up table of two variables; the one that is missing from a one-dimensional table has the single index 0."""

    index_1: NDArray[np.float64]
    """float64[i], ns: slew at the input (`variable_1` "input_slew") or at the clock ("related_slew")."""
    index_2: NDArray[np.float64]
    """float64[j]: fF at the output (`variable_2` "load") or slew of the data pin in ns ("constrained_slew")."""
    values: NDArray[np.float64]
    """float64[i, j]: ns of a timing arc, fJ of a power arc."""
    variable_1: Variable = "input_slew"
    variable_2: Variable = "load"


@final
@dataclass(frozen=True, eq=False)
class Arc:
    """Delay from `related` to `pin`, or a constraint of `pin` against the clock `related`."""

    pin: str
    related: str
    kind: str
    """Liberty's timing_type: "combinational", "rising_edge", "setup_rising", "clear", ..."""
    sense: Literal["positive", "negative", "non"]
    when: str
    rise: Table | None
    """cell_rise, or rise_constraint: by the edge of `pin`."""
    fall: Table | None
    rise_slew: Table | None
    fall_slew: Table | None


@final
@dataclass(frozen=True, eq=False)
class PowerArc:
    """fJ spent inside the cell per transition of `pin`; the charge of the load is not in it."""

    pin: str
    related: str | None
    when: str
    rise: Table | None
    fall: Table | None
    supply: str = ""
    """related_pg_pin: arcs of one transition that name different supplies add up."""


@final
@dataclass(frozen=True)
class Pin:
    """A signal pin; supply pins are not kept."""

    name: str
    direction: str
    capacitance_ff: float
    rise_ff: float
    fall_ff: float
    function: str | None
    """In terms of input pins, or of the state of the flip-flop."""
    clock: bool
    max_load_ff: float | None
    three_state: str | None
    max_slew_ns: float | None = None


@final
@dataclass(frozen=True)
class Flop:
    """One edge-triggered bit, from an ff group; the expressions are Liberty's."""

    clocked_on: str
    next_state: str
    clear: str | None
    preset: str | None
    q: str
    """Name of the state in functions of output pins."""
    qn: str


@final
@dataclass(frozen=True, eq=False)
class Cell:
    """A standard cell."""

    name: str
    area_um2: float
    leakage_nw: float
    """Where no state of `leakage_when` matches."""
    leakage_when: tuple[tuple[str, float], ...]
    pins: Mapping[str, Pin]
    arcs: tuple[Arc, ...]
    power: tuple[PowerArc, ...]
    flop: Flop | None
    latch: bool
    """Holds state in another way than one flip-flop (latch, clock gate, several bits): the flow leaves it out."""
    dont_use: bool
    """The file says so, or the cell is for power management: isolation, level shifting, supplies that stay on."""

    @property
    def inputs(self) -> tuple[Pin, ...]:
        """Input pins, in the file's order."""
        return tuple(pin for pin in self.pins.values() if pin.direction == "input")

    @property
    def outputs(self) -> tuple[Pin, ...]:
        """Output pins, in the file's order."""
        return tuple(pin for pin in self.pins.values() if pin.direction == "output")


@final
@dataclass(frozen=True)
class WireLoad:
    """A wire_load group: capacitance of a net that is not placed yet, by its fanout."""

    ff_per_length: float
    slope: float
    lengths: tuple[tuple[int, float], ...]
    """(fanout, length), ascending; linear between and below, with `slope` above the last."""

    def capacitance_ff(self, fanout: int) -> float:
        """Capacitance of a net with this many sinks, as OpenSTA interpolates it."""
        if not self.lengths or fanout < 1:
            return 0.0
        fanouts = np.array([each for each, _ in self.lengths], dtype=np.float64)
        lengths = np.array([length for _, length in self.lengths])
        last = fanouts[-1]
        if fanout > last:
            return float(self.ff_per_length * (lengths[-1] + self.slope * (fanout - last)))
        if fanout < fanouts[0]:  # towards the origin, below the first entry
            return float(self.ff_per_length * lengths[0] * fanout / fanouts[0])
        return float(self.ff_per_length * np.interp(fanout, fanouts, lengths))


@final
@dataclass(frozen=True)
class Thresholds:
    """Fractions of the supply at which delays (`input_*`, `output_*`) and slews are measured."""

    input_rise: float = 0.5
    input_fall: float = 0.5
    output_rise: float = 0.5
    output_fall: float = 0.5
    low_rise: float = 0.2
    low_fall: float = 0.2
    high_rise: float = 0.8
    high_fall: float = 0.8


@final
@dataclass(frozen=True, eq=False)
class Library:
    """Cells by name and what holds for all of them."""

    name: str
    cells: Mapping[str, Cell]
    voltage_v: float
    temperature_c: float
    thresholds: Thresholds
    slew_derate: float
    """slew_derate_from_library: tables' slews times this are between the thresholds."""
    wire_loads: Mapping[str, WireLoad] = field(default_factory=dict)
    default_wire_load: str | None = None
    default_max_slew_ns: float | None = None
    default_max_load_ff: float | None = None
    sources: tuple[Path, ...] = ()
    text_hash: str = ""
    """Of the files' content (unpacked) and of the version of the reader."""

    @property
    def slew_low(self) -> float:
        """Fraction of the supply at which a rising slew begins."""
        return self.thresholds.low_rise

    @property
    def slew_high(self) -> float:
        """Fraction of the supply at which a rising slew ends."""
        return self.thresholds.high_rise

    def wire_load_ff(self, fanout: int) -> float:
        """Capacitance of a net by the default wire_load model; 0 if the library names none."""
        if self.default_wire_load is None:
            return 0.0
        return self.wire_loads[self.default_wire_load].capacitance_ff(fanout)
