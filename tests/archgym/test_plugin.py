"""A simulator and an agent of another package (tests/plugin_example), installed by pip, picked up by entry point."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[1] / "plugin_example"

SEARCH = """
import archgym, gymnasium, json
from archgym.testing import check_simulator
found = archgym.search("gpu-roofline", "corners", {"minimize": "time_us"}, workload="matmul", budget=4)
check_simulator(archgym.simulator("gpu-roofline"))
env = gymnasium.make("archgym/gpu-roofline-v0", workload="stream", objective="low-power")
env.reset(seed=0)
info = env.step(env.action_space.sample())[4]
print(json.dumps({
    "design": found.best.design, "cost": found.best.cost, "names": list(archgym.catalog.simulators()),
    "agents": archgym.catalog.agents()["corners"], "info": sorted(info["metrics"]),
}))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the example installed in it, as pip would into site-packages; offline."""
    folder = tmp_path_factory.mktemp("plugin")
    shutil.copytree(EXAMPLE, folder / "source")
    command = ["install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", folder / "site"]
    subprocess.run([sys.executable, "-m", "pip", *command, folder / "source"], check=True, capture_output=True)
    return folder / "site"


def python(site, code):
    env = {**os.environ, "PYTHONPATH": str(site)}
    return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=300)


def test_search_and_gymnasium_see_an_installed_package(site):
    done = python(site, SEARCH)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["design"] == {"cores": 16, "channels": 4}  # 16 FLOP/B: max(1000 / 4, 16,000 / 16) = 1000 us, the least
    assert found["cost"] == 1000.0
    assert {"dram", "gpu-roofline"} <= set(found["names"])
    assert found["agents"] == "from archgym-gpu-example"
    assert found["info"] == ["power_mw", "time_us"]


def test_its_unknown_options_are_refused_like_ours(site):
    done = python(site, "import archgym; archgym.simulator('gpu-roofline', speed=2)")
    assert "UnknownName: unknown option of simulator gpu-roofline 'speed'" in done.stderr.splitlines()[-1]


def test_a_broken_plugin_is_named_when_it_is_used_and_only_then(site, tmp_path):
    broken = tmp_path / "site"
    shutil.copytree(site, broken)
    (broken / "archgym_gpu_example" / "__init__.py").write_text("import no_such_library\n", encoding="utf-8")
    done = python(broken, "import archgym; print(*archgym.catalog.simulators()); archgym.simulator('gpu-roofline')")
    assert "gpu-roofline" in done.stdout.split()
    assert done.stderr.splitlines()[-1] == (
        "archgym.errors.InvalidInput: simulator 'gpu-roofline' of archgym-gpu-example cannot be loaded from "
        "archgym_gpu_example:Roofline: ModuleNotFoundError: No module named 'no_such_library'"
    )


def test_a_name_that_is_ours_already_is_refused_when_it_is_used(site, tmp_path):
    doubled = tmp_path / "site"
    shutil.copytree(site, doubled)
    (points,) = doubled.glob("*.dist-info/entry_points.txt")
    points.write_text(points.read_text(encoding="utf-8").replace("corners =", "random ="), encoding="utf-8")
    use = "import archgym; archgym.agent('{}', archgym.DesignSpace([archgym.Parameter('a', (1, 2))]))"
    assert python(doubled, use.format("genetic")).returncode == 0
    assert python(doubled, use.format("random")).stderr.splitlines()[-1] == (
        "archgym.errors.InvalidInput: agent 'random' is provided twice, by archgym (archgym.agents.random_search:"
        "RandomSearch) and archgym-gpu-example (archgym_gpu_example:Corners); uninstall one"
    )
