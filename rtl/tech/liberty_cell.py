"""One cell group of a Liberty library to a `Cell`."""

from __future__ import annotations

import re
from typing import Literal, final

import numpy as np

from archgym.rtl.tech.function import sense_of
from archgym.rtl.tech.liberty_syntax import Group, words
from archgym.rtl.tech.liberty_tables import Tables
from archgym.rtl.tech.library_cells import Arc, Cell, Flop, Pin, PowerArc, Table

__all__ = ["CellReader", "number"]

_NOT_LOGIC = ("dont_use", "is_isolation_cell", "is_level_shifter", "always_on", "pad_cell")
"""Attributes that keep a cell out; sky130's isolation cells are AND and OR gates by their functions."""
_STATE = ("latch", "statetable", "ff_bank", "latch_bank")
_CONSTRAINTS = ("setup_rising", "setup_falling", "hold_rising", "hold_falling")
_ASYNCHRONOUS = ("recovery_rising", "recovery_falling", "removal_rising", "removal_falling")
_NOT_DELAYS = ("min_pulse_width", "minimum_period", "max_clock_tree_path", "min_clock_tree_path")
_EDGES = ("rising_edge", "falling_edge")
_SENSES: dict[str, Literal["positive", "negative", "non"]] = {
    "positive_unate": "positive",
    "negative_unate": "negative",
    "non_unate": "non",
}
_PRODUCT = re.compile(r"\s*([-\d.eE+]+)\s*\Z")


def number(group: Group, name: str, default: float | None = None) -> float | None:
    """A simple attribute as a number.

    Raises:
        LibertyError: if it is none.
    """
    text = group.values.get(name)
    if text is None:
        return default
    match = _PRODUCT.match(text)
    try:
        found = float(match[1]) if match else float("nan")
    except ValueError:
        found = float("nan")
    if not np.isfinite(found):
        raise group.error(f"{name} must be a number, got {text!r}")
    return found


def _area(group: Group) -> float:
    area = number(group, "area", 0.0) or 0.0
    if area < 0:
        raise group.error(f"area must not be negative, got {area}")
    return area


