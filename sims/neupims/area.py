"""Area of one device of a system by part, in mm2: all silicon, the memory's dies included."""

from __future__ import annotations

from functools import lru_cache

from archgym.sims.neupims import gpu
from archgym.sims.neupims.system import System, memory_of
from archgym.sims.npu import area as npu_area
from archgym.sims.pim.area import area as pim_area

PARTS = ("host", "dram", "pim")


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


@lru_cache(maxsize=8192)
def parts(system: System) -> dict[str, float]:
    """NPU or GPU, DRAM dies, and what PIM adds to them (multipliers, and the second row buffer where there are two)."""
    if system.host == "gpu":
        return {"host": gpu.DIE_MM2, "dram": gpu.DRAM_MM2, "pim": 0.0}
    found = pim_area(memory_of(system))
    added = 0.0 if system.pim == "none" else found.multipliers_mm2 + found.row_buffer_mm2
    return {"host": sum(npu_parts(system).values()), "dram": found.dram_mm2, "pim": added}
