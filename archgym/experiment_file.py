"""Reading an experiment file: whatever is wrong with it becomes one line with file, line, key, and what is allowed."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import BaseModel, ValidationError

from archgym.claims import Claim
from archgym.errors import InvalidInput
from archgym.experiment import NEEDED_BY_AGENTS, UNION_TAGS, AgentEntry, EnvironmentEntry, Experiment
from archgym.yaml_file import KeyPath, explain, kind_of, parse_yaml, where

__all__ = ["load_experiment", "locate"]


def load_experiment(path: Path) -> Experiment:
    """Read and check the shape of an experiment file; names are checked by `archgym.plan`.

    Raises:
        InvalidInput: in one line that names the file, the line and the key.
    """
    tree, data = parse_yaml(path, "experiment file")
    if not isinstance(data, dict):
        keys = ", ".join(name for name, field in Experiment.model_fields.items() if field.is_required())
        keys += ", and agents or designs"
        raise InvalidInput(f"{path}: expected a mapping of keys, got {kind_of(data)}; needed at least: {keys}")
    try:
        experiment = Experiment.model_validate(data)
    except ValidationError as error:
        raise InvalidInput(explain(path, tree, error, _model_at, UNION_TAGS)) from None
    _refuse_gaps(path, tree, experiment)
    return experiment if experiment.name else experiment.model_copy(update={"name": path.stem})


def _refuse_gaps(path: Path, tree: yaml.Node | None, experiment: Experiment) -> None:
    """Refuse what one key needs and the file lacks."""
    if not experiment.agents and not experiment.designs:
        raise InvalidInput(f"{path}: agents: this key is missing; give agents that search, named designs, or both")
    if experiment.agents:
        for key in NEEDED_BY_AGENTS:
            if not getattr(experiment, key):
                about = Experiment.model_fields[key].description
                raise InvalidInput(f"{path}: {key}: this key is missing; {about}")
    if experiment.claims and not experiment.designs:
        raise InvalidInput(f"{where(path, tree, ('claims',))}: claims are about named designs; add the key designs")


def locate(path: Path, *keys: str | int) -> str:
    """`file:line: key.path` of a key in the file, as far as it is there."""
    return where(path, parse_yaml(path, "experiment file")[0], keys)


def _model_at(keys: KeyPath) -> type[BaseModel]:
    if keys and keys[0] in {"agents", "claims"}:
        return AgentEntry if keys[0] == "agents" else Claim
    return EnvironmentEntry if keys and keys[0] == "environment" else Experiment
