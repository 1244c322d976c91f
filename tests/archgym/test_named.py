"""Named designs: what a file may say of them, that they are scored once and survive everything a run survives."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
from contextlib import closing

import jsonschema
import pytest
import yaml
from command_line import invoke
from pyarrow import parquet
from rich.console import Console
from run_helpers import SLOW, results, start, stored, wait_for, write

from archgym.dataset import export
from archgym.errors import InvalidInput, StoreError
from archgym.experiment import json_schema
from archgym.named import NAMED
from archgym.named_results import named_results
from archgym.plan import make_plan
from archgym.progress import Display
from archgym.runner import run_experiment
from archgym.store import open_run
from archgym.validate import validate_run

# On "plain": bottom 10 ns and 130 mW; corner 10 + 9 + 36 = 55 ns and 100 mW; dead 99 ns and 130 mW. "double": ns twice.
DESIGNS = {
    "bottom": {"a": 3, "b": 6, "mode": "on"},
    "corner": {"base": "bottom", "a": 0, "b": 0},
    "dead": {"base": "bottom", "mode": "off"},
    "dead too": {"base": "dead", "b": 1},
}
CLAIM = {"label": "slower", "metric": "latency_ns", "of": "corner", "over": "bottom", "published": 5.0, "source": "us"}
ONLY_NAMED = {"agents": None, "objectives": None, "budget": None, "seeds": None, "batch": None}

GOOD = """\
environment: toy
workloads: [plain, double]
designs:
  bottom: {a: 3, b: 6, mode: "on"}
  corner:
    base: bottom
    a: 0
claims:
  - label: slower
    metric: latency_ns
    of: corner
    over: bottom
    workloads: "*"
    published: 5
    source: us
