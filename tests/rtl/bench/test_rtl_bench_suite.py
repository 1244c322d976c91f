"""Suites of benches: points, planted faults, refused parameters, coverage, the command line."""

from __future__ import annotations

import csv
import itertools

import numpy as np
import pytest
from typer.testing import CliRunner

from archgym.errors import InvalidInput
from archgym.rtl import library
from archgym.rtl.bench.coverage import Coverage
from archgym.rtl.bench.mutants import kill, plant
from archgym.rtl.bench.points import cost, points, rejected, smallest
from archgym.rtl.bench.suite import QUICK_SCOPE, Scope, run_block
from archgym.rtl.block import Mutation
from archgym.rtl.cli import app

SMALL = {"Width": 8, "Guard": 4}
MUTATED = Scope(QUICK_SCOPE.effort, points=2, limit=1000, refused=2, mutations=True)


@pytest.fixture
def library_of(monkeypatch):
    """A function that makes a library of the given blocks."""

    def make(*own):
        monkeypatch.setattr(library, "FAMILIES", ("example",))
        monkeypatch.setattr(library, "blocks", lambda: {each.name: each for each in own})

    return make


def command(*words):
    return CliRunner().invoke(app, list(words))


def test_points_are_legal_distinct_and_reach_every_choice(sum_block):
    block = sum_block()
    found = points(block, 9, np.random.default_rng(1), limit=1000)
    assert found[0] == {"Width": 4, "Guard": 2}
    assert found[1] == {"Width": 40, "Guard": 6}
    legal = [(w, g) for w, g in itertools.product((4, 8, 40), (2, 4, 6)) if g <= w]
    assert sorted((p["Width"], p["Guard"]) for p in found) == legal
    # Three points suffice for three choices of each parameter.
    three = points(block, 3, np.random.default_rng(1), limit=1000)
    assert {p["Width"] for p in three} == {4, 8, 40}
    assert {p["Guard"] for p in three} == {2, 4, 6}


def test_points_stay_below_the_limit_of_size(sum_block):
    block = sum_block()
    # 40 bits in, 1 of `last`, up to 46 out, and one product a beat.
    assert cost(block, {"Width": 40, "Guard": 6}) == 40 + 1 + 46 + 64
    assert all(p["Width"] < 40 for p in points(block, 9, np.random.default_rng(1), limit=100))


def test_the_smallest_point_is_legal(sum_block):
    block = sum_block(reject=lambda p: "no" if p["Width"] == 4 or p["Guard"] == 2 else "")
    assert smallest(block) == {"Width": 8, "Guard": 4}
    with pytest.raises(InvalidInput, match=r"every parameter point is refused, e.g. never"):
        smallest(sum_block(reject=lambda p: "never"))


def test_each_reason_of_refusal_is_tried_once(sum_block):
    found = rejected(sum_block(), 5, np.random.default_rng(0))
    assert found == [{"Width": 4, "Guard": 6}]


def test_a_suite_passes_kills_every_mutant_and_merges_coverage(sum_block):
    report = run_block(sum_block(), MUTATED)
    assert report.failures == []
    assert (report.points, report.refused) == (2, 1)
    assert (report.killed, report.mutants) == (2, 2)
    choices = [each for each in report.coverage.missing() if each.startswith("parameter")]
    assert len(choices) == 2  # 2 points reach 2 of 3 choices of 2 parameters
    one = run_block(sum_block(), MUTATED, chosen=[SMALL])
    assert one.coverage.percent < report.coverage.percent


def test_a_mutant_that_nobody_notices_is_an_error(sum_block):
    block = sum_block()
    harmless = Mutation(block.sources[0], "valid_q <= in_valid_i && last_i", "valid_q <= last_i && in_valid_i", "none")
    verdict = kill(block, harmless, [SMALL])
    assert not verdict.killed
    assert verdict.said == "the bench did not notice it"
    report = run_block(sum_block(mutations=(harmless,)), MUTATED, chosen=[SMALL])
    assert (report.killed, report.mutants) == (0, 1)
    assert "(none): the bench did not notice it; redo: archgym rtl test running_sum --mutations" in report.failures[0]


def test_a_mutant_that_does_not_build_is_an_error(sum_block):
    block = sum_block()
    broken = Mutation(block.sources[0], "valid_q <= in_valid_i && last_i", "valid_q <= (", "syntax")
    verdict = kill(block, broken, [SMALL])
    assert not verdict.killed
    assert "does not build" in verdict.said


