"""What is synthesised: sources, a top and values of its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

from archgym.rtl.block import Block

__all__ = ["Design"]


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

    @classmethod
    def of(cls, block: Block, parameters: Mapping[str, int]) -> Design:
        """A point of a block of the library."""
        return cls(block.paths(), block.top, dict(parameters), block.keep)
