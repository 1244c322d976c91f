"""The report of named designs: published figures beside ours, tables, bars, and whether a search beat them all."""

from __future__ import annotations

import json
from contextlib import closing

import numpy as np
import pytest
from page_helpers import change, read, table as rows
from run_helpers import write

from archgym.named_results import named_results
from archgym.report import build
from archgym.report.figures_named import claim_gaps, design_bars
from archgym.runner import run_experiment
from archgym.store import open_run

# On "plain" 10 ns, 55 ns and 99 ns, 130 mW but for the corner's 100; on "double" twice the time.
DESIGNS = {
    "corner": {"a": 0, "b": 0, "mode": "on"},
    "bottom": {"base": "corner", "a": 3, "b": 6},
    "dead | <b>": {"base": "bottom", "mode": "off"},
}
CLAIMS = [
    {"label": "faster", "metric": "latency_ns", "of": "corner", "over": "bottom", "published": 5, "source": "Table 1"},
    {"label": "saves", "metric": "power_mw", "of": "corner", "over": "bottom", "published": [-0.3, -0.2],
     "show": "change", "source": "Fig. 2", "note": "read off a plot"},
]  # fmt: skip


def execute(folder, *, agents=None, name="x.yaml", out="run", **changes):
    content = json.loads(write(folder, name, workloads=["plain", "double"], **changes).read_text())
    content |= {"designs": changes.get("designs", DESIGNS), "claims": changes.get("claims", CLAIMS)}
    if agents is None:
        content = {key: value for key, value in content.items() if key not in {"agents", "budget", "objectives"}}
        content |= {"objectives": changes["objectives"]} if "objectives" in changes else {}
    else:
        content["agents"] = agents
    (folder / name).write_text(json.dumps(content), encoding="utf-8")
    run_experiment(folder / name, folder / out, workers=1)
    return folder / out


def test_a_run_of_named_designs_only(toy):
    run = execute(toy)
    page = read(build(run))
    for words in (
        "3 named designs × 2 workloads, scored as they are.",
        "Of 2 published figures, ours is within 5 % of 1, within 10 % of 2, within 25 % of 2.",
        "faster 5.500 × 5 × +10.0 % geometric mean of 2 workloads Table 1",
        "saves -23.08 % -30 % to -20 % within geometric mean of 2 workloads Fig. 2 read off a plot",
        "plain 55.00 10.00 0.182 × 99.00 1.80 ×",
        "dead | <b>",
        "a 0 ways 3 ways 3 ways",
        "every metric is a finite number: held in all 6",
    ):
        assert words in page.text, words
    assert "The answer" not in page.text
    assert "searches" not in page.text.split("Why believe")[0]
    folder = run / "report"
    assert {each.name for each in folder.glob("*.png")} == {
        "claims.png", "designs-latency_ns.png", "designs-power_mw.png"
    }  # fmt: skip
    ids = {attributes["id"] for tag, attributes in page.tags if tag == "section"}
    links = {attributes["href"][1:] for tag, attributes in page.tags if tag == "a" and attributes["href"][:1] == "#"}
    assert links <= {*ids, "top"}
    found = rows(folder / "designs.csv")
    assert [(r["workload"], r["design"], float(r["latency_ns"])) for r in found[:3]] == [
        ("plain", "corner", 55.0), ("plain", "bottom", 10.0), ("plain", "dead | <b>", 99.0)
    ]  # fmt: skip
    faster, saves = rows(folder / "claims.csv")
    assert (float(faster["ours"]), float(faster["relative_difference"])) == pytest.approx((5.5, 0.1))
    assert float(saves["ours"]) == pytest.approx(100 / 130 - 1)
    assert (saves["published_low"], saves["published_high"]) == ("-0.3", "-0.2")
    text = (folder / "summary.md").read_text(encoding="utf-8")
    assert "| faster | 5.500 × | 5 × | +10.0 % | geometric mean of 2 workloads | Table 1 |" in text
    assert "| plain | 55.00 | 10.00 (0.182 ×) | 99.00 (1.80 ×) |" in text


