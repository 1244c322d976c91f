"""Published figures beside ours: what an experiment file says of one, and how it is computed from named designs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, final

import numpy as np
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

from archgym.errors import InvalidInput

__all__ = ["STATISTICS", "Cell", "Claim", "Outcome", "compute", "matching"]

Show = Literal["ratio", "change", "value", "percent"]
Statistic = Literal["geometric-mean", "mean", "median", "max", "min"]
Cell: TypeAlias = "float | str"
"""What a design scored on a workload: a number, or why there is none."""

_Finite = Annotated[float, Field(allow_inf_nan=False)]
_Text = Annotated[str, Field(min_length=1)]
_Patterns = Annotated[
    Annotated[str, Field(min_length=1), Tag("<name>")] | Annotated[list[_Text], Field(min_length=1), Tag("<list>")],
    Discriminator(lambda value: "<list>" if isinstance(value, list) else "<name>"),
]
_Published = Annotated[
    Annotated[_Finite, Tag("<count>")]
    | Annotated[list[_Finite | None], Field(min_length=2, max_length=2), Tag("<list>")],
    Discriminator(lambda value: "<list>" if isinstance(value, list) else "<count>"),
]


@final
class Claim(BaseModel):
    """A published figure, and which of our numbers stands beside it."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    label: _Text = Field(description="What the figure says, for tables; each claim has its own.")
    metric: _Text = Field(description="The metric it is about; `archgym describe` lists an environment's.")
    of: _Text = Field(description="The named design it is about.")
    over: _Text | None = Field(
        default=None, description="The named design it is compared with: `of` divided by `over`, workload by workload."
    )
    workloads: _Patterns = Field(
        default="*", description="Which workloads: a glob such as `*sharegpt*`, or a list of them; all by default."
    )
    over_workloads: _Patterns | None = Field(
        default=None,
        description=(
            "Other workloads to compare with: what is taken over `workloads` divided by the same over these, for "
            "figures such as `the gain grows with the batch`."
        ),
    )
    statistic: Statistic | None = Field(
        default=None,
        description="What is taken over the workloads; the geometric mean of ratios, the mean of values by default.",
    )
    show: Show | None = Field(
        default=None,
        description=(
            "ratio (default of what is compared); change: ratio - 1, in percent; value (default of what is not): in "
            "the metric's unit; percent: a fraction, in percent."
        ),
    )
    published: _Published = Field(
        description=(
            "The published number, of the same quantity: -42 % is -0.42. Or [low, high], where null leaves an end open."
        )
    )
    source: _Text = Field(description="Where it is published: paper, and section, table or figure.")
    note: str = Field(default="", description="Why ours differs, or what the figure leaves open.")

    @field_validator("published")
    @classmethod
    def _ordered(cls, value: float | list[float | None]) -> float | list[float | None]:
        if isinstance(value, list):
            low, high = value
            if low is None and high is None:
                raise ValueError("[null, null] leaves both ends open; give at least one")
            if low is not None and high is not None and low >= high:
                raise ValueError(f"the range [{low:g}, {high:g}] is empty; give [low, high]")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Claim:
        if self.over == self.of:
            raise ValueError(f"`of` and `over` are both {self.of!r}; their ratio is always 1")
        if not self.compares and self.show in {"ratio", "change"}:
            raise ValueError(f"show: {self.show} needs `over` or `over_workloads`, what to compare with")
        if self.compares and self.show == "value":
            raise ValueError("show: value has no meaning where two are compared; allowed: ratio, change, percent")
        for end in self.ends:
            base = self.base(end) if end is not None else 1.0
            if base == 0 and not isinstance(self.published, list):
                raise ValueError(f"published: {end:g} leaves no relative difference; give a range [low, high]")
            if base < 0 and self.compares:
                raise ValueError(f"published: {end:g} is no {self.shown} of two positive numbers")
        return self

    @property
    def compares(self) -> bool:
        """Whether the figure is a ratio, of designs or of workloads."""
        return self.over is not None or self.over_workloads is not None

    @property
    def shown(self) -> Show:
        """How the figure is shown."""
        return self.show or ("ratio" if self.compares else "value")

    @property
    def taken(self) -> Statistic:
        """What is taken over the workloads."""
        return self.statistic or ("geometric-mean" if self.compares else "mean")

    @property
    def ends(self) -> tuple[float | None, float | None]:
        """The published range; both ends are equal where it is one number."""
        if isinstance(self.published, list):
            return self.published[0], self.published[1]
        return self.published, self.published

    def base(self, figure: float) -> float:
        """The quantity behind a shown figure: a change of -0.42 is a ratio of 0.58."""
        return 1.0 + figure if self.shown == "change" else figure

    def figure(self, base: float) -> float:
        """Inverse of `base`."""
        return base - 1.0 if self.shown == "change" else base


