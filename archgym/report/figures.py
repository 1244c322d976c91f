"""The figures of one section: best-so-far, regret, final results, parameter importance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import FuncFormatter, NullFormatter

from archgym.report.sections import BASELINE, Group, Section
from archgym.report.stats import quantile
from archgym.report.style import INK, NAMED_INK, Look, new_figure
from archgym.report.units import count, number, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from archgym.core import Floats

__all__ = [
    "best_so_far",
    "draw_gap",
    "evaluation_axis",
    "final_results",
    "importance_bars",
    "regret_curves",
    "shown",
    "tick",
]

_MOST_CURVES = 12
_BANDS = 2  # interquartile bands of the best agents and of the baseline; more would hide each other
Looks = dict[str, Look]


def shown(section: Section) -> list[Group]:
    """The groups a curve figure shows: all, or each agent's best setting where there are too many."""
    ranked = section.ranked
    if len(ranked) <= _MOST_CURVES:
        return ranked
    best: dict[str, Group] = {}
    for group in ranked:
        best.setdefault(group.agent, group)
    return list(best.values())[:_MOST_CURVES]


def _grid(budget: int) -> NDArray[np.int64]:
    return np.unique(np.geomspace(1, max(budget, 1), 160).round().astype(np.int64))


def _sampled(group: Group, grid: NDArray[np.int64]) -> Floats:
    return np.stack([trial.curve.sample(grid) for trial in group.counted])


def best_so_far(section: Section, looks: Looks, *, log_x: bool) -> Figure:
    """Median best-so-far of every agent, with interquartile bands."""
    figure, axes = new_figure(8.4, 4.3)
    axis = axes[0, 0]
    grid, scale = _grid(section.budget), section.scale
    seen: list[Floats] = []
    for rank, group in enumerate(shown(section)):
        sampled = _sampled(group, grid)
        median, low, high = (scale.values(quantile(sampled, q)) for q in (0.5, 0.25, 0.75))
        _line(axis, grid, median, group.label, looks[group.label], rank)
        if len(group.counted) > 1 and (rank < _BANDS or group.agent == BASELINE):
            axis.fill_between(grid, low, high, step="post", color=looks[group.label].colour, alpha=0.14, linewidth=0)
        seen.append(median)
    if section.known:
        label = "known optimum" if scale.kind != "front" else "known front"
        axis.axhline(float(scale.values(section.reference_cost)), color=INK, linewidth=1.1, linestyle=(0, (6, 3)),
                     label=label, zorder=1)  # fmt: skip
    if section.named and section.objective.k == 1:
        best = section.named[0]
        axis.axhline(float(scale.values(best.scalar)), color=NAMED_INK, linewidth=1.4, linestyle=(0, (1, 1.5)),
                     label=f"best named design:\n{best.name} ({scale.bare(best.scalar)})", zorder=1)  # fmt: skip
    _limits(axis, seen, float(scale.values(section.reference_cost)), grid)
    axis.set_ylabel(f"best {scale.axis} so far")
    axis.yaxis.set_major_formatter(FuncFormatter(tick))
    evaluation_axis(axis, section.budget, log_x=log_x)
    _legend(figure, axis)
    return figure


def regret_curves(section: Section, looks: Looks) -> Figure:
    """Median regret against the known optimum, both axes logarithmic; zero regret lies on the floor."""
    figure, axes = new_figure(8.4, 4.3)
    draw_gap(axes[0, 0], section, looks, bands=True)
    _legend(figure, axes[0, 0])
    return figure


def draw_gap(axis: Axes, section: Section, looks: Looks, *, bands: bool) -> None:
    """Median distance from the optimum (or the best found) on a logarithmic axis with zero as its floor."""
    grid, scale, best = _grid(section.budget), section.scale, section.reference_cost
    relative = scale.relative(best)
    medians: list[Floats] = []
    for rank, group in enumerate(shown(section)):
        sampled = np.maximum(scale.regret(_sampled(group, grid), best), 0.0) * (100.0 if relative else 1.0)
        median, low, high = (_finite(quantile(sampled, q)) for q in (0.5, 0.25, 0.75))
        _line(axis, grid, median, group.label, looks[group.label], rank)
        if bands and len(group.counted) > 1 and (rank < _BANDS or group.agent == BASELINE):
            axis.fill_between(grid, low, high, step="post", color=looks[group.label].colour, alpha=0.12, linewidth=0)
        medians.append(median)
    positive = np.concatenate([m[np.isfinite(m) & (m > 0)] for m in medians] or [np.zeros(0)])
    floor = 10.0 ** np.floor(np.log10(positive.min())) if len(positive) else 1.0
    floor = max(floor, 1e-4)  # below, only rounding
    axis.set_yscale("symlog", linthresh=floor, linscale=0.35)
    axis.set_ylim(-0.12 * floor, max(positive.max() * 1.5, 10 * floor) if len(positive) else 10.0)
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _gap_tick(value, relative=relative)))
    axis.yaxis.set_minor_formatter(NullFormatter())
    what = "known optimum" if section.known else "best found"
    axis.set_ylabel(f"above the {what} ({'%' if relative else 'cost'})")
    evaluation_axis(axis, section.budget, log_x=True)


