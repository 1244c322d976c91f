"""Time of collective communication over point-to-point links."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym.errors import InvalidInput, UnknownName

__all__ = ["LINKS", "Link", "allgather_s", "allreduce_s", "alltoall_s", "link", "reduce_scatter_s", "send_s"]


@dataclass(frozen=True)
class Link:
    """What one device can send to others.

    Bytes per second in one direction with the share of them that large collectives reach, the latency of a message,
    and what starting a collective costs.
    """

    name: str
    bytes_per_s: float
    latency_s: float
    source: str
    efficiency: float = 1.0
    start_s: float = 0.0

    def allreduce_s(self, bytes: ArrayLike, ranks: int) -> NDArray[np.float64]:  # noqa: A002
        """Ring all-reduce as `collectives.allreduce_s`, with the link's efficiency and start; 0 on one rank."""
        ring = allreduce_s(bytes, ranks, self.bytes_per_s * self.efficiency, self.latency_s)
        return ring + (self.start_s if ranks > 1 else 0.0)


_ALL = (
    Link(
        "nvlink3", 300e9, 0.8e-6,
        "NVIDIA A100 data sheet: 600 GB/s both ways; latency as nvlink4; efficiency: LLMCompass b95c6c9, "
        "ae/figure5/h/test_allreduce.py, 16 GiB on 4 GPUs in 110 ms; start: GenZ, 5 us",
        efficiency=0.78, start_s=5e-6,
    ),
    Link("nvlink4", 450e9, 0.8e-6, "Duplex, MICRO'24, section 6: NVLink 450 GB/s per direction, 0.8 us"),
    Link("infiniband", 50e9, 130e-9, "NDR 400 Gbit/s; 130 ns a switch port (defaults of the Duplex simulator)"),
    Link("pcie5", 64e9, 0.8e-6, "PCI Express 5.0 x16: 32 GT/s x 16 / 8; latency as nvlink4"),
)  # fmt: skip
LINKS: dict[str, Link] = {found.name: found for found in _ALL}


def link(name: str) -> Link:
    """One of `LINKS`.

    Raises:
        UnknownName: for a name that is not there.
    """
    try:
        return LINKS[name.lower()]
    except KeyError:
        raise UnknownName("link", name, LINKS) from None


def allreduce_s(bytes: ArrayLike, ranks: int, link_bytes_per_s: float, latency_s: float) -> NDArray[np.float64]:  # noqa: A002
    """Ring all-reduce of a message of `bytes` on every rank: seconds, in the shape of `bytes`.

    2 (N-1) steps of bytes/N (reduce-scatter, then all-gather): 2 (N-1) latency + 2 (N-1)/N bytes / bandwidth
    (Patarasuk and Yuan, JPDC 2009; the form GenZ uses).

    Raises:
        InvalidInput: for fewer than 1 rank, a bandwidth not above 0, or negative bytes or latency.
    """
    return 2 * reduce_scatter_s(bytes, ranks, link_bytes_per_s, latency_s)


def reduce_scatter_s(bytes: ArrayLike, ranks: int, link_bytes_per_s: float, latency_s: float) -> NDArray[np.float64]:  # noqa: A002
    """Ring reduce-scatter of `bytes` on every rank: N-1 steps of bytes/N. Raises as `allreduce_s`."""
    size = _check(bytes, ranks, link_bytes_per_s, latency_s)
    return (ranks - 1) * (latency_s + size / ranks / link_bytes_per_s)


def allgather_s(bytes: ArrayLike, ranks: int, link_bytes_per_s: float, latency_s: float) -> NDArray[np.float64]:  # noqa: A002
    """Ring all-gather that leaves `bytes` on every rank: N-1 steps of bytes/N. Raises as `allreduce_s`."""
    return reduce_scatter_s(bytes, ranks, link_bytes_per_s, latency_s)


def alltoall_s(bytes: ArrayLike, ranks: int, link_bytes_per_s: float, latency_s: float) -> NDArray[np.float64]:  # noqa: A002
    """Each rank sends an equal part of its `bytes` to every other through one switched port: N-1 messages in turn.

    Raises as `allreduce_s`.
    """
    return reduce_scatter_s(bytes, ranks, link_bytes_per_s, latency_s)


def send_s(bytes: ArrayLike, link_bytes_per_s: float, latency_s: float) -> NDArray[np.float64]:  # noqa: A002
    """One message from one device to another (a pipeline stage's result). Raises as `allreduce_s`."""
    size = _check(bytes, 1, link_bytes_per_s, latency_s)
    return latency_s + size / link_bytes_per_s


def _check(size: ArrayLike, ranks: int, link_bytes_per_s: float, latency_s: float) -> NDArray[np.float64]:
    found = np.asarray(size, dtype=np.float64)
    if ranks < 1 or not link_bytes_per_s > 0 or not latency_s >= 0 or not np.all(found >= 0):
        raise InvalidInput(
            f"a collective of {found.tolist()} bytes on {ranks} ranks, {link_bytes_per_s} B/s, latency {latency_s} s; "
            "allowed: bytes and latency from 0, ranks from 1, bandwidth above 0"
        )
    return found
