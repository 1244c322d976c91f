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
    statistic: Statistic | None = Field(
        default=None,
        description="What is taken over the workloads; the geometric mean of ratios, the mean of values by default.",
    )
    show: Show | None = Field(
        default=None,
        description=(
            "ratio (default with `over`); change: ratio - 1, in percent; value (default without `over`): in the "
            "metric's unit; percent: a fraction, in percent."
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
        if self.over is None and self.show in {"ratio", "change"}:
            raise ValueError(f"show: {self.show} needs `over`, the design to compare with")
        if self.over is not None and self.show == "value":
            raise ValueError("show: value has no meaning with `over`; allowed: ratio, change, percent")
        for end in self.ends:
            base = self.base(end) if end is not None else 1.0
            if base == 0 and not isinstance(self.published, list):
                raise ValueError(f"published: {end:g} leaves no relative difference; give a range [low, high]")
            if base < 0 and self.over is not None:
                raise ValueError(f"published: {end:g} is no {self.shown} of two positive numbers")
        return self

    @property
    def shown(self) -> Show:
        """How the figure is shown."""
        return self.show or ("ratio" if self.over is not None else "value")

    @property
    def taken(self) -> Statistic:
        """What is taken over the workloads."""
        return self.statistic or ("geometric-mean" if self.over is not None else "mean")

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
    `terms` holds one number a workload, in the order of `workloads`.
    """

    claim: Claim
    workloads: tuple[str, ...]
    terms: tuple[float, ...] = ()
    ours: float = math.nan
    relative: float = math.nan
    why: str = ""


def matching(claim: Claim, workloads: Sequence[str]) -> tuple[str, ...]:
    """The workloads a claim is about, in the experiment's order; files are known by their path or by their name.

    Raises:
        InvalidInput: when one of its globs matches none.
    """
    patterns = [claim.workloads] if isinstance(claim.workloads, str) else claim.workloads
    found: set[str] = set()
    for pattern in patterns:
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
    chosen = matching(claim, workloads)
    terms: list[float] = []
    for workload in chosen:
        term = _term(claim, workload, cell)
        if isinstance(term, str):
            return Outcome(claim, chosen, why=term)
        terms.append(term)
    if claim.taken == "geometric-mean" and min(terms) <= 0:
        return Outcome(claim, chosen, why=f"no geometric mean: {min(terms):g} on {chosen[terms.index(min(terms))]}")
    base = float(STATISTICS[claim.taken](np.array(terms)))
    return Outcome(
        claim, chosen, tuple(claim.figure(term) for term in terms), claim.figure(base), _relative(claim, base)
    )


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
