"""Any registered simulator as a Gymnasium environment.

    import archgym, gymnasium
    env = gymnasium.make("archgym/DRAMController-v0", workload="random", objective="low-latency", formulation="local")

Three formulations of the same search: `design` (one step chooses a whole design; an episode is `horizon` designs, 1 by
default), `sequential` (one parameter a step, reward at the end), `local` (a step sets one parameter of the current
design; truncated at `horizon`, 2 d by default).
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, cast, final

import gymnasium
import numpy as np
from numpy.typing import NDArray

from archgym import catalog
from archgym.core import Simulator
from archgym.episodes import Episodes, Step
from archgym.errors import AgentMisuse, InvalidInput, UnknownName
from archgym.formulations import View
from archgym.objectives import Objective, objective as make_objective

__all__ = ["DesignEnv", "make_episodes"]

_ROW = np.zeros(1, dtype=np.intp)
_NO_ROW = np.zeros(0, dtype=np.intp)
_NO_ACTION = np.zeros(0, dtype=np.int64)


@final
class DesignEnv(gymnasium.Env[View, Any]):
    """One design search as episodes.

    Observations are float32, finite and bounded: metrics on a bounded logarithmic scale and a flag that says they are
    there, choices as numbers in [0, 1]. Rewards are the objective's (bigger is better; see `Objective.rewards`),
    finite for every design: one that breaks a constraint gets -100 to -101, one without numbers -102.

    `info` of a step that made a whole design: `design`, `metrics` (empty without numbers), `cost` (what searches are
    ranked by), `status`, `reason`; always: `distinct` (designs charged), `simulated`, `budget_left` when there is a
    budget, and `action_mask` where some actions lead nowhere new (`sequential`, `local`; also by `action_masks`).
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 (Gymnasium declares it so)
        "render_modes": ["ansi"],
        "render_fps": 1,
    }

    def __init__(
        self,
        simulator: str | Simulator,
        *,
        workload: str | None = None,
        objective: str | Mapping[str, Any] | Objective | None = None,
        formulation: str = "design",
        horizon: int | None = None,
        reward: str | None = None,
        budget: int | None = None,
        render_mode: str | None = None,
        **options: Any,
    ) -> None:
        """Build an environment.

        Args:
            simulator: a simulator or a registered name.
            workload: what to run; the simulator's first by default.
            objective: what `archgym.objective` takes; by default the simulator's first metric that has a direction.
            formulation: "design", "sequential" or "local".
            horizon: steps an episode (not for "sequential", which has one a parameter).
            reward: "value" of the new design, or its "improvement" over the last one ("local" only, its default).
            budget: how many distinct designs may be simulated in this environment's life; then episodes are truncated.
            render_mode: "ansi": `render` returns the current design and its metrics as text.
            options: the simulator's own.

        Raises:
            UnknownName: for an unknown name or option; suggests the nearest.
            InvalidInput: for a value that makes no sense.
        """
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise UnknownName("render mode", render_mode, self.metadata["render_modes"])
        self.render_mode = render_mode
        self.episodes = make_episodes(
            simulator, workload, objective, options,
            n=1, formulation=formulation, horizon=horizon, reward=reward, budget=budget,
        )  # fmt: skip
        self.action_space = self.episodes.form.action_space
        self.observation_space = cast("gymnasium.Space[View]", self.episodes.form.observation_space)
        self._running = False
        self._info: dict[str, Any] = {}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[View, dict[str, Any]]:
        """Begin an episode.

        Args:
            seed: seeds the random starting designs of "local".
            options: {"design": dictionary or indices} starts "local" there, and shows "design" that design's metrics.

        Raises:
            UnknownName: for another option, or an unknown parameter or value.
        """
        super().reset(seed=seed)
        step = self.episodes.advance(_NO_ROW, _NO_ACTION, _ROW, self.np_random, options)
        self._running, self._info = True, step.infos[0]
        return step.observations[0], step.infos[0]

    def step(self, action: Any) -> tuple[View, float, bool, bool, dict[str, Any]]:
        """Take one action.

        Raises:
            AgentMisuse: before `reset`, or when the episode has ended.
            InvalidInput: for an action outside the action space.
        """
        if not self._running:
            raise AgentMisuse("step() needs a running episode; call reset() first")
        step = self._advance(np.asarray(action))
        self._info = step.infos[0]
        ended = bool(step.terminated[0]), bool(step.truncated[0])
        self._running = not any(ended)
        return step.observations[0], float(step.rewards[0]), *ended, step.infos[0]

    def _advance(self, action: NDArray[Any]) -> Step:
        if not np.issubdtype(action.dtype, np.integer) or action.shape != self.action_space.shape:
            raise InvalidInput(f"action must be in {self.action_space}, got {action!r}")
        return self.episodes.advance(_ROW, action[None], _NO_ROW, self.np_random)

    def action_masks(self) -> NDArray[np.bool_]:
        """Which actions lead somewhere new: what sb3-contrib's MaskablePPO asks for.

        Raises:
            AgentMisuse: for the formulation "design", where every action does.
        """
        masks = self.episodes.form.masks()
        if masks is None:
            raise AgentMisuse("formulation 'design' has no action mask: every action is a design")
        return np.asarray(masks[0], dtype=np.bool_)

    def render(self) -> str | None:
        """The current design and its metrics as text, in render mode "ansi"."""
        if self.render_mode is None:
            gymnasium.logger.warn("render() needs a render mode: gymnasium.make(..., render_mode='ansi')")
            return None
        lines = [f"{name} = {value}" for name, value in self._info.get("design", {}).items()]
        lines += [f"  {name}: {value:g}" for name, value in self._info.get("metrics", {}).items()]
        return "\n".join(lines) or "no design scored yet"


def make_episodes(
    simulator: str | Simulator,
    workload: str | None,
    objective: str | Mapping[str, Any] | Objective | None,
    options: Mapping[str, Any],
    **settings: Any,
) -> Episodes:
    """Resolve names and defaults; `settings` are those of `Episodes`.

    Raises:
        UnknownName: for an unknown name or option; suggests the nearest.
        InvalidInput: for a value that makes no sense.
    """
    made = _simulator(simulator, options)
    chosen = made.workloads[0] if workload is None else workload
    made.workload_fingerprint(chosen)  # an unreadable file is refused here, not at the first step
    goal = _first_goal(made) if objective is None else objective
    return Episodes(made, chosen, make_objective(goal), **settings)


def _simulator(simulator: str | Simulator, options: Mapping[str, Any]) -> Simulator:
    if isinstance(simulator, Simulator):
        if options:
            raise InvalidInput(f"options {', '.join(options)} need a simulator's name, got one that is built already")
        return simulator
    allowed = catalog.simulator_options(simulator)
    own = [name for name, p in inspect.signature(DesignEnv).parameters.items() if p.kind is p.KEYWORD_ONLY]
    for name in options if allowed is not None else ():
        if name not in (allowed or ()):
            raise UnknownName(f"option of environment {simulator}", name, [*own, *(allowed or ())])
    return catalog.simulator(simulator, **options)


def _first_goal(simulator: Simulator) -> Mapping[str, Any]:
    for metric in simulator.metrics:
        if metric.direction != "none":
            return {metric.direction: metric.name}
    names = ", ".join(metric.name for metric in simulator.metrics)
    raise InvalidInput(f"simulator {simulator.name} has no metric with a direction; give objective=, from: {names}")
