"""Elements for every state that matters: one step of each, and the bounds that their widths come from."""

from __future__ import annotations

import numpy as np
import pytest
from gate_level import gates, signed

from archgym.rtl.bench.run import run
from archgym.rtl.common.digits import encode, encoded_width
from archgym.rtl.common.sources import MULTIPLIER, common
from archgym.rtl.library import block

N = 4000


@pytest.mark.parametrize("carry_save", [0, 1])
@pytest.mark.parametrize("multiplier", range(5))
def test_a_step_of_the_dense_element(multiplier, carry_save):
    """4-bit operands: every pair of operands, with random states."""
    width, acc = 4, 12
    step = gates("mac_pe", (*MULTIPLIER, "mac/mac_pe.sv"), {
        "Width": width, "AccWidth": acc, "Multiplier": multiplier, "CarrySave": carry_save,
    })  # fmt: skip
    rng = np.random.default_rng(multiplier)
    a, b = (np.tile(grid.ravel(), 16) for grid in np.meshgrid(np.arange(16), np.arange(16)))
    enable, clear = rng.integers(0, 2, (2, len(a)))
    code = encode(signed(a, width), width, multiplier) & ((1 << encoded_width(width, multiplier)) - 1)
    held, following = step.state()
    values = {name: rng.integers(0, 1 << acc, len(a)) for name in held}
    answer = step(clk_i=0 * a, enable_i=enable, clear_i=clear, enc_i=code, b_i=b, **values)
    before = sum(values.values())
    expected = np.where(enable, signed(a, width) * signed(b, width) + np.where(clear, 0, before), before)
    assert ((sum(answer[name] for name in following) - expected) % (1 << acc) == 0).all()
    assert ((answer["sum_o"] + answer["carry_o"] - before) % (1 << acc) == 0).all()


@pytest.mark.parametrize("horner", [0, 1])
@pytest.mark.parametrize("digits", [1, 2, 4])
def test_a_step_of_the_digit_element(digits, horner):
    width, pair = 8, 26
    p = {"Width": width, "PairWidth": pair, "Digits": digits, "Horner": horner}
    step = gates("digit_pe", (*common("csa_tree_plus"), "mac/digit_pe.sv"), p)
    rng = np.random.default_rng(digits)
    held, following = step.state()
    edges = np.array([0x80, 0x81, 0xFE, 0xFF, 0x00, 0x01, 0x02, 0x7F])
    operands = np.where(
        rng.random((N, digits)) < 0.5, rng.choice(edges, (N, digits)), rng.integers(0, 256, (N, digits))
    )
    two, negative = rng.integers(0, 2, (2, N, digits))
    keep = rng.integers(0, 2, N)
    shift = rng.integers(0, 2, N) * (1 - keep) * horner
    bits, columns = np.arange(digits), width * np.arange(digits)
    values = {name: rng.integers(0, 1 << pair, N) for name in held if name.startswith(("sum_q", "carry_q"))}
    before = sum(values.values())
    stored = (operands << columns).sum(-1)
    controls = {
        "b": stored, "two": (two << bits).sum(-1), "negative": (negative << bits).sum(-1), "keep": keep, "shift": shift,
    }  # fmt: skip
    registers = {name: controls[name.split(".")[-2].removesuffix("_q")] for name in held if name not in values}
    answer = step(clk_i=0 * keep, **{f"{name}_i": value for name, value in controls.items()}, **values, **registers)
    added = (signed(operands, width) * (1 + two) * (1 - 2 * negative)).sum(-1)
    expected = added + np.where(keep, before, np.where(shift, 4 * before, 0))
    after = sum(answer[name] for name in following if name.startswith(("sum_q", "carry_q")))
    assert ((after - expected) % (1 << pair) == 0).all()


@pytest.mark.parametrize("point", [
    {"Width": 8, "AccWidth": 24, "Multiplier": 3, "CarrySave": 1, "Pipeline": 2},
    {"Width": 16, "AccWidth": 32, "Multiplier": 1, "CarrySave": 1, "Pipeline": 0},
    {"Width": 4, "AccWidth": 16, "Multiplier": 4, "CarrySave": 0, "Pipeline": 1},
])  # fmt: skip
def test_extreme_operands_and_pressure(point):
    outcome = run(block("mac_unit"), point)
    assert outcome.passed, outcome.fault


@pytest.mark.parametrize(("name", "shape"), [
    ("digit_mac", {"Columns": 1, "Encoders": 1, "Lanes": 2, "Horner": 0, "SkipEmpty": 1, "Multiplier": 3}),
    ("opt4c_column", {"Columns": 4, "Encoders": 1, "Lanes": 4, "Horner": 0, "SkipEmpty": 0, "Multiplier": 4}),
    ("opt4e_group", {"Columns": 4, "Encoders": 4, "Lanes": 4, "Horner": 1, "SkipEmpty": 0, "Multiplier": 4}),
])  # fmt: skip
def test_sparse_engines_on_extreme_operands_and_pressure(name, shape):
    outcome = run(block(name), {"Width": 8, "AccWidth": 24, **shape})
    assert outcome.passed, outcome.fault
