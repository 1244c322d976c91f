"""Where a user's settings and caches lie (XDG Base Directory Specification 0.8)."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cache_folder", "config_folder"]


def _folder(variable: str, default: str) -> Path:
    stated = os.environ.get(variable, "")
    # "All paths set in these environment variables must be absolute"; one that is not is to be ignored.
    base = Path(stated) if stated and Path(stated).is_absolute() else Path.home() / default
    return base / "archgym"


def cache_folder() -> Path:
    """What can be made again: $ARCHGYM_CACHE, $XDG_CACHE_HOME/archgym, by default ~/.cache/archgym."""
    stated = os.environ.get("ARCHGYM_CACHE", "")
    if stated:
        return Path(stated).expanduser()
    return _folder("XDG_CACHE_HOME", ".cache")


def config_folder() -> Path:
    """What the user has chosen: $XDG_CONFIG_HOME/archgym, by default ~/.config/archgym."""
    return _folder("XDG_CONFIG_HOME", ".config")
