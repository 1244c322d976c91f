"""Devices by name: `DEVICES["DDR4-2400-8Gb-x8"]`, or `device(name)` with a hint on a misspelt name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType, ModuleType

from archgym.errors import InvalidInput, UnknownName
from archgym.sims.dram.devices import ddr3, ddr4, ddr5, gddr6, hbm2, hbm3, lpddr4, lpddr5
from archgym.sims.dram.spec import Device

_FAMILIES: Mapping[str, ModuleType] = MappingProxyType(
    {
        "DDR3": ddr3,
        "DDR4": ddr4,
        "DDR5": ddr5,
        "LPDDR4": lpddr4,
        "LPDDR5": lpddr5,
        "HBM2": hbm2,
        "HBM3": hbm3,
        "GDDR6": gddr6,
    }
)
DEVICES: Mapping[str, Device] = MappingProxyType(
    {
        found.name: found
        for found in (
            ddr3.DDR3_1600_1GB_X8,
            ddr4.DDR4_2400_8GB_X8,
            ddr4.DDR4_3200_8GB_X8,
            ddr5.DDR5_4800_16GB_X8,
            lpddr4.LPDDR4_3200_8GB_X16,
            lpddr5.LPDDR5_6400_16GB_X16,
            hbm2.HBM2_2000_8GB,
            hbm3.HBM3_5200_16GB,
            gddr6.GDDR6_14000_8GB_X16,
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
    """Return `base` under a new name with some timing parameters (in cycles) changed.

    Parameters that the standard computes from others follow, unless they are given; the rows are derived again.
    """
    for parameter, cycles in timing.items():
        if parameter not in base.timing:
            raise UnknownName("timing parameter", parameter, base.timing)
        if cycles <= 0:
            raise InvalidInput(f"timing parameter {parameter} is {cycles} cycles; it must be positive")
    family = _FAMILIES[base.standard]
    changed = {**base.timing, **timing}
    changed = {**changed, **family.derived(changed), **timing}
    return replace(base, name=name, timing=changed, constraints=family.constraints(changed))
