"""Figures for two or three objectives, and the overview of a whole study."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import FuncFormatter, MaxNLocator

from archgym.report.figures import Looks, draw_gap, shown, tick
from archgym.report.reference import front_of
from archgym.report.sections import Section
from archgym.report.style import INK, NAMED_INK, new_figure
from archgym.report.trials import Candidates, merge
from archgym.report.units import Unit, metric_title, unit_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from archgym.core import Floats

__all__ = ["cost_titles", "overview", "pareto_front"]

_TITLE_POINTS = 315.0  # 35 characters of 9 points are as wide as a small panel


def cost_titles(section: Section) -> list[tuple[str, float, Unit]]:
    """Of each cost column: axis label, sign back to the metric, and the unit it is shown in."""
    known = {metric.name: metric for metric in section.source.metrics}
    found = []
    for column, label in enumerate(section.objective.labels):
        metric = known[label.removeprefix("-")]
        unit = unit_for(metric.unit, float(np.median(np.abs(section.best.costs[:, column]))))
        found.append((f"{metric_title(metric)} ({unit.text})", -1.0 if label.startswith("-") else 1.0, unit))
    return found


def pareto_front(section: Section, looks: Looks) -> Figure:
    """Fronts pooled over seeds, one panel per pair of costs, with the known front where there is one."""
    titles = cost_titles(section)
    pairs = list(itertools.combinations(range(len(titles)), 2))
    figure, axes = new_figure(8.4, 4.6 if len(pairs) == 1 else 3.6 * ((len(pairs) + 1) // 2), -(-len(pairs) // 2),
                              min(len(pairs), 2))  # fmt: skip

    def shown_costs(costs: Floats, column: int) -> Floats:
        _, sign, unit = titles[column]
        return np.asarray(costs[:, column] * sign * unit.factor)

    for panel, (across, up) in enumerate(pairs):
        axis = axes.flat[panel]
        two = len(titles) == 2
        known = section.sweep.known if section.sweep else section.best
        x, y = shown_costs(known.costs, across), shown_costs(known.costs, up)
        name = "known front" if section.sweep else "front of all agents"
        axis.plot(x, y, color=INK, linewidth=1.1, linestyle="-" if two else "", marker="" if two else ".",
                  drawstyle="steps-post" if titles[across][1] > 0 else "steps-pre", label=name, zorder=1)  # fmt: skip
        for rank, group in enumerate(shown(section)):  # rings inside rings: what several agents found stays visible
            front = pooled_front([trial.front for trial in group.counted])
            look = looks[group.label]
            axis.plot(shown_costs(front.costs, across), shown_costs(front.costs, up), linestyle="", label=group.label,
                      marker=look.marker, color=look.colour, fillstyle="none", markeredgewidth=1.4,
                      markersize=max(9.5 - rank, 3), zorder=3)  # fmt: skip
        if section.named:
            named = np.stack([each.costs for each in section.named])
            axis.plot(shown_costs(named, across), shown_costs(named, up), linestyle="", marker="*", markersize=9,
                      color=NAMED_INK, label="named designs", zorder=2)  # fmt: skip
        axis.set_xlabel(titles[across][0])
        axis.set_ylabel(titles[up][0])
        axis.xaxis.set_major_locator(MaxNLocator(6))
        for one in (axis.xaxis, axis.yaxis):
            one.set_major_formatter(FuncFormatter(tick))
    for spare in list(axes.flat)[len(pairs) :]:
        spare.set_axis_off()
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper")
    return figure


def pooled_front(fronts: Sequence[Candidates]) -> Candidates:
    """What is not dominated among several fronts."""
    return front_of(merge(list(fronts)))


def overview(sections: Sequence[Section], looks: Looks) -> Figure:
    """One small panel per workload and objective: median distance from the best over evaluations."""
    workloads = list(dict.fromkeys(section.workload for section in sections))
    goals = list(dict.fromkeys(section.objective.name for section in sections))
    grid = len(workloads) * len(goals) == len(sections) and len(goals) > 1
    columns = len(goals) if grid and len(goals) <= 4 else min(3, len(sections))
    ordered = list(sections)
    if grid:
        ordered.sort(key=lambda s: (workloads.index(s.workload), goals.index(s.objective.name)))
    rows = -(-len(sections) // columns)
    figure, axes = new_figure(3.5 * columns + 1.5, 2.55 * rows + 0.4, rows, columns)
    handles: dict[str, Any] = {}
    for axis, section in zip(axes.flat, ordered, strict=False):
        draw_gap(axis, section, looks, bands=False)
        axis.set_title(section.title, fontsize=min(9.0, _TITLE_POINTS / len(section.title)))
        axis.set_ylabel("above best (%)" if section.scale.relative(section.reference_cost) else "above best (cost)")
        axis.set_xlabel("")
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    for axis in list(axes.flat)[len(sections) :]:
        axis.set_axis_off()
    figure.supxlabel("distinct designs evaluated (log scale)", fontsize=9.5)
    wanted = [label for label in looks if label in handles]
    if wanted:
        figure.legend([handles[label] for label in wanted], wanted, loc="outside right upper")
    return figure
