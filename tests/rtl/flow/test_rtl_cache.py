"""Results on disk: by content, shared by processes, never a reason to fail."""

import os
import subprocess
import sys
import threading
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
from rtl_points import point

from archgym.rtl.flow import cache as module
from archgym.rtl.flow.cache import Cache, CacheWarning, clear, file_hash
from archgym.rtl.flow.limits import Limits
from archgym.rtl.flow.point import Measured, Workload
from archgym.rtl.flow.results import Results


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("ARCHGYM_CACHE", str(tmp_path / "cache"))
    module._warn.cache_clear()


def test_values_come_back_in_another_cache_object():
    Cache("points").put("ab12", {"x": [1, 2.5]})
    assert Cache("points").get("ab12") == {"x": [1, 2.5]}
    assert Cache("points").get("ab13") is None
    assert Cache("other").get("ab12") is None


def test_the_folder_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.delenv("ARCHGYM_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    Cache("points").put("cd", 1)
    assert (tmp_path / "xdg" / "archgym" / "rtl" / "points" / "cd" / "cd.json").is_file()


def test_a_file_cut_short_is_no_result():
    cache = Cache("points")
    cache.put("ab12", {"x": 1})
    (cache.path / "ab" / "ab12.json").write_text('{"x": ')
    assert cache.get("ab12") is None
    cache.put("ab12", {"x": 2})
    assert cache.get("ab12") == {"x": 2}


def test_writers_at_once_leave_whole_files_only():
    cache = Cache("points")
    value = {"x": list(range(2000))}
    threads = [threading.Thread(target=lambda: [cache.put("aa", value) for _ in range(30)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    seen = []
    while any(thread.is_alive() for thread in threads):
        seen.append(cache.get("aa"))
    for thread in threads:
        thread.join()
    assert all(each is None or each == value for each in seen)
    assert [file.name for file in (cache.path / "aa").iterdir()] == ["aa.json"]


def test_a_folder_that_cannot_be_written_warns_once(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("ARCHGYM_CACHE", str(blocked))
    with pytest.warns(CacheWarning, match="results are not kept: .*; set ARCHGYM_CACHE to a folder"):
        Cache("points").put("ab", 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Cache("points").put("ab", 1)
    assert Cache("points").get("ab") is None


def test_the_oldest_go_where_the_folder_is_over_its_limit():
    cache = Cache("points", limit_bytes=1000)
    for index in range(20):
        cache.put(f"k{index:02}", "x" * 98)  # 100 bytes with its quotes
        os.utime(
            cache.path / "k0" / f"k{index:02}.json" if index < 10 else cache.path / "k1" / f"k{index:02}.json",
            (index, index),
        )
    assert cache.prune() == 13
    assert [cache.get(f"k{index:02}") is not None for index in range(20)] == [False] * 13 + [True] * 7
    assert cache.prune() == 0


def test_clear_counts_and_removes():
    Cache("points").put("ab", 1)
    Cache("points").put("cd", 1)
    assert clear() == 2
    assert Cache("points").get("ab") is None
    assert clear() == 0


def test_a_file_is_hashed_again_when_it_changes(tmp_path):
    path = tmp_path / "a.sv"
    path.write_text("one")
    first = file_hash(path)
    path.write_text("two")
    os.utime(path, ns=(1, 1))
    assert file_hash(path) != first


def test_the_key_depends_on_everything_that_matters(tmp_path):
    base, limits, results = point(tmp_path), Limits(), Results()
    other = [
        replace(base, parameters={"W": 3}),
        replace(base, clock_ns=2.0),
        replace(base, effort="quick"),
        replace(base, frequency_mhz=10.0),
        replace(base, hierarchical=True),
        replace(base, glitches=False),
        replace(base, workload=Workload("narrow")),
        replace(base, workload=Workload(seed=1)),
        replace(base, workload=Workload(beats=7)),
        replace(base, block=replace(base.block, keep=("x",))),
    ]
    keys = {results.key(each, limits) for each in [base, *other]}
    assert len(keys) == len(other) + 1
    assert results.key(point(tmp_path), limits) == results.key(base, limits)
    first = results.key(base, limits)
    source = Path(base.block.sources[0])
    source.write_text(source.read_text() + "\n// changed\n")
    assert results.key(base, limits) != first


def test_results_survive_the_process_nan_included():
    found = Measured("ok", "", {"a": 1.5, "b": float("nan")}, {"recipe": "dense"})
    Results(Cache("points")).put("k1", found)
    again = Results(Cache("points")).get("k1")
    assert (again.status, again.metrics["a"], again.details) == ("ok", 1.5, {"recipe": "dense"})
    assert again.metrics["b"] != again.metrics["b"]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("timeout", "no result within 1 s"),
        ("failed", "needs more memory than 1 MiB; raise the limit of memory"),
        ("failed", "the worker process was ended from outside"),
    ],
)
def test_what_says_more_about_the_machine_is_not_kept(status, reason):
    results = Results(Cache("points"))
    results.put("k", Measured(status, reason))
    assert results.get("k") is None


def test_the_command_line_warns_in_one_line_of_a_folder_that_cannot_be_written(tmp_path):
    occupied = tmp_path / "occupied"
    occupied.write_text("a file where the folder should be")
    command = [sys.executable, "-m", "archgym", "rtl", "measure", "booth_encoder", "--effort", "quick"]
    said = subprocess.run(
        command, env={**os.environ, "ARCHGYM_CACHE": str(occupied)}, capture_output=True, text=True, timeout=120
    )
    assert said.returncode == 0, said.stderr
    (line,) = said.stderr.splitlines()
    assert line.startswith("warning: results are not kept: ")
    assert line.endswith("set ARCHGYM_CACHE to a folder that can be written")
