"""Duplex as a simulator: designs in, throughput, latencies, energy and area of LLM serving out."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from archgym.core import INFEASIBLE, OK, Designs, Evaluations, Simulator
from archgym.errors import InvalidInput, UnknownName
from archgym.sims.duplex.layers import own_devices
from archgym.sims.duplex.scores import METRICS, scores
from archgym.sims.duplex.serving import Overflow, serve
from archgym.sims.duplex.space import SPACE, decode
from archgym.sims.duplex.stack import MemoryModel
from archgym.sims.duplex.system import System
from archgym.sims.duplex.workloads import WORKLOADS, Workload, workload as workload_by_name

VERSION = "1"
"""Changes whenever any number can change."""

_ALLOWED = {"memory": ("timings", "peak"), "overflow": ("refuse", "shrink")}


class Duplex(Simulator):
    """LLM serving on devices with units in their memory, from a plain GPU or NPU to Duplex; see `VALIDATION.md`."""

    name = "duplex"
    version = VERSION
    space = SPACE
    metrics = METRICS
    workloads = WORKLOADS

    def __init__(self, memory: MemoryModel = "timings", overflow: Overflow = "refuse", seed: int = 0) -> None:
        """Build.

        Args:
            memory: "timings" counts what refresh, row cycle and activation window cost; "peak" is an ideal roofline.
            overflow: "refuse" calls a design infeasible whose full batch does not fit the memory; "shrink" serves
                as many requests at a time as fit.
            seed: of request lengths, arrivals and gates.

        Raises:
            UnknownName, InvalidInput: for a value that is not allowed.
        """
        for name, value in (("memory", memory), ("overflow", overflow)):
            if value not in _ALLOWED[name]:
                raise UnknownName(name, str(value), _ALLOWED[name])
        if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
            raise InvalidInput(f"seed={seed!r} is not allowed; allowed: whole numbers from 0")
        self._memory: MemoryModel = memory
        self._overflow: Overflow = overflow
        self._seed = seed
        self.options = {"memory": memory, "overflow": overflow, "seed": seed}

    def simulate(self, designs: Designs, workload: str) -> Evaluations:
        """Score designs on a registered workload or any name of the same form (`workloads.py`).

        A design whose model cannot be cut over its devices, or does not fit their memory, is infeasible.

        Raises:
            InvalidInput: for designs outside the space or a workload that cannot be.
        """
        rows = self.space.validate(designs)
        load = workload_by_name(workload)
        distinct, place = np.unique(self.space.canonical(rows), axis=0, return_inverse=True)
        columns = decode(distinct)
        values = np.full((len(distinct), len(METRICS)), np.nan)
        status, reasons = [OK] * len(distinct), [""] * len(distinct)
        for row in range(len(distinct)):
            chosen = {name: column[row].item() for name, column in columns.items()}
            try:
                values[row] = self._score(chosen, load)
            except InvalidInput as error:
                status[row], reasons[row] = INFEASIBLE, str(error)
        back = place.reshape(-1)
        return Evaluations.of(METRICS, values[back], np.array(status)[back], [reasons[i] for i in back])

    def workload_fingerprint(self, workload: str) -> str:
        """Identify the model and the load.

        Raises:
            UnknownName, InvalidInput: for a workload that cannot be.
        """
        return hashlib.sha256(repr(workload_by_name(workload)).encode()).hexdigest()[:16]

    def _score(self, chosen: dict[str, Any], load: Workload) -> list[float]:
        devices = max(1, int(chosen.pop("cluster_scale") * own_devices(load.decoder)))
        system = System(**chosen, devices=devices, memory=self._memory)
        found = scores(serve(load, system, overflow=self._overflow, seed=self._seed), system)
        return [found[metric.name] for metric in METRICS]
