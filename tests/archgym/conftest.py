"""The toy simulator as an installed package: an entry point that this process and every child of it can see."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from archgym import catalog

_TOY = Path(__file__).parent / "toy"
sys.path.insert(0, str(_TOY))  # so that tests can share helpers; worker processes inherit it


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """Make `toy` a registered simulator; returns a folder to work in, which is the current one."""
    info = tmp_path / "site" / "toy_sims-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-sims\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[archgym.simulators]\ntoy = toy_sims:Bowl\n", encoding="utf-8")
    paths = [str(info.parent), str(_TOY)]
    monkeypatch.syspath_prepend(paths[0])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([*paths, os.environ.get("PYTHONPATH", "")]))
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    catalog._plugins.cache_clear()
    yield folder
    catalog._plugins.cache_clear()
