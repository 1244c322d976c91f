"""Reading an experiment file: whatever is wrong with it becomes one line with file, line, key, and what is allowed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from archgym.claims import Claim
from archgym.errors import InvalidInput, nearest
from archgym.experiment import NEEDED_BY_AGENTS, UNION_TAGS, AgentEntry, EnvironmentEntry, Experiment

__all__ = ["load_experiment", "locate"]

KeyPath = tuple["str | int", ...]

_KINDS: dict[type, str] = {
    dict: "a mapping",
    list: "a list",
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}


def load_experiment(path: Path) -> Experiment:
    """Read and check the shape of an experiment file; names are checked by `archgym.plan`.

    Raises:
        InvalidInput: in one line that names the file, the line and the key.
    """
    tree, data = _parse(path)
    if not isinstance(data, dict):
        keys = ", ".join(name for name, field in Experiment.model_fields.items() if field.is_required())
        keys += ", and agents or designs"
        raise InvalidInput(f"{path}: expected a mapping of keys, got {_kind(data)}; needed at least: {keys}")
    try:
        experiment = Experiment.model_validate(data)
    except ValidationError as error:
        raise InvalidInput(_one_line(path, tree, error)) from None
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
        raise InvalidInput(f"{_where(path, tree, ('claims',))}: claims are about named designs; add the key designs")


def locate(path: Path, *keys: str | int) -> str:
    """`file:line: key.path` of a key in the file, as far as it is there."""
    return _where(path, _parse(path)[0], keys)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        candidates = [str(each) for each in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
        raise InvalidInput(f"{path}: no such experiment file{nearest(str(path), candidates)}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path}: cannot be read: {error}") from None


def _parse(path: Path) -> tuple[yaml.Node | None, Any]:
    """The file as nodes, which know their lines, and as plain values."""
    text = _text(path)
    try:
        tree: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        detail = " ".join(part for part in (error.context, error.problem) if part)
        raise InvalidInput(f"{path}{line}: not valid YAML: {detail}") from None
    except yaml.YAMLError as error:
        raise InvalidInput(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    if tree is not None:
        _refuse_repeated_keys(path, tree)
    return tree, data


def _refuse_repeated_keys(path: Path, node: yaml.Node) -> None:
    """YAML forbids a repeated key, but the parser silently keeps the last."""
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            line, name = key.start_mark.line + 1, str(key.value)
            if name in seen:
                raise InvalidInput(f"{path}:{line}: key {name!r} is given twice, first in line {seen[name]}")
            seen[name] = line
            _refuse_repeated_keys(path, value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _refuse_repeated_keys(path, value)


def _where(path: Path, node: yaml.Node | None, keys: Sequence[str | int]) -> str:
    line = None
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            found = [(k, v) for k, v in node.value if k.value == str(key)]
            if not found:
                break
            line, node = found[0][0].start_mark.line + 1, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
            line = node.start_mark.line + 1
        else:
            break
    dotted = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).lstrip(".")
    return f"{path}:{line}: {dotted}" if line else f"{path}: {dotted}"


def _one_line(path: Path, tree: yaml.Node | None, error: ValidationError) -> str:
    problems = error.errors(include_url=False)
    # A misspelt key shows up twice, as unknown and as missing: the misspelling is the one to report.
    first = next((p for p in problems if p["type"] == "extra_forbidden"), problems[0])
    keys = tuple(key for key in first["loc"] if key not in UNION_TAGS)
    return f"{_where(path, tree, keys)}: {_explain(first, keys)}"


def _explain(problem: Any, keys: KeyPath) -> str:
    got = problem.get("input")
    if problem["type"] == "extra_forbidden":
        allowed = sorted(_model_at(keys[:-1]).model_fields)
        return f"unknown key{nearest(str(keys[-1]), allowed)}; allowed: {', '.join(allowed)}"
    if problem["type"] == "missing":
        return f"this key is missing; {_model_at(keys[:-1]).model_fields[str(keys[-1])].description}"
    if problem["type"] == "too_short":
        return "the list is empty; give at least one entry"
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    message = problem["msg"][0].lower() + problem["msg"][1:]
    return f"got {got!r} ({_kind(got)}); {message.replace('input should be', 'allowed:')}"


def _model_at(keys: KeyPath) -> type[BaseModel]:
    if keys and keys[0] in {"agents", "claims"}:
        return AgentEntry if keys[0] == "agents" else Claim
    return EnvironmentEntry if keys and keys[0] == "environment" else Experiment


def _kind(value: Any) -> str:
    return "nothing" if value is None else _KINDS.get(type(value), type(value).__name__)
