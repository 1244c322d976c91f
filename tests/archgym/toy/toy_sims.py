"""A simulator of another package, for tests of the runner: closed form, slow or troublesome on request."""

from __future__ import annotations

import os
import time

import numpy as np

from archgym.core import Evaluations, Metric, Simulator
from archgym.errors import InvalidInput
from archgym.space import DesignSpace, Parameter

TROUBLED = 7  # designs with this `a` are where trouble happens, on workload "double" only


class Bowl(Simulator):
    """latency = 10 + (a-3)^2 + (b-6)^2, power = 100 + 10 a; with mode "off", b is dead and latency is 99."""

    name = "toy"
    version = os.environ.get("TOY_VERSION", "1")
    metrics = (
        Metric("latency_ns", "ns", "minimize", "answer time"),
        Metric("power_mw", "mW", "minimize", "average power"),
    )
    workloads = ("plain", "double")

    def __init__(self, delay_s: float = 0.0, trouble: str = "") -> None:
        self.delay_s, self.trouble = delay_s, trouble
        self.options = {"delay_s": delay_s, "trouble": trouble}
        self.space = DesignSpace(
            [
                Parameter("a", tuple(range(10)), "ordinal", unit="ways"),
                Parameter("b", tuple(range(10)), "ordinal"),
                Parameter("mode", ("on", "off"), group="power", doc="whether b matters"),
            ]
        )

    def canonical(self, designs):
        found = designs.copy()
        found[found[:, 2] == 1, 1] = 0
        return found

    def workload_fingerprint(self, workload):
        if workload not in self.workloads:
            raise InvalidInput(f"toy knows no workload {workload!r}")
        return f"{workload}-1"

    def simulate(self, designs, workload):
        self.workload_fingerprint(workload)
        if self.delay_s:
            time.sleep(self.delay_s * len(designs))
        values = np.stack([self.latency(designs, workload), 100.0 + 10.0 * designs[:, 0]], axis=1)
        troubled = designs[:, 0] == TROUBLED
        if self.trouble and workload == "double" and troubled.any():
            self.fail(values, troubled)
        return Evaluations.of(self.metrics, values)

    def latency(self, designs, workload):
        a, b, off = designs[:, 0].astype(float), designs[:, 1].astype(float), designs[:, 2] == 1
        factor = 2.0 if workload == "double" else 1.0
        return factor * np.where(off, 99.0, 10.0 + (a - 3) ** 2 + (b - 6) ** 2)

    def fail(self, values, troubled):
        if self.trouble == "raise":
            raise RuntimeError("the toy broke")
        if self.trouble == "nan":
            values[troubled, 0] = np.nan
        if self.trouble == "hang":
            time.sleep(3600)
        if self.trouble == "crash":
            os._exit(3)
        if self.trouble == "kill-parent":
            os.kill(os.getppid(), 9)
            time.sleep(60)
