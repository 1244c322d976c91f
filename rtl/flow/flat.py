"""A flat netlist of library cells: arrays of numbers, names on demand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from archgym.errors import InvalidInput
from archgym.rtl.flow import kernel_netlist

if TYPE_CHECKING:
    from archgym.rtl.tech.liberty import Library

__all__ = ["CombinationalLoop", "Ints", "Netlist"]

Ints = NDArray[np.int32]

_SHOWN = 8  # names in a message


class CombinationalLoop(InvalidInput):
    """Raised when combinational cells drive each other in a circle."""


@final
@dataclass(frozen=True, eq=False)
class Netlist:
    """Cells, pins and nets by number. Net 0 is constant 0, net 1 is constant 1.

    Every cell of a kind has the same pins in the same order (`kind_pins`), so the pins of cell c are
    `pin_start[c] : pin_start[c + 1]`. Each pin has a net; each net but the constants has exactly one driver.
    """

    name: str
    kinds: tuple[str, ...]
    """Names of the library cells that occur."""
    kind_pins: tuple[tuple[str, ...], ...]
    kind_outputs: tuple[NDArray[np.bool_], ...]
    """By kind, bool[pins]."""
    kind_sequential: NDArray[np.bool_]
    """By kind: a flip-flop or a latch, whose outputs start paths."""
    cell_kind: Ints
    pin_start: Ints
    pin_net: Ints
    nets: int
    inputs: Mapping[str, Ints]
    """Nets of the input ports, lowest bit first."""
    outputs: Mapping[str, Ints]
    cell_name: Callable[[int], str]
    """Hierarchical name of a cell, parts joined by `/`."""
    net_name: Callable[[int], str]

    @property
    def cells(self) -> int:
        """Number of cells."""
        return len(self.cell_kind)

    @cached_property
    def pin_output(self) -> NDArray[np.bool_]:
        """bool[pins]: whether the pin drives its net."""
        return self.by_pin([np.asarray(flags) for flags in self.kind_outputs]).astype(np.bool_)

    @cached_property
    def pin_cell(self) -> Ints:
        """int32[pins]: the cell of each pin."""
        return np.repeat(np.arange(self.cells, dtype=np.int32), np.diff(self.pin_start))

    @cached_property
    def pin_of_kind(self) -> Ints:
        """int32[pins]: index in `kind_pins` of the cell's kind."""
        return (np.arange(len(self.pin_net), dtype=np.int32) - self.pin_start[self.pin_cell]).astype(np.int32)

    @cached_property
    def _pin_slot(self) -> NDArray[np.int64]:
        """int64[pins]: number of the kind's pin among the pins of all kinds."""
        widths = np.array([len(pins) for pins in self.kind_pins], dtype=np.int64)
        offset: NDArray[np.int64] = np.cumsum(widths) - widths
        slots: NDArray[np.int64] = offset[self.cell_kind][self.pin_cell] + self.pin_of_kind
        return slots

    def by_pin(self, tables: list[NDArray[np.generic]]) -> NDArray[np.generic]:
        """Spread values by kind and pin (`tables[kind][pin]`) over all pins."""
        if not self.kinds:
            return np.zeros(0)
        flat: NDArray[np.generic] = np.concatenate(tables)
        return flat[self._pin_slot]

    @cached_property
    def net_driver(self) -> Ints:
        """int32[nets]: the pin that drives each net; -1 for constants and input ports."""
        driver = np.full(self.nets, -1, dtype=np.int32)
        pins = np.flatnonzero(self.pin_output)
        driver[self.pin_net[pins]] = pins
        return driver

    @cached_property
    def net_driver_cell(self) -> Ints:
        """int32[nets]: the cell that drives each net; -1 for constants and input ports."""
        if not self.cells:
            return np.full(self.nets, -1, dtype=np.int32)
        return np.where(self.net_driver >= 0, self.pin_cell[self.net_driver], -1).astype(np.int32)

    @cached_property
    def net_sinks(self) -> tuple[Ints, Ints]:
        """Input pins by net: int32[nets + 1] starts and int32[input pins]."""
        pins = np.flatnonzero(~self.pin_output).astype(np.int32)
        nets = self.pin_net[pins]
        start = np.zeros(self.nets + 1, dtype=np.int32)
        start[1:] = np.cumsum(np.bincount(nets, minlength=self.nets))
        return start, pins[np.argsort(nets, kind="stable")]

    @cached_property
    def fanout(self) -> Ints:
        """int32[nets]: input pins and output ports that each net reaches."""
        count = np.diff(self.net_sinks[0])
        for nets in self.outputs.values():
            count += np.bincount(nets, minlength=self.nets).astype(np.int32)
        return count.astype(np.int32)

    @cached_property
    def sequential(self) -> Ints:
        """Flip-flops and latches, by cell number."""
        return np.flatnonzero(self.kind_sequential[self.cell_kind]).astype(np.int32)

    @cached_property
    def _sorted(self) -> tuple[Ints, Ints]:
        source = self.kind_sequential[self.cell_kind]
        level, order = kernel_netlist.levels(
            self.cells, self.pin_start, self.pin_net, self.pin_output, source, self.net_driver_cell
        )
        if (level == -2).any():
            raise CombinationalLoop(self._loop(level == -2))
        return level, order

    @property
    def cell_level(self) -> Ints:
        """int32[cells]: topological level of combinational cells, -1 for sequential ones.

        Raises:
            CombinationalLoop: names the nets and cells of one loop.
        """
        return self._sorted[0]

    @property
    def order(self) -> Ints:
        """int32[n]: combinational cells in a topological order that goes deep first, which walks find in the cache.

        Raises:
            CombinationalLoop: names the nets and cells of one loop.
        """
        return self._sorted[1]

    @cached_property
    def levels(self) -> tuple[Ints, Ints]:
        """Combinational cells in topological order (int32[n]) and where each level starts (int32[levels + 1])."""
        level = self.cell_level
        order = np.argsort(level, kind="stable").astype(np.int32)[np.count_nonzero(level < 0) :]
        start = np.concatenate([[0], np.cumsum(np.bincount(level[order]))]) if len(order) else np.zeros(1)
        return order, start.astype(np.int32)

    def counts(self) -> dict[str, int]:
        """Cells by kind, most frequent first."""
        count = np.bincount(self.cell_kind, minlength=len(self.kinds))
        return {self.kinds[kind]: int(count[kind]) for kind in np.argsort(-count, kind="stable")}

    def area_um2(self, library: Library, *, sequential: bool = False) -> float:
        """Area of all cells, or of flip-flops and latches only, in um2."""
        areas = np.array([library.cells[kind].area_um2 for kind in self.kinds])
        counted = self.kind_sequential | (not sequential)
        return float(np.bincount(self.cell_kind, minlength=len(self.kinds)) @ (areas * counted))

    def _loop(self, stuck: NDArray[np.bool_]) -> str:
        """Walk back from a stuck cell through stuck drivers until a cell comes again."""
        cell = int(np.flatnonzero(stuck)[0])
        seen: dict[int, int] = {}
        walk: list[tuple[int, int]] = []
        while cell not in seen:
            seen[cell] = len(walk)
            nets = self.pin_net[self.pin_start[cell] : self.pin_start[cell + 1]]
            into = nets[~self.kind_outputs[self.cell_kind[cell]]]
            drivers = self.net_driver_cell[into]
            step = int(np.flatnonzero((drivers >= 0) & stuck[drivers])[0])
            walk.append((cell, int(into[step])))
            cell = int(drivers[step])
        around = walk[seen[cell] :][::-1]
        shown = " -> ".join(f"{self.net_name(net)} -> {self.cell_name(cell)}" for cell, net in around[:_SHOWN])
        more = f" -> ... ({len(around)} cells)" if len(around) > _SHOWN else ""
        return f"combinational loop in {self.name}: {shown}{more}; break it with a register"
