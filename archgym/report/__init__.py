"""`archgym report RUN`: one self-contained page and PNG figures that say what a run found and why to believe it."""

from __future__ import annotations

from pathlib import Path

__all__ = ["build"]


def build(run_dir: str | Path, out: str | Path | None = None) -> Path:
    """Write the report of a run and return the path of its `index.html`.

    Next to the page lie the figures as PNG, `summary.csv` and `summary.md`. A run that is still going on, or in which
    trials failed, has a report too: it says what is missing.

    Args:
        run_dir: a run directory.
        out: folder to write into; `report/` inside the run directory by default.

    Raises:
        StoreError: when `run_dir` holds no run, or the report cannot be written.
    """
    from archgym.report.page import write_report  # matplotlib and Jinja2 load only when a report is made

    return write_report(Path(run_dir), None if out is None else Path(out))
