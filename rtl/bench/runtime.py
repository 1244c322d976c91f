"""What every simulation shares, compiled once per version and kept in the user's cache.

Verilator's run-time library takes about 12 CPU seconds to compile and a block's own C++ a few tenths with precompiled
headers, so sharing is most of a bench's speed. cocotb's own runner compiles all of it for each build.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import final

from archgym.errors import ArchGymError
from archgym.rtl.bench import tools
from archgym.rtl.tech.user_folders import cache_folder

__all__ = ["BuildError", "Runtime", "runtime"]

_RECIPE = "1"  # part of the key: change it when the commands below change
_PARTS = ("verilated", "verilated_dpi", "verilated_threads", "verilated_timing", "verilated_vpi")
_HEADER = """\
#include "verilated.h"
#include "verilated_vpi.h"
#include "verilated_dpi.h"
#include "verilated_threads.h"
#include "verilated_timing.h"
#include <libgen.h>
#include <stdio.h>
#include <memory>
#include <string>
"""
# As Verilator's own makefile (include/verilated.mk) defines them for a model without coverage, SystemC and traces.
_DEFINES = ("VERILATOR=1", "VM_SC=0", "VM_TIMING=1", "VM_COVERAGE=0", "VM_TRACE=0", "VM_TRACE_FST=0",
            "VM_TRACE_VCD=0", "VM_TRACE_SAIF=0")  # fmt: skip
_SECONDS = 300
_UNUSED_SECONDS = 30 * 24 * 3600


class BuildError(ArchGymError):
    """Raised when a simulation cannot be built; carries the tool's own message."""


@final
@dataclass(frozen=True)
class Runtime:
    """The shared pieces: a folder with the precompiled header and the run-time library, and how to use them."""

    folder: Path
    compiler: str
    flags: tuple[str, ...]
    key: str

    @property
    def compile_command(self) -> tuple[str, ...]:
        """The compiler, with the flags that the precompiled header was made with."""
        return (self.compiler, *self.flags, "-O0", f"-I{self.folder}")

    @property
    def link_flags(self) -> tuple[str, ...]:
        """The run-time library and cocotb's interface to Verilator."""
        import cocotb_tools.config

        libraries = cocotb_tools.config.libs_dir
        # -lpthread, not -pthread: that would define a macro, and the precompiled header would not match.
        return (
            f"-L{self.folder}", f"-Wl,-rpath,{self.folder}", "-lverilated_shared",
            f"-L{libraries}", f"-Wl,-rpath,{libraries}", "-lcocotbvpi_verilator", "-lgpi", "-lpthread",
        )  # fmt: skip


@lru_cache(maxsize=4)
def _describe(compiler: str, home: Path) -> Runtime:
    import cocotb

    include = tools.verilator_root() / "include"
    version = tools.compiler_version(compiler)
    flags = ["-std=gnu++20", "-fPIC", "-w", f"-I{include}", f"-I{include / 'vltstd'}"]
    flags += [f"-D{define}" for define in _DEFINES]
    if "clang" not in version:
        flags.append("-fcoroutines")
    told = [_RECIPE, tools.verilator_version(), cocotb.__version__, version, sys.platform, *flags]
    key = hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]
    return Runtime(home / "bench" / f"runtime-{key}", compiler, tuple(flags), key)


def runtime() -> Runtime:
    """The shared pieces of the installed versions, compiled now if this is the first use.

    Raises:
        MissingDependency: without Verilator or cocotb.
        MissingTool: without a C++ compiler.
        BuildError: when the compiler fails.
    """
    tools.gpi_users()
    found = _describe(tools.compiler(), cache_folder())
    if found.folder.exists():
        os.utime(found.folder)
    else:
        _compile(found)
        _prune(found.folder.parent)
    return found


def _compile(wanted: Runtime) -> None:
    """Compile into a fresh folder and rename it; one process does, others wait for it."""
    wanted.folder.parent.mkdir(parents=True, exist_ok=True)
    with (wanted.folder.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if wanted.folder.exists():
            return
        fresh = Path(tempfile.mkdtemp(prefix="runtime-new-", dir=wanted.folder.parent))
        try:
            _compile_into(fresh, wanted)
            fresh.rename(wanted.folder)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)


def _compile_into(folder: Path, wanted: Runtime) -> None:
    include = tools.verilator_root() / "include"
    (folder / "shared.h").write_text(_HEADER)
    base = [wanted.compiler, *wanted.flags]
    if "-fcoroutines" in wanted.flags:  # GCC; Clang finds precompiled headers by -include alone
        _call([*base, "-O0", "-x", "c++-header", "shared.h", "-o", "shared.h.gch"], folder)
    sources = [str(include / f"{part}.cpp") for part in _PARTS]
    undefined = ["-undefined", "dynamic_lookup"] if sys.platform == "darwin" else []
    _call([*base, "-O1", "-shared", *undefined, *sources, "-o", "libverilated_shared.so", "-lpthread"], folder)


def _prune(home: Path) -> None:
    """Remove the run-time libraries of versions that nobody has used for a month (100 MB each)."""
    for old in home.glob("runtime-*"):
        if time.time() - old.stat().st_mtime > _UNUSED_SECONDS:
            shutil.rmtree(old, ignore_errors=True)


def _call(command: list[str], folder: Path) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
        env={**os.environ, "LC_ALL": "C"},
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error" in line] or done.stderr.splitlines()
        raise BuildError(f"cannot compile Verilator's run-time library: {lines[0] if lines else command[0]}")
