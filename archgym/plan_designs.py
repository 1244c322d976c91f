"""The named designs and the published figures of an experiment file, checked before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from archgym.claims import matching
from archgym.core import Simulator
from archgym.errors import InvalidInput, UnknownName
from archgym.experiment import Experiment
from archgym.space import Choice, DesignSpace

__all__ = ["check_claims", "whole_designs"]

BASE = "base"
"""The key of a design that names another one, unless the space has a parameter of this name."""


class At(Protocol):
    """Puts the place in the file before the message of an error."""

    def __call__(self, *keys: str | int) -> AbstractContextManager[None]:
        """Name the place by its keys."""


def whole_designs(experiment: Experiment, space: DesignSpace, at: At) -> dict[str, dict[str, Choice]]:
    """Every named design with a value for every parameter.

    A design gives every parameter, or names as its `base` a design listed above it and gives what differs; a parameter
    with one choice left need not be given.

    Raises:
        InvalidInput: for an unknown parameter, value or base, and for a design that is not whole.
    """
    only = {each.name: each.choices[0] for each in space.parameters if len(each.choices) == 1}
    found: dict[str, dict[str, Choice]] = {}
    for name, given in experiment.designs.items():
        own = dict(given)
        start: Mapping[str, Choice] = only
        if BASE in own and BASE not in space.names:
            base = own.pop(BASE)
            with at("designs", name, BASE):
                if not isinstance(base, str) or base not in found:
                    raise UnknownName("design listed above", str(base), found)
            start = found[base]
        for parameter, value in own.items():
            with at("designs", name, parameter):
                _refuse_value(space, parameter, value)
        merged = {**start, **own}
        with at("designs", name):
            _refuse_gaps(space, merged, found)
        found[name] = {each: merged[each] for each in space.names}
    return found


def _refuse_value(space: DesignSpace, parameter: str, value: Any) -> None:
    try:
        space[parameter].index(value)
    except UnknownName as error:
        if isinstance(value, bool) and parameter in space.names:
            raise InvalidInput(f"{error}; YAML reads on, off, yes and no as true or false: quote the word") from None
        raise


def _refuse_gaps(space: DesignSpace, design: Mapping[str, Choice], above: Mapping[str, Any]) -> None:
    missing = [name for name in space.names if name not in design]
    if missing:
        others = f"; designs listed above: {', '.join(above)}" if above else ""
        raise InvalidInput(
            f"the design lacks {', '.join(missing)}; give every parameter, or `base: NAME` to take the others from a "
            f"design listed above{others}"
        )


def check_claims(experiment: Experiment, simulator: Simulator, workloads: Sequence[str], at: At) -> None:
    """Refuse claims about designs, metrics or workloads that this experiment does not have.

    Raises:
        InvalidInput: naming the claim, what is allowed and the nearest name.
    """
    metrics = [metric.name for metric in simulator.metrics]
    for position, claim in enumerate(experiment.claims):
        for key, name, known, what in _names(claim.metric, metrics, claim.of, claim.over, experiment.designs):
            with at("claims", position, key):
                if name not in known:
                    raise UnknownName(what, name, known)
        with at("claims", position, "workloads"):
            matching(claim.workloads, workloads)
        if claim.over_workloads is not None:
            with at("claims", position, "over_workloads"):
                matching(claim.over_workloads, workloads)


def _names(
    metric: str, metrics: Sequence[str], of: str, over: str | None, designs: Mapping[str, Any]
) -> Iterator[tuple[str, str, Sequence[str], str]]:
    yield "metric", metric, metrics, "metric"
    yield "of", of, list(designs), "named design"
    if over is not None:
        yield "over", over, list(designs), "named design"
