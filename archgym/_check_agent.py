"""The conformance suite for agents; users import it as `archgym.testing.check_agent`."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias, final

import numpy as np

from archgym.core import Agent, Designs, Evaluations, Floats, Metric
from archgym.errors import AgentMisuse, InvalidInput
from archgym.objectives import PENALTY
from archgym.space import Constraint, DesignSpace, Parameter

__all__ = ["check_agent"]

AgentFactory: TypeAlias = Callable[..., Agent]
"""Called as `factory(space, seed=seed, **hyper)`; an Agent class is one."""

CostFunction: TypeAlias = Callable[[Designs], Floats]
"""Maps int32[n, d] to float64[n, k]."""

_BATCHES = (1, 7, 64)  # sizes asked for in turn
_UNKNOWN = "no_such_hyper_parameter"
_PATIENCE = 50  # times a space's size that proposals may take to cover it: a search is called stalled after as many


def check_agent(agent: str | AgentFactory, *, evaluations: int = 60, **hyper: Any) -> None:
    """Check that an agent keeps the contract of `archgym.core.Agent`.

    Proposals have the right type, shape and range and meet the constraints; the same seed and answers give the same
    proposals, other seeds give others; part of a batch may be answered; one or several costs and penalties are taken;
    spaces from 1 design to 16^40 are searched and every choice is reachable; unknown hyper-parameters are refused; no
    global random state is used and nothing passed in is changed.

    Args:
        agent: a registered name, or an agent class or factory.
        evaluations: designs scored per check; slow agents may be checked with fewer.
        hyper: hyper-parameters to build the agent with.

    Raises:
        AssertionError: for the first rule that is broken; says which and how.
    """
    suite = _Suite(_factory(agent), evaluations, hyper)
    suite.check_spaces()
    suite.check_costs()
    suite.check_seeds()
    suite.check_partial_answers()
    suite.check_misuse()
    suite.check_reach()
    suite.check_hyper()


def _factory(agent: str | AgentFactory) -> AgentFactory:
    if not isinstance(agent, str):
        return agent
    from archgym import catalog

    name = agent
    return lambda space, **options: catalog.agent(name, space, **options)


@final
class _Suite:
    def __init__(self, make: AgentFactory, evaluations: int, hyper: dict[str, Any]) -> None:
        self.make, self.evaluations, self.hyper = make, evaluations, hyper

    def check_spaces(self) -> None:
        """From one design to more than 2^63, with and without constraints."""
        for name, space in _SPACES.items():
            designs = self.proposals(space, _bowl)
            _require(space.feasible(designs).all(), f"proposed a design that breaks a constraint ({name} space)")
            if space.size <= 2:
                found = len(np.unique(designs, axis=0))
                _require(found == space.size, f"proposed {found} of {space.size} designs ({name} space)")

    def check_costs(self) -> None:
        """Several costs, penalties, equal costs: every finite table is taken."""
        for cost in (_two_costs, _penalised, _hopeless, _flat):
            self.proposals(_SPACES["mixed"], cost)

    def check_seeds(self) -> None:
        """A seed fixes every proposal, and no other random state is used."""
        space = _SPACES["huge"]
        before = (random.getstate(), np.random.get_state())  # noqa: NPY002  # what must not be touched
        first, again = self.proposals(space, _bowl, seed=1), self.proposals(space, _bowl, seed=1)
        after = (random.getstate(), np.random.get_state())  # noqa: NPY002
        _require(repr(before) == repr(after), "changed the global random state; use numpy.random.default_rng(seed)")
        _require(np.array_equal(first, again), "proposed other designs with the same seed and the same answers")
        other = self.proposals(space, _bowl, seed=2)
        _require(not np.array_equal(first[: len(other)], other[: len(first)]), "proposed the same with another seed")

    def check_partial_answers(self) -> None:
        """The caller may answer only the first part of a batch, for instance when its budget ends."""
        space = _SPACES["mixed"]
        agent = self.agent(space)
        for designs in _asked(agent, space, self.evaluations):
            _tell(agent, designs[: (len(designs) + 1) // 2], _bowl)

    def check_misuse(self) -> None:
        """Asking twice, or telling what was not asked, works or is refused with `AgentMisuse`; nothing else."""
        space = _SPACES["mixed"]
        agent = self.agent(space)
        _valid(agent.ask(4), space, 4)
        try:
            _valid(agent.ask(4), space, 4)
        except AgentMisuse as error:
            _require("tell" in str(error), f"the message of AgentMisuse must say what to call, got {error}")
        agent = self.agent(space)
        asked = {row.tobytes() for row in agent.ask(4)}
        foreign = np.stack([row for row in space.sample(64, np.random.default_rng(0)) if row.tobytes() not in asked])
        try:
            _tell(agent, foreign[:1], _bowl)
        except AgentMisuse as error:
            _require(bool(str(error)), "AgentMisuse needs a message that says what to do instead")

    def check_reach(self) -> None:
        """Every choice of every parameter is proposed sooner or later."""
        space = _SPACES["mixed"]
        agent = self.agent(space)
        missing = {(column, value) for column, count in enumerate(space.cardinalities) for value in range(count)}
        noise = np.random.default_rng(0)
        for designs in _asked(agent, space, _PATIENCE * self.evaluations):
            missing -= {(column, int(value)) for row in designs for column, value in enumerate(row)}
            if not missing:
                return
            _tell(agent, designs, lambda rows: noise.random((len(rows), 1)))
        never = ", ".join(
            f"{space.names[column]}={space.parameters[column].choices[v]}" for column, v in sorted(missing)
        )
        raise AssertionError(f"never proposed {never} in {_PATIENCE * self.evaluations} proposals")

    def check_hyper(self) -> None:
        """An unknown hyper-parameter is refused, by name."""
        try:
            self.make(_SPACES["mixed"], seed=0, **self.hyper, **{_UNKNOWN: 1})
        except InvalidInput as error:
            _require(_UNKNOWN in str(error), f"the message must name the unknown hyper-parameter, got {error}")
        except TypeError as error:
            raise AssertionError(
                f"raise archgym.errors.UnknownName for an unknown hyper-parameter, not {error!r}"
            ) from error
        else:
            raise AssertionError(f"accepted the unknown hyper-parameter {_UNKNOWN}")

    def agent(self, space: DesignSpace, seed: int = 0) -> Agent:
        agent = self.make(space, seed=seed, **self.hyper)
        _require(agent.space is space, "agent.space must be the space it was built with")
        _require(bool(agent.name), "an agent needs a name")
        return agent

    def proposals(self, space: DesignSpace, cost: CostFunction, seed: int = 0) -> Designs:
        """Everything proposed while `evaluations` designs are scored, in order."""
        agent = self.agent(space, seed)
        batches = []
        for designs in _asked(agent, space, self.evaluations):
            batches.append(designs)
            _tell(agent, designs, cost)
        return np.concatenate(batches)


def _asked(agent: Agent, space: DesignSpace, total: int) -> Iterator[Designs]:
    """Batches of at least `total` designs, each checked."""
    count, turn = 0, 0
    while count < total:
        n = _BATCHES[turn % len(_BATCHES)]
        designs = _valid(agent.ask(n), space, n)
        yield designs
        count, turn = count + len(designs), turn + 1


def _valid(designs: Any, space: DesignSpace, n: int) -> Designs:
    kind = f"{type(designs).__name__} {getattr(designs, 'dtype', '')}{getattr(designs, 'shape', '')}"
    right = isinstance(designs, np.ndarray) and designs.dtype == np.int32
    _require(right and designs.shape[1:] == (len(space),), f"ask({n}) must return int32[*, {len(space)}], got {kind}")
    _require(1 <= len(designs) <= n, f"ask({n}) must return 1 to {n} designs, got {len(designs)}")
    outside = designs[np.any((designs < 0) | (designs >= space.cardinalities), axis=1)]
    _require(not len(outside), f"ask({n}) returned a design outside the space: {outside.tolist()[:1]}")
    return np.array(designs)


def _tell(agent: Agent, designs: Designs, cost: CostFunction) -> None:
    costs = cost(designs)
    metrics = [Metric(f"cost_{column}", "1") for column in range(costs.shape[1])]
    table = (designs.copy(), Evaluations.of(metrics, costs), costs)
    for array in (table[0], table[2]):
        array.flags.writeable = False  # writing into what the caller still uses raises, and fails the check
    agent.tell(*table)


def _require(condition: Any, message: str) -> None:
    if not condition:
        raise AssertionError(f"check_agent: {message}")


# -- spaces and costs the suite uses ----------------------------------------------------------------------------------


def _parameters(cardinalities: tuple[int, ...]) -> list[Parameter]:
    """Every second parameter is ordinal."""
    return [
        Parameter(f"p{i}", tuple(range(count)), "ordinal" if i % 2 else "categorical")
        for i, count in enumerate(cardinalities)
    ]


def _sum_allowed(columns: Any) -> Any:
    return (columns["p0"] + columns["p1"] + columns["p2"]) % 4 == 0


_SPACES = {
    "one-design": DesignSpace(_parameters((1,))),
    "two-design": DesignSpace(_parameters((2,))),
    "mixed": DesignSpace([*_parameters((5, 4, 3, 1)), Parameter("flag", (False, True), "boolean")]),
    "constrained": DesignSpace(
        _parameters((5, 4, 3)), [Constraint("p0 + p1 + p2 must be a multiple of 4", _sum_allowed)]
    ),
    "huge": DesignSpace(_parameters((16,) * 40)),
}


def _bowl(designs: Designs) -> Floats:
    return np.asarray(np.square(designs - 1.0).sum(axis=1, keepdims=True))


def _two_costs(designs: Designs) -> Floats:
    return np.column_stack([designs.sum(axis=1), np.square(designs - 3.0).sum(axis=1) * 1e-6]).astype(np.float64)


def _penalised(designs: Designs) -> Floats:
    return np.asarray(np.where(designs[:, :1] > 1, PENALTY * (1.0 + designs[:, :1]), _bowl(designs)))


def _hopeless(designs: Designs) -> Floats:
    return PENALTY * (1.0 + _bowl(designs))


def _flat(designs: Designs) -> Floats:
    return np.zeros((len(designs), 1))
