"""Units of a Liberty library, as factors to ns, fF, fJ, nW and V."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import final

from archgym.rtl.tech.liberty_syntax import Group, words

__all__ = ["Units", "read_units"]

_QUANTITY = re.compile(r"\s*([\d.]+(?:[eE][+-]?\d+)?)\s*([fpnumkM]?)(s|f|w|v|a)\s*\Z", re.IGNORECASE)
_PREFIX = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3}


@final
@dataclass(frozen=True)
class Units:
    """What to multiply a file's numbers with."""

    ns: float
    ff: float
    fj: float
    """Liberty has no unit of energy: internal power is in capacitive_load_unit x voltage_unit^2."""
    nw: float
    v: float


def _scale(group: Group, name: str, text: str, dimension: str, base: float) -> float:
    match = _QUANTITY.match(text)
    if not match or match[3].lower() != dimension or not float(match[1]) > 0:
        raise group.error(f"{name} {text!r} is no unit; expected a number, a prefix f, p, n, u or m and {dimension}")
    prefix = match[2] if match[2] == "M" else match[2].lower()
    if prefix == "M":
        raise group.error(f"{name} {text!r} is no unit of a cell library; expected a prefix f, p, n, u or m")
    # The ratio of two powers of ten is rounded: 1e-12 / 1e-15 is not exactly 1000.
    return float(match[1]) * float(f"{_PREFIX[prefix] / base:.6g}")


def read_units(library: Group) -> Units:
    """The factors; units that are not given are those of the Liberty User Guide (1ns, 1pf, 1V, 1nW).

    Raises:
        LibertyError: for a unit that is none.
    """
    capacitance = words(library.argument("capacitive_load_unit") or "1, pf")
    farad = _scale(library, "capacitive_load_unit", "".join(capacitance), "f", 1e-15)
    volt = _scale(library, "voltage_unit", library.values.get("voltage_unit", "1V"), "v", 1.0)
    return Units(
        ns=_scale(library, "time_unit", library.values.get("time_unit", "1ns"), "s", 1e-9),
        ff=farad,
        fj=farad * volt * volt,
        nw=_scale(library, "leakage_power_unit", library.values.get("leakage_power_unit", "1nW"), "w", 1e-9),
        v=volt,
    )
