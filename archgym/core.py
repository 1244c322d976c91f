"""The contracts: a simulator scores designs in batches, an agent asks and is told, `search()` introduces them.

Read this file first. Simulators know no agents, agents know no hardware; the design space (`archgym.space`) and the
objective (`archgym.objectives`) are all they share. Every class here is abstract (never instantiated) or final (never
subclassed), and there is one layer of inheritance.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from archgym.errors import InvalidInput, UnknownName
from archgym.space import Designs, DesignSpace

if TYPE_CHECKING:
    from archgym.objectives import Objective
    from archgym.result import Result

Floats: TypeAlias = NDArray[np.float64]

__all__ = [
    "FAILED", "INFEASIBLE", "OK", "STATUSES", "TIMEOUT",
    "Agent", "Designs", "Evaluations", "Floats", "Metric", "Simulator", "search",
]  # fmt: skip

OK, INFEASIBLE, FAILED, TIMEOUT = "ok", "infeasible", "failed", "timeout"
STATUSES = (OK, INFEASIBLE, FAILED, TIMEOUT)


@final
@dataclass(frozen=True)
class Metric:
    """A number a simulator reports: its unit is part of its name, `direction` says which way is better."""

    name: str
    unit: str
    direction: Literal["minimize", "maximize", "none"] = "minimize"
    doc: str = ""


@final
@dataclass(frozen=True)
class Evaluations:
    """What a simulator says of n designs.

    `values` is float64[n, m], one column a metric, NaN in rows whose `status` is not "ok"; `status` holds one of
    "ok", "infeasible", "failed", "timeout" per row, and `reasons` one sentence per row (empty when ok).
    """

    metrics: tuple[Metric, ...]
    values: Floats
    status: NDArray[np.str_]
    reasons: tuple[str, ...]

    @classmethod
    def of(
        cls,
        metrics: Sequence[Metric],
        values: Floats,
        status: Sequence[str] | NDArray[np.str_] | None = None,
        reasons: Sequence[str] | None = None,
    ) -> Evaluations:
        """Build from float64[n, m] values; every row is "ok" unless `status` says otherwise.

        Raises:
            InvalidInput: when the shapes disagree or a status is unknown.
        """
        table = np.array(values, dtype=np.float64, ndmin=2)
        n = len(table)
        states = np.full(n, OK, dtype="<U10") if status is None else np.array(status, dtype="<U10")
        why = ("",) * n if reasons is None else tuple(reasons)
        if table.shape[1] != len(metrics) or len(states) != n or len(why) != n:
            raise InvalidInput(
                f"evaluations disagree: values {table.shape}, {len(metrics)} metrics, {len(states)} statuses, "
                f"{len(why)} reasons; values must be [n, {len(metrics)}] with one status and one reason a row"
            )
        for state in np.unique(states):
            if state not in STATUSES:
                raise UnknownName("status", str(state), STATUSES)
        table[states != OK] = np.nan
        return cls(tuple(metrics), table, states, why)

    @classmethod
    def unscored(cls, metrics: Sequence[Metric], n: int, status: str, reason: str) -> Evaluations:
        """n rows that could not be scored, all for the same reason."""
        return cls.of(metrics, np.full((n, len(metrics)), np.nan), [status] * n, [reason] * n)

    @classmethod
    def concatenate(cls, parts: Sequence[Evaluations]) -> Evaluations:
        """Join batches of the same metrics, in order; at least one is needed."""
        return cls(
            parts[0].metrics,
            np.concatenate([part.values for part in parts]),
            np.concatenate([part.status for part in parts]),
            tuple(reason for part in parts for reason in part.reasons),
        )

    def __len__(self) -> int:
        """How many designs."""
        return len(self.values)

    def __getitem__(self, name: str) -> Floats:
        """One metric of every design, float64[n].

        Raises:
            UnknownName: when no metric has this name.
        """
        for column, metric in enumerate(self.metrics):
            if metric.name == name:
                return self.values[:, column]
        raise UnknownName("metric", name, [metric.name for metric in self.metrics])

    @property
    def ok(self) -> NDArray[np.bool_]:
        """Which rows were scored, bool[n]."""
        return np.asarray(self.status == OK)

    def take(self, rows: NDArray[np.intp] | Sequence[int]) -> Evaluations:
        """The given rows, in the given order (a row may appear more than once)."""
        index = np.asarray(rows, dtype=np.intp)
        return Evaluations(self.metrics, self.values[index], self.status[index], tuple(self.reasons[i] for i in index))

    def as_dict(self, row: int) -> dict[str, float]:
        """One design's metrics by name."""
        return {metric.name: float(value) for metric, value in zip(self.metrics, self.values[row], strict=True)}


