"""Published figures beside ours in words: for the terminal, the report and its tables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from rich.table import Table
from rich.text import Text

from archgym.claims import Outcome
from archgym.core import Metric
from archgym.errors import UnknownName
from archgym.named_results import NamedResults
from archgym.report.units import number, unit_for

__all__ = [
    "ClaimRow",
    "claim_rows",
    "claims_table",
    "comparison_of_claims",
    "comparison_of_designs",
    "designs_table",
    "verdict",
]

_NEAR = (0.05, 0.10, 0.25)
_MOST_ROWS = 40


@final
@dataclass(frozen=True)
class ClaimRow:
    """One published figure as text."""

    label: str
    ours: str
    published: str
    difference: str
    over: str
    source: str
    note: str
    why: str

    @property
    def computed(self) -> bool:
        """Whether there is a number of ours."""
        return not self.why


def claim_rows(results: NamedResults) -> list[ClaimRow]:
    """Every claim of an experiment as text, in its order."""
    known = {metric.name: metric for metric in results.metrics}
    rows = []
    for outcome in results.outcomes:
        claim = outcome.claim
        if claim.metric not in known:
            raise UnknownName("metric", claim.metric, known)
        format_one = _Figures(outcome, known[claim.metric])
        rows.append(
            ClaimRow(
                claim.label,
                "not computable" if outcome.why else format_one(outcome.ours, 4),
                _published(outcome, format_one),
                difference_text(outcome),
                _over(outcome),
                claim.source,
                claim.note,
                outcome.why,
            )
        )
    return rows


@final
class _Figures:
    """Writes figures of one claim, ours and the published one, in the same unit."""

    def __init__(self, outcome: Outcome, metric: Metric) -> None:
        self.shown = outcome.claim.shown
        size = max((abs(end) for end in outcome.claim.ends if end is not None), default=0.0)
        self.unit = unit_for(metric.unit, size)

    def __call__(self, value: float, digits: int | None = None) -> str:
        """`digits` significant digits; as many as were given without."""
        scaled = value * {"value": self.unit.factor, "ratio": 1.0}.get(self.shown, 100.0)
        whole = self.shown == "value" and scaled == round(scaled)  # something that is counted
        text = f"{scaled:,.6g}" if digits is None or whole else number(scaled, digits)
        if self.shown == "change" and scaled > 0:
            text = f"+{text}"
        return f"{text} {'×' if self.shown == 'ratio' else self.unit.text if self.shown == 'value' else '%'}".rstrip()


def _published(outcome: Outcome, figures: _Figures) -> str:
    low, high = outcome.claim.ends
    if low is None or high is None:
        return f"at least {figures(low)}" if low is not None else f"at most {figures(high or 0.0)}"
    return figures(low) if low == high else f"{figures(low)} to {figures(high)}"


def difference_text(outcome: Outcome) -> str:
    """How far ours is from the published figure; empty where there is none of ours."""
    if outcome.why:
        return ""
    if math.isnan(outcome.relative):
        return "outside"
    if outcome.relative == 0 and isinstance(outcome.claim.published, list):
        return "within"
    return f"{100 * outcome.relative:+.1f} %"


def _over(outcome: Outcome) -> str:
    taken = outcome.claim.taken.replace("-", " ")

    def named(workloads: Sequence[str], what: str) -> str:
        return workloads[0] if len(workloads) == 1 else f"{what} of {len(workloads)} workloads"

    text = named(outcome.workloads, taken)
    return f"{text}, over {named(outcome.others, 'that')}" if outcome.others else text


def verdict(results: NamedResults) -> str:
    """How many published figures are met how closely, in one sentence."""
    outcomes = results.outcomes
    found = [abs(outcome.relative) for outcome in outcomes if not outcome.why]
    parts = [f"within {100 * near:g} % of {sum(each <= near for each in found)}" for near in _NEAR]
    lost = len(outcomes) - len(found)
    ending = f"; {lost} not computable" if lost else ""
    return f"of {len(outcomes)} published figure{'s' * (len(outcomes) != 1)}, ours is {', '.join(parts)}{ending}"


def claims_table(results: NamedResults) -> Table:
    """Published figures beside ours, for a terminal."""
    table = Table(title=Text(verdict(results)), box=None, title_justify="left")
    for name in ("published figure", "ours", "published", "difference", "over", "source"):
        right = name in {"ours", "published", "difference"}
        table.add_column(name, justify="right" if right else "left", no_wrap=right, overflow="fold")
    for row in claim_rows(results):
        source = f"{row.source} ({row.why})" if row.why else row.source
        table.add_row(*map(Text, (row.label, row.ours, row.published, row.difference, row.over, source)))
    return table


def designs_table(results: NamedResults) -> Table | None:
    """The main metrics of every named design on every workload, for a terminal; None where that is too long."""
    if len(results.designs) * len(results.workloads) > _MOST_ROWS:
        return None
    metrics = results.main_metrics()
    table = Table(title="named designs", box=None, title_justify="left")
    for name in ("workload", "design"):
        table.add_column(name, overflow="fold")
    for metric in metrics:
        table.add_column(f"{metric.name} ({metric.unit})" if metric.unit else metric.name, justify="right")
    troubles = {(design, workload): why for design, workload, why in results.troubles}
    for workload in results.workloads:
        for design in results.designs:
            why = troubles.get((design, workload))
            cells = [results.cell(metric.name, design, workload) for metric in metrics]
            texts = ["-" if isinstance(cell, str) else f"{cell:.6g}" for cell in cells]
            table.add_row(Text(workload), Text(f"{design} ({why})" if why else design), *texts)
    return table


def comparison_of_claims(runs: Sequence[tuple[str, NamedResults]]) -> Table:
    """The published figures of several runs side by side; `runs` holds (heading, results)."""
    table = Table(title="published figures: ours by run", box=None, title_justify="left")
    table.add_column("published figure", overflow="fold")
    for name in ("published", *(heading for heading, _ in runs)):
        table.add_column(name, justify="right", overflow="fold")
    found = [{row.label: row for row in claim_rows(results)} for _, results in runs]
    for label in dict.fromkeys(label for rows in found for label in rows):
        published = next(rows[label].published for rows in found if label in rows)
        table.add_row(Text(label), published, *(rows[label].ours if label in rows else "-" for rows in found))
    return table


def comparison_of_designs(runs: Sequence[tuple[str, NamedResults]]) -> Table:
    """Main metrics of the named designs of several runs side by side; `runs` holds (heading, results)."""
    table = Table(title="named designs, by run", box=None, title_justify="left")
    for name in ("workload", "design", "metric"):
        table.add_column(name, overflow="fold")
    for heading, _ in runs:
        table.add_column(heading, justify="right", overflow="fold")
    metrics = dict.fromkeys(metric.name for _, results in runs for metric in results.main_metrics())
    pairs = dict.fromkeys((w, d) for _, results in runs for w in results.workloads for d in results.designs)
    for workload, design in pairs:
        for metric in metrics:
            texts = [_cell(results, metric, design, workload) for _, results in runs]
            table.add_row(Text(workload), Text(design), metric, *texts)
    return table


def _cell(results: NamedResults, metric: str, design: str, workload: str) -> str:
    known = {each.name for each in results.metrics}
    if metric not in known or design not in results.designs or workload not in results.workloads:
        return "-"
    cell = results.cell(metric, design, workload)
    return cell if isinstance(cell, str) else f"{cell:.6g}"
