"""Refuses RTL that would reach outside the simulation: files, the system, other languages.

Text is judged before any tool reads it, branches of conditional compilation that the tools would skip included, since
tools define different macros (VERILATOR, SYNTHESIS, __ICARUS__).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

from archgym.errors import InvalidInput, UnknownName

__all__ = ["ALLOWANCES", "UnsafeRtl", "check_text", "check_texts"]

ALLOWANCES = ("dpi", "files", "pli", "system")
"""What can be allowed: C functions, file access, system tasks that no standard defines, programs and arguments."""

# IEEE 1800-2017, clauses 21.3-21.7 (input and output, memories, value change dumps), 20.17-20.18 and annexes D.4, D.7,
# D.13-D.14 ($key, $log, $sreadmem) and 32 (annotation).
_FILES = re.compile(
    r"\$(?:fopen|fclose|fdisplay[bho]?|fwrite[bho]?|fmonitor[bho]?|fstrobe[bho]?|fscanf|fread|fgetc|fgets|ungetc|fseek"
    r"|ftell|rewind|fflush|feof|ferror|s?readmem[bh]|writemem[bh]|dump\w*|sdf_annotate|key|nokey|log|nolog|list"
    r"|save|restart|incsave|fsdb\w*|vcdplus\w*|shm_\w*|db_\w*|coverage_\w*|\w+_coverage_db|set_coverage_db_name)"
)
# Clauses 20.18.1 ($system) and 21.6 (command line), annex D ($input reads commands from a file).
_SYSTEM = re.compile(r"\$(?:system|test\$plusargs|value\$plusargs|input|reset|async\$\w+|sync\$\w+|q_\w+)")

_TOKEN = re.compile(
    r"""
      (?P<comment>//[^\n]*|/\*.*?\*/)
    | (?P<string>"(?:\\.|[^"\\])*")
    | (?P<escaped>\\[^\s]+)
    | (?P<directive>`\s*[A-Za-z_]\w*)
    | (?P<task>\$(?:[A-Za-z_][\w$]*)?(?:\s*``[\w$]*)*)
    | (?P<word>[A-Za-z_][\w$]*)
    """,
    re.VERBOSE | re.DOTALL,
)
_CPP = ("systemc_", "verilator_config")  # Verilator copies what follows into its C++, or takes commands from it


class UnsafeRtl(InvalidInput):
    """Raised when RTL reaches outside the simulation and that was not allowed."""


def check_texts(
    sources: Sequence[Path],
    *,
    include: Sequence[Path] = (),
    allow: Collection[str] = (),
    known: Callable[[str], bool] = lambda _name: True,
) -> tuple[Path, ...]:
    """Judge source files and what they include.

    Args:
        sources: the files given.
        include: folders whose files may be included, besides those of `sources`.
        allow: see `ALLOWANCES`.
        known: whether a system task is one of the language's.

    Returns:
        All of these files, sorted.

    Raises:
        UnsafeRtl: the first place that is refused, by file and line, and what would allow it.
        UnknownName: an allowance that does not exist.
        InvalidInput: a file that cannot be read.
    """
    for name in allow:
        if name not in ALLOWANCES:
            raise UnknownName("allowance", name, ALLOWANCES)
    waiting, seen = [path.resolve() for path in sources], set[Path]()
    given = frozenset(waiting)
    while waiting:
        path = waiting.pop(0)
        if path in seen:
            continue
        seen.add(path)
        names = check_text(_read(path), path.name, allow=allow, known=known)
        waiting += [_included(name, path, given, include, allow) for name in names]
    return tuple(sorted(seen))


def check_text(
    text: str, file: str, *, allow: Collection[str] = (), known: Callable[[str], bool] = lambda _name: True
) -> list[str]:
    """Judge one text; returns what it includes.

    Raises:
        UnsafeRtl: see `check_texts`.
    """
    tokens = [match for match in _TOKEN.finditer(text) if match.lastgroup not in {"comment", "escaped"}]
    included: list[str] = []
    for position, match in enumerate(tokens):
        after = tokens[position + 1] if position + 1 < len(tokens) else None
        needs, what = _judged(match, after, known)
        if match.lastgroup == "directive" and match[0].lstrip("` \t") == "include" and not needs:
            assert after is not None
            included.append(after[0][1:-1])
        if needs and needs not in allow:
            line = text.count("\n", 0, match.start()) + 1
            column = match.start() - text.rfind("\n", 0, match.start())
            raise UnsafeRtl(f"{file}:{line}:{column}: {what} is refused; if you trust it, allow {needs!r}")
    return included


def _judged(match: re.Match[str], after: re.Match[str] | None, known: Callable[[str], bool]) -> tuple[str, str]:
    """Which allowance a token needs, if any, and what to call it."""
    text = match[0]
    if match.lastgroup == "task":
        return _task(text, known)
    if match.lastgroup == "directive":
        name = text.lstrip("` \t\n")
        if name.startswith(_CPP):
            return "dpi", f"`{name} (text for the simulator's C++)"
        if name == "uselib" or (name == "include" and (after is None or after.lastgroup != "string")):
            return "files", f"`{name} of a file that is not named in quotes"
    if text in {"import", "export"} and after is not None and after[0].strip('"').startswith("DPI"):
        return "dpi", f"{text} {after[0]} (a function in C)"
    return "", ""


def _task(text: str, known: Callable[[str], bool]) -> tuple[str, str]:
    if "``" in text:
        return "system", f"{text!r}, a system task named by a macro,"
    if text == "$":  # the end of a queue or of a range
        return "", ""
    if _SYSTEM.fullmatch(text):
        return "system", f"{text} (programs or arguments of the simulator)"
    if _FILES.fullmatch(text):
        return "files", f"{text} (file access)"
    if not known(text):
        return "pli", f"{text}, a system task that the language does not define,"
    return "", ""


def _included(name: str, path: Path, given: Collection[Path], folders: Iterable[Path], allow: Collection[str]) -> Path:
    for folder in (path.parent, *folders):
        candidate = (folder / name).resolve()
        if not candidate.is_file():
            continue
        inside = candidate in given or any(candidate.is_relative_to(each.resolve()) for each in folders)
        if inside or "files" in allow:
            return candidate
        break  # compilers take the first that is there: one of the same name further on would be judged in its place
    fix = "add it to the sources or name its folder as include"
    raise UnsafeRtl(f'{path.name}: `include "{name}" names no file that was given; {fix}')


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as problem:
        raise InvalidInput(f"cannot read {path}: {problem.strerror or problem}") from None