class Simulator(ABC):
    """Scores designs. Deterministic: same design, workload and version, same numbers.

    A subclass sets the attributes below and implements `simulate`; `archgym.testing.check_simulator` checks the rest.
    """

    name: str
    """How the catalog and every stored row call it."""
    version: str
    """Changes whenever any number can change; stored rows of another version are not reused."""
    space: DesignSpace
    metrics: tuple[Metric, ...]
    workloads: tuple[str, ...]
    """Registered workload names; a simulator may also accept paths and say so in `simulate`."""
    options: Mapping[str, Any] = {}
    """What the simulator was built with (device, channels, ...): part of the provenance."""

    @abstractmethod
    def simulate(self, designs: Designs, workload: str) -> Evaluations:
        """Score int32[n, d] designs on one workload; a design it cannot score gets a status and a reason.

        Raises:
            InvalidInput: for designs outside the space or an unknown workload.
        """

    def canonical(self, designs: Designs) -> Designs:
        """Map designs that cannot differ to one representative, int32[n, d], so that the cache answers for all.

        By default what the space knows; agents see that too, and need not propose the same design twice.
        """
        return self.space.canonical(designs)

    def enumeration(self, workload: str) -> Mapping[str, Any] | None:
        """Summary of an exhaustive sweep of this space on this workload (`archgym enumerate`), where one is shipped.

        It holds the known optimum and top designs of each registered objective and the quantiles of each metric;
        reports use it to show true regret. None: the optimum is not known.
        """
        return None

    def workload_fingerprint(self, workload: str) -> str:
        """Identify the workload's content, so that an edited trace file is not answered from old rows."""
        return workload


class Agent(ABC):
    """Proposes designs and learns from their costs. Only `ask` must be implemented.

    Seeded: the same space, seed, hyper-parameters and answers give the same proposals in every process, which is why
    a killed search resumes by replaying what was stored.
    """

    name: ClassVar[str]
    space: DesignSpace

    @abstractmethod
    def ask(self, n: int) -> Designs:
        """Propose 1 to n designs, int32[*, d]; n is what the caller can use, fewer is allowed."""

    def tell(self, designs: Designs, evaluations: Evaluations, costs: Floats) -> None:
        """Learn: `costs` is float64[n, k], always minimised, finite for every row (see `archgym.objectives`)."""


def search(
    simulator: Simulator | str,
    agent: Agent | str,
    objective: Objective | str | Mapping[str, Any],
    *,
    workload: str,
    budget: int,
    seed: int = 0,
    batch: int = 64,
) -> Result:
    """Search a simulator's space with an agent and return what was found.

    Args:
        simulator: a simulator or a registered name.
        agent: an agent or a registered name (then built with `seed`).
        objective: an objective or a specification `archgym.objective` takes.
        workload: a registered name, or a path where the simulator reads files.
        budget: how many *distinct* designs may be evaluated; repeats are answered from the cache and not charged.
        seed: the agent's seed.
        batch: at most this many designs are asked for at once.

    A budget larger than the space is capped at its size (`Result.budget` tells).

    Raises:
        InvalidInput: for a budget below 1, an unknown name or an unknown workload.
    """
    from archgym.trial import run_trial  # the loop proper, with its accounting

    return run_trial(simulator, agent, objective, workload=workload, budget=budget, seed=seed, batch=batch)
