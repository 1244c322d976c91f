"""The models of block-format dot products against exact rational arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from rational import nearest

from archgym.errors import UnknownName
from archgym.rtl.floating.formats import E2M1, E4M3, E5M2, FP32, Format
from archgym.rtl.formats.block_formats import FORMATS, align_width, block_format
from archgym.rtl.formats.blocks import BLOCKS
from archgym.rtl.formats.golden import fp_dot, fp_sum, int_dot

INT, FP = BLOCKS


def point(block, **values):
    return {knob.name: values.get(knob.name, knob.choices[-1]) for knob in block.parameters}


def numbers(form: Format, rng, shape):
    words = rng.integers(0, 1 << form.width, shape)
    return np.where(form.is_nan(words) | form.is_inf(words), 1, words)


def fp32(value: Fraction) -> int:
    return nearest(FP32, value, negative=value < 0)


def exact_fp32(word) -> Fraction:
    return Fraction(float(FP32.values(np.array(word))))


def scale(code, kind: int) -> Fraction:
    return Fraction(2) ** (int(code) - 127) if kind == 0 else Fraction(float(E4M3.values(np.array(code))))


@pytest.mark.parametrize("kind", [0, 1])
@pytest.mark.parametrize("width", [4, 8])
def test_integer_blocks_are_exact_and_rounded_once_a_block(width, kind):
    rng = np.random.default_rng(11)
    p = point(INT, Width=width, Scale=kind, Lanes=16)
    half = 1 << (width - 1)
    a, b = rng.integers(-half, half, (2, 60, 16))
    scales = rng.integers(100, 140, (2, 60)) if kind == 0 else rng.integers(0, 0x7F, (2, 60))
    last = np.arange(60) % 3 // 2
    streams = {"a_i": a, "b_i": b, "scale_a_i": scales[0], "scale_b_i": scales[1], "last_i": last}
    found = int_dot(p, streams)["result_o"]
    step = Fraction(1, 2 ** (width - 2)) ** 2
    total, results = Fraction(0), []
    for row in range(60):
        value = sum(int(x) * int(y) for x, y in zip(a[row], b[row], strict=True)) * step
        word = fp32(value * scale(scales[0][row], kind) * scale(scales[1][row], kind))
        total = exact_fp32(fp32(exact_fp32(word) + total))
        if last[row]:
            results.append(fp32(total))
            total = Fraction(0)
    assert list(found) == results


@pytest.mark.parametrize(("form", "align"), [(E2M1, 10), (E4M3, 36), (Format(2, 3, 2), 14), (Format(3, 2, 2), 20)])
def test_a_window_of_all_exponents_is_exact(form, align):
    rng = np.random.default_rng(12)
    a, b = numbers(form, rng, (2, 200, 8))
    total, low, wild = fp_sum(form, a, b, align)
    exact = (form.values(a) * form.values(b)).sum(axis=1)  # exact in float64: at most 40 bits apart
    assert np.array_equal(np.ldexp(total.astype(float), low), exact)
    assert not wild.any()


@pytest.mark.parametrize("align", [10, 16, 24])
def test_a_narrow_window_cuts_every_product_towards_zero(align):
    """Each product loses less than one unit of the window below the block's largest exponent."""
    rng = np.random.default_rng(13)
    a, b = numbers(E4M3, rng, (2, 300, 16))
    total, low, _ = fp_sum(E4M3, a, b, align)
    product = E4M3.values(a) * E4M3.values(b)
    kept = np.trunc(np.ldexp(product, -low[:, None]))
    assert np.array_equal(kept.sum(axis=1).astype(np.int64), total)
    # The lowest unit: align bits below 4 times the largest product of powers of two.
    size = np.where(product == 0, 0, 2.0 ** (np.maximum(a >> 3 & 15, 1) + np.maximum(b >> 3 & 15, 1) - 14))
    moving = size.max(axis=1) > 0
    assert np.array_equal(low[moving], np.log2(size.max(axis=1)[moving]).astype(int) + 2 - align)


def test_zeros_do_not_move_the_window():
    a, b = np.array([[0, 0x08]]), np.array([[0x7E, 0x09]])
    total, low, _ = fp_sum(E4M3, a, b, 10)
    assert np.ldexp(float(total[0]), low[0]) == float(E4M3.values(np.array(0x08)) * E4M3.values(np.array(0x09)))


@pytest.mark.parametrize(("name", "align"), [("MXFP8", 24), ("MXFP4", 10), ("NVFP4", 10)])
def test_windows_are_those_of_the_hardware_model(name, align):
    form = block_format(name)
    assert align_width(form.exp_width, form.man_width) == align  # min(2**(x+1) + 2y, 24)


def test_blocks_of_floats_against_the_definition():
    rng = np.random.default_rng(14)
    p = point(FP, ExpWidth=2, ManWidth=1, Specials=2, Lanes=16, Scale=1, AlignWidth=10)
    a, b = rng.integers(0, 16, (2, 40, 16))
    scales = rng.integers(0, 0x7F, (2, 40))
    streams = {"a_i": a, "b_i": b, "scale_a_i": scales[0], "scale_b_i": scales[1], "last_i": np.ones(40, dtype=int)}
    found = fp_dot(p, streams)["result_o"]
    for row in range(40):
        value = Fraction(float((E2M1.values(a[row]) * E2M1.values(b[row])).sum()))
        assert found[row] == fp32(value * scale(scales[0][row], 1) * scale(scales[1][row], 1))


def test_nan_in_an_element_or_a_scale_spoils_its_packet_only():
    p = point(FP, ExpWidth=5, ManWidth=2, Specials=0, Lanes=4, Scale=0, AlignWidth=24)
    one = E5M2.bias << 2
    a = np.full((4, 4), one)
    a[0, 2], a[1, 3] = E5M2.nan, E5M2.infinity
    scales = np.array([127, 127, 255, 127])
    streams = {
        "a_i": a, "b_i": np.full((4, 4), one), "scale_a_i": scales, "scale_b_i": np.full(4, 127),
        "last_i": np.ones(4, dtype=int),
    }  # fmt: skip
    found = fp_dot(p, streams)["result_o"]
    assert list(FP32.is_nan(found)) == [True, True, True, False]
    assert FP32.values(found[3:])[0] == 4


def test_overflow_and_underflow_of_the_scales():
    p = point(INT, Width=8, Scale=0, Lanes=4, Subnormals=1)
    a = np.full((3, 4), 64)  # 1.0
    scales = np.array([254, 0, 54])  # 2**127, 2**-127, 2**-73
    streams = {"a_i": a, "b_i": a, "scale_a_i": scales, "scale_b_i": scales, "last_i": np.ones(3, dtype=int)}
    assert list(int_dot(p, streams)["result_o"]) == [FP32.infinity, 0, 1 << 5]  # 4 * 2**-146 is 2**5 of 2**-149
    flushed = int_dot({**p, "Subnormals": 0}, streams)["result_o"]
    assert flushed[2] == 0


def test_names_are_those_of_the_paper():
    assert [form.name for form in FORMATS] == ["MXINT8", "MXFP8", "MXINT4", "MXFP4", "NVINT4", "NVFP4"]
    with pytest.raises(UnknownName, match="did you mean 'MXFP8'"):
        block_format("mxfp")
