"""One look for every figure: an agent keeps its colour, line and marker throughout a report, in print and in the dark.

Figures are drawn with transparent ground and two sentinel colours, `INK` and `RULE`, which the page replaces by those
of its theme; PNG files are drawn on white.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import matplotlib as mpl

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["INK", "NAMED_INK", "RULE", "Look", "looks", "new_figure", "save", "theme"]

INK = "#23282f"
RULE = "#d8dce2"
MUTED = "#7a828e"
NAMED_INK = "#AA3377"  # designs that have a name; of Paul Tol's "bright" scheme, not among the agents' colours

# Okabe and Ito, "Color Universal Design" (2008), without black and yellow (too pale on white), then two of Paul Tol's
# "muted" scheme (SRON/EPS/TN/09-002, 2021): told apart under every common colour-vision deficiency.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#882255", "#999933", "#332288")
_LINES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (3, 1, 1, 1)))
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "h")


@final
@dataclass(frozen=True)
class Look:
    """How an agent is drawn."""

    colour: str
    line: Any
    marker: str


def looks(agents: Sequence[str], baseline: str) -> dict[str, Look]:
    """A look per label, in the order given; the baseline is grey and dotted."""
    others = [label for label in agents if label != baseline]
    found = {
        label: Look(_COLOURS[i % len(_COLOURS)], _LINES[(i + i // len(_COLOURS)) % 3], _MARKERS[i % len(_MARKERS)])
        for i, label in enumerate(others)
    }
    return {baseline: Look(MUTED, (0, (1, 1.2)), "."), **found}


@contextmanager
def theme() -> Iterator[None]:
    """Matplotlib's settings for the report's figures; the user's own are restored afterwards."""
    settings: Any = {
        "figure.facecolor": "none", "axes.facecolor": "none", "savefig.facecolor": "none",
        "font.family": ["DejaVu Sans"], "font.size": 9.5, "axes.titlesize": 10, "axes.labelsize": 9.5,
        "xtick.labelsize": 8.5, "ytick.labelsize": 8.5, "legend.fontsize": 8.5, "legend.frameon": False,
        "text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK, "axes.edgecolor": INK,
        "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.8,
        "axes.grid": True, "grid.color": RULE, "grid.linewidth": 0.7, "axes.axisbelow": True,
        "lines.linewidth": 1.7, "lines.markersize": 4.5, "svg.fonttype": "path", "svg.hashsalt": "archgym",
        "axes.titlelocation": "left", "axes.titleweight": "bold", "axes.formatter.useoffset": False,
    }  # fmt: skip
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(settings)
        yield


def new_figure(width: float, height: float, rows: int = 1, columns: int = 1) -> tuple[Figure, Any]:
    """A figure in inches that lays itself out, and its axes as an array [rows, columns]; no window system is asked."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, squeeze=False)


def save(figure: Figure, path: Path, alt: str) -> str:
    """Write a PNG on white and return the same figure as SVG to stand in a page, named for screen readers."""
    figure.savefig(path, dpi=150, facecolor="white", metadata={"Software": None})
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->\n?", "", svg, flags=re.DOTALL)
    svg = re.sub(r' id="[A-Za-z0-9]+(?:\.[a-z]+)?_\d+"', "", svg)  # unreferenced, and not unique in one page
    svg = re.sub(r' d="([^"]*)"', lambda match: f' d="{_short(match.group(1))}"', svg)
    svg = svg.replace(INK, "var(--ink)").replace(RULE, "var(--rule)")
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    assert size is not None  # Matplotlib always writes one
    head = f'<svg class="plot" role="img" aria-label="{_escaped(alt)}" viewBox="0 0 {size[1]} {size[2]}" '
    head += f'style="max-width:{float(size[1]) * 1.6:.0f}px" xmlns:xlink="http://www.w3.org/1999/xlink">'
    return head + svg[svg.index(">", svg.index("<svg")) + 1 :]


def _short(path: str) -> str:
    """Coordinates to a hundredth of a point: half the bytes, nothing to see."""
    return re.sub(r"(\d+\.\d{2})\d+", r"\1", path).replace("\n", "")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
