"""What is synthesised: sources, a top and values of its parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import final

from archgym.errors import InvalidInput
from archgym.rtl.block import Block

__all__ = ["Design"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
_FILE = re.compile(r"[^\s\"';#\\*?\[\]]+")


@final
@dataclass(frozen=True)
class Design:
    """RTL, complete: every module below `top` is in `sources` (SystemVerilog or Verilog)."""

    sources: tuple[Path, ...]
    top: str
    parameters: Mapping[str, int] = field(default_factory=dict)
    keep: tuple[str, ...] = ()
    """Modules that hierarchical synthesis maps once for each set of parameters."""
    include: tuple[Path, ...] = ()
    """Folders of include files."""

    def linked(self, folder: Path) -> Design:
        """The same with sources and includes reached through links in a folder: Yosys's commands end at blanks.

        Raises:
            InvalidInput: a name that no command could carry.
        """
        for name in (self.top, *self.parameters, *self.keep):
            if not _NAME.fullmatch(name):
                raise InvalidInput(f"{name!r} is no plain SystemVerilog name; give letters, digits and underscores")
        links: dict[Path, Path] = {}

        def reach(parent: Path) -> Path:
            if parent not in links:
                links[parent] = folder / f"d{len(links)}"
                links[parent].symlink_to(parent, target_is_directory=True)
            return Path(links[parent].name)

        sources = []
        for path in (each.resolve() for each in self.sources):
            if not path.is_file():
                raise InvalidInput(f"source {path} is not there")
            if not _FILE.fullmatch(path.name):
                raise InvalidInput(f"source {path.name!r}: rename it without blanks and quotes")
            sources.append(reach(path.parent) / path.name)
        include = tuple(reach(path.resolve()) for path in self.include)
        return replace(self, sources=tuple(sources), include=include)

    @classmethod
    def of(cls, block: Block, parameters: Mapping[str, int]) -> Design:
        """A point of a block of the library."""
        include = tuple(Path(folder) for folder in block.include)
        return cls(block.paths(), block.top, dict(parameters), block.keep, include)
