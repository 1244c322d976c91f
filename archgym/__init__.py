"""ArchGym: a gym for hardware design-space exploration.

    import archgym
    result = archgym.search("dram", "genetic", "low-latency", workload="random", budget=200)
    print(result.best.design, result.best.metrics)

`import archgym` loads NumPy and nothing heavier; what needs more is imported when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from archgym import catalog, errors
from archgym.catalog import agent, simulator
from archgym.core import Agent, Evaluations, Metric, Simulator, search
from archgym.errors import (
    AgentMisuse,
    ArchGymError,
    InvalidInput,
    MissingDependency,
    StoreError,
    TraceError,
    UnknownName,
)
from archgym.gymnasium_ids import register_ids_with_gymnasium
from archgym.objectives import Objective, objective
from archgym.result import History, Point, Result
from archgym.space import Choice, Constraint, Designs, DesignSpace, Parameter

if TYPE_CHECKING:
    import archgym.testing as testing  # noqa: PLR0402 (mypy cannot import a module from the package it is in)
    from archgym.vector import make_vec

__all__ = [
    "Agent",
    "AgentMisuse",
    "ArchGymError",
    "Choice",
    "Constraint",
    "DesignSpace",
    "Designs",
    "Evaluations",
    "History",
    "InvalidInput",
    "Metric",
    "MissingDependency",
    "Objective",
    "Parameter",
    "Point",
    "Result",
    "Simulator",
    "StoreError",
    "TraceError",
    "UnknownName",
    "agent",
    "catalog",
    "errors",
    "make_vec",
    "objective",
    "search",
    "simulator",
    "testing",
]

_LAZY = {"make_vec": ("archgym.vector", "make_vec"), "testing": ("archgym.testing", "")}


def __getattr__(name: str) -> Any:
    """Import what is heavy on first use (PEP 562)."""
    if name not in _LAZY:
        raise AttributeError(f"module 'archgym' has no attribute {name!r}{errors.nearest(name, __all__)}")
    module, attribute = _LAZY[name]
    found = importlib.import_module(module)
    return getattr(found, attribute) if attribute else found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


register_ids_with_gymnasium()
