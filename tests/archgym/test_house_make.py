"""The Makefile, with a stand-in for Python that records what it is asked to do: nothing is installed here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FAKE = """#!/bin/sh
case "$1" in
    -V) echo "Python {version}" ;;
    -c) exit {refuses} ;;
    -m) echo "$*" >> calls
        if [ "$2" = venv ]; then mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; fi ;;
esac
"""


@pytest.fixture
def checkout(tmp_path):
    folder = tmp_path / "a path with spaces"
    folder.mkdir()
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder)
    return folder


def make(folder: Path, *targets: str, version: str = "3.12.0", refuses: int = 0) -> subprocess.CompletedProcess[str]:
    python = folder / "python3"
    python.write_text(FAKE.format(version=version, refuses=refuses))
    python.chmod(0o755)
    # As typed in a terminal: what an outer make passes down would change how this one behaves.
    outside = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MFLAGS", "MAKELEVEL"}}
    command = ["make", "PYTHON=" + str(python), *targets]
    return subprocess.run(command, cwd=folder, env=outside, capture_output=True, text=True, stdin=subprocess.DEVNULL)


def calls(folder: Path) -> list[str]:
    return (folder / "calls").read_text().splitlines()


def test_quickstart_installs_the_core_runs_and_says_where_the_report_is(checkout):
    done = make(checkout, "quickstart")
    assert done.returncode == 0, done.stderr
    assert [line.split()[1] for line in calls(checkout)] == ["venv", "pip", "archgym"]
    assert calls(checkout)[1].endswith("-c constraints.txt -e .")
    assert calls(checkout)[2] == "-m archgym run experiments/quickstart.yaml --report"
    assert done.stdout.splitlines()[-1] == f"report: {checkout}/runs/quickstart/report/index.html"


def test_an_environment_is_installed_again_only_when_its_recipe_changed(checkout):
    for _ in range(2):
        assert make(checkout, "lint").returncode == 0
    assert sum("pip install" in line for line in calls(checkout)) == 1
    later = time.time() + 5
    os.utime(checkout / "constraints.txt", (later, later))
    assert make(checkout, "lint").returncode == 0
    assert sum("pip install" in line for line in calls(checkout)) == 2
    assert sum("venv" in line.split() for line in calls(checkout)) == 1


def test_the_test_target_checks_style_types_and_coverage(checkout):
    assert make(checkout, "test").returncode == 0
    ran = [line.removeprefix("-m ") for line in calls(checkout)]
    assert [line.split()[0] for line in ran[2:]] == ["ruff", "ruff", "mypy", "pytest"]
    assert "--cov" in ran[-1]


def test_an_old_python_is_refused_before_anything_is_made(checkout):
    done = make(checkout, "quickstart", version="3.9.1", refuses=1)
    assert done.returncode == 2
    assert "needs Python 3.10 or newer" in done.stdout
    assert "Python 3.9.1" in done.stdout
    assert not (checkout / ".venv-quickstart").exists()


def test_help_names_every_target_a_person_types(checkout):
    text = make(checkout).stdout
    phony = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[0].split()
    assert set(re.findall(r"^make (\S+)", text, re.MULTILINE)) == set(phony) - {"help", "lint", "types", "serve-docs"}


def test_ci_runs_the_same_targets():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "set -euo pipefail" in script.read_text()
    assert re.findall(r"^make (\S+)", script.read_text(), re.MULTILINE) == ["test", "docs"]
