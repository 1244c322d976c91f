"""The tables at the end of a run: each agent's final best over its seeds, the named designs, the published figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from rich.table import Table
from rich.text import Text

from archgym.claims_text import claims_table, comparison_of_claims, comparison_of_designs, designs_table
from archgym.named_results import NamedResults, named_results
from archgym.objectives import PENALTY
from archgym.store import Run, TrialRecord

__all__ = ["SummaryRow", "comparison_tables", "run_tables", "summarise"]


@final
@dataclass(frozen=True)
class SummaryRow:
    """Final best scalar cost of one agent (with its hyper-parameters) on one workload and objective, over seeds."""

    workload: str
    objective: str
    agent: str
    seeds: int
    median: float
    lower_quartile: float
    upper_quartile: float
    best: float
    distinct: int
    not_done: int

    @property
    def key(self) -> tuple[str, str, str]:
        """What two runs are compared by."""
        return (self.workload, self.objective, self.agent)


def summarise(trials: Sequence[TrialRecord]) -> list[SummaryRow]:
    """One row a workload, objective and agent, in the order of the experiment; trials without a result are counted."""
    groups: dict[tuple[str, str, str], list[TrialRecord]] = {}
    for trial in trials:
        if trial.named:
            continue
        groups.setdefault((trial.workload, trial.objective, trial.label), []).append(trial)
    return [_row(key, group) for key, group in groups.items()]


def _row(key: tuple[str, str, str], group: Sequence[TrialRecord]) -> SummaryRow:
    ended = [trial for trial in group if trial.state in {"done", "stalled"} and trial.best is not None]
    finals = np.array([trial.best for trial in ended], dtype=np.float64)
    low, middle, high = np.quantile(finals, [0.25, 0.5, 0.75]) if len(finals) else (np.nan,) * 3
    return SummaryRow(
        *key,
        seeds=len(ended),
        median=float(middle),
        lower_quartile=float(low),
        upper_quartile=float(high),
        best=float(finals.min()) if len(finals) else float("nan"),
        distinct=sum(trial.distinct for trial in ended),
        not_done=len(group) - len(ended),
    )


def run_tables(run: Run) -> Iterator[Table]:
    """What a run found, for a terminal."""
    named = named_results(run)
    searched = any(not trial.named for trial in run.trials)
    if named is None or searched:
        yield _summary_table(run)
    if named is not None:
        if searched:
            yield _beside_table(run, named)
        designs = designs_table(named)
        if designs is not None:
            yield designs
        if named.claims:
            yield claims_table(named)


def comparison_tables(runs: Sequence[Run]) -> Iterator[Table]:
    """What several runs found, side by side."""
    named = [(str(run.path), found) for run in runs if (found := named_results(run)) is not None]
    if any(not trial.named for run in runs for trial in run.trials):
        yield _comparison_table(runs)
    if named:
        yield comparison_of_designs(named)
    if any(found.claims for _, found in named):
        yield comparison_of_claims(named)


def _summary_table(run: Run) -> Table:
    """The summary of a run, for a terminal."""
    title = Text(f"{run.experiment.get('name', run.path.name)}: final best cost (smaller is better)")
    table = Table(title=title, box=None)
    for name in ("workload", "objective", "agent"):
        table.add_column(name, overflow="fold")
    for name in ("seeds", "median", "quartiles", "best", "designs"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in summarise(run.trials):
        table.add_row(
            Text(row.workload), Text(row.objective), Text(row.agent), _seeds(row), _cost(row.median),
            f"{_cost(row.lower_quartile)} to {_cost(row.upper_quartile)}" if row.seeds else "-", _cost(row.best),
            f"{row.distinct:,}",
        )  # fmt: skip
    return table


def _beside_table(run: Run, named: NamedResults) -> Table:
    """The best that was found beside the best that has a name, by the cost of each objective."""
    table = Table(title="what was found beside the named designs: cost (smaller is better)", box=None)
    for name in ("workload", "objective", "best found", "best named", "named design"):
        table.add_column(name, justify="right" if name.startswith("best") else "left", overflow="fold")
    questions: dict[tuple[str, str], list[TrialRecord]] = {}
    for trial in run.trials:
        if not trial.named:
            questions.setdefault((trial.workload, trial.objective), []).append(trial)
    for (workload, objective), trials in questions.items():
        goal = run.objective(trials[0])
        rows = {each: named.rows[each, workload] for each in named.designs if (each, workload) in named.rows}
        costs = {each: float(goal.scalar(goal.costs(row))[0]) for each, row in rows.items()}
        best = min(costs, key=lambda each: costs[each], default="")
        found = min((trial.best for trial in trials if trial.best is not None), default=np.nan)
        table.add_row(Text(workload), Text(objective), _cost(found), _cost(costs.get(best, np.nan)), Text(best))
    return table


def _seeds(row: SummaryRow) -> str:
    """How many seeds count, and how many have no result: not ended or failed."""
    return f"{row.seeds} (+{row.not_done} without result)" if row.not_done else str(row.seeds)


def _cost(value: float) -> str:
    """A cost for people: a penalty is no cost, and no result is no number."""
    if np.isnan(value):
        return "-"
    return "none valid" if value >= PENALTY else f"{value:.6g}"


def _comparison_table(runs: Sequence[Run]) -> Table:
    """Median final best cost of several runs side by side."""
    found = [{row.key: row for row in summarise(run.trials)} for run in runs]
    table = Table(title="median final best cost (smaller is better); seeds", box=None)
    for name in ("workload", "objective", "agent"):
        table.add_column(name, overflow="fold")
    for run in runs:
        table.add_column(str(run.path), justify="right", overflow="fold")
    for key in dict.fromkeys(key for rows in found for key in rows):
        cells = [f"{_cost(rows[key].median)}; {_seeds(rows[key])}" if key in rows else "-" for rows in found]
        table.add_row(*map(Text, key), *cells)
    return table
