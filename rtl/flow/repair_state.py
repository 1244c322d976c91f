"""A netlist whose cells change their sizes: loads, arrivals, required times and slopes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from archgym.rtl.flow import kernel_arrivals as A, kernel_repair as R, kernel_sizing as Z, kernel_sta as K
from archgym.rtl.flow.flat import Ints, Netlist
from archgym.rtl.flow.repair_sizes import Sizes, compile_sizes
from archgym.rtl.flow.timing_clock import clock_nets
from archgym.rtl.flow.timing_loads import net_loads

if TYPE_CHECKING:
    from archgym.rtl.flow.timing import Constraints
    from archgym.rtl.tech.liberty import Library

__all__ = ["Slopes", "State", "Times"]

Floats = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class Times:
    """Latest arrivals."""

    arrival: Floats
    """ns[nets, edge]; -inf where nothing arrives."""
    slew: Floats
    critical_ns: float


@final
@dataclass(frozen=True, eq=False)
class Slopes:
    """What `kernel_repair.pull_back` finds."""

    weight: Floats
    steep: Floats
    dear: Floats
    need: Floats
    pull: Floats
    room: Floats


@final
class State:
    """Sizes of cells and what follows from them."""

    def __init__(self, netlist: Netlist, library: Library, constraints: Constraints) -> None:
        """Start with the sizes that the netlist has."""
        self.base, self.library, self.constraints = netlist, library, constraints
        self.sizes: Sizes = compile_sizes(netlist, library)
        self.size: Ints = self.sizes.first.copy()
        self.load: Floats = net_loads(netlist, library, constraints.output_load_ff)
        self.phase = clock_nets(netlist, library, constraints.clock)
        self.order = np.concatenate([netlist.sequential, netlist.order])
        start, sinks = netlist.net_sinks
        self._sinks = start, netlist.pin_cell[sinks] if len(sinks) else sinks
        ports = [nets[self.phase[nets] < 0] for nets in netlist.inputs.values()]
        inputs = np.concatenate([*ports, np.zeros(0, dtype=np.int32)])
        self._arrival, self._slew = (np.full((netlist.nets, 2), -np.inf) for _ in range(2))
        self._arrival[inputs], self._slew[inputs] = constraints.input_delay_ns, constraints.input_slew_ns
        self._timed, self._loads = np.full(netlist.cells, -1, dtype=np.int32), self.load.copy()
        self._ends = np.concatenate([*netlist.outputs.values(), np.zeros(0, dtype=np.int32)])
        widest = self.sizes.caps.shape[1]
        self._sums, self._late, self._slow = (np.zeros((widest, 2)) for _ in range(3))

    @property
    def cells(self) -> tuple[Ints, Ints, Ints, Ints, Floats, Ints, Ints, np.float64]:
        """Arguments that all kernels share."""
        sizes, slew = self.sizes, np.float64(self.constraints.clock_slew_ns)
        return (
            self.size, sizes.start, sizes.rows, sizes.tables, sizes.pool, self.base.pin_start, self.base.pin_net, slew,
        )  # fmt: skip

    @property
    def area_um2(self) -> float:
        """Of all cells."""
        return float(np.bincount(self.size, minlength=len(self.sizes.areas)) @ self.sizes.areas)

    def times(self) -> Times:
        """Static timing with the sizes of now; only what changed since the last call is worked out."""
        base, limits = self.base, self.constraints
        stale = self._timed != self.size
        moved = (self._loads != self.load).any(axis=1)
        drivers = base.net_driver_cell[moved]
        stale[drivers[drivers >= 0]] = True
        A.follow(
            self.order, *self.cells, self.load, self._arrival, self._slew, stale, *self._sinks, self._late, self._slow
        )  # fmt: skip
        self._timed[:], self._loads[:] = self.size, self.load
        worst, where = np.full(2, -np.inf), np.zeros((2, 4), dtype=np.int32)
        arrival = np.repeat(self._arrival[:, :, None], 2, axis=2)
        K.check(base.sequential, *self.cells, 1.0, arrival, self._slew, worst, where)
        outputs = float(self._arrival[self._ends].max(initial=-np.inf)) + limits.output_delay_ns
        return Times(self._arrival.copy(), self._slew.copy(), max(float(worst.max()), outputs, 0.0))

    def slopes(self, times: Times, spread_ns: float, near_ns: float) -> Slopes:
        """Derivatives of the smooth maximum of path delays, for paths with little slack."""
        found, slow = self._ends_of(times, times.critical_ns, spread_ns, near_ns)
        R.pull_back(
            self.order, *self.cells, self.load, times.arrival, slow, spread_ns, near_ns, found.weight, found.steep,
            found.dear, found.need, found.room, self._sums,
        )  # fmt: skip
        return found

    def required(self, times: Times, period_ns: float) -> Slopes:
        """Required times of all nets, and what slews cost."""
        found, slow = self._ends_of(times, period_ns, 1.0, -np.inf)
        R.required(self.order, *self.cells[:-1], self.load, times.arrival, slow, found.need, found.pull)
        return found

    def _ends_of(self, times: Times, period_ns: float, spread_ns: float, near_ns: float) -> tuple[Slopes, Floats]:
        """What flip-flops and output ports ask, and slews that are finite."""
        nets = self.base.nets
        weight, steep, dear, pull = (np.zeros((nets, 2)) for _ in range(4))
        need, room = np.full((nets, 2), np.inf), np.full(len(self.base.pin_net), np.inf)
        ends, margin = self._ends, self.constraints.output_delay_ns
        late = times.arrival[ends] + margin - times.critical_ns
        np.add.at(weight, ends, np.where(late >= -near_ns, np.exp(late / spread_ns), 0.0))
        need[ends] = period_ns - margin
        slow = np.where(np.isfinite(times.slew), times.slew, 0.0)
        R.ends(
            self.base.sequential, *self.cells, times.arrival, slow, period_ns, times.critical_ns, spread_ns, near_ns,
            weight, steep, need, pull, room,
        )  # fmt: skip
        return Slopes(weight, steep, dear, need, pull, room), slow

    def speed_up(self, times: Times, slopes: Slopes, near_ns: float, spread_ns: float, gain_ns: float) -> int:
        """One pass of sizing for speed; how many cells changed."""
        sizes, of = self.sizes, slopes
        changed = Z.speed_up(
            self.order, *self.cells, self.load, times.arrival, times.slew, times.critical_ns, spread_ns, of.weight,
            of.steep, of.dear, of.need, near_ns, gain_ns, sizes.family, sizes.member, sizes.caps, sizes.most,
            self._late, self._slow,
        )  # fmt: skip
        return int(changed)

    def recover(self, times: Times, slopes: Slopes, period_ns: float, part: float) -> int:
        """One pass of sizing for area; how many cells changed."""
        sizes, limit = self.sizes, self.library.default_max_slew_ns
        max_slew_ns = np.inf if limit is None else limit
        changed = Z.recover(
            self.order, *self.cells, self.load, times.arrival.copy(), times.slew.copy(), times.arrival, times.slew,
            period_ns, slopes.need, slopes.pull, part, max_slew_ns, sizes.family, sizes.member, sizes.caps,
            sizes.most, self._late, self._slow,
        )  # fmt: skip
        return int(changed)

    def lift(self) -> int:
        """The smallest size that keeps the limits of load, for cells above theirs; how many cells changed."""
        base, sizes = self.base, self.sizes
        pins = np.flatnonzero(base.pin_output)
        cells, column = base.pin_cell[pins], base.pin_of_kind[pins]
        load = self.load[base.pin_net[pins]].max(axis=1)
        over = np.flatnonzero((load > sizes.most[self.size[cells], column]) & (self.phase[base.pin_net[pins]] < 0))
        changed = 0
        for each in np.unique(self.size[cells[over]]).tolist():
            members = sizes.member[sizes.family[each] : sizes.family[each + 1]]
            mine = over[self.size[cells[over]] == each]
            for pin in np.unique(column[mine]).tolist():
                those = mine[column[mine] == pin]
                limits = sizes.most[members, pin]
                fits = limits[None, :] >= load[those][:, None]
                choice = members[np.where(fits.any(axis=1), fits.argmax(axis=1), int(limits.argmax()))]
                moved = sizes.most[choice, pin] > sizes.most[each, pin]
                self._change(cells[those[moved]], choice[moved])
                changed += int(moved.sum())
        return changed

    def _change(self, cells: Ints, lists: Ints) -> None:
        """Give cells other sizes."""
        base, caps = self.base, self.sizes.caps
        for column in range(caps.shape[1]):
            has = base.pin_start[cells] + column < base.pin_start[cells + 1]
            nets = base.pin_net[base.pin_start[cells[has]] + column]
            np.add.at(self.load, nets, caps[lists[has], column] - caps[self.size[cells[has]], column])
        self.size[cells] = lists

    def save(self) -> tuple[Ints, Floats]:
        """Sizes and loads, to come back to."""
        return self.size.copy(), self.load.copy()

    def restore(self, saved: tuple[Ints, Floats]) -> None:
        """Come back."""
        self.size[:], self.load[:] = saved

    def netlist(self) -> Netlist:
        """The netlist with the sizes of now."""
        base = self.base
        if np.array_equal(self.size, self.sizes.first):
            return base
        used = sorted({self.sizes.names[each] for each in np.unique(self.size)})
        kind = {name: number for number, name in enumerate(used)}
        of_list = np.array([kind.get(name, 0) for name in self.sizes.names], dtype=np.int32)
        first = {
            int(of_list[size]): int(cell) for size, cell in zip(*np.unique(self.size, return_index=True), strict=True)
        }
        models = [int(base.cell_kind[first[number]]) for number in range(len(used))]
        return replace(
            base,
            kinds=tuple(used),
            kind_pins=tuple(base.kind_pins[each] for each in models),
            kind_outputs=tuple(base.kind_outputs[each] for each in models),
            kind_sequential=base.kind_sequential[models],
            cell_kind=of_list[self.size],
        )
