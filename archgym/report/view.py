"""What a section's part of the page says, as plain text and numbers for the template."""

from __future__ import annotations

from typing import Any

import numpy as np

from archgym.core import Floats, Metric
from archgym.report.figures_front import cost_titles
from archgym.report.named_rank import standing
from archgym.report.scale import Scale
from archgym.report.sections import Group, Section
from archgym.report.trials import Candidates
from archgym.report.units import count, duration, metric_title, number, percent, unit_for, value_text

__all__ = ["best_designs", "comparison", "front_note", "headline", "importance_rows"]

_TABLE_ROWS = 10
_FRONT_ROWS = 12


def headline(section: Section) -> dict[str, Any]:
    """The answer: the best design, what it reaches, how far that is from the optimum, who found it."""
    base = {
        "key": section.key,
        "workload": section.workload,
        "objective": section.objective.name,
        "goal": section.goal,
        "named": standing(section),
    }
    if not len(section.best):
        return {**base, "value": "none", "unit": "", "verdict": "no feasible design was found", "grade": "bad",
                "by": "", "design": [], "metrics": [], "reaches": []}  # fmt: skip
    several = section.objective.k > 1
    best = section.best
    row = int(np.argmin(best.scalar))
    cost = min((trial.final for trial in section.trials), default=np.inf)
    grade, verdict = _verdict(section, float(cost))
    pairs = list(zip(section.source.metrics, best.values[row].tolist(), strict=True))
    wanted = section.objective.metrics
    return {
        **base,
        "value": f"{len(best):,}" if several else section.scale.bare(float(best.scalar[row])),
        "unit": _unit(section),
        "verdict": verdict,
        "grade": grade,
        "by": _found_by(section),
        "balanced": several,
        "design": _knobs(section, best, row),
        "metrics": [_metric(metric, value) for metric, value in pairs],
        "reaches": [_metric(metric, value) for metric, value in pairs if metric.name in wanted and len(wanted) > 1],
    }


def _unit(section: Section) -> str:
    """What stands beside the big number: a unit, or what is counted."""
    if section.objective.k > 1:
        return "design no other dominates" if len(section.best) == 1 else "designs on the front"
    return section.scale.shown.text or section.scale.title


def _verdict(section: Section, cost: float) -> tuple[str, str]:
    if section.alarms:
        return "bad", "contradicts the known optimum: see the warning"
    if section.sweep is None:
        return "open", "optimum not known"
    space = f"{section.sweep.size:,} designs"
    regret = float(section.scale.regret(cost, section.reference_cost))
    if regret <= 0 and section.objective.k > 1:
        return "good", f"the known Pareto front of all {space}, complete, in one search"
    if regret <= 0:
        equal = section.sweep.n_optimal
        also = f"; {equal:,} designs share it" if equal > 1 else ""
        return "good", f"the known optimum of all {space}{also}"
    text = section.scale.regret_text(regret, section.reference_cost)
    if section.objective.k > 1:
        return "near", f"the best single search misses {text} of the known front's hypervolume"
    optimum = section.scale.text(section.reference_cost)
    return "near", f"{text} above the known optimum ({optimum}) of all {space}"


def _found_by(section: Section) -> str:
    best = min((trial.final for trial in section.trials), default=np.inf)
    parts = []
    for group in section.ranked:
        hits = sum(trial.final <= best for trial in group.trials)
        if hits:
            parts.append(f"{group.label} ({hits} of {len(group.trials)} seeds)")
    if not parts or not np.isfinite(best):
        return ""
    rest = f" and {len(parts) - 3} more" if len(parts) > 3 else ""
    return ", ".join(parts[:3]) + rest


def _knobs(section: Section, candidates: Candidates, row: int) -> list[tuple[str, str]]:
    units = {parameter.name: parameter.unit for parameter in section.source.parameters}
    decoded = section.source.space.decode(candidates.designs[row])
    return [(name, f"{value_text(value)} {units[name]}".rstrip()) for name, value in decoded.items()]


def _metric(metric: Metric, value: float) -> tuple[str, str]:
    unit = unit_for(metric.unit, value)
    return metric_title(metric), f"{number(value * unit.factor)} {unit.text}".rstrip()


def comparison(section: Section) -> list[dict[str, Any]]:
    """One row an agent, the best first."""
    scale, best = section.scale, section.reference_cost
    rows = []
    lead = min((group.final.median for group in section.ranked if group.final is not None), default=np.inf)
    for group in section.ranked:
        assert group.final is not None
        assert group.regret is not None
        rows.append({
            "label": group.label,
            "seeds": _seeds(group),
            "median": scale.bare(group.final.median),
            "quartiles": _range(scale, group.final.q25, group.final.q75),
            "interval": "one seed" if group.final.interval is None else _range(scale, *group.final.interval),
            "regret": scale.regret_text(group.regret.median, best),
            "leads": np.isfinite(group.final.median) and group.final.median <= lead,
            "hits": f"{group.hits}/{group.final.n}",
            "near": _near(group),
            "wins": "" if group.wins is None else percent(group.wins),
            "time": duration(float(np.median([trial.record.wall_s for trial in group.counted]))),
            "cached": _cached(group),
            "note": group.unlike,
        })  # fmt: skip
    return rows