@final
class CellReader:
    """Reads cells with the units, templates and defaults of their library."""

    def __init__(self, library: Group, tables: Tables) -> None:
        self.tables, self.units = tables, tables.units
        self.defaults = {kind: number(library, f"default_{kind}_pin_cap", 0.0) or 0.0 for kind in ("input", "output")}
        self.default_leakage = number(library, "default_cell_leakage_power", 0.0) or 0.0

    def cell(self, group: Group) -> Cell:
        """The cell.

        Raises:
            LibertyError: for numbers, tables or pins that cannot be read.
        """
        pins: dict[str, Pin] = {}
        arcs: list[Arc] = []
        power: list[PowerArc] = []
        for each in group.all("pin"):
            for name in words(each.args):
                pins[name] = self._pin(each, name)
                arcs += [arc for timing in each.all("timing") for arc in self._arcs(timing, pins[name])]
                power += [arc for energy in each.all("internal_power") for arc in self._power(energy, name)]
        flops = group.all("ff")
        several = len(flops) > 1 or bool(group.all("bus") or group.all("bundle"))
        leakage, states = self._leakage(group)
        return Cell(
            name=(words(group.args) or [""])[0],
            area_um2=_area(group),
            leakage_nw=leakage,
            leakage_when=states,
            pins=pins,
            arcs=tuple(arcs),
            power=tuple(power),
            flop=_flop(flops[0]) if len(flops) == 1 else None,
            latch=several or any(group.all(kind) for kind in _STATE),
            dont_use=any(group.values.get(name, "false").lower() == "true" for name in _NOT_LOGIC),
        )

    def _pin(self, group: Group, name: str) -> Pin:
        direction = group.values.get("direction", "input").lower()
        default = self.defaults.get(direction, 0.0)
        capacitance = number(group, "capacitance", default) or 0.0
        rise = number(group, "rise_capacitance", capacitance) or 0.0
        fall = number(group, "fall_capacitance", capacitance) or 0.0
        load, slew = number(group, "max_capacitance"), number(group, "max_transition")
        return Pin(
            name=name,
            direction=direction,
            capacitance_ff=capacitance * self.units.ff,
            rise_ff=rise * self.units.ff,
            fall_ff=fall * self.units.ff,
            function=group.values.get("function"),
            clock=group.values.get("clock", "false").lower() == "true",
            max_load_ff=None if load is None else load * self.units.ff,
            three_state=group.values.get("three_state"),
            max_slew_ns=None if slew is None else slew * self.units.ns,
        )

    def _arcs(self, group: Group, pin: Pin) -> list[Arc]:
        kind = group.values.get("timing_type", "combinational")
        if kind in _NOT_DELAYS or kind.startswith(("non_seq", "nochange", "skew")):
            return []
        ns, read = self.units.ns, self.tables.read
        tables: tuple[Table | None, Table | None, Table | None, Table | None]
        if kind in _CONSTRAINTS or kind in _ASYNCHRONOUS:
            rise = read(group, "rise_constraint", ns, "related_slew")
            fall = read(group, "fall_constraint", ns, "related_slew")
            tables = (rise, fall, None, None)
        else:
            rise, fall = read(group, "cell_rise", ns), read(group, "cell_fall", ns)
            tables = (rise, fall, read(group, "rise_transition", ns), read(group, "fall_transition", ns))
        when = group.values.get("when", "")
        return [
            Arc(pin.name, related, kind, self._sense(group, pin, related, kind), when, *tables)
            for related in words(group.values.get("related_pin", ""))
        ]

    @staticmethod
    def _sense(group: Group, pin: Pin, related: str, kind: str) -> Literal["positive", "negative", "non"]:
        stated = group.values.get("timing_sense")
        if stated is not None:
            if stated not in _SENSES:
                raise group.error(f"timing_sense {stated!r} is not one of {', '.join(_SENSES)}")
            return _SENSES[stated]
        if kind == "combinational" and pin.function:
            return sense_of(pin.function, related)
        return "non"

    def _power(self, group: Group, pin: str) -> list[PowerArc]:
        read, fj = self.tables.read, self.units.fj
        both = read(group, "power", fj)
        rise = both or read(group, "rise_power", fj)
        fall = both or read(group, "fall_power", fj)
        when, supply = group.values.get("when", ""), group.values.get("related_pg_pin", "")
        related: list[str | None] = [*words(group.values.get("related_pin", ""))] or [None]
        return [PowerArc(pin, each, when, rise, fall, supply) for each in related]

    def _leakage(self, group: Group) -> tuple[float, tuple[tuple[str, float], ...]]:
        """Leakage where no state matches, and by state; what one state draws from several supplies is added.

        What leaves through a ground pin came in through a supply pin: such groups are not counted again.
        """
        grounds = {
            name for pin in group.all("pg_pin") if "ground" in pin.values.get("pg_type", "") for name in words(pin.args)
        }
        states: dict[str, float] = {}
        for each in group.all("leakage_power"):
            if each.values.get("related_pg_pin") in grounds:
                continue
            when = each.values.get("when", "")
            states[when] = states.get(when, 0.0) + (number(each, "value", 0.0) or 0.0) * self.units.nw
        rest = states.pop("", None)
        stated = number(group, "cell_leakage_power")
        if stated is not None:
            rest = stated * self.units.nw
        elif rest is None:
            rest = self.default_leakage * self.units.nw
        return rest, tuple(states.items())


def _flop(group: Group) -> Flop | None:
    names = words(group.args)
    clocked_on, next_state = group.values.get("clocked_on"), group.values.get("next_state")
    if len(names) != 2 or clocked_on is None or next_state is None:
        raise group.error("a flip-flop needs two state names, clocked_on and next_state")
    return Flop(clocked_on, next_state, group.values.get("clear"), group.values.get("preset"), names[0], names[1])
