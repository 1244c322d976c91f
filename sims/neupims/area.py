"""Area of one device of a system by part, in mm2."""

from __future__ import annotations

from functools import lru_cache

from archgym.sims.neupims import gpu
from archgym.sims.neupims.system import System, memory_of
from archgym.sims.npu import area as npu_area

PARTS = ("arrays", "sram", "vector", "interface")


@lru_cache(maxsize=8192)
def npu_parts(system: System) -> dict[str, float]:
    """The NPU (45 nm; `archgym.sims.npu.area`)."""
    memory = memory_of(system)
    found = npu_area.parts(
        system.arrays * system.array_rows * system.array_cols,
        npu_area.element_um2("fp16"),
        system.scratchpad_kib,
        system.vector_units * system.vector_lanes,
        memory.external_bytes_per_s / 1e9,
    )
    return {name: float(value) for name, value in found.items()}


def area_mm2(system: System) -> float:
    """One device."""
    if system.host == "gpu":
        return gpu.DIE_MM2
    return sum(npu_parts(system).values())
