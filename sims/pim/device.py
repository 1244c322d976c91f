"""A PIM device: a DRAM device with multipliers in its banks, one or two row buffers per bank, and its command set.

pim = pim_device("neupims-hbm2", row_buffers=1, multipliers_per_bank=8, timing={"nFAW": 16})
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal

from archgym.errors import InvalidInput, UnknownName
from archgym.sims.dram.spec import Device
from archgym.sims.pim import neupims_hbm2

CommandSet = Literal["newton", "composite"]
Precharge = Literal["all", "bank"]


@dataclass(frozen=True)
class PimDevice:
    """Banks that multiply: every bank of a channel works on its own row against one vector of the channel.

    A *tile* is one row of every bank of a channel (32 KB in NeuPIMs). Cycles are command-clock cycles of `device`.

    Raises:
        InvalidInput: for a size that is not positive or does not divide the banks.
    """

    device: Device
    channels: int = 32
    ranks: int = 2
    row_buffers: int = 2
    """1: PIM and memory share a bank's row buffer (Newton); 2: PIM has its own (NeuPIMs)."""
    multipliers_per_bank: int = 16
    """Elements of the open row a COMP multiplies in each bank."""
    banks_per_activation: int = 4
    """Banks of a rank that one group activate opens."""
    element_bytes: int = 2
    pipeline_fill: int = 6
    """Dot products after which the first result leaves multipliers and adder tree."""
    command_set: CommandSet = "composite"
    """newton: COMP and READRES are commands of their own; composite: COMPS_READRES(k) announces k COMPs and the read
    of their result at once (NeuPIMs)."""
    precharge: Precharge = "all"
    """One precharge closes the PIM rows of a rank (all) or of a bank (as the authors' program does)."""
    header: bool | None = None
    """Whether a tile is announced by a HEADER; by default only in the composite set, Newton has none."""
    row_held_by: Literal["compute", "issue", "result"] = "compute"
    """How long a tile keeps its rows open: until its last COMP; or, as the rows of the authors' program have it, no
    longer than one COMP from the issue of a COMPS_READRES, so that the next tile's precharge overlaps the dot products
    (issue, composite set), or until its last READRES (result, Newton's set)."""
    overlap_gwrite: bool = False
    """Whether precharges and activates of the next tile may go on while the vector buffer is being filled."""

    def __post_init__(self) -> None:
        for name in ("channels", "ranks", "multipliers_per_bank", "banks_per_activation", "element_bytes"):
            value = getattr(self, name)
            if isinstance(value, bool) or int(value) != value or value < 1:
                raise InvalidInput(f"{name}={value!r} of a PIM device; allowed: whole numbers from 1")
        if self.row_buffers not in (1, 2):
            raise InvalidInput(f"row_buffers={self.row_buffers!r} of a PIM device; allowed: 1, 2")
        if self.pipeline_fill < 0:
            raise InvalidInput(f"pipeline_fill={self.pipeline_fill!r} of a PIM device; allowed: whole numbers from 0")
        if self.command_set not in ("newton", "composite"):
            raise UnknownName("PIM command set", self.command_set, ("newton", "composite"))
        if self.precharge not in ("all", "bank"):
            raise UnknownName("PIM precharge", self.precharge, ("all", "bank"))
        if self.row_held_by not in ("compute", "issue", "result"):
            raise UnknownName("row_held_by", self.row_held_by, ("compute", "issue", "result"))
        if (self.command_set, self.row_held_by) in (("newton", "issue"), ("composite", "result")):
            allowed = "compute, result" if self.command_set == "newton" else "compute, issue"
            raise InvalidInput(
                f"row_held_by={self.row_held_by} with command set {self.command_set}; allowed: {allowed}"
            )
        if self.banks_per_rank % self.banks_per_activation:
            raise InvalidInput(
                f"banks_per_activation={self.banks_per_activation} does not divide the {self.banks_per_rank} banks of "
                f"a rank of {self.device.name}"
            )
        per_group, at_once = self.device.banks_per_group, self.banks_per_activation
        if at_once % per_group and per_group % at_once:
            raise InvalidInput(
                f"banks_per_activation={at_once} is no part or multiple of the {per_group} banks of a bank group"
            )
        if self.device.row_bytes % self.element_bytes:
            raise InvalidInput(
                f"a row of {self.device.row_bytes} bytes holds no whole elements of {self.element_bytes}"
            )

    @property
    def announces(self) -> bool:
        """Whether a tile begins with a HEADER."""
        return self.command_set == "composite" if self.header is None else self.header

    @property
    def banks_per_rank(self) -> int:
        """Banks of one rank."""
        return self.device.bankgroups * self.device.banks_per_group

    @property
    def banks(self) -> int:
        """Banks of a channel, all ranks and pseudo channels."""
        return self.device.pseudochannels * self.ranks * self.banks_per_rank

    @property
    def page_elements(self) -> int:
        """Elements in one row of one bank (and in the vector buffer)."""
        return self.device.row_bytes // self.element_bytes

    @property
    def comps_per_page(self) -> int:
        """COMPs that work through a whole row."""
        return -(-self.page_elements // self.multipliers_per_bank)

    @property
    def tile_bytes(self) -> int:
        """Bytes of one row of every bank of a channel."""
        return self.banks * self.device.row_bytes

    @property
    def tiles_per_channel(self) -> int:
        """Tiles a channel has room for."""
        return self.device.rows

    @property
    def capacity_bytes(self) -> int:
        """Capacity of all channels."""
        return self.channels * self.tiles_per_channel * self.tile_bytes

    @property
    def activations_per_rank(self) -> int:
        """Group activates that open one row in every bank of a rank."""
        return self.banks_per_rank // self.banks_per_activation

    @property
    def activation_window(self) -> tuple[int, int]:
        """(cycles, n): at least so many cycles lie between a group activate and the n-th last one of its rank.

        tFAW lets the device activate four banks; more at once need a proportionally longer window.
        """
        at_once, window = self.banks_per_activation, self.device.timing["nFAW"]
        return -(-window * max(4, at_once) // 4), max(1, 4 // at_once)

    @property
    def comp_cycles(self) -> int:
        """From one COMP to the next: the internal column cycle."""
        return max(self.device.timing["nBL"], self.device.timing["nCCDS"])

    @cached_property
    def gwrite_cycles(self) -> int:
        """From GWRITE until the vector buffer holds the page."""
        return neupims_hbm2.gwrite_cycles(self.device.row_bytes)

    @property
    def external_bytes_per_s(self) -> float:
        """Peak of the data buses of all channels."""
        return self.channels * self.device.peak_bandwidth_gbps * 1e9

    @property
    def peak_flops_per_s(self) -> float:
        """Multiplications and additions while every bank computes, one each per multiplier and COMP."""
        per_comp = 2 * self.multipliers_per_bank * self.banks * self.channels
        return per_comp / (self.comp_cycles * self.device.tck_ps * 1e-12)


NEUPIMS = PimDevice(neupims_hbm2.NEUPIMS_HBM2)
"""NeuPIMs: two row buffers, 16 multipliers per bank, 32 channels of 1 GB (ASPLOS 2024, section 6.1 and its code)."""

PIM_DEVICES: Mapping[str, PimDevice] = MappingProxyType(
    {
        "neupims-hbm2": NEUPIMS,
        "newton-hbm2": replace(NEUPIMS, row_buffers=1, command_set="newton"),
        # What the authors' program does, to compare with it: precharges bank by bank, rows free too early or too late.
        "neupims-hbm2-code": replace(NEUPIMS, precharge="bank", row_held_by="issue"),
        "newton-hbm2-code": replace(
            NEUPIMS, row_buffers=1, command_set="newton", precharge="bank", header=True, row_held_by="result"
        ),
    }
)


def pim_device(name: str = "neupims-hbm2", *, timing: Mapping[str, int] | None = None, **changes: Any) -> PimDevice:
    """Return a PIM device by name, with fields changed.

    Args:
        name: one of `PIM_DEVICES`.
        timing: timing parameters of the DRAM device in cycles; those computed from others follow.
        changes: fields of `PimDevice`, or `page_bytes`, `bankgroups`, `banks_per_group`, `rows` of its DRAM device
            (without `rows`, as many as the old capacity needs).

    Raises:
        UnknownName: for a name, field or timing parameter that does not exist.
        InvalidInput: for a value out of range.
    """
    if name not in PIM_DEVICES:
        raise UnknownName("PIM device", name, PIM_DEVICES)
    base = PIM_DEVICES[name]
    organisation = ("page_bytes", "bankgroups", "banks_per_group", "rows")
    allowed = {field.name for field in fields(PimDevice)} | set(organisation)
    for key in changes:
        if key not in allowed:
            raise UnknownName("field of a PIM device", key, allowed)
    shape = {key: changes.pop(key) for key in organisation if key in changes}
    if shape or timing:
        changes["device"] = _changed(changes.get("device", base.device), shape, timing or {})
    return replace(base, **changes)


def _changed(device: Device, shape: Mapping[str, int], timing: Mapping[str, int]) -> Device:
    """The DRAM device with another organisation or other timings, its rows derived again."""
    for key, value in shape.items():
        if isinstance(value, bool) or int(value) != value or value < 1:
            raise InvalidInput(f"{key}={value!r} of a PIM device; allowed: whole numbers from 1")
    organisation: dict[str, Any] = {key: int(value) for key, value in shape.items() if key != "page_bytes"}
    if "page_bytes" in shape:
        if shape["page_bytes"] % device.access_bytes:
            raise InvalidInput(f"page_bytes={shape['page_bytes']}; allowed: multiples of {device.access_bytes}")
        organisation["columns"] = shape["page_bytes"] * 8 // device.channel_width_bits
    for key, value in timing.items():
        if key not in device.timing:
            raise UnknownName("timing parameter", key, device.timing)
        if isinstance(value, bool) or int(value) != value or value < 1:
            raise InvalidInput(f"timing parameter {key}={value!r}; allowed: whole cycles from 1")
    changed = {**device.timing, **timing}
    changed = {**changed, **neupims_hbm2.derived(changed), **timing}
    found = replace(device, timing=changed, constraints=neupims_hbm2.constraints(changed), **organisation)
    if shape and "rows" not in shape:  # the same capacity in other banks and pages
        rows = device.rank_bytes * found.rows // found.rank_bytes
        if rows < 1:
            raise InvalidInput(f"{dict(shape)} leaves no row per bank; a rank has {device.rank_bytes} bytes")
        found = replace(found, rows=rows)
    return found
