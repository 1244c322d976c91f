"""Published figures: computed from a table of numbers as one would by hand, and refused where they mean nothing."""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given, strategies as st
from pydantic import ValidationError

from archgym.claims import STATISTICS, Claim, compute, matching
from archgym.errors import InvalidInput

# design -> workload -> metric, by hand: the ratios new / old are 2, 8, 0.5.
TABLE = {
    "old": {"chat-64": 1.0, "chat-512": 2.0, "code-64": 4.0},
    "new": {"chat-64": 2.0, "chat-512": 16.0, "code-64": 2.0},
    "none": {"chat-64": 0.0, "chat-512": 0.0, "code-64": 0.0},
}
WORKLOADS = tuple(TABLE["old"])


def claim(**changes) -> Claim:
    return Claim.model_validate(
        {"label": "x", "metric": "m", "of": "new", "over": "old", "published": 1.0, "source": "paper", **changes}
    )


def outcome(**changes):
    return compute(claim(**changes), WORKLOADS, lambda design, workload: TABLE[design][workload])


@pytest.mark.parametrize(
    ("changes", "ours", "relative"),
    [
        ({}, 2.0, 1.0),  # (2 * 8 * 0.5) ** (1/3)
        ({"published": 2.5}, 2.0, -0.2),
        ({"statistic": "mean"}, 3.5, 2.5),
        ({"statistic": "median"}, 2.0, 1.0),
        ({"statistic": "max"}, 8.0, 7.0),
        ({"statistic": "min"}, 0.5, -0.5),
        ({"workloads": "chat*"}, 4.0, 3.0),
        ({"workloads": ["*512", "code-64"]}, 2.0, 1.0),
        ({"show": "change", "published": 3.0, "workloads": "chat*"}, 3.0, 0.0),
        ({"show": "change", "published": -0.42, "workloads": "code-64"}, -0.5, (0.5 - 0.58) / 0.58),
        ({"show": "percent", "published": 0.8}, 2.0, 1.5),
        ({"over": None, "published": 5.0}, 20 / 3, 1 / 3),
        ({"over": None, "published": -4.0}, 20 / 3, (20 / 3 + 4) / 4),
        ({"over": None, "show": "percent", "statistic": "max", "published": 16}, 16.0, 0.0),
        ({"published": [1.5, 2.5]}, 2.0, 0.0),
        ({"published": [4, None]}, 2.0, -0.5),
        ({"published": [None, 1]}, 2.0, 1.0),
        ({"published": [None, 2]}, 2.0, 0.0),
        ({"workloads": "*512", "over_workloads": "*64"}, 8.0, 7.0),  # 8 over (2 * 0.5) ** 0.5
        ({"workloads": "*512", "over_workloads": ["chat-64"], "show": "change", "published": 3.0}, 3.0, 0.0),
        ({"over": None, "workloads": "chat-512", "over_workloads": "*64", "published": [7, 9]}, 8.0, 0.0),
        ({"over": None, "over_workloads": "*64", "statistic": "max", "published": 4}, 8.0, 1.0),  # 16 over 2
    ],
)
def test_worked_by_hand(changes, ours, relative):
    found = outcome(**changes)
    assert found.why == ""
    assert found.ours == pytest.approx(ours)
    assert found.relative == pytest.approx(relative)


def test_terms_are_kept_workload_by_workload():
    found = outcome()
    assert (found.workloads, found.terms) == (WORKLOADS, (2.0, 8.0, 0.5))
    assert outcome(show="change", published=1.0).terms == (1.0, 7.0, -0.5)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"over": "none"}, "m of none on chat-64 is 0"),
        ({"of": "none"}, "no geometric mean: 0 on chat-64"),
        ({"of": "none", "over": None, "statistic": "geometric-mean"}, "no geometric mean: 0 on chat-64"),
        (
            {"of": "none", "over": None, "statistic": "max", "over_workloads": "*64"},
            "max of m over chat-64, code-64 is 0",
        ),
        (
            {"over": None, "of": "none", "workloads": "*512", "over_workloads": "*64"},
            "no geometric mean: 0 on chat-512",
        ),
    ],
)
def test_what_cannot_be_computed_says_why(changes, why):
    found = outcome(**changes)
    assert found.why == why
    assert math.isnan(found.ours)
    assert math.isnan(found.relative)


