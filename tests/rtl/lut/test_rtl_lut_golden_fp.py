"""The floating-point golden models against NumPy's own half and single precision, where no subnormal is near."""

from __future__ import annotations

import numpy as np
import pytest

from archgym.rtl.floating.formats import BF16, FP16, FP32
from archgym.rtl.library import block
from archgym.rtl.lut import golden_fp

HALF = {
    "TileM": 2, "TileN": 3, "Group": 4, "ExpWidth": 5, "ManWidth": 10, "AccExpWidth": 5, "AccManWidth": 10,
    "WeightBits": 2, "OfflineNegation": 1, "Pipeline": 0, "InputRegister": 0,
}  # fmt: skip


def halves(words):
    return words.astype(np.uint16).view(np.float16)


def words(values):
    return values.view(np.uint16).astype(np.int64)


def test_tables_hold_every_signed_sum():
    rng = np.random.default_rng(0)
    acts = rng.integers(-64, 64, (50, 4)).astype(np.float16)  # sums are exact
    found = halves(golden_fp.table(FP16, words(acts).reshape(50, 4)))
    for index in range(8):
        signs = np.array([1 if index >> j & 1 else -1 for j in range(3)])
        assert np.array_equal(found[:, index], acts[:, 3] + (acts[:, :3] * signs).sum(axis=1))


@pytest.mark.parametrize("acc", [FP16, FP32])
@pytest.mark.parametrize("bits", [1, 2, 3])
@pytest.mark.parametrize("offline", [0, 1])
def test_sums_round_as_numpy_rounds(acc, bits, offline):
    p = {**HALF, "WeightBits": bits, "OfflineNegation": offline}
    p["AccExpWidth"], p["AccManWidth"] = acc.exp_width, acc.man_width
    kind = np.float16 if acc == FP16 else np.float32
    streams = block("lut_core_fp").stimulus(p, np.random.default_rng(2), 30, draw)
    tables = halves(streams["table_i"]).reshape(30, 2, 8)
    stored = streams["weights_i"].reshape(30, 3, bits)
    expected, sums = [], np.zeros((2, 3), kind)
    for beat in range(30):
        for plane in range(bits):
            for n in range(3):
                code = int(stored[beat, n, plane])
                low = code & 7 if code >> 3 or offline else ~code & 7
                entry = tables[beat, :, low].astype(kind) * kind(2**plane)
                sums[:, n] += entry if code >> 3 else -entry
        if streams["last_i"][beat]:
            expected.append(sums.ravel().copy())
            sums = np.zeros((2, 3), kind)
    assert np.array_equal(acc.values(golden_fp.core(p, streams)["acc_o"]), np.array(expected, dtype=np.float64))


def draw(rng, shape, width):
    return words((rng.integers(1, 200, shape) / 16 * rng.choice([-1, 1], shape)).astype(np.float16)).reshape(shape)


def test_zero_and_overflow_are_scaled_right():
    assert golden_fp.scale(FP16, np.array([0, 0x8000, 0x0001]), 3).tolist() == [0, 0x8000, 0]
    assert golden_fp.scale(FP16, np.array([FP16.largest]), 1).tolist() == [FP16.infinity]
    assert golden_fp.scale(FP16, np.array([FP16.infinity, FP16.nan]), 2).tolist() == [FP16.infinity, FP16.nan]
    assert halves(golden_fp.scale(FP16, words(np.array([1.5], np.float16)), 2))[0] == np.float16(6)


def test_a_wider_word_is_the_same_number():
    every = np.arange(1 << 16)
    normal = every[(every >> 10 & 31 != 0) & ~FP16.is_nan(every)]
    assert np.array_equal(FP32.values(golden_fp.widen(FP16, FP32, normal)), FP16.values(normal))
    every = every[(every >> 7 & 255 != 0) & ~BF16.is_nan(every)]
    assert np.array_equal(FP32.values(golden_fp.widen(BF16, FP32, every)), BF16.values(every))


@pytest.mark.parametrize("name", ["lut_core_fp", "fma_dot", "int_dot", "fp_dot"])
def test_packets_do_not_depend_on_each_other_and_unfinished_ones_give_nothing(name):
    unit = block(name)
    p = {each.name: int(each.choices[0]) for each in unit.parameters}
    streams = unit.stimulus(p, np.random.default_rng(5), 60)
    (out,) = (port.name for port in unit.ports(p) if port.direction == "out")
    together = unit.golden(p, streams)[out]
    ends = np.flatnonzero(streams["last_i"]) + 1
    alone = [
        unit.golden(p, {port: values[start:end] for port, values in streams.items()})[out]
        for start, end in zip([0, *ends[:-1]], ends, strict=True)
    ]
    assert len(ends) > 2
    assert np.array_equal(np.concatenate(alone), together)
    unfinished = {**streams, "last_i": np.zeros_like(streams["last_i"])}
    assert len(unit.golden(p, unfinished)[out]) == 0
