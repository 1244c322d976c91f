"""Named designs: an experiment scores them as they are, beside or instead of a search.

Each is a trial of its own on each workload, whose agent proposes that one design; so they are stored, continued after a
kill, checked and exported as every other evaluation is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

from archgym.core import Agent, Designs
from archgym.space import Choice, DesignSpace

__all__ = ["NAMED", "Named"]

NAMED = "named design"
"""What stands for the agent in a trial of a named design; no agent can be registered under a name with a space."""


@final
class Named(Agent):
    """Proposes one design that somebody gave a name."""

    name = NAMED

    def __init__(self, space: DesignSpace, *, label: str, design: Mapping[str, Choice]) -> None:
        """Know the design of `space` that is called `label`.

        Raises:
            InvalidInput: when it is no design of the space.
        """
        self.space, self.label = space, label
        self._designs: Designs = space.encode(design)[None]

    def ask(self, n: int) -> Designs:
        """The design, int32[1, d]."""
        return self._designs
