"""Silicon of a device: the xPU's die, the dies of its stacks, and what the units in the memory add to them."""

from __future__ import annotations

from dataclasses import dataclass

from archgym.errors import InvalidInput
from archgym.sims.duplex.system import System

__all__ = ["Area", "device_area", "host_mm2", "stack_overhead_mm2"]

# Duplex, MICRO 2024, section VII-E: a 121 mm2 HBM3 logic die; in each stack 32 GEMM modules of 512 FP16 MACs at 650 MHz
# (21.3 TFLOP/s) with their buffers take 3.02 mm2, the input and result buffers 2.26, softmax 1.64, and four times the
# TSVs 10.89 mm2: 17.81 mm2, 14.7 % of the die.
LOGIC_DIE_MM2 = 121.0
GEMM_MM2, BUFFERS_MM2, SOFTMAX_MM2, TSV_MM2 = 3.02, 2.26, 1.64, 10.89
GEMM_FLOPS_PER_S = 32 * 512 * 2 * 650e6
# DRAM dies of the stack have the logic die's footprint; eight of them (section II-D).
DRAM_DIES = 8
# Logic in a DRAM process takes ten times the area (Devaux, Hot Chips 2019; section VI).
DRAM_PROCESS = 10.0
# The 20 to 27 % of bank-level units are for 16 times the bandwidth and 1 Op/B.
_BANK_BANDWIDTH, _LOGIC_BANDWIDTH = 16, 4


@dataclass(frozen=True)
class Area:
    """mm2 of one device: xPU, stacks as they are, and what the units add to the stacks."""

    xpu_mm2: float
    stacks_mm2: float
    pim_mm2: float

    @property
    def total_mm2(self) -> float:
        """All of it."""
        return self.xpu_mm2 + self.stacks_mm2 + self.pim_mm2


def device_area(system: System) -> Area:
    """Area of one device.

    Raises:
        InvalidInput: when the units need more than the dies they are on (areas needed and available).
    """
    added, room = stack_overhead_mm2(system), host_mm2(system)
    if added > room:
        rates = f"{system.pim_bandwidth}x bandwidth and {system.pim_op_per_byte} Op/B"
        raise InvalidInput(
            f"{system.pim} units of {rates} need {added:.0f} mm2 of each stack, its dies have {room:.0f} mm2"
        )
    stacks = system.stacks * (1 + DRAM_DIES) * LOGIC_DIE_MM2
    return Area(system.xpu_unit.area_mm2, stacks, system.stacks * added)


def host_mm2(system: System) -> float:
    """Area of the dies of a stack that carry the units: the logic die, or the DRAM dies."""
    unit = system.pim_unit
    return LOGIC_DIE_MM2 * (DRAM_DIES if unit is not None and unit.dram_process else 1)


def stack_overhead_mm2(system: System) -> float:
    """What the units and their wires add to one stack."""
    unit = system.pim_unit
    if unit is None:
        return 0.0
    if unit.area_share_of_dram:
        arithmetic = system.pim_bandwidth * system.pim_op_per_byte / _BANK_BANDWIDTH
        return DRAM_DIES * LOGIC_DIE_MM2 * unit.area_share_of_dram * arithmetic + SOFTMAX_MM2
    flops_per_s = system.pim_flops_per_s / system.stacks
    arithmetic = GEMM_MM2 * flops_per_s / GEMM_FLOPS_PER_S + BUFFERS_MM2
    if unit.dram_process:
        return DRAM_PROCESS * arithmetic + SOFTMAX_MM2
    # TSVs for the bandwidth beyond what the stack has.
    tsv = TSV_MM2 * (system.pim_bandwidth - 1) / (_LOGIC_BANDWIDTH - 1)
    return arithmetic + SOFTMAX_MM2 + tsv
