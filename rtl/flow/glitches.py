"""Transitions that end where they began: what zero-delay activity leaves out.

Pairs of cycles of a simulation are played again with a delay for every gate, in equal steps of time, 64 lanes side by
side. A gate's output follows its function once that has been constant for the gate's delay, so pulses shorter than the
delay are lost, as in VHDL's inertial delay. Flip-flops take their new states at the edge, cleared ones too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from archgym.errors import InvalidInput
from archgym.rtl.flow import kernel_glitch
from archgym.rtl.flow.flat import Ints
from archgym.rtl.flow.gatesim import Snapshots
from archgym.rtl.flow.gatesim_activity import Activity
from archgym.rtl.flow.gatesim_cells import cells_by_kind
from archgym.rtl.flow.gatesim_model import Model
from archgym.rtl.flow.power_tables import look_up

if TYPE_CHECKING:
    from archgym.rtl.flow.timing import Timing
    from archgym.rtl.tech.liberty import Arc, Library

__all__ = ["Glitches", "count_glitches", "gate_delays", "with_glitches"]

STEPS = 4  # of time in the median gate delay; 8 give 2-4 % less dynamic power for INT8 MACs (VALIDATION.md)
_LONGEST = 64  # steps of a gate delay; nets of huge fanout are cut to it
_LIMIT = 100_000  # steps of a cycle, far above any path


@final
@dataclass(frozen=True, eq=False)
class Glitches:
    """Transitions of the same cycles with and without delays."""

    timed: NDArray[np.float64]
    """float64[nets]"""
    settled: NDArray[np.float64]
    """float64[nets]"""
    cycles: int
    """That were played, over all lanes."""

    @property
    def factor(self) -> float:
        """Transitions with delays over those without, all nets together."""
        return float(self.timed.sum() / max(self.settled.sum(), 1.0))


def gate_delays(model: Model, library: Library, timing: Timing) -> NDArray[np.float64]:
    """float64[nets]: delay of what drives each net, in ns: mean over arcs and edges at the net's load and slews."""
    netlist = model.netlist
    delays = np.zeros(netlist.nets)
    slew = 0.5 * (timing.net_slew_rise_ns + timing.net_slew_fall_ns)
    for same in cells_by_kind(netlist, library):
        for pin in same.cell.outputs:
            net = same.nets[pin.name]
            found = [
                look_up(table, slew[same.nets[arc.related]], timing.net_load_ff[net])
                for arc in same.cell.arcs
                if arc.pin == pin.name and arc.related in same.nets and _is_delay(arc)
                for table in (arc.rise, arc.fall)
                if table is not None
            ]
            if found:
                delays[net] = np.mean(found, axis=0)
    return np.maximum(delays, 0.0)


def _is_delay(arc: Arc) -> bool:
    return arc.kind in {"combinational", "rising_edge", "falling_edge"}


def count_glitches(model: Model, shots: Snapshots, delays_ns: NDArray[np.float64], *, steps: int = STEPS) -> Glitches:
    """Play pairs of cycles with delays.

    Args:
        model: the netlist.
        shots: pairs of cycles of a run (`run_stream(..., shots=16)`).
        delays_ns: float64[nets], of what drives each net, see `gate_delays`.
        steps: of time in the median delay.

    Raises:
        InvalidInput: no pair was kept, or there are flip-flops of the falling edge.
    """
    if not len(shots.values):
        raise InvalidInput("no pairs of cycles to count glitches in; simulate with shots=16")
    if model.edges[2] > model.edges[1]:
        raise InvalidInput(
            "glitches are counted where all flip-flops sample at the rising edge; some do at the falling"
        )
    netlist, words = model.netlist, model.words
    driven = netlist.net_driver >= 0
    median = float(np.median(delays_ns[driven])) if driven.any() else 0.0
    quanta = np.clip(np.rint(delays_ns * steps / median if median > 0 else np.ones(netlist.nets)), 1, _LONGEST)
    delays, launch = np.ones(words, dtype=np.int32), np.full(words, -1, dtype=np.int32)
    delays[model.where[driven]] = quanta[driven]
    flops = netlist.net_driver_cell[driven & np.isin(netlist.net_driver_cell, netlist.sequential)]
    launch[model.moves[: model.edges[1], 1]] = 0
    launch[_inputs(model)] = _arrival(netlist.net_driver_cell, quanta, flops)
    timed, settled = np.zeros(model.nets, dtype=np.int64), np.zeros(model.nets, dtype=np.int64)
    scratch = np.zeros(model.scratch, dtype=np.uint64)
    first = int(model.settle[0, 2]) if len(model.settle) else model.nets
    unsettled = kernel_glitch.run_pairs(
        model.arrays, scratch, shots.values, shots.live, delays, launch, first, _LIMIT, timed, settled
    )
    if unsettled:
        raise InvalidInput(f"{unsettled} cycles had not settled after {_LIMIT} steps")
    cycles = int(sum(int(live).bit_count() for live in shots.live[1::2]))
    by_net = [each[model.where].astype(np.float64) for each in (timed, settled)]
    for each in by_net:
        each[:2] = 0.0
    return Glitches(by_net[0], by_net[1], cycles)


def _inputs(model: Model) -> Ints:
    found = np.unique(np.concatenate([np.zeros(0, dtype=np.int32), *model.inputs.values()]))
    return found[found > 1].astype(np.int32)


def _arrival(driver: Ints, quanta: NDArray[np.float64], flops: Ints) -> int:
    """Steps after the edge at which inputs change: as the block's own flip-flops, on average."""
    own = quanta[np.isin(driver, flops) & (driver >= 0)]
    return int(np.rint(own.mean())) if len(own) else 0


def with_glitches(activity: Activity, found: Glitches) -> Activity:
    """The activity of the whole run with the extra transitions a cycle that were found in a part of it."""
    extra = (found.timed - found.settled) / max(found.cycles, 1) * activity.cycles
    extra[activity.clock_nets] = 0.0
    return replace(activity, toggles=activity.toggles + extra)
