"""Anyone's module as a simulator: its parameters and the clock to power, performance and area."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from archgym.core import OK, Designs, Evaluations, Metric, Simulator
from archgym.errors import InvalidInput, UnknownName
from archgym.rtl.envs.score import VERSION
from archgym.rtl.flow.gatesim import LANES
from archgym.rtl.flow.limits import Limits
from archgym.rtl.flow.measure import measure
from archgym.rtl.flow.point import METRICS as MEASURED, Measured, Point
from archgym.rtl.flow.recipe import EFFORTS
from archgym.rtl.own.module import OwnModule, load_module
from archgym.rtl.tech.technology import technology as find_technology
from archgym.space import DesignSpace, Parameter

__all__ = ["EXAMPLE", "OwnRtl", "metrics_of", "numbers_of"]

EXAMPLE = Path(__file__).resolve().parent / "example" / "fir.rtl.yaml"
"""What is built where no description is given."""

_BEATS = (
    Metric("latency_cycles", "cycles", "minimize", "Of a beat; 0 of combinational modules."),
    Metric("latency_ns", "ns", "minimize", "The same in time; the critical path of combinational modules."),
    Metric("beats_per_cycle", "", "maximize", "Input beats a cycle, once the pipeline is full."),
    Metric("beats_per_us", "", "maximize", "Input beats a microsecond."),
    Metric("energy_per_beat_pj", "pJ", "minimize", "Power times cycles over the input beats of the workload."),
)
_OF_MACS = {
    "macs_per_cycle", "energy_per_mac_pj", "throughput_gops", "tops_per_w", "tops_per_mm2", "tops_per_w_mm2"
}  # fmt: skip


def metrics_of(module: OwnModule) -> tuple[Metric, ...]:
    """What can be said of a module; figures by MAC need a model that counts them."""
    macs = module.model.has("macs")
    return (*_BEATS, *(metric for metric in MEASURED if macs or metric.name not in _OF_MACS))


def numbers_of(module: OwnModule, found: Measured) -> dict[str, float]:
    """All metrics of a measured point."""
    metrics, details = found.metrics, found.details
    cycles, beats, latency = (float(details[name]) for name in ("cycles", "beats", "latency_cycles"))
    stream = module.block.kind == "stream"
    rate = beats / max(cycles - LANES * latency, 1.0) if stream else 1.0
    whole = round(latency, 6) if stream else float(round(latency))
    cycle_pj = metrics["power_mw"] / metrics["frequency_mhz"] * 1e3
    return {
        "latency_cycles": whole,
        "latency_ns": whole * metrics["clock_ns"] or metrics["critical_path_ns"],
        "beats_per_cycle": rate,
        "beats_per_us": rate * metrics["frequency_mhz"],
        "energy_per_beat_pj": cycle_pj * cycles / beats,
        **metrics,
    }


class OwnRtl(Simulator):
    """Bring your own RTL: see `docs/howto/rtl_own.md`."""

    name = "rtl"
    version = f"1-{VERSION}"

    def __init__(self, description: str = "", technology: str = "", effort: str = "") -> None:
        """Build for a module.

        Args:
            description: file that `archgym rtl env` wrote; an example's by default.
            technology: name of one or path of a Liberty file, instead of the description's.
            effort: how many recipes are tried (quick, normal, high), instead of the description's.

        Raises:
            InvalidInput: the description, the RTL or the golden model is not right.
            UnsafeRtl: the RTL reaches outside the simulation and the description does not allow it.
            UnknownName: a name in the description that is not there, an unknown technology.
        """
        self._module = load_module(Path(description) if description else EXAMPLE)
        self._technology = technology or self._module.technology
        find_technology(self._technology)
        said = self._module.description
        self._effort = effort or said.effort
        if self._effort not in EFFORTS:
            raise UnknownName("effort", self._effort, EFFORTS)
        doc = "Period of the clock; designs that do not close it are infeasible. 0: the shortest that closes."
        clock = Parameter("clock_ns", tuple(map(float, said.clocks_ns)), "ordinal", "ns", "timing", doc)
        if clock.name in self._module.choices:
            raise InvalidInput(f"parameter {clock.name} of {said.top} has the name of the clock's; rename it")
        self.space = DesignSpace([*self._module.block.parameters, clock])
        self.metrics = metrics_of(self._module)
        self.workloads = self._module.workloads
        self.options = {"description": description, "technology": self._technology, "effort": self._effort}

    def simulate(self, designs: Designs, workload: str) -> Evaluations:
        """Measure designs while the module computes a workload.

        Raises:
            InvalidInput: for designs outside the space.
            UnknownName: for an unknown workload.
        """
        self._module.workload(workload)  # also where there is no design
        rows = self.space.validate(designs)
        points = [self.point(self.space.decode(row), workload) for row in rows]
        limits = Limits(**self._module.description.limits.model_dump())
        found = measure(points, limits=limits)
        values = np.full((len(rows), len(self.metrics)), np.nan)
        for row, each in enumerate(found):
            if each.status == OK:
                numbers = numbers_of(self._module, each)
                values[row] = [numbers[metric.name] for metric in self.metrics]
        return Evaluations.of(self.metrics, values, [each.status for each in found], [each.reason for each in found])

    def point(self, design: Mapping[str, Any], workload: str) -> Point:
        """What a design is measured as, to build it (`archgym rtl emit`).

        Raises:
            UnknownName: for an unknown workload.
        """
        work = self._module.workload(workload)
        parameters = {name: int(design[name]) for name in self._module.choices}
        period = float(design["clock_ns"]) or None
        return Point(self._module.block, parameters, self._technology, period, work, effort=self._effort)

    def workload_fingerprint(self, workload: str) -> str:
        """The workload and the content of all files, so that edited RTL is not answered from old rows."""
        return f"{workload} {self._module.block.fingerprint[:32]}"
