"""Ask and tell for a search written as straight-line code.

A search is a generator: it *yields* the designs it wants scored and *receives* their costs, float64[n, k], in order.
`Dialogue` hands those designs out in batches of the size the caller can use, collects the answers and resumes the
generator when the last one is in, so a search never sees how its batches were cut.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeAlias, final

import numpy as np

from archgym.core import Designs, Floats
from archgym.errors import AgentMisuse, InvalidInput

__all__ = ["Dialogue", "Search"]

Search: TypeAlias = Generator[Designs, Floats, None]


@final
class Dialogue:
    """Drives one search. `ask` and `tell` alternate; the told batch may be a part of the asked one."""

    def __init__(self, search: Search) -> None:
        """Take a fresh generator that never ends and never yields an empty batch."""
        self._search = search
        self._wanted: list[bytes] = []  # keys of the yielded designs, in order
        self._unanswered: dict[bytes, Designs] = {}
        self._answers: dict[bytes, Floats] = {}
        self._asked: set[bytes] = set()
        self._started = False

    def ask(self, n: int) -> Designs:
        """The next 1 to n designs the search waits for, int32[*, d].

        Raises:
            InvalidInput: for n below 1.
            AgentMisuse: when the last batch was not answered.
        """
        if n < 1:
            raise InvalidInput(f"ask(n) needs n of at least 1, got {n}")
        if self._asked:
            raise AgentMisuse(
                "ask() was called twice in a row; first answer the last batch: agent.tell(designs, evaluations, costs)"
            )
        if not self._started:
            self._started = True
            self._want(next(self._search))
        batch = list(self._unanswered.items())[:n]
        self._asked = {key for key, _ in batch}
        return np.stack([design for _, design in batch])

    def tell(self, designs: Designs, costs: Floats) -> None:
        """Answer the last batch or part of it; what is not answered is asked again.

        Raises:
            InvalidInput: when `costs` is not one finite row per design.
            AgentMisuse: for a design that is not in the last batch.
        """
        rows = np.ascontiguousarray(designs, dtype=np.int32)
        table = np.array(costs, dtype=np.float64)  # a copy: rows are kept after this returns
        if table.ndim != 2 or len(table) != len(rows) or not np.isfinite(table).all():
            raise InvalidInput(f"tell() needs finite costs of shape [{len(rows)}, k], got shape {table.shape}")
        for design, cost in zip(rows, table, strict=True):
            key = design.tobytes()
            if key not in self._asked and key not in self._answers:
                raise AgentMisuse(
                    f"tell() got a design that the last ask() did not propose: {design.tolist()}; "
                    "tell only what was asked, in the agent's own choice indices"
                )
            self._answers[key] = cost
            self._unanswered.pop(key, None)
        self._asked = set()
        if self._started and not self._unanswered:
            self._want(self._search.send(np.stack([self._answers[key] for key in self._wanted])))

    def _want(self, designs: Designs) -> None:
        rows = np.ascontiguousarray(designs, dtype=np.int32)
        self._wanted = [row.tobytes() for row in rows]
        self._unanswered = dict(zip(self._wanted, rows, strict=True))
        self._answers = {}
