"""Flip-flops as gates: a hidden bit of state each, functions of it at the outputs, functions for the next state."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, final

import numpy as np

from archgym.errors import InvalidInput
from archgym.rtl.flow.flat import Ints, Netlist
from archgym.rtl.flow.gatesim_cells import Same
from archgym.rtl.flow.gatesim_clock import Clock
from archgym.rtl.flow.gatesim_gates import Gates, Tables
from archgym.rtl.tech.function import names_in

if TYPE_CHECKING:
    from archgym.rtl.tech.liberty import Flop

__all__ = ["Flops"]


@final
class Flops:
    """The flip-flops of a netlist. State f counts as net `netlist.nets + f`."""

    def __init__(self, netlist: Netlist, kinds: Sequence[Same], clock: Clock, tables: Tables) -> None:
        """Collect their gates.

        Raises:
            InvalidInput: from `Clock.falling`, or an output that depends on inputs directly.
        """
        self.rising, self.falling, self.forced = Gates(tables), Gates(tables), Gates(tables)
        self.count = 0
        self._netlist = netlist
        self._states: list[tuple[Same, Ints]] = []
        for same in kinds:
            if same.cell.flop is not None:
                self._add(same, same.cell.flop, clock)

    def _add(self, same: Same, flop: Flop, clock: Clock) -> None:
        states = (self._netlist.nets + self.count + np.arange(len(same.cells))).astype(np.int32)
        self.count += len(states)
        self._states.append((same, states))
        falls = clock.falling(same)
        sources = {**same.inputs(), flop.q: states}
        expression = _without_inverse(flop.next_state, flop)
        for gates, chosen in ((self.rising, ~falls), (self.falling, falls)):
            if chosen.any():
                at = np.zeros(np.count_nonzero(chosen), dtype=np.int32)
                gates.add(at, expression, states[chosen], {name: nets[chosen] for name, nets in sources.items()})
        if flop.clear is not None or flop.preset is not None:
            clear, preset = (_without_inverse(each or "0", flop) for each in (flop.clear, flop.preset))
            # Both at once: Liberty leaves the state to clear_preset_var1; the preset winning is what is simulated.
            at = np.zeros(len(states), dtype=np.int32)
            self.forced.add(at, f"({flop.q} & !({clear})) | ({preset})", states, sources)

    def add_outputs(self, gates: Gates) -> None:
        """Add the functions at the output pins, before all combinational cells.

        Raises:
            InvalidInput: an output that depends on an input directly.
        """
        for same, states in self._states:
            flop = same.cell.flop
            assert flop is not None
            for pin, function in same.outputs().items():
                expression = _without_inverse(function, flop)
                if set(names_in(expression)) - {flop.q}:
                    raise InvalidInput(
                        f"output {pin} of flip-flop {same.cell.name} is {function!r}; a function of its state only is "
                        "expected"
                    )
                gates.add(np.zeros(len(states), dtype=np.int32), expression, same.nets[pin], {flop.q: states})


def _without_inverse(expression: str, flop: Flop) -> str:
    """Write the inverted state as the inverse of the state."""
    return re.sub(rf"(?<![\w.$]){re.escape(flop.qn)}(?![\w.$])", f"(!{flop.q})", expression)
