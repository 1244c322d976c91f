"""From an experiment file to its trials: the grid is expanded and every name is tried out before anything runs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, final

from archgym.core import Simulator
from archgym.errors import ArchGymError, InvalidInput, UnknownName
from archgym.experiment import AgentEntry, Experiment
from archgym.experiment_file import load_experiment, locate
from archgym.named import NAMED
from archgym.objectives import Objective, objective
from archgym.plan_designs import check_claims, whole_designs
from archgym.restrict import build_simulator, simulator_name
from archgym.space import Choice
from archgym.store import TrialRecord
from archgym.store_write import canonical_json
from archgym.trial import effective_budget

__all__ = ["Plan", "make_plan", "resolve_workload"]

MAX_TRIALS = 1_000_000  # a grid beyond this is a slip of the pen, and would fill the memory before it ran


@final
@dataclass(frozen=True)
class Plan:
    """What will be run. `notices` are things the user should know that are no errors."""

    path: Path
    experiment: Experiment
    simulator: Simulator
    trials: list[TrialRecord]
    notices: list[str] = field(default_factory=list)

    @property
    def resolved(self) -> dict[str, Any]:
        """The experiment with its defaults filled in, as it is stored."""
        return self.experiment.model_dump(mode="json")


def make_plan(path: Path) -> Plan:
    """Read an experiment file and expand it into trials.

    Raises:
        InvalidInput: naming file, line, key, what is allowed and the nearest valid name.
    """
    experiment = load_experiment(path)
    entry = experiment.environment_entry
    with _at(path, "environment"):
        simulator = build_simulator(entry.name, entry.options)
    if experiment.fix:
        with _at(path, "fix"):
            simulator = build_simulator(entry.name, entry.options, experiment.fix)
    workloads = list(_workloads(path, experiment, simulator))
    objectives = list(_objectives(path, experiment, simulator))
    agents = list(_agents(path, experiment, simulator))
    designs = whole_designs(experiment, simulator.space, partial(_at, path))
    check_claims(experiment, simulator, workloads, partial(_at, path))
    seeds = experiment.seed_list
    wanted = len(workloads) * (len(designs) + len(objectives) * len(agents) * len(seeds))
    if wanted > MAX_TRIALS:
        raise InvalidInput(f"{path}: the grid has {wanted:,} trials; allowed: at most {MAX_TRIALS:,}; shorten a list")
    named = [_named(experiment, simulator, *each) for each in itertools.product(workloads, designs.items())]
    if not agents:
        return Plan(path, experiment, simulator, _numbered(named))
    budget, notices = _budget(path, experiment, simulator)
    searches = [
        _trial(experiment, workload, goal, agent, seed, budget)
        for workload, goal, agent, seed in itertools.product(workloads, objectives, agents, seeds)
    ]
    return Plan(path, experiment, simulator, _numbered([*named, *searches]), notices)


def _budget(path: Path, experiment: Experiment, simulator: Simulator) -> tuple[int, list[str]]:
    """What each search may evaluate, and a notice where that is less than was asked for."""
    asked = experiment.budget or 0
    budget = effective_budget(asked, simulator)
    if budget == asked:
        return budget, []
    return budget, [f"{locate(path, 'budget')}: {asked:,} is more than the space holds; capped at {budget:,} designs"]


def _numbered(trials: list[TrialRecord]) -> list[TrialRecord]:
    return [replace(trial, id=number) for number, trial in enumerate(trials)]


@contextmanager
def _at(path: Path, *keys: str | int) -> Iterator[None]:
    """Put the place in the file before the message of an error."""
    try:
        yield
    except ArchGymError as error:
        raise InvalidInput(f"{locate(path, *keys)}: {error}") from error
    except (TypeError, ValueError) as error:  # a constructor that does not take what it was given
        raise InvalidInput(f"{locate(path, *keys)}: {' '.join(str(error).split())}") from error


def resolve_workload(simulator: Simulator, name: str, base: Path) -> str:
    """A registered name as it is, a file as an absolute path (looked for beside the experiment file first).

    A file may be followed by what the simulator is to make of it, `model.onnx:batch=4`, or stand behind what it is for,
    `gpt3-7b:requests.csv`.

    Raises:
        UnknownName: when it is neither, TraceError when the file cannot be read.
    """
    if name in simulator.workloads:
        return name
    head, colon, tail = name.partition(":")
    for before, file, behind in (("", name, ""), ("", head, colon + tail), (head + colon, tail, "")):
        for candidate in (base / file, Path(file)):
            if file and candidate.is_file():
                resolved = f"{before}{candidate.resolve()}{behind}"
                simulator.workload_fingerprint(resolved)
                return resolved
    if simulator.workload_fingerprint(name) == name:  # the simulator did not recognise it either
        raise UnknownName("workload", name, simulator.workloads)
    return name


def _workloads(path: Path, experiment: Experiment, simulator: Simulator) -> Iterator[str]:
    for position, name in enumerate(experiment.workloads):
        with _at(path, "workloads", position):
            yield resolve_workload(simulator, name, path.parent)


def _objectives(path: Path, experiment: Experiment, simulator: Simulator) -> Iterator[Objective]:
    seen: set[str] = set()
    for position, spec in enumerate(experiment.objectives):
        with _at(path, "objectives", position):
            goal = objective(spec)
            goal.check(simulator.metrics)
            if goal.name in seen:
                raise InvalidInput(f"two objectives are called {goal.name!r}; give each a `name` of its own")
            seen.add(goal.name)
            yield goal


def _agents(path: Path, experiment: Experiment, simulator: Simulator) -> Iterator[AgentEntry]:
    from archgym import catalog

    seen: set[str] = set()
    for position, entry in enumerate(experiment.agent_entries):
        with _at(path, "agents", position):
            for hyper in _expand(entry.hyper):
                identity = canonical_json([entry.name, hyper])
                if identity in seen:
                    raise InvalidInput(f"agent {entry.name!r} is listed twice with the same hyper-parameters")
                seen.add(identity)
                catalog.agent(entry.name, simulator.space, seed=0, **hyper)  # refuses unknown names and values
                yield AgentEntry(name=entry.name, hyper=hyper)


def _expand(hyper: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every combination of the listed values."""
    axes = []
    for name, value in hyper.items():
        values = value if isinstance(value, list) else [value]
        if not values:
            raise InvalidInput(f"hyper.{name}: the grid is empty; give one value or more")
        axes.append(values)
    for combination in itertools.product(*axes):
        yield dict(zip(hyper, combination, strict=True))


def _trial(
    experiment: Experiment, workload: str, goal: Objective, agent: AgentEntry, seed: int, budget: int
) -> TrialRecord:
    entry = experiment.environment_entry
    return TrialRecord(
        id=0, environment=simulator_name(entry.name),
        options=entry.options, fix=experiment.fix, workload=workload,
        objective=goal.name, spec=goal.spec, agent=agent.name, hyper=agent.hyper, seed=seed, budget=budget,
        batch=experiment.batch, timeout_s=experiment.timeout_s, state="pending",
        requested=0, cache_hits=0, simulated=0, distinct=0, wall_s=0.0, agent_s=0.0, simulate_s=0.0,
    )  # fmt: skip


def _named(
    experiment: Experiment, simulator: Simulator, workload: str, design: tuple[str, dict[str, Choice]]
) -> TrialRecord:
    """A named design as a trial: nothing is searched for, so its objective has no name and ranks nothing."""
    unranked = objective({"minimize": simulator.metrics[0].name, "name": "none"})
    agent = AgentEntry(name=NAMED, hyper={"label": design[0], "design": design[1]})
    return replace(_trial(experiment, workload, unranked, agent, 0, 1), objective="", batch=1)
