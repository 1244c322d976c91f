"""Validation believes what a fresh simulator repeats, and names the row that it does not."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import numpy as np
import pytest
from run_helpers import write

from archgym.errors import StoreError
from archgym.runner import run_experiment
from archgym.validate import validate_run


@pytest.fixture
def finished(toy):
    """A run of two trials, 110 distinct designs each, all that there are."""
    return run_experiment(write(toy, budget=110, seeds=2, workloads=["plain"]), workers=1)


def change(directory, statement, *values):
    with closing(sqlite3.connect(directory / "run.sqlite")) as connection:
        connection.execute(statement, values)
        connection.commit()


def test_an_untouched_run_validates(finished):
    verdict = validate_run(finished)
    assert (verdict.stored, verdict.checked, verdict.mismatches) == (110, 110, ())
    assert validate_run(finished, sample=7).checked == 7


def test_one_changed_bit_is_found_and_named(finished):
    key = bytes([3, 6, 0])
    wrong = np.array([np.nextafter(10.0, 11.0), 130.0], dtype="<f8").tobytes()
    change(finished, "UPDATE evaluations SET metrics = ? WHERE key = ?", wrong, key)
    (mismatch,) = validate_run(finished).mismatches
    assert mismatch.design == {"a": 3, "b": 6, "mode": "on"}
    assert "latency_ns was 10.000000000000002, is 10.0" in str(mismatch)
    assert f"trial {mismatch.trial}, step {mismatch.step}, workload plain" in str(mismatch)


def test_a_changed_status_is_found(finished):
    change(finished, "UPDATE evaluations SET status = 'failed' WHERE key = ?", bytes([0, 0, 0]))
    (mismatch,) = validate_run(finished).mismatches
    assert "status was 'failed', is 'ok'" in str(mismatch)


def test_a_lost_row_is_found(finished):
    change(finished, "DELETE FROM evaluations WHERE key = ?", bytes([3, 6, 0]))
    with pytest.raises(StoreError, match="trial 0 was charged 110 designs but holds 109"):
        validate_run(finished)


def test_another_simulator_version_cannot_validate(finished, monkeypatch):
    import toy_sims

    monkeypatch.setattr(toy_sims.Bowl, "version", "2")
    with pytest.raises(StoreError, match="install the version that wrote it to validate"):
        validate_run(finished)
