"""What the named designs of a run reached, as one table, and the published figures beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, final

import numpy as np

from archgym.claims import Cell, Claim, Outcome, compute
from archgym.core import Evaluations, Metric

if TYPE_CHECKING:
    from archgym.store import Run, TrialRecord

__all__ = ["NamedResults", "named_results"]


@final
@dataclass(frozen=True)
class NamedResults:
    """Named designs x workloads, both in the experiment's order.

    `rows` holds the evaluation of each (design, workload), one row each; what is not evaluated yet, or whose trial
    failed, is in `missing` with the reason instead.
    """

    designs: tuple[str, ...]
    workloads: tuple[str, ...]
    metrics: tuple[Metric, ...]
    claims: tuple[Claim, ...]
    rows: Mapping[tuple[str, str], Evaluations]
    missing: Mapping[tuple[str, str], str]
    trials: tuple[TrialRecord, ...]

    def cell(self, metric: str, design: str, workload: str) -> Cell:
        """One number, or why there is none."""
        row = self.rows.get((design, workload))
        if row is None:
            return self.missing[design, workload]
        return float(row[metric][0]) if row.ok[0] else f"{row.status[0]}: {row.reasons[0]}"

    def values(self, metric: str) -> np.ndarray:
        """One metric of every design on every workload, float64[designs, workloads], NaN where there is none."""
        cells = [[self.cell(metric, design, workload) for workload in self.workloads] for design in self.designs]
        return np.array([[np.nan if isinstance(cell, str) else cell for cell in row] for row in cells])

    @cached_property
    def outcomes(self) -> tuple[Outcome, ...]:
        """Every published figure beside ours."""
        return tuple(compute(claim, self.workloads, partial(self.cell, claim.metric)) for claim in self.claims)

    @property
    def troubles(self) -> list[tuple[str, str, str]]:
        """(design, workload, reason) wherever there is no number."""
        found = []
        for design in self.designs:
            for workload in self.workloads:
                cell = self.cell(self.metrics[0].name, design, workload)
                if isinstance(cell, str):
                    found.append((design, workload, cell))
        return found

    def main_metrics(self, extra: Sequence[str] = ()) -> list[Metric]:
        """The metrics worth a table: those that claims are about, then `extra`; else the first that can be better."""
        wanted = dict.fromkeys([*(claim.metric for claim in self.claims), *extra])
        known = {metric.name: metric for metric in self.metrics}
        if wanted:
            return [known[name] for name in wanted if name in known]
        return [metric for metric in self.metrics if metric.direction != "none"][:_MAIN] or [self.metrics[0]]


_MAIN = 4


def named_results(run: Run) -> NamedResults | None:
    """What a run's named designs reached so far; None where it has none."""
    trials = [trial for trial in run.trials if trial.named]
    if not trials:
        return None
    rows: dict[tuple[str, str], Evaluations] = {}
    missing: dict[tuple[str, str], str] = {}
    for trial in trials:
        where = (trial.label, trial.workload)
        evaluations = run.history(trial.id).evaluations
        if len(evaluations):
            rows[where] = evaluations
        else:
            missing[where] = f"{trial.state}: {trial.reason}" if trial.reason else "not evaluated yet"
    labels = {trial.label for trial in trials}
    listed = [name for name in run.experiment.get("designs", {}) if name in labels]
    return NamedResults(
        tuple(listed),
        tuple(dict.fromkeys(trial.workload for trial in trials)),
        run.source(trials[0]).metrics,
        tuple(Claim.model_validate(each) for each in run.experiment.get("claims", ())),
        rows,
        missing,
        tuple(trials),
    )