def test_a_search_beside_named_designs_is_said_to_beat_them_or_not(toy):
    pareto = {"pareto": ["latency_ns", "power_mw"], "name": "both"}
    good = {"good": {"a": 2, "b": 6, "mode": "on"}, "poor": {"a": 9, "b": 9, "mode": "on"}}
    everything = execute(
        toy, agents=["random"], designs=good, claims=[], objectives=["low-latency", pareto], budget=110
    )
    text = read(build(everything)).text  # the search sees every design: 10 ns is found, 11 ns has the name "good"
    assert "better than every named design: the best of them, good (11.00 ns), is 10 % above" in text
    assert "1 of 2 named designs are dominated by one that was found; not dominated: good" in text
    assert "2 named designs × 2 workloads, scored as they are." in text
    assert "2 workloads × 2 objectives × 1 agent × 2 seeds = 8 searches" in text
    summary = (everything / "report" / "summary.md").read_text(encoding="utf-8")
    assert "Beside the named designs: better than every named design" in summary
    optimum = execute(toy, agents=["random"], designs=DESIGNS, claims=[], budget=110, out="best")
    assert "equal to the best named design, bottom (10.00 ns)" in read(build(optimum)).text
    blind = {"a": 0}  # the search may not leave a = 0, 19 ns at best; nor may the named designs
    worse = execute(toy, agents=["random"], designs={"best": {"b": 6, "mode": "on"}}, claims=[], fix=blind, budget=1,
                    seeds=[1], out="worse")  # fmt: skip
    assert "worse than the named design best (19.00 ns): the search ends" in read(build(worse)).text


def test_constraints_decide_which_named_designs_count(toy):
    cheap = {"minimize": "latency_ns", "constraints": {"power_mw": {"max": 110}}, "name": "cheap"}
    cold = {"minimize": "latency_ns", "constraints": {"power_mw": {"max": 99}}, "name": "cold"}
    run = execute(toy, agents=["random"], claims=[], objectives=[cheap, cold], budget=110)
    text = read(build(run)).text
    assert "better than the named design: the best of them, corner" in text
    assert "(bottom, dead | <b>: not feasible here)" in text
    assert "no named design is feasible here (corner, bottom, dead | <b>: not feasible here)" in text


def test_objectives_without_agents_get_a_table(toy):
    text = read(
        build(execute(toy, claims=[], objectives=[{"product": {"latency_ns": 1, "power_mw": 1}, "name": "e/p"}]))
    )
    assert "e/p (" in text.text
    assert (toy / "run" / "report" / "designs-e-p.png").is_file()
    assert "plain 5,500 1,300" in text.text
    assert "The answer" not in text.text


def test_unfinished_and_failed_designs_are_shown_with_their_reason(toy):
    run = execute(toy)
    change(run, "DELETE FROM history WHERE trial IN (0, 1)")
    change(run, "UPDATE trials SET state = 'pending', distinct_designs = 0 WHERE id = 0")
    change(run, "UPDATE trials SET state = 'failed', reason = 'it <broke>', distinct_designs = 0 WHERE id = 1")
    text = read(build(run)).text
    assert "1 of 6 named designs have not ended" in text
    assert "1 of 6 named designs failed" in text
    assert "corner plain not evaluated yet" in text
    assert "bottom plain failed: it <broke>" in text
    assert "not computable" in text
    assert rows(run / "report" / "designs.csv")[1]["reason"] == "failed: it <broke>"
    assert rows(run / "report" / "claims.csv")[0]["not_computable"] == "corner on plain: not evaluated yet"
    change(run, "DELETE FROM history")
    assert "not computable" in read(build(run)).text


def test_one_design_needs_no_bars_and_no_base_no_ratio(toy):
    run = execute(toy, designs={"corner": DESIGNS["corner"]}, claims=[])
    assert not list((build(run)).parent.glob("*.png"))


def test_bars_of_designs_without_numbers_are_crosses(toy):
    with closing(open_run(execute(toy))) as run:
        results = named_results(run)
    values = np.array([[1.0, 2.0], [3.0, np.nan], [40.0, 40.0]])
    (axis,) = design_bars(results, "time", values).axes
    assert axis.get_yscale() == "log"  # 40 against 1
    assert [text.get_text() for text in axis.texts].count("✗") == 1
    assert [label.get_text() for label in axis.get_xticklabels()] == ["plain", "double"]  # too few for a mean
    (axis,) = design_bars(results, "time", values.clip(max=3.0)).axes
    heights = [[bar.get_height() for bar in group] for group in axis.containers]
    assert heights == [[1.0, 1.0], [3.0, 0.0], [3.0, 1.5]]
    whole = np.nan_to_num(values, nan=2.0)
    (axis,) = design_bars(results, "time", whole).axes
    means = [group[-1].get_height() for group in axis.containers]
    assert means == pytest.approx([1.0, 3.0**0.5, 800.0**0.5])
    assert design_bars(results, "time", np.zeros((3, 2))) is None
    assert claim_gaps(()) is None
