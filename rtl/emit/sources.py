"""Sources and what they include, copied so that the folder needs nothing from outside."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from archgym.errors import InvalidInput, MissingDependency
from archgym.rtl.flow.safety import ALLOWANCES, check_text

__all__ = ["Copied", "compilation_order", "copy_sources"]


def compilation_order(sources: Sequence[Path], include: Sequence[Path]) -> list[Path]:
    """Files that declare packages before those that use them, the others as they are given.

    The flow reads all files together, in any order; other tools read one after the other.

    Raises:
        MissingDependency: pyslang is not installed.
    """
    try:
        import pyslang
        from pyslang import syntax
    except ImportError as problem:
        raise MissingDependency("pyslang", "rtl", "reading SystemVerilog") from problem
    manager = pyslang.SourceManager()
    for folder in include:
        manager.addUserDirectories(str(folder.resolve()))
    found = [_packages(syntax.SyntaxTree.fromFile(str(path), manager).root, syntax.SyntaxKind) for path in sources]
    order: dict[int, None] = {}
    entered = set[int]()  # packages that use each other are an error elsewhere, not an endless loop here

    def visit(index: int) -> None:
        if index in entered:
            return
        entered.add(index)
        for other, (declared, _) in enumerate(found):
            if declared & found[index][1]:
                visit(other)
        order[index] = None

    for index in range(len(sources)):
        visit(index)
    return [sources[index] for index in order]


def _packages(root: Any, kinds: Any) -> tuple[set[str], set[str]]:
    """Packages that a file declares, and names before `::`, packages among them."""
    declared, used = set[str](), set[str]()

    def look(node: Any) -> None:
        kind = getattr(node, "kind", None)
        if kind == kinds.PackageDeclaration:
            declared.add(node.header.name.valueText)
        elif kind == kinds.PackageImportItem:
            used.add(node.package.valueText)
        elif kind == kinds.ScopedName and hasattr(node.left, "identifier"):
            used.add(node.left.identifier.valueText)

    root.visit(look)
    return declared, used - declared


@final
@dataclass(frozen=True)
class Copied:
    """What was copied."""

    sources: tuple[Path, ...]
    include: tuple[Path, ...]
    """Folders in which `include finds its files."""


def copy_sources(sources: Sequence[Path], include: Sequence[Path], folder: Path) -> Copied:
    """Copy sources under names of their own, and what they include under the names by which they do.

    Args:
        sources: in order of compilation.
        include: folders of include files.
        folder: to be made.

    Raises:
        InvalidInput: two files would lie in one place, or one outside of the folder's parent.
    """
    folder.mkdir(parents=True)
    placed: dict[Path, Path] = {}  # copy -> original
    for index, path in enumerate(sources):
        place = folder / path.name
        placed[folder / f"{path.stem}_{index}{path.suffix}" if place in placed else place] = path.resolve()
    copies = tuple(placed)
    waiting, folders = list(copies), dict[Path, None]()
    while waiting:
        place = waiting.pop(0)
        text = placed[place].read_text(encoding="utf-8", errors="replace")
        for name in check_text(text, place.name, allow=ALLOWANCES):
            found = _found(name, placed[place], include)
            if found is None:  # in a branch that no tool takes; lint tells if one does
                continue
            original, by_folder = found
            base = folder / "include" if by_folder else place.parent
            target = Path(os.path.normpath(base / name))
            if not target.is_relative_to(folder.parent) or placed.get(target, original) != original:
                why = "another file has its place" if target in placed else "it lies too far outside"
                raise InvalidInput(
                    f'`include "{name}" of {placed[place].name} cannot be copied: {why}; '
                    "name its folder with --include and the file relative to that"
                )
            folders[base] = None
            if target not in placed:
                placed[target] = original
                waiting.append(target)
    for place, original in placed.items():
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(original, place)
    return Copied(copies, tuple(folders))


def _found(name: str, path: Path, include: Sequence[Path]) -> tuple[Path, bool] | None:
    """The file that an include means, and whether a folder of include files leads to it; None: there is none."""
    beside = (path.parent / name).resolve()
    in_folder = next((each for each in ((folder / name).resolve() for folder in include) if each.is_file()), None)
    if beside.is_file() and beside != in_folder:
        return beside, False
    return None if in_folder is None else (in_folder, True)
