"""What holds for the whole run: the agents' standings, the accounts, the problems, the provenance, the tables."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from importlib import import_module, resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from archgym.report.named import NamedPart
from archgym.report.named_rank import standing
from archgym.report.named_tables import markdown, write_csv
from archgym.report.sections import Section
from archgym.report.stats import mean_ranks
from archgym.report.units import count, duration, number, percent, value_text

if TYPE_CHECKING:
    from archgym.store import Run, TrialRecord

__all__ = ["accounts", "problems", "provenance", "standings", "validation", "write_tables"]


def standings(sections: Sequence[Section]) -> dict[str, Any]:
    """Agents x sections: median regret and rank; agents by mean rank."""
    labels = list(dict.fromkeys(group.label for section in sections for group in section.ranked))
    medians = np.full((len(labels), len(sections)), np.nan)
    texts = [["–"] * len(sections) for _ in labels]
    for column, section in enumerate(sections):
        for group in section.ranked:
            assert group.final is not None
            assert group.regret is not None
            row = labels.index(group.label)
            medians[row, column] = group.final.median
            texts[row][column] = section.scale.regret_text(group.regret.median, section.reference_cost)
    means = mean_ranks(medians) if len(labels) else np.zeros(0)
    smaller = np.nansum(medians[None] < medians[:, None], axis=1)
    order = np.argsort(means, kind="stable")
    return {
        "columns": [{"key": s.key, "workload": s.workload, "objective": s.objective.name, "known": s.known}
                    for s in sections],
        "rows": [
            {
                "label": labels[row],
                "rank": number(float(means[row]), 2),
                "cells": [
                    {"text": texts[row][c], "first": bool(smaller[row, c] == 0 and np.isfinite(medians[row, c]))}
                    for c in range(len(sections))
                ],
            }
            for row in order
        ],
    }  # fmt: skip


def accounts(sections: Sequence[Section], named: Sequence[TrialRecord] = ()) -> list[dict[str, str]]:
    """Where the evaluations and the time went, one row an agent, and one for the named designs."""
    records: dict[str, list[TrialRecord]] = {"named designs": list(named)} if named else {}
    for section in sections:
        for group in section.groups:
            records.setdefault(group.label, []).extend(trial.record for trial in group.trials)
    everything = [record for members in records.values() for record in members]
    rows = [_account(label, members) for label, members in records.items()]
    return [*rows, _account("all", everything)] if len(rows) > 1 else rows


def _account(label: str, records: Sequence[TrialRecord]) -> dict[str, str]:
    distinct, wall = sum(r.distinct for r in records), sum(r.wall_s for r in records)
    requested = sum(r.requested for r in records)
    return {
        "label": label,
        "trials": count(len(records)),
        "requested": count(requested),
        "repeats": percent((requested - distinct) / requested) if requested else "–",
        "distinct": count(distinct),
        "simulated": count(sum(r.simulated for r in records)),
        "cached": percent(sum(r.cache_hits for r in records) / distinct) if distinct else "–",
        "rate": count(round(distinct / wall)) if wall > 0 else "–",
        "agent": duration(sum(r.agent_s for r in records)),
        "simulate": duration(sum(r.simulate_s for r in records)),
        "wall": duration(wall),
    }


def problems(run: Run, sections: Sequence[Section]) -> dict[str, Any]:
    """Everything that did not go as asked: unfinished, stalled and failed trials, designs without numbers."""
    states = Counter(record.state for record in run.trials)
    odd = [record for record in run.trials if record.state in {"failed", "stalled"}]
    reasons: Counter[tuple[str, str]] = Counter()
    broken = 0
    for section in sections:
        for trial in section.trials:
            reasons.update(trial.reasons)
            broken += trial.broken
    return {
        "states": dict(states),
        "total": sum(states.values()),
        "noun": "named designs" if run.trials and all(record.named for record in run.trials) else "searches",
        "unfinished": states["pending"] + states["running"],
        "trials": [
            {"id": r.id, "state": r.state, "agent": r.label, "workload": r.workload, "objective": r.objective,
             "seed": r.seed, "distinct": count(r.distinct), "reason": r.reason or "no reason was stored"}
            for r in odd
        ],
        "designs": [
            {"status": status, "reason": reason or "no reason given", "count": count(n)}
            for (status, reason), n in reasons.most_common(20)
        ],
        "unscored": count(sum(reasons.values())),
        "broken": count(broken) if broken else "",
        "alarms": [alarm for section in sections for alarm in section.alarms],
    }  # fmt: skip


def provenance(run: Run, sections: Sequence[Section]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Groups of (what, value) that identify software, hardware, space and workloads."""
    general = [(key.replace("_", " "), _flat(value)) for key, value in run.provenance.items()
               if key not in {"versions", "simulator_options"}]  # fmt: skip
    versions = [(name, str(version)) for name, version in dict(run.provenance.get("versions", {})).items()]
    sources = []
    for source in run.sources.values():
        options = ", ".join(f"{key}={value_text(value)}" for key, value in source.options.items()) or "none"
        text = f"{source.simulator} {source.version}; options: {options}; content {source.workload_fingerprint}"
        sources.append((source.workload, f"{text}; space {source.space_fingerprint} ({source.space.size:,} designs)"))
    seeds = sorted({trial.record.seed for section in sections for trial in section.trials})
    protocol = [("seeds", ", ".join(map(str, seeds)) or "none yet")]
    return [("Run", [*general, *protocol]), ("Libraries", versions), ("Simulators and workloads", sources)]


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}={value_text(each)}" for key, each in value.items())
    return value_text(value)


