"""The golden models of the arrays against plain loops over beats, rows and columns."""

from __future__ import annotations

import numpy as np
import pytest

from archgym.rtl.array import golden, stimuli
from archgym.rtl.array.digit_rows import packet
from archgym.rtl.library import block

OS = {"Rows": 3, "Cols": 2, "Depth": 2, "Width": 8, "AccWidth": 18, "CarrySave": 0, "Reduction": 0, "Pipeline": 0}
WS = {"Rows": 3, "Cols": 2, "Width": 8, "AccWidth": 18, "CarrySave": 0}
ENGINES = ("systolic_os", "systolic_ws", "matrix2d", "cube", "adder_tree", "digit_array")


def wrapped(value, width):
    value %= 1 << width
    return value - (1 << width) if value >> (width - 1) else value


def plain_code(value, width):
    """EN-T by hand: magnitude to digits -1, 0, 1, 2 from the lowest, each in two bits; sign on top."""
    left, code = abs(value), 0
    for digit in range(width // 2):
        group = left % 4
        chosen = -1 if group == 3 else group
        code |= (chosen % 4) << (2 * digit)
        left = (left - chosen) // 4
    assert left == 0
    return code | (value < 0) << width


@pytest.mark.parametrize("multiplier", [0, 4])
def test_tiles_are_matrix_products(multiplier):
    p = OS | {"Multiplier": multiplier, "ResultBuffer": 1}
    rng = np.random.default_rng(0)
    pairs = [(rng.integers(-128, 128, (n, 6)), rng.integers(-128, 128, (n, 4))) for n in (1, 5, 30)]
    streams = stimuli.os_tiles(p, pairs)
    if multiplier == 4:
        codes = [[plain_code(int(x), 8) for x in row] for a, _ in pairs for row in a]
        assert streams["a_i"].tolist() == codes
    expected = []
    for a, b in pairs:
        for row in range(3):
            line = []
            for col in range(2):
                terms = (int(a[n, 2 * row + k]) * int(b[n, 2 * col + k]) for n in range(len(a)) for k in range(2))
                line.append(wrapped(sum(terms), 18))
            expected.append(line)
    assert golden.output_stationary(p, streams)["c_o"].tolist() == expected
    # A tile that has not ended gives nothing.
    unfinished = {name: np.concatenate([column, column[1:2]]) for name, column in streams.items()}
    assert golden.output_stationary(p, unfinished)["c_o"].tolist() == expected
    none = {name: column[:0] for name, column in streams.items()}
    assert golden.output_stationary(p, none)["c_o"].shape == (0, 2)


@pytest.mark.parametrize("buffer", [0, 1])
@pytest.mark.parametrize("multiplier", [2, 4])
def test_weights_in_use(buffer, multiplier):
    p = WS | {"Multiplier": multiplier, "WeightBuffer": buffer}
    rng = np.random.default_rng(1)
    pairs = [(rng.integers(-128, 128, (3, 2)), rng.integers(-128, 128, (m, 3))) for m in (1, 2, 9, 4, 1)]
    streams = stimuli.ws_tiles(p, pairs)
    products = [[wrapped(int(x), 18) for x in line] for w, a in pairs for line in a @ w]
    assert golden.weight_stationary(p, streams)["c_o"].tolist() == products
    # The beats as the array sees them: registers that shift, and what is in use.
    loaded, used, seen = [[0, 0]] * 3, [[0, 0]] * 3, []
    for beat in range(len(streams["load_i"])):
        if streams["swap_i"][beat] or not buffer:
            used = [list(line) for line in loaded]
        if streams["compute_i"][beat]:
            words = golden.decode_a(streams["a_i"][beat], p)
            seen.append([wrapped(sum(int(words[r]) * used[r][c] for r in range(3)), 18) for c in range(2)])
        if streams["load_i"][beat]:
            loaded = [streams["b_i"][beat].tolist(), *loaded[:2]]
    assert seen == products
    both = streams["load_i"] & streams["compute_i"]
    assert both.any() == bool(buffer)
    assert not (both & streams["swap_i"]).any()


def test_rows_of_sparse_digits_are_matrix_products():
    unit = block("digit_array")
    p = {
        "Rows": 3, "Columns": 2, "Width": 8, "AccWidth": 32, "Encoders": 1, "Lanes": 2, "Multiplier": 3, "Horner": 0,
        "SkipEmpty": 0, "Slack": 1,
    }  # fmt: skip
    streams = unit.stimulus(p, np.random.default_rng(2), 200)
    ends = np.flatnonzero(streams["last_i"]) + 1
    starts = np.concatenate([[0], ends[:-1]])
    expected = []
    for start, end in list(zip(starts, ends, strict=True))[::4]:  # one of the four passes
        a = streams["a_i"][start:end].reshape(-1, 3, 2).astype(object)
        b = streams["b_i"][start:end].reshape(-1, 2, 2).astype(object)
        expected += [[sum((a[:, r] * b[:, c]).ravel()) for r in range(3)] for c in range(2)]
    assert unit.golden(p, streams)["c_o"].tolist() == expected
    assert unit.macs(p, streams) == len(streams["last_i"]) / 4 * 2 * 3 * 2


def test_a_packet_of_given_operands():
    p = {
        "Rows": 2, "Columns": 3, "Width": 4, "AccWidth": 16, "Encoders": 1, "Lanes": 2, "Multiplier": 4, "Horner": 1,
        "SkipEmpty": 0, "Slack": 0,
    }  # fmt: skip
    rng = np.random.default_rng(4)
    a, b = rng.integers(-8, 8, (5, 4)), rng.integers(-8, 8, (5, 6))
    streams = packet(p, a, b)
    assert streams["last_i"].tolist() == [0, 0, 0, 0, 1] * 2
    expected = np.einsum("nrl,ncl->cr", a.reshape(5, 2, 2), b.reshape(5, 3, 2))
    assert block("digit_array").golden(p, streams)["c_o"].tolist() == expected.tolist()


@pytest.mark.parametrize("name", ENGINES)
def test_macs_are_those_of_the_results(name):
    unit = block(name)
    p = {knob.name: int(knob.choices[0]) for knob in unit.parameters} | {"AccWidth": 24, "Width": 8}
    streams = unit.stimulus(p, np.random.default_rng(3), 400)
    ones = {key: np.ones_like(column) if key in ("a_i", "b_i") else column for key, column in streams.items()}
    found = unit.golden(p, ones)["c_o"].sum()  # each product counts one
    assert unit.macs(p, streams) == found


@pytest.mark.parametrize("name", ENGINES)
def test_stimuli_are_about_as_long_as_asked_for(name):
    unit = block(name)
    p = {knob.name: int(knob.choices[-1]) for knob in unit.parameters} | {"AccWidth": 40}
    for n in (1, 50, 300):
        streams = unit.stimulus(p, np.random.default_rng(n), n)
        assert n / 4 <= len(streams["b_i"]) <= n + 150


def test_refusals_name_the_limit():
    unit = block("cube")
    p = {knob.name: int(knob.choices[0]) for knob in unit.parameters}
    assert unit.reject(p | {"Width": 8, "AccWidth": 16, "Depth": 16}) == "AccWidth must be at least 20, got 16"
    assert "digits" in unit.reject(p | {"Reduction": 1, "Multiplier": 0, "AccWidth": 32})
    assert unit.reject(p) == ""
