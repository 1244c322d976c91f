"""Kernels compile wherever the package is installed."""

from __future__ import annotations

import pytest
from numba.core import caching

from archgym.sims import jit


def twice(x):
    return x + x


@pytest.mark.parametrize("compiler", [jit.entry, jit.lean])
def test_kernels_compile_where_no_cache_can_be_written(compiler, monkeypatch):
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    assert compiler(twice)(21) == 42


def test_machine_code_expires_with_the_sources_beside_it(tmp_path):
    kernel = tmp_path / "kernel.py"
    kernel.write_text("", "utf-8")
    before = jit._stamp(tmp_path)
    jit._stamp.cache_clear()
    (tmp_path / "layout.py").write_text("WIDTH = 2\n", "utf-8")
    assert jit._stamp(tmp_path) != before
