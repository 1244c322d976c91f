"""Shows a run as it goes: a live panel in a terminal, plain lines anywhere else."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import final

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from archgym.named import NAMED

__all__ = ["Display", "Snapshot", "duration", "read_snapshot"]

_PLAIN_EVERY_S = 10.0


@final
@dataclass(frozen=True)
class Snapshot:
    """Where a run stands: `best` holds (workload, objective, agent, scalar cost) rows."""

    states: dict[str, int]
    evaluated: int
    remaining: int
    best: list[tuple[str, str, str, float]]

    @property
    def trials(self) -> int:
        """How many trials there are."""
        return sum(self.states.values())

    @property
    def ended(self) -> int:
        """How many trials will do no more."""
        return sum(self.states.get(state, 0) for state in ("done", "stalled", "failed"))


def read_snapshot(connection: sqlite3.Connection) -> Snapshot:
    """Read where a run stands from its store."""
    states = dict(connection.execute("SELECT state, COUNT(*) FROM trials GROUP BY state"))
    evaluated, remaining = connection.execute(
        "SELECT TOTAL(distinct_designs),"
        " TOTAL(CASE WHEN state IN ('pending', 'running') THEN budget - distinct_designs ELSE 0 END) FROM trials"
    ).fetchone()
    best = connection.execute(  # SQLite takes `agent` from the row that has the minimum
        "SELECT workload, objective, agent, MIN(best) FROM trials WHERE best IS NOT NULL AND agent != ?"
        " GROUP BY workload, objective ORDER BY MIN(id)",
        (NAMED,),
    ).fetchall()
    return Snapshot(states, int(evaluated), int(remaining), best)


def duration(seconds: float) -> str:
    """1:02:03, 2:03."""
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


@final
class Display:
    """Progress on a console; None shows nothing."""

    def __init__(self, console: Console | None) -> None:
        """Choose live or plain by whether the console is a terminal."""
        self._console = console
        self._live: Live | None = None
        self._started = self._spoke = time.monotonic()
        self._first = 0

    def say(self, line: str) -> None:
        """One line, above the live panel if there is one."""
        if self._console is not None:
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def watching(self, connection: sqlite3.Connection) -> Iterator[None]:
        """Show progress while the block runs."""
        self._started = self._spoke = time.monotonic()
        snapshot = read_snapshot(connection)
        self._first = snapshot.evaluated
        if snapshot.evaluated and snapshot.remaining:
            self.say(
                f"continuing: {snapshot.ended} of {snapshot.trials} trials and {snapshot.evaluated:,} designs kept"
            )
        if self._console is None or not self._console.is_terminal:
            yield
            return
        with Live(console=self._console, refresh_per_second=4, transient=True) as self._live:
            yield
        self._live = None

    def update(self, connection: sqlite3.Connection) -> None:
        """Show where the run stands now."""
        if self._console is None:
            return
        if self._live is not None:
            self._live.update(self._panel(read_snapshot(connection)))
        elif time.monotonic() - self._spoke >= _PLAIN_EVERY_S:
            self._spoke = time.monotonic()
            self.say(self._line(read_snapshot(connection)))

    def _line(self, now: Snapshot) -> str:
        rate = (now.evaluated - self._first) / max(time.monotonic() - self._started, 1e-9)
        left = duration(now.remaining / rate) if rate > 0 else "unknown"
        failed = f" ({now.states['failed']} failed)" if now.states.get("failed") else ""
        return (
            f"{now.ended}/{now.trials} trials{failed}, {now.evaluated:,}/{now.evaluated + now.remaining:,} designs, "
            f"{rate:,.0f}/s, time left {left}"
        )

    def _panel(self, now: Snapshot) -> Group:
        table = Table("workload", "objective", "best so far by", "cost", box=None, pad_edge=False)
        for workload, goal, agent, cost in now.best:
            table.add_row(Text(workload), Text(goal), Text(agent), f"{cost:.6g}")
        bar = ProgressBar(total=max(now.evaluated + now.remaining, 1), completed=now.evaluated, width=60)
        return Group(bar, Text(self._line(now)), table)
