"""The report of real runs: what the page says is what the store holds, whatever state the run is in."""

from __future__ import annotations

import re
from contextlib import closing

import numpy as np
import pytest
from page_helpers import change, read, table
from run_helpers import write

from archgym.enumerate_summary import summarise
from archgym.errors import StoreError
from archgym.report import build
from archgym.runner import run_experiment
from archgym.store import open_run

AGENTS = ["random", "coordinate", {"name": "genetic", "hyper": {"population": [4, 8]}}]


def sweep(simulator, workload):
    """The summary of the whole toy space, as `archgym enumerate` writes it."""
    designs = np.concatenate(list(simulator.space.enumerate()))
    return summarise(simulator, workload, designs, simulator.simulate(designs, workload), np.ones(len(designs), int))


@pytest.fixture
def known(monkeypatch):
    """Let the toy simulator ship the sweep of its space."""
    from toy_sims import Bowl

    monkeypatch.setattr(Bowl, "enumeration", sweep)


def execute(folder, out="run", **changes):
    run_experiment(write(folder, **changes), folder / out, workers=1)
    return folder / out


def test_a_study_with_known_optima(toy, known):
    run = execute(toy, objectives=["low-latency", {"pareto": ["latency_ns", "power_mw"]}],
                  agents=AGENTS, seeds=3, budget=60, workloads=["double"])  # fmt: skip
    path = build(run)
    assert path == run / "report" / "index.html"
    page = read(path)
    # The bottom of the bowl: a = 3, b = 6, 10 ns, twice that on "double"; 10 x 10 x 2 designs.
    for words in ("the known optimum of all 200 designs", "20.00 ns", "4 agents × 3 seeds = 24 searches"):
        assert words in page.text, words
    assert "genetic (population=4)" in page.text
    assert "energy = average power" not in page.text  # the toy has no energy to check
    assert "every metric is a finite number: held in all 1,440" in page.text  # 24 searches x 60 designs
    rows = table(path.parent / "summary.csv")
    assert len(rows) == 8
    with closing(open_run(run)) as store:
        wanted = ("double", "low-latency", "random")
        finals = [t.best for t in store.trials if (t.workload, t.objective, t.agent) == wanted]
    (random,) = [r for r in rows if (r["workload"], r["objective"], r["agent"]) == wanted]
    assert float(random["median"]) == pytest.approx(sorted(finals)[1])
    assert float(random["regret_median"]) == pytest.approx((sorted(finals)[1] - 20.0) / 20.0)
    assert int(random["seeds_at_optimum"]) == sum(best == 20.0 for best in finals)
    assert all(float(row["regret_median"]) >= 0 for row in rows)
    fronts = [row for row in rows if row["measure"] == "hypervolume"]
    assert len(fronts) == 4
    assert {row["optimum"] for row in fronts} == {"100"}
    assert "| agent |" in (path.parent / "summary.md").read_text(encoding="utf-8")


def test_the_page_needs_nothing_else(toy):
    path = build(execute(toy, objectives=[{"pareto": ["latency_ns", "power_mw"]}], agents=["random"]))
    page = read(path)
    assert path.stat().st_size < 1_000_000
    for tag, attributes in page.tags:
        assert tag not in {"script", "link", "iframe"}
        assert "src" not in attributes
        target = attributes.get("href", "")
        assert not target.startswith(("http", "//"))
        if target and not target.startswith("#"):
            assert (path.parent / target).is_file()
    plots = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert len(plots) == 4  # best so far twice, front, every seed
    assert all(attributes["role"] == "img" and attributes["aria-label"] for attributes in plots)
    ids = [attributes["id"] for tag, attributes in page.tags if "id" in attributes and tag in {"section", "input"}]
    assert len(ids) == len(set(ids))
    anchors = {attributes["href"][1:] for tag, attributes in page.tags if tag == "a" and attributes["href"][:1] == "#"}
    assert anchors <= {*ids, "top"}
    pngs = sorted(each.name for each in path.parent.glob("*.png"))
    assert pngs == ["overview.png", "s1-best-so-far-log.png", "s1-best-so-far.png", "s1-final.png", "s1-front.png"]


def test_where_the_optimum_is_not_known_it_says_so(toy):
    path = build(execute(toy, agents=["random", "coordinate"]), toy / "elsewhere")
    assert path == toy / "elsewhere" / "index.html"
    page = read(path)
    assert "optimum not known" in page.text
    assert "no exhaustive sweep of this space on this workload is shipped" in page.text
    assert not list(path.parent.glob("*regret*"))
    assert {row["optimum_known"] for row in table(path.parent / "summary.csv")} == {"False"}


