"""Simulators and agents by name: one `register_*` line each; modules are imported when a name is used.

Third parties register nothing here: a package declares entry points in the groups `archgym.simulators` and
`archgym.agents`, and its names appear beside the built-in ones.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar, final

from archgym.core import Agent, Simulator
from archgym.errors import ArchGymError, InvalidInput, UnknownName
from archgym.space import DesignSpace

__all__ = [
    "agent",
    "agent_class",
    "agents",
    "environments",
    "register_agent",
    "register_simulator",
    "simulator",
    "simulator_class",
    "simulator_options",
    "simulators",
]

_GROUPS = {"simulator": "archgym.simulators", "agent": "archgym.agents"}
_Built = TypeVar("_Built")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@final
@dataclass(frozen=True)
class _Entry:
    """A name, where its class is ("module:attribute"), a line about it, who provides it, its Gymnasium id."""

    name: str
    target: str
    summary: str
    provider: str
    gym_id: str = ""


_BUILT_IN: dict[str, dict[str, _Entry]] = {"simulator": {}, "agent": {}}


def register_simulator(name: str, target: str, *, summary: str = "", gym_id: str = "", provider: str = "here") -> None:
    """Add a simulator under a name of its own.

    Args:
        name: what `archgym.simulator` and experiment files call it.
        target: "package.module:Class", imported on first use.
        summary: one line for listings.
        gym_id: Gymnasium id; "archgym/<name>-v0" by default.
        provider: who it comes from, for error messages.

    Raises:
        InvalidInput: for a name that is taken, or a name or target of the wrong form.
    """
    _register("simulator", _Entry(name, target, summary, provider, gym_id or f"archgym/{name}-v0"))
    if "gymnasium" in sys.modules:
        from archgym.gymnasium_ids import register_ids

        register_ids()


def register_agent(name: str, target: str, *, summary: str = "", provider: str = "here") -> None:
    """Add an agent under a name of its own; see `register_simulator`.

    Raises:
        InvalidInput: for a name that is taken, or a name or target of the wrong form.
    """
    _register("agent", _Entry(name, target, summary, provider))


def simulators() -> dict[str, str]:
    """Registered simulators: name -> one line, sorted by name."""
    return {name: entries[0].summary for name, entries in _known("simulator").items()}


def agents() -> dict[str, str]:
    """Registered agents: name -> one line, sorted by name."""
    return {name: entries[0].summary for name, entries in _known("agent").items()}


def environments() -> dict[str, str]:
    """Gymnasium ids: id -> name of the simulator behind it."""
    return {entries[0].gym_id: name for name, entries in _known("simulator").items()}


def simulator(name: str, **options: Any) -> Simulator:
    """Build a registered simulator.

    Raises:
        UnknownName: for a name or option that does not exist; suggests the nearest.
        InvalidInput: when its package cannot be loaded, or it refuses an option's value.
    """
    factory = _factory("simulator", name)
    _check_options(f"option of simulator {name}", factory, options, skip=0)
    return _built("simulator", name, factory(**options), Simulator)  # type: ignore[type-abstract]


def agent(name: str, space: DesignSpace, seed: int = 0, **hyper: Any) -> Agent:
    """Build a registered agent for a space.

    Raises:
        UnknownName: for a name or hyper-parameter that does not exist; suggests the nearest.
        InvalidInput: when its package cannot be loaded, or it refuses the seed or a hyper-parameter's value.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise InvalidInput(f"seed must be a whole number of at least 0, got {seed!r}")
    factory = _factory("agent", name)
    _check_options(f"hyper-parameter of agent {name}", factory, hyper, skip=2)
    return _built("agent", name, factory(space, seed=seed, **hyper), Agent)  # type: ignore[type-abstract]


def simulator_class(name: str) -> Callable[..., Simulator]:
    """What builds a registered simulator (its class, usually), imported.

    Raises:
        UnknownName: for a name that is not registered.
        InvalidInput: when its package cannot be loaded.
    """
    return _factory("simulator", name)


