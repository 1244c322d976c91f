"""Devices by name: `DEVICES["DDR4-2400-8Gb-x8"]`, or `device(name)` with a hint on a misspelt name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from archgym.errors import UnknownName
from archgym.sims.dram.devices.ddr3 import DDR3_1600_1GB_X8
from archgym.sims.dram.spec import Device

DEVICES: Mapping[str, Device] = MappingProxyType({found.name: found for found in (DDR3_1600_1GB_X8,)})
"""Every device of the package, by name."""


def device(name: str) -> Device:
    """Return the device of this name; raise `UnknownName` with the nearest one if there is none."""
    if name not in DEVICES:
        raise UnknownName("DRAM device", name, DEVICES)
    return DEVICES[name]
