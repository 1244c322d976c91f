"""Numbers and names for people: SI prefixes, significant digits, thousands, words instead of identifiers."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, final

from archgym.core import Metric

__all__ = ["Unit", "count", "duration", "metric_title", "number", "percent", "unit_for", "value_text"]

_PREFIXES = {"f": -15, "p": -12, "n": -9, "µ": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12}
_BASES = ("J", "W", "s", "Hz", "B/s", "B")
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@final
@dataclass(frozen=True)
class Unit:
    """What values are multiplied by before they are shown, and the text of the unit they are then in."""

    factor: float
    text: str


def _split(unit: str) -> tuple[int, str, str] | None:
    """Exponent of the prefix, base, and what it is taken per ("/token"), where the base takes prefixes."""
    for counted in (unit, unit.partition("/")[0]):
        found = _prefixed(counted)
        if found is not None:
            return (*found, unit[len(counted) :])
    return None


def _prefixed(unit: str) -> tuple[int, str] | None:
    for base in _BASES:
        prefix = unit[: -len(base)]
        if unit.endswith(base) and prefix.replace("u", "µ") in _PREFIXES:
            return _PREFIXES[prefix.replace("u", "µ")], base
    return None


def unit_for(unit: str, magnitude: float) -> Unit:
    """The unit in which a value of this magnitude reads best: 2.6e8 pJ become 260 µJ."""
    if not math.isfinite(magnitude) or magnitude == 0 or 0.1 <= abs(magnitude) < 10_000:
        return Unit(1.0, unit)
    thousands = 3 * math.floor(math.log10(abs(magnitude)) / 3)
    known = _split(unit)
    if known is not None:
        exponent, base, per = known
        wanted = min(max(exponent + thousands, -15), 12)
        if base == "s":
            wanted = min(wanted, 0)
        prefix = next(text for text, power in _PREFIXES.items() if power == wanted)
        return Unit(10.0 ** (exponent - wanted), prefix + base + per)
    if 1e-3 <= abs(magnitude) < 1e6:
        return Unit(1.0, unit)
    return Unit(10.0**-thousands, f"10{str(thousands).translate(_SUPERSCRIPT)} {unit}".rstrip())


def number(value: float, digits: int = 4) -> str:
    """`digits` significant digits with thousands separators; very large and small ones as a power of ten."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "none" if value > 0 else "-∞"
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(abs(value)))
    if not -4 <= exponent < 9:
        return f"{value / 10.0**exponent:.{digits - 1}f} × 10{str(exponent).translate(_SUPERSCRIPT)}"
    return f"{value:,.{max(digits - 1 - exponent, 0)}f}"


def percent(fraction: float, digits: int = 2) -> str:
    """A fraction as a percentage: 0.0123 becomes `1.2 %`; what would round to nothing is `< 0.01 %`."""
    if math.isnan(fraction) or math.isinf(fraction):
        return number(fraction)
    if fraction == 0:
        return "0 %"
    if abs(fraction) < 1e-4:
        return "< 0.01 %"
    return f"{number(100 * fraction, digits)} %"


def count(value: float) -> str:
    """A whole number with thousands separators; halves (medians) keep one decimal."""
    if not math.isfinite(value):
        return number(value)
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds == 0:
        return "0 s"
    for limit, divisor, text in ((1e-3, 1e-6, "µs"), (1.0, 1e-3, "ms"), (120.0, 1.0, "s"), (7200.0, 60.0, "min")):
        if seconds < limit:
            return f"{number(seconds / divisor, 3)} {text}"
    return f"{number(seconds / 3600.0, 3)} h"


def value_text(value: Any) -> str:
    """A parameter's choice as text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


def metric_title(metric: Metric) -> str:
    """The metric in words, without its unit: `energy_activate_pj` becomes `energy activate`.

    Also where it is said what it is taken per: `energy_pj_per_token` becomes `energy per token`.
    """
    suffix = re.sub(r"[^a-z0-9]", "", metric.unit.lower().replace("/s", "ps").replace("µ", "u"))
    name = metric.name.removesuffix(f"_{suffix}") if suffix else metric.name
    counted = metric.unit.lower().partition("/")[0].replace("µ", "u")
    if counted:
        name = name.replace(f"_{counted}_per_", "_per_")
    return name.replace("_", " ")
