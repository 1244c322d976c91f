"""A point to measure and what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from archgym.core import INFEASIBLE, Metric
from archgym.errors import InvalidInput, UnknownName
from archgym.rtl.block import Block, Draw, Stimulus, Streams, uniform
from archgym.rtl.flow.recipe import EFFORTS

__all__ = ["METRICS", "Measured", "Point", "Workload"]

METRICS = (
    Metric("area_um2", "um2", "minimize", "Standard cells, without routing."),
    Metric("area_nand2", "NAND2", "minimize", "The same in equivalents of the library's smallest NAND2."),
    Metric("sequential_area_um2", "um2", "minimize", "Flip-flops alone."),
    Metric("cells", "", "minimize", "Standard cells."),
    Metric("flops", "", "minimize", "Flip-flops."),
    Metric("critical_path_ns", "ns", "minimize", "Shortest period that closes every path."),
    Metric("clock_ns", "ns", "minimize", "Period of the clock."),
    Metric("frequency_mhz", "MHz", "maximize", "At which power and throughput are stated."),
    Metric(
        "dynamic_mw",
        "mW",
        "minimize",
        "On the workload; with glitches, inputs and clock pins.",
    ),
    Metric("leakage_mw", "mW", "minimize", "Leakage power with the states of the workload."),
    Metric("power_mw", "mW", "minimize", "Dynamic and leakage."),
    Metric("macs_per_cycle", "", "maximize", "Multiply-accumulates a cycle, once the pipeline is full."),
    Metric("energy_per_mac_pj", "pJ", "minimize", "Of what was simulated, filling and draining included."),
    Metric("throughput_gops", "GOPS", "maximize", "Two operations a multiply-accumulate."),
    Metric("tops_per_w", "TOPS/W", "maximize", "Throughput over power: once the pipeline is full."),
    Metric("tops_per_mm2", "TOPS/mm2", "maximize", "Throughput over area."),
    Metric("tops_per_w_mm2", "TOPS/(W mm2)", "maximize", "Throughput over power and area."),
)
"""Everything `measure` says of a point; those with MACs are NaN for blocks that compute none."""


@final
@dataclass(frozen=True)
class Workload:
    """What is computed while activity is counted: 64 independent stimuli of a block."""

    name: str = "uniform"
    """Identifies `draw` in the cache."""
    draw: Draw = uniform
    """Distribution of the operands."""
    beats: int = 64
    """About how many input beats a stimulus has."""
    seed: int = 0
    streams: tuple[Streams, ...] = ()
    """The stimuli themselves, up to 64, instead of drawn ones."""
    make: Stimulus | None = None
    """Makes the beats instead of the block's own stimulus (whole tiles of a product, say); `name` identifies it."""

    def __post_init__(self) -> None:
        """Refuse a workload without a beat."""
        if self.beats < 1:
            raise InvalidInput(f"workload {self.name!r} has {self.beats} beats; it needs at least 1")

    def lanes(self, block: Block, parameters: Mapping[str, int], lanes: int, scale: int = 1) -> list[Streams]:
        """The stimuli for a point; drawn ones have `scale` times the beats."""
        if self.streams:
            return list(self.streams)
        seeds = [np.random.default_rng([self.seed, lane]) for lane in range(lanes)]
        # Two lengths: the difference of their cycles is the time of the beats alone, without filling and draining.
        beats = [self.beats * scale * (1 + lane % 2) for lane in range(lanes)]
        make = self.make or block.stimulus
        return [make(parameters, rng, each, self.draw) for rng, each in zip(seeds, beats, strict=True)]


@final
@dataclass(frozen=True)
class Point:
    """A block with parameters, in a technology, at a clock."""

    block: Block
    parameters: Mapping[str, int]
    technology: str = "generic45"
    """Name of a technology, or path of a Liberty file."""
    clock_ns: float | None = None
    """Period that must close; None searches the shortest that does."""
    workload: Workload = field(default_factory=Workload)
    hierarchical: bool | None = None
    """Whether the block's repeated modules are mapped once; None where it has any."""
    effort: str = "normal"
    """How many recipes are tried: "quick", "normal", "high"."""
    frequency_mhz: float | None = None
    """At which power and throughput are stated; None is one over the clock."""
    glitches: bool = True
    """Whether power includes transitions within a cycle (`archgym.rtl.flow.glitches`)."""

    def __post_init__(self) -> None:
        """Refuse values that no run could mean."""
        if self.effort not in EFFORTS:
            raise UnknownName("effort", self.effort, EFFORTS)
        for name in ("clock_ns", "frequency_mhz"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise InvalidInput(f"{name} = {value!r}; it must be above 0")
        known = [parameter.name for parameter in self.block.parameters]
        for name in self.parameters:
            if name not in known:
                raise UnknownName(f"parameter of {self.block.name}", name, known)
        missing = [name for name in known if name not in self.parameters]
        if missing:
            raise InvalidInput(f"{self.block.name} needs a value of {', '.join(missing)}; got {dict(self.parameters)}")

    @property
    def keeps_hierarchy(self) -> bool:
        """Whether it is synthesised hierarchically."""
        return bool(self.block.keep) if self.hierarchical is None else self.hierarchical


@final
@dataclass(frozen=True)
class Measured:
    """Metrics of a point, or why there are none."""

    status: str
    """"ok", "infeasible", "failed" or "timeout"."""
    reason: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    """What explains the metrics: recipe, critical path, cells by kind, power by group, CPU time."""

    @classmethod
    def infeasible(cls, reason: str, details: Mapping[str, Any] | None = None) -> Measured:
        """A point that cannot be built."""
        return cls(INFEASIBLE, reason, details=details or {})

    def values(self, names: Sequence[str]) -> list[float]:
        """Metrics in order; NaN where there are none."""
        return [float(self.metrics.get(name, float("nan"))) for name in names]