def simulator_options(name: str) -> tuple[str, ...] | None:
    """Options a registered simulator takes; None when it checks them itself (its class takes `**options`).

    Raises:
        UnknownName: for a name that is not registered.
        InvalidInput: when its package cannot be loaded.
    """
    allowed = _keywords(_factory("simulator", name), skip=0)
    return None if allowed is None else tuple(allowed)


def agent_class(name: str) -> Callable[..., Agent]:
    """What builds a registered agent (its class, usually), imported.

    Raises:
        UnknownName: for a name that is not registered.
        InvalidInput: when its package cannot be loaded.
    """
    return _factory("agent", name)


# -- pieces ---------------------------------------------------------------------------------------------------------


def _register(kind: str, entry: _Entry) -> None:
    if not _NAME.fullmatch(entry.name):
        raise InvalidInput(
            f"{kind} name {entry.name!r}: use letters, digits, '-', '_' and '.', a letter or digit first"
        )
    module, _, attribute = entry.target.partition(":")
    if not module or not attribute:
        raise InvalidInput(f"{kind} {entry.name!r}: target must be 'package.module:Class', got {entry.target!r}")
    taken = _BUILT_IN[kind].get(entry.name)
    if taken is not None and taken != entry:
        raise InvalidInput(f"{kind} {entry.name!r} is registered already, as {taken.target}; choose another name")
    _BUILT_IN[kind][entry.name] = entry


@lru_cache(maxsize=len(_GROUPS))
def _plugins(kind: str) -> tuple[_Entry, ...]:
    """What installed packages declare; the scan of every distribution is done once per process."""
    found: dict[_Entry, None] = {}
    for point in importlib.metadata.entry_points(group=_GROUPS[kind]):
        provider = point.dist.name if point.dist is not None else "an installed package"
        entry = _Entry(point.name, point.value, f"from {provider}", provider, f"archgym/{point.name}-v0")
        found[entry] = None  # one distribution may be seen twice, through two entries of sys.path
    return tuple(found)


def _known(kind: str) -> dict[str, list[_Entry]]:
    """Every entry by name, sorted; a name with more than one entry is refused when it is used."""
    found: dict[str, list[_Entry]] = {}
    for entry in (*_BUILT_IN[kind].values(), *_plugins(kind)):
        found.setdefault(entry.name, []).append(entry)
    return dict(sorted(found.items()))


def _factory(kind: str, name: str) -> Callable[..., Any]:
    known = _known(kind)
    if name not in known:
        raise UnknownName(kind, name, known)
    entry, *others = known[name]
    if others:
        providers = " and ".join(f"{each.provider} ({each.target})" for each in known[name])
        raise InvalidInput(f"{kind} {name!r} is provided twice, by {providers}; uninstall one")
    module, _, attribute = entry.target.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except ArchGymError:
        raise
    except Exception as error:
        if entry.provider == "archgym" and not isinstance(error, ImportError):
            raise  # a bug of ours keeps its traceback; a plugin's is reported in one line
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise InvalidInput(
            f"{kind} {name!r} of {entry.provider} cannot be loaded from {entry.target}: {reason}"
        ) from error
    if not callable(found):
        raise InvalidInput(f"{kind} {name!r} of {entry.provider}: {entry.target} is not a class or function")
    return found  # type: ignore[no-any-return]


def _keywords(factory: Callable[..., Any], skip: int) -> dict[str, inspect.Parameter] | None:
    try:
        parameters = list(inspect.signature(factory).parameters.values())[skip:]
    except ValueError:  # compiled classes may have no signature to read; they check for themselves
        return None
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return None
    return {p.name: p for p in parameters if p.kind in {p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD}}


def _check_options(what: str, factory: Callable[..., Any], given: Mapping[str, Any], skip: int) -> None:
    """Refuse keywords the factory does not take; one with **keywords checks them itself."""
    allowed = _keywords(factory, skip)
    for name in given if allowed is not None else ():
        if name not in (allowed or ()):
            raise UnknownName(what, name, allowed or ())
    missing = [name for name, p in (allowed or {}).items() if p.default is p.empty and name not in given]
    if missing:
        raise InvalidInput(f"{what} is missing: {', '.join(missing)}")


