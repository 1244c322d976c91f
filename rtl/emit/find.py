"""What a command line means: a point of a block, of a module of one's own, of an environment, or a run's best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np

from archgym.errors import InvalidInput, UnknownName
from archgym.rtl.block import Block
from archgym.rtl.flow.point import Point, Workload
from archgym.space import Choice, DesignSpace

if TYPE_CHECKING:
    from archgym.core import Simulator
    from archgym.store import Run, TrialRecord

__all__ = ["Found", "best_of", "block_point", "in_environment", "is_environment"]

_SUFFIX = ".rtl.yaml"


@final
@dataclass(frozen=True)
class Found:
    """A point and where it came from."""

    point: Point
    origin: str
    """In a sentence."""
    design: Mapping[str, Any]
    """As it was given: parameters of the space, or of the RTL."""


def block_point(
    name: str,
    settings: Mapping[str, str],
    *,
    technology: str = "",
    clock_ns: float | None = None,
    effort: str = "normal",
    beats: int | None = None,
) -> Found:
    """A point of a block of the library, or of a module with a description file.

    Args:
        name: of the block, or path of a `*.rtl.yaml`.
        settings: parameters; those not given have the values of the smallest point.
        technology: name of one or path of a Liberty file; empty: the default, or the description's.
        clock_ns: period; None: the shortest.
        effort: how many recipes are tried.
        beats: about how many input beats a stimulus has; None: the default.

    Raises:
        UnknownName: no such block or parameter.
        InvalidInput: no whole number, or a point that the block refuses.
    """
    block, technology, work = _block(name, technology)
    values = _point(block, settings)
    reason = block.reject(values)
    if reason:
        raise InvalidInput(f"{block.name} refuses {_said(values)}: {reason}")
    if beats is not None:
        work = Workload(work.name, beats=beats, make=work.make)
    point = Point(block, values, technology, clock_ns, work, effort=effort)
    return Found(point, f"block {block.name}", values)


def _block(name: str, technology: str) -> tuple[Block, str, Workload]:
    if name.endswith(_SUFFIX) or Path(name).is_file():
        from archgym.rtl.own.module import RANDOM, load_module

        module = load_module(Path(name))
        return module.block, technology or module.technology, module.workload(RANDOM)
    from archgym.rtl.library import block

    return block(name), technology or "generic45", Workload()


def _point(block: Block, settings: Mapping[str, str]) -> dict[str, int]:
    from archgym.rtl.bench.points import smallest

    values = smallest(block)
    for name, text in settings.items():
        if name not in values:
            raise UnknownName(f"parameter of {block.name}", name, values)
        try:
            values[name] = int(text, 0)
        except ValueError:
            raise InvalidInput(f"{name}={text}: {text!r} is no whole number; allowed: 8, -1, 0x1F") from None
    return values


def _said(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items())


# -- environments and runs ------------------------------------------------------------------------------------------


def is_environment(name: str) -> bool:
    """Whether a simulator or a Gymnasium id has this name."""
    from archgym import catalog

    return name in catalog.simulators() or name in catalog.environments()


def in_environment(name: str, options: Mapping[str, Any], settings: Mapping[str, str], workload: str) -> Found:
    """A design of an environment on hardware blocks.

    Args:
        name: of the simulator, or a Gymnasium id.
        options: of the simulator.
        settings: all parameters of its space.
        workload: empty: its first.

    Raises:
        UnknownName: an unknown parameter, value, workload or option.
        InvalidInput: a parameter is missing, the design cannot be built, or the simulator has no RTL.
    """
    from archgym.restrict import build_simulator

    simulator = build_simulator(name, options)
    _needs_rtl(simulator)
    space = simulator.space
    design = space.decode(space.encode({key: _choice(space, key, word) for key, word in settings.items()}))
    work = workload or simulator.workloads[0]
    return Found(_buildable(simulator, design, work), f"environment {simulator.name} on {work}", design)


def _choice(space: DesignSpace, name: str, word: str) -> Choice:
    return next((choice for choice in space[name].choices if _same(choice, word)), word)


def _same(choice: Choice, word: str) -> bool:
    if str(choice).lower() == word.lower():
        return True
    try:
        return not isinstance(choice, (str, bool)) and float(word) == choice  # 1 is 1.0
    except ValueError:
        return False


def _buildable(simulator: Simulator, design: Mapping[str, Any], workload: str) -> Point:
    inner = _needs_rtl(simulator)
    whole = inner.canonical(inner.space.encode(design).reshape(1, -1))[0]
    found: Point = inner.point(inner.space.decode(whole), workload)
    return found


def _needs_rtl(simulator: Simulator) -> Any:
    """The simulator, behind a restriction of its space.

    Raises:
        InvalidInput: it is no simulator of RTL.
    """
    inner: Any = getattr(simulator, "inner", simulator)
    if not hasattr(inner, "point"):
        raise InvalidInput(f"{inner.name} has no RTL to write; environments with RTL: {', '.join(_with_rtl())}")
    return inner


def _with_rtl() -> list[str]:
    from archgym import catalog

    return [name for name in catalog.simulators() if hasattr(catalog.simulator_class(name), "point")]


def best_of(directory: Path, objective: str = "", workload: str = "") -> Found:
    """The best design of a run.

    Args:
        directory: of the run.
        objective: its name, as `archgym compare` prints it; empty: the only one.
        workload: the same.

    Raises:
        StoreError: no run directory.
        UnknownName: no such objective or workload in it.
        InvalidInput: several, and none named; no trial has found a design.
    """
    from archgym.store import open_run

    with closing(open_run(directory)) as run:
        trials = [trial for trial in run.trials if not trial.named]
        for what, wanted in (("objective", objective), ("workload", workload)):
            trials = _only(directory, what, wanted, trials)
        done = [trial for trial in trials if trial.best is not None]
        if not done:
            raise InvalidInput(f"{directory}: no trial has found a design yet; continue it with archgym run")
        trial = min(done, key=_best)
        _same_space(run, trial)
        design = _design(run, trial)
        origin = (
            f"best of {len(done)} trials of {directory.name} for {trial.objective}: {trial.label}, seed {trial.seed}"
        )
        return Found(_buildable(run.simulator(trial), design, trial.workload), origin, design)


def _same_space(run: Run, trial: TrialRecord) -> None:
    """Stored designs are positions in a space: in another they would be other designs.

    Raises:
        InvalidInput: the space has changed since.
    """
    there, space = run.source(trial).space_fingerprint, run.simulator(trial).space
    if there != space.fingerprint:
        raise InvalidInput(
            f"{run.path}: was written with simulator {trial.environment!r} space fingerprint {there}, now it is "
            f"{space.fingerprint}: its parameters or their choices have changed; restore them, or search anew with "
            "archgym run --fresh"
        )


def _best(trial: TrialRecord) -> float:
    assert trial.best is not None
    return trial.best


def _only(directory: Path, what: str, wanted: str, trials: Sequence[TrialRecord]) -> list[TrialRecord]:
    found = list(dict.fromkeys(getattr(trial, what) for trial in trials))
    if wanted and wanted not in found:
        raise UnknownName(f"{what} of {directory}", wanted, found)
    if not wanted and len(found) > 1:
        raise InvalidInput(f"{directory} has {len(found)} {what}s; name one with --{what}: {', '.join(found)}")
    return [trial for trial in trials if not wanted or getattr(trial, what) == wanted]


def _design(run: Run, trial: TrialRecord) -> dict[str, Any]:
    history = run.history(trial.id)
    costs = np.where(history.evaluations.ok, history.scalar, np.inf)
    if not np.isfinite(costs).any():
        raise InvalidInput(f"{run.path}: no design of trial {trial.id} could be scored")
    design: dict[str, Any] = run.simulator(trial).space.decode(history.designs[int(np.argmin(costs))])
    return design
