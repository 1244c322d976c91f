"""An export holds every charged design with its meaning, and can be queried."""

from __future__ import annotations

import json

import pytest
from pyarrow import parquet
from run_helpers import write

from archgym.dataset import export, query
from archgym.errors import InvalidInput, StoreError
from archgym.runner import run_experiment


@pytest.fixture
def exported(toy):
    """Two objectives, one of them with two costs, on a simulator that fails for a = 7."""
    path = write(toy, budget=30, seeds=1, agents=["random", {"name": "hill-climb", "hyper": {"neighbours": 3}}],
                 objectives=["low-latency", {"pareto": ["latency_ns", "power_mw"], "name": "both-costs"}],
                 workloads=["double"], options={"trouble": "raise"})  # fmt: skip
    run_experiment(path, workers=1)
    target = toy / "out.parquet"
    assert export(toy / "runs" / "x", target) == 4 * 30
    return target


def test_every_row_says_what_it_is(exported):
    rows = parquet.read_table(exported).to_pylist()
    assert len(rows) == 120
    assert {row["status"] for row in rows} == {"ok", "failed"}
    for row in rows:
        if row["a"] == 7:
            assert (row["status"], row["latency_ns"]) == ("failed", None)
            assert row["reason"] == "RuntimeError: the toy broke"
            continue
        latency = 2.0 * (99.0 if row["mode"] == "off" else 10.0 + (row["a"] - 3) ** 2 + (row["b"] - 6) ** 2)
        power = 100.0 + 10 * row["a"]
        assert (row["status"], row["latency_ns"], row["power_mw"]) == ("ok", latency, power)
        assert row["costs"] == ([latency] if row["objective"] == "low-latency" else [latency, power])
    steps = [row["step"] for row in rows if row["trial"] == 3]
    assert steps == list(range(30))
    assert {(r["agent"], r["hyper"]) for r in rows} == {("random", "{}"), ("hill-climb", '{"neighbours": 3}')}


def test_units_provenance_and_schema_are_inside(exported):
    schema = parquet.read_schema(exported)
    assert schema.field("a").metadata[b"unit"] == b"ways"
    assert json.loads(schema.field("a").metadata[b"choices"]) == list(range(10))
    assert schema.field("latency_ns").metadata[b"unit"] == b"ns"
    assert schema.field("latency_ns").metadata[b"direction"] == b"minimize"
    facts = json.loads(schema.metadata[b"archgym"])
    assert facts["experiment"]["budget"] == 30
    assert facts["sources"][0]["simulator"] == "toy"
    assert facts["sources"][0]["workload"] == "double"
    assert "numpy" in facts["provenance"]["versions"]


def test_query(exported):
    names, rows = query(exported, "SELECT agent, count(*) AS n FROM data WHERE a = 7 OR a <> 7 GROUP BY 1 ORDER BY 1")
    assert names == ["agent", "n"]
    assert rows == [("hill-climb", 60), ("random", 60)]
    with pytest.raises(InvalidInput, match=r"out.parquet: .*latncy"):
        query(exported, "SELECT latncy FROM data")
    with pytest.raises(InvalidInput, match="no such file; make one with: archgym dataset export"):
        query(exported.with_name("none.parquet"), "SELECT 1")


def test_nothing_half_written_is_left_behind(exported, toy):
    (toy / "folder.parquet").mkdir()
    with pytest.raises(StoreError, match="cannot be written"):
        export(toy / "runs" / "x", toy / "folder.parquet")
    assert not list(toy.glob("*.partial"))
