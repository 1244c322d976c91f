"""Design spaces of the controller by name: the full one, and the three of the first ArchGym for comparison.

The predecessor's agents searched different spaces (its `action_decoder_rl`, ACO settings file and `action_decoder_ga`);
all three fix DDR3-1600, CmdMux Oldest and NoPowerDown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from archgym.errors import UnknownName
from archgym.sims.dram.controller import KNOBS, refresh_policies
from archgym.sims.dram.spec import Device
from archgym.space import Choice, DesignSpace, Parameter

SPACES: Mapping[str, str] = MappingProxyType(
    {
        "full": "every knob",
        "archgym-rl": "the first ArchGym's space for RL and Vizier: 442,368 designs",
        "archgym-aco": "the first ArchGym's space for ACO: 1,769,472 designs",
        "archgym-ga": "the first ArchGym's space for GA, random walk and BO: 28,311,552 designs",
    }
)
PREDECESSOR_DEVICE = "DDR3-1600-1Gb-x8"

_POWERS = tuple(1 << i for i in range(8))
_GROUPS = {
    "PagePolicy": "scheduling", "Scheduler": "scheduling",
    "SchedulerBuffer": "buffering", "RequestBufferSize": "buffering",
    "CmdMux": "scheduling", "RespQueue": "buffering", "RefreshPolicy": "refresh", "RefreshMaxPostponed": "refresh",
    "RefreshMaxPulledin": "refresh", "PowerDownPolicy": "power", "Arbiter": "buffering",
    "MaxActiveTransactions": "buffering", "WriteHighWatermark": "buffering", "WriteLowWatermark": "buffering",
    "AddressMapping": "mapping",
}  # fmt: skip
_UNITS = {
    "RequestBufferSize": "requests", "MaxActiveTransactions": "requests", "WriteHighWatermark": "%",
    "WriteLowWatermark": "%", "RefreshMaxPostponed": "tREFI", "RefreshMaxPulledin": "tREFI",
}  # fmt: skip


def _parameter(name: str, choices: Sequence[Choice]) -> Parameter:
    kind = "categorical" if KNOBS[name].choices else "ordinal"
    return Parameter(name, tuple(choices), kind, _UNITS.get(name, ""), _GROUPS[name], KNOBS[name].doc)  # type: ignore[arg-type]


def _predecessor(buffer: Sequence[int], refresh: Sequence[int], active: Sequence[int]) -> dict[str, Sequence[Choice]]:
    return {
        "PagePolicy": ("Open", "OpenAdaptive", "Closed", "ClosedAdaptive"),
        "Scheduler": ("Fifo", "FrFcfsGrp", "FrFcfs"),
        "SchedulerBuffer": ("Bankwise", "ReadWrite", "Shared"),
        "RequestBufferSize": buffer,
        "RespQueue": ("Fifo", "Reorder"),
        "RefreshPolicy": ("NoRefresh", "AllBank"),
        "RefreshMaxPostponed": refresh,
        "RefreshMaxPulledin": refresh,
        "Arbiter": ("Simple", "Fifo", "Reorder"),
        "MaxActiveTransactions": active,
    }


def _full(device: Device) -> dict[str, Sequence[Choice]]:
    return {
        "PagePolicy": KNOBS["PagePolicy"].choices,
        "Scheduler": KNOBS["Scheduler"].choices,
        "SchedulerBuffer": KNOBS["SchedulerBuffer"].choices,
        "RequestBufferSize": _POWERS,
        "CmdMux": ("Oldest", "Strict"),
        "RespQueue": KNOBS["RespQueue"].choices,
        "RefreshPolicy": refresh_policies(device),
        "RefreshMaxPostponed": (0, 1, 2, 4, 8),
        "RefreshMaxPulledin": (0, 1, 2, 4, 8),
        "PowerDownPolicy": KNOBS["PowerDownPolicy"].choices,
        "Arbiter": KNOBS["Arbiter"].choices,
        "MaxActiveTransactions": _POWERS,
        "WriteHighWatermark": (0, 50, 75, 100),
        "WriteLowWatermark": (0, 25, 50),
        "AddressMapping": KNOBS["AddressMapping"].choices,
    }


def space(name: str, device: Device) -> DesignSpace:
    """Build a space by name.

    Raises:
        UnknownName: for a name not in `SPACES`, or a predecessor's space with another device than its own.
    """
    if name not in SPACES:
        raise UnknownName("DRAM space", name, SPACES)
    if name != "full" and device.name != PREDECESSOR_DEVICE:
        raise UnknownName(f"device of space {name}", device.name, (PREDECESSOR_DEVICE,))
    one_to_eight = tuple(range(1, 9))
    choices = {
        "full": lambda: _full(device),
        "archgym-rl": lambda: _predecessor(_POWERS, (1, 2, 4, 8), _POWERS),
        "archgym-aco": lambda: _predecessor(one_to_eight, one_to_eight, _POWERS),
        "archgym-ga": lambda: _predecessor(one_to_eight, one_to_eight, tuple(range(1, 129))),
    }[name]()
    return DesignSpace([_parameter(knob, values) for knob, values in choices.items()])