def _built(kind: str, name: str, made: Any, expected: type[_Built]) -> _Built:
    if not isinstance(made, expected):
        raise InvalidInput(f"{kind} {name!r} built a {type(made).__name__}; it must be an archgym.{expected.__name__}")
    return made


# -- what comes with ArchGym: one line each -------------------------------------------------------------------------


def _ours() -> None:
    register_simulator(
        "block-dot", "archgym.rtl.envs.block_dot:BlockDot", gym_id="archgym/BlockDot-v0",
        summary="dot products of block formats in RTL: MX and NV, integer and float", provider="archgym",
    )  # fmt: skip
    register_simulator(
        "dram", "archgym.sims.dram.simulator:DramController", gym_id="archgym/DRAMController-v0",
        summary="cycle-accurate DRAM memory controller", provider="archgym",
    )  # fmt: skip
    register_simulator(
        "duplex", "archgym.sims.duplex.simulator:Duplex", gym_id="archgym/Duplex-v0",
        summary="LLM serving on GPUs with units in their memory", provider="archgym",
    )  # fmt: skip
    register_simulator(
        "float-unit", "archgym.rtl.envs.float_unit:FloatUnit", gym_id="archgym/FloatUnit-v0",
        summary="floating-point units in RTL, exact and approximate", provider="archgym",
    )  # fmt: skip
    register_simulator(
        "lut-tensor-core", "archgym.rtl.envs.lut_tensor_core:LutTensorCore", gym_id="archgym/LUTTensorCore-v0",
        summary="low-bit products by look-up in RTL, and its rivals", provider="archgym",
    )  # fmt: skip
    register_simulator(
        "npu", "archgym.sims.npu.simulator:SystolicNpu", gym_id="archgym/NPU-v0",
        summary="systolic NPU on neural networks", provider="archgym",
    )  # fmt: skip
    register_simulator(
        "neupims", "archgym.sims.neupims.simulator:NeuPims", gym_id="archgym/NeuPIMs-v0",
        summary="LLM decoding on an NPU with PIM, and its baselines", provider="archgym",
    )  # fmt: skip
    register_simulator(
        "rtl", "archgym.rtl.own.simulator:OwnRtl", gym_id="archgym/RTL-v0",
        summary="your own RTL: its parameters and the clock", provider="archgym",
    )  # fmt: skip
    register_simulator(
        "tensor-engine", "archgym.rtl.envs.tensor_engine:TensorEngine", gym_id="archgym/TensorEngine-v0",
        summary="tensor engines in RTL: arrays, multipliers, accumulation", provider="archgym",
    )  # fmt: skip
    for name, target, summary in (
        ("random", "random_search:RandomSearch", "uniform random search"),
        ("coordinate", "coordinate:CoordinateSweep", "one parameter at a time, with restarts"),
        ("hill-climb", "hill_climb:HillClimb", "best of a few neighbours, with restarts"),
        ("annealing", "annealing:SimulatedAnnealing", "simulated annealing"),
        ("genetic", "genetic:Genetic", "genetic algorithm (pymoo), NSGA-II for several costs"),
        ("ant-colony", "ant_colony:AntColony", "ant colony with bounded pheromones"),
        ("cma-es", "cma_es:CmaEs", "CMA-ES on the unit cube, floor-decoded"),
        ("tpe", "tpe:TPE", "tree-structured Parzen estimator (Optuna)"),
        ("gp", "gp:GaussianProcess", "Gaussian-process optimisation (Optuna; extra: bo)"),
        ("ppo", "ppo:PPO", "proximal policy optimisation (Stable-Baselines3; extra: rl)"),
    ):
        register_agent(name, f"archgym.agents.{target}", summary=summary, provider="archgym")


_ours()
