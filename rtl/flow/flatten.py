"""Modules to one flat netlist, by index arithmetic: the work per leaf cell is a few NumPy copies.

Each module becomes a template (arrays of kinds and local nets). All instances of a module inside another are placed at
once: a matrix [instances, nets of the template] says which net of the parent each local net becomes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from archgym.errors import InvalidInput, UnknownName, nearest
from archgym.rtl.flow import kernel_netlist
from archgym.rtl.flow.flat import Ints, Netlist
from archgym.rtl.flow.flat_checks import check_drivers
from archgym.rtl.flow.yosys_json import Instance, Module, Modules, find_module, local_nets

if TYPE_CHECKING:
    from archgym.rtl.tech.liberty import Library

__all__ = ["flatten"]

_ALIAS_KINDS = {"$_BUF_": ("A", "Y"), "$buf": ("A", "Y"), "$pos": ("A", "Y")}
"""Cells of Yosys that are wires (manual, "Internal cell library"), and their pins."""


@final
@dataclass(frozen=True, eq=False)
class _Group:
    """Instances of one template inside another, and where their cells and nets start."""

    names: tuple[str, ...]
    template: _Template
    first_cell: int
    first_net: int


@final
@dataclass(frozen=True, eq=False)
class _Template:
    """A module with everything below it: kinds of its cells and local nets of their pins."""

    module: Module
    own: tuple[str, ...]
    """Names of the library cells of the module itself; they come first."""
    kinds: Ints
    pins: Ints
    nets: int
    aliases: Ints
    groups: tuple[_Group, ...]

    def cell_name(self, cell: int) -> str:
        if cell < len(self.own):
            return self.own[cell]
        group = [each for each in self.groups if each.first_cell <= cell][-1]
        instance, inside = divmod(cell - group.first_cell, len(group.template.kinds))
        return f"{group.names[instance]}/{group.template.cell_name(inside)}"

    def net_name(self, net: int) -> str:
        groups = [each for each in self.groups if each.first_net <= net]
        if not groups:
            return self.module.names.get(net, f"net {net}")
        instance, inside = divmod(net - groups[-1].first_net, groups[-1].template.nets - 2)
        return f"{groups[-1].names[instance]}/{groups[-1].template.net_name(inside + 2)}"


@final
class _Kinds:
    """Library cells seen so far, with their pins in the library's order."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.number: dict[str, int] = {}
        self.pins: list[tuple[str, ...]] = []

    def of(self, name: str, module: str, cell: str) -> int:
        if name in self.number:
            return self.number[name]
        found = self.library.cells.get(name)
        if found is None:
            where = f"cell {cell} of module {module}"
            if name.startswith("$"):
                raise InvalidInput(f"{where} is not mapped to the library: {name}; run dfflibmap and abc on it")
            hint = nearest(name, self.library.cells)
            raise InvalidInput(f"{where} is of type {name!r}, no module and no cell of {self.library.name}{hint}")
        if any(pin.direction == "inout" for pin in found.pins.values()):
            raise InvalidInput(f"library cell {name} has an inout pin; three-state logic is not supported")
        self.number[name] = len(self.pins)
        self.pins.append(tuple(pin.name for pin in found.pins.values() if pin.direction in ("input", "output")))
        return self.number[name]


def flatten(modules: Modules, top: str, library: Library) -> Netlist:
    """Make one netlist of library cells.

    Args:
        modules: what `read_yosys_json` read.
        top: the module to flatten; an empty name means the one that Yosys marked.
        library: cells that are leaves; anything else has to be a module of the file.

    Raises:
        UnknownName: no such top.
        InvalidInput: a cell is not of the library, a net has no driver or several (they are named).
    """
    kinds = _Kinds(library)
    template = _template(find_module(modules, top), modules.by_name, kinds, {})
    parent = np.arange(template.nets, dtype=np.int32)
    kernel_netlist.merge(parent, template.aliases)
    if parent[1] != 1:
        raise InvalidInput(f"constants 0 and 1 are connected to each other in {template.module.name}")
    ports = {**template.module.inputs, **template.module.outputs}
    used = np.zeros(template.nets, dtype=np.bool_)
    used[:2] = True
    used[parent[template.pins]] = True
    for bits in ports.values():
        used[parent[bits]] = True
    number = (np.cumsum(used, dtype=np.int32) - 1)[parent]
    raw = np.flatnonzero(used)
    pins = np.array([len(each) for each in kinds.pins], dtype=np.int32)
    start = np.zeros(len(template.kinds) + 1, dtype=np.int32)
    np.cumsum(pins[template.kinds], out=start[1:])
    cells = [library.cells[name] for name in kinds.number]
    netlist = Netlist(
        name=template.module.name,
        kinds=tuple(kinds.number),
        kind_pins=tuple(kinds.pins),
        kind_outputs=tuple(
            np.array([cell.pins[pin].direction == "output" for pin in of], dtype=np.bool_)
            for cell, of in zip(cells, kinds.pins, strict=True)
        ),
        kind_sequential=np.array([cell.flop is not None or cell.latch for cell in cells], dtype=np.bool_),
        cell_kind=template.kinds,
        pin_start=start,
        pin_net=number[template.pins],
        nets=len(raw),
        inputs={name: number[bits] for name, bits in template.module.inputs.items()},
        outputs={name: number[bits] for name, bits in template.module.outputs.items()},
        cell_name=template.cell_name,
        net_name=lambda net: str(net) if net < 2 else template.net_name(int(raw[net])),
    )
    check_drivers(netlist)
    return netlist


