"""A netlist made ready for simulation: gates sorted by level, flip-flops split into state and next state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from archgym.errors import UnknownName
from archgym.rtl.flow.flat import Ints, Netlist
from archgym.rtl.flow.gatesim_cells import Same, cells_by_kind
from archgym.rtl.flow.gatesim_clock import Clock
from archgym.rtl.flow.gatesim_flops import Flops
from archgym.rtl.flow.gatesim_gates import Gates, Tables
from archgym.rtl.flow.kernel_cycles import Arrays

if TYPE_CHECKING:
    from archgym.rtl.tech.liberty import Library

__all__ = ["Model", "build_model"]


@final
@dataclass(frozen=True, eq=False)
class Model:
    """What the compiled simulation reads. Every net and every hidden bit of state is a word of 64 lanes.

    Words: constant 0, constant 1, input ports, outputs of gates by level, then states, then next states.
    """

    netlist: Netlist
    words: int
    nets: int
    """The first words are nets of the netlist; their transitions are counted."""
    where: Ints
    """int32[nets of the netlist]: the word of each net."""
    settle: Ints
    """Segments (see `kernel_gates.evaluate`): outputs of flip-flops, then combinational cells by level."""
    rising: Ints
    """Segments that find the next states of flip-flops of the rising edge."""
    falling: Ints
    forced: Ints
    """Segments that find the states that asynchronous clears and presets impose."""
    moves: Ints
    """int32[n, 2]: next state and state; those of the rising edge first, then of the falling edge, then forced."""
    edges: Ints
    """int32[4]: where each of the three groups of `moves` begins, and where the last ends."""
    functions: Ints
    pins: Ints
    tables: NDArray[np.uint64]
    scratch: int
    clock_nets: NDArray[np.bool_]
    """bool[nets of the netlist]: the clock and what buffers make of it."""
    inputs: Mapping[str, Ints]
    """Words of input ports, lowest bit first."""
    outputs: Mapping[str, Ints]

    @property
    def arrays(self) -> Arrays:
        """What `kernel_cycles` takes."""
        programs = (self.settle, self.rising, self.falling, self.forced)
        return (*programs, self.moves, self.edges, self.functions, self.pins, self.tables)

    @property
    def gates(self) -> int:
        """Gates evaluated in a clock cycle."""
        return int(self.settle[:, 1].sum() + self.rising[:, 1].sum() + self.falling[:, 1].sum())

    def input(self, name: str) -> Ints:
        """Words of an input port.

        Raises:
            UnknownName: suggests the nearest port.
        """
        return _port(self, self.inputs, "input", name)

    def output(self, name: str) -> Ints:
        """Words of an output port.

        Raises:
            UnknownName: suggests the nearest port.
        """
        return _port(self, self.outputs, "output", name)


def _port(model: Model, ports: Mapping[str, Ints], direction: str, name: str) -> Ints:
    if name not in ports:
        raise UnknownName(f"{direction} port of {model.netlist.name}", name, list(ports))
    return ports[name]


def build_model(netlist: Netlist, library: Library, clock: str | None = "clk_i") -> Model:
    """Prepare a netlist for simulation.

    Args:
        netlist: cells of `library`.
        library: functions of the cells.
        clock: input port that clocks all flip-flops (directly, through buffers or inverters); unused without any.

    Raises:
        UnknownName: no such clock port.
        InvalidInput: a cell without function, a latch, a three-state output, a flip-flop with another clock.
        CombinationalLoop: cells that drive each other in a circle.
    """
    kinds, tables = cells_by_kind(netlist, library), Tables()
    edge = Clock(netlist, kinds, clock)
    flops = Flops(netlist, kinds, edge, tables)
    gates = Gates(tables)
    flops.add_outputs(gates)
    for same in kinds:
        if same.cell.flop is None:
            _add_outputs(gates, same, netlist)
    settle, functions, pins, outs = gates.laid_out()
    where, ports = np.zeros(netlist.nets + flops.count, dtype=np.int32), _ports(netlist)
    where[1] = 1
    where[ports] = 2 + np.arange(len(ports))
    settle[:, 2] += 2 + len(ports)
    where[outs] = 2 + len(ports) + np.arange(len(outs))
    nets = 2 + len(ports) + len(outs)
    where[netlist.nets :] = nets + np.arange(flops.count)
    parts: list[Ints] = []
    moves, words, edges = [np.zeros((0, 2), dtype=np.int32)], nets + flops.count, [0]
    for group in (flops.rising, flops.falling, flops.forced):
        segments, own_functions, own_pins, states = group.laid_out()
        segments[:, 2:] += np.array([words, len(functions), len(pins)], dtype=np.int32)
        parts.append(segments)
        moves.append(np.stack([words + np.arange(len(states), dtype=np.int32), where[states]], axis=1))
        functions, pins = np.concatenate([functions, own_functions]), np.concatenate([pins, own_pins])
        words += len(states)
        edges.append(edges[-1] + len(states))
    return Model(
        netlist,
        words,
        nets,
        where[: netlist.nets],
        settle,
        parts[0],
        parts[1],
        parts[2],
        np.concatenate(moves),
        np.array(edges, dtype=np.int32),
        functions,
        where[pins],
        tables.words(),
        1 << tables.widest,
        edge.nets,
        {name: where[bits] for name, bits in netlist.inputs.items()},
        {name: where[bits] for name, bits in netlist.outputs.items()},
    )


def _add_outputs(gates: Gates, same: Same, netlist: Netlist) -> None:
    for pin, function in same.outputs().items():
        gates.add(netlist.cell_level[same.cells] + 1, function, same.nets[pin], same.inputs())


def _ports(netlist: Netlist) -> Ints:
    """Nets of the input ports, each once, without constants."""
    found = np.unique(np.concatenate([np.zeros(0, dtype=np.int32), *netlist.inputs.values()]))
    return found[found > 1].astype(np.int32)
