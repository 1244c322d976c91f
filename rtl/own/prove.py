"""One point of a module through the whole flow, to see that everything fits; what does not, in a sentence."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from archgym.core import FAILED, OK
from archgym.errors import InvalidInput
from archgym.rtl.flow.gatesim import LANES, Reset, build_model, run_rows
from archgym.rtl.flow.gatesim_check import difference
from archgym.rtl.flow.limits import Limits
from archgym.rtl.flow.measure import mapped, measure_one, search_of
from archgym.rtl.flow.point import Measured, Point
from archgym.rtl.flow.synth import Synthesis
from archgym.rtl.own.module import RANDOM, OwnModule
from archgym.rtl.tech.technology import technology

__all__ = ["find_latency", "first_point", "prove"]

_LONGEST = 64  # cycles of latency that are tried
_TRIES = 4096  # points looked at for one that the RTL takes
_FLUSH = 64
_WRONG = "the netlist disagrees with the golden model: "


def first_point(module: OwnModule) -> dict[str, int]:
    """The first point, in the order of the choices, that the RTL accepts.

    Raises:
        InvalidInput: it accepts none of those looked at; says why not the first.
    """
    names, first = list(module.choices), ""
    for row in itertools.islice(itertools.product(*module.choices.values()), _TRIES):
        point = dict(zip(names, row, strict=True))
        reason = module.block.reject(point)
        if not reason:
            return point
        first = first or f"{_said(point)}: {reason}"
    raise InvalidInput(f"{module.block.name} refuses every point that was tried; {first}")


def prove(module: OwnModule, parameters: Mapping[str, int], limits: Limits) -> Measured:
    """Synthesise, time, simulate against the golden model and measure one point.

    Raises:
        InvalidInput: any of that fails; says what, where, and what to do.
        MissingDependency: a tool is not installed.
    """
    point = _point(module, parameters)
    found = measure_one(point, limits=limits)
    if found.status == OK:
        return found
    where = _said(parameters)
    if found.status == FAILED and found.reason.startswith(_WRONG):
        raise InvalidInput(f"{module.block.name} at {where}: {found.reason}; {_advice(module, parameters, limits)}")
    raise InvalidInput(f"{module.block.name} at {where} is {found.status}: {found.reason}")


def _point(module: OwnModule, parameters: Mapping[str, int], effort: str = "") -> Point:
    effort = effort or module.description.effort
    return Point(module.block, dict(parameters), module.technology, workload=module.workload(RANDOM), effort=effort)


def _said(parameters: Mapping[str, int]) -> str:
    return ", ".join(f"{name}={value}" for name, value in parameters.items()) or "its defaults"


def _advice(module: OwnModule, parameters: Mapping[str, int], limits: Limits) -> str:
    signals, kind = module.block.signals, module.block.kind
    if kind == "stream":
        return f"{signals.reset or 'no reset'} was applied first (active {'low' if signals.active_low else 'high'})"
    if kind == "combinational":
        return "correct the RTL or the model"
    stated = module.block.latency(parameters)
    right = find_latency(module, parameters, limits)
    if right is not None:
        return f"with a latency of {right} cycles instead of {stated} they agree: say --latency {right}"
    reset = f"{signals.reset}, active {'low' if signals.active_low else 'high'}" if signals.reset else "none"
    return f"no latency from 0 to {_LONGEST} makes them agree; clock {signals.clock}, reset {reset}"


def find_latency(module: OwnModule, parameters: Mapping[str, int], limits: Limits) -> int | None:
    """The latency at which gates and golden model agree on random rows; None if there is none up to 64.

    Raises:
        InvalidInput: the point cannot be synthesised; says why.
    """
    point, block = _point(module, parameters, "quick"), module.block
    chosen = mapped(point, search_of(point, limits))
    if isinstance(chosen, Synthesis):
        raise InvalidInput(f"{block.name} at {_said(parameters)} is {chosen.status}: {chosen.reason}")
    lanes = point.workload.lanes(block, parameters, LANES)
    golden = [block.golden(parameters, streams) for streams in lanes]
    model = build_model(chosen.netlist, technology(point.technology).library, block.signals.clock or None)
    ports, reset = block.ports(parameters), Reset(block.signals.reset, block.signals.active_low, _FLUSH)
    for latency in range(_LONGEST + 1):
        run = run_rows(model, ports, lanes, latency=latency, reset=reset)
        if difference(ports, golden, run) is None:
            return latency
    return None
