"""What is installed, what is missing, what each missing piece would enable, and the command that installs it."""

from __future__ import annotations

import platform
import shutil
import sys
from dataclasses import dataclass
from importlib import metadata, util
from typing import final

from archgym.child_process import usable_cores

__all__ = ["Finding", "examine"]


@final
@dataclass(frozen=True)
class Finding:
    """One piece: `version` is empty when it is missing; `install` is then the command that helps."""

    name: str
    enables: str
    version: str
    install: str
    required: bool = False


_LIBRARIES = (  # distribution, module, what it enables, extra (empty: core)
    ("numpy", "numpy", "everything", ""),
    ("numba", "numba", "the compiled simulators", ""),
    ("gymnasium", "gymnasium", "environments for reinforcement learning", ""),
    ("pydantic", "pydantic", "experiment files, hyper-parameters", ""),
    ("PyYAML", "yaml", "experiment files", ""),
    ("typer", "typer", "the command line", ""),
    ("rich", "rich", "progress and tables", ""),
    ("pymoo", "pymoo", "the genetic algorithm", ""),
    ("cmaes", "cmaes", "CMA-ES", ""),
    ("optuna", "optuna", "Bayesian optimisation (TPE)", ""),
    ("matplotlib", "matplotlib", "figures of reports", ""),
    ("Jinja2", "jinja2", "the report page", ""),
    ("pyarrow", "pyarrow", "archgym dataset export", ""),
    ("duckdb", "duckdb", "archgym dataset query", "data"),
    ("scipy", "scipy", "Bayesian optimisation with Gaussian processes", "bo"),
    ("torch", "torch", "Gaussian processes, reinforcement learning", "bo"),
    ("stable-baselines3", "stable_baselines3", "PPO", "rl"),
    ("sb3-contrib", "sb3_contrib", "further reinforcement learning methods", "rl"),
    ("onnx", "onnx", "networks from ONNX files on the NPU", "onnx"),
    ("cocotb", "cocotb", "RTL simulation benches", "rtl"),
)

_PROGRAMS = (  # program, what it enables, how to install it
    ("valgrind", "archgym trace capture (traces of real programs)", "apt-get install valgrind"),
)


def examine() -> list[Finding]:
    """Look at this machine; never fails."""
    here = f"{platform.python_version()} on {platform.system()} {platform.machine()}, {usable_cores()} usable cores"
    findings = [Finding("python", "everything (3.10 or newer)", here, "https://www.python.org", required=True)]
    findings += [_library(*entry) for entry in _LIBRARIES]
    for program, enables, install in _PROGRAMS:
        findings.append(Finding(program, enables, shutil.which(program) or "", install))
    findings.append(_isolation())
    return findings


def _library(distribution: str, module: str, enables: str, extra: str) -> Finding:
    try:
        found = metadata.version(distribution) if util.find_spec(module) else ""
    except (metadata.PackageNotFoundError, ValueError):
        found = ""
    install = f"pip install 'archgym[{extra}]'" if extra else "pip install archgym"
    return Finding(distribution, enables, found, install, required=not extra)


def _isolation() -> Finding:
    kernel = f"{platform.system()} {platform.release()}" if sys.platform == "linux" else ""
    return Finding("kernel parent-death signal", "workers end at once when a run is killed", kernel, "needs Linux")
