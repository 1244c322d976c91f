"""The named designs of a run on its page: published figures beside ours, a table a metric, what the designs are."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, final

import numpy as np

from archgym.claims_text import claim_rows, verdict
from archgym.core import Floats, Metric
from archgym.named_results import NamedResults, named_results
from archgym.objectives import PENALTY, Objective, objective
from archgym.report.checks import Checks
from archgym.report.figures_named import claim_gaps, design_bars
from archgym.report.named_rank import attach
from archgym.report.scale import goal_text, make_scale
from archgym.report.units import Unit, metric_title, number, unit_for, value_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from archgym.report.sections import Section
    from archgym.space import Parameter
    from archgym.store import Run

__all__ = ["NamedPart", "load_named", "named_context", "table"]

Draw = Callable[[str, "Figure", str, str], dict[str, Any]]
"""Saves a figure: name, figure, text for screen readers, caption."""


@final
@dataclass(frozen=True)
class Column:
    """A quantity of every design on every workload, float64[designs, workloads], NaN where there is none."""

    title: str
    unit: str
    better: Literal["minimize", "maximize", "none"]
    doc: str
    values: Floats
    name: str


@final
@dataclass(frozen=True)
class NamedPart:
    """The named designs of a run and what of them is worth a table."""

    results: NamedResults
    columns: tuple[Column, ...]
    parameters: tuple[Parameter, ...]


def load_named(run: Run, sections: Sequence[Section], checks: Checks) -> NamedPart | None:
    """Read the named designs of a run, check their numbers, and put their costs into the sections; None without any."""
    results = named_results(run)
    if results is None:
        return None
    for row in results.rows.values():
        checks.see(row)
    for section in sections:
        attach(section, results)
    goals = [objective(spec) for spec in run.experiment.get("objectives", ())]
    metrics = results.main_metrics([name for goal in goals for name in goal.metrics])
    columns = [_of_metric(results, metric) for metric in metrics]
    columns += [_of_objective(results, goal) for goal in goals if goal.k == 1 and not _is_metric(goal)]
    return NamedPart(results, tuple(columns), run.source(results.trials[0]).parameters)


def _of_metric(results: NamedResults, metric: Metric) -> Column:
    title, values = metric_title(metric), results.values(metric.name)
    return Column(f"{title[:1].upper()}{title[1:]}", metric.unit, metric.direction, metric.doc, values, metric.name)


def _is_metric(goal: Objective) -> bool:
    """Whether an objective is a metric itself, which has a table already."""
    return bool({"minimize", "maximize"} & goal.spec.keys()) and "constraints" not in goal.spec


def _of_objective(results: NamedResults, goal: Objective) -> Column:
    """What an objective shows of each design; what breaks a constraint has none."""
    scale = make_scale(goal.spec, goal.labels, results.metrics)
    costs = np.full((len(results.designs), len(results.workloads)), np.nan)
    for row, design in enumerate(results.designs):
        for column, workload in enumerate(results.workloads):
            found = results.rows.get((design, workload))
            cost = np.inf if found is None else float(goal.costs(found)[0, 0])
            costs[row, column] = cost if cost < PENALTY else np.inf
    better: Literal["minimize", "maximize"] = "minimize" if scale.sign > 0 else "maximize"
    said = goal_text(goal.spec, results.metrics)
    return Column(goal.name, scale.unit, better, f"{said[0].upper()}{said[1:]}.", scale.values(costs), goal.name)


def named_context(part: NamedPart | None, draw: Draw) -> dict[str, Any]:
    """What the page says of named designs; nothing where there are none."""
    if part is None:
        return {"claims": None, "claim_figures": [], "designs": None}
    results = part.results
    found: dict[str, Any] = {"claims": _claims(results) if results.claims else None, "claim_figures": []}
    gaps = claim_gaps(results.outcomes) if results.claims else None
    if gaps is not None:
        caption = "Ours relative to each published figure; bars beyond ±100 % end at the edge."
        found["claim_figures"] = [draw("claims", gaps, verdict(results), caption)]
    shared, differing = _knobs(results, part.parameters)
    found["designs"] = {
        "names": results.designs,
        "workloads": len(results.workloads),
        "tables": [{**table(results, column), "figure": _bars(results, column, draw)} for column in part.columns],
        "troubles": results.troubles,
        "shared": shared,
        "differing": differing,
    }
    return found


def _bars(results: NamedResults, column: Column, draw: Draw) -> dict[str, Any] | None:
    figure = design_bars(results, column.title, column.values)
    if figure is None:
        return None
    first = results.designs[0]
    caption = f"{column.title} relative to {first}{_better(column)}."
    if not np.isfinite(column.values).all():
        caption += f" ✗: no number; where {first} has none, nothing is drawn."
    alt = f"{column.title} by workload, bars of one colour a design: {', '.join(results.designs)}."
    return draw(f"designs-{re.sub(r'[^A-Za-z0-9_.-]+', '-', column.name)}", figure, alt, caption)


def _better(column: Column) -> str:
    return {"minimize": "; lower is better", "maximize": "; higher is better", "none": ""}[column.better]


def _claims(results: NamedResults) -> dict[str, Any]:
    """The published figures, and what went into each where it is taken over several workloads."""
    details = [
        {"label": outcome.claim.label, "terms": [(w, number(t)) for w, t in zip(outcome.workloads, outcome.terms)]}
        for outcome in results.outcomes
        if len(outcome.terms) > 1
    ]
    return {"verdict": verdict(results), "rows": claim_rows(results), "details": details}


def table(results: NamedResults, column: Column) -> dict[str, Any]:
    """Rows are workloads, columns designs; `ratio` is to the first design, `best` marks the best of a row."""
    finite = np.abs(column.values[np.isfinite(column.values)])
    unit = unit_for(column.unit, float(np.median(finite)) if len(finite) else 0.0)
    rows = [_row(name, column.values[:, each], column, unit) for each, name in enumerate(results.workloads)]
    return {"title": column.title, "unit": unit.text, "better": _better(column), "doc": column.doc, "rows": rows}


def _row(name: str, values: Floats, column: Column, unit: Unit) -> dict[str, Any]:
    finite = values[np.isfinite(values)]
    best = math.nan
    if len(finite) > 1 and column.better != "none":
        best = float(finite.min() if column.better == "minimize" else finite.max())
    cells = []
    for position, value in enumerate(values.tolist()):
        comparable = position > 0 and values[0] > 0 and math.isfinite(value)
        cells.append({
            "text": number(value * unit.factor),
            "ratio": f"{number(value / float(values[0]), 3)} ×" if comparable else "",
            "best": value == best,
        })  # fmt: skip
    return {"name": name, "cells": cells}


def _knobs(
    results: NamedResults, parameters: Sequence[Parameter]
) -> tuple[list[tuple[str, str]], list[tuple[str, list[str]]]]:
    """Parameters all designs share, with their value, and those in which they differ, with each design's."""
    chosen = {trial.label: trial.hyper["design"] for trial in results.trials}
    shared, differing = [], []
    for parameter in parameters:
        texts = [f"{value_text(chosen[name][parameter.name])} {parameter.unit}".rstrip() for name in results.designs]
        if len(set(texts)) == 1 and len(texts) > 1:
            shared.append((parameter.name, texts[0]))
        else:
            differing.append((parameter.name, texts))
    return shared, differing
