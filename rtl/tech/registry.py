"""Technologies that the user added: names and files, in the user's config folder."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from archgym.errors import InvalidInput, StoreError, UnknownName
from archgym.rtl.tech.user_folders import config_folder

__all__ = ["Entry", "added", "forget", "registry_file", "remember"]

_NAME = re.compile(r"[A-Za-z][\w.+-]*\Z")


@final
@dataclass(frozen=True)
class Entry:
    """Where a technology lies."""

    paths: tuple[Path, ...]
    node_nm: float | None = None


def registry_file() -> Path:
    """The list of technologies: $XDG_CONFIG_HOME/archgym/technologies.json."""
    return config_folder() / "technologies.json"


def added() -> Mapping[str, Entry]:
    """Technologies by name, in the order they were added.

    Raises:
        InvalidInput: if the list was edited into something else.
    """
    file = registry_file()
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise StoreError(f"{file}: cannot read the list of technologies: {error.strerror}") from None
    try:
        found = json.loads(text)
        return {name: Entry(tuple(map(Path, each["paths"])), each.get("node_nm")) for name, each in found.items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        raise InvalidInput(f"{file} is no list of technologies; remove it and add them again") from None


def remember(name: str, paths: tuple[Path, ...], node_nm: float | None = None) -> None:
    """Add or replace a technology.

    Raises:
        InvalidInput: for a name that is none.
        StoreError: if the list cannot be written.
    """
    if not _NAME.match(name) or name.endswith((".lib", ".lib.gz")):
        raise InvalidInput(f"a technology's name is letters, digits, . _ + - and no file name, got {name!r}")
    _write({**added(), name: Entry(paths, node_nm)})


def forget(name: str) -> None:
    """Take a technology from the list.

    Raises:
        UnknownName: if it is not there.
    """
    known = dict(added())
    if name not in known:
        raise UnknownName("added technology", name, known)
    del known[name]
    _write(known)


def _write(entries: Mapping[str, Entry]) -> None:
    file = registry_file()
    plain: dict[str, dict[str, Any]] = {
        name: {"paths": [str(path) for path in entry.paths], "node_nm": entry.node_nm}
        for name, entry in entries.items()
    }
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False, encoding="utf-8") as part:
            json.dump(plain, part, indent=2)
            part.write("\n")
        Path(part.name).replace(file)
    except OSError as error:
        raise StoreError(f"{file}: cannot write the list of technologies: {error.strerror}") from None
