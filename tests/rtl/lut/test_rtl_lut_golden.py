"""The golden models against the plain definition: a dot product of activations and of what weights mean."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from archgym.rtl.library import block
from archgym.rtl.lut import golden

BASE = {
    "TileM": 2, "TileN": 3, "TileK": 8, "Group": 4, "ActWidth": 8, "WeightBits": 2, "AccWidth": 32,
    "Symmetric": 1, "OfflineNegation": 1, "Precompute": 0, "Pipeline": 0, "InputRegister": 0,
}  # fmt: skip


def packets(last):
    start = 0
    for end in np.flatnonzero(last):
        yield slice(start, end + 1)
        start = end + 1


@given(
    seed=st.integers(0, 2**32 - 1),
    bits=st.integers(1, 4),
    group=st.sampled_from([2, 3, 4, 5]),
    groups=st.integers(1, 3),
    style=st.sampled_from([(1, 1), (1, 0), (0, 0)]),
    precompute=st.booleans(),
)
def test_look_ups_are_dot_products(seed, bits, group, groups, style, precompute):
    p = {**BASE, "WeightBits": bits, "Group": group, "TileK": group * groups, "Precompute": int(precompute)}
    p["Symmetric"], p["OfflineNegation"] = style
    rng = np.random.default_rng(seed)
    beats = 7
    acts = rng.integers(-128, 128, (beats, p["TileM"], p["TileK"]))
    codes = rng.integers(0, 1 << bits, (beats, p["TileN"], p["TileK"]))
    last = np.array([0, 1, 1, 0, 0, 1, 0])
    operands = acts if precompute else golden.table(acts.reshape(beats, 2, groups, group), symmetric=bool(style[0]))
    streams = {
        "table_i": operands.reshape(beats, -1),
        "weights_i": golden.encode_weights(codes, p).reshape(beats, -1),
        "last_i": last,
    }
    # By the definition of section 3.1.2, or two's complement, one weight at a time.
    mean = (lambda q: 2 * q - (2**bits - 1)) if style[0] else (lambda q: q - 2**bits if q >= 2 ** (bits - 1) else q)
    meant = np.vectorize(mean)(codes)
    expected = [np.einsum("bmk,bnk->mn", acts[rows], meant[rows]).ravel() for rows in packets(last)]
    assert np.array_equal(golden.core(p, streams)["acc_o"], np.array(expected))


def test_half_of_a_table_is_enough():
    acts = np.array([[3, -5, 7, 11]])
    half = golden.table(acts, symmetric=True)[0]
    for weights in range(16):
        signs = [1 if weights >> j & 1 else -1 for j in range(4)]
        index = weights & 7
        entry = half[index] if weights & 8 else -half[index ^ 7]
        assert entry == np.dot(signs, acts[0])


def test_entries_fit_their_width():
    p = {**BASE, "ActWidth": 8}
    extremes = np.array(np.meshgrid(*[[-128, 127]] * 4)).reshape(4, -1).T
    for symmetric in (True, False):
        entries = golden.table(extremes, symmetric=symmetric)
        assert entries.min() >= -(1 << (golden.entry_width(p) - 1))
        assert entries.max() < 1 << (golden.entry_width(p) - 1)


@pytest.mark.parametrize("serial", [0, 1])
def test_rivals_compute_the_same_dot_products(serial):
    each = block("dp_core")
    p = {
        "TileM": 2,
        "TileN": 2,
        "TileK": 4,
        "ActWidth": 8,
        "WeightWidth": 2,
        "AccWidth": 32,
        "Serial": serial,
        "InputRegister": 0,
    }
    streams = each.stimulus(p, np.random.default_rng(1), 40)
    found = each.golden(p, streams)["acc_o"]
    acts = streams["acts_i"].reshape(-1, 2, 4)
    stored = streams["weights_i"].reshape(len(acts), 2, -1)
    weights = np.zeros((len(acts), 2, 4), dtype=np.int64)
    for n in range(2):
        for k in range(4):
            if serial:
                weights[:, n, k] = sum(np.where(stored[:, n, b] >> k & 1, 1, -1) << b for b in range(2))
            else:
                weights[:, n, k] = stored[:, n, k]
    expected = [np.einsum("bmk,bnk->mn", acts[rows], weights[rows]).ravel() for rows in packets(streams["last_i"])]
    assert np.array_equal(found, np.array(expected))