def validation(run: Run) -> dict[str, str] | None:
    """Where the simulator's comparison with the outside world is written down, and its first paragraph."""
    for record in run.trials[:1]:
        try:
            kind = type(_innermost(run.simulator(record)))
            folder = resources.files(import_module(kind.__module__.rpartition(".")[0]))
            text = (folder / "VALIDATION.md").read_text(encoding="utf-8")
        except Exception:  # noqa: BLE001  # a third party's package may lack it in as many ways as there are packages
            return None
        paragraphs = [part.strip() for part in text.split("\n\n") if part.strip() and not part.lstrip().startswith("#")]
        return {"where": f"{kind.__module__.rpartition('.')[0]}: VALIDATION.md", "text": paragraphs[0][:900]}
    return None


def _innermost(simulator: Any) -> Any:
    while hasattr(simulator, "inner"):
        simulator = simulator.inner
    return simulator


# -- tables to commit --------------------------------------------------------------------------------------------------

_TABLE_CAPTION = (
    "Median over seeds of how far an agent's final best is from the known optimum (columns with †: from the best any "
    "agent found, the optimum is not known). Bold: the best median of the column. Mean rank: 1 is best."
)
_FIELDS = (
    "environment", "workload", "objective", "agent", "seeds", "budget", "measure", "unit", "median", "q25", "q75",
    "ci95_low", "ci95_high", "optimum", "optimum_known", "regret_median", "regret_is_relative", "seeds_at_optimum",
    "evaluations_to_1_percent", "beats_random", "seconds_median",
)  # fmt: skip


def write_tables(folder: Path, title: str, sections: Sequence[Section], named: NamedPart | None) -> None:
    """`summary.csv` (every number) and `summary.md` (median regret, agents x questions); those of named designs."""
    if named is not None:
        write_csv(folder, named.results)
    with (folder / "summary.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, _FIELDS)
        writer.writeheader()
        for section in sections:
            writer.writerows(_csv_rows(section))
    (folder / "summary.md").write_text(_markdown(title, sections, named), encoding="utf-8")


def _csv_rows(section: Section) -> list[dict[str, Any]]:
    scale, best = section.scale, section.reference_cost
    rows = []
    for group in section.ranked:
        final, regret = group.final, group.regret
        assert final is not None
        assert regret is not None
        interval = final.interval or (float("nan"), float("nan"))
        shown = {name: float(scale.values(cost)) for name, cost in (
            ("median", final.median), ("q25", final.q25), ("q75", final.q75),
            ("ci95_low", interval[0]), ("ci95_high", interval[1]), ("optimum", best))}  # fmt: skip
        rows.append({
            "environment": section.environment, "workload": section.workload, "objective": section.objective.name,
            "agent": group.label, "seeds": final.n, "budget": section.budget, "measure": scale.title,
            "unit": scale.shown.text, **{name: f"{value:.9g}" for name, value in shown.items()},
            "optimum_known": section.known, "regret_median": f"{regret.median:.6g}",
            "regret_is_relative": scale.relative(best), "seeds_at_optimum": group.hits,
            "evaluations_to_1_percent": f"{np.median(group.near):g}",
            "beats_random": "" if group.wins is None else f"{group.wins:.4g}",
            "seconds_median": f"{np.median([trial.record.wall_s for trial in group.counted]):.4g}",
        })  # fmt: skip
    return rows


def _markdown(title: str, sections: Sequence[Section], named: NamedPart | None) -> str:
    table = standings(sections)
    shown = [] if named is None else markdown(named)
    if not table["rows"]:
        return "\n".join([f"# {title}", *(shown or ["", "No trial has a result yet."])]) + "\n"
    lines = [
        f"# {title}", "",
        _TABLE_CAPTION, "",
    ]  # fmt: skip
    heads = [f"{c['workload']}<br>{c['objective']}{'' if c['known'] else ' †'}" for c in table["columns"]]
    lines.append("| agent | " + " | ".join(heads) + " | mean rank |")
    lines.append("|---|" + "---:|" * (len(heads) + 1))
    for row in table["rows"]:
        cells = [f"**{cell['text']}**" if cell["first"] else cell["text"] for cell in row["cells"]]
        lines.append(f"| {row['label']} | " + " | ".join(cells) + f" | {row['rank']} |")
    for section in sections:
        lines += ["", *_markdown_section(section)]
    return "\n".join([*lines, *shown]) + "\n"


def _markdown_section(section: Section) -> list[str]:
    scale = section.scale
    unit = f", {scale.shown.text}" if scale.shown.text else ""
    optimum = f"known optimum {scale.text(section.reference_cost)}" if section.known else "optimum not known"
    lines = [
        f"## {section.workload}: {section.objective.name}", "",
        f"{section.goal[0].upper()}{section.goal[1:]}; {count(section.budget)} distinct designs each; {optimum}.", "",
        f"| agent | median ({scale.title}{unit}) | quartiles | 95 % interval of the median | regret | at optimum |",
        "|---|---:|---:|---:|---:|---:|",
    ]  # fmt: skip
    from archgym.report.view import comparison

    names = ("label", "median", "quartiles", "interval", "regret", "hits")
    lines += [f"| {' | '.join(row[name] for name in names)} |" for row in comparison(section)]
    against = standing(section)
    return [*lines, "", f"Beside the named designs: {against}."] if against else lines
