"""Golden models of the units against plain dot products in exact integers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from archgym.rtl.common.digits import ent_code
from archgym.rtl.library import block
from archgym.rtl.mac import golden, stimuli


def signed(value, width):
    return (value + (1 << (width - 1))) % (1 << width) - (1 << (width - 1))


@given(
    seed=st.integers(0, 2**32 - 1),
    width=st.sampled_from([4, 8, 16]),
    multiplier=st.integers(0, 4),
    acc=st.sampled_from([32, 36, 48]),
)
def test_dot_products_of_packets(seed, width, multiplier, acc):
    rng = np.random.default_rng(seed)
    low, high = -(1 << (width - 1)), 1 << (width - 1)
    a, b = rng.integers(low, high, (2, 40))
    last = (rng.random(40) < 0.2).astype(int)
    expected, total = [], 0
    for x, y, end in zip(a.tolist(), b.tolist(), last.tolist(), strict=True):
        total += x * y
        if end:
            expected.append(signed(total, acc))
            total = 0
    p = {"Width": width, "AccWidth": acc, "Multiplier": multiplier, "CarrySave": 0, "Pipeline": 0}
    sent = ent_code(a, width) if multiplier == 4 else a
    assert golden.mac_unit(p, {"a_i": sent, "b_i": b, "last_i": last})["acc_o"].tolist() == expected


BASE = {
    "Width": 8,
    "AccWidth": 32,
    "Columns": 3,
    "Encoders": 2,
    "Lanes": 4,
    "Multiplier": 4,
    "Horner": 0,
    "SkipEmpty": 0,
}


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    width=st.sampled_from([4, 8, 16]),
    encoders=st.sampled_from([1, 2, 4]),
    lanes=st.sampled_from([2, 4, 8]),
    columns=st.sampled_from([1, 3]),
    horner=st.integers(0, 1),
    multiplier=st.sampled_from([3, 4]),
)
def test_passes_of_digits_are_dot_products(seed, width, encoders, lanes, columns, horner, multiplier):
    """A packet of Width/2 passes over the same operands is one dot product a column."""
    p = {
        "Width": width, "AccWidth": 40, "Columns": columns, "Encoders": encoders, "Lanes": lanes,
        "Multiplier": multiplier, "Horner": horner, "SkipEmpty": 0,
    }  # fmt: skip
    rng = np.random.default_rng(seed)
    low, high = -(1 << (width - 1)), 1 << (width - 1)
    sent, expected = [], []
    for groups in (3, 1, 2):
        a = rng.integers(low, high, (groups, encoders * lanes))
        b = rng.integers(low, high, (groups, columns, encoders * lanes))
        expected += np.einsum("gk,gck->c", a, b).tolist()
        for _ in range(width // 2):
            sent += [(x, y.ravel(), index == groups - 1) for index, (x, y) in enumerate(zip(a, b, strict=True))]
    a, b, last = (np.array(each) for each in zip(*sent, strict=True))
    streams = {"a_i": ent_code(a, width) if multiplier == 4 else a, "b_i": b, "last_i": last.astype(int)}
    assert golden.digit_engine(p, streams)["acc_o"].tolist() == expected


def test_an_incomplete_packet_gives_nothing():
    streams = stimuli.digit_engine(BASE, np.random.default_rng(0), 40)
    whole = golden.digit_engine(BASE, streams)["acc_o"]
    cut = {name: values[:-1] for name, values in streams.items()}
    assert golden.digit_engine(BASE, cut)["acc_o"].tolist() == whole[:-3].tolist()
    none = {name: values[:1] for name, values in cut.items()}
    assert golden.digit_engine(BASE, {**none, "last_i": np.array([0])})["acc_o"].size == 0
    p = {"Width": 8, "AccWidth": 32, "Multiplier": 0}
    assert golden.mac_unit(p, {"a_i": np.array([1]), "b_i": np.array([1]), "last_i": np.array([0])})["acc_o"].size == 0


def test_cycles_follow_the_slowest_encoder():
    p = {**BASE, "Encoders": 2, "Lanes": 2, "Columns": 1, "Multiplier": 3}
    # Lowest digits: 1 and 1 for the first encoder, 0 and 2 for the second; then 0, 0 and 0, 1; then none at all, twice.
    a = np.array([[1, 1, 0, 6]] * 4)
    streams = {"a_i": a, "b_i": np.zeros((4, 4), int), "last_i": np.ones(4, int)}
    assert golden.digit_cycles(p, streams) == 2 + 1 + 1 + 1


@pytest.mark.parametrize("name", ["mac_unit", "digit_mac", "opt4c_column", "opt4e_group"])
def test_stimuli_are_whole_packets_of_operands_in_range(name):
    unit = block(name)
    rng = np.random.default_rng(5)
    p = {parameter.name: int(parameter.choices[-1]) for parameter in unit.parameters if parameter.name != "Pipeline"}
    p["Pipeline"] = 0
    for streams in (unit.stimulus(p, rng, 50), unit.corners(p)):
        assert streams["last_i"][-1] == 1
        for port in unit.ports(p):
            if port.direction == "in":
                values = streams[port.name]
                low = -(1 << (port.width - 1)) if port.signed else 0
                assert low <= values.min()
                assert values.max() < low + (1 << port.width)
    assert unit.macs(p, unit.corners(p)) > 0


def test_points_that_are_refused():
    unit = block("mac_unit")
    p = {"Width": 16, "AccWidth": 24, "Multiplier": 0, "CarrySave": 0, "Pipeline": 0}
    assert unit.reject(p) == "AccWidth must be at least 2*Width = 32, got 24"
    assert "Multiplier 1, 2 or 3, got 4" in unit.reject({**p, "AccWidth": 32, "Multiplier": 4, "Pipeline": 2})
    assert unit.reject({**p, "AccWidth": 32}) == ""
    assert "2*Width + 4 = 20, got 16" in block("digit_mac").reject({**BASE, "AccWidth": 16})


@pytest.mark.parametrize("name", ["mac_unit", "opt4e_group"])
def test_dot_products_of_one_length(name):
    unit = block(name)
    every = {**BASE, "CarrySave": 0, "Pipeline": 0}
    p = {parameter.name: every[parameter.name] for parameter in unit.parameters}
    made = stimuli.dot_products(24)
    for n, packets in ((1, 1), (24 if name == "mac_unit" else 12, 1), (72 if name == "mac_unit" else 36, 3)):
        streams = made(p, np.random.default_rng(1), n)
        assert unit.macs(p, streams) == 24 * packets * (1 if name == "mac_unit" else 3)
        results = unit.golden(p, streams)["acc_o"]
        assert len(results) == packets * (1 if name == "mac_unit" else 3)
