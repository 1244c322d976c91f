"""Compiled walks over a netlist: merging nets that are one, and putting cells in topological order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from archgym.sims.jit import entry, inner, lean

Ints = NDArray[np.int32]


@inner
def find(parent: Ints, net: int) -> int:
    """The representative of a net, with path halving."""
    while parent[net] != net:
        parent[net] = parent[parent[net]]
        net = parent[net]
    return net


@lean
def merge(parent: Ints, aliases: Ints) -> None:
    """Union of all pairs, then every net points at its representative: the lowest number, so constants win."""
    for pair in range(aliases.shape[0]):
        a, b = find(parent, aliases[pair, 0]), find(parent, aliases[pair, 1])
        if a < b:
            parent[b] = a
        elif b < a:
            parent[a] = b
    for net in range(parent.shape[0]):
        parent[net] = find(parent, net)


@entry
def levels(
    cells: int, pin_start: Ints, pin_net: Ints, output: NDArray[np.bool_], source: NDArray[np.bool_], drive: Ints
) -> tuple[Ints, Ints]:
    """Levels of the combinational cells (Kahn): 1 + the highest level among the cells that drive the inputs.

    Args:
        cells: how many.
        pin_start: int32[cells + 1], first pin of each cell.
        pin_net: int32[pins].
        output: bool[pins].
        source: bool[cells], cells whose outputs start paths: sequential ones.
        drive: int32[nets], the cell that drives a net or -1.

    Returns:
        Levels, int32[cells] (-1 for sources, -2 for cells in or behind a loop), and the cells in a topological order.
    """
    nets = drive.shape[0]
    waiting, level = np.zeros(cells, np.int32), np.full(cells, -2, np.int32)
    first = np.zeros(nets + 1, np.int32)
    for cell in range(cells):
        for pin in range(pin_start[cell], pin_start[cell + 1]):
            by = drive[pin_net[pin]]
            if not output[pin] and not source[cell] and by >= 0 and not source[by]:
                waiting[cell] += 1
                first[pin_net[pin] + 1] += 1
    for net in range(nets):
        first[net + 1] += first[net]
    sinks, place = np.zeros(first[nets], np.int32), first[:-1].copy()
    stack, top = np.zeros(cells, np.int32), 0
    order, done, depth = np.zeros(cells, np.int32), 0, np.zeros(cells, np.int32)
    for cell in range(cells):
        if source[cell]:
            level[cell] = -1
            continue
        for pin in range(pin_start[cell], pin_start[cell + 1]):
            net = pin_net[pin]
            if not output[pin] and drive[net] >= 0 and not source[drive[net]]:
                sinks[place[net]] = cell
                place[net] += 1
        if waiting[cell] == 0:
            stack[top] = cell
            top += 1
    while top:  # the latest first: what follows each other here lies close in memory
        top -= 1
        cell = stack[top]
        level[cell] = depth[cell]
        order[done] = cell
        done += 1
        for pin in range(pin_start[cell], pin_start[cell + 1]):
            if output[pin]:
                net = pin_net[pin]
                for slot in range(first[net], first[net + 1]):
                    after = sinks[slot]
                    waiting[after] -= 1
                    depth[after] = max(depth[after], depth[cell] + 1)
                    if waiting[after] == 0:
                        stack[top] = after
                        top += 1
    return level, order[:done]
