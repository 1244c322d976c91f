"""Processors as rooflines: an operator takes the longer of its arithmetic and its memory traffic."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym.errors import InvalidInput, UnknownName

__all__ = ["PROCESSORS", "Processor", "processor"]


@dataclass(frozen=True)
class Processor:
    """Peak rates with the shares of them that code reaches, and what starting a kernel costs.

    Raises:
        InvalidInput: for a rate not above 0, an efficiency not in (0, 1], or a negative launch time or capacity.
    """

    name: str
    flops_per_s: float
    bytes_per_s: float
    compute_efficiency: float
    bandwidth_efficiency: float
    launch_s: float
    capacity_bytes: float
    source: str

    def __post_init__(self) -> None:
        for field in ("flops_per_s", "bytes_per_s"):
            if not getattr(self, field) > 0:
                raise InvalidInput(f"{self.name}: {field} {getattr(self, field)} is not allowed; allowed: above 0")
        for field in ("compute_efficiency", "bandwidth_efficiency"):
            if not 0 < getattr(self, field) <= 1:
                raise InvalidInput(
                    f"{self.name}: {field} {getattr(self, field)} is not allowed; allowed: above 0, up to 1"
                )
        for field in ("launch_s", "capacity_bytes"):
            if not getattr(self, field) >= 0:
                raise InvalidInput(f"{self.name}: {field} {getattr(self, field)} is not allowed; allowed: from 0")

    @property
    def ridge_op_per_byte(self) -> float:
        """Op/B above which arithmetic limits, below which memory does."""
        return self.flops_per_s * self.compute_efficiency / (self.bytes_per_s * self.bandwidth_efficiency)

    def time_s(self, flops: ArrayLike, bytes: ArrayLike) -> NDArray[np.float64]:  # noqa: A002 - the unit, as everywhere
        """Seconds of one kernel, in the broadcast shape of `flops` and `bytes`."""
        compute = np.asarray(flops, dtype=np.float64) / (self.flops_per_s * self.compute_efficiency)
        memory = np.asarray(bytes, dtype=np.float64) / (self.bytes_per_s * self.bandwidth_efficiency)
        return np.maximum(compute, memory) + self.launch_s


# The shares 0.8 (arithmetic) and 0.85 (bandwidth) are the caps AttAcc (ASPLOS'24) sets its GPUs:
# scale-snu/attacc_simulator c600051, src/devices.py. The launch time is what LLMCompass (ISCA'24) measured for a
# matrix product with PyTorch, each one waited for: PrincetonUniversity/LLMCompass b95c6c9,
# hardware_model/compute_module.py, 21 us on an A100 (taken for an H100 too) and 34 us on an MI210.
_CAPS = (0.8, 0.85)
_LAUNCH_S = 21e-6

_ALL = (
    Processor("a100-40gb", 312e12, 1555e9, *_CAPS, _LAUNCH_S, 40e9, "NVIDIA A100 data sheet, SXM4 40 GB, FP16 dense"),
    Processor("a100-80gb", 312e12, 2039e9, *_CAPS, _LAUNCH_S, 80e9, "NVIDIA A100 data sheet, SXM4 80 GB, FP16 dense"),
    Processor("h100", 989.4e12, 3.352e12, *_CAPS, _LAUNCH_S, 80e9, "NVIDIA H100 data sheet, SXM5 80 GB, FP16 dense"),
    Processor("mi210", 181e12, 1638.4e9, *_CAPS, 34e-6, 64e9, "AMD Instinct MI210 data sheet, FP16 matrix"),
    Processor(
        "h100-ideal",
        989.4e12,
        3.352e12,
        1.0,
        1.0,
        0.0,
        80e9,
        "Duplex, MICRO'24, section 6: an ideal roofline of an H100",
    ),
)
PROCESSORS: dict[str, Processor] = {found.name: found for found in _ALL}


def processor(name: str, **changes: Any) -> Processor:
    """One of `PROCESSORS`, with fields changed: `processor("h100", launch_s=0)`.

    Raises:
        UnknownName, InvalidInput: for an unknown name or field, or a value out of range.
    """
    try:
        found = PROCESSORS[name.lower()]
    except KeyError:
        raise UnknownName("processor", name, PROCESSORS) from None
    for field in changes:
        if field not in Processor.__dataclass_fields__:
            raise UnknownName("field of a processor", field, Processor.__dataclass_fields__)
    return replace(found, **changes)
