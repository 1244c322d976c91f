"""Hyper-parameters: one frozen pydantic model per agent; a wrong name or value is refused in one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from archgym.errors import InvalidInput, UnknownName

__all__ = ["HyperParameters", "parse_hyper"]

Model = TypeVar("Model", bound="HyperParameters")


class HyperParameters(BaseModel):
    """Base of every agent's `Hyper`: nothing but the declared fields, finite numbers, no change after construction."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def parse_hyper(model: type[Model], agent: str, given: Mapping[str, Any]) -> Model:
    """Build an agent's hyper-parameters.

    Raises:
        UnknownName: for a name the agent does not have; suggests the nearest.
        InvalidInput: for a value of the wrong type or out of bounds; says what is allowed.
    """
    for name in given:
        if name not in model.model_fields:
            raise UnknownName(f"hyper-parameter of {agent}", name, model.model_fields)
    try:
        return model(**given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "hyper-parameters"
        raise InvalidInput(f"hyper-parameter {where} of {agent}: {first['msg']}, got {first['input']!r}") from None
