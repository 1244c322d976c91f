"""Delays and energies of cells without state: every input vector is simulated stage by stage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import final

import numpy as np
from numpy.typing import NDArray

from archgym.rtl.tech.generic45.geometry import signal_ff
from archgym.rtl.tech.generic45.switching import Event, fire
from archgym.rtl.tech.generic45.topology import CellPlan, Stage, conducts

__all__ = ["LOADS_FF", "SLEWS_NS", "Hidden", "Measured", "evaluate", "hidden", "measure", "minterm", "run"]

Floats = NDArray[np.float64]
SLEWS_NS = np.array([0.003, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32])
"""From faster than an unloaded inverter to sixteen times a fanout-of-four slew."""
LOADS_FF = np.array([0.5, 1.5, 4.0, 8.0, 16.0, 32.0, 64.0])
"""Per unit of drive: from no gate to 32 inverters."""


@final
@dataclass
class Measured:
    """What all vectors of one arc (input, output, sense) have in common; tables are [slews, loads]."""

    when: list[str] = field(default_factory=list)
    delay: dict[bool, Floats] = field(default_factory=dict)
    """By whether the output rises: the slowest vector's."""
    slew: dict[bool, Floats] = field(default_factory=dict)
    energies: dict[bool, list[Floats]] = field(default_factory=dict)


@final
@dataclass
class Hidden:
    """Energy of an input's transitions that no output shows: float64[slews], by whether the input rises."""

    when: list[str] = field(default_factory=list)
    energies: dict[bool, list[Floats]] = field(default_factory=dict)


def minterm(values: Mapping[str, bool]) -> str:
    """A vector as a product in Liberty's syntax."""
    return "(" + "&".join(name if value else f"!{name}" for name, value in values.items()) + ")"


def evaluate(plan: CellPlan, inputs: Mapping[str, bool]) -> dict[str, bool]:
    """Values of all signals."""
    values = dict(inputs)
    for stage in plan.stages:
        values[stage.output] = not conducts(stage.pull_down, values)
    return values


def vectors(plan: CellPlan, pin: str) -> Iterator[tuple[dict[str, bool], bool]]:
    """Values of the other inputs, and whether the pin rises."""
    others = [name for name in plan.inputs if name != pin]
    for bits in product((False, True), repeat=len(others)):
        for rises in (True, False):
            yield dict(zip(others, bits, strict=True)), rises


def _trigger(
    stage: Stage, events: Mapping[str, Event], values: Mapping[str, bool]
) -> tuple[str, dict[str, bool]] | None:
    """The input whose transition moves the output for good, and the values just before; None if the output stays."""
    state = {name: values[name] for name in stage.inputs}
    output = values[stage.output]
    found: tuple[str, dict[str, bool]] | None = None
    moved = sorted((float(events[name].arrival.mean()), name) for name in stage.inputs if name in events)
    for _, name in moved:
        earlier = dict(state)
        state[name] = events[name].rises
        now = not conducts(stage.pull_down, state)
        if now != output:
            found, output = (name, earlier), now
    return found if output != values[stage.output] else None


def run(plan: CellPlan, pin: str, others: Mapping[str, bool], load_ff: Floats, *, rises: bool) -> dict[str, Event]:
    """The transitions that follow from one of an input: events by signal, float64[slews, loads]."""
    values = evaluate(plan, {**others, pin: not rises})
    zero = np.zeros((len(SLEWS_NS), len(load_ff)))
    events = {pin: Event(rises, zero, zero + SLEWS_NS[:, None], zero)}
    for stage in plan.stages:
        found = _trigger(stage, events, values)
        if found is None:
            continue
        name, before = found
        after = {**before, name: events[name].rises}
        inside = signal_ff(plan, stage.output)
        outside = load_ff[None, :] if stage.output in plan.outputs else 0.0
        events[stage.output] = fire(
            stage, name, events[name], before=before, after=after, inside_ff=inside, load_ff=outside
        )
    return events


def _cone(plan: CellPlan, output: str) -> set[str]:
    """The stages an output depends on."""
    by_name = {stage.output: stage for stage in plan.stages}
    found: set[str] = set()
    wanted = [output]
    while wanted:
        name = wanted.pop()
        if name in by_name and name not in found:
            found.add(name)
            wanted += by_name[name].inputs
    return found


def measure(plan: CellPlan, load_ff: Floats) -> dict[tuple[str, str, bool], Measured]:
    """All arcs, by input, output and whether the output moves as the input does."""
    found: dict[tuple[str, str, bool], Measured] = {}
    cones = {output: _cone(plan, output) for output in plan.outputs}
    for pin in plan.inputs:
        for others, rises in vectors(plan, pin):
            events = run(plan, pin, others, load_ff, rises=rises)
            spent = {name: event.energy_fj for name, event in events.items() if name != pin}
            for output in sorted(plan.outputs, key=lambda name: len(cones[name])):
                if output not in events:
                    continue
                event = events[output]
                arc = found.setdefault((pin, output, event.rises == rises), Measured())
                if minterm(others) not in arc.when:
                    arc.when.append(minterm(others))
                for table, values in ((arc.delay, event.arrival), (arc.slew, event.slew)):
                    table[event.rises] = np.maximum(table.get(event.rises, values), values)
                # What two outputs share is counted with the one that needs fewer stages.
                energy = sum((spent.pop(name) for name in cones[output] if name in spent), np.zeros(event.slew.shape))
                arc.energies.setdefault(event.rises, []).append(energy)
    return found


def hidden(plan: CellPlan) -> dict[str, Hidden]:
    """Energies inside the cell when no output moves, by input; inputs that cost nothing are left out."""
    found: dict[str, Hidden] = {}
    for pin in plan.inputs:
        for others, rises in vectors(plan, pin):
            events = run(plan, pin, others, np.zeros(1), rises=rises)
            inner = [event.energy_fj[:, 0] for name, event in events.items() if name != pin]
            if not inner or any(output in events for output in plan.outputs):
                continue
            entry = found.setdefault(pin, Hidden())
            if minterm(others) not in entry.when:
                entry.when.append(minterm(others))
            entry.energies.setdefault(rises, []).append(np.sum(inner, axis=0))
    return found
