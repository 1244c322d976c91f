"""A run's results depend on the experiment alone: not on workers, reuse, deaths or neighbours in trouble."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from run_helpers import SLOW, alive, descendants, results, start, stored, wait_for, write

from archgym.errors import StoreError
from archgym.progress import Display
from archgym.runner import run_experiment
from archgym.store import open_run


def test_results_do_not_depend_on_workers_and_the_best_is_right(toy):
    path = write(toy, workloads=["plain", "double"], agents=["random", "hill-climb"])
    run_experiment(path, toy / "one", workers=1)
    run_experiment(path, toy / "two", workers=2)
    assert results(toy / "one") == results(toy / "two")
    with closing(open_run(toy / "two")) as run:
        assert [t.id for t in run.trials] == list(range(8))
        for trial in run.trials:
            history = run.history(trial.id)
            factor = 2.0 if trial.workload == "double" else 1.0
            a, b, off = history.designs.T
            expected = factor * np.where(off == 1, 99.0, 10.0 + (a - 3.0) ** 2 + (b - 6.0) ** 2)
            assert np.array_equal(history.evaluations["latency_ns"], expected)
            assert trial.best == expected.min()
            assert trial.distinct == 20
            keys = {(x, 0 if o else y, o) for x, y, o in history.designs.tolist()}
            assert len(keys) == 20  # charged once for designs that cannot differ
        shared = {(t.workload, tuple(d)) for t in run.trials for d in _canonical(run.history(t.id).designs)}
        assert sum(t.simulated for t in run.trials) == len(shared)  # one trial simulates for all


def _canonical(designs):
    return [(x, 0 if off else y, off) for x, y, off in designs.tolist()]


def test_kill_9_three_times_loses_nothing_and_changes_nothing(toy):
    path = write(toy, options=SLOW, agents=["random", "hill-climb", "genetic"], budget=60)
    run_experiment(write(toy, "whole.yaml", options=SLOW, agents=["random", "hill-climb", "genetic"], budget=60))
    directory = toy / "runs" / "x"
    for round_number in range(3):
        before = stored(directory)
        process = start(path, "--workers", "2")
        wait_for(lambda before=before, process=process: stored(directory) >= before + 40 or process.poll() is not None)
        assert process.poll() is None, process.communicate()
        family = descendants(process.pid)
        assert family, round_number
        process.kill()
        process.communicate()
        wait_for(lambda family=family: not alive(family), 10)  # workers and their simulators die with it
        assert stored(directory) >= before + 40  # what was acknowledged is there
    run_experiment(path)
    assert results(directory) == results(toy / "runs" / "whole")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_ends_cleanly_and_says_how_to_go_on(toy, number):
    path = write(toy, options=SLOW, budget=90)
    process = start(path, "--workers", "2")
    wait_for(lambda: stored(toy / "runs" / "x") >= 10)
    family = descendants(process.pid)
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "continue with: archgym run" in errors
    assert "Traceback" not in output + errors
    wait_for(lambda: not alive(family), 10)
    with closing(open_run(toy / "runs" / "x")) as run:
        assert not any(trial.state == "failed" for trial in run.trials)


def test_a_killed_worker_is_replaced(toy):
    path = write(toy, options=SLOW, budget=80)
    process = start(path, "--workers", "2")
    wait_for(lambda: stored(toy / "runs" / "x") >= 20)
    workers = [pid for pid in descendants(process.pid) if "spawn_main" in _command(pid)]
    os.kill(min(workers), signal.SIGKILL)
    output, errors = process.communicate(timeout=90)
    assert process.returncode == 0, errors
    assert "was ended by SIGKILL (out of memory?); going on with new workers" in output
    run_experiment(write(toy, "whole.yaml", options=SLOW, budget=80))
    assert results(toy / "runs" / "x") == results(toy / "runs" / "whole")


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode()


def test_a_design_that_kills_its_worker_fails_its_trial_and_no_other(toy):
    path = write(toy, options={"trouble": "kill-parent"}, workloads=["double", "plain"], seeds=1, budget=60)
    run_experiment(path, workers=2)
    with closing(open_run(toy / "runs" / "x")) as run:
        bad, good = run.trials
    assert (bad.workload, bad.state, good.state) == ("double", "failed", "done")
    assert "SIGKILL" in bad.reason


@pytest.mark.parametrize(
    ("trouble", "status", "reason"),
    [
        ("raise", "failed", "RuntimeError: the toy broke"),
        ("nan", "failed", "simulator returned nan for latency_ns"),
        ("hang", "timeout", "no answer within 0.5 s"),
        ("crash", "failed", "the simulator's process ended with exit status 3"),
    ],
)
def test_a_simulator_in_trouble_costs_only_the_designs_it_fails_on(toy, trouble, status, reason):
    # 2 values of a, 5 of b: 12 distinct designs (with mode "off", b is dead), all of which the budget covers
    path = write(toy, options={"trouble": trouble}, workloads=["double"], seeds=1, budget=12, timeout_s=0.5,
                 fix={"a": [2, 7], "b": [4, 5, 6, 7, 8]})  # fmt: skip
    run_experiment(path, workers=1)
    with closing(open_run(toy / "runs" / "x")) as run:
        (trial,) = run.trials
        history = run.history(trial.id)
        space = run.source(trial).space
    assert trial.state == "done"
    assert len(history) == 12
    bad = space.columns(history.designs)["a"] == 7
    assert bad.sum() == 6
    assert set(history.evaluations.status[bad]) == {status}
    assert {history.evaluations.reasons[row] for row in np.flatnonzero(bad)} == {reason}
    assert set(history.evaluations.status[~bad]) == {"ok"}
    assert trial.best == 2.0 * (10 + 1)  # a = 2, b = 6


def test_a_trial_whose_designs_all_fail_still_ends(toy):
    path = write(toy, options={"trouble": "raise"}, workloads=["double"], seeds=1, budget=8, fix={"a": 7})
    run_experiment(path, workers=1)
    with closing(open_run(toy / "runs" / "x")) as run:
        (trial,) = run.trials
        assert trial.state == "done"
        assert set(run.history(0).evaluations.status) == {"failed"}


def test_a_second_run_on_a_directory_is_told_who_holds_it(toy):
    path = write(toy, options=SLOW, budget=100)
    process = start(path)
    wait_for(lambda: stored(toy / "runs" / "x") >= 5)
    with pytest.raises(StoreError, match=f"held by process {process.pid} on .* since 20"):
        run_experiment(path)
    process.kill()
    process.communicate()
    wait_for(lambda: not _held(path))


def _held(path: Path) -> bool:
    from archgym.lock import hold

    try:
        with hold(path.parent / "runs" / "x"):
            return False
    except StoreError:
        return True


def test_a_changed_experiment_is_refused_until_told_to_start_over(toy):
    run_experiment(write(toy, budget=5, seeds=1))
    (toy / "runs" / "x" / "mine.txt").write_text("kept", encoding="utf-8")
    changed = write(toy, budget=6, seeds=1)
    with pytest.raises(StoreError, match=r"started with budget = 5, .* now says 6; .*--fresh"):
        run_experiment(changed)
    run_experiment(changed, fresh=True)
    with closing(open_run(toy / "runs" / "x")) as run:
        assert [trial.distinct for trial in run.trials] == [6]
    assert (toy / "runs" / "x" / "mine.txt").read_text(encoding="utf-8") == "kept"


def test_another_simulator_version_is_refused(toy, monkeypatch):
    import toy_sims

    path = write(toy, budget=5, seeds=1)
    run_experiment(path)
    monkeypatch.setattr(toy_sims.Bowl, "version", "2")
    with pytest.raises(StoreError, match=r"simulator 'toy' version 1 .*now it is 2.*--fresh"):
        run_experiment(path)


def test_another_store_format_and_a_foreign_file_are_refused(toy):
    path = write(toy, budget=5, seeds=1)
    run_experiment(path)
    with closing(sqlite3.connect(toy / "runs" / "x" / "run.sqlite")) as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'format'")
        connection.commit()
    with pytest.raises(StoreError, match="store format 99, this ArchGym reads format 1"):
        run_experiment(path)
    (toy / "runs" / "y").mkdir()
    (toy / "runs" / "y" / "run.sqlite").write_bytes(b"not a database, whatever its name says" * 50)
    with pytest.raises(StoreError, match="not an ArchGym store"):
        run_experiment(path, toy / "runs" / "y")


def test_a_full_disk_ends_in_one_line_and_what_was_stored_stays_readable(toy):
    path = write(toy, budget=110, seeds=20, batch=2)
    limited = subprocess.run(
        # No file may grow beyond 200 kB: the store needs about twice that for this experiment.
        ["bash", "-c", f"ulimit -f 200; exec {sys.executable} -m archgym run {path} --workers 1"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert limited.returncode == 2
    assert limited.stderr.startswith("error: ")
    assert "what was stored is kept" in limited.stderr
    assert len(limited.stderr.splitlines()) == 1, limited.stderr
    kept = stored(toy / "runs" / "x")
    assert kept > 0
    run_experiment(path)
    run_experiment(write(toy, "whole.yaml", budget=110, seeds=20, batch=2))
    assert results(toy / "runs" / "x") == results(toy / "runs" / "whole")


def test_a_directory_that_cannot_be_made_is_one_line(toy):
    (toy / "file").write_text("", encoding="utf-8")
    with pytest.raises(StoreError, match=r"cannot be written \(Not a directory\); choose another directory with --out"):
        run_experiment(write(toy), toy / "file" / "run")


def test_a_budget_beyond_the_space_is_capped_and_said(toy, tmp_path):
    lines = tmp_path / "lines"
    with lines.open("w", encoding="utf-8") as handle:
        show = Display(Console(file=handle, width=300))
        run_experiment(write(toy, seeds=1, budget=1000, fix={"mode": "on", "b": 6}), display=show)
    text = lines.read_text(encoding="utf-8")
    assert "budget: 1,000 is more than the space holds; capped at 10 designs" in text
    with closing(open_run(toy / "runs" / "x")) as run:
        (trial,) = run.trials
        assert (trial.state, trial.distinct, trial.best) == ("done", 10, 10.0)
