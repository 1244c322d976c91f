"""The DRAM controller as a simulator: designs in, latency, bandwidth, energy and power out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.core import Designs, Evaluations, Metric, Simulator
from archgym.errors import InvalidInput
from archgym.sims.dram import engine
from archgym.sims.dram.controller import DEFAULTS, KNOBS
from archgym.sims.dram.devices import device as device_by_name
from archgym.sims.dram.equivalence import Columns, Setting, codes_of, collapse, without_writes
from archgym.sims.dram.layout import MAX_BANKS, MAX_CHANNELS, MAX_RANKS
from archgym.sims.dram.space import PREDECESSOR_DEVICE, space as space_by_name
from archgym.sims.dram.workloads import LINE_BYTES, WORKLOADS, fingerprint, load
from archgym.space import DesignSpace

VERSION = "1"
"""Changes whenever any number can change."""

METRICS = (
    Metric("cycles", "cycles", "minimize", "Clock cycles until the last answer."),
    Metric("time_ns", "ns", "minimize", "Time until the last answer."),
    Metric("latency_ns", "ns", "minimize", "Mean time from a read's arrival to its answer, waiting outside included."),
    Metric("latency_p50_ns", "ns", "minimize", "Median of the same."),
    Metric("latency_p95_ns", "ns", "minimize", "95th percentile (nearest rank)."),
    Metric("latency_p99_ns", "ns", "minimize", "99th percentile (nearest rank)."),
    Metric("latency_max_ns", "ns", "minimize", "Longest."),
    Metric("service_latency_ns", "ns", "minimize", "Mean time of a read from entering the controller to its answer."),
    Metric("bandwidth_gbps", "GB/s", "maximize", "Bytes moved over the time."),
    Metric("row_hits", "accesses", "maximize", "Accesses that found their row open."),
    Metric("row_misses", "accesses", "minimize", "Accesses that found their bank closed."),
    Metric("row_conflicts", "accesses", "minimize", "Accesses that found another row open."),
    Metric("energy_pj", "pJ", "minimize", "All of the following."),
    Metric("energy_activate_pj", "pJ", "minimize", "Activates and precharges."),
    Metric("energy_read_pj", "pJ", "minimize", "Read bursts."),
    Metric("energy_write_pj", "pJ", "minimize", "Write bursts."),
    Metric("energy_refresh_pj", "pJ", "minimize", "Refresh commands."),
    Metric("energy_background_pj", "pJ", "minimize", "Standby, active and precharged."),
    Metric("energy_powerdown_pj", "pJ", "minimize", "Power-down and self refresh."),
    Metric("power_mw", "mW", "minimize", "Mean power: energy over time."),
)


class DramController(Simulator):
    """A cycle-accurate memory controller and its DRAM on one trace; see `sims/dram/VALIDATION.md`."""

    name = "dram"
    version = VERSION
    metrics = METRICS
    workloads = tuple(WORKLOADS)

    def __init__(
        self,
        device: str = PREDECESSOR_DEVICE,
        channels: int = 1,
        ranks: int = 1,
        space: str = "full",
        threads: int | None = None,
    ) -> None:
        """Build for one device.

        Args:
            device: a name of `archgym.sims.dram.devices.DEVICES`.
            channels: channels, each with its own controller.
            ranks: ranks per (pseudo) channel.
            space: "full", "archgym-rl", "archgym-aco" or "archgym-ga".
            threads: designs simulated at once; default: one per core. Changes no number.

        Raises:
            InvalidInput: for an unknown device or space, or a size out of range.
        """
        self._device = device_by_name(device)
        self.space = space_by_name(space, self._device)
        banks = self._device.bankgroups * self._device.banks_per_group * self._device.pseudochannels
        for what, got, limit in (
            ("channels", channels, MAX_CHANNELS),
            ("ranks", ranks, min(MAX_RANKS, MAX_BANKS // max(1, banks * channels))),
            ("threads", 1 if threads is None else threads, 1024),
        ):
            if isinstance(got, bool) or not isinstance(got, int) or not 1 <= got <= limit:
                raise InvalidInput(f"{what}={got!r} is out of range; allowed: whole numbers 1 to {limit}")
        self._channels, self._ranks, self._threads, self._space_name = channels, ranks, threads, space
        self.options = {"device": device, "channels": channels, "ranks": ranks, "space": space}
        codes = {p.name: tuple(KNOBS[p.name].code(p.name, c) for c in p.choices) for p in self.space.parameters}
        self._codes = {name: np.array(values, dtype=np.int64) for name, values in codes.items()}
        self._fixed = {name: KNOBS[name].code(name, DEFAULTS[name]) for name in KNOBS if name not in codes}
        bursts = max(1, -(-LINE_BYTES // self._device.access_bytes))
        offered = codes_of(self.space, self._fixed, codes)
        self._setting = Setting(self._device, channels, ranks, bursts, offered)
        self.space = DesignSpace(self.space.parameters, self.space.constraints, self._canonical)

    def simulate(self, designs: Designs, workload: str) -> Evaluations:
        """Score designs on a registered workload, a generator's specification, or a trace file.

        Raises:
            InvalidInput: for designs outside the space, an unknown workload or an unreadable trace.
        """
        rows = self.space.validate(designs)
        trace = load(workload)
        columns = self._decode(rows)
        columns = without_writes(columns, self._setting) if not trace.write.any() else collapse(columns, self._setting)
        table = np.stack([columns[name] for name in KNOBS], axis=1)
        distinct, place = np.unique(table, axis=0, return_inverse=True)
        out = engine.simulate_batch(
            self._device,
            {name: distinct[:, column] for column, name in enumerate(KNOBS)},
            trace,
            channels=self._channels,
            ranks=self._ranks,
            threads=self._threads,
        )
        found = engine.derive(self._device, LINE_BYTES, out)
        values = np.stack([found[metric.name] for metric in METRICS], axis=1)
        return Evaluations.of(METRICS, values[place.reshape(-1)])

    def _canonical(self, designs: Designs) -> Designs:
        """Collapse settings that provably cannot differ on any workload (`equivalence.py`)."""
        rows = self.space.validate(designs)
        columns = collapse(self._decode(rows), self._setting)
        return np.stack([self._index(name, columns[name]) for name in self.space.names], axis=1).astype(np.int32)

    def workload_fingerprint(self, workload: str) -> str:
        """Identify the trace: by name and version, or by the file's content.

        Raises:
            TraceError: when it is a file that cannot be read.
        """
        if workload not in WORKLOADS:
            load(workload)  # so that a broken file is refused before anything runs
        return fingerprint(workload)

    def enumeration(self, workload: str) -> Mapping[str, Any] | None:
        """The shipped exhaustive sweep, if it was made with this version, options and workload.

        Raises:
            UnknownName: for a workload that is none.
        """
        if workload not in WORKLOADS:
            fingerprint(workload)  # refuses what is no workload either; a file's or a generator's has no sweep
            return None
        place = resources.files("archgym.sims.dram") / "data" / "enumerated" / self._space_name / f"{workload}.json"
        if not place.is_file():
            return None
        summary: Mapping[str, Any] = json.loads(place.read_text(encoding="utf-8"))
        same = (
            summary.get("version") == self.version
            and summary.get("space_fingerprint") == self.space.fingerprint
            and summary.get("workload_fingerprint") == self.workload_fingerprint(workload)
            and dict(summary.get("options", {})) == dict(self.options)
        )
        return summary if same else None

    def _decode(self, rows: Designs) -> Columns:
        """Coded columns of all knobs, fixed ones included."""
        found = {name: np.full(len(rows), value, dtype=np.int64) for name, value in self._fixed.items()}
        for column, name in enumerate(self.space.names):
            found[name] = self._codes[name][rows[:, column]]
        return found

    def _index(self, name: str, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Choice indices of codes."""
        table = self._codes[name]
        order = np.argsort(table)
        return order[np.searchsorted(table[order], codes)]
