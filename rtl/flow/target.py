"""What the mapper is told about a technology: the cells, who drives the inputs, what hangs on the outputs."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import final

from archgym.errors import InvalidInput
from archgym.rtl.flow import scratch
from archgym.rtl.flow.full_adder import FullAdder, full_adder
from archgym.rtl.flow.mapping_library import Ties, mapping_text, ties, usable
from archgym.rtl.tech.library_cells import Library

__all__ = ["Target", "target"]


@final
@dataclass(frozen=True)
class Target:
    """Files and names for Yosys and ABC."""

    liberty: Path
    driver: str
    load_ff: float
    ties: Ties
    full_adder: FullAdder | None
    cells: frozenset[str]
    """Every cell of the library."""
    key: str
    """Hash of all of it."""

    @property
    def constraints(self) -> str:
        """ABC's constraint file (the load in fF)."""
        return f"set_driving_cell {self.driver}\nset_load {self.load_ff:g}\n"


@lru_cache(maxsize=8)
def _prepared(text_hash: str, library: Library) -> tuple[Path, str]:
    text = mapping_text(library)
    path = scratch.process_folder() / f"cells-{text_hash[:16]}.lib"
    descriptor, partial = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    Path(partial).replace(path)
    return path, hashlib.sha256(text.encode()).hexdigest()


def target(library: Library, driver: str, load_ff: float) -> Target:
    """Prepare a library for mapping; once for each process.

    Raises:
        InvalidInput: the library cannot implement every design: no flip-flop, no inverter or no gate of two inputs.
    """
    cells = [cell for cell in library.cells.values() if usable(cell)]
    inputs = {len(cell.inputs) for cell in cells if cell.flop is None}
    for missing, what in ((not any(cell.flop for cell in cells), "flip-flop"), (1 not in inputs, "inverter")):
        if missing:
            raise InvalidInput(f"library {library.name} has no usable {what}; synthesis needs one")
    if not inputs - {1}:
        raise InvalidInput(f"library {library.name} has no usable gate of two inputs; synthesis needs one")
    path, digest = _prepared(library.text_hash, library)
    key = hashlib.sha256(f"{digest} {driver} {load_ff:g} {full_adder(library)}".encode()).hexdigest()
    return Target(path, driver, load_ff, ties(library), full_adder(library), frozenset(library.cells), key)
