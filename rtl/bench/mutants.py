"""Planted faults: a bench is worth what it notices."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from archgym.errors import InvalidInput
from archgym.rtl.bench.plan import QUICK, Effort
from archgym.rtl.bench.run import Simulator, run
from archgym.rtl.block import Block, Mutation, Parameters
from archgym.rtl.flow import scratch

__all__ = ["Verdict", "kill", "plant"]


@final
@dataclass(frozen=True)
class Verdict:
    """What became of a mutant."""

    mutation: Mutation
    killed: bool
    said: str
    """The fault that the bench noticed; else why the mutant is an error."""
    parameters: Parameters


def plant(block: Block, mutation: Mutation, folder: Path) -> list[Path]:
    """Copies of the block's sources in `folder`, one of them with the fault; in the order of compilation.

    Raises:
        InvalidInput: when the block has no such source, or its text does not occur exactly once.
    """
    if mutation.source not in block.sources:
        raise InvalidInput(f"block {block.name}: no source {mutation.source!r} to mutate; it has {list(block.sources)}")
    copies = []
    for index, (name, path) in enumerate(zip(block.sources, block.paths())):
        copy = folder / f"{index}_{path.name}"
        if name == mutation.source:
            text = path.read_text()
            found = text.count(mutation.old)
            if found != 1:
                raise InvalidInput(
                    f"block {block.name}: {mutation.old!r} occurs {found} times in {name}; "
                    f"a mutation's text must occur once ({mutation.doc})"
                )
            copy.write_text(text.replace(mutation.old, mutation.new))
        else:
            shutil.copyfile(path, copy)
        copies.append(copy)
    return copies


def kill(
    block: Block,
    mutation: Mutation,
    candidates: Sequence[Parameters],
    *,
    seed: int = 0,
    effort: Effort = QUICK,
    simulator: Simulator = "verilator",
    seconds: float = 300.0,
) -> Verdict:
    """Bench a mutant at one parameter point after another until it is noticed.

    A fault may lie in logic that some points do not have, so it must be noticed at one of the points, not at all.
    A mutant that does not compile is no fault of the design: it counts as an error.

    Raises:
        InvalidInput: see `plant`.
    """
    said = "no parameter point to try it at"
    for parameters in candidates:
        with scratch.folder() as folder:
            files = plant(block, mutation, folder)
            outcome = run(
                block, parameters, seed=seed, effort=effort, simulator=simulator, sources=files, seconds=seconds
            )
        if not outcome.built:
            return Verdict(mutation, killed=False, said=f"it does not build: {outcome.fault}", parameters=parameters)
        if not outcome.passed:
            return Verdict(mutation, killed=True, said=outcome.fault, parameters=parameters)
        said = "the bench did not notice it"
    return Verdict(mutation, killed=False, said=said, parameters=candidates[-1] if candidates else {})