def _template(module: Module, modules: Mapping[str, Module], kinds: _Kinds, done: dict[str, _Template]) -> _Template:
    """The template of a module, templates of what it instantiates first."""
    if module.name in done:
        return done[module.name]
    names: list[str] = []
    own_kinds: list[int] = []
    own_pins: list[int] = []
    aliases: list[tuple[int, ...]] = []
    inside: dict[str, list[Instance]] = {}
    nets = module.nets
    for cell in module.cells:
        if cell.kind in _ALIAS_KINDS:
            ends = [local_nets(cell.pins[pin], f"cell {cell.name} of {module.name}") for pin in _ALIAS_KINDS[cell.kind]]
            aliases += zip(*ends, strict=True)
        elif cell.kind in modules and cell.kind not in kinds.library.cells:
            inside.setdefault(cell.kind, []).append(cell)
        else:
            kind = kinds.of(cell.kind, module.name, cell.name)
            names.append(cell.name)
            own_kinds.append(kind)
            nets = _connect(cell, module.name, kinds.pins[kind], own_pins, nets)
    parts_kinds = [np.array(own_kinds, dtype=np.int32)]
    parts_pins = [np.array(own_pins, dtype=np.int32)]
    parts_aliases = [np.array(aliases, dtype=np.int32).reshape(-1, 2)]
    groups, cells = [], len(names)
    for name, instances in inside.items():
        below = _template(modules[name], modules, kinds, done)
        place, pairs = _place(below, instances, nets, module.name)
        groups.append(_Group(tuple(each.name for each in instances), below, cells, nets))
        parts_kinds.append(np.tile(below.kinds, len(instances)))
        parts_pins.append(place[:, below.pins].reshape(-1))
        parts_aliases += [place[:, below.aliases].reshape(-1, 2), pairs]
        cells += len(below.kinds) * len(instances)
        nets += (below.nets - 2) * len(instances)
    done[module.name] = _Template(
        module,
        tuple(names),
        np.concatenate(parts_kinds),
        np.concatenate(parts_pins),
        nets,
        np.concatenate(parts_aliases),
        tuple(groups),
    )
    return done[module.name]


def _connect(cell: Instance, module: str, pins: tuple[str, ...], nets_of_pins: list[int], nets: int) -> int:
    """Add the nets of a library cell's pins; pins without connection get nets of their own. Returns the next net."""
    connected = 0
    for pin in pins:
        bits = cell.pins.get(pin)
        if bits:
            if len(bits) > 1:
                raise InvalidInput(
                    f"pin {pin} of cell {cell.name} ({cell.kind}) in {module} has {len(bits)} bits, not 1"
                )
            bit = bits[0]
            nets_of_pins.append(bit if type(bit) is int else local_nets(bits, f"pin {pin} of cell {cell.name}")[0])
            connected += 1
        else:
            nets_of_pins.append(nets)
            nets += 1
    if connected < len(cell.pins):
        for pin, bits in cell.pins.items():
            if bits and pin not in pins:
                raise UnknownName(f"pin of cell {cell.name} ({cell.kind})", pin, pins)
    return nets


def _place(below: _Template, instances: list[Instance], first_net: int, module: str) -> tuple[Ints, Ints]:
    """Which net of the parent each net of each instance becomes (int32[instances, nets]), and pairs that are one."""
    count, inner = len(instances), below.nets - 2
    place = np.empty((count, below.nets), dtype=np.int32)
    place[:, :2] = (0, 1)
    place[:, 2:] = first_net + np.arange(count * inner, dtype=np.int32).reshape(count, inner)
    ports = {**below.module.inputs, **below.module.outputs}
    pairs, taken = [np.zeros((0, 2), dtype=np.int32)], set()
    for port, local in ports.items():
        outside = np.array([_port_nets(cell, port, len(local), module) for cell in instances], dtype=np.int32)
        for column, net in enumerate(local.tolist()):
            wired = outside[:, column] >= 0
            if net > 1 and net not in taken:
                taken.add(net)
                place[wired, net] = outside[wired, column]
            else:  # the port is a constant or another port: two nets of the parent are one
                pairs.append(np.stack([place[wired, net], outside[wired, column]], axis=1))
    for cell in instances:
        for port, bits in cell.pins.items():
            if bits and port not in ports:
                raise UnknownName(f"port of cell {cell.name} ({cell.kind}) in {module}", port, ports)
    return place, np.concatenate(pairs)


def _port_nets(cell: Instance, port: str, width: int, module: str) -> list[int]:
    """Nets at a port of an instance, -1 where nothing is connected."""
    nets = local_nets(cell.pins.get(port, ()), f"port {port} of cell {cell.name} in {module}")
    return (nets + [-1] * width)[:width]
