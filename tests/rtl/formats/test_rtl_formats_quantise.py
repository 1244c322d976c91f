"""Quantisers and closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from archgym.errors import InvalidInput, UnknownName
from archgym.rtl.formats import gate_model
from archgym.rtl.formats.block_formats import FORMATS, BlockFormat, block_format
from archgym.rtl.formats.quantise import crest, predicted_qsnr_db, qsnr_db, quantise


def gaussian(form: BlockFormat):
    return np.random.default_rng(18).standard_normal((4000, form.block))


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_what_a_format_can_say_is_kept(form):
    """Values already on the grid of a block whose largest element is the format's largest come back unchanged."""
    rng = np.random.default_rng(19)
    if form.integer:
        most = 2**form.man_width - 1
        elements = rng.integers(-most, most + 1, (50, form.block))
        elements[:, 0] = most
    else:
        elements = rng.integers(0, 1 << form.width, (50, form.block))
        elements = np.where(form.element.is_nan(elements), 0, elements)
        elements[:, 0] = form.element.largest
    values = form.values(elements) * 0.25
    again = quantise(form, values)
    assert np.array_equal(again.values(), values)


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_errors_stay_within_half_a_step(form):
    values = gaussian(form)
    done = quantise(form, values)
    step = done.scale_values()[:, None] * done.tensor_scale
    units = np.abs(values) / step
    if form.integer:
        gap = np.full(units.shape, 2.0 ** (1 - form.man_width))
    else:
        low = 2.0 ** (1 - form.element.bias)
        gap = 2.0 ** (np.floor(np.log2(np.maximum(units, low))) - form.man_width)
    inside = units <= form.largest
    assert np.all(np.abs(done.values() - values)[inside] <= (gap * step)[inside] / 2 * (1 + 1e-9))
    assert inside.mean() > (0.999 if form.scale == 0 else 0.95)  # E4M3 scales may be rounded down: the peak clips


@pytest.mark.parametrize(("name", "within"), [("MXINT8", 0.2), ("MXFP8", 0.5)])
def test_eight_bits_follow_the_closed_forms_on_gaussian_data(name, within):
    form = block_format(name)
    values = gaussian(form)
    assert qsnr_db(form, values) == pytest.approx(predicted_qsnr_db(form, crest(form, values)), abs=within)


@pytest.mark.parametrize("name", ["MXINT4", "NVINT4"])
def test_four_bit_integers_lack_what_the_closed_form_rounds_up(name):
    """It takes 2**(b-1) = 8 steps to the largest integer, where a symmetric format has 7: 20 log10(8/7) dB less."""
    form = block_format(name)
    values = gaussian(form)
    expected = predicted_qsnr_db(form, crest(form, values)) - 20 * np.log10(8 / 7)
    assert qsnr_db(form, values) == pytest.approx(expected, abs=0.25)


def test_integers_beat_floats_at_eight_bits_and_lose_at_four_with_wide_blocks():
    quality = {form.name: qsnr_db(form, gaussian(form)) for form in FORMATS}
    assert quality["MXINT8"] > quality["MXFP8"] + 9
    assert quality["MXFP4"] > quality["MXINT4"]
    assert quality["NVINT4"] > quality["NVFP4"]  # crest factors of Gaussian blocks of 16 are below the crossover, 2.39


def test_crest_factors_of_known_blocks():
    form = block_format("MXINT8")
    values = np.zeros((2, 32))
    values[:, 0] = [127.0, 254.0]  # ideal scales are powers of two times 64: nothing is added
    factors = crest(form, values)
    assert factors.kappa == pytest.approx(np.sqrt(32))
    assert factors.rho == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("values", "message"), [(np.zeros((2, 16)), r"\[n, 32\], got \[2, 16\]"), (np.full((1, 32), np.inf), "finite")]
)
def test_what_cannot_be_quantised_is_refused(values, message):
    with pytest.raises(InvalidInput, match=message):
        quantise(block_format("MXFP8"), values)


def test_zeros_are_zero_in_every_format():
    for form in FORMATS:
        assert not quantise(form, np.zeros((3, form.block))).values().any()


def test_counts_of_the_gate_model_by_hand():
    assert gate_model.counts(block_format("MXINT8")) == {"multiplier": 32 * 64, "adder": 2 * 32 * 8}
    counted = gate_model.counts(block_format("NVFP4"))
    assert counted["multiplier"] == 16 * 4
    assert counted["adder"] == 16 * 10
    assert counted["aligner"] == pytest.approx(16 * 10 * np.log2(10))
    assert counted["comparator"] == 16 * 2


def test_areas_of_the_gate_model_by_hand():
    cells = {"AND": 1.0, "FA": 5.0, "HA": 2.0, "MUX": 3.0, "OR": 1.0, "XOR": 2.0}
    form = block_format("MXINT4")
    assert gate_model.area(form, cells) == 16 * 8 + 2 * 4 * 7
    assert gate_model.area(form, cells, per_lane=False) == 32 * (16 * 8 + 2 * 4 * 7)
    with pytest.raises(UnknownName, match="MUX"):
        gate_model.areas(form, {"AND": 1.0, "FA": 1.0, "HA": 1.0, "OR": 1.0, "XOR": 1.0})
