"""A system: an NPU or GPU with or without PIM in its memory, every ingredient a field; the paper's four by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal

from archgym.errors import InvalidInput, UnknownName
from archgym.sims.pim.device import PimDevice, pim_device

RANKS, BANK_GROUPS = 2, 4
"""Of every channel (casys-kaist/NeuPIMs f299af3, extern/NewtonSim/configs/HBM2_8Gb_x128_dualpim.ini)."""
_FAW = 30
"""tFAW for rows of 1 KiB, in cycles (the same file)."""
_CHOICES = {
    "host": ("npu", "gpu"),
    "pim": ("none", "single", "dual"),
    "pim_commands": ("fine", "composite"),
    "pim_issue": ("shared", "per-channel"),
    "npu_attention": ("in-order", "spread"),
    "packing": ("round-robin", "min-load"),
    "sub_batching": ("off", "on", "threshold"),
}


@dataclass(frozen=True)
class System:
    """One device of a system; the defaults are those the authors ship (configs/systolic_ws_128x128_dev.json).

    Raises:
        UnknownName, InvalidInput: for a choice that does not exist or a size that is not positive.
    """

    host: Literal["npu", "gpu"] = "npu"
    array_rows: int = 128
    array_cols: int = 128
    arrays: int = 8
    vector_units: int = 8
    vector_lanes: int = 128
    frequency_mhz: int = 1000
    scratchpad_kib: int = 131072
    """The authors' program takes sram_size (134218 KiB) as the capacity of its scratchpad, not spad_size (1024)."""
    npu_attention: Literal["in-order", "spread"] = "spread"
    """Without PIM: one head after another on all arrays (the authors' program), or heads dealt to the arrays."""
    pim: Literal["none", "single", "dual"] = "dual"
    """Row buffers per bank: none, one shared with the memory's (Newton), or one of PIM's own (NeuPIMs)."""
    pim_commands: Literal["fine", "composite"] = "composite"
    pim_issue: Literal["shared", "per-channel"] = "per-channel"
    """Whether the NPU issues one PIM command a cycle for all channels, in order, or every channel has a sequencer."""
    pim_multipliers: int = 16
    channels: int = 32
    banks: int = 32
    page_bytes: int = 1024
    packing: Literal["round-robin", "min-load"] = "min-load"
    sub_batching: Literal["off", "on", "threshold"] = "threshold"
    sub_batch_threshold: int = 256

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in _CHOICES:
                if value not in _CHOICES[field.name]:
                    raise UnknownName(field.name, str(value), _CHOICES[field.name])
            elif isinstance(value, bool) or int(value) != value or value < 1:
                raise InvalidInput(f"{field.name}={value!r} of a system; allowed: whole numbers from 1")
        if self.banks % (RANKS * BANK_GROUPS):
            raise InvalidInput(f"banks={self.banks} of a channel; allowed: multiples of {RANKS * BANK_GROUPS}")

    def interleaves(self, batch: int) -> bool:
        """Whether a batch is cut into two sub-batches."""
        if self.pim == "none" or self.host == "gpu":
            return False
        return self.sub_batching == "on" or (self.sub_batching == "threshold" and batch >= self.sub_batch_threshold)


_NPU_PIM: dict[str, Any] = {
    "pim": "single", "pim_commands": "fine", "packing": "round-robin", "sub_batching": "off",
}  # fmt: skip
SYSTEMS: Mapping[str, System] = MappingProxyType(
    {
        "gpu-only": System(host="gpu", pim="none", sub_batching="off"),
        "npu-only": System(pim="none", sub_batching="off"),
        "npu-only-in-order": System(pim="none", sub_batching="off", npu_attention="in-order"),
        "npu+pim": System(**_NPU_PIM, pim_issue="shared"),
        "npu+pim-sequencers": System(**_NPU_PIM),
        "neupims": System(),
    }
)
"""The systems of the paper (NeuPIMs, ASPLOS 2024, evaluation). Of the two baselines there are two forms each: the
authors' programs (branches npu-only and npu+pim) work on attention head by head, and issue one PIM command a cycle for
all channels; the other form has neither limit."""


def system(name: str, **changes: Any) -> System:
    """One of `SYSTEMS`, with fields changed.

    Raises:
        UnknownName: for a name or field that does not exist.
        InvalidInput: for a value that is not allowed.
    """
    if name not in SYSTEMS:
        raise UnknownName("system", name, SYSTEMS)
    for key in changes:
        if key not in System.__dataclass_fields__:
            raise UnknownName("field of a system", key, System.__dataclass_fields__)
    return replace(SYSTEMS[name], **changes)


@lru_cache(maxsize=4096)
def pim_of(row_buffers: int, composite: bool, multipliers: int, channels: int, banks: int, page: int) -> PimDevice:
    """The memory of a system as a PIM device with the conventions of the authors' program.

    A bank is precharged at a time, and rows are free as soon as a composite command has issued.
    """
    changed: dict[str, Any] = {}
    if banks != RANKS * BANK_GROUPS * 4:
        changed["banks_per_group"] = banks // (RANKS * BANK_GROUPS)
    if page != 1024:
        changed["page_bytes"] = page
        # The window limits the current of activates, and that grows with the row.
        changed["timing"] = {"nFAW": max(1, _FAW * page // 1024)}
    return pim_device(
        "neupims-hbm2-code",
        row_buffers=row_buffers,
        command_set="composite" if composite else "newton",
        row_held_by="issue" if composite else "compute",
        multipliers_per_bank=multipliers,
        channels=channels,
        **changed,
    )


def memory_of(system: System) -> PimDevice:
    """The memory of a system (with one row buffer where there is no PIM)."""
    return pim_of(
        2 if system.pim == "dual" else 1,
        system.pim_commands == "composite",
        system.pim_multipliers,
        system.channels,
        system.banks,
        system.page_bytes,
    )
