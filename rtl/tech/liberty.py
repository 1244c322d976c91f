"""Read Liberty files (.lib, .lib.gz): the standard description of standard cells' timing and power.

The format: Liberty User Guide, volume 1 (Synopsys, the open-source edition). Non-linear delay model (tables) only; the
parsed library is kept in the user's cache folder, keyed by content.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from archgym.errors import UnknownName
from archgym.rtl.tech import liberty_cache
from archgym.rtl.tech.liberty_cell import CellReader, number
from archgym.rtl.tech.liberty_syntax import Group, LibertyError, parse, words
from archgym.rtl.tech.liberty_tables import Tables
from archgym.rtl.tech.liberty_units import Units, read_units
from archgym.rtl.tech.library_cells import (
    Arc,
    Cell,
    Flop,
    Library,
    Pin,
    PowerArc,
    Table,
    Thresholds,
    WireLoad,
)

__all__ = [
    "Arc",
    "Cell",
    "Flop",
    "LibertyError",
    "Library",
    "Pin",
    "PowerArc",
    "Table",
    "Thresholds",
    "WireLoad",
    "cell_of",
    "liberty_text",
    "read_liberty",
]

_GZIP_MAGIC = b"\x1f\x8b"  # RFC 1952, section 2.3.1


def read_liberty(paths: Sequence[Path | str] | Path | str, *, cache: bool = True) -> Library:
    """The library in one file, or in several that each have a part of the cells (ASAP7 comes in five).

    Raises:
        LibertyError: a file that is missing, truncated, malformed or no Liberty; parts that do not fit together.
    """
    given = [paths] if isinstance(paths, (str, Path)) else list(paths)
    if not given:
        raise LibertyError("no Liberty file was given; name at least one .lib or .lib.gz")
    files = [Path(path).expanduser() for path in given]
    data = [_bytes(path) for path in files]
    key = liberty_cache.key(data)
    known = liberty_cache.load(key) if cache else None
    if known is None:
        parts = [_library(path, _unpacked(path, raw)) for path, raw in zip(files, data, strict=True)]
        known = replace(_merged(parts), text_hash=key)
        if cache:
            liberty_cache.save(key, known)
    return replace(known, sources=tuple(path.resolve() for path in files))


def liberty_text(path: Path) -> str:
    """The text of a Liberty file, unpacked.

    Raises:
        LibertyError: if it cannot be read.
    """
    return _unpacked(path, _bytes(path))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise LibertyError(f"{path}: cannot read the Liberty file: {reason}; check the path") from None


def _unpacked(path: Path, raw: bytes) -> str:
    if raw.startswith(_GZIP_MAGIC):
        try:
            raw = gzip.decompress(raw)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise LibertyError(f"{path}:1: the gzip file is truncated or damaged ({error}); fetch it again") from None
    return raw.decode("utf-8", errors="replace")


def _library(path: Path, text: str) -> Library:
    group = parse(path, text)
    model = group.values.get("delay_model", "table_lookup")
    if model != "table_lookup":
        raise group.error(f"delay_model {model!r} is not supported; use a library of the model table_lookup (NLDM)")
    units = read_units(group)
    reader = CellReader(group, Tables(group, units))
    wires = {name: _wire_load(each, units) for each in group.all("wire_load") for name in words(each.args)}
    default = group.values.get("default_wire_load")
    slew, load = number(group, "default_max_transition"), number(group, "default_max_capacitance")
    return Library(
        name=(words(group.args) or [path.stem])[0],
        cells={cell.name: cell for cell in map(reader.cell, group.all("cell"))},
        voltage_v=_condition(group, "voltage", 1.0) * units.v,
        temperature_c=_condition(group, "temperature", 25.0),
        thresholds=_thresholds(group),
        slew_derate=number(group, "slew_derate_from_library", 1.0) or 1.0,
        wire_loads=wires,
        default_wire_load=default if default in wires else None,
        default_max_slew_ns=None if slew is None else slew * units.ns,
        default_max_load_ff=None if load is None else load * units.ff,
    )


def _condition(group: Group, name: str, default: float) -> float:
    """Voltage or temperature of the default operating conditions, else the nominal one."""
    wanted = group.values.get("default_operating_conditions")
    for each in group.all("operating_conditions"):
        if wanted in words(each.args):
            return number(each, name, default) or default
    found = number(group, f"nom_{name}", default)
    return default if found is None else found


def _thresholds(group: Group) -> Thresholds:
    def fraction(name: str, default: float) -> float:
        found = number(group, name, default) or 0.0
        if not 0 <= found <= 100:
            raise group.error(f"{name} must be 0 to 100 percent, got {found}")
        return found / 100

    edges = ("rise", "fall")
    return Thresholds(
        *(fraction(f"input_threshold_pct_{edge}", 50.0) for edge in edges),
        *(fraction(f"output_threshold_pct_{edge}", 50.0) for edge in edges),
        *(fraction(f"slew_lower_threshold_pct_{edge}", 20.0) for edge in edges),
        *(fraction(f"slew_upper_threshold_pct_{edge}", 80.0) for edge in edges),
    )


def _wire_load(group: Group, units: Units) -> WireLoad:
    lengths = []
    for name, args in group.complex:
        if name == "fanout_length":
            try:
                fanout, length = (float(word) for word in words(args)[:2])
            except ValueError:
                raise group.error(f"fanout_length needs a fanout and a length, got ({args.strip()})") from None
            lengths.append((int(fanout), length))
    return WireLoad(
        ff_per_length=(number(group, "capacitance", 0.0) or 0.0) * units.ff,
        slope=number(group, "slope", 0.0) or 0.0,
        lengths=tuple(sorted(lengths)),
    )


def _merged(parts: Sequence[Library]) -> Library:
    first = parts[0]
    cells = dict(first.cells)
    for part in parts[1:]:
        if part.thresholds != first.thresholds or part.slew_derate != first.slew_derate:
            raise LibertyError(f"{part.name} and {first.name} measure slews differently; give parts of one library")
        if part.voltage_v != first.voltage_v:
            volts = f"{part.voltage_v} V and {first.voltage_v} V"
            raise LibertyError(f"{part.name} and {first.name} are at {volts}; give parts of one library and corner")
        cells.update(part.cells)
    if not cells:
        raise LibertyError(f"{first.name}: the library has no cells; give a .lib of standard cells")
    slews = [part.default_max_slew_ns for part in parts if part.default_max_slew_ns is not None]
    loads = [part.default_max_load_ff for part in parts if part.default_max_load_ff is not None]
    return replace(
        first,
        cells=cells,
        wire_loads={name: wire for part in reversed(parts) for name, wire in part.wire_loads.items()},
        default_max_slew_ns=min(slews, default=None),
        default_max_load_ff=min(loads, default=None),
    )


def cell_of(library: Library, name: str) -> Cell:
    """One cell.

    Raises:
        UnknownName: suggests the nearest.
    """
    if name not in library.cells:
        raise UnknownName(f"cell of {library.name}", name, library.cells)
    return library.cells[name]
