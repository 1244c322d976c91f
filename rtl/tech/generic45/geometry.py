"""Area, widths and capacitances of a cell from its transistors and the design rules."""

from __future__ import annotations

import math
from collections.abc import Mapping

from archgym.rtl.tech.generic45.process import (
    JUNCTION_AREA_FF,
    JUNCTION_EDGE_FF,
    JUNCTION_GATE_FF,
    LAYOUT,
    NMOS,
    PMOS,
    WIRE_FF,
    Transistor,
)
from archgym.rtl.tech.generic45.topology import CellPlan, Parallel, Series, Stage, Tree, conducts, leaves

__all__ = ["N_UM", "P_UM", "area_um2", "columns", "hanging_ff", "input_ff", "output_ff", "series_ff", "signal_ff"]


def _split() -> tuple[float, float]:
    """Widths of the tallest n and p transistors: what fits, shared so that both carry the same on-current."""
    ratio = 1158 / 784  # the on-currents of process.NMOS and PMOS
    grid = 0.005  # manufacturing grid of the kit
    p = math.floor(LAYOUT.active * ratio / (1 + ratio) / grid) * grid
    n = math.floor((LAYOUT.active - p) / grid + 1e-9) * grid
    return round(n, 3), round(p, 3)


N_UM, P_UM = _split()


def columns(stage: Stage) -> int:
    """Gate columns: one per n and p pair and finger."""
    pairs = max(sum(1 for _ in leaves(stage.pull_down)), sum(1 for _ in leaves(stage.up)))
    return pairs * math.ceil(stage.fingers)


def area_um2(plan: CellPlan) -> float:
    """Height times gate pitches; half a pitch at either side separates the cell from its neighbours."""
    pitches = sum(map(columns, plan.stages)) + plan.extra_columns + 1
    return pitches * LAYOUT.pitch * LAYOUT.height


def _gate_ff(device: Transistor, um: float) -> float:
    # The drain moves against the gate: the overlap's charge counts twice, once of it is in gate_ff.
    return (device.gate_ff + device.overlap_ff) * um


def _diffusion_ff(um: float, transistors: int) -> float:
    """A node between or beside gates of width um: contacted regions shared by two, an odd one at the end of the row."""
    shared, alone = divmod(transistors, 2)
    total = transistors * JUNCTION_GATE_FF * um
    total += shared * (LAYOUT.gate_space * (JUNCTION_AREA_FF * um + 2 * JUNCTION_EDGE_FF))
    total += alone * (LAYOUT.end_diffusion * (JUNCTION_AREA_FF * um + 2 * JUNCTION_EDGE_FF) + JUNCTION_EDGE_FF * um)
    return total


def _at_output(tree: Tree) -> int:
    """Transistors with their drain at the output."""
    if isinstance(tree, str):
        return 1
    return _at_output(tree.parts[0]) if isinstance(tree, Series) else sum(map(_at_output, tree.parts))


def output_ff(stage: Stage) -> float:
    """Own capacitance of a stage's output: diffusions, overlaps (one of them moves against its gate), wire."""
    total = WIRE_FF * (LAYOUT.height / 2 + columns(stage) * LAYOUT.pitch / 2)  # from the n to the p row, and along
    folds = math.ceil(stage.fingers)
    for tree, device, tall in ((stage.pull_down, NMOS, N_UM), (stage.up, PMOS, P_UM)):
        drains = _at_output(tree) * folds
        um = tall * stage.fingers / folds
        total += _diffusion_ff(um, drains) + device.overlap_ff * um * (drains + folds)
    return total


def series_ff(tree: Tree, moving: str, fingers: float, *, falling: bool) -> float:
    """What the nodes between the output and the transistor at signal `moving` add to the output's capacitance.

    A node's charge flows through the transistors between it and the rail only: it counts by their share of the stack's
    resistance (Elmore). Nodes beyond the moving transistor were at the rail before.
    """
    depth, position = _path(tree, moving)
    node = _inner_node_ff(fingers, falling=falling)
    return sum(node * (depth - above) / depth for above in range(1, position + 1))


def hanging_ff(tree: Tree, on: Mapping[str, bool], moving: str, fingers: float, *, falling: bool) -> float:
    """Nodes inside a network that hang on the output through transistors that are on, and so move with it.

    In the n network (`falling`) transistors are on where the signal is high. Nodes on the way through `moving` are
    those of `series_ff`.
    """
    gates = on if falling else {name: not value for name, value in on.items()}
    return _hanging(tree, gates, moving) * _inner_node_ff(fingers, falling=falling)


def _hanging(tree: Tree, on: Mapping[str, bool], moving: str) -> int:
    if isinstance(tree, str):
        return 0
    if isinstance(tree, Parallel):
        return sum(_hanging(part, on, moving) for part in tree.parts)
    if moving in set(leaves(tree)) and conducts(tree, on):  # the way that drives: only side branches hang
        return sum(_hanging(part, on, moving) for part in tree.parts)
    nodes = 0
    for index, part in enumerate(tree.parts):
        nodes += _hanging(part, on, moving)
        if not conducts(part, on):
            break
        nodes += index < len(tree.parts) - 1
    return nodes


def _inner_node_ff(fingers: float, *, falling: bool) -> float:
    """A diffusion between two gates in series: no contact, but the minimum space of gates."""
    device, tall = (NMOS, N_UM) if falling else (PMOS, P_UM)
    um = tall * fingers
    return 2 * JUNCTION_GATE_FF * um + LAYOUT.gate_space * JUNCTION_AREA_FF * um + 2 * device.overlap_ff * um


def _path(tree: Tree, moving: str) -> tuple[int, int]:
    """Transistors in series on the way through the transistor at `moving`, and how many of them are above it."""
    if isinstance(tree, str):
        return 1, 0
    if isinstance(tree, Parallel):
        part = next((part for part in tree.parts if moving in set(leaves(part))), tree.parts[0])
        return _path(part, moving)
    depth = position = 0
    for part in tree.parts:
        inner, above = _path(part, moving)
        if moving in set(leaves(part)):
            position = depth + above
        depth += inner
    return depth, position


def input_ff(stage: Stage, signal: str) -> float:
    """Gate capacitance of a stage at one of its inputs."""
    n = sum(1 for leaf in leaves(stage.pull_down) if leaf == signal)
    p = sum(1 for leaf in leaves(stage.up) if leaf == signal)
    return stage.fingers * (n * _gate_ff(NMOS, N_UM) + p * _gate_ff(PMOS, P_UM))


def signal_ff(plan: CellPlan, signal: str) -> float:
    """Capacitance of the gates at a signal, with the wire of an input pin."""
    gates = sum(input_ff(stage, signal) for stage in plan.stages if signal in stage.inputs)
    return gates + (WIRE_FF * LAYOUT.height / 2 if signal in plan.inputs else 0.0)
