"""A small deterministic simulator whose every number can be worked out by hand; shared by the tests of this folder."""

from __future__ import annotations

import numpy as np

from archgym.core import Designs, Evaluations, Metric, Simulator
from archgym.errors import UnknownName
from archgym.space import Constraint, DesignSpace, Parameter


class Toy(Simulator):
    """A cache: latency = 100 / ways + penalty of the policy, area = ways * size, hits = ways; `prefetch` adds nothing
    with policy "none".
    """

    name, version, workloads = "toy", "1", ("w", "v")
    metrics = (
        Metric("latency_ns", "ns", "minimize", "mean latency"),
        Metric("area_mm2", "mm2", "minimize", "silicon"),
        Metric("bandwidth_gbps", "GB/s", "maximize", "throughput"),
    )
    space = DesignSpace(
        [
            Parameter("ways", (1, 2, 4, 8), "ordinal", doc="associativity"),
            Parameter("policy", ("none", "lru", "fifo"), doc="replacement"),
            Parameter("prefetch", (False, True), "boolean"),
            Parameter("size_kib", (16, 32, 64, 128, 256), "ordinal", "KiB"),
        ],
        [Constraint("8 ways of 256 KiB do not fit", lambda c: ~((c["ways"] == 8) & (c["size_kib"] == 256)))],
    )

    def __init__(self, speed: float = 1.0) -> None:
        self.options = {"speed": speed}
        self.calls: list[int] = []

    def simulate(self, designs: Designs, workload: str) -> Evaluations:
        if workload not in self.workloads:
            raise UnknownName("workload", workload, self.workloads)
        designs = self.space.validate(designs)
        self.calls.append(len(designs))
        column = self.space.columns(designs)
        policy = np.array([30.0, 0.0, 10.0])[designs[:, 1]]
        prefetch = np.where(column["policy"] == "none", 0.0, -3.0 * column["prefetch"])
        latency = (100.0 / column["ways"] + policy + prefetch) / self.options["speed"]
        latency = latency * (2.0 if workload == "v" else 1.0)
        area = 0.01 * column["ways"] * column["size_kib"]
        return Evaluations.of(self.metrics, np.stack([latency, area, 64.0 / latency], axis=1))

    def canonical(self, designs: Designs) -> Designs:
        collapsed = designs.copy()
        collapsed[collapsed[:, 1] == 0, 2] = 0
        return collapsed
