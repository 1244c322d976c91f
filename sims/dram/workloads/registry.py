"""The workloads that have a name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from archgym.sims.dram.workloads.captured import CAPTURED, shipped, version
from archgym.sims.dram.workloads.generators import Generator
from archgym.sims.dram.workloads.legacy import cloud
from archgym.sims.dram.workloads.request_trace import Trace
from archgym.sims.dram.workloads.spec import parse


@dataclass(frozen=True)
class Workload:
    """A registered workload. `version` changes whenever its requests do."""

    doc: str
    make: Callable[[], Trace]
    version: str = "1"


def _generated(name: str, doc: str, spec: str) -> Workload:
    return Workload(f"{doc} [{spec}]", lambda: parse(spec).make(name), Generator.version)


def _interleaved(name: str) -> Workload:
    doc = f"10,000 reads: stream and random in blocks of 50, in the order of the first ArchGym's {name}.stl"
    return Workload(doc, lambda: cloud(name))


def _reference(name: str, family: str, seed: int, read: float, gap: float) -> Workload:
    """200,000 requests to compare with other simulators: few lines of plain Python can draw the same (`recipe`)."""
    spec = f"{family}:n=200000,read={read},gap={gap},pace=exponential,clock_ps=0,seed={seed},capacity=4G"
    spec += ",streams=8,hit=0.6" if family == "mix" else ""
    return _generated(name, "200,000 requests, the same as other simulators were compared on", spec)


def _captured(name: str, doc: str) -> Workload:
    return Workload(f"captured: {doc}", lambda: shipped(name), version(name))


WORKLOADS: Mapping[str, Workload] = {
    "stream": _generated("stream", "10,000 sequential reads, the first ArchGym's stream.stl", "stream"),
    "random": _generated("random", "10,000 random reads in 1 GiB, like the first ArchGym's random.stl", "random"),
    "cloud-1": _interleaved("cloud-1"),
    "cloud-2": _interleaved("cloud-2"),
    "mix60_sat": _reference("mix60_sat", "mix", 1, 0.7, 0),
    "mix60_gap10": _reference("mix60_gap10", "mix", 2, 0.7, 10),
    "mix60_gap20": _reference("mix60_gap20", "mix", 6, 0.7, 20),
    "stream_sat": _reference("stream_sat", "stream", 3, 0.7, 0),
    "stream_rdonly": _reference("stream_rdonly", "stream", 7, 1, 0),
    "random_sat": _reference("random_sat", "random", 4, 0.7, 0),
    "random_gap20": _reference("random_gap20", "random", 5, 0.7, 20),
    "random_rdonly": _reference("random_rdonly", "random", 8, 1, 0),
    **{name: _captured(name, doc) for name, doc in CAPTURED.items()},
}
"""Registered workloads by name."""
