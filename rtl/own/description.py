"""What a description file (`my_block.rtl.yaml`) says, and reading it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from archgym.errors import InvalidInput
from archgym.rtl.envs.clocks import CLOCKS
from archgym.rtl.flow.limits import Limits
from archgym.rtl.flow.safety import ALLOWANCES
from archgym.yaml_file import KeyPath, explain, kind_of, parse_yaml

__all__ = ["Description", "HandshakeEntry", "LimitsEntry", "PortEntry", "load_description"]

_Text = Annotated[str, Field(min_length=1)]
_Clock = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_LIMITS = Limits()


def _whole_numbers(value: Any) -> Any:
    """A value or a list of them; said at once, where pydantic would only speak of the first of the two."""
    each = value if isinstance(value, list) else [value]
    if not each or any(isinstance(one, bool) or not isinstance(one, int) for one in each):
        raise ValueError(f"got {value!r} ({kind_of(value)}); allowed: a whole number, or a list of at least one")
    return value


_Choices = Annotated[int | list[int], BeforeValidator(_whole_numbers)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


@final
class PortEntry(_Entry):
    """What a port's declaration does not say."""

    lanes: int | str = Field(default=1, description="Values side by side in the vector: a number, or a parameter.")
    signed: bool | None = Field(default=None, description="Whether values are signed; as declared by default.")


@final
class HandshakeEntry(_Entry):
    """The ports by which beats move: one input and one output stream."""

    in_valid: _Text = Field(description="Input: the input data are a beat.")
    in_ready: _Text = Field(description="Output: that beat is taken at this edge.")
    out_valid: _Text = Field(description="Output: the output data are a beat.")
    out_ready: _Text = Field(description="Input: that beat is taken at this edge.")


@final
class LimitsEntry(_Entry):
    """When a design is given up."""

    seconds: float = Field(default=_LIMITS.seconds, gt=0, description="Wall time of the tools for one design.")
    memory_mib: int = Field(default=_LIMITS.memory_mib, gt=0, description="Memory of each tool.")
    cells: int = Field(default=_LIMITS.cells, gt=0, description="Standard cells.")


@final
class Description(_Entry):
    """A module as an environment. Paths are relative to the file."""

    name: _Text = Field(description="How tables call it.")
    top: _Text = Field(description="The module.")
    sources: list[_Text] = Field(min_length=1, description="SystemVerilog or Verilog files, in order of compilation.")
    golden: _Text = Field(description="The golden model, a Python file; it is run.")
    parameters: dict[_Text, _Choices] = Field(
        default_factory=dict, description="Parameter -> a value, or a list of values to search; others keep defaults."
    )
    clocks_ns: list[_Clock] = Field(
        default_factory=lambda: list(CLOCKS), min_length=1,
        description="Periods to search; 0 stands for the shortest that closes.",
    )  # fmt: skip
    technology: _Text = Field(default="generic45", description="Name of a technology, or path of a Liberty file.")
    clock: str = Field(default="", description="Clock port, or none; found by name by default.")
    reset: str = Field(default="", description="Reset port, or none; found by name by default.")
    reset_active: Literal["low", "high"] | None = Field(
        default=None, description="When the reset acts: low or high; by its name by default."
    )
    handshake: HandshakeEntry | None = Field(
        default=None, description="Valid and ready ports; found by name by default."
    )
    latency: int | None = Field(
        default=None, ge=0, description="Clock edges from inputs to outputs, of modules without a handshake."
    )
    ports: dict[_Text, PortEntry] = Field(
        default_factory=dict, description="Port -> lanes and signed, where the declaration does not say it."
    )
    beats: int = Field(default=64, ge=1, le=1 << 16, description="About how many input rows a stimulus has.")
    effort: Literal["quick", "normal", "high"] = Field(default="normal", description="How many recipes are tried.")
    keep: list[_Text] = Field(default_factory=list, description="Modules that are mapped once and instantiated often.")
    include: list[_Text] = Field(default_factory=list, description="Folders of include files.")
    allow: list[str] = Field(
        default_factory=list, description=f"What the RTL may reach: {', '.join(ALLOWANCES)}; nothing by default."
    )
    limits: LimitsEntry = Field(default_factory=LimitsEntry, description="When a design is given up.")

    @field_validator("parameters")
    @classmethod
    def _distinct(cls, values: dict[str, int | list[int]]) -> dict[str, int | list[int]]:
        for name, choices in values.items():
            if isinstance(choices, list) and len(set(choices)) != len(choices):
                raise ValueError(f"{name} has a value twice: {choices}")
        return values

    @field_validator("clocks_ns", mode="after")
    @classmethod
    def _ascending(cls, values: list[float]) -> list[float]:
        if sorted(set(values)) != values:
            raise ValueError(f"periods must ascend, got {values}")
        return values


def load_description(path: Path) -> Description:
    """Read and check a description; files and names in it are looked at by `archgym.rtl.own.module`.

    Raises:
        InvalidInput: in one line that names the file, the line and the key.
    """
    tree, data = parse_yaml(path, "description of RTL")
    if not isinstance(data, dict):
        keys = ", ".join(name for name, field in Description.model_fields.items() if field.is_required())
        raise InvalidInput(f"{path}: expected a mapping of keys, got {kind_of(data)}; needed at least: {keys}")
    try:
        return Description.model_validate(data)
    except ValidationError as error:
        raise InvalidInput(explain(path, tree, error, _model_at, {"int"})) from None


def _model_at(keys: KeyPath) -> type[BaseModel]:
    nested: dict[str | int, type[BaseModel]] = {
        "ports": PortEntry, "handshake": HandshakeEntry, "limits": LimitsEntry
    }  # fmt: skip
    return nested.get(keys[0], Description) if keys else Description
