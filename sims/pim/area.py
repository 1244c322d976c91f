"""What PIM adds to the DRAM dies, in mm²: multipliers, and the second row buffer.

A linear model around published points, each for 16 multipliers and one 1 KB page per bank, 32 banks per 1 GB:

- dies: 91.99 mm² per 8 Gb (7.75 mm x 11.87 mm, the outline of an HBM2 stack, whose dies fill it);
- multipliers with their adder trees: 20 to 27 % of a DRAM die (Duplex, MICRO 2024, on bank-level PIM; the mean here);
- the second row buffer: 3.11 % (NeuPIMs, ASPLOS 2024, section 8: CACTI 7, 22 nm).

Multipliers and row-buffer bits scale with their number. Banks themselves are not made dearer: a die cut into more banks
would need more decoders and sense amplifiers, of which the published points say nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from archgym.sims.pim.device import PimDevice

_DIE_MM2, _DIE_BYTES = 91.99, 1 << 30
_MULTIPLIER_SHARE = (0.20 + 0.27) / 2 / (16 * 32)  # of the dies of 1 GB, per multiplier
_ROW_BUFFER_SHARE = 0.0311 / (1024 * 32)  # of the dies of 1 GB, per byte


@dataclass(frozen=True)
class Area:
    """Area of all channels, mm²."""

    dram_mm2: float
    multipliers_mm2: float
    row_buffer_mm2: float

    @property
    def total_mm2(self) -> float:
        """All of it."""
        return self.dram_mm2 + self.multipliers_mm2 + self.row_buffer_mm2

    @property
    def overhead(self) -> float:
        """What PIM adds, as a share of the plain DRAM."""
        return self.total_mm2 / self.dram_mm2 - 1.0


def area(pim: PimDevice) -> Area:
    """Area of a device with PIM."""
    dram = pim.capacity_bytes / _DIE_BYTES * _DIE_MM2
    banks = pim.banks * pim.channels
    return Area(
        dram,
        _DIE_MM2 * _MULTIPLIER_SHARE * pim.multipliers_per_bank * banks,
        _DIE_MM2 * _ROW_BUFFER_SHARE * pim.device.row_bytes * banks * (pim.row_buffers - 1),
    )
