"""The store gives back what was put in, bit for bit, and says what is wrong with a file it did not write."""

from __future__ import annotations

import math
import sqlite3
import threading
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given, strategies as st
from run_helpers import write

from archgym import catalog
from archgym.errors import InvalidInput, StoreError
from archgym.plan import make_plan
from archgym.store import open_run
from archgym.store_schema import RUN_FILE, Codec, connect, guarded
from archgym.store_write import RowCache, TrialWriter, create_run
from archgym.trial import run_trial


@given(st.integers(2, 100_000), st.data())
def test_codec_gives_back_every_design(cardinality, data):
    codec = Codec(cardinality)
    design = np.array(data.draw(st.lists(st.integers(0, cardinality - 1), min_size=1, max_size=9)), dtype=np.int32)
    assert codec.unpack(codec.pack(design)).tolist() == design.tolist()
    assert codec.pack_key(design.astype("<i4").tobytes()) == codec.pack(design)


def test_codec_is_as_narrow_as_the_choices_allow():
    assert [Codec(n).dtype.itemsize for n in (2, 256, 257, 65_536, 65_537)] == [1, 1, 2, 2, 4]


@pytest.fixture
def run_directory(toy):
    """A run set up for two trials, nothing evaluated."""
    plan = make_plan(write(toy))
    create_run(toy, plan.resolved, {"made": "here"}, [(trial, plan.simulator) for trial in plan.trials])
    return toy


def cache_of(directory, connection, trial=0):
    with closing(open_run(directory)) as run:
        source = run.source(run.trial(trial))
    return RowCache(connection, source.id, source.codec, trial)


def test_rows_come_back_bit_for_bit(run_directory):
    awkward = (math.nan, -0.0, 5e-324, 1.7976931348623157e308, math.pi)
    rows = [((value, 1.0), "failed" if math.isnan(value) else "ok", "why, ünïcode") for value in awkward]
    keys = [np.array([i, 0, 0], dtype="<i4").tobytes() for i in range(len(rows))]
    with closing(connect(run_directory / RUN_FILE, write=True)) as connection:
        cache_of(run_directory, connection).put(keys, rows)
    with closing(connect(run_directory / RUN_FILE)) as connection:
        found = cache_of(run_directory, connection).get([*keys, np.array([9, 9, 0], dtype="<i4").tobytes()])
    assert found.pop() is None
    for row, stored in zip(rows, found, strict=True):
        assert np.array(stored[0]).tobytes() == np.array(row[0]).tobytes()
        assert stored[1:] == row[1:]


def test_a_trial_is_charged_and_counted(run_directory):
    with closing(connect(run_directory / RUN_FILE, write=True)) as connection:
        simulator = catalog.simulator("toy")
        for trial in (0, 1):
            cache = cache_of(run_directory, connection, trial)
            writer = TrialWriter(cache, simulator, trial)
            agent = catalog.agent("random", simulator.space, seed=trial)
            result = run_trial(
                simulator, agent, "low-latency", workload="plain", budget=60, cache=cache, observer=writer
            )
            writer.finish(result.counts, "done")
            with closing(open_run(run_directory)) as run:
                history, record = run.history(trial), run.trial(trial)
            assert np.array_equal(history.designs, result.history.designs)
            assert np.array_equal(history.best_so_far, result.history.best_so_far)
            assert (record.state, record.distinct, record.requested) == ("done", 60, result.counts.proposals)
            assert (record.simulated, record.cache_hits) == (result.counts.simulated, 60 - result.counts.simulated)
    with closing(open_run(run_directory)) as run:
        assert run.provenance == {"made": "here"}
        assert run.experiment["budget"] == 20
        # 60 + 60 of 110 distinct designs overlap in 10 at least; each was simulated once
        rows = run.stored_rows()
        assert len({row.key for row in rows}) == len(rows) == sum(t.simulated for t in run.trials) <= 110
        assert run.history_length(1) == 60
        with pytest.raises(StoreError, match="no trial 7; trials are numbered 0 to 1"):
            run.trial(7)


def test_a_trial_that_proposes_something_else_than_before_is_refused(run_directory):
    simulator = catalog.simulator("toy")

    def search(seed):
        cache = cache_of(run_directory, connection)
        agent = catalog.agent("random", simulator.space, seed=seed)
        writer = TrialWriter(cache, simulator, 0)
        return run_trial(simulator, agent, "low-latency", workload="plain", budget=9, cache=cache, observer=writer)

    with closing(connect(run_directory / RUN_FILE, write=True)) as connection:
        search(0)
        assert search(0).counts.simulated == 0  # the same again: everything is answered
        with pytest.raises(StoreError, match=r"trial 0 cannot be continued: design \d+ differs .*--fresh"):
            search(1)


def test_several_writers_at_once_lose_nothing(run_directory):
    def write_rows(offset):
        with closing(connect(run_directory / RUN_FILE, write=True)) as connection:
            cache = RowCache(connection, 1, Codec(10))
            for i in range(25):
                cache.put([np.array([offset, i, 0], dtype="<i4").tobytes()], [((float(i), 0.0), "ok", "")])

    threads = [threading.Thread(target=write_rows, args=(offset,)) for offset in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with closing(connect(run_directory / RUN_FILE)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM evaluations").fetchone() == (100,)


def test_a_simulator_that_gives_two_answers_is_caught(run_directory):
    key = [np.array([1, 2, 0], dtype="<i4").tobytes()]
    with closing(connect(run_directory / RUN_FILE, write=True)) as connection:
        one, other = (RowCache(connection, 1, Codec(10), trial) for trial in (0, 1))
        one.put(key, [((1.0, 2.0), "ok", "")])
        other.put(key, [((1.0, 2.0), "ok", "")])
        with pytest.raises(InvalidInput, match="the simulator is not deterministic"):
            other.put(key, [((1.0, 2.5), "ok", "")])
    with closing(open_run(run_directory)) as run:
        assert [trial.simulated for trial in run.trials] == [1, 0]  # who was first


def test_readers_change_nothing(run_directory):
    path = run_directory / RUN_FILE
    with closing(connect(path)) as connection, pytest.raises(StoreError, match="readonly"), guarded(path):
        connection.execute("DELETE FROM trials")


def test_a_directory_without_a_run_is_refused(tmp_path):
    with pytest.raises(StoreError, match=r"not a run directory \(no run.sqlite\); make one with: archgym run"):
        open_run(tmp_path)
    with closing(sqlite3.connect(tmp_path / RUN_FILE)) as connection:
        connection.execute("CREATE TABLE other (x)")
    with pytest.raises(StoreError, match="not an ArchGym store"):
        open_run(tmp_path)


@pytest.mark.parametrize(
    ("message", "fix"),
    [
        ("database or disk is full", "free some space"),
        ("disk I/O error", "free some space"),
        ("attempt to write a readonly database", "--out"),
        ("unable to open database file", "--out"),
        ("file is not a database", "--fresh"),
        ("database is locked", "run again"),
    ],
)
def test_what_sqlite_says_becomes_a_line_with_a_way_on(tmp_path, message, fix):
    with pytest.raises(StoreError, match=f"{message}; .*{fix}"), guarded(tmp_path):
        raise sqlite3.OperationalError(message)
