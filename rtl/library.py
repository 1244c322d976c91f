"""The blocks by name; a family is a folder whose `blocks.py` has a tuple `BLOCKS`."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import lru_cache

from archgym.errors import UnknownName
from archgym.rtl.block import Block

__all__ = ["FAMILIES", "block", "blocks", "family_blocks"]

FAMILIES: tuple[str, ...] = ("common", "mac", "array", "lut", "floating", "formats")


@lru_cache(maxsize=1)
def blocks() -> Mapping[str, Block]:
    """Every block of the library, by name, in the order of the families."""
    found: dict[str, Block] = {}
    for family in FAMILIES:
        module = importlib.import_module(f"archgym.rtl.{family}.blocks")
        found.update({each.name: each for each in module.BLOCKS})
    return found


def block(name: str) -> Block:
    """One block.

    Raises:
        UnknownName: suggests the nearest.
    """
    if name not in blocks():
        raise UnknownName("block", name, list(blocks()))
    return blocks()[name]


def family_blocks(family: str) -> list[Block]:
    """The blocks of one family.

    Raises:
        UnknownName: suggests the nearest.
    """
    if family not in FAMILIES:
        raise UnknownName("family", family, FAMILIES)
    return [each for each in blocks().values() if each.family == family]