def final_results(section: Section, looks: Looks) -> Figure:
    """One dot a seed: what every trial ended with, by agent, with the median and its interval."""
    groups = section.ranked[:40]
    figure, axes = new_figure(8.4, 0.9 + 0.34 * max(len(groups), 2))
    axis = axes[0, 0]
    scale = section.scale
    for row, group in enumerate(groups):
        look = looks[group.label]
        finals = scale.values(np.array([trial.final for trial in group.counted]))
        offset = 0.22 * np.linspace(-1, 1, len(finals)) if len(finals) > 1 else np.zeros(1)
        axis.scatter(finals, row + offset, s=22, color=look.colour, alpha=0.75, linewidth=0, zorder=5)
        assert group.final is not None
        middle = float(scale.values(group.final.median))
        axis.plot([middle, middle], [row - 0.34, row + 0.34], color=INK, linewidth=1.8, zorder=4)
        if group.final.interval is not None:
            axis.plot(scale.values(np.array(group.final.interval)), [row, row], color=INK, linewidth=1.2, zorder=3)
    axis.set_yticks(range(len(groups)), [group.label for group in groups])
    axis.invert_yaxis()
    axis.grid(axis="y", visible=False)
    if section.known:
        axis.axvline(float(scale.values(section.reference_cost)), color=INK, linewidth=1.1, linestyle=(0, (6, 3)),
                     zorder=1)  # fmt: skip
    axis.xaxis.set_major_formatter(FuncFormatter(tick))
    axis.xaxis.set_major_locator(_few_ticks())
    axis.set_xlabel(f"best {scale.axis} after {count(section.budget)} distinct evaluations")
    return figure


def importance_bars(section: Section) -> Figure:
    """Importance of each parameter."""
    assert section.importance is not None
    effects = section.importance.effects
    figure, axes = new_figure(8.4, 0.75 + 0.27 * max(len(effects), 2))
    axis = axes[0, 0]
    shares = np.array([effect.importance for effect in effects])
    bars = axis.barh([effect.name for effect in effects], 100 * shares, color="#0072B2", height=0.62)
    axis.bar_label(bars, [percent(share) for share in shares], padding=4, fontsize=8.5, color=INK)
    axis.invert_yaxis()
    axis.grid(axis="y", visible=False)
    axis.set_xlim(0, max(100 * shares.max() * 1.15, 1.0))
    axis.set_xlabel("share of the importance for reaching the best tenth of the designs (%)")
    return figure


# -- pieces -----------------------------------------------------------------------------------------------------------


def tick(value: float, _position: int | None = None) -> str:
    """A tick label without trailing zeros."""
    return f"{value:,.6g}" if abs(value) < 1e6 else number(value, 3)


def evaluation_axis(axis: Axes, budget: int, *, log_x: bool) -> None:
    """The x axis of every curve."""
    if log_x and budget > 1:
        axis.set_xscale("log")
        axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set_xlim(1, max(budget, 2))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: count(value)))
    axis.set_xlabel("distinct designs evaluated" + (" (log scale)" if log_x else ""))


def _line(axis: Axes, grid: NDArray[np.int64], values: Floats, label: str, look: Look, rank: int) -> None:
    every = max(len(grid) // 7, 1)
    axis.plot(grid, values, label=label, color=look.colour, linestyle=look.line, marker=look.marker,
              markevery=(rank * 3 % every, every), drawstyle="steps-post", zorder=3)  # fmt: skip


def _limits(axis: Axes, medians: list[Floats], best: float, grid: NDArray[np.int64]) -> None:
    """Leave out the first evaluations: a first random design would squash everything else."""
    late = grid >= max(grid[-1] * 0.02, min(5, grid[-1]))
    values = np.concatenate([median[late] for median in medians] or [np.zeros(0)])
    values = np.append(values, best)
    values = values[np.isfinite(values)]
    if len(values) and values.max() > values.min():
        margin = 0.06 * (values.max() - values.min())
        axis.set_ylim(values.min() - margin, values.max() + margin)


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)


def _gap_tick(value: float, *, relative: bool) -> str:
    if value == 0:
        return "0"
    text = f"{value:g}" if abs(value) < 1e4 else number(value, 1)
    return f"{text} %" if relative else text


def _few_ticks() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(7)


def _legend(figure: Figure, axis: Axes) -> None:
    handles, labels = axis.get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside right upper", handlelength=2.6, labelspacing=0.55)
