"""A simulation program of one top at one parameter point, kept by content."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from archgym.rtl.bench import tools
from archgym.rtl.bench.runtime import BuildError, Runtime, runtime
from archgym.rtl.block import Parameters
from archgym.rtl.flow import scratch

__all__ = ["build_icarus", "build_verilator", "rejection", "tool_message"]

_RECIPE = "1"  # part of the key: change it when the commands below change
_KEPT = 1000  # programs in the cache (about 100 kB each); the oldest go
# Registers and undriven values start at random, and assertions stop the simulation. Lint is the flow's business.
_VERILATE = ("--cc", "--vpi", "--assert", "--timing", "--x-assign", "unique", "--x-initial", "unique",
             "-Wno-lint", "-Wno-style", "-Wno-fatal", "-Werror-USERERROR",
             "--prefix", "Vtop", "-Mdir", ".")  # fmt: skip


def build_verilator(top: str, sources: Sequence[Path], parameters: Parameters, *, seconds: float = 300.0) -> Path:
    """The program that simulates `top` under cocotb, from the cache or built now.

    Raises:
        MissingDependency: without Verilator or cocotb.
        MissingTool: without a C++ compiler.
        BuildError: with the tool's message when Verilator refuses the RTL, or on running over `seconds`.
    """
    shared = runtime()
    kept = shared.folder.parent / "programs" / _key(shared, top, sources, parameters)
    if kept.exists():
        os.utime(kept)  # recently used ones stay
        return kept
    with scratch.folder() as folder:
        program = _build(shared, folder, top, sources, parameters, seconds)
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=kept.parent, prefix="new-", delete=False) as fresh:
            fresh.write(program.read_bytes())
        Path(fresh.name).chmod(0o755)
        Path(fresh.name).replace(kept)
    _prune(kept.parent)
    return kept


def _key(shared: Runtime, top: str, sources: Sequence[Path], parameters: Parameters) -> str:
    digest = hashlib.sha256(f"{_RECIPE} {shared.key} {top} {sorted(parameters.items())}".encode())
    for source in sources:
        digest.update(hashlib.sha256(source.read_bytes()).digest())
    return digest.hexdigest()[:32]


def _build(
    shared: Runtime, folder: Path, top: str, sources: Sequence[Path], parameters: Parameters, seconds: float
) -> Path:
    import cocotb_tools.config

    # cocotb needs the top's ports alone; making every signal visible would cost both compilation and simulation.
    (folder / "ports.vlt").write_text(f'`verilator_config\npublic_flat_rw -module "{top}" -var "*_i"\n'
                                      f'public_flat_rw -module "{top}" -var "*_o"\n'
                                      f'public_flat_rw -module "{top}" -var "*_ni"\n')  # fmt: skip
    _verilator([*_VERILATE, "ports.vlt"], top, sources, parameters, folder, seconds)
    main = cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp"
    units = ["shared.h", *sorted(path.name for path in folder.glob("Vtop*.cpp")), str(main)]
    (folder / "all.cpp").write_text("".join(f'#include "{unit}"\n' for unit in units))
    command = [*shared.compile_command, "-I.", "all.cpp", "-o", "simulation", *shared.link_flags]
    done = _run(command, folder, seconds, "compiling the simulation")
    if done.returncode:
        raise BuildError(f"the C++ compiler failed on the simulation of {top}: {tool_message(done.stderr)}")
    return folder / "simulation"


def _verilator(
    options: Sequence[str], top: str, sources: Sequence[Path], parameters: Parameters, folder: Path, seconds: float
) -> None:
    root = tools.verilator_root()
    command = [str(root / "bin" / "verilator_bin"), *options, "--top-module", top]
    command += [f"-G{name}={int(value)}" for name, value in parameters.items()]
    command += [str(source) for source in sources]
    done = _run(command, folder, seconds, "Verilator", {"VERILATOR_ROOT": str(root)})
    if done.returncode:
        raise BuildError(f"Verilator refuses {top}: {tool_message(done.stderr)}")


def rejection(top: str, sources: Sequence[Path], parameters: Parameters, *, seconds: float = 60.0) -> str:
    """Why Verilator refuses `top` with these parameters, or nothing when it accepts them."""
    with scratch.folder() as folder:
        try:
            _verilator(["--lint-only", "-Wno-lint", "-Wno-style"], top, sources, parameters, folder, seconds)
        except BuildError as error:
            return str(error)
    return ""


def build_icarus(
    top: str, sources: Sequence[Path], parameters: Parameters, folder: Path, *, seconds: float = 300.0
) -> Path:
    """The same for Icarus Verilog, into `folder`: it compiles in no time, so nothing is kept.

    Raises:
        MissingTool: when Icarus is not on PATH.
        BuildError: with the tool's message when it refuses the RTL.
    """
    program = tools.iverilog()
    if program is None:
        raise tools.MissingTool("iverilog", "--simulator icarus runs the benches with it", "apt install iverilog")
    command = [program, "-g2012", "-s", top, "-o", "simulation.vvp"]
    command += [f"-P{top}.{name}={int(value)}" for name, value in parameters.items()]
    command += [str(source) for source in sources]
    done = _run(command, folder, seconds, "Icarus Verilog")
    if done.returncode:
        raise BuildError(f"Icarus Verilog refuses {top}: {tool_message(done.stderr)}")
    return folder / "simulation.vvp"


def _run(
    command: list[str], folder: Path, seconds: float, what: str, more: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=seconds,
            env={**os.environ, "LC_ALL": "C", **(more or {})},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise BuildError(f"{what} took over {seconds:g} s") from None


def tool_message(text: str) -> str:
    """The first line of a tool's output that says what is wrong."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    wrong = [line for line in lines if "error" in line.lower()]
    return (wrong or lines or ["no message"])[0]


def _prune(folder: Path) -> None:
    programs = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime)
    for old in programs[: max(0, len(programs) - _KEPT)]:
        old.unlink(missing_ok=True)