def _seeds(group: Group) -> str:
    counted, every = len(group.counted), len(group.trials)
    return str(counted) if counted == every else f"{counted} of {every}"


def _range(scale: Scale, low: float, high: float) -> str:
    first, second = sorted([(float(scale.values(low)), low), (float(scale.values(high)), high)])
    texts = scale.bare(first[1]), scale.bare(second[1])
    return texts[0] if texts[0] == texts[1] else f"{texts[0]} – {texts[1]}"


def _near(group: Group) -> str:
    """Median evaluations; when fewer than half the seeds arrive there is no median, so say how many did."""
    arrived = int(np.isfinite(group.near).sum())
    middle = float(np.median(group.near))
    if np.isfinite(middle):
        return count(middle)
    return f"{arrived}/{len(group.near)} arrive"


def _cached(group: Group) -> str:
    distinct = sum(trial.record.distinct for trial in group.counted)
    return percent(sum(trial.record.cache_hits for trial in group.counted) / distinct) if distinct else "–"


def best_designs(section: Section) -> dict[str, Any]:
    """The best designs, a row each; `differs` marks what is unlike the first row."""
    chosen, rows = _chosen(section)
    if not len(chosen):
        return {"rows": []}
    space, metrics = section.source.space, section.source.metrics
    columns = [i for i, metric in enumerate(metrics) if metric.name in section.objective.metrics]
    units = [unit_for(metrics[i].unit, float(np.median(np.abs(chosen.values[:, i])))) for i in columns]
    scale = section.scale
    table = []
    for row, name in enumerate(rows):
        knobs = space.decode(chosen.designs[row])
        table.append({
            "name": name,
            "cost": "" if section.objective.k > 1 else scale.bare(float(chosen.scalar[row]), 5),
            "regret": _row_regret(section, float(chosen.scalar[row])),
            "metrics": [number(float(chosen.values[row, i]) * u.factor, 5) for i, u in zip(columns, units)],
            "knobs": [
                (value_text(value), bool(chosen.designs[row, c] != chosen.designs[0, c]))
                for c, value in enumerate(knobs.values())
            ],
        })  # fmt: skip
    return {
        "rows": table,
        "several": section.objective.k > 1,
        "show_cost": section.objective.k == 1 and scale.kind != "ratio",
        "cost": scale.axis,
        "metrics": [f"{metric_title(metrics[i])} ({u.text})".replace(" ()", "") for i, u in zip(columns, units)],
        "knobs": [f"{p.name} ({p.unit})" if p.unit else p.name for p in section.source.parameters],
        "tied": _tied(section),
    }


def _row_regret(section: Section, scalar: float) -> str:
    if section.objective.k > 1:
        return ""
    regret = float(section.scale.regret(scalar, section.reference_cost))
    return section.scale.regret_text(max(regret, 0.0), section.reference_cost)


def _tied(section: Section) -> int:
    """How many designs found share the best cost (among those kept)."""
    return int(np.sum(section.best.scalar <= section.best.scalar[0])) if section.objective.k == 1 else 0


def _chosen(section: Section) -> tuple[Candidates, list[str]]:
    best = section.best
    if not len(best):
        return best, []
    if section.objective.k > 1:
        rows = np.unique(np.linspace(0, len(best) - 1, min(len(best), _FRONT_ROWS)).round().astype(np.intp))
        return best.take(rows), [str(number + 1) for number in rows]
    top = best.take(np.arange(min(len(best), _TABLE_ROWS)))
    names = [str(number + 1) for number in range(len(top))]
    missed = section.sweep is not None and float(section.scale.regret(top.scalar[0], section.reference_cost)) > 0
    if not missed or section.sweep is None:
        return top, names
    known = section.sweep.known.take(np.arange(1))
    parts = [(getattr(known, name), getattr(top, name)) for name in ("designs", "costs", "scalar", "values")]
    joined = [np.concatenate(pair) for pair in parts]
    return Candidates(*joined), ["known optimum, not found", *names]


def importance_rows(section: Section) -> list[dict[str, str]]:
    """Each parameter's favourite choice among the best designs."""
    if section.importance is None:
        return []
    return [
        {
            "name": effect.name,
            "importance": percent(effect.importance),
            "favourite": value_text(effect.favourite),
            "best": percent(effect.share_best),
            "all": percent(effect.share_all),
        }
        for effect in section.importance.effects
    ]


def front_note(section: Section, reference: Floats) -> str:
    """The hypervolume's reference point in words."""
    parts = []
    for (title, sign, unit), value in zip(cost_titles(section), reference, strict=True):
        parts.append(f"{title}: {number(float(value) * sign * unit.factor)}")
    return "; ".join(parts)
