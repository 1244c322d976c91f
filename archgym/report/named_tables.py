"""The named designs and published figures of a run as tables to commit: CSV with every number, Markdown to read."""

from __future__ import annotations

import csv
import math
from pathlib import Path

from archgym.claims_text import claim_rows, verdict
from archgym.named_results import NamedResults
from archgym.report.named import NamedPart, table

__all__ = ["markdown", "write_csv"]

_CLAIM_FIELDS = (
    "claim", "metric", "of", "over", "workloads", "over_workloads", "statistic", "show", "ours", "published_low",
    "published_high", "relative_difference", "source", "note", "not_computable",
)  # fmt: skip


def write_csv(folder: Path, results: NamedResults) -> None:
    """`designs.csv`: every metric of every named design; `claims.csv`: every published figure beside ours."""
    with (folder / "designs.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["workload", "design", "status", "reason", *(metric.name for metric in results.metrics)])
        for workload in results.workloads:
            for design in results.designs:
                writer.writerow([workload, design, *_scores(results, design, workload)])
    if not results.claims:
        return
    with (folder / "claims.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(_CLAIM_FIELDS)
        for outcome in results.outcomes:
            claim, (low, high) = outcome.claim, outcome.claim.ends
            writer.writerow([
                claim.label, claim.metric, claim.of, claim.over or "", " ".join(outcome.workloads),
                " ".join(outcome.others), claim.taken,
                claim.shown, _text(outcome.ours), _text(low), _text(high), _text(outcome.relative), claim.source,
                claim.note, outcome.why,
            ])  # fmt: skip


def _scores(results: NamedResults, design: str, workload: str) -> list[str]:
    row = results.rows.get((design, workload))
    if row is None:
        return ["missing", results.missing[design, workload], *[""] * len(results.metrics)]
    return [str(row.status[0]), row.reasons[0], *(_text(float(value)) for value in row.values[0])]


def _text(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else f"{value:.9g}"


def markdown(part: NamedPart) -> list[str]:
    """The published figures and a table a metric, as lines of Markdown."""
    results = part.results
    lines: list[str] = []
    if results.claims:
        said = verdict(results)
        lines += ["", "## Published figures beside ours", "", f"{said[0].upper()}{said[1:]}.", ""]
        lines += [
            "| published figure | ours | published | difference | over | source |",
            "|---|---:|---:|---:|---|---|",
        ]
        for row in claim_rows(results):
            source = "; ".join(text for text in (row.source, row.note, row.why) if text)
            cells = (row.label, row.ours, row.published, row.difference, row.over, source)
            lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    for found in (table(results, column) for column in part.columns):
        unit = f" ({found['unit']})" if found["unit"] else ""
        lines += ["", f"## Named designs: {found['title']}{unit}", ""]
        lines += [f"In brackets: relative to {results.designs[0]}{found['better']}.", ""]
        lines += [f"| workload | {' | '.join(results.designs)} |", "|---|" + "---:|" * len(results.designs)]
        for each in found["rows"]:
            texts = [f"{c['text']} ({c['ratio']})" if c["ratio"] else c["text"] for c in each["cells"]]
            lines.append(f"| {each['name']} | {' | '.join(texts)} |")
    return lines
