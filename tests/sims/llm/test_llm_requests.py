from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from archgym.errors import InvalidInput, TraceError, UnknownName
from archgym.sims.llm.requests import Requests, fixed, poisson, read_csv


def test_poisson_gaps_are_exponential_and_seeded():
    found = poisson("alpaca", 4.0, 20_000, seed=9)
    gaps = np.sort(np.diff(found.arrival_s, prepend=0))
    assert gaps.mean() == pytest.approx(0.25, rel=0.02)
    # Kolmogorov-Smirnov: the distance to 1 - exp(-4 t) is above 1.63 / sqrt(n) with probability 1 %.
    assert np.abs(1 - np.exp(-4 * gaps) - (np.arange(20_000) + 0.5) / 20_000).max() < 1.63 / math.sqrt(20_000)
    again = poisson("alpaca", 4.0, 20_000, seed=9)
    assert (again.arrival_s == found.arrival_s).all()
    assert (again.prompt == found.prompt).all()


def test_rate_and_lengths_do_not_disturb_each_other():
    slow, fast, other = poisson("alpaca", 1, 50, 3), poisson("alpaca", 10, 50, 3), poisson("sharegpt", 1, 50, 3)
    assert (slow.output == fast.output).all()
    assert slow.arrival_s == pytest.approx(10 * fast.arrival_s)
    assert (slow.arrival_s == other.arrival_s).all()
    assert abs(np.corrcoef(slow.arrival_s, slow.prompt)[0, 1]) < 0.5


def test_lengths_are_cut_to_the_context():
    found = poisson("sharegpt", 1, 5000, 0, max_length=200)
    free = poisson("sharegpt", 1, 5000, 0)
    assert (found.prompt + found.output).max() == 200
    assert found.prompt.max() == 199
    assert found.output.min() == 1
    fits = free.prompt + free.output <= 200
    assert (found.prompt[fits] == free.prompt[fits]).all()
    assert (found.output[fits] == free.output[fits]).all()


def test_fixed_requests():
    found = fixed(3, 4, 5)
    assert (found.arrival_s.tolist(), found.prompt.tolist(), found.output.tolist()) == ([0] * 5, [3] * 5, [4] * 5)
    assert len(found) == 5
    assert np.diff(fixed(3, 4, 4000, rate_per_s=8, seed=1).arrival_s).mean() == pytest.approx(1 / 8, rel=0.06)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: poisson("alpaca", 0, 5, 0), r"rate 0 requests/s is not allowed; allowed: above 0"),
        (lambda: poisson("alpaca", math.inf, 5, 0), r"rate inf"),
        (lambda: poisson("alpaca", 1, 0, 0), r"0 requests"),
        (lambda: poisson("alpaca", 1, 5, 0, max_length=1), r"max_length 1 is not allowed; allowed: 2 and more"),
        (lambda: fixed(1, 1, 0), r"0 requests"),
        (lambda: fixed(0, 1, 2), r"shortest prompt 0, shortest output 1; allowed: 1 token and more"),
        (lambda: Requests([0.0, 1.0], [1], [1, 1]), r"2 arrivals, 1 prompts and 2 outputs"),
        (lambda: Requests([], [], []), r"0 arrivals"),
        (lambda: Requests([1.0, 0.5], [1, 1], [1, 1]), r"negative, infinite or go back"),
        (lambda: Requests([-1.0], [1], [1]), r"negative, infinite or go back"),
        (lambda: Requests([math.nan], [1], [1]), r"negative, infinite or go back"),
    ],
)
def test_impossible_requests_are_refused(make, message):
    with pytest.raises(InvalidInput, match=message):
        make()
    with pytest.raises(UnknownName, match="alpaca"):
        poisson("alpacca", 1, 5, 0)


def test_requests_are_copied_and_read_only():
    times = np.array([0.0, 1.0])
    found = Requests(times, np.array([1, 2]), np.array([3, 4]))
    times[0] = 9
    assert found.arrival_s[0] == 0
    with pytest.raises(ValueError, match="read-only"):
        found.prompt[0] = 5


def test_a_file_is_read_in_any_order_of_lines_and_columns(tmp_path):
    file = tmp_path / "load.csv"
    file.write_text("id, Output ,arrival,prompt\r\n7,30,2.5,10\r\n\r\n8,31,0.25,11\r\n", encoding="utf-8-sig")
    found = read_csv(file)
    assert found.arrival_s.tolist() == [0.25, 2.5]
    assert found.prompt.tolist() == [11, 10]
    assert found.output.tolist() == [31, 30]


def test_a_trace_in_the_columns_of_splitwise_is_understood(tmp_path):
    file = tmp_path / "trace.csv"
    header = "request_id,request_type,application_id,arrival_timestamp,batch_size,prompt_size,token_size"
    file.write_text(f"{header}\n0,2,0,0.0,1,374,44\n1,2,0,4.314,1,396,109\n")
    assert read_csv(str(file)).output.tolist() == [44, 109]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1e6), st.integers(1, 10**6), st.integers(1, 10**6)), min_size=1, max_size=20))
def test_what_is_written_is_read(tmp_path_factory, rows):
    file = tmp_path_factory.mktemp("rows") / "r.csv"
    file.write_text("arrival,prompt,output\n" + "".join(f"{a!r},{p},{o}\n" for a, p, o in rows))
    found = read_csv(file)
    ordered = sorted(rows, key=lambda row: row[0])
    assert found.arrival_s.tolist() == [row[0] for row in ordered]
    assert found.prompt.tolist() == [row[1] for row in ordered]
    assert found.output.tolist() == [row[2] for row in ordered]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"x.csv:1: 0 columns for arrival in an empty line; expected one of: arrival, arrival_s"),
        ("arrival,prompt\n1,2\n", r"x.csv:1: 0 columns for output in arrival, prompt"),
        ("arrival,arrival_s,prompt,output\n", r"x.csv:1: 2 columns for arrival"),
        ("arrival,prompt,output\n", r"x.csv: holds no request"),
        ("arrival,prompt,output\n0,1,1\n\n1,2\n", r"x.csv:4: 2 columns, the header has 3"),
        ("arrival,prompt,output\nsoon,1,1\n", r"x.csv:2: arrival 'soon'; expected seconds from 0"),
        ("arrival,prompt,output\n-1,1,1\n", r"x.csv:2: arrival '-1'"),
        ("arrival,prompt,output\ninf,1,1\n", r"x.csv:2: arrival 'inf'"),
        ("arrival,prompt,output\n0,0,1\n", r"x.csv:2: prompt '0'; expected a whole number of tokens, 1 and more"),
        ("arrival,prompt,output\n0,1,2.5\n", r"x.csv:2: output '2.5'"),
        ("arrival,prompt,output\n0,1,-2\n", r"x.csv:2: output '-2'"),
        ("arrival,prompt,output\n0,1,99999999999999999999\n", r"x.csv:2: output '99999999999999999999'"),
    ],
)
def test_a_bad_file_is_refused_with_its_line(tmp_path, text, message):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(TraceError, match=message):
        read_csv(tmp_path / "x.csv")


def test_an_unreadable_file_is_refused(tmp_path):
    with pytest.raises(TraceError, match="cannot be read"):
        read_csv(tmp_path / "missing.csv")
    with pytest.raises(TraceError, match="cannot be read"):
        read_csv(tmp_path)
    (tmp_path / "raw.csv").write_bytes(b"arrival\xff\xfe,\x00")
    with pytest.raises(TraceError, match="cannot be read"):
        read_csv(tmp_path / "raw.csv")
