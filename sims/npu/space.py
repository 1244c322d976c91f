"""The NPU's design space, and designs as the rows the kernel reads."""

from __future__ import annotations

from collections.abc import Sequence

from archgym.errors import InvalidInput
from archgym.sims.npu.memory import IDEAL, check_memory
from archgym.sims.npu.systolic import DATAFLOWS
from archgym.sims.npu.technology import PRECISIONS
from archgym.space import Designs, DesignSpace, Parameter

__all__ = ["MEMORIES", "STREAMS", "space"]

_SIDES = (8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
_KIB = (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
STREAMS = (64, 128, 256, 512, 1024, 2048, 4096, 1 << 30)  # the TPU's accumulators hold 4096 (ISCA 2017, section 2)
MEMORIES = (IDEAL, "DDR4-3200-8Gb-x8", "LPDDR4-3200-8Gb-x16", "LPDDR5-6400-16Gb-x16")

_FLOW, _STREAM = 3, 4  # columns below


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
    parameters = [
        Parameter("rows", _SIDES, "ordinal", "", "compute", "Rows of an array."),
        Parameter("cols", _SIDES, "ordinal", "", "compute", "Columns of an array."),
        Parameter("arrays", (1, 2, 4, 8), "ordinal", "", "compute", "Arrays, which share one layer at a time."),
        Parameter("dataflow", DATAFLOWS, "categorical", "", "compute", "What stays: weights, outputs or inputs."),
        Parameter(
            "stream_length",
            STREAMS,
            "ordinal",
            "",
            "compute",
            "Rows of ifmap (ws) or columns of filter (is) streamed per fold, whose sums are kept together; nothing "
            "in os. The largest sets no limit: one stream, as SCALE-Sim counts.",
        ),
        Parameter("precision", tuple(PRECISIONS), "categorical", "", "compute", "Operands; sums have 32 bits."),
        Parameter("frequency_mhz", (200, 400, 600, 800, 1000), "ordinal", "MHz", "compute", "Clock of the chip."),
        Parameter("vector_lanes", (8, 16, 32, 64, 128, 256, 512, 1024), "ordinal", "", "compute", "Of all units."),
        Parameter("ifmap_kib", _KIB, "ordinal", "KiB", "scratchpads", "Inputs; half in use, half being filled."),
        Parameter("filter_kib", _KIB, "ordinal", "KiB", "scratchpads", "Weights; likewise."),
        Parameter("ofmap_kib", _KIB, "ordinal", "KiB", "scratchpads", "Outputs and partial sums; likewise."),
        Parameter("memory", tuple(memories), "categorical", "", "memory", "An ideal channel, or a DRAM device."),
        Parameter("memory_channels", (1, 2, 4, 8), "ordinal", "", "memory", "Channels of it."),
    ]
    return DesignSpace(parameters, canonical=_canonical)


def _canonical(designs: Designs) -> Designs:
    """Output stationary arrays keep their sums: one stream, whatever its length is called."""
    found: Designs = designs.copy()
    found[found[:, _FLOW] == DATAFLOWS.index("os"), _STREAM] = len(STREAMS) - 1
    return found
