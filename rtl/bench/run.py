"""One bench: a block at one parameter point, simulated and compared with its golden model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias, final

import numpy as np

from archgym.errors import InvalidInput, UnknownName
from archgym.rtl.bench.build import build_icarus, build_verilator
from archgym.rtl.bench.coverage import Coverage, observe
from archgym.rtl.bench.plan import QUICK, Effort, make_parts, plan_of
from archgym.rtl.bench.runtime import BuildError
from archgym.rtl.bench.scoreboard import compare
from archgym.rtl.bench.simulate import simulate
from archgym.rtl.block import Block, Parameters, Signals
from archgym.rtl.flow import scratch

__all__ = ["SIMULATORS", "Outcome", "Simulator", "run"]

Simulator: TypeAlias = Literal["verilator", "icarus"]
SIMULATORS: tuple[Simulator, ...] = ("verilator", "icarus")


@final
@dataclass
class Outcome:
    """What a bench found."""

    block: str
    parameters: Parameters
    seed: int
    fault: str = ""
    """Nothing when all is right, else what is wrong."""
    built: bool = True
    """Whether there was a simulation at all."""
    beats: int = 0
    """Input beats (or vectors) sent."""
    cycles: int = 0
    """Clock cycles simulated (0 for combinational tops)."""
    coverage: Coverage = field(default_factory=Coverage)

    @property
    def passed(self) -> bool:
        """Whether nothing was wrong."""
        return not self.fault


def run(
    block: Block,
    parameters: Parameters,
    *,
    seed: int = 0,
    effort: Effort = QUICK,
    simulator: Simulator = "verilator",
    sources: Sequence[Path] | None = None,
    seconds: float = 300.0,
) -> Outcome:
    """Simulate a block and compare it with its golden model.

    Args:
        block: its description.
        parameters: values of the top's parameters.
        seed: of stimuli, patterns and initial values; the same seed gives the same bench.
        effort: how much is played.
        simulator: "verilator" or "icarus".
        sources: instead of the block's own files (a mutant's).
        seconds: wall time of the build, and of the simulation.

    Raises:
        InvalidInput: for parameters the block refuses, an unknown simulator, a stimulus that does not fit the ports.
        MissingDependency: without Verilator or cocotb.
        MissingTool: without a C++ compiler, or without Icarus when it was asked for.
    """
    if simulator not in SIMULATORS:
        raise UnknownName("simulator", simulator, SIMULATORS)
    if block.kind not in {"stream", "combinational"} or block.signals != Signals():
        raise InvalidInput(
            f"block {block.name}: benches play streams with the library's names of ports (in_valid_i, ...) and "
            f"combinational tops, not kind {block.kind!r} with other names; `archgym rtl env` checks it at gate level"
        )
    if reason := block.reject(parameters):
        raise InvalidInput(f"block {block.name} refuses {dict(parameters)}: {reason}")
    rng = np.random.default_rng(seed)
    parts = make_parts(block, parameters, rng, effort)
    plan = plan_of(block, parameters, parts, rng)
    files = list(sources) if sources is not None else list(block.paths())
    outcome = Outcome(block.name, dict(parameters), seed)
    with scratch.folder() as folder:
        try:
            if simulator == "icarus":
                program = build_icarus(block.top, files, parameters, folder, seconds=seconds)
            else:
                program = build_verilator(block.top, files, parameters, seconds=seconds)
        except BuildError as error:
            outcome.fault, outcome.built = str(error), False
            return outcome
        ran = simulate(program, block.top, plan, folder, seed=seed, seconds=seconds)
    outcome.beats = sum(seen["sent"] for seen in ran.record)
    outcome.cycles = sum(seen["cycles"] for seen in ran.record)
    outcome.coverage = observe(block, parameters, parts, ran.record)
    wrong = (compare(block, parameters, part, seen) for part, seen in zip(parts, ran.record))
    outcome.fault = next((each for each in wrong if each), "") or ran.fault
    if not outcome.fault and len(ran.record) < len(parts):
        outcome.fault = f"the simulation stopped after {len(ran.record)} of {len(parts)} parts"
    return outcome
