"""What Yosys says in its log, in one sentence."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["logic_loop", "out_of_memory", "tool_message"]

_MESSAGE = re.compile(r"^(?:(?P<file>[^\s:]+):(?P<line>\d+):\s*)?ERROR: (?P<text>.*)$", re.MULTILINE)
_SUMMARY = "Design elaboration failed"  # slang's last line; the cause is above it
_NO_MEMORY = re.compile(r"bad_alloc|MemoryError|[Cc]annot allocate memory|[Oo]ut of memory")
_LOOP = re.compile(r"Warning: found logic loop in module (?P<module>.*):\n(?P<body>(?:    .*\n)*)")
_WIRE = re.compile(
    r"^    wire \\(?P<name>[^\s$]+(?: \[\d+\])?)(?: source: \S*?(?P<file>[^/\s]+):(?P<line>\d+))?", re.MULTILINE
)
_SHOWN = 6  # names in a message


def tool_message(log: str) -> str:
    """The sentence a tool gave for its failure, with file and line where it named them; empty if there is none."""
    found = [match for match in _MESSAGE.finditer(log) if not match["text"].startswith(_SUMMARY)]
    if not found:
        return ""
    first = found[0]  # an elaboration reports each of its errors, in order; other commands stop at their first
    where = f"{Path(first['file']).name}:{first['line']}: " if first["file"] else ""
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return f"{where}{first['text'].strip()}{more}"


def out_of_memory(log: str) -> bool:
    """Whether a tool was refused memory."""
    return bool(_NO_MEMORY.search(log))


def logic_loop(log: str) -> str:
    """The signals of a combinational loop in the last check of the design; empty if there is none.

    Earlier checks see operators on words, through which a carry that only goes up looks like a loop.
    """
    last = log[log.rfind("Executing CHECK pass") :]
    match = _LOOP.search(last)
    if match is None:
        return ""
    wires = list(
        dict.fromkeys(
            (wire["name"].replace(" ", ""), wire["file"], wire["line"]) for wire in _WIRE.finditer(match["body"])
        )
    )
    names = [f"{name} ({file}:{line})" if file else name for name, file, line in wires[:_SHOWN]]
    through = f" through {', '.join(names)}" if names else ""
    fix = "break it with a register, and assign every signal of always_comb in every branch"
    return f"combinational loop in {match['module'].lstrip(chr(92))}{through}; {fix}"
