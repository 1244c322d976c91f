"""Ratios between technologies: a technology agrees with a scaled copy of itself, and statistics with hand counts."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from archgym.errors import InvalidInput
from archgym.rtl.flow import compare_technologies as command
from archgym.rtl.flow.technology_ratios import DESIGNS, PAIRS, REFERENCE, agreement, among, energy_pj, kendall, spearman
from archgym.rtl.library import block
from archgym.rtl.tech.technology import technology

_SCALE = 10


def _larger(folder: Path) -> Path:
    """The embedded technology with cells of ten times the area."""
    text = technology().paths[0].read_text()
    path = folder / "larger.lib"
    path.write_text(re.sub(r"(\barea : )([\d.]+);", lambda found: f"{found[1]}{_SCALE * float(found[2])!r};", text))
    return path


def test_rank_correlations_by_hand() -> None:
    ordered = np.array([1.0, 2.0, 3.0, 4.0])
    assert spearman(ordered, ordered**3) == pytest.approx(1)
    assert kendall(ordered, -ordered) == pytest.approx(-1)
    # One neighbouring swap: 5 of 6 pairs agree; differences of ranks 0, 0, 1, 1: 1 - 6 * 2 / (4 * 15).
    swapped = np.array([1.0, 2.0, 4.0, 3.0])
    assert kendall(ordered, swapped) == pytest.approx((5 - 1) / 6)
    assert spearman(ordered, swapped) == pytest.approx(1 - 6 * 2 / (4 * 15))
    # A tie: 5 of 6 pairs in one of them, tau-b.
    tied = np.array([1.0, 2.0, 3.0, 3.0])
    assert kendall(ordered, tied) == pytest.approx(5 / np.sqrt(6 * 5))
    assert spearman(ordered, tied) == pytest.approx(np.corrcoef([1, 2, 3, 4], [1, 2, 3.5, 3.5])[0, 1])


def test_errors_of_ratios_by_hand() -> None:
    ours = np.array([10.0, 20.0, 40.0, 5.0])
    theirs = np.array([1.0, 4.0, 2.0, np.nan])  # ratios 4 and 2 where ours are 2 and 4
    found = agreement(ours, theirs)
    assert (found.typical, found.largest) == (pytest.approx(2), pytest.approx(2))
    assert found.worst in {1, 2}
    assert found.pairs == pytest.approx((2 * 2 * 4) ** (1 / 3))  # 2 -> 4, 4 -> 2, and 2 -> 1/2 between those two
    assert str(found) == "0.500, 0.333; 2.00, 2.00; 2.52"
    scaled = among([ours[:3], 3 * ours[:3], theirs[:3]])
    assert scaled is not None
    assert scaled.spearman == pytest.approx(0.5)  # two pairs of three have it
    assert among([ours]) is None


def test_energy_is_of_a_beat_where_there_are_no_macs() -> None:
    metrics = {"power_mw": 2.0, "frequency_mhz": 500.0, "energy_per_mac_pj": float("nan")}
    assert energy_pj(metrics, {"cycles": 30.0, "beats": 10.0}) == pytest.approx(2e-3 / 500e6 * 3 * 1e12)
    assert energy_pj({**metrics, "energy_per_mac_pj": 1.5}, {}) == 1.5


def test_designs_can_be_built() -> None:
    assert next(iter(DESIGNS)) == REFERENCE
    assert {name for pair in PAIRS.values() for name in pair} <= set(DESIGNS)
    for name, parameters in DESIGNS.values():
        assert set(parameters) == {each.name for each in block(name).parameters}
        assert block(name).reject(parameters) == ""
        for each in block(name).parameters:
            assert each.choices is None or parameters[each.name] in each.choices


def test_a_scaled_copy_agrees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHGYM_CACHE", str(tmp_path / "cache"))
    larger = str(_larger(tmp_path))
    small = {name: ("term_adder", {"Inputs": inputs, "Width": 2}) for name, inputs in (("2", 2), ("3", 3), ("4", 4))}
    names = ("generic45", larger)
    found = {name: command.figures(name, small, "quick") for name in names}
    for kind in found[larger]:
        same = agreement(found["generic45"][kind], found[larger][kind])
        assert same.spearman == pytest.approx(1), kind
        assert (same.typical, same.largest, same.pairs) == pytest.approx((1, 1, 1)), kind
    area = "relaxed, area"
    assert found[larger][area] == pytest.approx(_SCALE * found["generic45"][area])
    assert found[larger]["fastest, clock"] == pytest.approx(found["generic45"]["fastest, clock"])
    text = command.report(found, list(small))
    assert text.count("1.000, 1.000; 1.00, 1.00; 1.00") == len(found[larger])


def test_without_wires(tmp_path: Path) -> None:
    copy = command.without_wires("generic45", tmp_path)
    assert technology().library.wire_load_ff(3) > 0
    assert technology(copy).library.wire_load_ff(3) == 0
    assert technology(copy).library.cells.keys() == technology().library.cells.keys()
    assert command.without_wires(copy, tmp_path) == copy


def test_a_reference_that_fails_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHGYM_CACHE", str(tmp_path))
    parameters = {"Width": 8, "AccWidth": 8, "Multiplier": 0, "CarrySave": 0, "Pipeline": 0}
    with pytest.raises(InvalidInput, match="small in generic45: infeasible: AccWidth must be at least"):
        command.figures("generic45", {"small": ("mac_unit", parameters)}, "quick")
