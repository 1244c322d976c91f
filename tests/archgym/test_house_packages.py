"""What is in the tree is in the wheel: packages, data, guards, versions and pins."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
MAPPED = ("agents", "rtl", "sims")
LEFTOVERS = ("__pycache__", ".nbi", ".nbc", ".pyc", ".swp")


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def shipped_files() -> dict[str, Path]:
    """Every file of the four package folders by the name it must have in a wheel; the symlinks are not followed."""
    found = {}
    for folder in ("archgym", *MAPPED):
        prefix = "archgym" if folder == "archgym" else f"archgym/{folder}"
        for directory, folders, names in os.walk(ROOT / folder, followlinks=False):
            folders[:] = [name for name in folders if name != "__pycache__"]
            for name in names:
                path = Path(directory) / name
                if not name.endswith(LEFTOVERS):
                    found[f"{prefix}/{path.relative_to(ROOT / folder).as_posix()}"] = path
    return found


def test_the_package_list_is_the_tree(project):
    tree = {str(Path(name).parent).replace("/", ".") for name in shipped_files() if name.endswith(".py")}
    assert sorted(tree) == project["tool"]["setuptools"]["packages"]


def test_every_package_has_an_init():
    files = shipped_files()
    folders = {str(Path(name).parent) for name in files if name.endswith(".py")}
    assert not [folder for folder in sorted(folders) if f"{folder}/__init__.py" not in files]


@pytest.mark.parametrize("folder", MAPPED)
def test_symlinks_serve_type_checkers(folder):
    assert str((ROOT / "archgym" / folder).readlink()) == f"../{folder}"


@pytest.mark.parametrize("folder", MAPPED)
def test_a_bare_import_from_the_root_is_refused(folder):
    done = subprocess.run([sys.executable, "-c", f"import {folder}"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    message = f"ImportError: this folder imports as 'archgym.{folder}', not '{folder}'; write: import archgym.{folder}"
    assert done.stderr.splitlines()[-1] == message


def test_no_module_shadows_the_standard_library():
    # `python agents/random.py` would put agents/ first on sys.path, and every library would import it as `random`.
    stems = {Path(name).stem: name for name in shipped_files() if name.endswith(".py")}
    assert not {stem: name for stem, name in stems.items() if stem in sys.stdlib_module_names}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source with spaces"  # a copy, so that building leaves nothing in the checkout
    source.mkdir()
    for name in ("archgym", *MAPPED):
        shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--wheel-dir", str(folder), str(source)], check=True, stdin=subprocess.DEVNULL)
    (built,) = folder.glob("archgym-*.whl")
    return built


def test_the_wheel_holds_the_tree_and_nothing_else(wheel):
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert sorted(names) == sorted(shipped_files())


def test_the_wheel_carries_licence_type_marker_and_command(wheel):
    archive = zipfile.ZipFile(wheel)
    (info,) = {name.split("/")[0] for name in archive.namelist() if ".dist-info/" in name}
    assert "Apache License" in archive.read(f"{info}/licenses/LICENSE").decode()
    assert "License-Expression: Apache-2.0" in archive.read(f"{info}/METADATA").decode()
    assert "archgym = archgym.cli:main" in archive.read(f"{info}/entry_points.txt").decode()
    assert "archgym/py.typed" in archive.namelist()


def test_the_wheel_works_without_the_checkout(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    code = "import archgym; print(archgym.__file__); print(archgym.simulator('dram').space.size > 1)"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stdout.splitlines() == [str(tmp_path / "site" / "archgym" / "__init__.py"), "True"], done.stderr


def test_version_and_changelog_agree(project):
    version = project["project"]["version"]
    assert re.findall(r"^## \[(\d[^\]]*)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[0] == version
    assert re.findall(r"^version: (\S+)", (ROOT / "CITATION.cff").read_text(), re.MULTILINE) == [version]
    assert importlib.metadata.version("archgym") == version


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.13"])
def test_constraints_pin_every_dependency_within_its_range(project, python):
    def applies(requirement: Requirement) -> bool:
        return requirement.marker is None or requirement.marker.evaluate({"python_version": python})

    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and line[0] != "#"]
    pins = {canonicalize_name(r.name): r.specifier for r in map(Requirement, lines) if applies(r)}
    extras = project["project"]["optional-dependencies"].values()
    texts = [*project["project"]["dependencies"], *(text for extra in extras for text in extra)]
    for requirement in filter(applies, map(Requirement, texts)):
        if requirement.name != "archgym":
            (pin,) = pins[canonicalize_name(requirement.name)]
            assert pin.operator == "=="
            assert requirement.specifier.contains(pin.version), str(requirement)


def test_constraints_hold_on_every_index():
    # "+cpu" and its like exist on one index only; the plain version is satisfied by both builds.
    assert [line for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line and "+" in line] == []


def test_the_core_install_is_small(project):
    names = {Requirement(text).name for text in project["project"]["dependencies"]}
    assert not names & {"torch", "stable-baselines3", "sb3-contrib", "ray", "cocotb", "scikit-learn", "pandas"}
    assert set(project["project"]["optional-dependencies"]) >= {"bo", "rl", "rtl", "ray", "dev", "all"}
