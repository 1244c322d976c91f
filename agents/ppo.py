"""Proximal policy optimisation: Schulman et al., "Proximal Policy Optimization Algorithms", arXiv 1707.06347, by SB3.

Two formulations of design as a decision process: `design` chooses all parameters in one step, `sequential` one a step,
each seeing the choices before it. Policy, rollout buffer and update are Stable-Baselines3's (its maskable PPO, so that
parameters may differ in their choices); the loop is turned inside out, because here the caller evaluates: `ask` runs
the policy, `tell` fills the buffer and trains. Rewards are ranks within a rollout: neither scale nor penalty matters.
"""

from __future__ import annotations

import importlib.util
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from archgym.core import Agent, Designs, Evaluations, Floats
from archgym.dialogue import Dialogue, Search
from archgym.errors import MissingDependency
from archgym.hyper import HyperParameters, parse_hyper
from archgym.moves import repair
from archgym.space import DesignSpace
from archgym.tradeoff import Tradeoff

if TYPE_CHECKING:
    from sb3_contrib import MaskablePPO
    from torch import Tensor

    Step = tuple[
        Floats, NDArray[np.int64], Tensor, Tensor, NDArray[np.bool_]
    ]  # what the rollout buffer keeps of a step

_LIBRARIES = {"torch": "torch", "stable_baselines3": "stable-baselines3", "sb3_contrib": "sb3-contrib"}


