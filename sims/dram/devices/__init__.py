"""Devices by name: `DEVICES["DDR4-2400-8Gb-x8"]`, or `device(name)` with a hint on a misspelt name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from archgym.errors import InvalidInput, UnknownName
from archgym.sims.dram.devices import ddr3, ddr4
from archgym.sims.dram.spec import Device

_FAMILIES = {"DDR3": ddr3, "DDR4": ddr4}
DEVICES: Mapping[str, Device] = MappingProxyType(
    {
        found.name: found
        for found in (
            ddr3.DDR3_1600_1GB_X8,
            ddr4.DDR4_2400_8GB_X8,
            ddr4.DDR4_3200_8GB_X8,
        )
    }
)
"""Every device of the package, by name."""


def device(name: str) -> Device:
    """Return the device of this name; raise `UnknownName` with the nearest one if there is none."""
    if name not in DEVICES:
        raise UnknownName("DRAM device", name, DEVICES)
    return DEVICES[name]


def variant(base: Device, name: str, **timing: int) -> Device:
    """Return `base` under a new name with some timing parameters (in cycles) changed, its rows derived again."""
    for parameter, cycles in timing.items():
        if parameter not in base.timing:
            raise UnknownName("timing parameter", parameter, base.timing)
        if cycles <= 0:
            raise InvalidInput(f"timing parameter {parameter} is {cycles} cycles; it must be positive")
    changed = {**base.timing, **timing}
    return replace(base, name=name, timing=changed, constraints=_FAMILIES[base.standard].constraints(changed))
