"""Workload specifications: `family:key=value,...`, checked against the generator's fields."""

from __future__ import annotations

from pydantic import ValidationError

from archgym.errors import InvalidInput, UnknownName
from archgym.sims.dram.workloads.generators import GENERATORS, Generator


def parse(spec: str) -> Generator:
    """Build the generator a specification names.

    Raises:
        UnknownName: for an unknown family or field.
        InvalidInput: for a malformed pair, a repeated field or a value out of range.
    """
    family, _, rest = spec.partition(":")
    if family not in GENERATORS:
        raise UnknownName("workload generator", family, GENERATORS)
    kind, fields = GENERATORS[family], {}
    for pair in filter(None, rest.split(",")):
        key, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or not value:
            raise InvalidInput(f"workload {spec!r}: got {pair!r}, expected key=value")
        if key not in kind.model_fields:
            raise UnknownName(f"field of workload {family!r}", key, kind.model_fields)
        if key in fields:
            raise InvalidInput(f"workload {spec!r}: field {key!r} is given twice")
        fields[key] = value
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(f"workload {spec!r}: {place}={first['input']!r} is wrong: {first['msg']}") from error
