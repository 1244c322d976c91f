"""Who may import whom: simulators know no agents, agents know no hardware, the framework names both by string."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("gymnasium", "matplotlib", "numba", "optuna", "pandas", "pyarrow", "pymoo", "scipy", "sklearn", "torch")


def sources(folder: str) -> list[Path]:
    return [path for path in sorted((ROOT / folder).rglob("*.py")) if not path.is_relative_to(ROOT / "archgym/sims")]


def imports(path: Path) -> set[str]:
    """Absolute names imported anywhere in a file, also inside functions and under TYPE_CHECKING."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def framework() -> list[Path]:
    linked = [ROOT / "archgym" / name for name in ("agents", "rtl", "sims")]
    return [p for p in sorted((ROOT / "archgym").rglob("*.py")) if not any(p.is_relative_to(link) for link in linked)]


def offenders(files: list[Path], *banned: str) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}: {name}"
        for path in files
        for name in sorted(imports(path))
        if any(name == b or name.startswith(f"{b}.") for b in banned)
    ]


def test_the_framework_imports_no_concrete_simulator_or_agent():
    files = framework()
    assert len(files) > 5
    assert offenders(files, "archgym.sims", "archgym.agents", "archgym.rtl") == []


def test_simulators_know_no_agents():
    assert offenders(sources("sims"), "archgym.agents", "archgym.rtl") == []


def test_agents_know_no_hardware_and_not_each_other():
    files = sources("agents")
    assert len(files) > 5
    siblings = [f"archgym.agents.{path.stem}" for path in files if not path.stem.startswith("_")]
    assert offenders(files, "archgym.sims", "archgym.rtl", *siblings) == []


@pytest.mark.parametrize("folder", ["archgym", "agents", "rtl", "sims"])
def test_no_file_outgrows_its_reader(folder):
    files = framework() if folder == "archgym" else sources(folder)
    assert {p.name: n for p in files if (n := len(p.read_text().splitlines())) > 400} == {}


def run_fresh(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_import_is_quick_and_loads_nothing_heavy():
    loaded = run_fresh(f"import archgym, sys; print([n for n in {HEAVY!r} if n in sys.modules])")
    assert loaded == "[]"
    timing = "import time; t = time.process_time(); import archgym; print(time.process_time() - t)"
    # CPU seconds, best of three: another process on the machine must not fail this.
    assert min(float(run_fresh(timing)) for _ in range(3)) < 0.5
