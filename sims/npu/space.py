"""The NPU's design space, and designs as the rows the kernel reads."""

from __future__ import annotations

from collections.abc import Sequence

from archgym.errors import InvalidInput
from archgym.sims.npu.memory import IDEAL, check_memory
from archgym.sims.npu.systolic import DATAFLOWS
from archgym.sims.npu.technology import PRECISIONS
from archgym.space import DesignSpace, Parameter

__all__ = ["MEMORIES", "space"]

_SIDES = (8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
_KIB = (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
MEMORIES = (IDEAL, "DDR4-3200-8Gb-x8", "LPDDR4-3200-8Gb-x16", "LPDDR5-6400-16Gb-x16")


def space(memories: Sequence[str] = MEMORIES) -> DesignSpace:
    """The space with these memories to choose from.

    Raises:
        UnknownName: for a memory that is neither ideal nor a device.
        InvalidInput: for none.
    """
    if isinstance(memories, str) or not memories:
        raise InvalidInput(f"memories must be a list of at least one name, got {memories!r}")
    for memory in memories:
        check_memory(memory)
    return DesignSpace(
        [
            Parameter("rows", _SIDES, "ordinal", "", "compute", "Rows of an array."),
            Parameter("cols", _SIDES, "ordinal", "", "compute", "Columns of an array."),
            Parameter("arrays", (1, 2, 4, 8), "ordinal", "", "compute", "Arrays, which share one layer at a time."),
            Parameter("dataflow", DATAFLOWS, "categorical", "", "compute", "What stays: weights, outputs or inputs."),
            Parameter("precision", tuple(PRECISIONS), "categorical", "", "compute", "Operands; sums have 32 bits."),
            Parameter("frequency_mhz", (200, 400, 600, 800, 1000), "ordinal", "MHz", "compute", "Clock of the chip."),
            Parameter("vector_lanes", (8, 16, 32, 64, 128, 256, 512, 1024), "ordinal", "", "compute", "Of all units."),
            Parameter("ifmap_kib", _KIB, "ordinal", "KiB", "scratchpads", "Inputs; half in use, half being filled."),
            Parameter("filter_kib", _KIB, "ordinal", "KiB", "scratchpads", "Weights; likewise."),
            Parameter("ofmap_kib", _KIB, "ordinal", "KiB", "scratchpads", "Outputs and partial sums; likewise."),
            Parameter("memory", tuple(memories), "categorical", "", "memory", "An ideal channel, or a DRAM device."),
            Parameter("memory_channels", (1, 2, 4, 8), "ordinal", "", "memory", "Channels of it."),
        ]
    )
