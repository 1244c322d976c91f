"""The run as sections: one per environment, workload and objective, with its agents compared."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

import numpy as np

from archgym.core import Floats
from archgym.report.checks import Checks
from archgym.report.importance import Importance, importance
from archgym.report.named_rank import NamedCost
from archgym.report.reference import Sweep, attach_hypervolume, find_sweep, front_of
from archgym.report.scale import Scale, goal_text, make_scale
from archgym.report.stats import Spread, spread, win_share
from archgym.report.trials import Candidates, TrialData, load_trial, merge

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from archgym.objectives import Objective
    from archgym.store import Run, Source, TrialRecord

__all__ = ["BASELINE", "Group", "Section", "load_sections"]

BASELINE = "random"
"""The agent every other one must beat; drawn in grey."""

_NEAR = 0.01  # "within 1 % of the best"


@final
@dataclass
class Group:
    """One agent with one setting of its hyper-parameters, over seeds."""

    agent: str
    label: str
    trials: list[TrialData]
    counted: list[TrialData] = field(default_factory=list)  # those the statistics use
    final: Spread | None = None  # of costs
    regret: Spread | None = None
    hits: int = 0
    near: Floats = field(default_factory=lambda: np.zeros(0))  # evaluations to within 1 % of the best, inf if never
    wins: float | None = None  # share of seed pairs in which it beats random search
    unlike: str = ""  # why the statistics are provisional


@final
@dataclass
class Section:
    """One question: the best design of one space for one workload and objective."""

    key: str
    environment: str
    workload: str
    objective: Objective
    goal: str
    source: Source
    budget: int
    groups: list[Group]
    scale: Scale
    sweep: Sweep | None
    sweep_note: str
    best: Candidates  # over every trial, best first; for several costs the pooled front
    reference_point: Floats | None
    reference_cost: float  # of the known optimum, else of the best found
    importance: Importance | None
    alarms: list[str] = field(default_factory=list)
    named: list[NamedCost] = field(default_factory=list)  # feasible designs the experiment names, the best first
    unranked: tuple[str, ...] = ()  # named designs that are not feasible for this objective

    @property
    def known(self) -> bool:
        """Whether the optimum is known."""
        return self.sweep is not None

    @property
    def title(self) -> str:
        """Workload and objective."""
        return f"{self.workload} · {self.objective.name}"

    @property
    def trials(self) -> list[TrialData]:
        """Every trial of the section."""
        return [trial for group in self.groups for trial in group.trials]

    @property
    def ranked(self) -> list[Group]:
        """Groups with results, the best median first; equal ones by how many seeds hit, then by how soon."""

        def order(group: Group) -> tuple[float, float, float]:
            assert group.final is not None
            return group.final.median, -group.hits / group.final.n, float(np.median(group.near))

        return sorted((group for group in self.groups if group.final is not None), key=order)


def load_sections(run: Run, checks: Checks, tick: Callable[[], None] = lambda: None) -> list[Section]:
    """Read a whole run; `tick` is called after each trial."""
    searches = [record for record in run.trials if not record.named]
    records = [record for record in searches if record.distinct or record.state in {"failed", "stalled", "done"}]
    labels = _labels(searches)
    grouped: dict[str, list[TrialRecord]] = {}
    for record in records:
        grouped.setdefault(_question(record), []).append(record)
    sections = []
    for number, members in enumerate(grouped.values(), start=1):
        trials = []
        for record in members:
            trials.append(load_trial(run, record, checks))
            tick()
        sections.append(_section(f"s{number}", run, trials, labels))
    return sections


def _question(record: TrialRecord) -> str:
    spec = {key: value for key, value in record.spec.items() if key != "name"} if record.spec else {}
    parts = [record.environment, record.options, record.fix, record.workload, record.objective, spec, record.source]
    return json.dumps(parts, sort_keys=True, default=str)


def _labels(records: Sequence[TrialRecord]) -> dict[str, str]:
    """A name per agent and setting: the hyper-parameters that differ are named, the others are not."""
    settings: dict[str, dict[str, dict[str, Any]]] = {}
    for record in records:
        settings.setdefault(record.agent, {})[_setting(record)] = dict(record.hyper)
    labels = {}
    for agent, found in settings.items():
        names = sorted({name for hyper in found.values() for name in hyper})
        varying = [n for n in names if len({json.dumps(h.get(n), default=str) for h in found.values()}) > 1]
        for key, hyper in found.items():
            text = ", ".join(f"{name}={hyper.get(name, 'default')}" for name in varying)
            labels[key] = f"{agent} ({text})" if text else agent
    return labels


def _setting(record: TrialRecord) -> str:
    return json.dumps([record.agent, dict(record.hyper)], sort_keys=True, default=str)


def _section(key: str, run: Run, trials: list[TrialData], labels: dict[str, str]) -> Section:
    record = trials[0].record
    source, objective = run.source(record), run.objective(record)
    sweep, note = find_sweep(run, record, source, objective)
    best = merge([trial.top if objective.k == 1 else trial.front for trial in trials])
    reference_point = None
    if objective.k > 1:
        best = front_of(best)
        if len(best):
            reference_point = attach_hypervolume(trials, objective, sweep.known if sweep else best)
    finals = [trial.final for trial in trials]
    reference = 0.0 if objective.k > 1 else (sweep.cost if sweep else min(finals, default=np.inf))
    scale = make_scale(dict(objective.spec), objective.labels, source.metrics)
    section = Section(
        key, record.environment, record.workload, objective, goal_text(dict(objective.spec), source.metrics), source,
        max(trial.record.budget for trial in trials), _groups(trials, labels), scale.fitted(reference), sweep, note,
        best, reference_point, float(reference), None,
    )  # fmt: skip
    for group in section.groups:
        _summarise(group, section)
    _compare(section)
    section.importance = _importance(section)
    return section


def _groups(trials: list[TrialData], labels: dict[str, str]) -> list[Group]:
    found: dict[str, Group] = {}
    for trial in trials:
        setting = _setting(trial.record)
        found.setdefault(setting, Group(trial.record.agent, labels[setting], [])).trials.append(trial)
    return list(found.values())


def _summarise(group: Group, section: Section) -> None:
    """Statistics over the trials that ended; over what there is so far where none did."""
    group.counted = [trial for trial in group.trials if trial.finished]
    if not group.counted:
        group.counted = [trial for trial in group.trials if trial.evaluated]
        group.unlike = "no trial has ended yet" if group.counted else "nothing was evaluated"
    if not group.counted:
        return
    costs = np.array([trial.final for trial in group.counted])
    regret = section.scale.regret(costs, section.reference_cost)
    if (regret < 0).any():
        section.alarms.append(
            f"{group.label} found a cost of {costs.min():.9g}, below the known optimum {section.reference_cost:.9g}: "
            "the sweep and this run disagree, so no regret of this section can be trusted"
        )
    group.final, group.regret = spread(costs), spread(np.maximum(regret, 0.0))
    group.hits = int(np.sum(regret <= 0))
    near = section.scale.within(section.reference_cost, _NEAR)
    group.near = np.array([trial.curve.reached(near) for trial in group.counted])


def _compare(section: Section) -> None:
    baseline = [trial.final for group in section.groups if group.agent == BASELINE for trial in group.counted]
    for group in section.groups:
        if baseline and group.counted and group.agent != BASELINE:
            group.wins = win_share([trial.final for trial in group.counted], baseline)


def _importance(section: Section) -> Importance | None:
    """From uniformly sampled designs where there are enough, as the others cluster where their agents went."""
    uniform = [t.sample for group in section.groups if group.agent == BASELINE for t in group.trials]
    for samples, uniform_only in ((uniform, True), ([trial.sample for trial in section.trials], False)):
        if samples:
            found = importance(section.source.space, merge(samples), uniform=uniform_only)
            if found is not None:
                return found
    return None
