"""Writing a description and an experiment on it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from archgym.rtl.own.description import Description
from archgym.rtl.own.module import OwnModule

__all__ = ["description_text", "experiment_text", "relative"]

_FAR = "../../.."
_BUDGET = 60  # designs a trial of the first experiment; a few minutes for a small module
_OF_MACS = {"maximize": "tops_per_w_mm2"}
_OF_BEATS = {"product": {"beats_per_us": -1.0, "power_mw": 1.0, "area_um2": 1.0}}
"""The same without a count of MACs: throughput over power and area."""
_AGENTS = ("random", "hill-climb", "genetic")


def relative(path: Path, folder: Path) -> str:
    """A path as seen from a folder, or whole where that would lead far away."""
    path, folder = path.resolve(), folder.resolve()
    found = os.path.relpath(path, folder)
    return path.as_posix() if found.startswith(_FAR) else Path(found).as_posix()


def description_text(description: Description) -> str:
    """The file, without what is as by default."""
    said = description.model_dump(exclude_defaults=True)
    return (
        "# Made by `archgym rtl env`; `archgym/RTL-v0` reads it. The golden model it names is Python and is run.\n"
        + (_yaml(said))
    )


def experiment_text(module: OwnModule, description: str) -> str:
    """An experiment that searches all of the space.

    Args:
        module: what is searched.
        description: path of its description, as `archgym run` will find it.
    """
    said = {
        "name": f"{module.block.name} in {module.description.technology}",
        "description": f"Which parameters and which clock suit {module.block.name} best?",
        "environment": {"name": "rtl", "options": {"description": description}},
        "workloads": list(module.workloads[:1]),
        "objectives": [_OF_MACS if module.model.has("macs") else _OF_BEATS],
        "agents": list(_AGENTS),
        "seeds": 2,
        "budget": _BUDGET,
        "batch": 8,
    }
    return "# Paths are relative to the folder in which `archgym run` is called.\n" + _yaml(said)


def _yaml(value: Mapping[str, Any]) -> str:
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=110, allow_unicode=True, default_flow_style=None)


class _Dumper(yaml.SafeDumper):
    """Safe, and without references to equal lists."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write equal objects twice.

        Args:
            data: one of them.
        """
        return True
