"""What searches are measured against: the known optimum of an exhaustive sweep, else the best any of them found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from archgym.core import Evaluations, Floats
from archgym.errors import ArchGymError
from archgym.report.trials import Candidates, Curve, TrialData
from archgym.result import pareto_rows

if TYPE_CHECKING:
    from archgym.objectives import Objective
    from archgym.store import Run, Source, TrialRecord

__all__ = ["Sweep", "attach_hypervolume", "find_sweep", "front_of"]


@final
@dataclass(frozen=True)
class Sweep:
    """An exhaustive sweep that fits the run: same simulator version, space and workload content."""

    size: int
    distinct: int
    n_optimal: int
    cost: float  # NaN for several costs
    known: Candidates  # the best designs; for several costs the true Pareto front


def find_sweep(run: Run, record: TrialRecord, source: Source, objective: Objective) -> tuple[Sweep | None, str]:
    """The sweep of a trial's space and workload, or None and why there is none."""
    try:
        simulator = run.simulator(record)
        summary = simulator.enumeration(source.workload)
    except (ArchGymError, ImportError) as error:
        return None, f"the simulator could not be asked for it here ({str(error).splitlines()[0]})"
    if summary is None:
        return None, "no exhaustive sweep of this space on this workload is shipped"
    mine = {
        "version": source.version,
        "space_fingerprint": source.space_fingerprint,
        "workload_fingerprint": source.workload_fingerprint,
    }
    for key, value in mine.items():
        if summary.get(key) != value:
            return (
                None,
                f"a sweep is shipped, but of another {key.replace('_', ' ')} ({summary.get(key)}, here {value})",
            )
    found = [entry for entry in summary.get("objectives", {}).values() if _same(entry.get("spec"), objective)]
    if not found:
        return None, f"the sweep of this space does not cover the objective {objective.name}"
    return _sweep(summary, found[0], source, objective), ""


def _same(spec: Any, objective: Objective) -> bool:
    """Equal but for the name."""
    if not isinstance(spec, Mapping):
        return False
    return {k: v for k, v in spec.items() if k != "name"} == {k: v for k, v in objective.spec.items() if k != "name"}


def _sweep(summary: Mapping[str, Any], entry: Mapping[str, Any], source: Source, objective: Objective) -> Sweep:
    rows = entry["top"] if objective.k == 1 else entry["pareto"]
    names = [metric.name for metric in source.metrics]
    values = np.array([[row["metrics"][name] for name in names] for row in rows], dtype=np.float64)
    costs = objective.costs(Evaluations.of(source.metrics, values))
    designs = source.space.encode([row["design"] for row in rows])
    known = Candidates(designs, costs, objective.scalar(costs), values)
    cost = float(entry["optimum_cost"]) if objective.k == 1 else float("nan")
    return Sweep(int(summary["size"]), int(summary["distinct"]), int(entry.get("n_optimal", 1)), cost, known)


def front_of(candidates: Candidates) -> Candidates:
    """The designs nothing else dominates, by the first cost."""
    return candidates.take(pareto_rows(candidates.costs))


def attach_hypervolume(trials: list[TrialData], objective: Objective, best: Candidates) -> Floats:
    """Turn the fronts of trials into curves of the hypervolume share they miss; returns the reference point.

    The reference is the objective's, else the worst of `best` in each cost and a tenth of the front's extent beyond:
    far enough that the ends of the front count.
    """
    reference = objective.reference
    if reference is None:
        low, high = best.costs.min(axis=0), best.costs.max(axis=0)
        extent = np.where(high > low, high - low, np.maximum(np.abs(high), 1e-12))
        reference = high + 0.1 * extent
    whole = objective.hypervolume(best.costs, reference)
    for trial in trials:
        costs = trial.front.costs
        volume = [objective.hypervolume(costs[: n + 1], reference) for n in range(len(costs))]
        missing = 1.0 - np.array(volume) / whole if whole > 0 else np.full(len(costs), np.inf)
        trial.curve = Curve.of(np.where(np.abs(missing) < 1e-12, 0.0, missing), trial.accepted_at)
    return np.asarray(reference)
