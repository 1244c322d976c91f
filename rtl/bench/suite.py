"""Benches of many blocks: extremes and a sample of parameters, refused parameters, planted faults, merged coverage."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import final

import numpy as np

from archgym.rtl.bench.build import rejection
from archgym.rtl.bench.coverage import Coverage
from archgym.rtl.bench.mutants import Verdict, kill
from archgym.rtl.bench.plan import FULL, QUICK, Effort
from archgym.rtl.bench.points import Point, points, rejected
from archgym.rtl.bench.run import Outcome, Simulator, run
from archgym.rtl.block import Block, Mutation

__all__ = ["FULL_SCOPE", "QUICK_SCOPE", "Report", "Scope", "run_block", "run_suite"]


@final
@dataclass(frozen=True)
class Scope:
    """How far the benches of each block go."""

    effort: Effort
    points: int
    """Parameter points."""
    limit: float
    """Largest hardware, see `points.cost`."""
    refused: int
    """Reasons of refusal that are tried."""
    mutations: bool
    """Whether faults are planted."""
    points_per_mutant: int = 12
    """Parameter points at which a fault may be noticed: it may lie in logic that few of them have."""


QUICK_SCOPE = Scope(QUICK, points=2, limit=1000, refused=2, mutations=False)
FULL_SCOPE = Scope(FULL, points=10, limit=10_000, refused=8, mutations=True)


@final
@dataclass
class Report:
    """What the benches of one block found."""

    block: str
    family: str
    points: int = 0
    beats: int = 0
    cycles: int = 0
    refused: int = 0
    killed: int = 0
    mutants: int = 0
    coverage: Coverage = field(default_factory=Coverage)
    failures: list[str] = field(default_factory=list)
    """One line each, with how to see it again."""


def run_block(
    block: Block,
    scope: Scope,
    *,
    seed: int = 0,
    simulator: Simulator = "verilator",
    chosen: Sequence[Point] | None = None,
    spread: Callable[[Iterable[Callable[[], object]]], Iterable[object]] | None = None,
) -> Report:
    """All benches of one block.

    Args:
        block: its description.
        scope: how far they go.
        seed: of the sample of parameters and of every bench.
        simulator: "verilator" or "icarus".
        chosen: parameter points, instead of extremes and a sample.
        spread: runs calls, in order or at the same time, and gives their results in order.
    """
    report = Report(block.name, block.family)
    rng = np.random.default_rng([seed, zlib.crc32(block.name.encode())])
    wanted = list(chosen) if chosen is not None else points(block, scope.points, rng, limit=scope.limit)
    calls: list[Callable[[], object]] = [_bench(block, point, scope, seed, simulator) for point in wanted]
    if chosen is None:
        calls += [_refusal(block, point) for point in rejected(block, scope.refused, rng)]
    if scope.mutations:
        tried = list(chosen or points(block, scope.points_per_mutant, rng, limit=QUICK_SCOPE.limit))
        calls += [_mutant(block, mutation, tried, seed, simulator) for mutation in block.mutations]
    for result in (spread or _in_order)(calls):
        _note(report, result, _again(scope, seed, simulator))
    return report


@final
@dataclass(frozen=True)
class _Refusal:
    point: Point
    reason: str
    said: str


def _in_order(calls: Iterable[Callable[[], object]]) -> Iterator[object]:
    return (call() for call in calls)


def _bench(block: Block, point: Point, scope: Scope, seed: int, simulator: Simulator) -> Callable[[], Outcome]:
    return lambda: run(block, point, seed=seed, effort=scope.effort, simulator=simulator)


def _refusal(block: Block, point: Point) -> Callable[[], _Refusal]:
    return lambda: _Refusal(point, block.reject(point), rejection(block.top, block.paths(), point))


def _mutant(
    block: Block, mutation: Mutation, tried: Sequence[Point], seed: int, simulator: Simulator
) -> Callable[[], Verdict]:
    return lambda: kill(block, mutation, tried, seed=seed, simulator=simulator)


def _again(scope: Scope, seed: int, simulator: Simulator) -> str:
    options = f"--seed {seed}" + (" --full" if scope.effort is FULL else "")
    return options + (f" --simulator {simulator}" if simulator != "verilator" else "")


def _note(report: Report, result: object, again: str) -> None:
    if isinstance(result, Outcome):
        report.points += 1
        report.beats += result.beats
        report.cycles += result.cycles
        report.coverage.merge(result.coverage)
        if not result.passed:
            place = ",".join(f"{name}={value}" for name, value in result.parameters.items())
            option = f" --set {place}" if place else ""
            report.failures.append(f"{result.fault}; redo: archgym rtl test {report.block}{option} {again}")
    elif isinstance(result, _Refusal):
        report.refused += 1
        if not result.said:
            place = ", ".join(f"{name}={value}" for name, value in result.point.items())
            report.failures.append(f"elaboration accepts {place}; its description says: {result.reason}")
    elif isinstance(result, Verdict):
        report.mutants += 1
        report.killed += result.killed
        if not result.killed:
            mutation = result.mutation
            report.failures.append(
                f"mutant {mutation.source}, {mutation.old!r} -> {mutation.new!r} ({mutation.doc}): {result.said}; "
                f"redo: archgym rtl test {report.block} --mutations {again}"
            )


def run_suite(
    blocks: Sequence[Block],
    scope: Scope,
    *,
    seed: int = 0,
    simulator: Simulator = "verilator",
    jobs: int = 1,
    chosen: Sequence[Point] | None = None,
) -> Iterator[Report]:
    """The benches of many blocks, `jobs` simulations at a time, a report as soon as each block is done.

    Args:
        blocks: their descriptions.
        scope: how far the benches go.
        seed: of the samples of parameters and of every bench.
        simulator: "verilator" or "icarus" (which then skips the blocks it cannot compile).
        jobs: simulations at a time; threads suffice, the work is in child processes.
        chosen: parameter points, instead of extremes and a sample.
    """
    with ThreadPoolExecutor(jobs) as pool:

        def spread(calls: Iterable[Callable[[], object]]) -> Iterable[object]:
            return pool.map(lambda call: call(), calls)

        for block in blocks:
            if simulator == "icarus" and not block.icarus:
                continue
            yield run_block(block, scope, seed=seed, simulator=simulator, chosen=chosen, spread=spread)
