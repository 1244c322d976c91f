"""What an objective may say, as a pydantic model: the grammar of `archgym.objective` and of `objective:` in YAML.

Import it lazily: pydantic is not needed to `import archgym`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from archgym.errors import InvalidInput, UnknownName

__all__ = ["KINDS", "Bound", "Goal", "ObjectiveSpec", "Term", "parse"]

_UNION_MEMBER = re.compile(r"^(constrained-str|str|\[key\]|.*\bGoal\]?)$")  # how pydantic calls members of a union

KINDS = ("minimize", "maximize", "meet", "sum", "product", "pareto", "published")
"""The keys of which a specification has exactly one."""

Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
MetricName: TypeAlias = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Bound(_Strict):
    """Limits of one metric; a design outside is infeasible."""

    max: Finite | None = None
    min: Finite | None = None

    @model_validator(mode="after")
    def _some_room(self) -> Bound:
        if self.max is None and self.min is None:
            raise ValueError("give max, min or both")
        if self.max is not None and self.min is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}: no design can meet it")
        return self


class Goal(_Strict):
    """One metric and which way it should go."""

    minimize: MetricName | None = None
    maximize: MetricName | None = None

    @model_validator(mode="after")
    def _one(self) -> Goal:
        _exactly_one(self, ("minimize", "maximize"))
        return self


class Term(_Strict):
    """One summand: `weight * metric / scale`, or `weight * (relative distance to the targets)`."""

    minimize: MetricName | None = None
    maximize: MetricName | None = None
    meet: dict[MetricName, Positive] | None = Field(default=None, min_length=1)
    weight: Positive = 1.0
    scale: Positive = Field(default=1.0, description="a typical value of the metric, in its unit")

    @model_validator(mode="after")
    def _one(self) -> Term:
        _exactly_one(self, ("minimize", "maximize", "meet"))
        if self.meet is not None and "scale" in self.model_fields_set:
            raise ValueError("scale means nothing for meet: the distance to a target is already relative")
        return self


class ObjectiveSpec(_Strict):
    """What a search is for. Exactly one of minimize, maximize, meet, sum, product, pareto, published."""

    name: str | None = Field(default=None, min_length=1, description="how tables and plots call it")
    minimize: MetricName | None = Field(default=None, description="metric to make small")
    maximize: MetricName | None = Field(default=None, description="metric to make large")
    meet: dict[MetricName, Positive] | None = Field(
        default=None, min_length=1, description="metric: target; beating a target is never punished"
    )
    sum: list[Term] | None = Field(default=None, min_length=1, description="weighted sum of terms")
    product: dict[MetricName, Finite] | None = Field(
        default=None, min_length=1, description="metric: exponent; the logarithm of the product is minimised"
    )
    pareto: list[MetricName | Goal] | None = Field(
        default=None, min_length=2, description="metrics to trade off; a bare name is minimised"
    )
    reference: dict[MetricName, Finite] | None = Field(
        default=None, description="hypervolume reference point, in metric units; only with pareto"
    )
    published: Literal["low-power", "low-latency", "both"] | None = Field(
        default=None, description="ArchGym (ISCA 2023) reward target/|target - x|, as its source code computes it"
    )
    targets: dict[Literal["power_w", "latency"], Positive] | None = Field(
        default=None, description="targets of a published formula; only with published"
    )
    latency_unit: Literal["ms", "s"] | None = Field(
        default=None, description="unit in which a published formula reads the total time; only with published"
    )
    constraints: dict[MetricName, Bound] | None = Field(
        default=None, min_length=1, description="metric: {max: value} or {min: value}"
    )

    @model_validator(mode="after")
    def _consistent(self) -> ObjectiveSpec:
        _exactly_one(self, KINDS)
        for key, owner in (("reference", "pareto"), ("targets", "published"), ("latency_unit", "published")):
            if getattr(self, key) is not None and getattr(self, owner) is None:
                raise ValueError(f"{key} is only allowed with {owner}")
        if any(exponent == 0 for exponent in (self.product or {}).values()):
            raise ValueError("an exponent of 0 takes its metric out of the product; leave the metric out instead")
        if self.pareto is not None:
            names = [name for name, _ in self.goals()]
            if len(set(names)) != len(names):
                raise ValueError(f"pareto names a metric twice: {', '.join(names)}")
            if self.reference is not None and set(self.reference) != set(names):
                raise ValueError(f"reference must give one value for each of {', '.join(names)}")
        return self

    def goals(self) -> list[tuple[str, float]]:
        """(metric, 1 to minimise or -1 to maximise) of each cost that is a metric itself."""
        single = [self] if self.minimize or self.maximize else []
        found: list[tuple[str, float]] = []
        for goal in [*single, *(self.pareto or [])]:
            if isinstance(goal, str):
                found.append((goal, 1.0))
            else:
                found.append((goal.minimize or goal.maximize or "", 1.0 if goal.minimize else -1.0))
        return found


def _exactly_one(model: BaseModel, keys: tuple[str, ...]) -> None:
    given = [key for key in keys if getattr(model, key) is not None]
    if len(given) != 1:
        raise ValueError(f"give exactly one of {', '.join(keys)}; got {', '.join(given) or 'none'}")


def parse(spec: Mapping[str, Any]) -> ObjectiveSpec:
    """Validate a specification.

    Raises:
        UnknownName: for a key that does not exist; suggests the nearest.
        InvalidInput: for anything else that is wrong, in one line.
    """
    try:
        return ObjectiveSpec.model_validate(dict(spec))
    except ValidationError as error:
        problems = error.errors()
        unknown = next((p for p in problems if p["type"] == "extra_forbidden"), None)
        if unknown is not None:
            *path, key = unknown["loc"]
            raise UnknownName(f"key of objective{_where(path)}", str(key), _keys_at(path)) from None
        # A mapping that is no string is no news: what is wrong inside it is.
        telling = [p for p in problems if not (p["type"] == "string_type" and isinstance(p["input"], Mapping))]
        first = (telling or problems)[0]
        reason = first["msg"].removeprefix("Value error, ")
        got = "" if first["type"] in {"value_error", "missing"} else f"; got {first['input']!r}"
        raise InvalidInput(f"objective{_where(list(first['loc']))}: {reason}{got}") from None


def _where(path: list[Any]) -> str:
    """`.sum[0].weight` for ("sum", 0, "weight"); names of union members (pydantic's) are left out."""
    shown = [part for part in path if isinstance(part, int) or not _UNION_MEMBER.search(part)]
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in shown)


def _keys_at(path: list[Any]) -> list[str]:
    nested: dict[str, type[BaseModel]] = {"sum": Term, "pareto": Goal, "constraints": Bound}
    return list(nested.get(str(path[0]) if path else "", ObjectiveSpec).model_fields)
