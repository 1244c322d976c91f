"""Names to classes, and what `import archgym` gives and costs."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from cache_toy import Toy

import archgym
from archgym import catalog
from archgym.errors import InvalidInput, UnknownName


@pytest.fixture
def empty(monkeypatch):
    """A catalog of its own."""
    monkeypatch.setattr(catalog, "_BUILT_IN", {"simulator": {}, "agent": {}})
    monkeypatch.setattr(catalog, "_plugins", lambda kind: ())


@pytest.mark.parametrize("name", catalog.agents())
def test_every_registered_agent_is_what_its_line_says(name):
    made = catalog.agent_class(name)
    assert issubclass(made, archgym.Agent)
    assert made.name == name
    assert made.__module__.startswith("archgym.agents.")
    assert catalog.agents()[name]


def test_every_registered_simulator_is_what_its_line_says():
    assert "dram" in catalog.simulators()
    ours = [name for name, entry in catalog._BUILT_IN["simulator"].items() if entry.provider == "archgym"]
    for name in ours:
        made = catalog.simulator(name)
        assert isinstance(made, archgym.Simulator)
        assert made.name == name
        assert name in catalog.environments().values()
    assert catalog.environments()["archgym/DRAMController-v0"] == "dram"


def test_listings_are_sorted():
    assert list(catalog.agents()) == sorted(catalog.agents())
    assert {"random", "coordinate", "hill-climb", "annealing", "genetic"} <= set(catalog.agents())


def test_a_simulator_is_built_with_its_options(empty):
    catalog.register_simulator("toy", "cache_toy:Toy", summary="a cache")
    assert catalog.simulators() == {"toy": "a cache"}
    assert catalog.environments() == {"archgym/toy-v0": "toy"}
    assert catalog.simulator_options("toy") == ("speed",)
    made = catalog.simulator("toy", speed=4.0)
    assert isinstance(made, Toy)
    assert made.options == {"speed": 4.0}
    with pytest.raises(UnknownName, match="unknown option of simulator toy 'sped'; did you mean 'speed'"):
        catalog.simulator("toy", sped=4.0)


def test_misspelt_names_are_met_with_the_nearest():
    with pytest.raises(UnknownName, match="unknown simulator 'drm'; did you mean 'dram'"):
        archgym.simulator("drm")
    with pytest.raises(UnknownName, match="unknown agent 'genetics'; did you mean 'genetic'"):
        archgym.agent("genetics", Toy.space)
    with pytest.raises(UnknownName, match="unknown agent 'Random'; did you mean 'random'"):
        archgym.agent("Random", Toy.space)
    with pytest.raises(UnknownName, match="'no_such'"):
        archgym.agent("random", Toy.space, no_such=1)


def test_registration_refuses_what_cannot_work(empty):
    catalog.register_simulator("toy", "cache_toy:Toy")
    catalog.register_simulator("toy", "cache_toy:Toy")  # the same again: a module imported twice
    with pytest.raises(InvalidInput, match="simulator 'toy' is registered already, as cache_toy:Toy"):
        catalog.register_simulator("toy", "elsewhere:Toy")
    with pytest.raises(InvalidInput, match=r"target must be 'package.module:Class', got 'cache_toy\.Toy'"):
        catalog.register_simulator("other", "cache_toy.Toy")
    with pytest.raises(InvalidInput, match="agent name 'a b': use letters"):
        catalog.register_agent("a b", "m:C")


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("no_such_module:X", "cannot be loaded from no_such_module:X: ModuleNotFoundError"),
        ("cache_toy:Toi", "cannot be loaded from cache_toy:Toi: AttributeError"),
        ("cache_toy:Toy.version", "cache_toy:Toy.version is not a class or function"),
        ("builtins:dict", "built a dict; it must be an archgym.Simulator"),
        ("archgym.space:Parameter", "option of simulator bad is missing: name, choices"),
    ],
)
def test_a_target_that_is_none_is_named(empty, target, message):
    catalog.register_simulator("bad", target)
    with pytest.raises(InvalidInput, match=message):
        catalog.simulator("bad")


# -- the package itself -----------------------------------------------------------------------------------------------


def test_all_is_what_can_be_imported():
    assert archgym.__all__ == sorted(archgym.__all__)
    for name in archgym.__all__:
        assert getattr(archgym, name) is not None
    public = {name for name in vars(archgym) if not name.startswith("_")} & set(dir(archgym))
    modules = {name for name in public if f"archgym.{name}" in sys.modules}
    helpers = {"annotations", "importlib", "TYPE_CHECKING", "Any", "register_ids_with_gymnasium"}
    assert public - modules - helpers <= set(archgym.__all__)


def test_a_misspelt_attribute_is_met_with_the_nearest():
    with pytest.raises(AttributeError, match="module 'archgym' has no attribute 'serch'; did you mean 'search'"):
        _ = archgym.serch


def in_fresh_python(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    return json.loads(done.stdout)


HEAVY = [
    "gymnasium",
    "torch",
    "numba",
    "pydantic",
    "scipy",
    "matplotlib",
    "pandas",
    "pymoo",
    "optuna",
    "sklearn",
    "rich",
]


def test_import_loads_nothing_heavy():
    loaded = in_fresh_python("import archgym, sys, json; print(json.dumps(sorted(sys.modules)))")
    assert not set(HEAVY) & set(loaded)
    assert "numpy" in loaded


@pytest.mark.parametrize(
    "imports", ["import archgym, gymnasium", "import gymnasium, archgym", "import gymnasium.spaces, archgym"]
)
def test_gymnasium_knows_the_ids_in_either_order(imports):
    show = "import json; print(json.dumps([k for k in gymnasium.registry if k.startswith('archgym/')]))"
    assert "archgym/DRAMController-v0" in in_fresh_python(f"{imports}; {show}")


def test_gymnasium_can_import_us_by_prefix():
    code = (
        "import gymnasium, json\n"
        "try: gymnasium.make('archgym:archgym/DRAMController-v0', formulation='nonsense')\n"
        "except ValueError as error: print(json.dumps(str(error)))"
    )
    assert in_fresh_python(code).startswith("unknown formulation 'nonsense'")


def test_a_missing_gymnasium_does_not_stop_the_import():
    """The hook that waits for Gymnasium must leave the usual error alone."""
    code = (
        "import archgym, sys, json\n"
        "import importlib.machinery\n"
        "find = importlib.machinery.PathFinder.find_spec\n"
        "hidden = lambda name, *rest: None if name == 'gymnasium' else find(name, *rest)\n"
        "importlib.machinery.PathFinder.find_spec = hidden\n"
        "try: import gymnasium\n"
        "except ModuleNotFoundError as error: print(json.dumps(str(error)))"
    )
    assert in_fresh_python(code) == "No module named 'gymnasium'"