"""


def named(folder, name="x.yaml", **changes):
    """An experiment of named designs only."""
    path = write(folder, name, workloads=["plain", "double"], designs=DESIGNS, claims=[CLAIM], **changes)
    content = json.loads(path.read_text(encoding="utf-8"))
    kept = {key: value for key, value in content.items() if key not in ONLY_NAMED or key in changes}
    path.write_text(json.dumps(kept), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("    a: 0", "    aa: 0", r"7: designs.corner.aa: unknown parameter 'aa'; did you mean 'a'\?"),
        ("    a: 0", "    a: 11", r"7: designs.corner.a: unknown value of a '11'.*allowed: 0, 1"),
        ("    a: 0", "    a: [0, 1]", r"7: designs.corner.a: unknown value of a"),
        ("    a: 0", "    mode: on", r"7: designs.corner.mode: unknown value of mode 'True'.*off, yes and no.*quote"),
        ("    base: bottom", "    base: botom", r"6: .*unknown design listed above 'botom'; did you mean 'bottom'\?"),
        ("    base: bottom", "    base: corner", r"6: .*unknown design listed above 'corner'.*allowed: bottom"),
        ("    base: bottom", "    base: [bottom]", r"6: designs.corner.base: unknown design listed above"),
        ("    base: bottom", "    b: 1", r"5: designs.corner: the design lacks mode; give every parameter, or `base"),
        ("  corner:\n", "  bottom:\n", r"5: key 'bottom' is given twice, first in line 4"),
        ('{a: 3, b: 6, mode: "on"}', "3", r"4: designs.bottom: got 3 \(a whole number\)"),
        ("  corner:", "  2:", r"5: designs\[2\]: got 2 \(a whole number\)"),
        ("metric: latency_ns", "metric: latncy_ns", r"10: claims\[0\].metric: unknown metric .*mean 'latency_ns'"),
        ("of: corner", "of: conner", r"11: claims\[0\].of: unknown named design 'conner'; did you mean 'corner'\?"),
        ("over: bottom", "over: top", r"12: claims\[0\].over: unknown named design 'top'.*allowed: bottom, corner"),
        ("over: bottom", "over: corner", r"9: claims\[0\]: `of` and `over` are both 'corner'"),
        ('workloads: "*"', 'workloads: "d*t"', r"13: claims\[0\].workloads: 'd\*t' matches none .*: plain, double"),
        ("published: 5", "published: 5\n    over_workloads: [z]", r"15: claims\[0\].over_workloads: 'z' matches none"),
        ("published: 5", "published: x", r"14: claims\[0\].published: got 'x' \(text\)"),
        ("published: 5", "published: 0", r"9: claims\[0\]: published: 0 leaves no relative difference"),
        ("published: 5", "published: [5, 4]", r"14: claims\[0\].published: the range \[5, 4\] is empty"),
        ("    source: us\n", "", r"9: claims\[0\].source: this key is missing; Where it is published"),
        ("source: us", "sorce: us", r"15: claims\[0\].sorce: unknown key; did you mean 'source'\?; allowed: label,"),
        ("claims:\n", f"claims:\n  - {json.dumps(CLAIM)}\n", r"8: claims: 'slower' is listed twice"),
        ("workloads: [plain", "agents: [random]\nworkloads: [plain", r" objectives: this key is missing; .*agents n"),
        (
            "workloads: [plain", "agents: [random]\nobjectives: [low-latency]\nworkloads: [plain",
            r" budget: this key is missing; .*Agents need it",
        ),
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


def test_an_experiment_needs_agents_or_designs_and_claims_need_designs(toy):
    path = toy / "x.yaml"
    start_of = "environment: toy\nworkloads: [plain]\n"
    path.write_text(start_of, encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"x\.yaml: agents: this key is missing; give agents that search, named"):
        make_plan(path)
    path.write_text(start_of + f"agents: [random]\nobjectives: [low-latency]\nbudget: 1\nclaims: [{json.dumps(CLAIM)}]")
    with pytest.raises(InvalidInput, match=r"x\.yaml:6: claims: claims are about named designs; add the key designs"):
        make_plan(path)


def test_designs_are_completed_from_their_base_and_from_what_is_fixed(toy):
    path = toy / "x.yaml"
    path.write_text(GOOD.replace('a: 3, b: 6, mode: "on"', "a: 3, b: 6") + 'fix: {mode: "off"}\n', encoding="utf-8")
    plan = make_plan(path)
    assert [(t.label, t.workload, t.hyper["design"]) for t in plan.trials] == [
        (label, workload, {"a": a, "b": 6, "mode": "off"})
        for workload in ("plain", "double")
        for label, a in (("bottom", 3), ("corner", 0))
    ]
    assert {(t.agent, t.named, t.budget) for t in plan.trials} == {(NAMED, True, 1)}


def test_the_published_schema_knows_both_forms():
    schema = json_schema()
    data = yaml.safe_load(GOOD)
    jsonschema.validate(data, schema)
    search = {"agents": ["random"], "objectives": ["edp"], "budget": 1}
    jsonschema.validate({**data, **search}, schema)
    wrongs = [
        {key: value for key, value in data.items() if key != "designs"},
        {**data, "agents": ["random"]},
        {"environment": "toy", "workloads": ["plain"]},
        {**data, "claims": [{**data["claims"][0], "published": "x"}]},
        {**data, "claims": [{**data["claims"][0], "published": [1]}]},
        {**data, "claims": [{**data["claims"][0], "show": "share"}]},
    ]
    for wrong in wrongs:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)
    claim = schema["$defs"]["Claim"]["properties"]
    assert all(field["description"] for field in claim.values())


def test_each_is_scored_once_on_each_workload_and_its_numbers_are_the_simulators(toy):
    run_experiment(named(toy), toy / "run", workers=2)
    with closing(open_run(toy / "run")) as run:
        found = named_results(run)
        trials = run.trials
    assert found.designs == tuple(DESIGNS)
    assert found.workloads == ("plain", "double")
    expected = [[10.0, 20.0], [55.0, 110.0], [99.0, 198.0], [99.0, 198.0]]
    assert found.values("latency_ns").tolist() == expected
    assert found.values("power_mw")[:, 0].tolist() == [130.0, 100.0, 130.0, 130.0]
    assert found.troubles == []
    (outcome,) = found.outcomes
    assert (outcome.ours, outcome.relative) == pytest.approx((5.5, 0.1))
    assert sum(trial.simulated for trial in trials) == 6  # with mode "off", b is dead: two designs are one
    assert {trial.state for trial in trials} == {"done"}
    assert {trial.distinct for trial in trials} == {1}
    verdict = validate_run(toy / "run")
    assert (verdict.stored, verdict.checked, verdict.mismatches) == (6, 6, ())


def test_the_dataset_names_designs_and_gives_them_no_cost(toy):
    run_experiment(named(toy, agents=["random"], objectives=["low-latency"], budget=3, seeds=1), toy / "run", workers=1)
    assert export(toy / "run", toy / "out.parquet") == 8 + 6
    rows = parquet.read_table(toy / "out.parquet").to_pylist()
    given = [row for row in rows if row["agent"] == NAMED]
    assert [row["design"] for row in given] == [*DESIGNS, *DESIGNS]
    assert {(row["cost"], row["costs"], row["objective"], row["hyper"]) for row in given} == {(None,) * 4}
    assert [row["latency_ns"] for row in given[:4]] == [10.0, 55.0, 99.0, 99.0]
    assert {(row["design"], row["objective"]) for row in rows[8:]} == {(None, "low-latency")}


def test_a_killed_run_of_named_designs_goes_on(toy):
    many = {"first": {"a": 0, "b": 0, "mode": "on"}}
    many |= {f"a{a} b{b}": {"base": "first", "a": a, "b": b} for a in range(5) for b in range(1, 6)}
    changes = {"options": {"delay_s": 0.05}, "claims": [], "designs": many}
    path = named(toy)
    content = {**json.loads(path.read_text()), "environment": {"name": "toy", "options": SLOW}, **changes}
    del content["options"]
    path.write_text(json.dumps(content), encoding="utf-8")
    (toy / "whole.yaml").write_text(json.dumps(content), encoding="utf-8")
    process = start(path, "--workers", "1")
    wait_for(lambda: stored(toy / "runs" / "x") >= 5 or process.poll() is not None)
    assert process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert 5 <= stored(toy / "runs" / "x") < 52
    run_experiment(path, workers=1)
    run_experiment(toy / "whole.yaml", workers=2)
    assert results(toy / "runs" / "x") == results(toy / "runs" / "whole")


def test_claims_may_change_without_scoring_anything_again_designs_may_not(toy):
    run_experiment(named(toy), toy / "run", workers=1)
    before = results(toy / "run")
    path = named(toy)
    content = json.loads(path.read_text())
    content["claims"][0] |= {"published": 11, "label": "edited"}
    content["name"] = "renamed"
    path.write_text(json.dumps(content), encoding="utf-8")
    run_experiment(path, toy / "run", workers=1)
    with closing(open_run(toy / "run")) as run:
        assert run.experiment["name"] == "renamed"
        (outcome,) = named_results(run).outcomes
    assert (outcome.claim.label, outcome.relative) == ("edited", pytest.approx(-0.5))
    assert yaml.safe_load((toy / "run" / "experiment.yaml").read_text())["claims"][0]["label"] == "edited"
    assert results(toy / "run") == before
    content["designs"]["corner"]["a"] = 1
    path.write_text(json.dumps(content), encoding="utf-8")
    only_the_changed = 'was started with designs = {"corner":{"a":0,.* now says {"corner":{"a":1,[^}]*}}; undo'
    with pytest.raises(StoreError, match=only_the_changed):
        run_experiment(path, toy / "run", workers=1)


def test_a_store_from_before_there_were_named_designs_goes_on(toy):
    path = write(toy)
    run_experiment(path, toy / "run", workers=1)
    with closing(sqlite3.connect(toy / "run" / "run.sqlite")) as connection, connection:
        stored_text = connection.execute("SELECT value FROM meta WHERE key = 'experiment'").fetchone()[0]
        old = {key: value for key, value in json.loads(stored_text).items() if key not in {"designs", "claims"}}
        connection.execute("UPDATE meta SET value = ? WHERE key = 'experiment'", (json.dumps(old),))
    run_experiment(path, toy / "run", workers=1)
    with closing(open_run(toy / "run")) as run:
        assert {trial.state for trial in run.trials} == {"done"}


def test_run_prints_designs_and_claims_and_compare_puts_runs_side_by_side(toy):
    shown = invoke("run", named(toy), "--out", toy / "one", "--workers", "1")
    assert "final best cost" not in shown
    words = " ".join(shown.split())
    assert "plain corner 55" in words
    assert "of 1 published figure, ours is within 5 % of 0, within 10 % of 1, within 25 % of 1" in words
    assert "slower 5.500 × 5 × +10.0 % geometric mean of 2 workloads us" in words
    invoke("run", named(toy, fix={"a": [0, 3]}), "--out", toy / "two", "--workers", "1", "--quiet")
    alone = " ".join(invoke("compare", toy / "one").split())
    assert "slower 5.500 ×" in alone
    both = " ".join(invoke("compare", toy / "one", toy / "two").split())
    assert "plain corner latency_ns 55 55" in both
    assert "slower 5 × 5.500 × 5.500 ×" in both


def test_run_puts_what_was_found_beside_the_best_named_design(toy):
    goals = ["low-latency", {"minimize": "power_mw", "constraints": {"latency_ns": {"max": 1}}, "name": "never"}]
    path = named(toy, agents=["random"], objectives=goals, budget=110, seeds=1)
    words = " ".join(invoke("run", path, "--out", toy / "run", "--workers", "1").split())
    assert "workload objective best found best named named design plain low-latency 10 10 bottom" in words
    assert "double low-latency 20 20 bottom" in words
    assert "plain never none valid none valid" in words


def test_a_design_without_numbers_is_shown_with_its_reason_and_its_claims_are_not_computable(toy):
    designs = {**DESIGNS, "corner": {"base": "bottom", "a": 7}}
    path = named(toy, options={"trouble": "raise"})
    content = {**json.loads(path.read_text()), "designs": designs}
    path.write_text(json.dumps(content), encoding="utf-8")
    words = " ".join(invoke("run", path, "--out", toy / "run", "--workers", "1").split())
    assert "double corner (failed: RuntimeError: the toy broke) -" in words
    assert "slower not computable 5 ×" in words
    assert "us (corner on double: failed: RuntimeError: the toy broke)" in words
    assert (
        "of 1 published figure, ours is within 5 % of 0, within 10 % of 0, within 25 % of 0; 1 not computable" in words
    )


def test_a_trial_that_fails_is_named_by_its_design(toy, monkeypatch):
    path = named(toy, options={"trouble": "crash"})
    content = {**json.loads(path.read_text()), "designs": {**DESIGNS, "corner": {"base": "bottom", "a": 7}}}
    path.write_text(json.dumps(content), encoding="utf-8")
    run_experiment(path, toy / "run", workers=1)
    with closing(open_run(toy / "run")) as run:
        found = named_results(run)
        assert {trial.state for trial in run.trials} == {"done"}  # the crash is one design's, in a process of its own
    ((design, workload, reason),) = found.troubles
    assert (design, workload) == ("corner", "double")
    assert reason.startswith("failed: ")


def test_progress_counts_named_designs_and_shows_no_cost_of_theirs(toy):
    console = Console(record=True, width=100, force_terminal=True)
    run_experiment(named(toy, options=SLOW), toy / "run", workers=1, display=Display(console))
    assert NAMED not in console.export_text()
