"""Is what a search found better than every design that somebody named?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from archgym.core import Floats
from archgym.objectives import PENALTY

if TYPE_CHECKING:
    from archgym.named_results import NamedResults
    from archgym.report.sections import Section

__all__ = ["NamedCost", "attach", "standing"]


@final
@dataclass(frozen=True)
class NamedCost:
    """What a feasible named design costs by the objective of a section: float64[k], and the scalar it ranks by."""

    name: str
    costs: Floats
    scalar: float


def attach(section: Section, results: NamedResults) -> None:
    """Give a section the costs of the named designs, the best first."""
    found = []
    for name in results.designs:
        row = results.rows.get((name, section.workload))
        if row is None:
            continue
        costs = section.objective.costs(row)
        scalar = float(section.objective.scalar(costs)[0])
        if scalar < PENALTY:
            found.append(NamedCost(name, costs[0], scalar))
    section.named = sorted(found, key=lambda each: each.scalar)
    section.unranked = tuple(name for name in results.designs if name not in {each.name for each in found})


def standing(section: Section) -> str:
    """How the searches of a section compare with its named designs, in one sentence; empty where there are none."""
    if not section.named and not section.unranked:
        return ""
    left_out = f" ({', '.join(section.unranked)}: not feasible here)" if section.unranked else ""
    if not section.named:
        return f"no named design is feasible here{left_out}"
    if not len(section.best):
        return f"no search found a feasible design; {section.named[0].name} is one{left_out}"
    text = _front_standing(section) if section.objective.k > 1 else _cost_standing(section)
    return f"{text}{left_out}"


def _cost_standing(section: Section) -> str:
    named, found, scale = section.named[0], float(section.best.scalar[0]), section.scale
    reached = f"{named.name} ({scale.text(named.scalar)})"
    above = float(scale.regret(named.scalar, found))
    if above > 0:
        which = "every named design" if len(section.named) > 1 else "the named design"
        return f"better than {which}: the best of them, {reached}, is {scale.regret_text(above, found)} above"
    if above == 0:
        return f"equal to the best named design, {reached}"
    below = float(scale.regret(found, named.scalar))
    return f"worse than the named design {reached}: the search ends {scale.regret_text(below, named.scalar)} above it"


def _front_standing(section: Section) -> str:
    front = section.best.costs
    beaten: list[str] = []
    beyond: list[str] = []
    for each in section.named:
        no_worse = (front <= each.costs).all(axis=1)
        (beaten if bool(np.any(no_worse & (front < each.costs).any(axis=1))) else beyond).append(each.name)
    total = len(section.named)
    if not beyond:
        return f"every named design is dominated by one that was found ({total} of {total})"
    kept = ", ".join(beyond)
    return f"{len(beaten)} of {total} named designs are dominated by one that was found; not dominated: {kept}"
