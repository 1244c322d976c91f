"""Technologies by name: the embedded one, those the user added, those that other installers left on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal, final

import numpy as np

from archgym.errors import InvalidInput, UnknownName
from archgym.rtl.tech.discovery import Found, find_installed
from archgym.rtl.tech.function import truth_table
from archgym.rtl.tech.liberty import LibertyError, read_liberty
from archgym.rtl.tech.library_cells import Cell, Library
from archgym.rtl.tech.registry import added, forget, remember

__all__ = ["DEFAULT", "Technology", "add", "remove", "technologies", "technology"]

DEFAULT = "generic45"
_EMBEDDED = Path(__file__).resolve().parent / "generic45.lib"
_FANOUT_OF_FOUR = (
    4  # the load with which logic is characterised (Harris et al., "The fanout-of-4 inverter delay metric")
)


@final
@dataclass(frozen=True)
class Technology:
    """A library of standard cells and what the flow needs to know beside it; the library is read when it is needed."""

    name: str
    paths: tuple[Path, ...]
    source: Literal["embedded", "added", "found", "file"]
    node_nm: float | None = None
    """Name of the process node; None if nothing says it."""
    origin: str = ""
    """Who put it there."""

    @cached_property
    def library(self) -> Library:
        """The cells.

        Raises:
            LibertyError: files that cannot be read, or cells that cannot implement every design.
        """
        found = read_liberty(self.paths)
        _smallest(found, self.name, "flip-flop", "registers have nothing to map to", _is_flop)
        _smallest(found, self.name, "inverter", "logic cannot be inverted", _is({1: 0b01}))
        _smallest(found, self.name, "NAND or NOR of two inputs", "gates have nothing to map to", _is_gate)
        return found

    @property
    def voltage_v(self) -> float:
        """Supply of the library's corner."""
        return self.library.voltage_v

    @cached_property
    def nand2(self) -> str:
        """The smallest NAND of two inputs (NOR, if there is none): the unit of gate equivalents."""
        cells = [cell for cell in self.library.cells.values() if usable(cell) and _is({2: 0b0111})(cell)]
        return _least(cells).name if cells else _smallest(self.library, self.name, "gate", "", _is_gate).name

    @property
    def nand2_um2(self) -> float:
        """Area of one gate equivalent."""
        return self.library.cells[self.nand2].area_um2

    @cached_property
    def inverter(self) -> str:
        """The smallest inverter."""
        return _smallest(self.library, self.name, "inverter", "", _is({1: 0b01})).name

    @cached_property
    def driver(self) -> str:
        """What drives the inputs of a design: a small buffer, or the smallest inverter.

        Of the buffers up to half larger than the smallest the one with the shortest slew into `load_ff`: the smallest
        of all may be a delay cell.
        """
        cells = [cell for cell in self.library.cells.values() if usable(cell) and _is({1: 0b10})(cell)]
        if not cells:
            return self.inverter
        least = _least(cells).area_um2
        small = [cell for cell in cells if cell.area_um2 <= 1.5 * least]
        return min(small, key=lambda cell: (_slew_ns(cell, self.load_ff), cell.name)).name

    @property
    def load_ff(self) -> float:
        """What the outputs of a design drive: four of the smallest inverters."""
        return _FANOUT_OF_FOUR * self.library.cells[self.inverter].inputs[0].capacitance_ff


def usable(cell: Cell) -> bool:
    """Whether the flow may instantiate a cell."""
    return not (cell.dont_use or cell.latch or any(pin.three_state for pin in cell.outputs)) and bool(cell.outputs)


def _is_flop(cell: Cell) -> bool:
    """Any flip-flop will do: mapping ties resets that are not wanted, and inverts the clock."""
    return cell.flop is not None


def _is(tables: Mapping[int, int]) -> Callable[[Cell], bool]:
    """Whether a cell has one output with one of these functions, truth tables by number of inputs."""

    def test(cell: Cell) -> bool:
        function = cell.outputs[0].function if len(cell.outputs) == 1 else None
        if cell.flop is not None or function is None or len(cell.inputs) not in tables:
            return False
        try:
            found = truth_table(function, tuple(pin.name for pin in cell.inputs))
        except InvalidInput:  # an expression of a pad or a bus: no gate
            return False
        return found == tables[len(cell.inputs)]

    return test


