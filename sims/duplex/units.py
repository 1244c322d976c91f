"""The processors of a device as data: what multiplies fast, and what sits near the memory."""

from __future__ import annotations

from dataclasses import dataclass

from archgym.errors import UnknownName
from archgym.sims.llm.roofline import processor

__all__ = ["PIMS", "XPUS", "Pim", "Xpu", "pim_unit", "xpu"]


@dataclass(frozen=True)
class Xpu:
    """A processor beside the memory stacks: FP16 peak and die area."""

    name: str
    flops_per_s: float
    area_mm2: float
    source: str


@dataclass(frozen=True)
class Pim:
    """Units inside the memory stack.

    `read_pj_per_byte` is what a byte costs from the cell to the unit; `dram_process`: built on the DRAM dies, where
    the same logic takes ten times the area (Devaux, Hot Chips 2019, as Duplex section VI uses it).
    """

    name: str
    read_pj_per_byte: float
    dram_process: bool
    area_share_of_dram: float
    """Measured share of the DRAM dies at 16x bandwidth and 1 Op/B; 0: computed from synthesised parts instead."""
    source: str


_H100 = "peak as `archgym.sims.llm.roofline`; NVIDIA H100 white paper: GH100, 814 mm2"
_A100 = "peak as `archgym.sims.llm.roofline`; NVIDIA A100 white paper: GA100, 826 mm2"
_TPU4I = "4 arrays of 128x128 at 1 GHz; die of TPU v4i, which has as many: Jouppi et al., ISCA 2021, table 1 (400 mm2)"
_TPU4 = (
    "8 arrays of 128x128 at 1 GHz (NeuPIMs, ASPLOS 2024); die of TPU v4, as many: Jouppi et al., ISCA 2023 (600 mm2)"
)

XPUS: dict[str, Xpu] = {
    found.name: found
    for found in (
        Xpu("npu-4x128x128", 4 * 2 * 128 * 128 * 1e9, 400.0, _TPU4I),
        Xpu("npu-8x128x128", 8 * 2 * 128 * 128 * 1e9, 600.0, _TPU4),
        Xpu("a100", processor("a100-80gb").flops_per_s, 826.0, _A100),
        Xpu("h100", processor("h100").flops_per_s, 814.0, _H100),
    )
}

# Energies of a 32-byte column access, nJ: scale-snu/LLMSimulator, src/dram/power.h, from O'Connor et al., MICRO 2017:
# cell 0.44, to the bank-group multiplexer 1.01, to the channel 1.23, TSV 0.5, interposer 0.3 pJ per bit.
_COLUMN_BYTES = 32
_LLMSIM = "scale-snu/LLMSimulator src/dram/power.h; Duplex, MICRO 2024, sections IV-B, VI, VII-E"

XPU_READ_PJ_PER_BYTE = 891.0 / _COLUMN_BYTES
"""3.48 pJ per bit from the cell over the interposer."""

PIMS: dict[str, Pim] = {
    found.name: found
    for found in (
        Pim("logic", 464.0 / _COLUMN_BYTES, False, 0.0, _LLMSIM),
        Pim("bank-group", 686.0 / _COLUMN_BYTES, True, 0.0, _LLMSIM),
        # HBM-PIM takes 27 % of the die, GDDR6-AiM 20-25 %, at a compute-to-bandwidth ratio of one (section IV-B).
        Pim("bank", 187.0 / _COLUMN_BYTES, True, 0.235, _LLMSIM),
    )
}


def xpu(name: str) -> Xpu:
    """One of `XPUS`.

    Raises:
        UnknownName: for a name that is not there.
    """
    if name not in XPUS:
        raise UnknownName("xPU", name, XPUS)
    return XPUS[name]


def pim_unit(name: str) -> Pim:
    """One of `PIMS`.

    Raises:
        UnknownName: for a name that is not there.
    """
    if name not in PIMS:
        raise UnknownName("PIM unit", name, PIMS)
    return PIMS[name]
