"""Liberty text to groups: `name (args) { attribute : value; name (args); group (...) {...} }`.

One regular expression takes a statement at a time: the tables are the bulk of a file, and each is one match.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

from archgym.errors import InvalidInput

__all__ = ["Group", "LibertyError", "Text", "parse", "words"]

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_STATEMENT = re.compile(
    r"""[\s;]*(?:
      (?P<name>[A-Za-z_][\w.$\[\]-]*)\s*(?:
          :\s*(?P<value>"[^"]*"|[^;{}"\n]*)
        | \((?P<args>(?:"[^"]*"|[^()"{};]|\([^()]*\))*)\)\s*(?P<open>\{)?
        )
      | (?P<close>\})
      | (?P<end>\Z)
      | (?P<bad>\S)
    )""",
    re.VERBOSE,
)
_WORD = re.compile(r'"([^"]*)"|([^\s,"]+)')


class LibertyError(InvalidInput):
    """Raised when a Liberty file cannot be read; says file and line."""


@final
@dataclass(frozen=True)
class Text:
    """A file's text, to say where in it something is wrong."""

    path: Path
    text: str

    def error(self, position: int, message: str) -> LibertyError:
        """The error to raise about the statement at `position`."""
        return LibertyError(f"{self.path}:{self.text.count(chr(10), 0, position) + 1}: {message}")


@final
@dataclass(slots=True)
class Group:
    """A group statement and what is in it."""

    kind: str
    args: str
    position: int
    source: Text
    values: dict[str, str] = field(default_factory=dict)
    """Simple attributes; the last of a name holds."""
    complex: list[tuple[str, str]] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)

    def all(self, kind: str) -> list[Group]:
        """The groups of a kind directly inside."""
        return [group for group in self.groups if group.kind == kind]

    def argument(self, name: str) -> str | None:
        """Raw arguments of a complex attribute; the last of a name holds."""
        return next((args for key, args in reversed(self.complex) if key == name), None)

    def error(self, message: str) -> LibertyError:
        """The error to raise about this group."""
        return self.source.error(self.position, f"{self.label}: {message}")

    @property
    def label(self) -> str:
        """As written, for messages."""
        return f"{self.kind} ({' '.join(words(self.args))})"


def words(args: str) -> list[str]:
    """Arguments between parentheses, without quotes."""
    return [quoted or bare for quoted, bare in _WORD.findall(args)]


def parse(path: Path, text: str) -> Group:
    """The library group of a file.

    Raises:
        LibertyError: no library group, a statement that is none, braces that do not match, or an end too early.
    """
    plain = text.replace("\r\n", "\n").replace("\\\n", " \n")
    if "/*" in plain:
        plain = _COMMENT.sub(lambda match: "\n" * match.group().count("\n") + " ", plain)
    source = Text(path, plain)
    root = Group("file", "", 0, source)
    stack = [root]
    for match in _STATEMENT.finditer(plain):
        name, value, args, opening, closing, end, bad = match.groups()
        if value is not None:
            stack[-1].values[name] = value[1:-1] if value.startswith('"') else value.rstrip()
        elif opening:
            group = Group(name, args, match.start("name"), source)
            stack[-1].groups.append(group)
            stack.append(group)
        elif closing and len(stack) > 1:
            stack.pop()
        elif args is not None:
            stack[-1].complex.append((name, args))
        elif end is None:
            raise _unreadable(source, match.start("bad" if bad else "close"), stack, root)
    if len(stack) > 1:
        raise _truncated(source, stack)
    libraries = root.all("library")
    if len(libraries) != 1:
        message = f"not a Liberty file: {len(libraries)} library groups, 1 expected; give a .lib or .lib.gz of cells"
        raise source.error(0, message)
    return libraries[0]


def _truncated(source: Text, stack: list[Group]) -> LibertyError:
    inside = ", ".join(group.label for group in stack[1:])
    message = f"the file ends inside {inside}: it is truncated; fetch it again"
    return source.error(len(source.text.rstrip()), message)


def _unreadable(source: Text, position: int, stack: list[Group], root: Group) -> LibertyError:
    if not root.groups:
        return source.error(position, "not a Liberty file: it does not begin with library (NAME) {; give a .lib")
    rest = source.text[position:]
    if rest.count("}") - rest.count("{") < len(stack) - 1:  # the open groups are never closed
        return _truncated(source, stack)
    line = rest.split("\n", 1)[0][:40]
    return source.error(position, f"no Liberty statement: {line!r}; expected NAME : VALUE; or NAME (...) or a brace")