def test_mutations_name_text_that_occurs_once(sum_block, tmp_path):
    block = sum_block()
    source = block.sources[0]
    with pytest.raises(InvalidInput, match="'valid_q' occurs 5 times"):
        plant(block, Mutation(source, "valid_q", "1", ""), tmp_path)
    with pytest.raises(InvalidInput, match=r"no source 'x.sv' to mutate"):
        plant(block, Mutation("x.sv", "valid_q", "1", ""), tmp_path)


def test_parameters_that_should_be_refused_and_are_not_are_an_error(sum_block):
    report = run_block(sum_block(("Guard > Width", "Guard > 99")), QUICK_SCOPE)
    assert report.failures == [
        "elaboration accepts Width=4, Guard=6; its description says: Guard must be at most Width, got 6"
    ]


def test_coverage_counts_bins_and_merges():
    one, two = Coverage(), Coverage()
    one.declare("point", ["a", "b", "c", "d"])
    one.hit("point", "a", 3)
    two.declare("point", ["a", "b", "c", "d"])
    two.hit("point", "a")
    two.hit("point", "b")
    assert (one.covered, one.bins, one.percent) == (1, 4, 25.0)
    one.merge(two)
    assert one.percent == 50.0
    assert one.missing() == ["point: c", "point: d"]
    assert one.rows()[:2] == [("point", "a", 4), ("point", "b", 1)]
    assert Coverage().percent == 100.0


def test_the_command_prints_a_table_and_writes_the_coverage(sum_block, parity_block, library_of, tmp_path):
    library_of(sum_block(), parity_block)
    table = tmp_path / "coverage.csv"
    result = command("test", "--jobs", "2", "--missing", "--table", str(table))
    assert result.exit_code == 0, result.output
    head = result.output.split("not covered")[0]
    rows = {line.split()[0]: line.split() for line in head.splitlines() if line.strip()}
    assert rows["running_sum"][1] == rows["parity_of"][1] == "2"
    assert rows["parity_of"][2:4] == ["1,256", "0"]  # 256 vectors of 8 bits and 1,000 of 32
    assert "running_sum  parameter Guard: " in result.output
    with table.open() as file:
        cells = {(row["block"], row["point"], row["bin"]): int(row["hits"]) for row in csv.DictReader(file)}
    assert [cells["running_sum", "parameter Width", bin_] > 0 for bin_ in ("4", "8", "40")].count(False) == 1
    assert cells["running_sum", "idle x back-pressure", "single x bursts"] == 2
    assert cells["parity_of", "values parity_o", "1"] > 500


def test_a_failure_is_one_line_that_says_how_to_see_it_again(sum_block, library_of):
    library_of(sum_block(("{{Guard{data_i[Width-1]}}, data_i}", "{{Guard{1'b0}}, data_i}")))
    result = command("test", "running_sum", "--set", "Width=8,Guard=4", "--seed", "5")
    assert result.exit_code == 1
    lines = [line for line in result.stderr.splitlines() if line.startswith("FAILED")]
    assert len(lines) == 1
    assert "corners (idle always, back-pressure always): sum_o, beat" in lines[0]
    assert lines[0].endswith("redo: archgym rtl test running_sum --set Width=8,Guard=4 --seed 5")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["test", "running_sun"], "unknown block 'running_sun'; did you mean 'running_sum'?"),
        (["test", "--family", "exampel"], "unknown family 'exampel'; did you mean 'example'?"),
        (["test", "--simulator", "iverilog"], "unknown simulator 'iverilog'"),
        (["test", "--set", "Width=4"], "--set gives the parameters of one block, got 2"),
        (["test", "running_sum", "--set", "With=4"], "unknown parameter of running_sum 'With'; did you mean 'Width'?"),
        (["test", "running_sum", "--set", "Width"], "--set 'Width' is not NAME=VALUE with an integer"),
        (["test", "running_sum", "--set", "Width=4,Guard=6"], "Guard must be at most Width, got 6"),
        (["show", "parity"], "unknown block 'parity'; did you mean 'parity_of'?"),
    ],
)
def test_bad_requests_say_what_is_allowed(sum_block, parity_block, library_of, words, said):
    library_of(sum_block(), parity_block)
    result = command(*words)
    assert result.exit_code != 0
    assert said in str(result.exception)


def test_blocks_are_listed_and_shown(sum_block, parity_block, library_of):
    library_of(sum_block(), parity_block)
    result = command("list", "--family", "example")
    assert "running_sum  example  9       Width, Guard" in result.output
    result = command("show", "running_sum")
    assert "ports at Width=4, Guard=2" in result.output
    assert "sums never start anew" in result.output
