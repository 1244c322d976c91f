"""Writes the report: one HTML file that needs no network with its figures inside, the same as PNG beside it, tables."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archgym.errors import StoreError
from archgym.report import overall, view
from archgym.report.checks import Checks
from archgym.report.figures import best_so_far, final_results, importance_bars, regret_curves, shown
from archgym.report.figures_front import overview, pareto_front
from archgym.report.named import load_named, named_context
from archgym.report.named_rank import standing
from archgym.report.sections import BASELINE, Section, load_sections
from archgym.report.stats import LEVEL, RESAMPLES
from archgym.report.style import Look, looks, save, theme
from archgym.report.units import count, percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from archgym.report.importance import Importance
    from archgym.store import Run

__all__ = ["write_report"]


def write_report(run_dir: Path, out: Path | None) -> Path:
    """See `archgym.report.build`."""
    from archgym.store import open_run

    with closing(open_run(run_dir)) as run:
        folder = run.path / "report" if out is None else out
        checks = Checks()
        sections = load_sections(run, checks)
        named = load_named(run, sections, checks)
        title = str(run.experiment.get("name") or run.path.name)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with theme():
                parts, top = _draw(folder, sections)
                context = _context(run, title, sections, parts, top, checks)
                context |= named_context(named, partial(_figure, folder))
            overall.write_tables(folder, title, sections, named)
            page = folder / "index.html"
            page.write_text(_render(context), encoding="utf-8")
        except OSError as error:
            raise StoreError(f"{folder}: {error.strerror or error}; choose another folder with --out") from error
    return page


def _draw(folder: Path, sections: list[Section]) -> tuple[dict[str, list[dict[str, Any]]], dict[str, Any] | None]:
    """Every figure of every section, and the overview."""
    labels = list(dict.fromkeys(group.label for section in sections for group in section.groups))
    drawn = looks(labels, BASELINE)
    with_results = [section for section in sections if section.ranked and len(section.best)]
    parts = {section.key: _section_figures(folder, section, drawn) for section in with_results}
    if not with_results:
        return parts, None
    alt = "Small panels, one per workload and objective: median distance from the best over evaluations, by agent."
    caption = (
        "Median over seeds of the distance between an agent's best so far and the known optimum (where it is not "
        "known: the best any agent found). Lower is better; the floor of each panel is zero."
    )
    return parts, _figure(folder, "overview", overview(with_results, drawn), alt, caption)


def _section_figures(folder: Path, section: Section, drawn: dict[str, Look]) -> list[dict[str, Any]]:
    scale, name = section.scale, f"{section.key}"
    seeds = max((len(group.counted) for group in section.ranked), default=0)
    band = "; bands: quartiles of the best two and of random search" if seeds > 1 else ""
    chosen = len(section.ranked) - len(shown(section))
    left_out = f" Of agents with several settings the best is shown ({chosen} are not)." if chosen > 0 else ""
    over = f"median of {seeds} seeds" if seeds > 1 else "one seed"
    caption = f"Best {scale.title} found so far, {over}{band}.{left_out}"
    alt = f"Best-so-far curves for {section.title}: {_standing(section)}"
    first = _figure(folder, f"{name}-best-so-far", best_so_far(section, drawn, log_x=False), alt, caption)
    second = _figure(folder, f"{name}-best-so-far-log", best_so_far(section, drawn, log_x=True), alt, caption)
    figures = [{**first, "title": "Best so far", "other": second["svg"]}]
    if section.known:
        caption = f"Distance of the best so far from the known optimum, {over}{band}; the floor is zero."
        alt = f"Regret curves for {section.title}: {_standing(section)}"
        figures.append({**_figure(folder, f"{name}-regret", regret_curves(section, drawn), alt, caption),
                        "title": "Regret"})  # fmt: skip
    if section.objective.k in {2, 3}:
        caption = "Designs no other design dominates, pooled over the seeds of each agent."
        alt = f"Pareto fronts for {section.title}: {len(section.best)} designs on the front of all agents."
        figures.append({**_figure(folder, f"{name}-front", pareto_front(section, drawn), alt, caption),
                        "title": "Pareto front"})  # fmt: skip
    caption = (
        f"One dot a seed, {scale.title} {'(higher is better)' if scale.sign < 0 or scale.kind == 'front' else ''}"
        " of its final best. Upright bar: median; thin line: its bootstrap 95 % interval."
    ).replace("  ", " ")
    alt = f"Final results of every seed for {section.title}: {_standing(section)}"
    figures.append({**_figure(folder, f"{name}-final", final_results(section, drawn), alt, caption),
                    "title": "Every seed's result"})  # fmt: skip
    if section.importance is not None:
        figures.append({**_importance_figure(folder, section, section.importance), "title": "Which parameters matter"})
    return figures


def _importance_figure(folder: Path, section: Section, found: Importance) -> dict[str, Any]:
    origin = "drawn uniformly by random search" if found.uniform else "evaluated by all agents"
    caption = f"PED-ANOVA on {count(found.designs)} designs {origin}: how much each parameter decides."
    alt = "Parameter importance: " + ", ".join(
        f"{effect.name} {percent(effect.importance)}" for effect in found.effects[:5]
    )
    return _figure(folder, f"{section.key}-importance", importance_bars(section), alt, caption)


def _figure(folder: Path, name: str, figure: Figure, alt: str, caption: str) -> dict[str, Any]:
    return {"svg": save(figure, folder / f"{name}.png", alt), "caption": caption, "file": f"{name}.png"}


def _standing(section: Section) -> str:
    ranked = section.ranked
    return f"best median by {ranked[0].label}, worst by {ranked[-1].label}." if ranked else "no results."


def _context(
    run: Run,
    title: str,
    sections: list[Section],
    parts: dict[str, list[dict[str, Any]]],
    top: dict[str, Any] | None,
    checks: Checks,
) -> dict[str, Any]:
    return {
        "title": title,
        "description": str(run.experiment.get("description") or ""),
        "design": _design_of(run, sections),
        "made": datetime.now(timezone.utc).strftime("%d %B %Y, %H:%M UTC"),
        "headlines": [view.headline(section) for section in sections],
        "standings": overall.standings(sections),
        "overview": top,
        "sections": [_section_context(section, parts.get(section.key, [])) for section in sections],
        "accounts": overall.accounts(sections, [record for record in run.trials if record.named]),
        "problems": overall.problems(run, sections),
        "checks": checks.results,
        "validation": overall.validation(run),
        "provenance": overall.provenance(run, sections),
        "yaml": _yaml(run),
        "run": str(run.path),
        "statistics": {"resamples": count(RESAMPLES), "level": percent(LEVEL)},
    }


def _section_context(section: Section, figures: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "key": section.key,
        "workload": section.workload,
        "objective": section.objective.name,
        "goal": section.goal,
        "budget": count(section.budget),
        "measure": section.scale.axis,
        "higher": section.scale.kind == "front" or section.scale.sign < 0,
        "known": section.known,
        "several": section.objective.k > 1,
        "note": section.sweep_note,
        "sweep": section.sweep,
        "optimum": section.scale.text(section.reference_cost, 6),
        "reference": "" if section.reference_point is None else view.front_note(section, section.reference_point),
        "rows": view.comparison(section),
        "designs": view.best_designs(section),
        "importance": view.importance_rows(section),
        "figures": figures,
        "alarms": section.alarms,
        "named": standing(section),
        "ended": sum(trial.finished for trial in section.trials),
        "trials": len(section.trials),
    }


def _design_of(run: Run, sections: list[Section]) -> str:
    """The experiment's design in one line."""
    trials = [trial for trial in run.trials if not trial.named]
    named = [trial for trial in run.trials if trial.named]

    def several(what: str, names: set[Any]) -> str:
        return f"{len(names):,} {what}{'' if len(names) == 1 else 's'}"

    parts = []
    if trials or not named:
        axes = [
            several("workload", {t.workload for t in trials}),
            several("objective", {t.objective for t in trials}),
            several("agent", {t.label for t in trials}),
            several("seed", {t.seed for t in trials}),
        ]
        budgets = sorted({t.budget for t in trials})
        budget = " or ".join(count(b) for b in budgets) or "no"
        size = f" of {sections[0].source.space.size:,}" if sections else ""
        searches = "1 search" if len(trials) == 1 else f"{len(trials):,} searches"
        parts.append(f"{' × '.join(axes)} = {searches}; each may evaluate {budget} distinct designs{size}.")
    if named:
        axes = [several("named design", {t.label for t in named}), several("workload", {t.workload for t in named})]
        parts.append(f"{' × '.join(axes)}, scored as they are.")
    return " ".join(parts)


def _yaml(run: Run) -> str:
    import yaml

    path = run.path / "experiment.yaml"
    return path.read_text("utf-8") if path.is_file() else yaml.safe_dump(run.experiment, sort_keys=False)


def _render(context: dict[str, Any]) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("archgym.report"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("report.html.j2").render(**context)
