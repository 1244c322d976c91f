"""The four workloads of the first ArchGym (ISCA 2023), regenerated from their rules.

Source: srivatsankrishnan/oss-arch-gym, revision 53f745a, sims/DRAM/DRAMSys/library/resources/traces/{stream,random,
cloud-1,cloud-2}.stl (Apache-2.0). Each has 10,000 reads, one per 800 MHz clock. Looked at address by address:

* stream: lines 0, 1, 2, ... (0x0 to 0x9C3C0); ours is identical.
* random: 64-byte lines drawn uniformly from 1 GiB (its module's capacity) by an unknown seed. Ours has other numbers
  from the same distribution.
* cloud-1, cloud-2: no capture of a cloud, but 200 blocks of 50 requests, each block the next unused one of stream or of
  random. The order of blocks looks like coin flips and follows no shorter rule, so it is written down here; theirs and
  ours agree in every time stamp, in every streamed address, and in where the random blocks stand.
"""

from __future__ import annotations

import numpy as np

from archgym.sims.dram.workloads.generators import RandomAccess, Stream
from archgym.sims.dram.workloads.request_trace import Trace

BLOCK = 50
_ORDER = {  # bit i from the left: block i comes from random
    "cloud-1": 0x206D64474BEC94979F9829DA7FEBF75C6D1F2C0D5847713530,
    "cloud-2": 0xD0D26F5965A4292C53F05A413EF56740C2AEE58BB27B5A88E9,
}


def cloud(name: str) -> Trace:
    """Interleave blocks of the stream and random workloads in the order of `cloud-1` or `cloud-2`."""
    stream, scattered = Stream().make(name).address, RandomAccess().make(name).address
    blocks = len(stream) // BLOCK
    from_random = np.array([int(bit) for bit in f"{_ORDER[name]:0{blocks}b}"], dtype=bool).repeat(BLOCK)
    address = np.empty_like(stream)
    address[from_random] = scattered[: from_random.sum()]
    address[~from_random] = stream[: (~from_random).sum()]
    arrival = np.arange(len(address))
    return Trace.of(name, address, np.zeros(len(address)), arrival, Stream().clock_ps, f"{__name__}.cloud({name!r})")
