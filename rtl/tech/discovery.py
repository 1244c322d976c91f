"""Libraries that other tools' installers left on this machine.

- ciel and volare (PDK managers): `ROOT/PDK/libs.ref/LIBRARY/lib/*.lib`, ROOT being $PDK_ROOT, ~/.ciel or ~/.volare;
- OpenROAD-flow-scripts: `flow/platforms/PLATFORM/lib/**/*.lib`, under $FLOW_HOME or the usual folders;
- Debian's qflow-tech packages: `/usr/share/qflow/tech/TECH/*.lib`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

__all__ = ["Found", "find_installed"]

_TYPICAL = re.compile(r"(?:^|_)(?:tt|typ|typical|TT)(?:_|\.|$)")
_ROOM = re.compile(r"(?:^|_)0?25C(?:_|\.|$)")
_NODES: Mapping[str, float] = {  # the processes' own names
    "sky130": 130.0,
    "sg13g2": 130.0,
    "gf180": 180.0,
    "asap7": 7.0,
    "nangate45": 45.0,
    "osu018": 180.0,
    "osu035": 350.0,
    "osu050": 500.0,
}
_ASAP7 = re.compile(r"asap7sc7p5t_(AO|INVBUF|OA|SEQ|SIMPLE)_RVT_TT_nldm_(\d+)\.lib(?:\.gz)?\Z")


@final
@dataclass(frozen=True)
class Found:
    """A library somebody installed."""

    name: str
    paths: tuple[Path, ...]
    node_nm: float | None
    origin: str


def find_installed(
    *, home: Path | None = None, environment: Mapping[str, str] | None = None, system: Path = Path("/")
) -> list[Found]:
    """All libraries found, each name once, in a stable order; nothing is read."""
    home = Path.home() if home is None else home
    variables = os.environ if environment is None else environment
    found: dict[str, Found] = {}
    for each in (*_kits(home, variables), *_openroad(home, variables, system), *_qflow(system)):
        found.setdefault(each.name, each)
    return list(found.values())


def _node(name: str) -> float | None:
    return next((nm for key, nm in _NODES.items() if key in name.lower()), None)


def _folders(root: Path) -> list[Path]:
    try:
        return sorted(path for path in root.iterdir() if path.is_dir())
    except OSError:  # not there, or not ours to look into
        return []


def _libraries(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.name.endswith((".lib", ".lib.gz")))
    except OSError:
        return []


def _typical(files: Iterable[Path]) -> list[Path]:
    """Files of the typical corner; at 25 C, if that is told."""
    corner = [file for file in files if _TYPICAL.search(file.name) and "ccs" not in file.name.lower()]
    return [file for file in corner if _ROOM.search(file.name)] or corner


def _kits(home: Path, variables: Mapping[str, str]) -> Iterator[Found]:
    roots = [Path(variables["PDK_ROOT"])] if variables.get("PDK_ROOT") else []
    for root in (*roots, home / ".ciel", home / ".volare"):
        for kit in _folders(root):
            for library in _folders(kit / "libs.ref"):
                files = _typical(_libraries(library / "lib"))
                yield from _named(library.name, files, f"{kit.name} in {root}")


def _named(name: str, files: Sequence[Path], origin: str) -> Iterator[Found]:
    """One technology for each file: of several (supply voltages) the first has the short name."""
    for index, file in enumerate(files):
        stem = file.name.removesuffix(".gz").removesuffix(".lib")
        yield Found(stem if index else name, (file,), _node(name) or _node(stem), origin)


def _openroad(home: Path, variables: Mapping[str, str], system: Path) -> Iterator[Found]:
    roots = [Path(variables["FLOW_HOME"])] if variables.get("FLOW_HOME") else []
    usual = (home / "OpenROAD-flow-scripts", system / "OpenROAD-flow-scripts", system / "opt/OpenROAD-flow-scripts")
    for root in (*roots, *(each / "flow" for each in usual)):
        for platform in _folders(root / "platforms"):
            origin = f"OpenROAD-flow-scripts in {root}"
            files = _libraries(platform / "lib")
            if platform.name == "asap7":
                parts = _asap7(_libraries(platform / "lib" / "NLDM"))
                if parts:
                    yield Found("asap7", parts, 7.0, origin)
                continue
            yield from _named(platform.name, _typical(file for file in files if "ram" not in file.name.lower()), origin)


def _asap7(files: Iterable[Path]) -> tuple[Path, ...]:
    """The five files that make the library, the newest of each; none if one is missing."""
    newest: dict[str, tuple[str, Path]] = {}
    for file in files:
        match = _ASAP7.match(file.name)
        if match and match[2] > newest.get(match[1], ("", file))[0]:
            newest[match[1]] = (match[2], file)
    return tuple(file for _, (_, file) in sorted(newest.items())) if len(newest) == 5 else ()


def _qflow(system: Path) -> Iterator[Found]:
    for share in (system / "usr/share", system / "usr/local/share"):
        for folder in _folders(share / "qflow" / "tech"):
            for file in _libraries(folder)[:1]:
                yield Found(folder.name, (file,), _node(folder.name), f"qflow in {folder.parent}")