def test_a_design_without_a_number_is_named():
    found = compute(claim(), WORKLOADS, lambda d, w: "infeasible: too large" if (d, w) == ("old", "code-64") else 1.0)
    assert found.why == "old on code-64: infeasible: too large"


def test_zero_is_inside_or_outside_of_a_range_but_no_measure_of_distance():
    inside = outcome(over=None, of="none", published=[0, 1])
    assert inside.relative == 0.0
    assert math.isnan(outcome(over=None, published=[-1, 0]).relative)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"over": "new"}, "`of` and `over` are both 'new'"),
        ({"over": None, "show": "ratio"}, "show: ratio needs `over`"),
        ({"over": None, "show": "change"}, "show: change needs `over`"),
        ({"show": "value"}, "show: value has no meaning where two are compared"),
        ({"published": 0}, "published: 0 leaves no relative difference"),
        ({"published": -1, "show": "change"}, "published: -1 leaves no relative difference"),
        ({"published": -2.4}, "published: -2.4 is no ratio of two positive numbers"),
        ({"published": -1.2, "show": "change"}, "published: -1.2 is no change of two positive numbers"),
        ({"published": [None, None]}, "leaves both ends open"),
        ({"published": [2, 1]}, r"the range \[2, 1\] is empty"),
        ({"published": [1, 1]}, r"the range \[1, 1\] is empty"),
        ({"published": [1]}, "at least 2 items"),
        ({"published": "2.4"}, "valid number"),
        ({"published": True}, "valid number"),
        ({"published": math.nan}, "finite number"),
        ({"published": [1, math.inf]}, "finite number"),
        ({"source": ""}, "at least 1 character"),
        ({"statistic": "geomean"}, "'geometric-mean', 'mean'"),
        ({"workloads": []}, "at least 1 item"),
    ],
)
def test_a_claim_that_makes_no_sense_is_refused(changes, said):
    with pytest.raises(ValidationError, match=said):
        claim(**changes)


def test_globs_match_registered_names_paths_and_file_names():
    names = ("a-64", "/data/b-64.csv", "B-64")
    assert matching("*64", names) == ("a-64", "B-64")
    assert matching("b-*.csv", names) == ("/data/b-64.csv",)
    assert matching("/data/*", names) == ("/data/b-64.csv",)
    assert matching(["B*", "a*"], names) == ("a-64", "B-64")  # the experiment's order
    with pytest.raises(InvalidInput, match=r"'c\*' matches none of the experiment's workloads: a-64, /data"):
        matching(["a*", "c*"], names)


positive = st.floats(1e-3, 1e3)


@given(terms=st.lists(positive, min_size=1, max_size=8))
def test_statistics_agree_with_the_standard_library(terms):
    peers = {
        "geometric-mean": statistics.geometric_mean, "mean": statistics.fmean, "median": statistics.median,
        "max": max, "min": min,
    }  # fmt: skip
    assert peers.keys() == STATISTICS.keys()
    for name, peer in peers.items():
        assert STATISTICS[name](terms) == pytest.approx(peer(terms))


@given(
    of=st.lists(positive, min_size=1, max_size=6), over=st.lists(positive, min_size=6, max_size=6), published=positive
)
def test_ratios_scale_invert_and_are_the_change_plus_one(of, over, published):
    names = [f"w{i}" for i in range(len(of))]
    table = {"new": dict(zip(names, of)), "old": dict(zip(names, over))}

    def value(factor=1.0, **changes):
        given = claim(published=published, **changes)
        return compute(given, names, lambda d, w: table[d][w] * factor)

    ratio = value()
    assert value(factor=1000.0).ours == pytest.approx(ratio.ours)
    assert value(of="old", over="new").ours == pytest.approx(1.0 / ratio.ours)
    assert value(show="change").ours == pytest.approx(ratio.ours - 1.0)
    assert ratio.relative == pytest.approx(ratio.ours / published - 1.0)
    low, high = (value(statistic=name).ours for name in ("min", "max"))
    assert low <= ratio.ours * (1 + 1e-9)
    assert ratio.ours <= high * (1 + 1e-9)
