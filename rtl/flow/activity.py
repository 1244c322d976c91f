"""A mapped netlist on its workload: whether it computes what the golden model says, how fast, with which activity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from archgym.rtl.block import Streams
from archgym.rtl.flow.flat import Netlist
from archgym.rtl.flow.gatesim import LANES, Activity, Run, build_model
from archgym.rtl.flow.gatesim_check import difference, simulate
from archgym.rtl.flow.gatesim_model import Model
from archgym.rtl.flow.glitches import count_glitches, gate_delays, with_glitches
from archgym.rtl.flow.point import Point
from archgym.rtl.flow.timing import Timing
from archgym.rtl.tech.library_cells import Library

__all__ = ["Observed", "observe"]

_STEADY = 0.1  # largest part of the cycles that may go to filling and draining
_LONGEST = 16  # how many times longer the stimuli may become to get there
_SHOTS = 16  # pairs of cycles, 64 lanes each, in which glitches are counted
_HESITANT = (0.3, 0.4)  # idle input and stalled output cycles of the run that checks the handshake


@final
@dataclass(frozen=True, eq=False)
class Observed:
    """What a simulation showed, summed over the stimuli."""

    mismatch: str
    """The first disagreement with the golden model; empty if there is none."""
    activity: Activity
    """With glitches, where they were counted."""
    settled: Activity
    """Without: at most one transition of a net between clock edges."""
    macs: float
    cycles: float
    beats: float
    macs_per_cycle: float
    """In the steady state: filling and draining are not counted."""
    latency_cycles: float
    """Cycles of a stimulus that its beats do not explain: filling and draining."""
    glitch_factor: float = 1.0
    """Transitions with gate delays over those without; 1 where glitches were not counted."""


def observe(point: Point, netlist: Netlist, library: Library, timing: Timing) -> Observed:
    """Simulate, at full speed for the activity and (streams) with idle and stalled cycles for the function.

    Glitches are counted in a sample of the cycles and added to the activity, where the point asks for it.
    """
    block, parameters = point.block, point.parameters
    model = build_model(netlist, library, block.signals.clock or None)
    directed = [block.corners(parameters)] if block.corners is not None else []
    lanes = point.workload.lanes(block, parameters, LANES)
    mismatch = ""
    if block.kind == "stream":
        # The corners and the shorter half of the stimuli: it is the handshake that is looked at.
        checks = [*directed, *lanes[0 : LANES - 2 : 2]]
        mismatch = _mismatch(model, point, checks, *_HESITANT)
    elif directed:
        mismatch = _mismatch(model, point, directed)
    shots = _SHOTS if point.glitches and model.edges[1] == model.edges[2] else 0
    found, run = _run(model, point, lanes, shots)
    fill = found.latency_cycles * len(lanes) / max(found.cycles, 1.0)
    if fill > _STEADY and not point.workload.streams:
        scale = min(int(np.ceil(fill / _STEADY)), _LONGEST)
        found, run = _run(model, point, point.workload.lanes(block, parameters, LANES, scale), shots)
    if shots:
        glitches = count_glitches(model, run.snapshots, gate_delays(model, library, timing))
        found = replace(
            found, activity=with_glitches(found.activity, glitches), glitch_factor=max(glitches.factor, 1.0)
        )
    return replace(found, mismatch=mismatch or found.mismatch)


def _mismatch(model: Model, point: Point, lanes: Sequence[Streams], idle: float = 0.0, stall: float = 0.0) -> str:
    run, golden = simulate(model, point.block, point.parameters, lanes, idle=idle, stall=stall)
    return str(difference(point.block.ports(point.parameters), golden, run) or "")


def _run(model: Model, point: Point, lanes: Sequence[Streams], shots: int) -> tuple[Observed, Run]:
    block, parameters = point.block, point.parameters
    run, golden = simulate(model, block, parameters, lanes, shots=shots)
    mismatch = str(difference(block.ports(parameters), golden, run) or "")
    macs = np.array([block.macs(parameters, streams) for streams in lanes])
    rate, latency = _steady(run, macs)
    beats, cycles = float(run.taken.sum()), float(run.cycles.sum())
    return Observed(mismatch, run.activity, run.activity, float(macs.sum()), cycles, beats, rate, latency), run


def _steady(run: Run, macs: NDArray[np.float64]) -> tuple[float, float]:
    """MACs a cycle and cycles of latency: cycles of a lane = latency + MACs / rate, by least squares."""
    cycles = run.cycles.astype(np.float64)
    work = macs if macs.any() else run.taken.astype(np.float64)
    if np.ptp(work) == 0:
        return float(macs.sum() / max(cycles.sum(), 1.0)), 0.0
    slope = float(np.cov(work, cycles, bias=True)[0, 1] / np.var(work))
    latency = float(cycles.mean() - slope * work.mean())
    return (1 / slope if macs.any() and slope > 0 else 0.0), max(latency, 0.0)
