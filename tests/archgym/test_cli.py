"""The command line: what each command prints, and one line with status 2 for whatever is wrong."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest
from command_line import invoke, refused
from page_helpers import change
from run_helpers import write

from archgym import cli
from archgym.runner import run_experiment


def test_python_m_archgym_starts_fast_and_offers_help():
    code = "import sys, archgym.cli; heavy = {'torch', 'numba', 'pymoo', 'matplotlib', 'optuna', 'pyarrow', 'duckdb'};"
    loaded = subprocess.run([sys.executable, "-c", code + "print(heavy & set(sys.modules))"], capture_output=True)
    assert loaded.stdout.strip() == b"set()"
    shown = subprocess.run([sys.executable, "-m", "archgym", "--help"], capture_output=True, text=True).stdout
    names = "run envs agents describe evaluate report compare enumerate validate dataset doctor schema trace version"
    assert [name for name in names.split() if name not in shown] == []


def test_listing(toy):
    assert "archgym/toy-v0" in invoke("envs")
    agents = invoke("agents")
    assert "hill-climb" in agents
    assert "population" in agents
    described = invoke("describe", "toy")
    for word in ("toy, version 1, 200 designs", "whether b matters", "power_mw", "plain, double", "low-latency"):
        assert word in described
    assert "numpy" in invoke("doctor")
    assert json.loads(invoke("schema"))["title"] == "ArchGym experiment"
    assert invoke("version").count(".") >= 2


def test_evaluate_prints_metrics_with_units(toy):
    shown = invoke("evaluate", "toy", "--workload", "double", "a=1", "b=6", "mode=on").split()
    assert shown[3:] == ["latency_ns", "28", "ns", "power_mw", "110", "mW"]
    design = json.dumps({"a": 1, "b": 6, "mode": "on"})
    assert invoke("evaluate", "toy", "-w", "double", "--design", design).split() == shown
    assert invoke("evaluate", "toy", "-w", "double", "a=1.0", "b=6.0", "mode=on").split() == shown
    (toy / "design.json").write_text(design, encoding="utf-8")
    assert invoke("evaluate", "toy", "-w", "double", "--design", "@design.json").split() == shown
    assert invoke("evaluate", "toy", "-w", "double", "--design", design, "a=2").split()[4] == "22"


def test_a_run_from_start_to_export(toy):
    path = write(toy, budget=15, seeds=1)
    shown = invoke("run", path, "--workers", 1)
    assert "final best cost (smaller is better)" in shown
    assert "report: archgym report runs/x" in shown
    again = invoke("run", path, "--workers", 1)
    assert again.splitlines()[-3:] == shown.splitlines()[-3:]
    assert invoke("run", path, "--quiet") == ""
    assert "random" in invoke("compare", "runs/x")
    run_experiment(path, toy / "other", workers=1)
    assert "other" in invoke("compare", "runs/x", "other")
    assert invoke("validate", "runs/x", "--all") == "15 of 15 rows scored again: all identical\n"
    assert "15 rows written" in invoke("dataset", "export", "runs/x", "out.parquet")
    assert "15" in invoke("dataset", "query", "out.parquet", "SELECT count(*) FROM data")


def test_enumerate_writes_a_summary_that_a_run_can_reuse(toy):
    assert "summary written: sweep/plain.json" in invoke("enumerate", "toy", "-w", "plain", "--out", "sweep")
    path = write(toy, budget=15, seeds=1)
    assert "evaluations of plain are reused from sweep" in invoke("run", path, "--reuse", "sweep", "--workers", 1)


def test_compare_says_how_many_seeds_have_no_result(toy):
    run_experiment(write(toy, budget=5, seeds=3), toy / "whole", workers=1)
    run_experiment(write(toy, budget=5, seeds=3), toy / "torn", workers=1)
    change(toy / "torn", "UPDATE trials SET state = 'failed', best = NULL WHERE id > 0")
    run_experiment(write(toy, budget=5, seeds=3), toy / "lost", workers=1)
    change(toy / "lost", "UPDATE trials SET state = 'failed', best = NULL")
    words = " ".join(invoke("compare", "whole", "torn", "lost").split())
    assert re.search(r"random [\d.]+; 3 [\d.]+; 1 \(\+2 without result\) -; 0 \(\+3 without result\)", words), words
    assert "random 0 (+3 without result) - - - 0" in " ".join(invoke("compare", "lost").split())


def test_failed_trials_are_named_and_exit_with_1(toy):
    path = write(toy, options={"trouble": "kill-parent"}, workloads=["double"], seeds=1, fix={"a": 7}, budget=3)
    shown = invoke("run", path, "--workers", 1, status=1)
    assert "trial 0 (random on double for low-latency, seed 0) failed: " in shown
    assert "1 of 1 trials failed; run again to retry them" in shown


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["run", "nowhere.yaml"], "nowhere.yaml: no such experiment file"),
        (["report", "nowhere"], "not a run directory"),
        (["compare", "nowhere"], "not a run directory"),
        (["validate", "nowhere"], "not a run directory"),
        (["dataset", "export", "nowhere", "out.parquet"], "not a run directory"),
        (["dataset", "query", "nowhere.parquet", "SELECT 1"], "no such file"),
        (["describe", "tyo"], "unknown simulator 'tyo'; did you mean 'toy'?"),
        (["describe", "toy", "-o", "delay"], "expected KEY=VALUE, got 'delay'"),
        (["describe", "toy", "-o", "dely_s=1"], "did you mean 'delay_s'?"),
        (["evaluate", "toy", "a=1"], "give --workload, one of: plain, double"),
        (["evaluate", "toy", "-w", "plain", "a=1", "b=2"], "design lacks mode"),
        (["evaluate", "toy", "-w", "plain", "aa=1"], "unknown parameter 'aa'; did you mean 'a'?"),
        (["evaluate", "toy", "-w", "plain", "a=11", "b=1", "mode=on"], "unknown value of a '11'"),
        (["evaluate", "toy", "-w", "plain", "--design", "{"], "--design is not valid JSON"),
        (["evaluate", "toy", "-w", "plain", "--design", "@no.json"], "No such file"),
        (["evaluate", "toy", "-w", "plain", "--design", "[1]"], "--design must be a mapping"),
        (["evaluate", "toy", "-w", "plain", "a=1", "b=1", "a=1"], "a is given twice: a=1 and a=1; give it once"),
        (["describe", "toy", "-o", "delay_s=1", "-o", "delay_s=2"], "delay_s is given twice: delay_s=1 and delay_s=2"),
        (["run"], "Missing argument 'FILE'; see: archgym run --help"),
        (["run", "x.yaml", "--wrkers", "2"], "No such option: --wrkers"),
        (["run", "x.yaml", "--workers", "0"], "Invalid value for '--workers'"),
        (["repot", "x"], "No such command 'repot'"),
        (["evaluate", "toy", "-w", "plan", "a=1", "b=1", "mode=on"], "toy knows no workload 'plan'"),
        (["enumerate", "toy", "-w", "plan", "--out", "sweep"], "toy knows no workload 'plan'"),
        (["trace", "capture", "--out", "x.npz", "--l1", "32", "--", "true"], "--l1: expected SIZE/WAYS"),
        (["trace", "info", "nowhere"], "nowhere"),
    ],
)
def test_what_is_wrong_is_one_line_and_status_2(toy, monkeypatch, capsys, arguments, expected):
    line = refused(monkeypatch, capsys, *arguments)
    assert line.startswith("error: ")
    assert expected in line


def test_a_design_without_numbers_is_an_error_that_says_why(toy, monkeypatch, capsys):
    line = refused(
        monkeypatch, capsys, "evaluate", "toy", "-o", "trouble=raise", "-w", "double", "a=7", "b=1", "mode=on"
    )
    assert line == "error: the design has no numbers: failed: RuntimeError: the toy broke"


@pytest.mark.parametrize("arguments", [[], ["dataset"]])
def test_nothing_to_do_shows_the_help(monkeypatch, capsys, arguments):
    monkeypatch.setattr(sys, "argv", ["archgym", *arguments])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 2
    shown = capsys.readouterr()
    assert "Usage: " in shown.out + shown.err
    assert "error: " not in shown.err


def test_ctrl_c_where_no_command_expects_it_is_no_traceback(toy, monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("archgym.validate.validate_run", interrupted)
    monkeypatch.setattr(sys, "argv", ["archgym", "validate", "x"])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 130


def test_traces_are_listed_and_described():
    assert "cloud-1" in invoke("trace", "list")
    shown = invoke("trace", "info", "stream")
    assert "10,000" in shown


def test_a_closed_pipe_is_no_traceback(toy):
    read, written = os.pipe()
    os.close(read)
    process = subprocess.run(
        [sys.executable, "-m", "archgym", "schema"], stdout=written, stderr=subprocess.PIPE, text=True
    )
    os.close(written)
    assert "Traceback" not in process.stderr
