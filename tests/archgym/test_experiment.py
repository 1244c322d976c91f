"""A wrong experiment file costs one line that says where and what is allowed; a right one becomes its grid."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from run_helpers import write

from archgym.errors import InvalidInput
from archgym.experiment import AgentEntry, EnvironmentEntry, Experiment, json_schema
from archgym.experiment_file import load_experiment
from archgym.plan import make_plan

GOOD = """\
environment: toy
workloads: [plain]
objectives: [low-latency]
agents:
  - random
  - name: genetic
    hyper: {population: 8}
budget: 10
"""


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("budget: 10", "budgt: 10", r"8: budgt: unknown key; did you mean 'budget'\?; allowed: agents, .*workloads"),
        ("budget: 10", "", r" budget: this key is missing"),
        ("budget: 10", "budget: 0", r"8: budget: got 0 .*greater than or equal to 1"),
        ("budget: 10", "budget: '10'", r"8: budget: got '10' \(text\); allowed: a valid integer"),
        ("budget: 10", "budget: 1.5", r"8: budget: got 1.5 \(a number\)"),
        ("budget: 10", "budget: 10\nbudget: 11", r"9: key 'budget' is given twice, first in line 8"),
        ("budget: 10", "budget: 10\nseeds: []", r"9: seeds: the list is empty"),
        ("budget: 10", "budget: 10\nseeds: 0", r"9: seeds: got 0"),
        ("budget: 10", "budget: 10\nseeds: [3, 3]", r"9: seeds: 3 is listed twice"),
        ("budget: 10", "budget: 10\nseeds: [1, x]", r"9: seeds\[1\]: got 'x'"),
        ("budget: 10", "budget: 10\ntimeout_s: 0", r"9: timeout_s: got 0"),
        ("budget: 10", "budget: [", r"9: not valid YAML"),
        ("[plain]", "[]", r"2: workloads: the list is empty; give at least one entry"),
        ("[plain]", "plain", r"2: workloads: got 'plain' \(text\); allowed: a valid list"),
        ("[plain]", "[plan]", r"2: workloads\[0\]: toy knows no workload 'plan'"),
        ("[plain]", "[plain, plain]", r"2: workloads: 'plain' is listed twice"),
        ("environment: toy", "environment: tony", r"1: environment: unknown simulator 'tony'; did you mean 'toy'\?"),
        ("environment: toy", "environment: {nam: toy}", r"1: environment.nam: unknown key; did you mean 'name'\?"),
        ("environment: toy", "environment: {name: toy, options: {delay: 1}}", r"1: environment: unknown .*delay_s"),
        ("[low-latency]", "[low-latncy]", r"3: objectives\[0\]: unknown objective .*; did you mean 'low-latency'"),
        ("[low-latency]", "[{minimize: latncy_ns}]", r"3: objectives\[0\]: unknown metric .*did you mean 'latency_ns'"),
        ("[low-latency]", "[low-latency, {minimize: power_mw, name: low-latency}]", r"3: .*two objectives are called"),
        ("- random", "- randm", r"5: agents\[0\]: unknown agent 'randm'; did you mean 'random'\?"),
        ("- random", "- 3", r"5: agents\[0\]: got 3"),
        ("- random", "- genetic\n  - {name: genetic}", r"6: agents\[1\]: agent 'genetic' is listed twice"),
        ("population: 8", "populaton: 8", r"6: agents\[1\]: unknown hyper-parameter .*did you mean 'population'\?"),
        ("population: 8", "population: []", r"6: agents\[1\]: hyper.population: the grid is empty"),
        ("population: 8", "population: x", r"6: agents\[1\]: hyper-parameter population of genetic: .*got 'x'"),
        ("hyper:", "hypr:", r"7: agents\[1\].hypr: unknown key; did you mean 'hyper'\?; allowed: hyper, name"),
        ("budget: 10", "budget: 10\nfix: {aa: 1}", r"9: fix: unknown parameter 'aa'; did you mean 'a'\?"),
        ("budget: 10", "budget: 10\nfix: {mode: onn}", r"9: fix: unknown value of mode 'onn'; did you mean 'on'\?"),
        ("budget: 10", "budget: 10\nfix: {a: []}", r"9: fix: fix.a: an empty list leaves no choice"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(toy, old, new, expected):
    assert old in GOOD
    path = toy / "x.yaml"
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(InvalidInput) as caught:
        make_plan(path)
    assert re.search(f"x.yaml:{expected}", str(caught.value)), str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_empty_and_foreign_files(tmp_path):
    with pytest.raises(InvalidInput, match="no such experiment file"):
        load_experiment(tmp_path / "nowhere.yaml")
    (tmp_path / "quickstart.yaml").write_text("", encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"did you mean '.*quickstart.yaml'"):
        load_experiment(tmp_path / "quickstrat.yaml")
    with pytest.raises(InvalidInput, match="expected a mapping of keys, got nothing; needed at least: environment, "):
        load_experiment(tmp_path / "quickstart.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInput, match="cannot be read"):
        load_experiment(tmp_path / "binary.yaml")


def test_every_axis_of_the_grid_is_expanded_in_order(toy):
    agents = ["random", {"name": "genetic", "hyper": {"population": [8, 16], "crossover": [0.5, 0.9], "patience": 5}}]
    goals = ["low-latency", {"minimize": "power_mw", "name": "cool"}]
    plan = make_plan(write(toy, workloads=["plain", "double"], objectives=goals, agents=agents, seeds=[4, 2], batch=3))
    assert len(plan.trials) == 2 * 2 * (1 + 4) * 2
    assert [t.id for t in plan.trials] == list(range(40))
    assert [(t.workload, t.objective, t.seed) for t in plan.trials[:2]] == [("plain", "low-latency", s) for s in (4, 2)]
    genetic = [t.hyper for t in plan.trials[2:10:2]]
    assert genetic == [{"population": p, "crossover": c, "patience": 5} for p in (8, 16) for c in (0.5, 0.9)]
    assert [t.objective for t in plan.trials[10:20]] == ["cool"] * 10
    assert {t.budget for t in plan.trials} == {20}
    assert {t.batch for t in plan.trials} == {3}


def test_a_count_of_seeds_and_a_gymnasium_id(toy):
    plan = make_plan(write(toy, environment="archgym/toy-v0", seeds=3))
    assert [(t.environment, t.seed) for t in plan.trials] == [("toy", 0), ("toy", 1), ("toy", 2)]


def test_the_published_schema_accepts_what_runs_and_documents_every_key(toy):
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(yaml.safe_load(GOOD), schema)
    for wrong in (GOOD.replace("budget: 10", "budget: 0"), GOOD.replace("budget:", "budgt:"), GOOD + "seeds: []\n"):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(yaml.safe_load(wrong), schema)
    for model in (Experiment, AgentEntry, EnvironmentEntry):
        assert all(field.description for field in model.model_fields.values())
    assert json.loads(json.dumps(schema)) == schema


SMALLEST = "environment: dram\nworkloads: [{workload}]\nobjectives: [edp]\nagents: [random]\nbudget: 1\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("seeds: [99999999999999999999]", "seeds"),
        ("seeds: 1000000000", "seeds"),
        ("timeout_s: .inf", "timeout_s"),
    ],
)
def test_numbers_beyond_reason_are_refused_before_anything_runs(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "wild.yaml"
    file.write_text(
        "environment: dram\nworkloads: [stream]\nobjectives: [edp]\nagents: [random]\nbudget: 1\n" + text + "\n",
        "utf-8",
    )
    with pytest.raises(InvalidInput, match=said):
        make_plan(file)


def test_a_broken_trace_is_refused_where_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.stl").write_text("0: read 0x0\n10: read 0xZZ\n", "utf-8")
    file = tmp_path / "bad.yaml"
    file.write_text(
        "environment: dram\nworkloads: [bad.stl]\nobjectives: [edp]\nagents: [random]\nbudget: 1\n", "utf-8"
    )
    with pytest.raises(InvalidInput, match=r"bad\.yaml:2.*bad\.stl"):
        make_plan(file)
