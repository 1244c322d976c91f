"""A batch of episodes whose designs are scored in one simulator call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from archgym.core import Floats, Simulator
from archgym.env import make_episodes
from archgym.errors import AgentMisuse, InvalidInput, UnknownName
from archgym.formulations import Flags, View
from archgym.objectives import Objective

__all__ = ["DesignVectorEnv", "make_vec"]

_MODES = {mode.value: mode for mode in (AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP)}


def make_vec(simulator: str | Simulator, num_envs: int, **settings: Any) -> DesignVectorEnv:
    """A vector environment from a registered name, a Gymnasium id or a simulator.

    `gymnasium.make_vec("archgym/DRAMController-v0", num_envs=64)` gives the same.

    Raises:
        UnknownName: for an unknown name or option; suggests the nearest.
        InvalidInput: for a value that makes no sense.
    """
    if isinstance(simulator, str):
        from archgym import catalog

        simulator = catalog.environments().get(simulator, simulator)
    return DesignVectorEnv(simulator, num_envs=num_envs, **settings)


@final
class DesignVectorEnv(VectorEnv[View, NDArray[np.integer], NDArray[Any]]):
    """`num_envs` episodes; each `step` is one call of `Simulator.simulate`, whatever `num_envs` is.

    Everything else is as in `archgym.env.DesignEnv`; one budget covers the batch. `autoreset_mode` is "NextStep"
    (Gymnasium's default: a finished row is reset by the next step, which ignores its action) or "SameStep" (reset at
    once, the last observation and info under `final_obs` and `final_info`; resetting "local" is a second call).
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 (Gymnasium declares it so)
        "render_modes": [],
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }

    def __init__(
        self,
        simulator: str | Simulator,
        *,
        num_envs: int = 1,
        workload: str | None = None,
        objective: str | Mapping[str, Any] | Objective | None = None,
        formulation: str = "design",
        horizon: int | None = None,
        reward: str | None = None,
        budget: int | None = None,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        **options: Any,
    ) -> None:
        """Build a batch; see `DesignEnv` for the arguments shared with it.

        Raises:
            UnknownName: for an unknown name or option; suggests the nearest.
            InvalidInput: for a value that makes no sense.
        """
        if not (type(num_envs) is int and num_envs >= 1):
            raise InvalidInput(f"num_envs must be a whole number of at least 1, got {num_envs!r}")
        mode = autoreset_mode.value if isinstance(autoreset_mode, AutoresetMode) else autoreset_mode
        if mode not in _MODES:
            raise UnknownName("autoreset_mode", mode, _MODES)
        self.num_envs = num_envs
        self.metadata = {**type(self).metadata, "autoreset_mode": _MODES[mode]}
        self.episodes = make_episodes(
            simulator, workload, objective, options,
            n=num_envs, formulation=formulation, horizon=horizon, reward=reward, budget=budget,
        )  # fmt: skip
        self.single_action_space = self.episodes.form.action_space
        self.single_observation_space = self.episodes.form.observation_space
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self._ended: Flags | None = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[View, dict[str, Any]]:
        """Begin every episode; see `DesignEnv.reset` (a design in `options` is every row's)."""
        super().reset(seed=seed)
        everyone = np.arange(self.num_envs)
        step = self.episodes.advance(everyone[:0], everyone[:0], everyone, self.np_random, options)
        self._ended = np.zeros(self.num_envs, dtype=np.bool_)
        return step.observations, self._joined(step.infos)

    def step(self, actions: NDArray[np.integer]) -> tuple[View, Floats, Flags, Flags, dict[str, Any]]:
        """Take one action in every row that is not being reset.

        Raises:
            AgentMisuse: before `reset`.
            InvalidInput: for actions outside the action space.
        """
        if self._ended is None:
            raise AgentMisuse("step() needs running episodes; call reset() first")
        chosen = np.asarray(actions)
        if not np.issubdtype(chosen.dtype, np.integer) or chosen.shape != self.action_space.shape:
            raise InvalidInput(f"actions must be integers of shape {self.action_space.shape}, got {chosen!r}")
        act, restart = np.flatnonzero(~self._ended), np.flatnonzero(self._ended)
        step = self.episodes.advance(act, chosen[act], restart, self.np_random)
        ended = step.terminated | step.truncated
        if self.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP:
            self._ended = ended
            return step.observations, step.rewards, step.terminated, step.truncated, self._joined(step.infos)
        observations, infos = step.observations, step.infos
        done = np.flatnonzero(ended)
        if len(done):
            fresh = self.episodes.advance(act[:0], chosen[:0], done, self.np_random)
            for row in done:
                infos[row] = {**fresh.infos[row], "final_obs": observations[row], "final_info": infos[row]}
            observations = fresh.observations
        return observations, step.rewards, step.terminated, step.truncated, self._joined(infos)

    def _joined(self, infos: list[dict[str, Any]]) -> dict[str, Any]:
        """One dictionary of arrays, Gymnasium's form: `info[key][row]` is there where `info["_" + key][row]`."""
        joined = self._object_columns(infos)
        finals = [info["final_info"] for info in infos if "final_info" in info]
        if finals:
            joined["final_info"] = self._object_columns(finals)
        for row, info in enumerate(infos):
            joined = self._add_info(joined, info, row)
        return joined

    def _object_columns(self, infos: list[dict[str, Any]]) -> dict[str, Any]:
        """Columns for designs: Gymnasium would take a column's type from its first row, and choices may mix types."""
        if not any("design" in info for info in infos):
            return {}
        names = self.episodes.simulator.space.names
        return {"design": {name: np.full(self.num_envs, None, dtype=object) for name in names}}
