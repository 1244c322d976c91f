"""Reading YAML that a person wrote: whatever is wrong becomes one line with file, line, key, and what is allowed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import yaml
from pydantic import BaseModel, ValidationError

from archgym.errors import InvalidInput, nearest

__all__ = ["KeyPath", "explain", "kind_of", "parse_yaml", "where"]

KeyPath: TypeAlias = "tuple[str | int, ...]"

_KINDS: dict[type, str] = {
    dict: "a mapping",
    list: "a list",
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}


def parse_yaml(path: Path, what: str) -> tuple[yaml.Node | None, Any]:
    """The file as nodes, which know their lines, and as plain values.

    Args:
        path: the file.
        what: the file is, for the message where there is none.

    Raises:
        InvalidInput: it is not there, cannot be read, is no YAML, or gives a key twice.
    """
    text = _text(path, what)
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


def _text(path: Path, what: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        candidates = [str(each) for each in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
        raise InvalidInput(f"{path}: no such {what}{nearest(str(path), candidates)}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path}: cannot be read: {error}") from None


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


def where(path: Path, node: yaml.Node | None, keys: Sequence[str | int]) -> str:
    """`file:line: key.path` of a key in the file, as far as it is there."""
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


def explain(
    path: Path,
    tree: yaml.Node | None,
    error: ValidationError,
    model_at: Callable[[KeyPath], type[BaseModel]],
    ignore: Collection[str] = (),
) -> str:
    """The first problem of a file in one line.

    Args:
        path: the file.
        tree: its nodes.
        error: what pydantic says of it.
        model_at: the model of the mapping at a path of keys.
        ignore: names that pydantic puts into paths and no key has.
    """
    problems = error.errors(include_url=False)
    # A misspelt key shows up twice, as unknown and as missing: the misspelling is the one to report.
    first = next((p for p in problems if p["type"] == "extra_forbidden"), problems[0])
    keys = tuple(key for key in first["loc"] if key not in ignore)
    return f"{where(path, tree, keys)}: {_said(first, keys, model_at)}"


def _said(problem: Any, keys: KeyPath, model_at: Callable[[KeyPath], type[BaseModel]]) -> str:
    got = problem.get("input")
    if problem["type"] == "extra_forbidden":
        allowed = sorted(model_at(keys[:-1]).model_fields)
        return f"unknown key{nearest(str(keys[-1]), allowed)}; allowed: {', '.join(allowed)}"
    if problem["type"] == "missing":
        return f"this key is missing; {model_at(keys[:-1]).model_fields[str(keys[-1])].description}"
    if problem["type"] == "too_short":
        return "the list is empty; give at least one entry"
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    message = problem["msg"][0].lower() + problem["msg"][1:]
    return f"got {got!r} ({kind_of(got)}); {message.replace('input should be', 'allowed:')}"


def kind_of(value: Any) -> str:
    """What a value is, in words."""
    return "nothing" if value is None else _KINDS.get(type(value), type(value).__name__)
