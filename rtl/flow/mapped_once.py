"""Mapped netlists do not depend on the clock: points that differ in nothing else share them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from archgym.core import OK
from archgym.rtl.flow.cache import file_hash
from archgym.rtl.flow.design import Design
from archgym.rtl.flow.limits import Limits
from archgym.rtl.flow.recipe import Recipe
from archgym.rtl.flow.synth import Synthesis, Variant, synthesise_all
from archgym.rtl.flow.target import Target

__all__ = ["forget", "mapped_once"]

_LIMIT_CHARACTERS = 64 << 20  # of netlists that are kept
_kept: OrderedDict[Any, list[Synthesis]] = OrderedDict()
_guard = threading.Lock()


def mapped_once(
    design: Design, target: Target, recipes: Sequence[Recipe], *, hierarchical: bool, limits: Limits | None
) -> list[Synthesis]:
    """As `synthesise_all`, or what it said the last time in this process, at no CPU time."""
    key = (
        tuple((path, file_hash(path)) for path in design.sources if path.is_file()),
        (design.top, tuple(sorted(design.parameters.items())), design.keep if hierarchical else ()),
        (target.key, tuple(recipes), limits),
    )
    with _guard:
        if key in _kept:
            _kept.move_to_end(key)
            return [replace(each, cpu_s=0.0) for each in _kept[key]]
    variants = [Variant(recipe) for recipe in recipes]
    found = synthesise_all(design, target, variants, hierarchical=hierarchical, limits=limits)
    if not design.include and all(each.status == OK for each in found):  # include files have no hash here
        with _guard:
            _kept[key] = [replace(each, log="") for each in found]
            while sum(len(each.netlist) for one in _kept.values() for each in one) > _LIMIT_CHARACTERS:
                _kept.popitem(last=False)
    return found


def forget() -> None:
    """Drop what is kept."""
    with _guard:
        _kept.clear()
