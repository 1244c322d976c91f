"""Comments of declarations: what people write beside and above ports and parameters."""

from __future__ import annotations

__all__ = ["comment_of"]


def comment_of(text: str, line: int) -> str:
    """The line comment on a line (counted from 1), else the block of line comments right above it."""
    lines = text.replace("\0", "").splitlines()
    if not 1 <= line <= len(lines):
        return ""
    code, mark, beside = lines[line - 1].partition("//")
    if mark and code.strip():
        return beside.strip(" /<")
    above: list[str] = []
    for candidate in reversed(lines[: line - 1]):
        stripped = candidate.strip()
        if not stripped.startswith("//"):
            break
        above.append(stripped.strip("/ <"))
    return " ".join(part for part in reversed(above) if part)
