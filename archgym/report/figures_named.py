"""Figures of named designs: bars by workload relative to the first one, and how far ours are from published figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from archgym.claims_text import difference_text
from archgym.report.figures import tick
from archgym.report.style import INK, Look, looks, new_figure
from archgym.report.units import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from archgym.claims import Outcome
    from archgym.core import Floats
    from archgym.named_results import NamedResults

__all__ = ["claim_gaps", "design_bars"]

_BARS_A_ROW = 84
_WIDE = 48  # more bars get a wider figure
_NUMBERED = 20  # at most this many bars in a row have their number above
_LINEAR = 15.0  # ratios that differ by more are drawn on a logarithmic axis
_GAP_SHOWN = 1.0  # differences beyond this are drawn at the edge, with their number


def design_bars(results: NamedResults, title: str, values: Floats) -> Figure | None:
    """Grouped bars of float64[designs, workloads], a group a workload, relative to the first design.

    None where there is nothing to compare.
    """
    ratios = values / np.where(values[0] > 0, values[0], np.nan)
    if len(results.designs) < 2 or not np.isfinite(ratios[1:]).any():
        return None
    names = list(results.workloads)
    means = _means(ratios)
    if means is not None:
        names.append("geometric mean")
        ratios = np.column_stack([ratios, means])
    drawn = looks(results.designs, results.designs[0])
    per_row = max(1, _BARS_A_ROW // len(results.designs))
    rows = -(-len(names) // per_row)
    width = 8.4 if rows == 1 and len(names) * len(results.designs) <= _WIDE else 11.0
    figure, axes = new_figure(width, 2.7 * rows + 0.5, rows, 1)
    finite = ratios[np.isfinite(ratios) & (ratios > 0)]
    steep = finite.max() > _LINEAR * finite.min()
    for row, axis in enumerate(axes[:, 0]):
        part = slice(row * per_row, (row + 1) * per_row)
        _groups(axis, results.designs, names[part], ratios[:, part], drawn)
        _value_axis(axis, finite, steep=bool(steep))
        axis.set_xlim(-0.6, min(per_row, len(names)) - 0.4)
    figure.supylabel(f"{title}, {results.designs[0]} = 1", fontsize=9.5)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=min(len(labels), 5))
    return figure


def _means(ratios: Floats) -> Floats | None:
    """Each design's geometric mean over the workloads on which every design has a number; None where that is one."""
    whole = (np.isfinite(ratios) & (ratios > 0)).all(axis=0)
    return np.exp(np.log(ratios[:, whole]).mean(axis=1)) if whole.sum() > 1 else None


def _groups(axis: Axes, designs: tuple[str, ...], names: list[str], ratios: Floats, drawn: dict[str, Look]) -> None:
    width = 0.84 / len(designs)
    few = len(designs) * len(names) <= _NUMBERED
    for position, design in enumerate(designs):
        at = np.arange(len(names)) + (position - (len(designs) - 1) / 2) * width
        bars = axis.bar(at, np.nan_to_num(ratios[position]), width * 0.94, label=design, color=drawn[design].colour)
        if few:
            texts = [number(float(each), 3) if np.isfinite(each) else "" for each in ratios[position]]
            axis.bar_label(bars, texts, padding=2, fontsize=7.5, color=INK)
        for place in at[~np.isfinite(ratios[position])]:
            axis.annotate("✗", (float(place), 0.0), xycoords=("data", "axes fraction"), ha="center", va="bottom",
                          color=drawn[design].colour, fontsize=9)  # fmt: skip
    axis.axhline(1.0, color=INK, linewidth=0.9, zorder=0.5)
    turned = sum(map(len, names)) > 90
    axis.set_xticks(range(len(names)), names, rotation=28 if turned else 0, ha="right" if turned else "center")
    axis.tick_params(axis="x", length=0)
    axis.grid(axis="x", visible=False)


def _value_axis(axis: Axes, finite: Floats, *, steep: bool) -> None:
    if steep:
        axis.set_yscale("log")
        axis.set_ylim(min(0.8, finite.min() * 0.7), finite.max() * 1.6)
        axis.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.yaxis.set_minor_formatter(NullFormatter())
    else:
        axis.set_ylim(0.0, max(1.0, finite.max()) * 1.12)
    axis.yaxis.set_major_formatter(FuncFormatter(tick))


def claim_gaps(outcomes: tuple[Outcome, ...]) -> Figure | None:
    """One row a published figure: how far ours is from it, in percent; None where none could be computed."""
    found = [outcome for outcome in outcomes if np.isfinite(outcome.relative)]
    if not found:
        return None
    gaps = np.array([outcome.relative for outcome in found])
    figure, axes = new_figure(8.4, 0.9 + 0.27 * max(len(found), 2))
    axis = axes[0, 0]
    bars = axis.barh(range(len(found)), 100 * np.clip(gaps, -_GAP_SHOWN, _GAP_SHOWN), height=0.6,
                     color=["#0072B2" if abs(gap) <= _GAP_SHOWN else "#D55E00" for gap in gaps])  # fmt: skip
    texts = [difference_text(outcome) for outcome in found]
    axis.bar_label(bars, texts, padding=3, fontsize=8.5, color=INK)
    axis.axvline(0.0, color=INK, linewidth=0.9)
    axis.set_yticks(range(len(found)), [_shortened(outcome.claim.label) for outcome in found])
    axis.set_ylim(len(found) - 0.4, -0.6)  # the first at the top
    axis.grid(axis="y", visible=False)
    reach = 100 * min(max(float(np.abs(gaps).max()), 0.1), _GAP_SHOWN) * 1.3
    axis.set_xlim(-reach, reach)
    axis.set_xlabel("ours relative to the published figure (%)")
    return figure


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"
