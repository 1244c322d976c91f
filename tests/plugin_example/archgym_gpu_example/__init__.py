"""Roofline of a small GPU (Williams et al., CACM 52(4), 2009), and a search that looks at corners only."""

import numpy as np

from archgym import Agent, DesignSpace, Evaluations, Metric, Parameter, Simulator, UnknownName


class Roofline(Simulator):
    """Time to run one kernel: bound by arithmetic or by memory, whichever takes longer."""

    name, version, workloads = "gpu-roofline", "1", ("stream", "matmul")
    metrics = (Metric("time_us", "us"), Metric("power_mw", "mW"))
    space = DesignSpace([Parameter("cores", (1, 2, 4, 8, 16), "ordinal"), Parameter("channels", (1, 2, 4), "ordinal")])

    def simulate(self, designs, workload):
        if workload not in self.workloads:
            raise UnknownName("workload", workload, self.workloads)
        knobs = self.space.columns(self.space.validate(designs))
        flops_per_byte = {"stream": 0.125, "matmul": 16.0}[workload]
        time = np.maximum(1000.0 / knobs["channels"], 1000.0 * flops_per_byte / knobs["cores"])
        return Evaluations.of(self.metrics, np.stack([time, 50.0 * knobs["cores"] + 300.0 * knobs["channels"]], axis=1))


class Corners(Agent):
    """Proposes designs with every parameter at one of its ends."""

    name = "corners"

    def __init__(self, space, seed=0):
        self.space, self.rng = space, np.random.default_rng(seed)

    def ask(self, n):
        return self.rng.integers(2, size=(n, len(self.space)), dtype=np.int32) * (self.space.cardinalities - 1)
