"""Power of all cells of one kind: internal energy by the library's tables, charge of the nets, leakage by state."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from archgym.rtl.flow.gatesim_cells import Same
from archgym.rtl.flow.power_states import expanded, probability, sensitised, state_probabilities
from archgym.rtl.flow.power_tables import look_up
from archgym.rtl.tech.function import names_in

if TYPE_CHECKING:
    from archgym.rtl.tech.liberty import Cell, PowerArc

__all__ = ["Nets", "internal_fj", "leakage_nw", "switching_fj"]

Floats = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class Nets:
    """What power needs to know of every net."""

    rate: Floats
    """float64[nets]: transitions per clock cycle."""
    duty: Floats
    """float64[nets]: probability of being high."""
    slew_rise_ns: Floats
    slew_fall_ns: Floats
    load_ff: Floats
    opensta: bool = False
    """Weigh states as OpenSTA does, see `power.power`."""


def switching_fj(same: Same, nets: Nets, voltage_v: float) -> Floats:
    """float64[cells]: energy a clock cycle that charges the nets at the outputs: C V^2 / 2 a transition."""
    total = np.zeros(len(same.cells))
    for pin in same.cell.outputs:
        net = same.nets[pin.name]
        total += 0.5 * nets.load_ff[net] * voltage_v**2 * nets.rate[net]
    return total


def leakage_nw(same: Same, nets: Nets) -> Floats:
    """float64[cells]: leakage of the states, by their probabilities; the cell's figure for what they leave."""
    cell, duty = same.cell, _duties(same, nets)
    total, rest = np.zeros(len(same.cells)), np.ones(len(same.cells))
    for when, leakage in cell.leakage_when:
        share = probability(when if nets.opensta else expanded(when, cell), duty)
        total += leakage * share
        rest -= share
    return total + cell.leakage_nw * rest


def internal_fj(same: Same, nets: Nets) -> dict[str, Floats]:
    """float64[cells] by pin: energy a clock cycle that transitions of the pin cost inside the cell."""
    found: dict[str, Floats] = {}
    duty = _duties(same, nets)
    arcs: defaultdict[str, list[PowerArc]] = defaultdict(list)
    for arc in same.cell.power:
        arcs[arc.pin].append(arc)
    for pin, own in arcs.items():
        if pin not in same.nets:
            continue
        of_pin = _output_fj if same.cell.pins[pin].direction == "output" else _input_fj
        found[pin] = of_pin(same, pin, own, nets, duty) * nets.rate[same.nets[pin]]
    return found


def _duties(same: Same, nets: Nets) -> dict[str, Floats]:
    return state_probabilities(same.cell, {pin: nets.duty[net] for pin, net in same.nets.items()})


def _input_fj(same: Same, pin: str, arcs: list[PowerArc], nets: Nets, duty: dict[str, Floats]) -> Floats:
    """Mean energy of a transition of an input pin: the sum over states, by their probabilities."""
    total = np.zeros(len(same.cells))
    for arc in arcs:
        share = _input_share(same.cell, pin, arc.when, duty, opensta=nets.opensta)
        total += share * _energy(same, arc, pin, nets, inverted=False)
    return total


def _input_share(cell: Cell, pin: str, when: str, duty: dict[str, Floats], *, opensta: bool) -> Floats:
    if not when:
        return np.ones_like(duty[pin])
    if not opensta:  # the pin itself is high for half of its transitions
        return probability(expanded(when, cell), {**duty, pin: np.full_like(duty[pin], 0.5)})
    for out in cell.outputs:  # OpenSTA: where the condition names an output, how often the pin changes that output
        if out.name in names_in(when) and out.function and pin in names_in(out.function):
            return sensitised(out.function, pin, "", duty)
    return probability(when, duty)


def _output_fj(same: Same, pin: str, arcs: list[PowerArc], nets: Nets, duty: dict[str, Floats]) -> Floats:
    """Mean energy of a transition of an output pin.

    The arcs of each supply are weighed by how often their input changes and the output follows (in the arc's state).
    """
    supplies: defaultdict[str, list[tuple[Floats, Floats]]] = defaultdict(list)
    for arc in arcs:
        share = _output_share(same, pin, arc, nets, duty)
        if share is not None:
            falls_with_rise = arc.related is not None and _inverts(same.cell, pin, arc.related)
            energy = _energy(same, arc, arc.related, nets, inverted=falls_with_rise)
            supplies[arc.supply].append((share, energy))
    total = np.zeros(len(same.cells))
    for pairs in supplies.values():
        weight = np.sum([share for share, _ in pairs], axis=0)
        energy = np.sum([share * energy for share, energy in pairs], axis=0)
        total += np.divide(energy, weight, out=np.zeros_like(energy), where=weight > 0)
    return total


def _output_share(same: Same, pin: str, arc: PowerArc, nets: Nets, duty: dict[str, Floats]) -> Floats | None:
    """Weight of an arc among those of its output; None if OpenSTA leaves it out."""
    cell, ones = same.cell, np.ones(len(same.cells))
    if arc.related is None:
        return None if nets.opensta else probability(expanded(arc.when, cell), duty) if arc.when else ones
    if arc.related not in same.nets:
        return None
    rate, function = nets.rate[same.nets[arc.related]], cell.pins[pin].function
    if function is not None and arc.related in names_in(function):
        when = "" if nets.opensta else expanded(arc.when, cell)
        return rate * sensitised(function, arc.related, when, duty)
    if arc.when:
        return rate * probability(arc.when if nets.opensta else expanded(arc.when, cell), duty)
    return rate * ones


def _inverts(cell: Cell, pin: str, related: str) -> bool:
    """Whether the first timing arc between the pins is negative unate."""
    senses = [arc.sense for arc in cell.arcs if arc.pin == pin and arc.related == related]
    return bool(senses) and senses[0] == "negative"


def _energy(same: Same, arc: PowerArc, slew_of: str | None, nets: Nets, *, inverted: bool) -> Floats:
    """float64[cells]: mean of a rising and a falling transition, at the slew of a pin and the load of the arc's pin."""
    count = len(same.cells)
    load = nets.load_ff[same.nets[arc.pin]] if same.cell.pins[arc.pin].direction == "output" else np.zeros(count)
    slews = [np.zeros(count), np.zeros(count)]
    if slew_of is not None:
        net = same.nets[slew_of]
        slews = [nets.slew_rise_ns[net], nets.slew_fall_ns[net]]
    if inverted:
        slews.reverse()
    total = np.zeros(count)
    for table, slew in zip((arc.rise, arc.fall), slews, strict=True):
        if table is not None:
            total += 0.5 * look_up(table, slew, load)
    return total
