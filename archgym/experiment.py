"""What an experiment file says. `archgym schema` prints this as a JSON schema for editors.

Every list is an axis of a grid: workloads x objectives x agents x hyper-parameters x seeds, one trial each. Named
designs are scored beside that grid, or instead of it, once on each workload.
"""

from __future__ import annotations

from typing import Annotated, Any, final

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator

from archgym.claims import Claim

__all__ = ["NEEDED_BY_AGENTS", "UNION_TAGS", "AgentEntry", "EnvironmentEntry", "Experiment", "json_schema"]

UNION_TAGS = frozenset({"<name>", "<mapping>", "<count>", "<list>", "[key]"})
"""Internal names of the alternatives below; left out of error messages."""

NEEDED_BY_AGENTS = ("objectives", "budget")
"""Keys that a search needs and named designs do not."""


def _shape(value: Any) -> str:
    return "<mapping>" if isinstance(value, (dict, BaseModel)) else "<name>"


def _count_or_list(value: Any) -> str:
    return "<list>" if isinstance(value, list) else "<count>"


_Name = Annotated[str, Field(min_length=1), Tag("<name>")]
_Seed = Annotated[int, Field(ge=0, le=2**63 - 1)]  # what the store's integers hold


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


@final
class EnvironmentEntry(_Entry):
    """An environment with options."""

    name: str = Field(min_length=1, description="A simulator's name or a Gymnasium id; `archgym envs` lists them.")
    options: dict[str, Any] = Field(
        default_factory=dict, description="What the simulator is built with, such as device, channels, ranks, space."
    )


@final
class AgentEntry(_Entry):
    """An agent with hyper-parameters."""

    name: str = Field(min_length=1, description="An agent's name; `archgym agents` lists them.")
    hyper: dict[str, Any] = Field(
        default_factory=dict,
        description="Hyper-parameters; a list is an axis of the grid: `population: [20, 50]` makes two agents.",
    )


_Environment = Annotated[
    _Name | Annotated[EnvironmentEntry, Tag("<mapping>")],
    Discriminator(_shape),
]
_Agent = Annotated[
    _Name | Annotated[AgentEntry, Tag("<mapping>")],
    Discriminator(_shape),
]
_Objective = Annotated[
    _Name | Annotated[dict[str, Any], Tag("<mapping>")],
    Discriminator(_shape),
]
_Seeds = Annotated[
    Annotated[int, Field(ge=1, le=100_000), Tag("<count>")]
    | Annotated[list[_Seed], Field(min_length=1), Tag("<list>")],
    Discriminator(_count_or_list),
]


@final
class Experiment(_Entry):
    """One question: which agents search which space, for what, how often and how long; or what some designs reach."""

    name: str = Field(default="", description="Title of the report; the file's name by default.")
    description: str = Field(default="", description="The question this experiment answers, for the report.")
    environment: _Environment = Field(description="The simulator: a name, or a mapping with `name` and `options`.")
    fix: dict[str, Any] = Field(
        default_factory=dict,
        description="Restrict the space: parameter -> one value, or a list of the values that remain.",
    )
    workloads: list[Annotated[str, Field(min_length=1)]] = Field(
        min_length=1, description="Registered workloads, or paths of trace files relative to the experiment file."
    )
    designs: dict[Annotated[str, Field(min_length=1)], dict[str, Any]] = Field(
        default_factory=dict,
        description=(
            "Named designs, scored as they are on every workload: parameter -> value. `base: NAME` takes what is not "
            "given from a design listed above."
        ),
    )
    claims: list[Claim] = Field(
        default_factory=list, description="Published figures, shown beside what the named designs reach."
    )
    objectives: list[_Objective] = Field(
        default_factory=list,
        min_length=1,
        description="Registered objectives, or mappings such as {minimize: latency_ns}; agents need one.",
    )
    agents: list[_Agent] = Field(
        default_factory=list,
        min_length=1,
        description="Agents: names, or mappings with `name` and `hyper` (whose lists are grid axes).",
    )
    seeds: _Seeds = Field(default=1, description="How many seeds (n means 0 to n-1), or a list of seeds.")
    budget: int | None = Field(
        default=None,
        ge=1,
        description="Distinct designs each trial of an agent may evaluate; repeats are not charged. Agents need it.",
    )
    batch: int = Field(default=64, ge=1, description="Most designs an agent is asked for at once.")
    timeout_s: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="Give up on a design after this many seconds (the simulator then runs in a process of its own).",
    )
    workers: int | None = Field(
        default=None, ge=1, description="Trials run at once; all cores by default. Results do not depend on it."
    )
    reuse: list[Annotated[str, Field(min_length=1)]] = Field(
        default_factory=list,
        description="Run or enumeration directories whose stored evaluations answer for the simulator.",
    )

    @field_validator("workloads", "reuse")
    @classmethod
    def _distinct(cls, values: list[str]) -> list[str]:
        return _no_repeats(values)

    @field_validator("seeds")
    @classmethod
    def _distinct_seeds(cls, value: int | list[int]) -> int | list[int]:
        return _no_repeats(value) if isinstance(value, list) else value

    @field_validator("claims")
    @classmethod
    def _distinct_claims(cls, claims: list[Claim]) -> list[Claim]:
        _no_repeats([claim.label for claim in claims])
        return claims

    @property
    def seed_list(self) -> list[int]:
        """The seeds, one by one."""
        return list(range(self.seeds)) if isinstance(self.seeds, int) else list(self.seeds)

    @property
    def environment_entry(self) -> EnvironmentEntry:
        """The environment as a mapping."""
        given = self.environment
        return EnvironmentEntry(name=given) if isinstance(given, str) else given

    @property
    def agent_entries(self) -> list[AgentEntry]:
        """The agents as mappings, grids not yet expanded."""
        return [AgentEntry(name=agent) if isinstance(agent, str) else agent for agent in self.agents]


def _no_repeats(values: list[Any]) -> list[Any]:
    for position, value in enumerate(values):
        if value in values[:position]:
            raise ValueError(f"{value!r} is listed twice; list each once")
    return values


def json_schema() -> dict[str, Any]:
    """The schema of experiment files, for editors: JSON Schema 2020-12."""
    schema = Experiment.model_json_schema()
    given = {
        "anyOf": [{"required": ["agents"]}, {"required": ["designs"]}],
        "dependentRequired": {"agents": list(NEEDED_BY_AGENTS), "claims": ["designs"]},
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, **given, "title": "ArchGym experiment"}
