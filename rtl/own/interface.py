"""Which ports of a module are clock, reset and handshake, and which are data."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, final

from archgym.errors import InvalidInput, UnknownName
from archgym.rtl.block import Signals
from archgym.rtl.flow.parse import RtlPort

__all__ = ["HANDSHAKE", "NONE", "Interface", "discover"]

NONE = "none"
"""Says that there is no clock, or no reset, whatever the names look like."""
HANDSHAKE = ("in_valid", "in_ready", "out_valid", "out_ready")

# clk, clock, aclk, i_clk, clk_i, clk_in, sys_clk
_CLOCK = re.compile(r"(?:i_|sys_|core_|a)?(?:clk|clock)(?:_?i|_?in)?", re.IGNORECASE)
# rst, reset, rst_n, rst_ni, rstn, resetn, aresetn, arst_n, nrst, n_reset, i_rst_n, rst_b, rst_i
_RESET = re.compile(
    r"(?:i_|sys_|core_)?(?P<before>n_?)?(?:a|s)?(?:rst|reset)(?P<after>_?n|_b)?(?:_?i|_?in)?", re.IGNORECASE
)


@final
@dataclass(frozen=True)
class Interface:
    """The ports of a module by what they are for."""

    kind: Literal["stream", "combinational", "pipeline"]
    signals: Signals
    data: tuple[RtlPort, ...]


def discover(
    ports: Sequence[RtlPort],
    *,
    clock: str = "",
    reset: str = "",
    active_low: bool | None = None,
    handshake: Mapping[str, str] | None = None,
) -> Interface:
    """Tell the ports apart, by name where nothing else is said.

    Args:
        ports: all ports of the top.
        clock: its name, "none", or "" to look for it.
        reset: the same.
        active_low: of the reset; None: by its name.
        handshake: ports by the names of `HANDSHAKE`; None: looked for.

    Raises:
        UnknownName: a port that is not there.
        InvalidInput: several clocks or resets, a bidirectional port, no data.
    """
    for port in ports:
        if port.direction == "inout":
            raise InvalidInput(f"port {port.name} is bidirectional (inout), which the flow does not simulate; split it")
    clock_name = _find("clock", clock, ports, _CLOCK)
    reset_name = _find("reset", reset, ports, _RESET) if clock_name else ""
    low = _acts_low(reset_name) if active_low is None else active_low
    pairs = _handshake(ports, handshake) if clock_name else None
    signals = Signals(clock_name, reset_name, low, **(pairs or dict.fromkeys(HANDSHAKE, "")))
    used = {clock_name, reset_name, *(pairs or {}).values()}
    data = tuple(port for port in ports if port.name not in used)
    for direction in ("in", "out"):
        if not any(port.direction == direction for port in data):
            raise InvalidInput(f"no data {direction}puts among the ports {', '.join(p.name for p in ports) or 'none'}")
    kind: Literal["stream", "combinational", "pipeline"] = (
        "combinational" if not clock_name else "stream" if pairs else "pipeline"
    )
    return Interface(kind, signals, data)


def _find(what: str, stated: str, ports: Sequence[RtlPort], pattern: re.Pattern[str]) -> str:
    inputs = [port.name for port in ports if port.direction == "in" and port.width == 1]
    if stated == NONE:
        return ""
    if stated:
        if stated not in inputs:
            raise UnknownName(f"{what} (input of one bit)", stated, [*inputs, NONE])
        return stated
    found = [name for name in inputs if pattern.fullmatch(name)]
    if len(found) > 1:
        raise InvalidInput(f"{' and '.join(found)} could all be the {what}: name one with --{what}; the rest is data")
    return found[0] if found else ""


def _acts_low(reset: str) -> bool:
    match = _RESET.fullmatch(reset)
    return bool(match and (match["before"] or match["after"]))


def _handshake(ports: Sequence[RtlPort], stated: Mapping[str, str] | None) -> dict[str, str] | None:
    """Ports of one input and one output stream, or None."""
    wanted: dict[str, Callable[[RtlPort], bool]] = {
        "in_valid": lambda port: port.direction == "in" and "valid" in port.name.lower(),
        "in_ready": lambda port: port.direction == "out" and "ready" in port.name.lower(),
        "out_valid": lambda port: port.direction == "out" and "valid" in port.name.lower(),
        "out_ready": lambda port: port.direction == "in" and "ready" in port.name.lower(),
    }
    single = [port for port in ports if port.width == 1]
    if stated is not None:
        directions = {"in_valid": "in", "in_ready": "out", "out_valid": "out", "out_ready": "in"}
        for role, name in stated.items():
            allowed = [port.name for port in single if port.direction == directions[role]]
            if name not in allowed:
                raise UnknownName(f"{role} (an {directions[role]}put of one bit)", name, allowed)
        return dict(stated)
    found = {role: [port.name for port in single if test(port)] for role, test in wanted.items()}
    if all(len(names) == 1 for names in found.values()):
        return {role: names[0] for role, names in found.items()}
    return None
