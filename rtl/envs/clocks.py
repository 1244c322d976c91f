"""What the environments on hardware blocks share: the clock as a parameter, and options of the flow."""

from __future__ import annotations

from typing import Any

from archgym.errors import UnknownName
from archgym.rtl.flow.recipe import EFFORTS
from archgym.rtl.tech.technology import technology as find_technology
from archgym.space import Parameter

__all__ = ["CLOCKS", "check_flow", "clock_parameter", "period_ns"]

CLOCKS = (0.0, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.4, 1.6, 2.0, 2.5, 3.2, 4.0, 5.0, 8.0, 16.0)
"""Periods in ns, about 20 % apart; 0 stands for the shortest that closes."""


def clock_parameter() -> Parameter:
    """The parameter `clock_ns` of a space."""
    doc = "Period of the clock; designs that do not close it are infeasible. 0: the shortest that closes."
    return Parameter("clock_ns", CLOCKS, "ordinal", "ns", "timing", doc)


def period_ns(choice: Any) -> float | None:
    """What a point is measured at."""
    return float(choice) or None


def check_flow(technology: str, effort: str) -> None:
    """Refuse options of the flow that no point could be measured with.

    Raises:
        UnknownName: for an unknown technology or effort.
        InvalidInput: for a library that cannot be read.
    """
    find_technology(technology)
    if effort not in EFFORTS:
        raise UnknownName("effort", effort, EFFORTS)
