"""The GPU-only system: every operator of a block on the roofline of an A100 with 40 GB, one kernel after another.

The paper measures a real A100 with PyTorch (NeuPIMs, ASPLOS 2024, evaluation); efficiencies and launch time are those
of `archgym.sims.llm.roofline`.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from archgym.sims.llm.graph import Operator, block
from archgym.sims.llm.models import Decoder
from archgym.sims.llm.roofline import Processor, processor

NAME = "a100-40gb"
BOARD_MW = 400_000.0
"""NVIDIA A100 data sheet: 400 W for the SXM4 board; every nanosecond is charged with all of it."""
DRAM_MM2 = 40 * 91.99
"""40 GB of HBM2 in dies of 8 Gb (`archgym.sims.pim.area`)."""
DIE_MM2 = 826.0
"""NVIDIA A100 architecture white paper: GA100, 826 mm2."""


def gpu() -> Processor:
    """The processor."""
    return processor(NAME)


@lru_cache(maxsize=512)
def operators(decoder: Decoder, lengths: tuple[int, ...], tensor: int) -> tuple[Operator, ...]:
    """Operators of a block in decode, collectives left out (they are counted for all systems alike)."""
    found = block(decoder, decode=np.array(lengths, dtype=np.int64), tensor=tensor)
    return tuple(op for op in found if op.kind != "allreduce")


def block_ns(decoder: Decoder, lengths: tuple[int, ...], tensor: int) -> float:
    """Time of a block on one device."""
    ops = operators(decoder, lengths, tensor)
    flops = np.array([op.flops for op in ops], dtype=np.float64)
    size = np.array([op.bytes for op in ops], dtype=np.float64)
    return float(gpu().time_s(flops, size).sum() * 1e9)


def block_work(decoder: Decoder, lengths: tuple[int, ...], tensor: int) -> tuple[float, float]:
    """Floating-point operations and bytes of a block on one device."""
    ops = operators(decoder, lengths, tensor)
    return float(sum(op.flops for op in ops)), float(sum(op.bytes for op in ops))