@final
class PPO(Agent):
    """Learns a policy that draws good designs; starts over when it draws nothing new."""

    name = "ppo"

    class Hyper(HyperParameters):
        """Hyper-parameters of PPO."""

        formulation: Literal["design", "sequential"] = Field("design", description="all parameters a step, or one")
        rollout: int = Field(32, ge=4, le=100_000, description="designs per policy update")
        learning_rate: float = Field(3e-3, gt=0, le=1, description="step size of Adam")
        epochs: int = Field(10, ge=1, le=1000, description="passes over a rollout per update")
        clip: float = Field(0.2, gt=0, le=1, description="largest change of a choice's probability ratio per update")
        entropy: float = Field(0.01, ge=0, le=10, description="weight of the entropy bonus that keeps the policy open")
        width: int = Field(32, ge=1, le=4096, description="units in each of the two hidden layers")
        patience: int = Field(5, ge=1, description="rollouts without a new design before a fresh policy")

    def __init__(self, space: DesignSpace, seed: int = 0, **hyper: Any) -> None:
        """Search `space`; the seed fixes every proposal.

        Raises:
            MissingDependency: where torch or Stable-Baselines3 is not installed.
        """
        for module, library in _LIBRARIES.items():
            if importlib.util.find_spec(module) is None:
                raise MissingDependency(library, "rl", "agent ppo")
        self.space = space
        self.hyper = parse_hyper(self.Hyper, self.name, hyper)
        self._rng = np.random.default_rng(seed)
        self._random = _Randomness()
        self._tradeoff = Tradeoff()
        self._dialogue = Dialogue(self._search())

    def ask(self, n: int) -> Designs:
        """Designs drawn from the policy."""
        return self._dialogue.ask(n)

    def tell(self, designs: Designs, evaluations: Evaluations, costs: Floats) -> None:
        """Update the policy once the rollout is scored."""
        self._dialogue.tell(designs, costs)

    def _search(self) -> Search:
        k = len((yield self.space.sample(1, self._rng))[0])
        seen: set[bytes] = set()
        while True:
            yield from self._policy(k, seen)

    def _policy(self, k: int, seen: set[bytes]) -> Search:
        """Train one policy from scratch until it repeats itself."""
        with self._random.own():
            model = self._model(k)
        idle = 0
        while idle < self.hyper.patience:
            # A policy for k costs sees the weights it is judged by, drawn anew for each design.
            weights = self._rng.dirichlet(np.ones(k), size=self.hyper.rollout)
            with self._random.own():
                chosen, steps = self._rollout(model, weights)
            designs = repair(self.space, chosen, self._rng)
            costs = yield designs
            self._tradeoff.see(costs)
            with self._random.own():
                _train(model, steps, _ranks(self._tradeoff.score(costs, weights)))
            before = len(seen)
            seen.update(design.tobytes() for design in self.space.canonical(designs))
            idle = 0 if len(seen) > before else idle + 1

    def _model(self, k: int) -> MaskablePPO:
        import torch
        from gymnasium import spaces
        from sb3_contrib import MaskablePPO
        from stable_baselines3.common.logger import Logger

        torch.set_num_threads(1)  # a network this small is slower on two threads, and parallel sums differ in order
        own, d = self.hyper, len(self.space)
        model = MaskablePPO(
            "MlpPolicy",
            env=None,  # type: ignore[arg-type]  # as SB3's own load() does: the spaces follow
            n_steps=1 if own.formulation == "design" else d,
            batch_size=max(2, own.rollout // 2) * (1 if own.formulation == "design" else d),
            n_epochs=own.epochs,
            learning_rate=own.learning_rate,
            clip_range=own.clip,
            ent_coef=own.entropy,
            gamma=1.0,  # an episode is one design, its reward comes at the end
            gae_lambda=1.0,
            seed=int(self._rng.integers(2**31)),
            device="cpu",
            policy_kwargs={"net_arch": [own.width, own.width]},
            _init_setup_model=False,
        )
        model.n_envs = own.rollout
        if own.formulation == "design":
            model.observation_space = spaces.Box(0.0, 1.0, (k,))
            model.action_space = self.space.to_gymnasium()
        else:
            model.observation_space = spaces.Box(0.0, 1.0, (k + d + int(self.space.cardinalities.sum()),))
            model.action_space = spaces.Discrete(int(self.space.cardinalities.max()))
        model._setup_model()  # noqa: SLF001  # the public constructor calls it too, but only with an environment
        model.set_logger(Logger(None, []))
        return model

    def _rollout(self, model: MaskablePPO, weights: Floats) -> tuple[Designs, list[Step]]:
        """Draw one rollout of designs, int32[rollout, d], with the steps that led to them."""
        if self.hyper.formulation == "design":
            masks = np.ones((len(weights), int(self.space.cardinalities.sum())), dtype=np.bool_)
            step = _act(model, weights, masks)
            return step[1].astype(np.int32), [step]
        d, offsets = len(self.space), np.cumsum([0, *self.space.cardinalities])
        designs = np.zeros((len(weights), d), dtype=np.int32)
        chosen = np.zeros((len(weights), offsets[-1]))
        rows = np.arange(len(weights))
        steps = []
        for column in range(d):
            position = np.tile(np.eye(d)[column], (len(weights), 1))
            mask = np.arange(self.space.cardinalities.max()) < self.space.cardinalities[column]
            step = _act(model, np.hstack([weights, position, chosen]), np.tile(mask, (len(weights), 1)))
            designs[:, column] = step[1].ravel()
            chosen[rows, offsets[column] + designs[:, column]] = 1.0
            steps.append(step)
        return designs, steps


def _act(model: MaskablePPO, observations: Floats, masks: NDArray[np.bool_]) -> Step:
    import torch

    with torch.no_grad():
        seen = torch.as_tensor(observations, dtype=torch.float32)
        actions, values, log_probabilities = model.policy(seen, action_masks=masks)
    return observations, actions.numpy(), values, log_probabilities, masks


def _train(model: MaskablePPO, steps: list[Step], rewards: Floats) -> None:
    """One PPO update: only the last step of an episode is rewarded."""
    buffer = model.rollout_buffer
    buffer.reset()
    n, last = len(rewards), len(steps) - 1
    for number, (observations, actions, values, log_probabilities, masks) in enumerate(steps):
        reward = rewards if number == last else np.zeros(n)
        start = np.full(n, number == 0)
        buffer.add(observations, actions, reward, start, values, log_probabilities, action_masks=masks)
    buffer.compute_returns_and_advantage(last_values=steps[-1][2], dones=np.ones(n))
    model.train()


def _ranks(scores: Floats) -> Floats:
    """Rewards from 1 (the lowest score) to -1; equal scores get equal rewards."""
    _, ranks = np.unique(scores, return_inverse=True)
    return np.asarray(1.0 - 2.0 * ranks / max(1, int(ranks.max())))


@final
class _Randomness:
    """Lends SB3, which draws from the global generators, generators of its own, and puts the caller's back."""

    def __init__(self) -> None:
        self._mine: tuple[Any, Any, Any] | None = None

    @contextmanager
    def own(self) -> Iterator[None]:
        """Within this block the global generators of Python, NumPy and torch are this agent's."""
        theirs = _global_state()
        if self._mine is not None:
            _set_global_state(self._mine)
        try:
            yield
        finally:
            self._mine = _global_state()
            _set_global_state(theirs)


def _global_state() -> tuple[Any, Any, Any]:
    import torch

    return random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002  # SB3 draws from it


def _set_global_state(state: tuple[Any, Any, Any]) -> None:
    import torch

    random.setstate(state[0])
    np.random.set_state(state[1])  # noqa: NPY002  # SB3 draws from it
    torch.set_rng_state(state[2])
