"""The RTL of the block formats as gates, at the widths of the formats."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from gate_level import gates, signed
from rational import nearest

from archgym.rtl.common.sources import common
from archgym.rtl.floating.formats import E2M1, E4M3, FP32, Format
from archgym.rtl.floating.stimuli import operands
from archgym.rtl.formats.golden import fp_sum

TREE = common("csa_tree", "booth_encoder", "ent_selects", "booth_terms", "operand_terms")
UNPACK = ("floating/fp_unpack.sv",)
SCALE = (*UNPACK, *(f"floating/fp_{name}.sv" for name in ("lzc", "shift_sticky", "round")), "formats/block_scale.sv")


def flat(values, width: int):
    """Lanes int64[n, lanes] side by side, lane 0 lowest, as Python integers."""
    word = np.zeros(len(values), dtype=object)
    for lane in range(values.shape[1]):
        word |= (values[:, lane].astype(object) & ((1 << width) - 1)) << (lane * width)
    return word


@pytest.mark.parametrize(("width", "lanes", "merge"), [(8, 32, 1), (8, 4, 0), (4, 16, 1), (6, 8, 0)])
def test_sums_of_integer_products(width, lanes, merge):
    rng = np.random.default_rng(15)
    half = 1 << (width - 1)
    a, b = rng.integers(-half, half, (2, 400, lanes))
    a[:3], b[:3] = -half, np.array([-half, half - 1, 0])[:, None]  # the largest sums there are
    block = gates("int_dot_sum", (*TREE, "formats/int_dot_sum.sv"), {"Width": width, "Lanes": lanes, "Merge": merge})
    found = block(a_i=flat(a, width), b_i=flat(b, width))["sum_o"]
    assert np.array_equal(signed(found, 2 * width + lanes.bit_length() - 1), (a * b).sum(axis=1))


@pytest.mark.parametrize(
    ("form", "lanes", "align"), [(E4M3, 32, 24), (E4M3, 4, 10), (E2M1, 16, 10), (Format(3, 2, 2), 8, 16)]
)
def test_sums_of_aligned_products(form, lanes, align):
    rng = np.random.default_rng(16)
    a, b = (operands(form, rng, 400 * lanes).reshape(400, lanes) for _ in range(2))
    a[::2] = np.where(form.is_nan(a[::2]), 0, a[::2])
    parameters = {
        "ExpWidth": form.exp_width, "ManWidth": form.man_width, "Specials": form.specials, "Lanes": lanes,
        "AlignWidth": align,
    }  # fmt: skip
    sources = (*common("csa_tree"), *UNPACK, "formats/fp_dot_max.sv", "formats/fp_dot_sum.sv")
    block = gates("fp_dot_sum", sources, parameters)
    found = block(a_i=flat(a, form.width), b_i=flat(b, form.width))
    total, low, wild = fp_sum(form, a, b, align)
    assert np.array_equal(signed(found["sum_o"], align + lanes.bit_length()), total)
    assert np.array_equal(found["exp_o"] - 2 * form.bias + 2 - align, low)
    assert np.array_equal(found["nan_o"], wild)


@pytest.mark.parametrize("kind", [0, 1])
@pytest.mark.parametrize("width", [12, 30])
def test_scaling_rounds_the_rational_product_once(width, kind):
    rng = np.random.default_rng(17)
    n = 1500
    total = rng.integers(-(1 << (width - 1)), 1 << (width - 1), n) >> rng.integers(0, width, n)
    exp = rng.integers(-40, 10, n)
    exp[:300] -= 90
    a, b = rng.integers(0, 256, (2, n))
    block = gates("block_scale", SCALE, {"SumWidth": width, "Scale": kind})
    inputs = {"sum_i": total, "exp_i": exp, "nan_i": np.zeros(n, dtype=int), "scale_a_i": a, "scale_b_i": b}
    found = block(**inputs)["word_o"]
    spoilt = (a == 255) | (b == 255) if kind == 0 else E4M3.is_nan(a) | E4M3.is_nan(b)
    assert np.array_equal(FP32.is_nan(found), spoilt)
    for row in np.flatnonzero(~spoilt):
        if kind == 0:
            factor = Fraction(2) ** int(a[row] + b[row] - 254)
        else:
            factor = Fraction(float(E4M3.values(a[row : row + 1])[0])) * Fraction(
                float(E4M3.values(b[row : row + 1])[0])
            )
        value = int(total[row]) * Fraction(2) ** int(exp[row]) * factor
        assert found[row] == nearest(FP32, value, negative=value < 0), row
