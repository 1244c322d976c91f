"""A cluster of devices, each an xPU and memory stacks with or without units inside: rates, capacity, energies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from archgym.errors import InvalidInput, UnknownName
from archgym.sims.duplex.stack import HBM3, MemoryModel, Stack
from archgym.sims.duplex.units import PIMS, XPU_READ_PJ_PER_BYTE, XPUS, Pim, Xpu, pim_unit, xpu
from archgym.sims.llm.collectives import link

__all__ = ["NODE_DEVICES", "Offload", "Policy", "System"]

Offload = Literal["attention", "attention+experts", "all"]
"""What may run on the units in the memory: decode attention; experts too (Duplex); every matrix product."""

Policy = Literal["mixed", "prefill-first", "decode-first"]
"""mixed: new requests are prefilled in the stage in which others decode; prefill-first: in a stage of their own, at
once; decode-first: when the running batch has drained (request-level batching)."""

NODE_DEVICES = 8
"""Devices that share NVLink; nodes are joined by InfiniBand (Duplex, MICRO 2024, section VI)."""

BANK_GROUP_BANDWIDTH = 8
"""Times the pins, of units at the bank groups of a pseudo channel of two ranks (AttAcc, ASPLOS 2024; its simulator,
scale-snu/attacc_simulator c600051, multiplies by the same)."""

ACTIVATE_PJ_PER_BYTE = 909.0 / 1024
"""909 pJ for opening a row of 1 KB that is then read as a whole (scale-snu/LLMSimulator, src/dram/power.h)."""
MAC_PJ_PER_FLOP = 0.23
"""0.46 pJ per multiply-accumulate in FP16, 7 nm (same file)."""
LINK_PJ_PER_BYTE = 8 * 1.3
"""1.3 pJ per bit of NVLink (scale-snu/attacc_simulator c600051); InfiniBand costs the same for want of a figure."""


@dataclass(frozen=True)
class System:
    """One design. Defaults: Duplex with co-processing and expert tensor parallelism on four devices.

    Raises:
        InvalidInput, UnknownName: for a value that is not allowed.
    """

    xpu: str = "h100"
    stacks: int = 5
    pim: str = "logic"
    """none, or a name of `units.PIMS`."""
    pim_bandwidth: int = 4
    """Bandwidth inside the stack over that at its pins."""
    pim_op_per_byte: float = 8
    """Arithmetic peak of the units over their bandwidth."""
    offload: Offload = "attention+experts"
    attention_coprocessing: bool = True
    """Prefill attention on the xPU while decode attention runs in the memory."""
    expert_coprocessing: bool = True
    """Experts of one layer on both at the same time."""
    expert_split: Literal["expert", "tensor"] = "tensor"
    """Devices of a node hold whole experts, or a slice of each."""
    merged_reduction: bool = False
    """Add up slices and experts in one all-reduce; the authors' simulator needs one for each when experts are sliced
    inside a single node."""
    devices: int = 4
    link_gb_per_s: float = 450
    max_batch: int = 128
    prefill_tokens_per_stage: int = 8192
    """Prompt tokens a stage reads at most, but always one prompt."""
    stage_policy: Policy = "mixed"
    memory: MemoryModel = "timings"
    stack: Stack = HBM3

    def __post_init__(self) -> None:
        for field in ("stacks", "devices", "max_batch", "prefill_tokens_per_stage"):
            value = getattr(self, field)
            if isinstance(value, bool) or int(value) != value or value < 1:
                raise InvalidInput(f"{field}={value!r} is not allowed; allowed: whole numbers from 1")
        for field in ("pim_op_per_byte", "link_gb_per_s"):
            if not getattr(self, field) > 0:
                raise InvalidInput(f"{field}={getattr(self, field)!r} is not allowed; allowed: above 0")
        if self.devices > NODE_DEVICES and self.devices % NODE_DEVICES:
            raise InvalidInput(f"devices={self.devices} is not allowed; allowed: up to 8, then multiples of 8")
        for field, allowed in _CHOICES.items():
            if getattr(self, field) not in allowed:
                raise UnknownName(field, str(getattr(self, field)), allowed)
        self.stack.banks_together(self.pim_bandwidth)
        if self.pim == "bank-group" and self.pim_bandwidth > BANK_GROUP_BANDWIDTH:
            raise InvalidInput(
                f"pim_bandwidth={self.pim_bandwidth} of units at the bank groups is not allowed: each has one bus; "
                f"allowed: up to {BANK_GROUP_BANDWIDTH}"
            )

    @property
    def xpu_unit(self) -> Xpu:
        """The processor beside the stacks."""
        return xpu(self.xpu)

    @property
    def pim_unit(self) -> Pim | None:
        """The units inside them, if any."""
        return None if self.pim == "none" else pim_unit(self.pim)

    @property
    def nodes(self) -> int:
        """Nodes: requests are shared out over them, layers over the devices of one."""
        return max(1, self.devices // NODE_DEVICES)

    @property
    def tensor(self) -> int:
        """Devices that share each layer."""
        return self.devices // self.nodes

    @property
    def sections(self) -> int:
        """Memory sections; one: units inside and xPU exclude each other."""
        return self.stack.sections(self.pim_bandwidth)

    @property
    def xpu_flops_per_s(self) -> float:
        """Arithmetic peak of the xPU of a device."""
        return self.xpu_unit.flops_per_s

    @property
    def xpu_bytes_per_s(self) -> float:
        """What a device's xPU reads from its stacks."""
        share = self.stack.refresh_share if self.memory == "timings" else 1.0
        return self.stacks * self.stack.bytes_per_s * share

    @property
    def pim_bytes_per_s(self) -> float:
        """What the units of a device read; 0 without units."""
        if self.pim == "none":
            return 0.0
        share = self.stack.internal_share(self.pim_bandwidth) if self.memory == "timings" else 1.0
        return self.stacks * self.stack.bytes_per_s * self.pim_bandwidth * share

    @property
    def pim_flops_per_s(self) -> float:
        """Arithmetic peak of the units of a device; it follows the peak bandwidth."""
        if self.pim == "none":
            return 0.0
        return self.stacks * self.stack.bytes_per_s * self.pim_bandwidth * self.pim_op_per_byte

    @property
    def ridge_op_per_byte(self) -> tuple[float, float]:
        """Op/B from which the xPU and the units (0: none) are limited by arithmetic, at peak bandwidth."""
        outside = self.xpu_flops_per_s / (self.stacks * self.stack.bytes_per_s)
        return outside, 0.0 if self.pim == "none" else self.pim_op_per_byte

    @property
    def capacity_bytes(self) -> float:
        """Memory of a device."""
        return self.stacks * self.stack.capacity_bytes

    @property
    def link_s(self) -> float:
        """Latency of a message inside a node."""
        return link("nvlink4").latency_s

    @property
    def xpu_pj_per_byte(self) -> float:
        """Column access over the interposer and its share of the activate."""
        return XPU_READ_PJ_PER_BYTE + ACTIVATE_PJ_PER_BYTE

    @property
    def pim_pj_per_byte(self) -> float:
        """Column access up to the units and its share of the activate."""
        unit = self.pim_unit
        return 0.0 if unit is None else unit.read_pj_per_byte + ACTIVATE_PJ_PER_BYTE

    @property
    def standby_w(self) -> float:
        """Standby of the memory of all devices; the published models know no idle power of the processors."""
        return self.devices * self.stacks * self.stack.standby_w


_CHOICES: dict[str, tuple[str, ...]] = {
    "xpu": tuple(XPUS),
    "pim": ("none", *PIMS),
    "offload": ("attention", "attention+experts", "all"),
    "expert_split": ("expert", "tensor"),
    "stage_policy": ("mixed", "prefill-first", "decode-first"),
    "memory": ("timings", "peak"),
}