def _is_gate(cell: Cell) -> bool:
    return _is({2: 0b0111})(cell) or _is({2: 0b0001})(cell)


def _least(cells: Sequence[Cell]) -> Cell:
    # Of equal areas the plain one: sky130's inv_1 before clkinv_1.
    return min(cells, key=lambda cell: (cell.area_um2, len(cell.name), cell.name))


def _slew_ns(cell: Cell, load_ff: float) -> float:
    """Slowest slew at the output, an input as fast as the tables have it."""
    tables = [table for arc in cell.arcs for table in (arc.rise_slew, arc.fall_slew) if table is not None]
    return max((float(np.interp(load_ff, table.index_2, table.values[0])) for table in tables), default=float("inf"))


def _smallest(library: Library, name: str, what: str, why: str, test: Callable[[Cell], bool]) -> Cell:
    cells = [cell for cell in library.cells.values() if usable(cell) and test(cell)]
    if not cells:
        files = ", ".join(map(str, library.sources))
        raise LibertyError(f"technology {name}: no {what} in {files}: {why}; give all files of the library")
    return _least(cells)


@lru_cache(maxsize=8)
def _kept(found: Technology, _stamps: tuple[tuple[int, int], ...]) -> Technology:
    """The equal one of before, with what it has read, while its files are as they were: `measure` asks every time."""
    return found


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:  # whoever reads it says so
        return 0, 0
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=1)
def _embedded() -> Technology:
    return Technology(DEFAULT, (_EMBEDDED,), "embedded", 45.0, "ArchGym")


def technologies(*, installed: Callable[[], Iterable[Found]] = find_installed) -> Mapping[str, Technology]:
    """All technologies by name; what the user added hides what was found."""
    found = {each.name: Technology(each.name, each.paths, "found", each.node_nm, each.origin) for each in installed()}
    own = {
        name: Technology(name, entry.paths, "added", entry.node_nm, "archgym tech add")
        for name, entry in added().items()
    }
    return {DEFAULT: _embedded(), **{name: each for name, each in found.items() if name != DEFAULT}, **own}


def technology(name_or_path: str | Path = DEFAULT) -> Technology:
    """A technology by name, or the one in a Liberty file.

    Raises:
        UnknownName: for a name that is not known; a path is anything with a folder or the suffix .lib or .lib.gz.
        LibertyError: for a file that is not there.
    """
    name = str(name_or_path)
    if name == DEFAULT:
        return _embedded()
    path = Path(name).expanduser()
    if isinstance(name_or_path, Path) or path.name != name or name.endswith((".lib", ".lib.gz")):
        if not path.is_file():
            raise LibertyError(f"{path}: there is no such Liberty file; give a .lib or .lib.gz, or a technology's name")
        found = Technology(path.name.removesuffix(".gz").removesuffix(".lib"), (path.resolve(),), "file")
    else:
        known = technologies()
        if name not in known:
            raise UnknownName("technology", name, known)
        found = known[name]
    return _kept(found, tuple(map(_stamp, found.paths)))


def add(name: str, paths: Sequence[Path | str], node_nm: float | None = None) -> Technology:
    """Remember a library under a name, after having read it.

    Raises:
        InvalidInput: for a name that is taken by the embedded technology, or that looks like a path.
        LibertyError: files that cannot be read, or cells that cannot implement every design.
    """
    if name == DEFAULT:
        raise InvalidInput(f"{DEFAULT} is the embedded technology; give another name")
    files = tuple(Path(path).expanduser().resolve() for path in paths)
    made = Technology(name, files, "added", node_nm, "archgym tech add")
    _ = made.library  # what cannot be used is not remembered
    remember(name, files, node_nm)
    return made


def remove(name: str) -> None:
    """Forget a technology that was added; its files stay.

    Raises:
        InvalidInput: for one that cannot be removed.
        UnknownName: for one that was not added.
    """
    if name == DEFAULT:
        raise InvalidInput(f"{DEFAULT} is the embedded technology; it cannot be removed")
    forget(name)
