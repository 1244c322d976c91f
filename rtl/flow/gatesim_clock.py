"""Which nets carry the clock, and on which edge each flip-flop samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np
from numpy.typing import NDArray

from archgym.errors import InvalidInput, UnknownName
from archgym.rtl.flow.flat import Netlist
from archgym.rtl.flow.gatesim_cells import Same
from archgym.rtl.tech.function import names_in, sense_of

__all__ = ["Clock"]


@final
class Clock:
    """The clock port and everything that buffers and inverters make of it."""

    def __init__(self, netlist: Netlist, kinds: Sequence[Same], name: str | None) -> None:
        """Follow the clock.

        Args:
            netlist: the netlist.
            kinds: its cells.
            name: input port; None if nothing is clocked.

        Raises:
            UnknownName: there are flip-flops, but no such port.
        """
        self.netlist, self.name = netlist, name
        self.direct: NDArray[np.bool_] = np.zeros(netlist.nets, dtype=np.bool_)
        """bool[nets]: nets that rise with the clock."""
        self.inverted: NDArray[np.bool_] = np.zeros(netlist.nets, dtype=np.bool_)
        if name is None or name not in netlist.inputs:
            if any(same.cell.flop and len(same.cells) for same in kinds):
                raise UnknownName(f"clock (input port of {netlist.name})", str(name), list(netlist.inputs))
            return
        self.direct[netlist.inputs[name]] = True
        single = [same for same in kinds if not same.cell.flop and len(same.cell.inputs) == 1]
        while self._step(single):
            pass

    @property
    def nets(self) -> NDArray[np.bool_]:
        """bool[nets]: all nets of the clock."""
        return self.direct | self.inverted

    def _step(self, single: Sequence[Same]) -> bool:
        """Go through one level of buffers and inverters; whether any net was new."""
        before = np.count_nonzero(self.nets)
        for same in single:
            pin = same.cell.inputs[0].name
            for out, function in same.outputs().items():
                if pin not in names_in(function):
                    continue
                inverts = sense_of(function, pin) == "negative"
                for source in (self.direct, self.inverted):
                    target = self.inverted if (source is self.direct) == inverts else self.direct
                    target[same.nets[out][source[same.nets[pin]]]] = True
        return bool(np.count_nonzero(self.nets) > before)

    def falling(self, same: Same) -> NDArray[np.bool_]:
        """bool[n]: flip-flops of a kind that sample at the falling edge of the clock port.

        Raises:
            InvalidInput: a flip-flop with a gated, derived or other clock.
        """
        assert same.cell.flop is not None
        pins = names_in(same.cell.flop.clocked_on)
        if len(pins) != 1 or pins[0] not in same.nets:
            raise InvalidInput(
                f"library cell {same.cell.name} is clocked on {same.cell.flop.clocked_on!r}; one pin is expected"
            )
        nets = same.nets[pins[0]]
        other = np.flatnonzero(~self.nets[nets])
        if len(other):
            cell, net = int(same.cells[other[0]]), int(nets[other[0]])
            raise InvalidInput(
                f"flip-flop {self.netlist.cell_name(cell)} is clocked by {self.netlist.net_name(net)}, neither "
                f"{self.name} nor a buffered copy of it; gated and derived clocks cannot be simulated by cycles"
            )
        negative = sense_of(same.cell.flop.clocked_on, pins[0]) == "negative"
        falls: NDArray[np.bool_] = self.inverted[nets] != negative
        return falls
