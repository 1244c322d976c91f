"""The doctor tells found from missing and always knows the way to get it."""

from __future__ import annotations

import importlib.metadata
import shutil
from importlib import util

import numpy as np

from archgym import doctor


def findings():
    return {finding.name: finding for finding in doctor.examine()}


def test_what_is_installed_is_found_with_its_version():
    assert findings()["numpy"].version == np.__version__
    assert findings()["numpy"].required


def test_what_is_missing_says_what_it_enables_and_how_to_get_it(monkeypatch):
    real = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name: None if name in {"torch", "duckdb"} else real(name))
    monkeypatch.setattr(shutil, "which", lambda name: None)
    found = findings()
    assert found["torch"].version == found["duckdb"].version == found["valgrind"].version == ""
    assert found["duckdb"].install == "pip install 'archgym[data]'"
    assert "trace capture" in found["valgrind"].enables
    assert not found["torch"].required


def test_every_extra_it_names_exists():
    extras = set(importlib.metadata.metadata("archgym").get_all("Provides-Extra") or ())
    named = {f.install.partition("[")[2].partition("]")[0] for f in doctor.examine() if "[" in f.install}
    assert named
    assert named <= extras