@final
@dataclass(frozen=True)
class Outcome:
    """A claim and what we make of it.

    `ours` is the same quantity as `claim.published`, NaN where `why` says that it is not computable. `relative` is how
    far ours is from the published number, as a fraction of it: (ours - published) / |published|, for a change that of
    the ratios behind; 0 inside a published range, else the distance from its nearer end; NaN where that end is 0.
    `terms` holds one number a workload, in the order of `workloads`; `others` are those compared with.
    """

    claim: Claim
    workloads: tuple[str, ...]
    others: tuple[str, ...] = ()
    terms: tuple[float, ...] = ()
    ours: float = math.nan
    relative: float = math.nan
    why: str = ""


def matching(patterns: str | Sequence[str], workloads: Sequence[str]) -> tuple[str, ...]:
    """The workloads that one of some globs matches, in their order; files are known by their path or by their name.

    Raises:
        InvalidInput: when a glob matches none.
    """
    found: set[str] = set()
    for pattern in [patterns] if isinstance(patterns, str) else patterns:
        hits = {each for each in workloads if fnmatchcase(each, pattern) or fnmatchcase(Path(each).name, pattern)}
        if not hits:
            raise InvalidInput(f"{pattern!r} matches none of the experiment's workloads: {', '.join(workloads)}")
        found |= hits
    return tuple(each for each in workloads if each in found)


STATISTICS: Mapping[Statistic, Callable[[Any], Any]] = {
    "geometric-mean": lambda terms: np.exp(np.mean(np.log(terms))),
    "mean": np.mean,
    "median": np.median,
    "max": np.max,
    "min": np.min,
}


def compute(claim: Claim, workloads: Sequence[str], cell: Callable[[str, str], Cell]) -> Outcome:
    """Compute a claim; `cell(design, workload)` is the metric or why there is none."""
    chosen = matching(claim.workloads, workloads)
    others = () if claim.over_workloads is None else matching(claim.over_workloads, workloads)
    terms = _terms(claim, chosen, cell)
    compared = _terms(claim, others, cell) if others else [1.0]
    for found in (terms, compared):
        if isinstance(found, str):
            return Outcome(claim, chosen, others, why=found)
    take = STATISTICS[claim.taken]
    below = float(take(np.array(compared)))
    if below == 0:
        return Outcome(claim, chosen, others, why=f"{claim.taken} of {claim.metric} over {', '.join(others)} is 0")
    base = float(take(np.array(terms))) / below
    figures = tuple(claim.figure(float(term)) for term in terms)
    return Outcome(claim, chosen, others, figures, claim.figure(base), _relative(claim, base))


def _terms(claim: Claim, workloads: Sequence[str], cell: Callable[[str, str], Cell]) -> list[float] | str:
    """The value or the ratio of designs on each workload, or why there is none."""
    terms: list[float] = []
    for workload in workloads:
        term = _term(claim, workload, cell)
        if isinstance(term, str):
            return term
        if claim.taken == "geometric-mean" and term <= 0:
            return f"no geometric mean: {term:g} on {workload}"
        terms.append(term)
    return terms


def _term(claim: Claim, workload: str, cell: Callable[[str, str], Cell]) -> Cell:
    values: list[float] = []
    for design in [claim.of] if claim.over is None else [claim.of, claim.over]:
        value = cell(design, workload)
        if isinstance(value, str):
            return f"{design} on {workload}: {value}"
        values.append(value)
    if claim.over is None:
        return values[0]
    return values[0] / values[1] if values[1] != 0 else f"{claim.metric} of {claim.over} on {workload} is 0"


def _relative(claim: Claim, base: float) -> float:
    low, high = (None if end is None else claim.base(end) for end in claim.ends)
    if low is not None and base < low:
        end = low
    elif high is not None and base > high:
        end = high
    else:
        return 0.0
    return (base - end) / abs(end) if end != 0 else math.nan
