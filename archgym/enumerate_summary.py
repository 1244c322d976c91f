"""What an exhaustive sweep found: the optimum and top designs of each objective, and the quantiles of each metric."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archgym.core import Designs, Evaluations, Floats, Simulator
from archgym.errors import StoreError, UnknownName
from archgym.objectives import Objective, objective, objectives
from archgym.result import pareto_rows
from archgym.store_schema import Codec
from archgym.store_write import canonical_json

if TYPE_CHECKING:
    from archgym.enumerate_space import Collapse

__all__ = ["FORMAT", "QUANTILES", "TOP", "applicable_objectives", "pareto_part", "summarise", "write_summary"]

FORMAT = 1
TOP = 100
QUANTILES = (0.0, 0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0)


def write_summary(
    directory: Path,
    connection: sqlite3.Connection,
    simulator: Simulator,
    workload: str,
    source: int,
    found: Collapse,
) -> Path:
    """Summarise one workload's rows as JSON beside the store.

    Raises:
        StoreError: when rows are missing, which a simulator whose `canonical` is not idempotent causes.
    """
    from archgym.enumerate_space import flat_index

    rows = connection.execute("SELECT key, metrics, status FROM evaluations WHERE source = ?", (source,)).fetchall()
    codec = Codec(int(simulator.space.cardinalities.max()))
    designs = np.frombuffer(b"".join(row[0] for row in rows), dtype=codec.dtype).astype(np.int32)
    designs = designs.reshape(-1, len(simulator.space))
    values = np.frombuffer(b"".join(row[1] for row in rows), dtype="<f8").reshape(len(rows), -1)
    order = np.argsort(flat_index(simulator.space, designs))
    if not np.array_equal(flat_index(simulator.space, designs[order]), found.representatives):
        raise StoreError(
            f"{directory}: {len(rows):,} rows for {len(found.representatives):,} distinct designs of {workload}; "
            "the simulator's canonical() must map a representative to itself"
        )
    status = [str(rows[row][2]) for row in order]
    evaluations = Evaluations.of(simulator.metrics, values[order].astype(np.float64), status)
    summary = summarise(simulator, workload, designs[order], evaluations, found.multiplicity)
    path = directory / f"{Path(workload).stem}.json"
    path.write_text(json.dumps(summary) + "\n", encoding="utf-8")
    return path


def summarise(
    simulator: Simulator,
    workload: str,
    designs: Designs,
    evaluations: Evaluations,
    multiplicity: NDArray[np.int64],
) -> dict[str, Any]:
    """The summary of designs that stand for `multiplicity` designs each; quantiles count every one of those."""
    kept = np.flatnonzero(evaluations.ok)
    scored, weight = evaluations.take(kept), multiplicity[kept]
    return {
        "format": FORMAT,
        "simulator": simulator.name,
        "version": simulator.version,
        "options": json.loads(canonical_json(dict(simulator.options))),
        "workload": workload if workload in simulator.workloads else Path(workload).name,
        "workload_fingerprint": simulator.workload_fingerprint(workload),
        "space_fingerprint": simulator.space.fingerprint,
        "size": simulator.space.size,
        "feasible": int(multiplicity.sum()),
        "distinct": len(designs),
        "scored": int(weight.sum()),
        "objectives": {
            goal.name: _objective_part(simulator, goal, designs[kept], scored, weight)
            for goal in applicable_objectives(simulator)
            if len(kept)
        },
        "quantiles": {
            metric.name: _quantiles(scored.values[:, column], weight)
            for column, metric in enumerate(simulator.metrics)
            if len(kept)
        },
    }


def applicable_objectives(simulator: Simulator) -> list[Objective]:
    """The registered objectives whose metrics a simulator has."""
    goals = []
    for name in objectives():
        goal = objective(name)
        try:
            goal.check(simulator.metrics)
        except UnknownName:  # an objective of another family
            continue
        goals.append(goal)
    return goals


def _objective_part(
    simulator: Simulator, goal: Objective, designs: Designs, scored: Evaluations, weight: NDArray[np.int64]
) -> dict[str, Any]:
    if goal.k > 1:
        return pareto_part(simulator, goal, designs, scored)
    cost = goal.costs(scored)[:, 0]
    order = np.argsort(cost, kind="stable")[:TOP]
    top = [{"cost": float(cost[row]), **_describe(simulator, designs, scored, row)} for row in order]
    return {
        "spec": goal.spec,
        "optimum_cost": top[0]["cost"],
        "optimum": top[0]["design"],
        "n_optimal": int(weight[cost == cost.min()].sum()),
        "top": top,
        "cost_quantiles": _quantiles(cost, weight),
    }


def pareto_part(simulator: Simulator, goal: Objective, designs: Designs, scored: Evaluations) -> dict[str, Any]:
    """The designs no other is better than in every cost, by the first cost; of equals the first."""
    costs = goal.costs(scored)
    front = [
        {"cost": [float(cost) for cost in costs[row]], **_describe(simulator, designs, scored, row)}
        for row in pareto_rows(costs)
    ]
    return {"spec": goal.spec, "pareto": front}


def _describe(simulator: Simulator, designs: Designs, scored: Evaluations, row: int) -> dict[str, Any]:
    return {"design": simulator.space.decode(designs[row]), "metrics": scored.as_dict(row)}


def _quantiles(values: Floats, weight: NDArray[np.int64]) -> dict[str, float]:
    """Smallest value that at least the given share of all designs does not exceed."""
    found = np.quantile(values, QUANTILES, weights=weight, method="inverted_cdf")
    return {f"{share:g}": float(value) for share, value in zip(QUANTILES, found, strict=True)}
