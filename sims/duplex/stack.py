"""One HBM3 stack as the processors see it: bandwidth at the pins and inside, from the timings of its banks.

Processing units near the banks read several banks of a pseudo channel at once (a *bank bundle*). A bank delivers a
burst every tCCD_L, the bus carries one every tCCD_S, so n banks together read n tCCD_S / tCCD_L times faster than the
bus: 8 banks four times (Duplex, MICRO 2024, section IV-C), all 32 of two ranks sixteen times. What is left of that is
bounded by three things, here computed from the timing rows of `sims/dram`:

* refresh: a bundle works in step, so all its banks are refreshed together, tRFC every tREFI; the bus waits as well.
* the row cycle: a row must be opened before and closed after its bursts. The bus hides that behind other banks. The
  units do not: what they work on (an expert, a head's keys) lies in one section of the memory, that is in one bundle,
  all banks of which open and close their rows together.
* the activation window: four activates per rank in tFAW, on average.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from archgym.errors import InvalidInput
from archgym.sims.dram.devices.hbm3 import HBM3_5200_16GB
from archgym.sims.dram.spec import Device
from archgym.sims.llm.roofline import processor

__all__ = ["HBM3", "SECTIONS", "MemoryModel", "Stack"]

MemoryModel = Literal["timings", "peak"]
"""timings: what refresh, row cycle and activation window leave; peak: data-sheet bandwidth, as an ideal roofline."""

SECTIONS = 4
"""Parts into which a device's memory is divided by bank bundle (Duplex, MICRO 2024, section V-C)."""


@dataclass(frozen=True)
class Stack:
    """A stack of `ranks` x 4 DRAM dies; H100 carries five (3.352 TB/s and 80 GB in all: NVIDIA H100 data sheet)."""

    device: Device = HBM3_5200_16GB
    ranks: int = 2
    """An 8-high stack of HBM3: four dies form a rank (Duplex, MICRO 2024, section II-D)."""
    bytes_per_s: float = processor("h100").bytes_per_s / 5
    capacity_bytes: float = 16 * 2**30
    standby_w: float = 16 * 0.066
    """Active standby of 16 GB: VDD x IDD3N = 1.2 V x 55 mA a GB channel (HBM2 of casys-kaist/NeuPIMs f299af3,
    HBM2_8Gb_x128 .ini; no HBM3 vendor publishes the current)."""

    @property
    def banks(self) -> int:
        """Banks of a pseudo channel, all ranks."""
        return self.ranks * self.device.bankgroups * self.device.banks_per_group

    def banks_together(self, multiple: int) -> int:
        """Banks that must be read at once for `multiple` times the bandwidth of the bus.

        Raises:
            InvalidInput: for a multiple that is no whole number of banks, or needs more than there are.
        """
        timing = self.device.timing
        banks, rest = divmod(multiple * timing["nCCDL"], timing["nCCDS"])
        if multiple < 1 or rest or banks > self.banks or self.banks % banks:
            top = self.banks * timing["nCCDS"] // timing["nCCDL"]
            raise InvalidInput(f"internal bandwidth x{multiple} is not allowed; allowed: powers of two up to {top}")
        return banks

    def bundles(self, multiple: int) -> int:
        """Bank bundles of a pseudo channel."""
        return self.banks // self.banks_together(multiple)

    def sections(self, multiple: int) -> int:
        """Memory sections: at most `SECTIONS`, and no more than there are bundles."""
        return min(SECTIONS, self.bundles(multiple))

    @property
    def refresh_share(self) -> float:
        """Share of time left by all-bank refresh."""
        return 1.0 - self.device.timing["nRFC"] / self.device.timing["nREFI"]

    def row_cycles(self, multiple: int) -> tuple[int, int]:
        """(cycles in which a bundle delivers one row of each bank, cycles from these rows to the next)."""
        timing = self.device.timing
        bursts = self.device.row_bytes // self.device.access_bytes
        data = bursts * timing["nCCDL"]
        cycle = timing["nRCDRD"] + data - timing["nCCDL"] + timing["nRTP"] + timing["nRP"]
        in_rank = min(self.banks_together(multiple), self.banks // self.ranks)
        return data, max(cycle, timing["nRC"], -(-in_rank * timing["nFAW"] // 4))

    def internal_share(self, multiple: int) -> float:
        """Share of `multiple` times the bus that units inside the stack reach."""
        data, cycle = self.row_cycles(multiple)
        return data / cycle * self.refresh_share


HBM3 = Stack()