def test_a_sweep_of_another_version_is_not_used(toy, monkeypatch):
    from toy_sims import Bowl

    monkeypatch.setattr(Bowl, "enumeration", lambda self, workload: {**sweep(self, workload), "version": "0"})
    page = read(build(execute(toy)))
    assert "of another version (0, here 1)" in page.text


def test_a_result_below_the_known_optimum_is_flagged(toy, monkeypatch):
    from toy_sims import Bowl

    def wrong(self, workload):
        summary = sweep(self, workload)
        summary["objectives"]["low-latency"]["optimum_cost"] = 1000.0
        return summary

    monkeypatch.setattr(Bowl, "enumeration", wrong)
    path = build(execute(toy))
    page = read(path)
    assert "Contradiction." in page.text
    assert "below the known optimum 1000" in page.text
    assert "no regret of this section can be trusted" in page.text
    assert all(float(row["regret_median"]) >= 0 for row in table(path.parent / "summary.csv"))


def test_one_seed_one_agent(toy):
    page = read(build(execute(toy, seeds=1)))
    assert "one seed" in page.text
    assert "1 agent × 1 seed = 1 search;" in page.text
    assert "Parameter importance needs at least 60" in page.text


def test_unfinished_stalled_and_failed_trials(toy):
    run = execute(toy, agents=["random", "coordinate"], seeds=3)
    change(run, "UPDATE trials SET state = 'running' WHERE id = 0")
    change(run, "UPDATE trials SET state = 'stalled', reason = 'nothing new to propose' WHERE id = 1")
    change(run, "UPDATE trials SET state = 'failed', reason = 'the toy <broke>' WHERE id = 3")
    page = read(build(run))
    assert "1 of 6 searches have not ended" in page.text
    assert "1 of 6 searches failed" in page.text
    for words in ("nothing new to propose", "the toy <broke>", "2 of 3"):
        assert words in page.text
    (random,) = [row for row in table(run / "report" / "summary.csv") if row["agent"] == "random"]
    assert random["seeds"] == "2"  # the stalled one counts, the running one does not


def test_nothing_finished_yet(toy):
    run = execute(toy, seeds=2)
    change(run, "UPDATE trials SET state = 'running'")
    page = read(build(run))
    assert "2 of 2 searches have not ended" in page.text
    assert "no trial has ended yet" in page.text
    assert "optimum not known" in page.text  # provisional results are shown


def test_nothing_evaluated_yet(toy):
    run = execute(toy, seeds=2)
    change(run, "UPDATE trials SET state = 'pending', distinct_designs = 0")
    change(run, "DELETE FROM history")
    page = read(build(run))
    assert "Nothing has been evaluated yet" in page.text
    change(run, "DELETE FROM trials")
    assert "This run holds no trials" in read(build(run)).text


def test_all_trials_failed_before_any_result(toy):
    run = execute(toy, seeds=2)
    change(run, "UPDATE trials SET state = 'failed', reason = 'cannot start', distinct_designs = 0, best = NULL")
    change(run, "DELETE FROM history")
    page = read(build(run))
    assert "2 of 2 searches failed" in page.text
    assert "no feasible design was found" in page.text
    assert "cannot start" in page.text


def test_designs_without_numbers_are_listed_with_their_reason(toy):
    run = execute(toy, workloads=["double"], options={"trouble": "nan"}, agents=["random"], seeds=1, budget=150)
    page = read(build(run))
    with closing(open_run(run)) as store:
        bad = int(np.sum(~store.history(0).evaluations.ok))
    assert bad > 0
    assert f"{bad} evaluated designs have no numbers" in page.text
    assert re.search(r"failed \d+ .*latency_ns", page.text)


def test_no_design_meets_the_constraint(toy):
    spec = {"minimize": "latency_ns", "constraints": {"power_mw": {"max": 1}}}
    page = read(build(execute(toy, objectives=[spec], agents=["random", "coordinate"])))
    assert "no feasible design was found" in page.text
    assert "80 evaluated designs broke a constraint" in page.text  # 2 agents x 2 seeds x 20


def test_not_a_run_and_nowhere_to_write(toy):
    with pytest.raises(StoreError, match="not a run directory"):
        build(toy)
    run = execute(toy)
    (toy / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(StoreError, match="choose another folder with --out"):
        build(run, toy / "file")
